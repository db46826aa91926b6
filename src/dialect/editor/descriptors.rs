//! Descriptors of functions and services: identity, places, references (contracts/editor.md 1.7,
//! 1.10). What is in these files is the same for both; what differs is in the handlers beside them.

pub(super) mod functions;
pub(super) mod images;
pub(super) mod lookup;
pub(super) mod meta;
pub(super) mod private;
mod references;
mod rename;
mod routes;
pub(super) mod services;
pub(super) mod shelf;
pub(super) mod triple;
mod validity;

pub(super) use routes::routes;
