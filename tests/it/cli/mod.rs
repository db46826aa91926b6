//! The command line and the process: the real binary, beside a running server and without one.

mod check;
mod config;
mod import;
mod kill;
mod limits;
mod process;
mod serve;
mod users;
