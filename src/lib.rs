//! workleaf: YAML and JSON documents in git workspaces, one REST API, one index.
//!
//! The modules below are in reading order, inner layers first.

pub mod base;
pub mod config;

pub mod outside;
pub mod resource;

pub mod index;
pub mod state;
pub mod store;

pub mod engine;

pub mod auth;
pub mod github;

pub mod http;

pub mod dialect;
pub mod git_http;

pub mod kinds;

pub mod app;
pub mod control;
pub mod server;

pub mod cli;
