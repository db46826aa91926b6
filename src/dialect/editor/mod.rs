//! The SONATA editor's backend (contracts/editor.md): thin routes over workspaces, projects and
//! descriptors as files. Every handler stands behind the [`gate`]; every change is one commit.

mod answer;
mod config;
mod fault;
mod fields;
mod gate;
mod log;
mod login;
mod projects;
mod routes;
mod schemas;
mod servers;
mod sonata;
mod template;
mod user;
mod workspaces;

pub use login::{complete, start};
pub use routes::routes;
