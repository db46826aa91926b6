//! History, comparison, and who links here.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

use super::documents::{Answer, json_answer};
use super::query;
use crate::auth::Caller;
use crate::base::{blocking, clock};
use crate::engine::Error;
use crate::http::body::prefers;
use crate::http::context::Context;
use crate::http::fault::id_json;
use crate::http::parameters::{LIMIT, LIMIT_MOST, Parameters};
use crate::http::path::Path;
use crate::resource::key::DocumentId;
use crate::resource::kind::Kind;

/// `GET /api/v1/{plural}/{id}/history`.
pub(super) async fn get_history(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Caller,
    Path(reference): Path<String>,
    parameters: Parameters,
) -> Answer {
    parameters.only(&["limit", "offset", "workspace"])?;
    let workspace = query::workspace(&parameters)?;
    let page = parameters.page(LIMIT, LIMIT_MOST)?;
    let reader = context.engine.reader(&caller.0?);
    let history = blocking::run(move || {
        reader.history(&reader.find(&kind, &reference, workspace.as_ref())?, page.limit, page.offset)
    })
    .await?;
    let entries = history.entries.iter().map(|(touch, commit)| {
        json!({
            "commit": &*touch.commit,
            "author": { "name": commit.author.name, "email": commit.author.email },
            "at": clock::rfc3339(touch.at.seconds),
            "message": commit.message.trim_end(),
            "path": &*touch.path,
        })
    });
    let body = json!({
        "history": entries.collect::<Vec<_>>(),
        "_meta": page.meta(history.count),
    });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

/// `GET /api/v1/{plural}/{id}/diff?from=&to=`: by default the last change.
pub(super) async fn get_diff(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Caller,
    Path(reference): Path<String>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Answer {
    parameters.only(&["from", "to", "workspace"])?;
    let workspace = query::workspace(&parameters)?;
    let reader = context.engine.reader(&caller.0?);
    let (from, to) = (parameters.get("from").map(str::to_owned), parameters.get("to").map(str::to_owned));
    let wants_text = prefers(&headers, |essence| matches!(essence, "text/x-diff" | "text/x-patch" | "text/plain"));
    blocking::run(move || {
        let found = reader.find(&kind, &reference, workspace.as_ref())?;
        let recent = reader.history(&found, 2, 0)?.entries;
        let named = |given: Option<String>, at: usize| {
            given.or_else(|| recent.get(at).map(|(touch, _)| touch.commit.to_string()))
        };
        let to = named(to, 0).ok_or_else(|| Error::NotFound("revision".into()))?;
        let from = named(from, 1).ok_or_else(|| {
            Error::bad_request("the document has one revision only: there is nothing to compare it with")
        })?;
        let from = reader.revision(&found, &from)?;
        let to = reader.revision(&found, &to)?;
        let unified = reader.unified(&from, &to)?;
        if wants_text {
            return Ok(
                ([(CONTENT_TYPE, HeaderValue::from_static("text/x-diff; charset=utf-8"))], unified).into_response()
            );
        }
        let body = json!({ "diff": {
            "from": from.commit.to_string(),
            "to": to.commit.to_string(),
            "unified": unified,
            "patch": reader.structural(&from, &to),
        } });
        Ok(json_answer(StatusCode::OK, body.to_string()))
    })
    .await
}

/// `GET /api/v1/{plural}/{id}/referrers`.
pub(super) async fn get_referrers(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Caller,
    Path(reference): Path<String>,
    parameters: Parameters,
) -> Answer {
    parameters.only(&["limit", "offset", "workspace"])?;
    let workspace = query::workspace(&parameters)?;
    let page = parameters.page(LIMIT, LIMIT_MOST)?;
    let reader = context.engine.reader(&caller.0?);
    let rows = blocking::run(move || reader.referrers(&reader.find(&kind, &reference, workspace.as_ref())?)).await?;
    let entries = page.of(&rows).map(|row| {
        let id = id_json(&DocumentId::from_stored(&row.id));
        json!({ "kind": &*row.kind, "id": id, "workspace": &*row.workspace, "path": &*row.path, "etag": row.etag.to_string() })
    });
    let body = json!({
        "referrers": entries.collect::<Vec<_>>(),
        "_meta": page.meta(rows.len()),
    });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}
