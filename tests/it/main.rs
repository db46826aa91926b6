//! Integration tests, in one binary.

mod access;
mod architecture;
mod cli;
mod dci;
mod disk;
mod editor;
mod git;
mod kinds;
mod login;
mod reference;
mod rest;
mod support;
