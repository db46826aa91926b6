//! The command line and the process: the real binary, beside a running server and without one.

mod check;
mod config;
mod import;
mod kill;
pub(crate) mod process;
mod serve;
mod users;
