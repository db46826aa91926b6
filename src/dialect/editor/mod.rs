//! The SONATA editor's backend: so far logging in by GitHub, who one is, and the configuration
//! (contracts/editor.md 1.4, 1.12).

mod config;
mod fault;
mod login;
mod routes;
mod user;

pub use login::{complete, start};
pub use routes::routes;
