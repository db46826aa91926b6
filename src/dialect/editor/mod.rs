//! The SONATA editor's backend (contracts/editor.md): thin routes over workspaces, projects and
//! descriptors as files. Every handler stands behind the [`gate`]; every change is one commit.

mod answer;
mod catalogue;
mod check;
mod config;
mod descriptors;
mod fault;
mod fields;
mod gate;
mod git;
mod graph;
mod log;
mod login;
mod neighbours;
mod outward;
mod package;
mod projects;
mod routes;
mod schemas;
mod servers;
mod sonata;
mod template;
mod topology;
mod user;
mod views;
mod workspaces;

pub use login::{complete, start};
pub use routes::routes;
