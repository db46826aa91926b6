//! Errors in the original's words.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::auth::Refusal;
use crate::engine::Error;
use crate::http::fault::Fault;

/// An error of this dialect.
#[derive(Debug)]
pub(super) struct DciFault(Fault);

impl DciFault {
    /// `Request malformed`, with what is wrong by field.
    pub(super) fn malformed(errors: Value) -> Self {
        DciFault(Fault::new(StatusCode::BAD_REQUEST, "Request malformed").with("errors", errors))
    }

    pub(super) fn bad(message: String, key: &str, value: Value) -> Self {
        DciFault(Fault::new(StatusCode::BAD_REQUEST, message).with(key, value))
    }

    /// In the first person of a resource: `component 'x' not found.`
    pub(super) fn of(error: Error, kind: &str, reference: &str) -> Self {
        match error {
            Error::NotFound(_) => {
                DciFault(Fault::new(StatusCode::NOT_FOUND, format!("{kind} '{reference}' not found.")))
            }
            Error::Stale(now) => DciFault(
                Fault::new(
                    StatusCode::PRECONDITION_FAILED,
                    format!("Conflict on {kind} '{reference}' or etag not matched."),
                )
                .with("etag", now.map_or(Value::Null, |etag| json!(etag.to_string()))),
            ),
            other => other.into(),
        }
    }
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
