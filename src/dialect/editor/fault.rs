//! Errors in the words of the editor's backend, whose front end shows `message` as HTML; and what a
//! browser is told that has to log in: where (contracts/editor.md 1.1, 1.4).

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use super::login::{self, Way, Wish};
use crate::auth::Refusal;
use crate::engine::Error;
use crate::http::body::prefers;
use crate::http::context::Context;
use crate::http::fault::Fault;
use crate::resource::check::Violation;
use crate::resource::key::NameError;

/// An error of this dialect: `{"message"}` and what all answers with errors have.
#[derive(Debug)]
pub(super) struct EditorFault {
    fault: Fault,
    is_outrun: bool,
}

impl EditorFault {
    /// `message` is text; its `<br/>` alone are markup.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        EditorFault { fault: Fault::new(status, message), is_outrun: false }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        EditorFault::new(StatusCode::BAD_REQUEST, message)
    }

    /// A key that the request's body lacks.
    pub(super) fn missing(key: &str) -> Self {
        EditorFault::bad(format!("Key '{key}' is required in request data!"))
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        EditorFault::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        EditorFault::new(StatusCode::CONFLICT, message)
    }

    /// An error that trying again would not change.
    pub(super) fn final_word(error: Error) -> Self {
        EditorFault { is_outrun: false, ..error.into() }
    }

    /// The same, told after what was done before it.
    pub(super) fn after(mut self, said: &str) -> Self {
        self.fault.message.insert_str(0, said);
        self
    }

    /// Whether something changed between reading and writing.
    pub(super) fn is_outrun(&self) -> bool {
        self.is_outrun
    }

    pub(super) fn text(&self) -> &str {
        &self.fault.message
    }

    pub(super) fn status(&self) -> StatusCode {
        self.fault.status
    }
}

impl From<Error> for EditorFault {
    fn from(error: Error) -> Self {
        let is_outrun = matches!(error, Error::Stale(_) | Error::Present(_) | Error::Gone(_));
        // The original's number for what breaks its schema and for what is still used.
        let status = matches!(error, Error::Invalid(_) | Error::Referenced(_)).then_some(StatusCode::BAD_REQUEST);
        let message = match &error {
            Error::Invalid(violations) => violations.first().map(said),
            _ => None,
        };
        let mut fault = Fault::from(error);
        fault.status = status.unwrap_or(fault.status);
        fault.message = message.unwrap_or(fault.message);
        EditorFault { fault, is_outrun }
    }
}

impl From<Fault> for EditorFault {
    fn from(fault: Fault) -> Self {
        EditorFault { fault, is_outrun: false }
    }
}

impl From<NameError> for EditorFault {
    fn from(error: NameError) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for EditorFault {
    fn into_response(mut self) -> Response {
        self.fault.message = as_html(&self.fault.message);
        self.fault.into_response()
    }
}

/// A violation as the front end shows it (contracts/editor.md 1.1).
fn said(violation: &Violation) -> String {
    let step = |step: &str| match step.parse::<usize>() {
        Ok(at) => at.to_string(),
        Err(_) => format!("'{}'", step.replace("~1", "/").replace("~0", "~")),
    };
    let path: Vec<String> = violation.pointer.split('/').skip(1).map(step).collect();
    format!("Validation failed: <br/> Path: [{}] <br/> Error: {}", path.join(", "), violation.message)
}

/// A message may repeat what a client sent, and the front end takes it for HTML.
pub(super) fn as_html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace("&lt;br/&gt;", "<br/>")
}

/// Whether a page is wanted rather than JSON.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    prefers(headers, |essence| essence == "text/html")
}

/// A refusal, with the address where to log in when that is what it takes.
pub(super) fn refused(context: &Context, headers: &HeaderMap, refusal: Refusal) -> Response {
    let fault = match refusal {
        Refusal::Missing => Fault::new(StatusCode::UNAUTHORIZED, "Please log in"),
        Refusal::Revoked | Refusal::Reused(_) | Refusal::Expired => {
            Fault::new(StatusCode::UNAUTHORIZED, "Session invalid. Please try logging in again")
        }
        other => Fault::from(other),
    };
    answered(context, headers, fault)
}

/// A fault in the editor's words; a 401 says where to log in and sets the cookie that the login
/// will need.
pub(super) fn answered(context: &Context, headers: &HeaderMap, fault: Fault) -> Response {
    answered_with(context, headers, fault, Wish::default())
}

/// As [`answered`], when it is known what the login is for.
pub(super) fn answered_with(context: &Context, headers: &HeaderMap, fault: Fault, wish: Wish) -> Response {
    let way = (fault.status == StatusCode::UNAUTHORIZED).then(|| login::way(context, headers, wish));
    let (message, status) = (fault.message.clone(), fault.status);
    let address = way.as_ref().map(|way| way.address.clone());
    let mut body = json!({
        "message": message,
        "error": message,
        "status_code": status.as_u16(),
        "payload": fault.payload,
    });
    if let Some(address) = &address {
        body["authorizationUrl"] = Value::String(address.clone());
    }
    let mut response = fault.into_response();
    if wants_page(headers) {
        let html = page(&message, address.as_deref().map(|address| (address, "Log in again")));
        *response.body_mut() = Body::from(html.0);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    } else {
        *response.body_mut() = Body::from(body.to_string());
    }
    if let Some(Way { cookie: Some(cookie), .. }) = way {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// A page of one paragraph and perhaps a link, for people who end up here.
pub(super) fn page(text: &str, link: Option<(&str, &str)>) -> Html<String> {
    let link = link.map_or_else(String::new, |(address, label)| {
        format!("<p><a href=\"{}\">{}</a></p>", escaped(address), escaped(label))
    });
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>workleaf</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}}</style>\
         <h1>workleaf</h1><p>{}</p>{link}</html>\n",
        escaped(text)
    ))
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
