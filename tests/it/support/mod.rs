//! What the tests of the whole product share: a server on a temporary directory that is called
//! in-process, git for what is on disk, a stand-in for GitHub, a browser, and one filter for
//! what differs from run to run.

mod app;
pub(crate) mod chromium;
mod client;
pub(crate) mod git;
pub(crate) mod github;
pub(crate) mod local;
mod redact;
pub(crate) mod tls;

pub(crate) use app::{PASSWORD, TestApp, basic};
pub(crate) use client::{Answer, Body, Client, raw, typed, yaml};
