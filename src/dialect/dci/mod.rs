//! Component types and components as the Distributed CI control server served them: flat objects,
//! unquoted etags, its texts of errors. What the original's versions disagree on is decided in
//! `routes.rs`, next to the route.

mod body;
mod fault;
mod handlers;
mod query;
mod routes;
mod wire;

pub use routes::{is_open_to_all_origins, owned, routes};
