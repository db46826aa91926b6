//! GitHub, and one more OAuth 2 provider of the operator's choice: who somebody is there.

mod person;
mod provider;

pub use person::Person;
pub use provider::{Error, Provider};
