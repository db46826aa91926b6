//! The routes of folders that are linked to a repository elsewhere.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use serde_json::{Value, json};

use crate::dialect::rest::routes::new;
use crate::http::context::Context;
use crate::http::route::Route;
use crate::resource::kind::Kind;

const JSON: &str = "application/json";
/// What calls to other servers end in when they do not end well.
const CALLS: [u16; 9] = [400, 401, 403, 404, 409, 413, 415, 502, 503];
const READS: [u16; 5] = [400, 401, 403, 404, 409];

fn object() -> Value {
    json!({ "type": "object" })
}

/// A body of one member.
fn member(name: &str, schema: Value) -> [(&'static str, Value); 1] {
    let properties = json!({ name: schema });
    [(JSON, json!({ "type": "object", "required": [name], "additionalProperties": false, "properties": properties }))]
}

/// A new document's route makes it of a repository, too.
pub(in crate::dialect::rest) fn cloning(route: Route<Context>, kind: &Arc<Kind>) -> Route<Context> {
    if route.method != Method::POST || route.path != format!("/api/v1/{}", kind.plural) {
        return route;
    }
    let cloned = new(kind, Method::POST, "", "clone", super::post_clone);
    let about = "The address of a git repository that has the document at its top: its files become the folder. No \
                 body.";
    route.with_parameter("clone", cloned).query("clone", json!({ "type": "string" }), about)
}

pub(in crate::dialect::rest) fn routes(kind: &Arc<Kind>) -> Vec<Route<Context>> {
    let answer = [(JSON, object())];
    let text = json!({ "type": "string" });
    vec![
        one(kind, Method::GET, "", "get_remote", super::get_remote)
            .summary("The repository that the folder is linked to, and what differs from the newest published commit")
            .query("refresh", json!({ "type": "boolean" }), "Ask the repository first; for writers.")
            .answer(200, "Address, commits, changes, and what git says.", &answer)
            .errors(&READS),
        one(kind, Method::PUT, "", "put_remote", super::put_remote)
            .summary("Link the folder to a repository")
            .body(&member("url", json!({ "type": ["string", "null"] })))
            .answer(200, "As linked.", &answer)
            .errors(&CALLS),
        one(kind, Method::DELETE, "", "delete_remote", super::delete_remote)
            .summary("Unlink the folder, which stays as it is; its published history goes")
            .empty(204, "Unlinked.")
            .errors(&[400, 401, 403, 404, 409, 503]),
        one(kind, Method::GET, "/diff", "get_remote_diff", super::get_remote_diff)
            .summary("What differs from the newest published commit")
            .answer(200, "Unified text.", &[(JSON, object()), ("text/x-diff", text.clone())])
            .errors(&READS),
        one(kind, Method::POST, "/commit", "post_remote_commit", super::post_remote_commit)
            .summary("Publish the folder as it is, here")
            .body(&member("message", text))
            .answer(200, "The commit; its id is null where nothing differs.", &answer)
            .errors(&CALLS),
        one(kind, Method::POST, "/push", "post_remote_push", super::post_remote_push)
            .summary("Send what is published to the repository")
            .answer(200, "What git says.", &answer)
            .errors(&CALLS),
        one(kind, Method::POST, "/pull", "post_remote_pull", super::post_remote_pull)
            .summary("Merge what the repository has into the folder; a conflict changes nothing")
            .answer(200, "What changed, and violations of what came.", &answer)
            .errors(&CALLS),
    ]
}

fn one<H, T>(kind: &Arc<Kind>, method: Method, rest: &str, id: &str, handler: H) -> Route<Context>
where
    H: Handler<T, Context>,
    T: 'static,
{
    new(kind, method, &format!("/{{id}}/remote{rest}"), &format!("{id}_of_{}", kind.name), handler)
}
