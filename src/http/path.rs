//! Parameters of an address, refused in the envelope.

use axum::extract::FromRequestParts;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::fault::{Fault, internal};

/// As axum's extractor of the same name, percent-decoded.
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Path(value)),
            Err(PathRejection::FailedToDeserializePathParams(_)) => {
                Err(Fault::new(StatusCode::BAD_REQUEST, "the address is not UTF-8 once it is percent-decoded"))
            }
            // A route that declares no parameters: a fault of ours.
            Err(_) => Err(internal()),
        }
    }
}
