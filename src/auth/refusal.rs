//! Why credentials were not taken.

use std::time::Duration;

use crate::state;

/// Dialects spell each in their own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// None were given where some are needed.
    Missing,
    /// Not of a form that this server reads, or not made by it.
    Malformed,
    /// Unknown account, wrong password or unknown token, indistinguishably.
    Wrong,
    /// A token whose time is over.
    Expired,
    /// A signed token whose login was ended.
    Revoked,
    /// A refresh token that had been used before, which ended the login; the account's id.
    Reused(i64),
    /// A refresh token for access, or the reverse.
    WrongUse,
    /// Another site's page made the browser send it.
    Foreign,
    /// A login that the provider's list of users does not hold (any more).
    Unlisted(String),
    /// Too many failures: try again after this.
    Throttled(Duration),
    /// Too many requests: try again after this.
    Limited(Duration),
    Unavailable,
}

impl From<state::Error> for Refusal {
    fn from(error: state::Error) -> Self {
        if matches!(error, state::Error::Changed) {
            return Refusal::Revoked;
        }
        tracing::error!(error = &error as &dyn std::error::Error, "checking credentials");
        Refusal::Unavailable
    }
}
