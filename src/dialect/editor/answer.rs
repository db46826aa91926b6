//! Answers that are no errors.

use axum::extract::OriginalUri;
use axum::http::header::{CONTENT_TYPE, HOST, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use axum::extract::State;

use super::fault::EditorFault;
use super::gate::LoggedIn;
use crate::http::conditions::{HEADER, answer_etag, is_fresh};
use crate::http::context::Context;
use crate::resource::etag::Etag;

pub(super) type Answer = Result<Response, EditorFault>;

/// JSON with a status.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.to_string()).into_response()
}

/// An item and, where it is a file, its `ETag` (decisions.md 9).
pub(super) fn item(status: StatusCode, body: &Value, etag: Option<Etag>) -> Response {
    let text = body.to_string();
    let tag = etag.map(|etag| answer_etag(etag, text.as_bytes()));
    let mut response = (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response();
    if let Some(value) = tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// As [`item`] to a GET; 304 when the client has it.
pub(super) fn item_unless_fresh(headers: &HeaderMap, body: &Value, etag: Option<Etag>) -> Response {
    let mut response = item(StatusCode::OK, body, etag);
    let tag = response.headers().get(HEADER).and_then(|tag| tag.to_str().ok());
    if tag.is_some_and(|tag| is_fresh(headers, tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
    }
    response
}

/// A collection without its slash: 301 to where it is, for whoever is logged in.
pub(super) async fn slashed(
    State(context): State<Context>,
    _: LoggedIn,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let base = context.config().base_url(headers.get(HOST).and_then(|host| host.to_str().ok()));
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let target = format!("{base}{}/{query}", uri.path());
    let mut response = StatusCode::MOVED_PERMANENTLY.into_response();
    if let Ok(target) = HeaderValue::from_str(&target) {
        response.headers_mut().insert(LOCATION, target);
    }
    response
}
