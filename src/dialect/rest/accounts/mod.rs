//! Accounts, and everything that says who may do what.

mod audit;
mod groups;
mod members;
mod routes;
mod session;
mod tokens;
mod users;

use std::sync::Arc;

use crate::engine::Error;
use crate::resource::actor::{Account, Actor, Scope};

pub(super) use routes::routes;

/// The caller's account, when their credential lets them manage it.
fn own(actor: &Actor) -> Result<&Arc<Account>, Error> {
    match actor {
        Actor::Account(account, Scope::Admin) => Ok(account),
        Actor::Account(..) => {
            Err(Error::Denied("this needs a password, a session or a token of the scope admin".into()))
        }
        Actor::Anonymous | Actor::System => Err(Error::LoginNeeded),
    }
}

/// Refuses everybody but administrators of the server.
fn administrator(actor: &Actor) -> Result<(), Error> {
    if actor.is_admin() { Ok(()) } else { Err(Error::Denied("only administrators of the server may do that".into())) }
}
