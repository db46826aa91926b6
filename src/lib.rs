//! workleaf: YAML and JSON documents in git workspaces, one REST API, one index.
//!
//! The modules below are in reading order, inner layers first.

pub mod base;

pub mod resource;

pub mod index;
pub mod store;
