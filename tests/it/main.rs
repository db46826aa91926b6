//! Integration tests, in one binary.

mod access;
mod architecture;
mod cli;
mod dci;
mod git;
mod kinds;
mod reference;
mod rest;
mod support;
