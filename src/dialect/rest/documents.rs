//! Reading documents: lists and single ones.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::query::{self, Selected};
use super::wire::{self, Extras};
use crate::auth::Caller;
use crate::base::blocking;
use crate::engine::{Content, Error, Found, Reader};
use crate::http::body::prefers_text;
use crate::http::conditions::{answer_etag, is_fresh, stored_etag};
use crate::http::context::Context;
use crate::http::fault::Fault;
use crate::http::parameters::Parameters;
use crate::http::path::Path;
use crate::resource::document::Format;
use crate::resource::kind::Kind;

pub(super) type Answer = Result<Response, Fault>;

/// `GET /api/v1/{plural}`.
pub(super) async fn list_documents(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Caller,
    parameters: Parameters,
) -> Answer {
    let reader = context.engine.reader(&caller.0?);
    let request = query::parse(&kind, &parameters)?;
    let body = blocking::run(move || {
        let listing = reader.list(&kind, request.query.clone())?;
        wire::list(&reader, &kind, &request, &listing)
    })
    .await?;
    Ok(json_answer(StatusCode::OK, body))
}

/// `GET /api/v1/{plural}/{id}`.
pub(super) async fn get_document(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Caller,
    Path(reference): Path<String>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Answer {
    parameters.only(&["at", "embed", "fields", "workspace"])?;
    let workspace = query::workspace(&parameters)?;
    let reader = context.engine.reader(&caller.0?);
    let wants_text = prefers_text(&headers);
    let at = parameters.get("at").map(str::to_owned);
    let embed = query::embed(&parameters);
    let fields = query::fields(&kind, parameters.get("fields"))?;
    if at.is_none()
        && !wants_text
        && embed.is_empty()
        && let Some((found, content)) = reader.kept(&kind, &reference, workspace.as_ref())?
    {
        // The way to another thread and back would cost more than all the rest.
        let extras = Extras { fields: fields.as_deref(), ..Extras::default() };
        return Ok(unless_fresh(&headers, single(&reader, &found, &content, extras)?));
    }
    let response = blocking::run(move || -> Result<Response, Error> {
        let found = reader.find(&kind, &reference, workspace.as_ref())?;
        match at {
            Some(at) => revision(&reader, &found, &at, wants_text, fields.as_deref()),
            None if wants_text => {
                let bytes = reader.bytes(&found.row, found.row.etag)?;
                Ok(text_answer(&found.row.path, bytes, &stored_etag(found.row.etag)))
            }
            None => current(&reader, &found, &embed, fields.as_deref()),
        }
    })
    .await?;
    Ok(unless_fresh(&headers, response))
}

fn current(reader: &Reader, found: &Found, embed: &[String], fields: Option<&[Selected]>) -> Result<Response, Error> {
    let content = reader.content(&found.row)?;
    let embedded = match embed {
        [] => Vec::new(),
        embed => reader.embed(&found.kind, std::slice::from_ref(&found.row), embed)?.remove(0),
    };
    single(reader, found, &content, Extras { fields, embedded: Some(&embedded), snippet: None })
}

pub(super) fn single(reader: &Reader, found: &Found, content: &Content, extras: Extras<'_>) -> Result<Response, Error> {
    let body = wire::single(reader, &found.kind, &found.row, content, extras)?;
    let etag = answer_etag(found.row.etag, body.as_bytes());
    Ok(tagged(json_answer(StatusCode::OK, body), &etag))
}

fn revision(
    reader: &Reader,
    found: &Found,
    at: &str,
    wants_text: bool,
    fields: Option<&[Selected]>,
) -> Result<Response, Error> {
    let revision = reader.revision(found, at)?;
    if wants_text {
        return Ok(text_answer(&revision.path, revision.bytes, &stored_etag(revision.etag)));
    }
    let mut row = crate::resource::row::Row::clone(&found.row);
    row.path = revision.path.clone();
    row.etag = revision.etag;
    row.updated.seconds = revision.at;
    let extras = Extras { fields, ..Extras::default() };
    let body = wire::single(reader, &found.kind, &row, &revision.content, extras)?;
    let etag = answer_etag(revision.etag, body.as_bytes());
    Ok(tagged(json_answer(StatusCode::OK, body), &etag))
}

pub(super) const LOCATION: HeaderName = axum::http::header::LOCATION;

/// A path segment of a URL (RFC 3986, section 2.3).
pub(super) fn escaped(text: &str) -> impl std::fmt::Display + '_ {
    const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, SEGMENT)
}

pub(super) fn json_answer(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// Stored bytes under the type of their file.
fn text_answer(path: &str, bytes: axum::body::Bytes, etag: &str) -> Response {
    let kind = match Format::of(path) {
        Some(Format::Json) => "application/json",
        Some(Format::Yaml) | None => "application/yaml",
    };
    tagged(([(CONTENT_TYPE, HeaderValue::from_static(kind))], bytes).into_response(), etag)
}

/// Adds the entity tag, and what the answer depends on.
pub(super) fn tagged(mut response: Response, etag: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(etag) {
        response.headers_mut().insert(ETAG, value);
    }
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    response
}

/// 304 without a body, when the client has this answer already.
pub(super) fn unless_fresh(headers: &HeaderMap, response: Response) -> Response {
    let fresh =
        response.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).is_some_and(|etag| is_fresh(headers, etag));
    if !fresh {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_TYPE);
    Response::from_parts(parts, axum::body::Body::empty())
}
