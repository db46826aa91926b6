//! Errors in the original's words.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::auth::Refusal;
use crate::engine::Error;
use crate::http::fault::Fault;
use crate::resource::kind::Kind;

/// What was asked of one object; the original's words depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Get,
    Put,
    Delete,
}

/// An error of this dialect.
#[derive(Debug)]
pub(super) struct DciFault(Fault);

impl DciFault {
    /// `Request malformed`, with what is wrong by field.
    pub(super) fn malformed(errors: Value) -> Self {
        DciFault(Fault::new(StatusCode::BAD_REQUEST, "Request malformed").with("errors", errors))
    }

    /// A component names a type that is not there.
    pub(super) fn no_such_type() -> Self {
        DciFault::malformed(json!({ "componenttype_id": "not a valid componenttype id" }))
    }

    pub(super) fn bad(message: String, key: &str, value: Value) -> Self {
        DciFault(Fault::new(StatusCode::BAD_REQUEST, message).with(key, value))
    }

    /// An error about one object, with its id or name as it was given.
    pub(super) fn of(error: Error, kind: &Kind, reference: &str, asked: Asked) -> Self {
        match error {
            Error::NotFound(_) => {
                // The original has two spellings: this one where links can be embedded.
                let what = if asked == Asked::Get && !kind.links.is_empty() { &*kind.name } else { "Resource" };
                DciFault(Fault::new(StatusCode::NOT_FOUND, format!("{what} '{reference}' not found.")))
            }
            Error::Stale(now) => {
                let message = match asked {
                    Asked::Delete => {
                        format!("{} '{reference}' already deleted or etag not matched.", capitalised(&kind.name))
                    }
                    Asked::Get | Asked::Put => format!("Conflict on {} '{reference}' or etag not matched.", kind.name),
                };
                let fault = Fault::new(StatusCode::PRECONDITION_FAILED, message);
                DciFault(fault.with("etag", now.map_or(Value::Null, |etag| json!(etag.to_string()))))
            }
            other => other.into(),
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

impl From<Error> for DciFault {
    fn from(error: Error) -> Self {
        DciFault(match error {
            Error::LoginNeeded => return Refusal::Missing.into(),
            // The original knows no 403.
            Error::Denied(_) => Fault::new(StatusCode::UNAUTHORIZED, "Operation not authorized."),
            Error::Invalid(violations) => {
                let errors =
                    violations.iter().map(|v| (v.pointer.trim_start_matches('/').to_owned(), json!(v.message)));
                return DciFault::malformed(Value::Object(errors.collect()));
            }
            // All that is relied on is the type.
            Error::Gone(_) => return DciFault::no_such_type(),
            other => other.into(),
        })
    }
}

impl From<Refusal> for DciFault {
    fn from(refusal: Refusal) -> Self {
        let fault = Fault::from(refusal);
        let is_unauthorized = fault.status == StatusCode::UNAUTHORIZED;
        DciFault(if is_unauthorized { fault.challenge() } else { fault })
    }
}

impl From<Fault> for DciFault {
    fn from(fault: Fault) -> Self {
        DciFault(fault)
    }
}

impl IntoResponse for DciFault {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}
