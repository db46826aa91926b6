//! Errors as the DMP tool spells them: the application's as `error`, the token layer's as `msg`.
//! Ours name both, and the members of every other error of this server beside them.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::auth::Refusal;
use crate::engine::Error;
use crate::http::fault::Fault;

/// An error on its way out.
pub(super) struct DmpFault(Fault);

impl DmpFault {
    pub(super) fn new(status: StatusCode, message: &str) -> Self {
        DmpFault(Fault::new(status, message))
    }
}

impl From<Error> for DmpFault {
    fn from(error: Error) -> Self {
        DmpFault(error.into())
    }
}

impl From<Refusal> for DmpFault {
    /// The token errors of contracts/dmp.md 1.2.
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::Malformed | Refusal::WrongUse => Some(StatusCode::UNPROCESSABLE_ENTITY),
            _ => None,
        };
        let mut fault = Fault::from(refusal);
        fault.status = status.unwrap_or(fault.status);
        DmpFault(fault)
    }
}

impl IntoResponse for DmpFault {
    fn into_response(self) -> Response {
        let fault = self.0;
        let body = json!({
            "error": fault.message,
            "msg": fault.message,
            "message": fault.message,
            "status_code": fault.status.as_u16(),
            "payload": fault.payload,
        });
        let mut response = fault.into_response();
        *response.body_mut() = axum::body::Body::from(body.to_string());
        response
    }
}
