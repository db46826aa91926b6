//! GitHub, and one more OAuth 2 provider of the operator's choice: who somebody is there, and their
//! repositories at GitHub.

mod person;
mod provider;
mod repositories;

pub use person::Person;
pub use provider::{Error, Provider};
pub use repositories::{GitHub, RepositoryError};
