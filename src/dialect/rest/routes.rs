//! Every route of `/api/v1` on one screen, each with its documentation.

use std::sync::Arc;

use axum::Extension;
use axum::handler::Handler;
use axum::http::Method;
use serde_json::{Value, json};

use super::{accounts, documents, files, kinds, query, remote, revisions, workspaces, writes};
use crate::http::context::Context;
use crate::http::route::Route;
use crate::resource::kind::Kind;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";

fn text() -> Value {
    json!({ "type": "string" })
}

fn object() -> Value {
    json!({ "type": "object" })
}

/// The routes that do not depend on kinds.
pub fn routes() -> Vec<Route<Context>> {
    const WORKSPACE: &str = "/api/v1/workspaces/{owner}/{name}";
    let at = |rest: &str| format!("{WORKSPACE}{rest}");
    let file = "The stored bytes, whatever they are.";
    let binary = [("application/octet-stream", json!({}))];
    let mut table = accounts::routes();
    table.extend([
        Route::new(Method::GET, "/api/v1", "get_root", kinds::get_root).tag("server").summary("What is here").answer(
            200,
            "Addresses.",
            &[(JSON, object())],
        ),
        Route::new(Method::GET, "/api/v1/", "get_root_slash", kinds::get_root)
            .tag("server")
            .summary("What is here")
            .answer(200, "Addresses.", &[(JSON, object())]),
        Route::new(Method::GET, "/api/v1/kinds", "list_kinds", kinds::list_kinds)
            .tag("kinds")
            .summary("All kinds of documents")
            .answer(200, "The kinds.", &[(JSON, object())]),
        Route::new(Method::GET, "/api/v1/kinds/{kind}", "get_kind", kinds::get_kind)
            .tag("kinds")
            .summary("One kind: schema, starter, indexed fields, links")
            .answer(200, "The kind.", &[(JSON, object())])
            .errors(&[404]),
        paged(Route::new(Method::GET, "/api/v1/workspaces", "list_workspaces", workspaces::list_workspaces))
            .tag("workspaces")
            .summary("The workspaces that you may read")
            .answer(200, "The workspaces.", &[(JSON, object())])
            .errors(&[400, 401]),
        rehearsed(Route::new(Method::POST, "/api/v1/workspaces", "post_workspace", workspaces::post_workspace))
            .tag("workspaces")
            .summary("Make a workspace")
            .body(&[(
                JSON,
                json!({
                    "type": "object",
                    "required": ["name"],
                    "additionalProperties": false,
                    "properties": {
                        "owner": { "type": "string", "description": "By default you." },
                        "name": text(),
                        "public": { "type": "boolean", "default": false },
                        "push": { "enum": ["free", "strict"], "default": "free" },
                        "force_push": { "type": "boolean", "default": false },
                    },
                }),
            )])
            .answer(200, "What would be made (dry_run).", &[(JSON, object())])
            .answer(201, "The workspace.", &[(JSON, object())])
            .errors(&[400, 401, 403, 409, 415]),
        Route::new(Method::GET, WORKSPACE, "get_workspace", workspaces::get_workspace)
            .tag("workspaces")
            .summary("One workspace: clone URL, head, documents per kind, violations")
            .answer(200, "The workspace.", &[(JSON, object())])
            .errors(&[401, 404]),
        rehearsed(Route::new(Method::PATCH, WORKSPACE, "patch_workspace", workspaces::patch_workspace))
            .tag("workspaces")
            .summary("Rename a workspace, change who may read it without being a member, and what pushes may do")
            .description(
                "Its id, its members and its documents' ids stay. Clients of git have to be told the new address.",
            )
            .body(&[(
                JSON,
                json!({
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {
                        "name": { "type": "string" },
                        "public": { "type": "boolean" },
                        "push": { "enum": ["free", "strict"] },
                        "force_push": {
                            "type": "boolean",
                            "description": "Whether pushes may take commits off main.",
                        },
                    },
                }),
            )])
            .answer(200, "The workspace.", &[(JSON, object())])
            .errors(&[400, 401, 403, 404, 409, 413, 415]),
        rehearsed(Route::new(Method::DELETE, WORKSPACE, "delete_workspace", workspaces::delete_workspace))
            .tag("workspaces")
            .summary("Delete a workspace and its history")
            .empty(204, "Deleted.")
            .errors(&[400, 401, 403, 404]),
        written(Route::new(Method::POST, at("/commits"), "post_commits", workspaces::post_commits))
            .tag("workspaces")
            .summary("Many changes as one commit, all or nothing")
            .body(&[(JSON, commits_schema())])
            .answer(200, "Nothing was to be committed.", &[(JSON, object())])
            .answer(201, "The commit.", &[(JSON, object())])
            .errors(&[400, 401, 403, 404, 409, 412, 413, 415, 422, 503]),
        paged(Route::new(Method::GET, at("/files/"), "list_files", files::list_files))
            .tag("files")
            .summary("All files of a workspace")
            .answer(200, "Path, etag, size and kind of each.", &[(JSON, object())])
            .errors(&[400, 401, 404]),
        Route::new(Method::GET, at("/files/{*path}"), "get_file", files::get_file)
            .tag("files")
            .summary("One file; with a trailing slash a folder's listing")
            .answer(200, file, &binary)
            .empty(304, "You have it.")
            .errors(&[400, 401, 404]),
        written(Route::new(Method::PUT, at("/files/{*path}"), "put_file", files::put_file))
            .tag("files")
            .summary("Store a file; without If-Match only where there is none")
            .header("If-Match", false, "The etag that you read.")
            .body(&binary)
            .answer(200, "Replaced.", &[(JSON, object())])
            .answer(201, "Created.", &[(JSON, object())])
            .errors(&[400, 401, 403, 404, 409, 412, 413, 422, 503]),
        written(Route::new(Method::DELETE, at("/files/{*path}"), "delete_file", files::delete_file))
            .tag("files")
            .summary("Delete a file")
            .header("If-Match", true, "The etag that you read.")
            .empty(204, "Deleted.")
            .errors(&[400, 401, 403, 404, 409, 412, 503]),
    ]);
    table
}

fn commits_schema() -> Value {
    json!({
        "type": "object",
        "required": ["changes"],
        "properties": {
            "message": text(),
            "changes": { "type": "array", "items": {
                "type": "object",
                "required": ["op", "path"],
                "properties": {
                    "op": { "enum": ["put", "patch", "delete", "move"] },
                    "path": text(),
                    "etag": { "type": "string", "description": "What you read, * for whatever is there; or absent: true." },
                    "absent": { "type": "boolean" },
                    "content": { "description": "put: the content; patch: a merge patch, or an array of JSON Patch operations." },
                    "text": { "type": "string", "description": "put: the file's text as it is to be stored." },
                    "to": { "type": "string", "description": "move: the new path." },
                },
            } },
        },
    })
}

fn paged(route: Route<Context>) -> Route<Context> {
    route.query("limit", json!({ "type": "integer", "minimum": 0 }), "At most this many.").query(
        "offset",
        json!({ "type": "integer", "minimum": 0 }),
        "Leave out this many first.",
    )
}

fn written(route: Route<Context>) -> Route<Context> {
    rehearsed(route.query("message", text(), "The commit message."))
}

fn rehearsed(route: Route<Context>) -> Route<Context> {
    route.query("dry_run", json!({ "type": "boolean" }), "Validate and answer as if; change nothing.")
}

/// The routes of one kind. Of `owned` (method and path under the plural) another dialect serves.
pub fn kind_routes(kind: &Arc<Kind>, owned: &[(Method, &str)]) -> Vec<Route<Context>> {
    let name = &*kind.name;
    let plural = &*kind.plural;
    let envelope = json!({ "type": "object", "properties": { name: { "$ref": format!("#/components/schemas/{name}.document") } } });
    let envelopes = json!({ "type": "object", "properties": {
        plural: { "type": "array", "items": { "$ref": format!("#/components/schemas/{name}.document") } },
        "_meta": { "$ref": "#/components/schemas/Meta" },
    } });
    let content = json!({ "$ref": format!("#/components/schemas/{name}") });
    let bodies = [(JSON, content.clone()), (YAML, text())];
    let answer = [(JSON, envelope)];
    let one = "/{id}";
    let mut table = vec![
        listed(new(kind, Method::GET, "", &format!("list_{plural}"), documents::list_documents), kind)
            .summary(&format!("List, filter, sort and search {plural}"))
            .answer(200, "A page.", &[(JSON, envelopes)])
            .errors(&[400, 401]),
        placed(written(new(kind, Method::POST, "", &format!("post_{name}"), writes::post_document)), kind)
            .summary(&format!("Make a {name}"))
            .body(&bodies)
            .answer(201, "As stored.", &answer)
            .errors(&[400, 401, 403, 404, 409, 413, 415, 422, 503]),
        document_route(kind),
        written(new(kind, Method::PUT, one, &format!("put_{name}"), writes::put_document))
            .summary(&format!("Replace a {name}; JSON keeps the text's comments and order"))
            .header("If-Match", true, "The etag that you read.")
            .body(&bodies)
            .answer(200, "As stored.", &answer)
            .errors(&[400, 401, 403, 404, 409, 412, 413, 415, 422, 503]),
        written(new(kind, Method::PATCH, one, &format!("patch_{name}"), writes::patch_document))
            .summary(&format!("Change parts of a {name}"))
            .header("If-Match", true, "The etag that you read.")
            .body(&[
                ("application/merge-patch+json", object()),
                ("application/json-patch+json", json!({ "type": "array", "items": object() })),
            ])
            .answer(200, "As stored.", &answer)
            .errors(&[400, 401, 403, 404, 409, 412, 413, 415, 422, 503]),
        written(new(kind, Method::DELETE, one, &format!("delete_{name}"), writes::delete_document))
            .summary(&format!("Delete a {name}"))
            .header("If-Match", true, "The etag that you read.")
            .empty(204, "Deleted.")
            .errors(&[400, 401, 403, 404, 409, 412, 503]),
        written(new(kind, Method::POST, "/{id}/move", &format!("move_{name}"), writes::move_document))
            .summary("Give it another path; it keeps its id")
            .body(&[(JSON, json!({ "type": "object", "required": ["path"], "properties": { "path": text() } }))])
            .answer(200, "As stored.", &answer)
            .errors(&[400, 401, 403, 404, 409, 412, 415, 503]),
        written(new(kind, Method::POST, "/{id}/restore", &format!("restore_{name}"), writes::restore_document))
            .summary("Make an earlier revision the newest")
            .body(&[(JSON, json!({ "type": "object", "required": ["at"], "properties": { "at": text() } }))])
            .answer(200, "As stored.", &answer)
            .errors(&[400, 401, 403, 404, 412, 415, 422, 503]),
        paged(new(kind, Method::GET, "/{id}/history", &format!("history_of_{name}"), revisions::get_history))
            .summary("The commits that touched it, renames followed")
            .answer(200, "Newest first.", &[(JSON, object())])
            .errors(&[400, 401, 404, 409]),
        new(kind, Method::GET, "/{id}/diff", &format!("diff_of_{name}"), revisions::get_diff)
            .summary("What changed between two revisions; by default the last change")
            .query("from", text(), "A commit.")
            .query("to", text(), "A commit.")
            .answer(200, "Unified text and JSON Patch.", &[(JSON, object()), ("text/x-diff", text())])
            .errors(&[400, 401, 404, 409]),
        paged(new(kind, Method::GET, "/{id}/referrers", &format!("referrers_of_{name}"), revisions::get_referrers))
            .summary("The documents that link to it")
            .answer(200, "Kind, id and address of each.", &[(JSON, object())])
            .errors(&[400, 401, 404, 409]),
    ];
    if kind.repository.is_some() {
        table = table.into_iter().map(|route| remote::cloning(route, kind)).collect();
        table.extend(remote::routes(kind));
    }
    let base = format!("/api/v1/{plural}");
    table.retain(|route| {
        !owned.iter().any(|(method, rest)| route.method == method && route.path == format!("{base}{rest}"))
    });
    table
}

/// The route that reads one document of a kind.
pub fn document_route(kind: &Arc<Kind>) -> Route<Context> {
    let name = &*kind.name;
    let envelope = json!({ "type": "object", "properties": { name: { "$ref": format!("#/components/schemas/{name}.document") } } });
    new(kind, Method::GET, "/{id}", &format!("get_{name}"), documents::get_document)
        .summary(&format!("One {name} by id or unambiguous name"))
        .query("at", text(), "As of this commit.")
        .query("embed", text(), "Links to resolve, nested with a dot.")
        .query("fields", text(), "Only these members and fields.")
        .header("If-None-Match", false, "An etag that you have.")
        .answer(200, "The document; as YAML its stored bytes.", &[(JSON, envelope), (YAML, text())])
        .empty(304, "You have it.")
        .errors(&[400, 401, 404, 409])
}

pub(super) fn new<H, T>(kind: &Arc<Kind>, method: Method, rest: &str, id: &str, handler: H) -> Route<Context>
where
    H: Handler<T, Context>,
    T: 'static,
{
    Route::new(method, format!("/api/v1/{}{rest}", kind.plural), id, handler)
        .layered(Extension(kind.clone()))
        .tag(&kind.plural)
}

fn listed(mut route: Route<Context>, kind: &Kind) -> Route<Context> {
    let fields = kind.field_names().join(", ");
    for name in query::PARAMETERS {
        let (schema, about) = match name {
            "where" => (
                text(),
                format!(
                    "field:value, comma separated, all must hold. Values take >= <= > < ! a|b and a trailing *; quote a value to hold a comma. Fields: {fields}."
                ),
            ),
            "q" => (
                text(),
                "Full text: all words; word*, -word and \"a phrase\" too. Ordered by relevance without sort.".into(),
            ),
            "sort" => (text(), "Fields, comma separated, - for descending. By default created_at.".into()),
            "limit" => (
                json!({ "type": "integer", "minimum": 0, "maximum": 1000, "default": 20 }),
                "At most this many.".into(),
            ),
            "offset" => (json!({ "type": "integer", "minimum": 0, "default": 0 }), "Leave out this many first.".into()),
            "after" => {
                (text(), "Go on behind _meta.next of the page before; does not drift while others write.".into())
            }
            "embed" => (text(), "Links to resolve, nested with a dot.".into()),
            "fields" => (text(), "Only these members and fields.".into()),
            _ => (text(), "Fields whose values are counted over all hits.".into()),
        };
        route = route.query(name, schema, &about);
    }
    route
}

fn placed(mut route: Route<Context>, kind: &Kind) -> Route<Context> {
    route = route.query("workspace", text(), "OWNER/NAME, where it goes.").query(
        "path",
        text(),
        "Where in the workspace; otherwise the kind's pattern decides.",
    );
    for key in kind.place_keys() {
        route = route.query(key, text(), "Fills the kind's pattern.");
    }
    route
}
