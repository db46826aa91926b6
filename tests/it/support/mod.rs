//! What the tests of the whole product share: a server on a temporary directory that is called
//! in-process, git for what is on disk, and one filter for what differs from run to run.

mod app;
mod client;
pub(crate) mod git;
mod redact;

pub(crate) use app::{PASSWORD, TestApp, basic};
pub(crate) use client::{Answer, Body, Client, raw, typed, yaml};
