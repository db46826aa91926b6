//! Who is asking.

use std::sync::Arc;

/// The caller, after authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Anonymous,
    /// Somebody who is logged in, and how much of what they may do their credential lets them.
    Account(Arc<Account>, Scope),
    /// The server itself and the command line beside it.
    System,
}

/// What a credential is good for; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reading what the account may read.
    Read,
    /// Changing files too, and making workspaces.
    Write,
    /// Everything: a password, a session, or a token that was made so.
    Admin,
}

/// What somebody may do in a workspace; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Reader,
    Writer,
    /// Says who else may, and may delete the workspace.
    Admin,
}

impl Scope {
    pub fn name(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Scope::Read, Scope::Write, Scope::Admin].into_iter().find(|scope| scope.name() == text)
    }

    /// The most that it allows in a workspace.
    pub fn role(self) -> Role {
        match self {
            Scope::Read => Role::Reader,
            Scope::Write => Role::Writer,
            Scope::Admin => Role::Admin,
        }
    }
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Writer => "writer",
            Role::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Role::Reader, Role::Writer, Role::Admin].into_iter().find(|role| role.name() == text)
    }
}

/// Someone who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    /// Server administrators see and manage everything.
    pub is_admin: bool,
    /// Counts changes of the password: what was verified before a change makes nothing after it.
    pub epoch: i64,
    /// Made by a login at a provider: good as long as the provider's list of users has them.
    pub from_provider: bool,
}

impl Actor {
    pub fn name(&self) -> Option<&str> {
        match self {
            Actor::Anonymous => None,
            Actor::Account(account, _) => Some(&account.name),
            Actor::System => Some("workleaf"),
        }
    }

    /// Whether the server is theirs to manage.
    pub fn is_admin(&self) -> bool {
        match self {
            Actor::Anonymous => false,
            Actor::Account(account, scope) => account.is_admin && *scope == Scope::Admin,
            Actor::System => true,
        }
    }

    /// What their credential is good for; `None` without one.
    pub fn scope(&self) -> Option<Scope> {
        match self {
            Actor::Anonymous => None,
            Actor::Account(_, scope) => Some(*scope),
            Actor::System => Some(Scope::Admin),
        }
    }

    /// Name and address for git's author line.
    pub fn signature(&self) -> Author {
        match self {
            Actor::Account(account, _) => Author {
                name: account.name.clone(),
                email: account.email.clone().unwrap_or_else(|| format!("{}@workleaf.invalid", account.name)),
            },
            Actor::System | Actor::Anonymous => {
                Author { name: "workleaf".into(), email: "workleaf@workleaf.invalid".into() }
            }
        }
    }
}

/// Who a commit names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub name: String,
    pub email: String,
}
