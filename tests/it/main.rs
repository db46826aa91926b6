//! Integration tests, in one binary.

mod kinds;
mod reference;
mod rest;
mod support;
