//! Integration tests, in one binary.

mod architecture;
mod kinds;
mod reference;
mod rest;
mod support;
