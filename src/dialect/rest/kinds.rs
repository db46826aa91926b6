//! What types of documents there are.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::documents::{Answer, json_answer};
use crate::engine::Error;
use crate::http::context::Context;
use crate::http::parameters::Parameters;
use crate::http::path::Path;
use crate::resource::kind::{Kind, OnDelete};

/// `GET /api/v1`: what is here. Needs no login.
pub(super) async fn get_root(State(context): State<Context>, parameters: Parameters) -> Answer {
    parameters.only(&[])?;
    let kinds = context.engine.kinds();
    let documents = kinds.iter().map(|kind| (kind.name.to_string(), json!(format!("/api/v1/{}", kind.plural))));
    let body = json!({
        "_status": "OK",
        "message": "workleaf: documents in git workspaces.",
        "version": env!("CARGO_PKG_VERSION"),
        "kinds": "/api/v1/kinds",
        "workspaces": "/api/v1/workspaces",
        "documents": Map::from_iter(documents),
        "openapi": "/openapi.json",
    });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

/// `GET /api/v1/kinds`.
pub(super) async fn list_kinds(State(context): State<Context>, parameters: Parameters) -> Answer {
    parameters.only(&[])?;
    let kinds = context.engine.kinds();
    let entries: Vec<Value> = kinds.iter().map(brief).collect();
    let body = json!({ "_meta": { "count": entries.len() }, "kinds": entries });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

/// `GET /api/v1/kinds/{kind}`.
pub(super) async fn get_kind(
    State(context): State<Context>,
    Path(name): Path<String>,
    parameters: Parameters,
) -> Answer {
    parameters.only(&[])?;
    let kinds = context.engine.kinds();
    let kind = kinds
        .by_name(&name)
        .or_else(|| kinds.by_plural(&name))
        .ok_or_else(|| Error::NotFound(format!("kind {name:?}")))?;
    Ok(json_answer(StatusCode::OK, json!({ "kind": full(kind) }).to_string()))
}

fn brief(kind: &Arc<Kind>) -> Value {
    json!({
        "kind": &*kind.name,
        "plural": &*kind.plural,
        "title": kind.title,
        "files": kind.patterns.iter().map(|pattern| pattern.as_str()).collect::<Vec<_>>(),
        "documents": format!("/api/v1/{}", kind.plural),
        "details": format!("/api/v1/kinds/{}", kind.name),
    })
}

fn full(kind: &Arc<Kind>) -> Value {
    let mut value = brief(kind);
    value["description"] = json!(kind.description);
    value["place"] = json!(kind.place_keys());
    value["repository"] = json!(kind.repository);
    value["fields"] =
        kind.fields.iter().map(|field| json!({ "name": &*field.name, "type": field.field_type.name() })).collect();
    value["links"] = kind
        .links
        .iter()
        .map(|link| {
            let matched = link.matches.iter().map(|m| (m.target.name.to_string(), json!(m.pointer.to_string())));
            json!({
                "name": &*link.name,
                "to": &*link.to,
                "within": link.within.as_ref().map(|within| within.source.name.to_string()),
                "each": link.each.as_ref().map(ToString::to_string),
                "match": Map::from_iter(matched),
                "on_delete": match link.on_delete { OnDelete::Refuse => "refuse", OnDelete::Cascade => "cascade" },
            })
        })
        .collect();
    value["schema"] = kind.schema_json(kind.schema_for(None)).clone();
    value["schemas"] =
        kind.schemas.iter().map(|schema| json!({ "name": schema.name, "schema": schema.json })).collect();
    value["starter"] = json!(kind.starter);
    value
}
