//! Other servers, called on behalf of users: which may be called, and within which limits.
//!
//! A user names the address, so the address must not lead to what only this machine can reach.

mod address;
mod client;
mod policy;

pub use client::{Answer, Body, Client, Error, Request, SetupError};
pub use policy::{Policy, Purpose, Refused, Target};
pub use reqwest::Method;
