//! The REST API, one file per topic.

mod workspaces;
