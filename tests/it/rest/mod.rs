//! The REST API, one file per topic.

mod bounds;
mod commits;
mod concurrency;
mod conditions;
mod content;
mod documents;
mod errors;
mod files;
mod hostile;
mod identity;
mod ids;
mod links;
mod openapi;
mod own_kind;
mod pages;
mod places;
mod query;
mod renames;
mod revisions;
mod samples;
mod words;
mod workspaces;
mod writes;
