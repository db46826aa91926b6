//! What must survive a restart and is nobody's file, in SQL: accounts now; tokens, sessions and
//! tasks as they come. Statements stay portable between SQLite and PostgreSQL (decisions.md 32).

pub mod accounts;
mod database;

pub use database::{Error, State};
