//! Requests to a router in this process, and their answers, each of which is checked for what no
//! answer may hold.

use std::sync::{Arc, RwLock, Weak};

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::BodyExt as _;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;
use tower::ServiceExt as _;

use super::redact::redact;

const URI: AsciiSet =
    CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Somebody who asks. Cheap to clone; [`Client::header`] makes another one.
#[derive(Clone)]
pub(crate) struct Client {
    /// Not held: a server that has stopped must be gone.
    router: Weak<RwLock<Router>>,
    headers: HeaderMap,
    /// What no answer may hold: the server's own paths.
    secret: String,
    /// Whether another server's failure may show.
    is_tolerant: bool,
}

/// A body and its content type.
pub(crate) struct Body {
    media: Option<&'static str>,
    bytes: Vec<u8>,
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        typed("application/json", value.to_string())
    }
}

/// A body of a type.
pub(crate) fn typed(media: &'static str, bytes: impl Into<Vec<u8>>) -> Body {
    Body { media: Some(media), bytes: bytes.into() }
}

/// A YAML body.
pub(crate) fn yaml(text: impl Into<Vec<u8>>) -> Body {
    typed("application/yaml", text)
}

/// A body without a type.
pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Body {
    Body { media: None, bytes: bytes.into() }
}

impl Client {
    pub(super) fn new(router: &Arc<RwLock<Router>>, secret: String) -> Self {
        let headers = HeaderMap::from_iter([(HeaderName::from_static("host"), HeaderValue::from_static("test.local"))]);
        Client { router: Arc::downgrade(router), headers, secret, is_tolerant: false }
    }

    /// The same with one more header.
    pub(crate) fn header(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        other.headers.append(name, HeaderValue::from_str(value).expect("a header's value"));
        other
    }

    /// The same, for tests of what other servers' failures do: 502, 503 and 504 are answers too.
    pub(crate) fn tolerant(&self) -> Self {
        Client { is_tolerant: true, ..self.clone() }
    }

    /// With `If-Match`.
    pub(crate) fn at(&self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, raw("")).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send("POST", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send("PUT", path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send("PATCH", path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, raw("")).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let body = body.into();
        let mut request = Request::new(axum::body::Body::from(body.bytes));
        *request.method_mut() = Method::from_bytes(method.as_bytes()).expect("a method");
        // What a URI cannot hold; everything else stays as it is written.
        let uri = utf8_percent_encode(path, &URI).to_string();
        *request.uri_mut() = uri.parse::<Uri>().unwrap_or_else(|error| panic!("{path}: {error}"));
        *request.headers_mut() = self.headers.clone();
        if let Some(media) = body.media {
            request.headers_mut().entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(media));
        }
        let router = self.router.upgrade().expect("the server that this client asks has stopped");
        let router = router.read().expect("no test poisons it").clone();
        let response = router.oneshot(request).await.expect("a router cannot fail");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body is whole").to_bytes();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
        answer.check(&format!("{method} {path}"), method == "HEAD", self);
        answer
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// What holds for every answer: it has a request id, tells nothing of the server's disk, is no
    /// 5xx, and is in the envelope, or the page of a browser, when it is an error.
    fn check(&self, asked: &str, is_head: bool, client: &Client) {
        assert!(self.headers.contains_key("x-request-id"), "{asked}: no request id");
        let whole = format!("{:?} {}", self.headers, String::from_utf8_lossy(&self.body));
        assert!(!whole.contains(&client.secret), "{asked}: the answer tells a path of the server: {whole}");
        let is_others = client.is_tolerant && matches!(self.status, 502..=504);
        assert!(self.status < 500 || is_others, "{asked}: {} {}", self.status, self.text());
        if self.status < 400 || is_head {
            return;
        }
        let is_page = client.headers.get("accept").is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"));
        if is_page && self.header("content-type").starts_with("text/html") {
            assert!(self.text().starts_with("<!doctype html>"), "{asked}: {}", self.text());
        } else {
            assert_eq!(self.header("content-type"), "application/json", "{asked}: {}", self.text());
            let body = self.json();
            assert_eq!(body["status_code"], self.status, "{asked}: {body}");
            assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()), "{asked}: {body}");
            assert!(body["payload"].is_object(), "{asked}: {body}");
        }
        for word in ["src/", ".rs:", "panicked", "tantivy", "libgit2", "sqlite", "RUST_BACKTRACE"] {
            assert!(!whole.contains(word), "{asked}: the answer tells of {word:?}: {whole}");
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header in ASCII"))
    }

    /// Fails with the answer's text unless it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The one member of a JSON answer's top level: the document in `{"service": {...}}`.
    #[track_caller]
    pub(crate) fn inner(&self) -> Value {
        let body = self.json();
        let members = body.as_object().expect("an object");
        assert_eq!(members.len(), 1, "{body}");
        members.values().next().expect("one member").clone()
    }

    /// The `etag` of the document that this answers with.
    #[track_caller]
    pub(crate) fn etag(&self) -> String {
        self.inner()["etag"].as_str().expect("a document with an etag").to_owned()
    }

    /// The `id` of the document that this answers with, as it stands in addresses.
    #[track_caller]
    pub(crate) fn id(&self) -> String {
        match &self.inner()["id"] {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            other => panic!("no id: {other}"),
        }
    }

    /// For snapshots: the status, the headers that matter, the body; what differs from run to run
    /// is replaced.
    pub(crate) fn shown(&self) -> String {
        let mut out = format!("{}\n", self.status);
        for name in ["allow", "content-type", "etag", "location", "retry-after", "vary", "www-authenticate"] {
            let value = self.header(name);
            if !value.is_empty() && (name, value) != ("content-type", "application/json") {
                out += &format!("{name}: {value}\n");
            }
        }
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(body) if self.header("content-type") == "application/json" => {
                out += &serde_json::to_string_pretty(&body).expect("JSON can be written");
            }
            _ => out += &self.text(),
        }
        redact(&out)
    }
}
