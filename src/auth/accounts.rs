//! The management of accounts, groups and tokens: each change is noted, and no credential that was
//! verified before it is believed any more.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::extract::Address;
use super::{Authenticator, hash, random, token};
use crate::engine::{Engine, Error};
use crate::resource::actor::{Account, Actor, Role, Scope};
use crate::resource::key::WorkspaceName;
use crate::state::accounts::NewAccount;
use crate::state::groups::Group;
use crate::state::identities::Identity;
use crate::state::members::Member;
use crate::state::tokens::Token;
use crate::state::{self, State};

/// Most characters of an account's name.
const NAME_MOST: usize = 39;

/// Who changes something, for the audit log.
#[derive(Debug, Clone, Default)]
pub struct By {
    pub name: Option<String>,
    pub address: Option<IpAddr>,
}

impl By {
    pub fn of(actor: &Actor, from: &Address) -> Self {
        By { name: actor.name().map(str::to_owned), address: from.0 }
    }
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub name: String,
    pub email: Option<String>,
    /// `None`: one is made and given back.
    pub password: Option<String>,
    pub is_admin: bool,
}

/// The use cases on accounts.
pub struct Accounts {
    state: State,
    engine: Arc<Engine>,
    authenticator: Arc<Authenticator>,
    /// One first login at a time: a front end that starts two at once gets one account.
    arriving: Mutex<()>,
    /// One change at a time of who is an administrator, so that the last one stays.
    changing: Mutex<()>,
}

impl Accounts {
    pub fn new(state: State, engine: Arc<Engine>, authenticator: Arc<Authenticator>) -> Self {
        Accounts { state, engine, authenticator, arriving: Mutex::default(), changing: Mutex::default() }
    }

    pub async fn note(&self, by: &By, action: &str, subject: Option<&str>, detail: Option<&str>) {
        self.authenticator.note(action, by.name.as_deref(), subject, by.address, detail).await;
    }

    /// Makes an account; gives its password back when it was chosen here.
    pub async fn create(&self, by: &By, new: NewUser) -> Result<(Account, Option<String>), Error> {
        let (shown, hash) = password_hash(new.password).await?;
        let account = self
            .state
            .create_account(NewAccount {
                name: &new.name,
                email: new.email.as_deref(),
                password: Some(&hash),
                is_admin: new.is_admin,
            })
            .await?;
        let detail = if new.is_admin { Some("administrator") } else { None };
        self.note(by, "account.created", Some(&account.name), detail).await;
        Ok((account, shown))
    }

    /// The account of somebody who logged in at a provider, made if they come for the first time.
    pub async fn arrive(&self, by: &By, identity: &Identity, email: Option<&str>) -> Result<Account, Error> {
        let _turn = self.arriving.lock().await;
        let account = match self.state.account_of_identity(&identity.provider, &identity.subject).await? {
            Some(account) => account,
            None => self.create_for(by, &identity.login, email).await?,
        };
        self.save(by, &account, identity).await?;
        Ok(account)
    }

    /// Makes the account of somebody who comes for the first time: under their login at the
    /// provider or, when that is taken here, under it and a number (decisions.md 4). It has no
    /// password.
    async fn create_for(&self, by: &By, login: &str, email: Option<&str>) -> Result<Account, Error> {
        let login = plain(login);
        for number in 1.. {
            let name = if number == 1 { login.clone() } else { suffixed(&login, number) };
            // Workspaces that somebody left behind are not handed to a namesake.
            if self.engine.has_workspaces_of(&name) {
                continue;
            }
            let new = NewAccount { name: &name, email, password: None, is_admin: false };
            match self.state.create_account(new).await {
                Ok(account) => {
                    self.note(by, "account.created", Some(&account.name), Some("by its first login")).await;
                    return Ok(account);
                }
                // Taken, or reserved.
                Err(state::Error::Exists { .. } | state::Error::Name(_)) if number < 1_000 => {}
                Err(error) => return Err(error.into()),
            }
        }
        unreachable!("the numbers do not end")
    }

    /// Changes what is given; the inner `None` removes the address.
    pub async fn change(
        &self,
        by: &By,
        name: &str,
        email: Option<Option<&str>>,
        is_admin: Option<bool>,
    ) -> Result<Account, Error> {
        let _turn = self.changing.lock().await;
        if is_admin == Some(false) {
            self.refuse_last_administrator(name, "stay one").await?;
        }
        self.state.change_account(name, email, is_admin).await?;
        self.authenticator.forget();
        let detail = is_admin.map(|is| if is { "administrator" } else { "no administrator" });
        self.note(by, "account.changed", Some(name), detail).await;
        self.account(name).await
    }

    /// Replaces the password and ends all sessions, logins and tokens. With an epoch, only if the
    /// password has not been changed since.
    pub async fn set_password(
        &self,
        by: &By,
        name: &str,
        given: Option<String>,
        epoch: Option<i64>,
    ) -> Result<Option<String>, Error> {
        let (shown, hash) = password_hash(given).await?;
        let account = self.account(name).await?;
        self.state.set_password(name, &hash, epoch).await?;
        self.authenticator.forget_account(account.id);
        self.note(by, "account.password", Some(name), None).await;
        Ok(shown)
    }

    /// Removes an account and all that lets somebody in as it.
    pub async fn delete(&self, by: &By, name: &str) -> Result<(), Error> {
        let _turn = self.changing.lock().await;
        self.refuse_last_administrator(name, "be deleted").await?;
        self.state.delete_account(name).await?;
        self.authenticator.forget();
        self.engine.reload_grants().await?;
        self.note(by, "account.deleted", Some(name), None).await;
        Ok(())
    }

    /// A server without administrators could not be managed over HTTP any more.
    async fn refuse_last_administrator(&self, name: &str, what: &str) -> Result<(), Error> {
        let accounts = self.state.accounts().await?;
        let mut others = accounts.iter().filter(|account| account.is_admin);
        let is_last = others.clone().count() == 1 && others.any(|account| account.name.eq_ignore_ascii_case(name));
        // The very last account may go: the next start makes a new administrator.
        if is_last && accounts.len() > 1 {
            return Err(Error::Conflict(format!(
                "{name} is the last administrator: make another one first, to {what}"
            )));
        }
        Ok(())
    }

    /// Who the account is elsewhere.
    pub async fn identities(&self, account: &Account) -> Result<Vec<Identity>, Error> {
        Ok(self.state.identities(account.id).await?)
    }

    /// Whether the account has a password, or came from a provider and never got one.
    pub async fn has_password(&self, name: &str) -> Result<bool, Error> {
        Ok(self.state.account(name).await?.is_some_and(|(_, password)| password.is_some()))
    }

    pub async fn account(&self, name: &str) -> Result<Account, Error> {
        let found = self.state.account(name).await?;
        found.map(|(account, _)| account).ok_or_else(|| Error::NotFound(format!("account {name:?}")))
    }

    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        Ok(self.state.accounts().await?)
    }

    /// Makes a token; the secret is known to nobody afterwards.
    pub async fn create_token(
        &self,
        by: &By,
        account: &Account,
        name: &str,
        scope: Scope,
        expires_at: Option<i64>,
    ) -> Result<(Token, String), Error> {
        if name.trim().is_empty() || name.chars().count() > 100 {
            return Err(Error::bad_request("the token's name says what it is for: give 1 to 100 characters"));
        }
        let secret = token::make();
        let made = self.state.create_token(account, name, scope, &token::digest(&secret), expires_at).await?;
        self.note(by, "token.created", Some(&account.name), Some(&format!("{name}, {}", scope.name()))).await;
        Ok((made, secret))
    }

    pub async fn tokens(&self, account: &Account) -> Result<Vec<Token>, Error> {
        Ok(self.state.tokens(account.id).await?)
    }

    pub async fn delete_token(&self, by: &By, account: &Account, id: i64) -> Result<(), Error> {
        if !self.state.delete_token(account.id, id).await? {
            return Err(Error::NotFound(format!("token {id}")));
        }
        self.authenticator.forget_account(account.id);
        self.note(by, "token.deleted", Some(&account.name), None).await;
        Ok(())
    }

    /// Links an account to who it is at a provider.
    pub async fn link(&self, by: &By, account: &Account, identity: &Identity) -> Result<(), Error> {
        // Somebody who arrives meanwhile as the same one gets no account of their own.
        let _turn = self.arriving.lock().await;
        self.save(by, account, identity).await
    }

    async fn save(&self, by: &By, account: &Account, identity: &Identity) -> Result<(), Error> {
        let known = self.state.account_of_identity(&identity.provider, &identity.subject).await?;
        if let Some(other) = known.as_ref().filter(|other| other.id != account.id) {
            return Err(Error::Conflict(format!(
                "{} at {} is linked to the account {}: unlink it there first",
                identity.login, identity.provider, other.name
            )));
        }
        self.state.save_identity(account.id, identity).await?;
        if known.is_none() {
            let detail = format!("{} at {}", identity.login, identity.provider);
            self.note(by, "identity.linked", Some(&account.name), Some(&detail)).await;
        }
        Ok(())
    }

    /// Ends what an identity lets in: its sessions too. The only way into an account stays.
    pub async fn unlink(&self, by: &By, account: &Account, provider: &str, subject: &str) -> Result<(), Error> {
        let is_it = |known: &Identity| known.provider == provider && known.subject == subject;
        if matches!(&*self.identities(account).await?, [only] if is_it(only))
            && !self.has_password(&account.name).await?
        {
            return Err(Error::Conflict(format!("{} has no other way to log in: set a password first", account.name)));
        }
        if !self.state.delete_identity(account.id, provider, subject).await? {
            return Err(Error::NotFound(format!("identity {subject:?} of {provider}")));
        }
        self.authenticator.forget();
        self.note(by, "identity.unlinked", Some(&account.name), Some(provider)).await;
        Ok(())
    }

    /// Gives an account or a group, named as [`Member::who`] does, a role in a workspace.
    pub async fn grant(
        &self,
        by: &By,
        actor: &Actor,
        workspace: &WorkspaceName,
        who: &str,
        role: Role,
    ) -> Result<Member, Error> {
        let member = self.engine.grant(actor, workspace, who, role).await?;
        let detail = format!("{}: {}", member.who(), role.name());
        self.note(by, "member.granted", Some(workspace.as_str()), Some(&detail)).await;
        Ok(member)
    }

    /// Takes a role away.
    pub async fn revoke(&self, by: &By, actor: &Actor, workspace: &WorkspaceName, who: &str) -> Result<(), Error> {
        self.engine.revoke(actor, workspace, who).await?;
        self.note(by, "member.revoked", Some(workspace.as_str()), Some(who)).await;
        Ok(())
    }

    /// Name and description of the group that the account has been in for longest.
    pub async fn first_group(&self, account: &Account) -> Result<Option<(String, String)>, Error> {
        Ok(self.state.first_group(account.id).await?)
    }

    pub async fn groups_of(&self, account: &Account) -> Result<Vec<String>, Error> {
        Ok(self.state.groups_of(account.id).await?)
    }

    pub async fn groups(&self) -> Result<Vec<Group>, Error> {
        Ok(self.state.groups().await?)
    }

    pub async fn group(&self, name: &str) -> Result<Group, Error> {
        Ok(self.state.group(name).await?)
    }

    pub async fn create_group(&self, by: &By, name: &str, description: &str) -> Result<Group, Error> {
        let is_name = !name.trim().is_empty() && name.chars().count() <= 128 && !name.chars().any(char::is_control);
        if !is_name || description.len() > 10_000 {
            return Err(Error::bad_request(
                "a group has a name of 1 to 128 characters and a description of at most 10,000",
            ));
        }
        self.state.create_group(name, description).await?;
        self.note(by, "group.created", Some(name), None).await;
        self.group(name).await
    }

    pub async fn describe_group(&self, by: &By, name: &str, description: &str) -> Result<Group, Error> {
        self.state.describe_group(name, description).await?;
        self.note(by, "group.changed", Some(name), None).await;
        self.group(name).await
    }

    pub async fn delete_group(&self, by: &By, name: &str) -> Result<(), Error> {
        self.state.delete_group(name).await?;
        self.engine.reload_grants().await?;
        self.note(by, "group.deleted", Some(name), None).await;
        Ok(())
    }

    pub async fn join_group(&self, by: &By, group: &str, account: &str) -> Result<(), Error> {
        self.state.join_group(group, account).await?;
        self.engine.reload_grants().await?;
        self.note(by, "group.joined", Some(group), Some(account)).await;
        Ok(())
    }

    pub async fn leave_group(&self, by: &By, group: &str, account: &str) -> Result<(), Error> {
        self.state.leave_group(group, account).await?;
        self.engine.reload_grants().await?;
        self.note(by, "group.left", Some(group), Some(account)).await;
        Ok(())
    }

    /// Empties the whole state database: no accounts, groups, tokens or sessions are left, and the
    /// next start makes a new administrator.
    pub async fn reset(&self, by: &By) -> Result<(), Error> {
        self.state.reset().await?;
        self.authenticator.forget();
        self.engine.reload_grants().await?;
        self.note(by, "state.reset", None, None).await;
        Ok(())
    }
}

/// A login elsewhere in the letters and the length of an account's name (decisions.md 4).
fn plain(login: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let letters: String = login.chars().map(letter).collect();
    let letters: String = letters.trim_start_matches(['.', '_', '-']).chars().take(NAME_MOST).collect();
    let name = letters.trim_end_matches('.');
    if name.is_empty() { "user".to_owned() } else { name.to_owned() }
}

/// A login with a number, within the length of an account's name.
fn suffixed(login: &str, number: u32) -> String {
    let suffix = format!("-{number}");
    let kept: String = login.chars().take(NAME_MOST - suffix.len()).collect();
    kept + &suffix
}

/// The hash of a password or of one that is made now, which is then the first.
async fn password_hash(given: Option<String>) -> Result<(Option<String>, String), Error> {
    match given {
        Some(given) if given.is_empty() => Err(Error::bad_request("the password is empty")),
        Some(given) if given.len() > 1_000 => Err(Error::bad_request("the password has more than 1,000 bytes")),
        Some(given) => Ok((None, hash(given).await)),
        None => {
            let made = random();
            Ok((Some(made.clone()), hash(made).await))
        }
    }
}
