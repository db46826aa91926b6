//! From an engine's error to an HTTP answer: the one status table and the one envelope.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::auth::Refusal;
use crate::engine::{Candidate, Error};
use crate::resource::check::Violation;
use crate::resource::key::DocumentId;

/// An error as it goes out: `{"message", "status_code", "payload"}`.
#[derive(Debug, Clone)]
pub struct Fault {
    pub status: StatusCode,
    pub message: String,
    /// Boxed to keep results that may hold a fault small.
    pub payload: Box<Map<String, Value>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Fault {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Fault { status, message: message.into(), payload: Box::default(), headers: Vec::new() }
    }

    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.payload.insert(key.to_owned(), value);
        self
    }

    /// Adds a header to the answer.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Asks for credentials by RFC 7617, which makes browsers show their own form.
    pub fn challenge(self) -> Self {
        self.header(WWW_AUTHENTICATE, "Basic realm=\"workleaf\", charset=\"UTF-8\"")
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!({
            "message": self.message,
            "status_code": self.status.as_u16(),
            "payload": self.payload,
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// The status of each error. The only such table.
fn status(error: &Error) -> StatusCode {
    match error {
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::LoginNeeded => StatusCode::UNAUTHORIZED,
        Error::Denied(_) => StatusCode::FORBIDDEN,
        Error::Exists(_)
        | Error::Conflict(_)
        | Error::Conflicts(_)
        | Error::Gone(_)
        | Error::Ambiguous { .. }
        | Error::Referenced(_) => StatusCode::CONFLICT,
        Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Unreadable(_) | Error::BadRequest { .. } => StatusCode::BAD_REQUEST,
        Error::Unconditional | Error::Present(_) | Error::Stale(_) => StatusCode::PRECONDITION_FAILED,
        Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Error::Elsewhere(_) => StatusCode::BAD_GATEWAY,
        Error::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Full => StatusCode::INSUFFICIENT_STORAGE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let status = status(&error);
        match error {
            Error::NotFound(what) => Fault::new(status, format!("there is no {what}")),
            Error::LoginNeeded => {
                Fault::new(status, "log in first: send your account's name and password as Basic credentials")
            }
            Error::Denied(why) => Fault::new(status, why),
            Error::Exists(what) => Fault::new(status, format!("the {what} exists already")),
            Error::Conflict(why) => Fault::new(status, why),
            Error::Ambiguous { name, candidates } => {
                Fault::new(status, format!("{name:?} is the name of several documents: use the id of one"))
                    .with("candidates", listed(&candidates))
            }
            Error::Referenced(referrers) => {
                Fault::new(status, "other documents link to this one: change or delete them first")
                    .with("referrers", listed(&referrers))
            }
            Error::Invalid(violations) => {
                let first = violations.first().map_or_else(String::new, |v| format!(": {}", v.message));
                Fault::new(status, format!("the document breaks its kind{first}"))
                    .with("violations", violations_json(&violations))
            }
            Error::Unreadable(error) => Fault::new(
                status,
                format!("the document cannot be read: {}, line {}, column {}", error.message, error.line, error.column),
            )
            .with("line", json!(error.line))
            .with("column", json!(error.column)),
            Error::BadRequest { message, particulars } => {
                let fault = Fault::new(status, message);
                match particulars {
                    Some((key, value)) => fault.with(&key, value),
                    None => fault,
                }
            }
            Error::Unconditional => Fault::new(status, "'If-match' header must be provided"),
            Error::Present(now) => {
                Fault::new(status, "there is a file already, and If-None-Match: * makes new ones only")
                    .with("etag", json!(now.to_string()))
            }
            Error::Stale(now) => {
                let message = match now {
                    Some(_) => "the document has changed since you read it: read it again and repeat your change",
                    None => "there is no such file: to make one, send If-None-Match: * instead",
                };
                Fault::new(status, message).with("etag", now.map_or(Value::Null, |etag| json!(etag.to_string())))
            }
            Error::Gone(path) => {
                Fault::new(status, format!("{path}, which this relies on, has been deleted meanwhile"))
            }
            Error::TooLarge(why) => Fault::new(status, why),
            Error::Conflicts(paths) => {
                let lines = paths.iter().map(|path| format!("CONFLICT (content): Merge conflict in {path}\n"));
                let message = format!(
                    "{}Automatic merge failed, and nothing was changed: make these files alike on one side first",
                    lines.collect::<String>()
                );
                Fault::new(status, message).with("conflicts", json!(paths))
            }
            Error::Elsewhere(why) => Fault::new(status, why),
            Error::Busy(why) => Fault::new(status, why).header(RETRY_AFTER, "1"),
            Error::Full => Fault::new(status, "the server's disk is full; nothing was changed"),
            Error::Internal(source) => {
                tracing::error!(error = &*source as &dyn std::error::Error, chain = chain(&*source), "internal error");
                internal()
            }
        }
    }
}

/// The answer that tells nothing: the cause is in the log under the request's id.
pub fn internal() -> Fault {
    Fault::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal error: the server's log has more under this answer's X-Request-Id",
    )
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let unauthorized = StatusCode::UNAUTHORIZED;
        match refusal {
            Refusal::Missing => Error::LoginNeeded.into(),
            Refusal::Malformed => Fault::new(
                unauthorized,
                "the credentials are not readable: send Basic and base64 of name:password, or Bearer and a token",
            ),
            Refusal::Wrong => Fault::new(unauthorized, "unknown account, wrong password or unknown token"),
            Refusal::Expired => Fault::new(unauthorized, "the token has expired: make a new one or log in again"),
            Refusal::Revoked | Refusal::Reused(_) => Fault::new(unauthorized, "this login was ended: log in again"),
            Refusal::WrongUse => Fault::new(unauthorized, "this token is not for access: send the access token"),
            Refusal::Unlisted(login) => Fault::new(unauthorized, unlisted(&login)),
            Refusal::Foreign => Fault::new(
                StatusCode::FORBIDDEN,
                "changes by cookie need an Origin header of this server or of one of its allowed-hosts",
            ),
            Refusal::Limited(wait) => {
                let seconds = wait.as_secs() + 1;
                Fault::new(StatusCode::TOO_MANY_REQUESTS, format!("too many requests: wait {seconds} seconds"))
                    .header(RETRY_AFTER, &seconds.to_string())
            }
            Refusal::Throttled(wait) => {
                let seconds = wait.as_secs() + 1;
                Fault::new(StatusCode::TOO_MANY_REQUESTS, format!("too many failed logins: wait {seconds} seconds"))
                    .header(RETRY_AFTER, &seconds.to_string())
            }
            Refusal::Unavailable => internal(),
        }
    }
}

/// What somebody reads whose login is not on the list (contracts/editor.md 1.4).
pub fn unlisted(login: &str) -> String {
    format!(
        "{login} was not found in the list of valid users,Please ask the admin of this server to add you to the list of valid users"
    )
}

/// An error and its causes on one line, for the log.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// An id as JSON shows it: derived ones are numbers.
pub fn id_json(id: &DocumentId) -> Value {
    match id {
        DocumentId::Number(number) => json!(number),
        DocumentId::Text(text) => json!(&**text),
    }
}

fn listed(candidates: &[Candidate]) -> Value {
    let entries = candidates
        .iter()
        .map(|c| json!({ "kind": c.kind, "id": id_json(&c.id), "workspace": c.workspace, "path": c.path }));
    entries.collect()
}

/// Violations as every JSON face shows them.
pub fn violations_json(violations: &[Violation]) -> Value {
    let entries = violations
        .iter()
        .map(|v| json!({ "pointer": v.pointer, "line": v.line, "column": v.column, "message": v.message }));
    entries.collect()
}
