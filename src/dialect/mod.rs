//! One folder per API. A dialect has its own paths, wire types, query syntax and error spelling
//! over the same engine, and never uses another dialect.

pub mod dci;
pub mod dmp;
pub mod editor;
pub mod rest;
