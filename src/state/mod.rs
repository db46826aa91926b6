//! What must survive a restart and is nobody's file, in SQL: accounts and their credentials,
//! groups, who may do what where, what happened. Statements stay portable between SQLite and
//! PostgreSQL (decisions.md 32). Ids are made here, times are seconds since 1970.

pub mod accounts;
pub mod audit;
mod database;
pub mod groups;
pub mod identities;
pub mod logins;
pub mod members;
pub mod servers;
pub mod sessions;
pub mod tokens;

pub use database::{Error, State};
