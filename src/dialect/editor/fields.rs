//! Request bodies: a JSON object, or the fields of a form (contracts/editor.md 1.1).

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::fault::EditorFault;
use crate::http::body::{self, Whole};
use crate::http::context::Context;
use crate::http::form;

/// The members of the body. Stands behind the gate in a handler.
#[derive(Debug, Clone)]
pub(super) struct Fields(pub(super) Map<String, Value>);

impl FromRequest<Context> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, context: &Context) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let Whole(bytes) = Whole::from_request(request, context).await.map_err(IntoResponse::into_response)?;
        let read = || -> Result<Map<String, Value>, EditorFault> {
            if let Some(parts) = form::parts(&headers, &bytes)? {
                let field = |part: form::Part| {
                    let text = String::from_utf8(part.bytes.to_vec());
                    let text = text.map_err(|_| EditorFault::bad("the form's fields are not UTF-8"))?;
                    Ok((part.name, Value::String(text)))
                };
                return parts.into_iter().filter(|part| part.file_name.is_none()).map(field).collect();
            }
            if bytes.is_empty() {
                return Ok(Map::new());
            }
            match body::json_body(&headers, &bytes)? {
                Value::Object(members) => Ok(members),
                _ => Err(EditorFault::bad("the body must be a JSON object")),
            }
        };
        read().map(Fields).map_err(IntoResponse::into_response)
    }
}

impl Fields {
    /// A member that has to be there.
    pub(super) fn required(&self, key: &str) -> Result<&Value, EditorFault> {
        self.0.get(key).ok_or_else(|| EditorFault::missing(key))
    }

    /// A text that has to be there.
    pub(super) fn required_text(&self, key: &str) -> Result<&str, EditorFault> {
        self.required(key)?.as_str().ok_or_else(|| EditorFault::bad(format!("'{key}' must be a string")))
    }

    /// A text; `None` when it is not there or null.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, EditorFault> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(EditorFault::bad(format!("'{key}' must be a string"))),
        }
    }

    /// An array; `None` when it is not there or null.
    pub(super) fn array(&self, key: &str) -> Result<Option<&[Value]>, EditorFault> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(EditorFault::bad(format!("'{key}' must be an array"))),
        }
    }

    /// A number, or its digits: forms have no numbers.
    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, EditorFault> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) if number.is_u64() => Ok(number.as_u64()),
            Some(Value::String(text)) if super::gate::parsed(text).is_some() => Ok(super::gate::parsed(text)),
            Some(_) => Err(EditorFault::bad(format!("'{key}' must be a whole number"))),
        }
    }
}
