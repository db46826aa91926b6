//! The extractors: every handler that touches data takes one.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use super::{Authenticator, Refusal};
use crate::resource::actor::Actor;

/// Marks a request whose caller is nobody: its body is not read, for nothing will come of it.
#[derive(Debug, Clone, Copy)]
pub struct Unwelcome;

/// Whoever is asking, or why their credentials were refused. Dialects spell the refusal.
pub struct Caller(pub Result<Actor, Refusal>);

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Arc<Authenticator>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let found = Arc::<Authenticator>::from_ref(state).authenticate(parts).await;
        if !matches!(found, Ok(Actor::Account(..))) {
            parts.extensions.insert(Unwelcome);
        }
        Ok(Caller(found))
    }
}

/// As [`Caller`], but anonymous callers are refused too.
pub struct Required(pub Result<Actor, Refusal>);

impl<S> FromRequestParts<S> for Required
where
    S: Send + Sync,
    Arc<Authenticator>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Ok(Caller(found)) = Caller::from_request_parts(parts, state).await;
        Ok(Required(match found {
            Ok(Actor::Anonymous) => Err(Refusal::Missing),
            found => found,
        }))
    }
}

/// Where the request comes from.
pub struct Address(pub Option<IpAddr>);

impl<S> FromRequestParts<S> for Address
where
    S: Send + Sync,
    Arc<Authenticator>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Address(Arc::<Authenticator>::from_ref(state).address(parts)))
    }
}
