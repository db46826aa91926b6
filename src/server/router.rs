//! Every route of the product, and what runs around them.

use std::sync::Arc;

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Map, Value, json};
use tower::ServiceBuilder;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

use super::{login, pages, stack};
use crate::dialect::{dci, dmp, editor, rest};
use crate::git_http::{self, Git};
use crate::http::context::Context;
use crate::http::openapi;
use crate::http::route::{self, Route};
use crate::resource::kind::{Kind, Kinds};

/// What tells whether the server is well.
pub trait Health: Send + Sync {
    /// What is wrong, in words for the operator; empty when ready.
    fn problems(&self) -> Vec<String>;
    /// What the operator should know although it serves.
    fn notes(&self) -> Vec<String>;
}

/// The routes of all dialects, those of each kind expanded.
fn table(kinds: &Kinds) -> Vec<Route<Context>> {
    let mut table = rest::routes();
    table.push(login::route());
    table.extend(dmp::routes());
    table.extend(editor::routes());
    table.extend(git_http::routes());
    for kind in kinds.iter() {
        table.extend(rest::kind_routes(kind, dci::owned(kind)));
    }
    table.extend(dci::routes(kinds, rest::document_route));
    table
}

/// The OpenAPI 3.1 document over these kinds.
pub fn document(kinds: &Kinds) -> Value {
    let all: Vec<_> = pages::routes().into_iter().chain(table(kinds)).collect();
    let mut document = openapi::document(&all, schemas(kinds), DESCRIPTION);
    let about = |kind: &Kind| json!({ "name": &*kind.plural, "description": kind.description.as_ref().or(kind.title.as_ref()) });
    document["tags"] = kinds.iter().map(|kind| about(kind)).collect();
    document
}

const DESCRIPTION: &str = "YAML and JSON documents are files in git workspaces. Every write is a commit; \
every list, filter and search is answered from an index over the newest commits.";

fn schemas(kinds: &Kinds) -> Map<String, Value> {
    let mut schemas = Map::new();
    schemas.insert(
        "Meta".into(),
        json!({
            "type": "object",
            "required": ["count", "limit", "offset"],
            "properties": {
                "count": { "type": "integer", "description": "All hits, before limit and offset." },
                "limit": { "type": "integer" },
                "offset": { "type": "integer" },
                "next": { "type": "string", "description": "For after=, when more follow." },
                "facets": { "type": "object" },
            },
        }),
    );
    schemas.insert(
        "Violation".into(),
        json!({
            "type": "object",
            "properties": {
                "pointer": { "type": "string", "description": "JSON pointer (RFC 6901)." },
                "line": { "type": "integer" },
                "column": { "type": "integer" },
                "message": { "type": "string" },
            },
        }),
    );
    for kind in kinds.iter() {
        schemas.insert(kind.name.to_string(), openapi::component(kind.schema_json(kind.schema_for(None)), &kind.name));
        schemas.insert(format!("{}.document", kind.name), envelope(kind));
    }
    schemas
}

fn envelope(kind: &Kind) -> Value {
    let id = if kind.has_given_id() { "string" } else { "integer" };
    json!({
        "type": "object",
        "description": kind.title,
        "properties": {
            "id": { "type": id },
            "workspace": { "type": "string", "description": "OWNER/NAME" },
            "path": { "type": "string" },
            "etag": { "type": "string", "description": "git blob id" },
            "created_at": { "type": "string", "format": "date-time" },
            "updated_at": { "type": "string", "format": "date-time" },
            "violations": { "type": "array", "items": { "$ref": "#/components/schemas/Violation" } },
            "content": { "$ref": format!("#/components/schemas/{}", kind.name) },
        },
    })
}

/// The whole HTTP face.
pub fn router(
    context: Context,
    kinds: &Kinds,
    metrics: PrometheusHandle,
    health: Arc<dyn Health>,
    settings: stack::Settings,
    git: Arc<Git>,
) -> Router {
    let pages = pages::Pages::new(document(kinds), metrics, health);
    // What git sends is compressed already.
    let worth = DefaultPredicate::new().and(NotForContentType::const_new("application/x-git"));
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth);
    let own = pages::routes().into_iter().map(|route| route.layered(axum::Extension(pages.clone())));
    let cookies = context.authenticator.sessions().layer(&context.config());
    let with_cookies = |route: Route<Context>| {
        if route.has_session { route.layered(cookies.clone()) } else { route }
    };
    let all = own.chain(table(kinds)).map(with_cookies).collect();
    // One layer of several: the router boxes each layer that it is given by itself.
    let stack = ServiceBuilder::new()
        .layer(from_fn_with_state(settings, stack::frame))
        .layer(compression)
        .layer(CatchPanicLayer::custom(stack::panicked));
    route::router(all)
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(stack)
        .layer(axum::Extension(git))
        .with_state(context)
}

/// Unknown addresses name themselves twice: old clients look for `error` (decisions.md 14).
async fn not_found(method: Method, OriginalUri(uri): OriginalUri) -> Response {
    let text = format!("there is nothing at {method} {}: see /openapi.json for what is here", uri.path());
    let body = json!({ "message": text, "error": "not found", "status_code": 404, "payload": {} });
    (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
}

async fn method_not_allowed() -> Response {
    // The router adds the Allow header.
    let text = "this address does not take that method: see the Allow header";
    let body = json!({ "message": text, "error": "method not allowed", "status_code": 405, "payload": {} });
    (StatusCode::METHOD_NOT_ALLOWED, axum::Json(body)).into_response()
}
