//! The REST API, one file per topic.

mod concurrency;
mod content;
mod documents;
mod errors;
mod files;
mod hostile;
mod identity;
mod links;
mod openapi;
mod own_kind;
mod query;
mod revisions;
mod samples;
mod workspaces;
mod writes;
