//! The routes of both resources, with and without a trailing slash.

use std::sync::Arc;

use axum::Extension;
use axum::http::Method;
use serde_json::{Value, json};

use super::handlers;
use crate::http::context::Context;
use crate::http::route::Route;
use crate::resource::kind::{Kind, Kinds};

const KINDS: [&str; 2] = ["componenttype", "component"];

/// What this dialect serves in place of the generic routes of a kind.
pub fn owned(kind: &Kind) -> &'static [(Method, &'static str)] {
    const OWNED: &[(Method, &str)] = &[
        (Method::GET, ""),
        (Method::POST, ""),
        (Method::GET, "/{id}"),
        (Method::PUT, "/{id}"),
        (Method::DELETE, "/{id}"),
    ];
    if KINDS.contains(&&*kind.name) { OWNED } else { &[] }
}

/// Pages of any origin may read these, without credentials (decisions.md 19).
pub fn is_open_to_all_origins(path: &str) -> bool {
    ["/api/v1/componenttypes", "/api/v1/components"]
        .iter()
        .any(|base| path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// The routes. `?at=` on one document is answered by `revision` (decisions.md 15).
pub fn routes(kinds: &Kinds, revision: impl Fn(&Arc<Kind>) -> Route<Context>) -> Vec<Route<Context>> {
    let mut table = Vec::new();
    for name in KINDS {
        // A configuration may replace the kinds, not remove them.
        if let Some(kind) = kinds.by_name(name) {
            for slash in ["", "/"] {
                table.extend(
                    of(kind, slash, revision(kind))
                        .into_iter()
                        .map(|route| route.layered(Extension(kind.clone())).tag(&kind.plural)),
                );
            }
        }
    }
    table
}

fn of(kind: &Kind, slash: &str, revision: Route<Context>) -> Vec<Route<Context>> {
    let (name, plural) = (&*kind.name, &*kind.plural);
    let json = |schema: Value| [("application/json", schema)];
    let all = format!("/api/v1/{plural}{slash}");
    let one = format!("/api/v1/{plural}/{{id}}{slash}");
    let suffix = if slash.is_empty() { "" } else { "_slash" };
    let object = json!({ "type": "object", "properties": { name: { "type": "object" } } });
    let content = json!({ "$ref": format!("#/components/schemas/{name}") });
    let mut table = vec![
        listed(Route::new(Method::GET, &all, &format!("dci_list_{plural}{suffix}"), handlers::list))
            .summary(&format!("List {plural}"))
            .answer(200, "A page.", &json(json!({ "type": "object" })))
            .errors(&[400, 401]),
        Route::new(Method::POST, &all, &format!("dci_post_{name}{suffix}"), handlers::post)
            .summary(&format!("Make a {name}"))
            .body(&json(content.clone()))
            .answer(201, "The object; ETag is its etag, unquoted.", &json(object.clone()))
            .errors(&[400, 401, 409, 413, 503]),
        Route::new(Method::GET, &one, &format!("dci_get_{name}{suffix}"), handlers::get)
            .summary(&format!("One {name} by id or name"))
            .query("embed", json!({ "type": "string" }), "Links to resolve.")
            .query("at", json!({ "type": "string" }), "As of this commit: answered in the form of every other kind.")
            .with_parameter("at", revision)
            .answer(200, "The object; ETag is its etag, unquoted.", &json(object.clone()))
            .errors(&[400, 401, 404, 409]),
        Route::new(Method::DELETE, &one, &format!("dci_delete_{name}{suffix}"), handlers::delete)
            .summary(&format!("Delete a {name}"))
            .header("If-match", true, "The etag.")
            .empty(204, "Deleted.")
            .errors(&[401, 404, 409, 412, 503]),
    ];
    let put = Route::new(Method::PUT, &one, &format!("dci_put_{name}{suffix}"), handlers::put)
        .summary(&format!("Change a {name}; keys that are left out stay"))
        .header("If-match", true, "The etag.")
        .body(&json(content))
        .errors(&[400, 401, 404, 409, 412, 413, 503]);
    if name == "component" {
        table.push(put.answer(201, "The object as it is now.", &json(object)));
    } else {
        table.push(put.empty(204, "Changed; ETag is the new etag."));
        let of_type = format!("/api/v1/{plural}/{{id}}/components{slash}");
        table.push(
            listed(Route::new(
                Method::GET,
                of_type,
                &format!("dci_list_components_of_type{suffix}"),
                handlers::list_of_type,
            ))
            .summary("The components of one type")
            .answer(200, "A page.", &json(json!({ "type": "object" })))
            .errors(&[400, 401, 404, 409]),
        );
    }
    table
}

fn listed(route: Route<Context>) -> Route<Context> {
    let text = || json!({ "type": "string" });
    let whole = || json!({ "type": "integer", "minimum": 0 });
    route
        .query("where", text(), "field:value, comma separated; all must hold.")
        .query("sort", text(), "Fields, comma separated, - for descending.")
        .query("limit", whole(), "At most this many, by default 20, at most 1000.")
        .query("offset", whole(), "Leave out this many first.")
        .query("embed", text(), "Links to resolve.")
}
