//! From a credential to an actor.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use tokio::sync::Mutex;
use tower_sessions::Session;
use tower_sessions::session::Id;

use super::credential::{Credential, address, credential, refuse_forged};
use super::password::Passwords;
use super::rate::Rates;
use super::remembered::{Known, Mark, Remembered};
use super::session::{self, Sessions};
use super::signed::{Claims, Lifetimes, Pair, Signer};
use super::throttle::Throttle;
use super::{Keys, Refusal, token};
use crate::base::clock;
use crate::config::Live;
use crate::resource::actor::{Account, Actor, Scope};
use crate::state::State;
use crate::state::audit::Event;

/// Turns credentials into actors.
pub struct Authenticator {
    pub(super) state: State,
    config: Arc<Live>,
    passwords: Passwords,
    signer: Signer,
    sessions: Sessions,
    remembered: Remembered,
    throttle: Throttle,
    rates: Rates,
    /// One verification at a time per account: many wrong passwords at once are counted one after
    /// another, and of many right ones only the first is verified.
    turns: [Mutex<()>; TURNS],
}

const TURNS: usize = 64;

impl Authenticator {
    pub fn new(state: State, config: Arc<Live>, keys: &Keys) -> Self {
        Authenticator {
            passwords: Passwords::new(state.clone()),
            signer: Signer::new(&keys.tokens),
            sessions: Sessions::new(state.clone()),
            remembered: Remembered::new(),
            throttle: Throttle::default(),
            rates: Rates::new(&config.get().limits),
            turns: std::array::from_fn(|_| Mutex::new(())),
            state,
            config,
        }
    }

    /// Some account, credential or rule changed: credentials are looked at afresh.
    pub fn forget(&self) {
        self.remembered.forget();
    }

    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Where a request comes from.
    pub fn address(&self, parts: &Parts) -> Option<IpAddr> {
        address(parts, &self.config.get())
    }

    /// Refuses an address that asks too often.
    pub fn admit(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        match address.and_then(|address| self.rates.address(address)) {
            Some(wait) => Err(Refusal::Limited(wait)),
            None => Ok(()),
        }
    }

    /// An account's credentials changed.
    pub fn forget_account(&self, id: i64) {
        self.remembered.forget_account(id);
    }

    /// Reads the request's credential; none is [`Actor::Anonymous`].
    pub async fn authenticate(&self, parts: &Parts) -> Result<Actor, Refusal> {
        let known = match parts.headers.get(AUTHORIZATION) {
            // As bytes: decoding what was verified a short while ago costs more than finding it.
            Some(header) => {
                let mark = self.remembered.mark(&[b"header", header.as_bytes()]);
                match self.remembered.get(&mark) {
                    Some(known) => Some(known),
                    None => self.by_header(parts).await?,
                }
            }
            None => match credential(&parts.headers)? {
                Some(Credential::Session(id)) => self.by_session(id).await?,
                _ => None,
            },
        };
        // Without a credential, or with a cookie of a session that ended or never was.
        let Some(known) = known else { return Ok(Actor::Anonymous) };
        refuse_forged(parts, &self.config)?;
        match self.rates.account(known.account.id) {
            Some(wait) => Err(Refusal::Limited(wait)),
            None => Ok(Actor::Account(known.account, known.scope)),
        }
    }

    async fn by_header(&self, parts: &Parts) -> Result<Option<Known>, Refusal> {
        let from = self.address(parts);
        let Some(given) = credential(&parts.headers)? else { return Ok(None) };
        // However it is spelled: blanks and case make no new credential.
        let Some(canonical) = given.header() else { return Ok(None) };
        let mark = self.remembered.mark(&[b"header", canonical.as_bytes()]);
        if let Some(known) = self.remembered.get(&mark) {
            return Ok(Some(known));
        }
        Ok(Some(match given {
            Credential::Basic { name, password } if token::is_token(&password) => {
                self.by_token(mark, Some(&name), &password, from).await?
            }
            Credential::Basic { name, password } => self.by_password(mark, &name, &password, from).await?,
            Credential::Bearer(text) if token::is_token(&text) => self.by_token(mark, None, &text, from).await?,
            Credential::Bearer(text) => self.by_signed(mark, &text).await?,
            Credential::Session(_) => return Ok(None),
        }))
    }

    /// The account of a name and its password. A token is refused: what it is good for would be lost.
    pub async fn login(&self, name: &str, password: &str, from: Option<IpAddr>) -> Result<Arc<Account>, Refusal> {
        if token::is_token(password) {
            return Err(Refusal::Wrong);
        }
        let mark = self.remembered.mark(&[b"login", name.as_bytes(), password.as_bytes()]);
        Ok(self.by_password(mark, name, password, from).await?.account)
    }

    /// As [`Authenticator::login`], of the request's Basic credentials; `None` without such.
    pub async fn login_by_basic(&self, parts: &Parts) -> Result<Option<Arc<Account>>, Refusal> {
        match credential(&parts.headers)? {
            Some(Credential::Basic { name, password }) => {
                self.login(&name, &password, self.address(parts)).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn by_password(
        &self,
        mark: Mark,
        name: &str,
        password: &str,
        from: Option<IpAddr>,
    ) -> Result<Known, Refusal> {
        if let Some(known) = self.remembered.get(&mark) {
            return Ok(known);
        }
        let _turn = self.turns[turn(name)].lock().await;
        // Requests that come together carry the same credentials: the first verifies for all.
        if let Some(known) = self.remembered.get(&mark) {
            return Ok(known);
        }
        self.throttled(Some(name), from)?;
        let era = self.remembered.era();
        match self.passwords.verify(name, password).await? {
            Some(account) => {
                self.refuse_unlisted(&account).await?;
                self.throttle.succeeded(name);
                self.note("login.password", Some(&account.name), None, from, None).await;
                let known = Known { account: Arc::new(account), scope: Scope::Admin };
                self.remembered.put(mark, known.clone(), None, era);
                Ok(known)
            }
            None => {
                self.throttle.failed(Some(name), from);
                self.note("login.failed", Some(name), None, from, Some("unknown account or wrong password")).await;
                Err(Refusal::Wrong)
            }
        }
    }

    /// The account of an access token; `name`, where one is given with it, has to be the account's.
    async fn by_token(
        &self,
        mark: Mark,
        name: Option<&str>,
        text: &str,
        from: Option<IpAddr>,
    ) -> Result<Known, Refusal> {
        let name = name.filter(|name| !name.is_empty());
        // Only the address counts: nobody guesses a token, and wrong ones under a name must not keep
        // its owner's right one out.
        self.throttled(None, from)?;
        let era = self.remembered.era();
        let now = clock::now();
        let found = self.state.token_of(&token::digest(text)).await?;
        let refusal = match found {
            Some((account, ..)) if name.is_some_and(|name| !name.eq_ignore_ascii_case(&account.name)) => Refusal::Wrong,
            Some((_, token, _)) if token.expires_at.is_some_and(|at| at <= now) => Refusal::Expired,
            Some((account, token, is_noted)) => {
                self.refuse_unlisted(&account).await?;
                if is_noted {
                    self.note("token.used", Some(&account.name), Some(&token.name), from, None).await;
                }
                let known = Known { account: Arc::new(account), scope: token.scope };
                self.remembered.put(mark, known.clone(), token.expires_at.map(|at| at - now), era);
                return Ok(known);
            }
            None => Refusal::Wrong,
        };
        self.throttle.failed(None, from);
        self.note("login.failed", name, None, from, Some("unknown, foreign or expired token")).await;
        Err(refusal)
    }

    async fn by_signed(&self, mark: Mark, text: &str) -> Result<Known, Refusal> {
        let era = self.remembered.era();
        let (account, claims) = self.signer.account(&self.state, text).await?;
        self.refuse_unlisted(&account).await?;
        let known = Known { account: Arc::new(account), scope: Scope::Admin };
        self.remembered.put(mark, known.clone(), Some(claims.exp - clock::now()), era);
        Ok(known)
    }

    /// Makes a browser's session that of an account, who came by a provider and subject or by a
    /// password. The id that the browser had before is good no more.
    pub async fn begin(
        &self,
        session: &Session,
        account: &Account,
        via: Option<(String, String)>,
    ) -> Result<(), tower_sessions::session::Error> {
        let old = session.id();
        session::begin(session, account, via).await?;
        self.forget_session(old);
        Ok(())
    }

    /// Ends a browser's session.
    pub async fn end_session(&self, session: &Session) -> Result<(), tower_sessions::session::Error> {
        let old = session.id();
        session.flush().await?;
        self.forget_session(old);
        Ok(())
    }

    fn forget_session(&self, id: Option<Id>) {
        if let Some(id) = id {
            self.remembered.forget_one(&self.session_mark(id));
        }
    }

    fn session_mark(&self, id: Id) -> Mark {
        self.remembered.mark(&[b"session", &id.0.to_le_bytes()])
    }

    async fn by_session(&self, id: Id) -> Result<Option<Known>, Refusal> {
        let mark = self.session_mark(id);
        if let Some(known) = self.remembered.get(&mark) {
            return Ok(Some(known));
        }
        let era = self.remembered.era();
        let opened = self.sessions.open(id).await.map_err(|error| {
            tracing::error!(%error, "opening a session");
            Refusal::Unavailable
        })?;
        let Some(opened) = opened else { return Ok(None) };
        if let Some((provider, subject)) = opened.via {
            let identities = self.state.identities(opened.account).await?;
            let known = identities.into_iter().find(|known| known.provider == provider && known.subject == subject);
            // An identity that is unlinked lets nobody in any more.
            let Some(identity) = known else { return Ok(None) };
            if !self.config.get().lists(&provider, &identity.login) {
                return Err(Refusal::Unlisted(identity.login));
            }
        }
        let account = self.state.account_by_id(opened.account).await?;
        // One that began while the password changed is of the old one.
        let Some(account) = account.filter(|account| account.epoch == opened.epoch) else { return Ok(None) };
        self.refuse_unlisted(&account).await?;
        let known = Known { account: Arc::new(account), scope: Scope::Admin };
        self.remembered.put(mark, known.clone(), Some(opened.until - clock::now()), era);
        Ok(Some(known))
    }

    /// Accounts that came from a provider are good, by whatever credential, as long as the
    /// provider's list has them.
    async fn refuse_unlisted(&self, account: &Account) -> Result<(), Refusal> {
        if !account.from_provider {
            return Ok(());
        }
        let config = self.config.get();
        let identities = self.state.identities(account.id).await?;
        match identities.first() {
            Some(first) if !identities.iter().any(|known| config.lists(&known.provider, &known.login)) => {
                Err(Refusal::Unlisted(first.login.clone()))
            }
            _ => Ok(()),
        }
    }

    /// New signed tokens for an account.
    pub async fn sign(&self, account: &Account) -> Result<Pair, Refusal> {
        Ok(self.signer.login(&self.state, account, self.lifetimes()).await?)
    }

    /// Whose signed access token this is, and what it says.
    pub async fn signed(&self, token: &str) -> Result<(Account, Claims), Refusal> {
        self.signer.account(&self.state, token).await
    }

    /// New signed tokens for a refresh token.
    pub async fn refresh(&self, token: &str, from: Option<IpAddr>) -> Result<Pair, Refusal> {
        let refreshed = self.signer.refresh(&self.state, token, self.lifetimes()).await;
        if let Err(Refusal::Reused(account)) = refreshed {
            self.forget_account(account);
            self.note("login.failed", None, None, from, Some("a refresh token was used twice: its login was ended"))
                .await;
        }
        Ok(refreshed?.1)
    }

    /// Ends a login by signed tokens.
    pub async fn end(&self, claims: &Claims) -> Result<(), Refusal> {
        if let Some(account) = self.state.delete_login(&claims.family).await? {
            self.forget_account(account);
        }
        Ok(())
    }

    fn lifetimes(&self) -> Lifetimes {
        let config = self.config.get();
        let authentication = &config.authentication;
        Lifetimes { access: authentication.access_lifetime, refresh: authentication.refresh_lifetime }
    }

    /// Refuses an address from which too many logins failed at a provider.
    pub fn admit_login(&self, from: Option<IpAddr>) -> Result<(), Refusal> {
        self.throttled(None, from)
    }

    /// Counts a login that failed at a provider.
    pub fn login_failed(&self, from: Option<IpAddr>) {
        self.throttle.failed(None, from);
    }

    fn throttled(&self, name: Option<&str>, from: Option<IpAddr>) -> Result<(), Refusal> {
        self.throttle.wait(name, from).map_or(Ok(()), |wait| Err(Refusal::Throttled(wait)))
    }

    /// Writes the audit log. What cannot be noted is logged and goes on.
    pub async fn note(
        &self,
        action: &str,
        actor: Option<&str>,
        subject: Option<&str>,
        from: Option<IpAddr>,
        detail: Option<&str>,
    ) {
        let event = Event {
            id: 0,
            actor: actor.map(shortened),
            action: action.to_owned(),
            subject: subject.map(shortened),
            address: from.map(|address| address.to_string()),
            detail: detail.map(str::to_owned),
        };
        if let Err(error) = self.state.note(event).await {
            tracing::error!(error = &error as &dyn std::error::Error, action, "writing the audit log");
        }
    }
}

/// What somebody claims to be called may be anything.
fn shortened(name: &str) -> String {
    name.chars().take(200).collect()
}

/// Which of the turns an account's name takes.
fn turn(name: &str) -> usize {
    name.bytes().fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte.to_ascii_lowercase())))
        % TURNS
}
