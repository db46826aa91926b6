//! The extractors: every handler that touches data takes one.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use tokio::sync::Mutex;

use super::password::Passwords;
use super::throttle::Throttle;
use crate::resource::actor::Actor;
use crate::state::State;

/// Why credentials were not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// None were given where some are needed.
    Missing,
    /// Not of a form that this server reads.
    Malformed,
    /// Unknown account or wrong password, indistinguishably.
    Wrong,
    /// Too many failures: try again after this.
    Throttled(Duration),
    Unavailable,
}

/// Turns credentials into actors.
pub struct Authenticator {
    passwords: Passwords,
    throttle: Throttle,
    /// One verification at a time per account: many wrong passwords at once are counted one after
    /// another, and of many right ones only the first is verified.
    turns: [Mutex<()>; TURNS],
}

const TURNS: usize = 64;

impl Authenticator {
    pub fn new(state: State) -> Self {
        Authenticator {
            passwords: Passwords::new(state),
            throttle: Throttle::default(),
            turns: std::array::from_fn(|_| Mutex::new(())),
        }
    }

    /// Some account changed: credentials are looked at afresh.
    pub fn forget(&self) {
        self.passwords.forget();
    }

    /// Reads the `Authorization` header; none is [`Actor::Anonymous`].
    async fn authenticate(&self, parts: &Parts) -> Result<Actor, Refusal> {
        let Some(header) = parts.headers.get(AUTHORIZATION) else { return Ok(Actor::Anonymous) };
        if let Some(account) = self.passwords.remembered(header.as_bytes()) {
            return Ok(Actor::Account(account));
        }
        let (name, password) = header.to_str().ok().and_then(basic).ok_or(Refusal::Malformed)?;
        let _turn = self.turns[turn(&name)].lock().await;
        if let Some(account) = self.passwords.remembered(header.as_bytes()) {
            return Ok(Actor::Account(account));
        }
        let address = address(parts);
        if let Some(wait) = self.throttle.wait(&name, address) {
            return Err(Refusal::Throttled(wait));
        }
        match self.passwords.verify(header.as_bytes(), &name, &password).await {
            Ok(Some(account)) => {
                self.throttle.succeeded(&name);
                Ok(Actor::Account(account))
            }
            Ok(None) => {
                self.throttle.failed(&name, address);
                Err(Refusal::Wrong)
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "looking up an account");
                Err(Refusal::Unavailable)
            }
        }
    }
}

/// Which of the turns an account's name takes.
fn turn(name: &str) -> usize {
    name.bytes().fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte.to_ascii_lowercase())))
        % TURNS
}

fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}

/// Reads `Basic base64(name:password)` (RFC 7617, UTF-8).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

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
        if !matches!(found, Ok(Actor::Account(_))) {
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
