//! What every handler works with.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::auth::Authenticator;
use crate::engine::Engine;

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Shared>);

/// What a [`Context`] holds.
pub struct Shared {
    pub engine: Arc<Engine>,
    pub authenticator: Arc<Authenticator>,
    /// What clients call this server, without a trailing slash; empty: the request's host.
    pub public_url: String,
    /// Largest body in bytes.
    pub body_limit: usize,
    /// Most changes of one commit.
    pub change_limit: usize,
}

impl Context {
    pub fn new(shared: Shared) -> Self {
        Context(Arc::new(shared))
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
