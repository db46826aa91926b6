//! Request bodies, whole, within the limit, by content type.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, json};

use super::context::Context;
use super::fault::Fault;
use crate::auth::Unwelcome;
use crate::engine::{Error, Payload};
use crate::resource::document::{self, Format};

/// A body read to its end; empty for a caller who is refused anyway. Stands behind
/// [`crate::auth::Required`] in a handler, which looks at that first.
pub struct Whole(pub Bytes);

impl FromRequest<Context> for Whole {
    type Rejection = Fault;

    async fn from_request(request: Request, context: &Context) -> Result<Self, Fault> {
        if request.extensions().get::<Unwelcome>().is_some() {
            return Ok(Whole(Bytes::new()));
        }
        collect(request.into_body(), context.config().limits.body).await.map(Whole)
    }
}

/// Most bytes of a body that holds no document: credentials, names.
const SMALL: usize = 64 << 10;

/// As [`Whole`], of a body that holds no document.
pub struct Small(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Small {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        if request.extensions().get::<Unwelcome>().is_some() {
            return Ok(Small(Bytes::new()));
        }
        small(request.into_body()).await.map(Small)
    }
}

/// A body that holds no document, whoever sends it.
pub async fn small(body: axum::body::Body) -> Result<Bytes, Fault> {
    collect(body, SMALL).await
}

async fn collect(body: axum::body::Body, most: usize) -> Result<Bytes, Fault> {
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {most} bytes")))
        }
        Err(_) => Err(Fault::new(StatusCode::BAD_REQUEST, "the body broke off")),
    }
}

/// What a body's content type says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    Json,
    Yaml,
    MergePatch,
    JsonPatch,
}

/// Reads `Content-Type`. `valid` are those that the route takes; nothing that a page of another
/// site can send without being asked about it first (a form, or no type) is among them.
pub fn media(headers: &HeaderMap, valid: &[Media]) -> Result<Media, Fault> {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let found = match essence.as_str() {
        "application/json" => Some(Media::Json),
        yaml if is_yaml(yaml) => Some(Media::Yaml),
        "application/merge-patch+json" => Some(Media::MergePatch),
        "application/json-patch+json" => Some(Media::JsonPatch),
        _ => None,
    };
    found.filter(|media| valid.contains(media)).ok_or_else(|| {
        let names: Vec<&str> = valid.iter().map(|media| media.name()).collect();
        Fault::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("{essence:?} is not a content type that this address takes"),
        )
        .with("valid_types", json!(names))
    })
}

impl Media {
    fn name(self) -> &'static str {
        match self {
            Media::Json => "application/json",
            Media::Yaml => "application/yaml",
            Media::MergePatch => "application/merge-patch+json",
            Media::JsonPatch => "application/json-patch+json",
        }
    }
}

fn is_yaml(essence: &str) -> bool {
    matches!(essence, "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml")
}

/// A document's body: JSON as content, YAML as text.
pub fn payload(headers: &HeaderMap, body: Bytes) -> Result<Payload, Fault> {
    match media(headers, &[Media::Json, Media::Yaml])? {
        Media::Yaml => Ok(Payload::Text(Format::Yaml, body)),
        _ => Ok(Payload::Json(json(&body)?)),
    }
}

/// A body that has to be JSON, by its content type and in fact.
pub fn json_body(headers: &HeaderMap, body: &[u8]) -> Result<Value, Fault> {
    media(headers, &[Media::Json])?;
    json(body)
}

/// A body that is a JSON Merge Patch (RFC 7396), also by the plain type.
pub fn merge_patch_body(headers: &HeaderMap, body: &[u8]) -> Result<Value, Fault> {
    media(headers, &[Media::Json, Media::MergePatch])?;
    json(body)
}

/// The members of a JSON object that may have these, so that a missing one reads as null.
pub fn only<'a>(body: &'a Value, valid: &[&str]) -> Result<&'a Value, Error> {
    let names = || valid.iter().map(|name| (*name).to_owned()).collect();
    let Some(members) = body.as_object() else {
        return Err(Error::with_valid("the body must be a JSON object", "valid_members", names()));
    };
    match members.keys().find(|key| !valid.contains(&key.as_str())) {
        Some(key) => Err(Error::with_valid(format!("unknown member {key:?}"), "valid_members", names())),
        None => Ok(body),
    }
}

/// A member that is a text.
pub fn text<'a>(body: &'a Value, name: &str) -> Result<Option<&'a str>, Error> {
    match &body[name] {
        Value::String(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        _ => Err(Error::bad_request(format!("{name} must be a string"))),
    }
}

/// A member that is a text and has to be there.
pub fn required_text<'a>(body: &'a Value, name: &str) -> Result<&'a str, Error> {
    text(body, name)?.ok_or_else(|| Error::bad_request(format!("{name} is missing")))
}

/// Reads JSON with the limits that documents have.
pub fn json(body: &[u8]) -> Result<Value, Fault> {
    document::parse(Format::Json, body).map_err(|error| {
        Fault::new(
            StatusCode::BAD_REQUEST,
            format!("the body is not JSON: {}, line {}, column {}", error.message, error.line, error.column),
        )
        .with("line", json!(error.line))
        .with("column", json!(error.column))
    })
}

/// Whether the client would rather have the stored text than JSON (RFC 9110, section 12.5.1).
pub fn prefers_text(headers: &HeaderMap) -> bool {
    prefers(headers, is_yaml)
}

/// Whether a type that `is` recognises has a higher weight than JSON and everything.
pub fn prefers(headers: &HeaderMap, is: fn(&str) -> bool) -> bool {
    let Some(accept) = headers.get(ACCEPT).and_then(|value| value.to_str().ok()) else { return false };
    let mut wanted = 0.0f32;
    let mut json = 0.0f32;
    for range in accept.split(',') {
        let mut parts = range.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let weight = parts.find_map(|p| p.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if is(&essence) {
            wanted = wanted.max(weight);
        } else if essence == "application/json" {
            json = json.max(weight);
        }
    }
    wanted > 0.0 && wanted > json
}

impl From<document::ParseError> for Fault {
    fn from(error: document::ParseError) -> Self {
        Error::Unreadable(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn accept_prefers_what_weighs_more() {
        let accept =
            |text: &'static str| prefers_text(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(text))]));
        assert!(accept("application/yaml"));
        assert!(accept("text/yaml, application/json;q=0.5"));
        assert!(!accept("application/json, application/yaml;q=0.9"));
        assert!(!accept("*/*"));
        assert!(!prefers_text(&HeaderMap::new()));
    }

    #[test]
    fn content_types() {
        let given = |text: &'static str| {
            media(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]), &[Media::Json, Media::Yaml])
        };
        assert_eq!(given("application/json; charset=utf-8").unwrap(), Media::Json);
        assert_eq!(given("text/yaml").unwrap(), Media::Yaml);
        assert_eq!(given("text/html").unwrap_err().status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(given("application/json-patch+json").unwrap_err().status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}
