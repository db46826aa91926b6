//! What every handler works with.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::auth::{Accounts, Authenticator, Keys};
use crate::config::{Config, Live};
use crate::engine::Engine;
use crate::outside;
use crate::state::State;

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Shared>);

/// What a [`Context`] holds.
pub struct Shared {
    pub engine: Arc<Engine>,
    pub authenticator: Arc<Authenticator>,
    pub accounts: Accounts,
    pub keys: Keys,
    pub state: State,
    pub live: Arc<Live>,
    /// For calls to servers that the configuration names: bounded in time, follows no redirects.
    pub client: reqwest::Client,
    /// For calls to servers that users name.
    pub outside: outside::Client,
}

impl Context {
    pub fn new(shared: Shared) -> Self {
        Context(Arc::new(shared))
    }

    /// The configuration as it is now.
    pub fn config(&self) -> Arc<Config> {
        self.0.live.get()
    }
}

impl std::ops::Deref for Context {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl FromRef<Context> for Arc<Authenticator> {
    fn from_ref(context: &Context) -> Self {
        context.authenticator.clone()
    }
}
