//! Clone, fetch and push with any git client, under `/git/OWNER/NAME.git` (git's "smart HTTP").
//!
//! What is constant or cheap is answered here: the capabilities and the list of refs of protocol 2,
//! what a push is told first, and the push itself but for its pack. Packs are made and read by the
//! installed git ([`process`]), which never sees more of the machine than one repository.
//!
//! A push ([`push`]) lands in a folder of its own, is looked at there, and is taken in the turn of
//! the workspace's writer. No program of a push runs at that moment and no byte of the client is
//! waited for, so nobody holds the writer up. There are no hooks.

mod advertise;
mod commands;
mod fetch;
mod input;
mod packet;
mod process;
mod push;
mod routes;
mod service;
mod turns;

pub use process::Git;
pub use routes::routes;
