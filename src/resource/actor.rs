//! Who is asking.

use std::sync::Arc;

/// The caller, after authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Anonymous,
    Account(Arc<Account>),
    /// The server itself and the command line beside it.
    System,
}

/// Someone who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    /// Server administrators see and manage everything.
    pub is_admin: bool,
}

impl Actor {
    pub fn name(&self) -> Option<&str> {
        match self {
            Actor::Anonymous => None,
            Actor::Account(account) => Some(&account.name),
            Actor::System => Some("workleaf"),
        }
    }

    pub fn is_admin(&self) -> bool {
        match self {
            Actor::Anonymous => false,
            Actor::Account(account) => account.is_admin,
            Actor::System => true,
        }
    }

    /// Name and address for git's author line.
    pub fn signature(&self) -> Author {
        match self {
            Actor::Account(account) => Author {
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
