//! `/api/v1`: workspaces, their files, and documents of every kind.

mod accounts;
mod cursor;
mod documents;
mod files;
mod kinds;
mod query;
mod remote;
mod revisions;
mod routes;
mod wire;
mod workspaces;
mod writes;

pub use routes::{document_route, kind_routes, routes};
