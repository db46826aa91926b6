//! Commands that change the data directory: run here when nobody serves it, by the server that
//! does over a socket otherwise (decisions.md 2). One writer, always.

mod address;
mod backup;
mod client;
mod execute;
mod import;
mod protocol;
mod server;

pub use backup::restore;
pub use client::{Source, run};
pub use protocol::{Command, Effect, ImportedFile, ListedToken, Report};
pub use server::{Commands, listen};
