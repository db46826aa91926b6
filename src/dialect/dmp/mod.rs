//! The ACTION DMP tool's server: so far its logins (contracts/dmp.md 1.2, 1.3).

mod fault;
mod login;
mod routes;

pub use login::login;
pub use routes::{is_open_to_all_origins, routes};
