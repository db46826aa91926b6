//! The editor's routes, each with its documentation.

mod access;
mod sonata;

use serde_json::{Value, json};

use super::{catalogue, descriptors, git, outward, views};
use crate::http::context::Context;
use crate::http::route::Route;

const JSON: &str = "application/json";

/// The routes but `GET /login`, which the server shares out (decisions.md 14).
pub fn routes() -> Vec<Route<Context>> {
    let table =
        [access::routes(), sonata::routes(), descriptors::routes(), views::routes(), outward::routes(), git::routes()];
    let editor = table.into_iter().flatten().map(|route| route.tag("editor"));
    editor.chain(catalogue::routes()).collect()
}

fn object() -> [(&'static str, Value); 1] {
    [(JSON, json!({ "type": "object" }))]
}

fn array() -> [(&'static str, Value); 1] {
    [(JSON, json!({ "type": "array", "items": { "type": "object" } }))]
}
