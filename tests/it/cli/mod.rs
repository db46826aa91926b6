//! The command line and the process: the real binary, beside a running server and without one.

mod backup;
mod check;
mod config;
mod import;
mod kill;
mod limits;
mod manage;
pub(crate) mod process;
mod serve;
mod users;
