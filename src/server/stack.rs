//! What runs around every request.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tracing::Instrument as _;

use super::figures::Figures;
use crate::auth::Authenticator;
use crate::base::random;
use crate::config::{Config, Live};
use crate::dialect::{dci, dmp};
use crate::http::fault::{Fault, internal};

/// What the stack is told by the configuration.
#[derive(Clone)]
pub struct Settings {
    live: Arc<Live>,
    authenticator: Arc<Authenticator>,
    figures: Arc<Figures>,
}

impl Settings {
    pub fn new(live: Arc<Live>, authenticator: Arc<Authenticator>) -> Self {
        Settings { live, authenticator, figures: Arc::default() }
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Distinguishes the request ids of two runs.
static RUN: AtomicU64 = AtomicU64::new(0);
static NEXT: AtomicU64 = AtomicU64::new(0);

fn request_id() -> String {
    let mut run = RUN.load(Ordering::Relaxed);
    if run == 0 {
        run = u64::from(u32::from_le_bytes(random::bytes())) | 1;
        RUN.store(run, Ordering::Relaxed);
    }
    format!("{run:08x}-{:06x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Outermost: request id, span, time limit, CORS, metrics, access log.
pub(super) async fn frame(State(settings): State<Settings>, request: Request, next: Next) -> Response {
    let id = request_id();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let config = settings.live.get();
    let cors = cors(&config, &request);
    let span = tracing::info_span!("request", %id, http.method = %method, http.path = %request.uri().path());
    let started = Instant::now();
    // Preflights are answered before anything else is asked (contracts/editor.md 1.1).
    let mut response = if method == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        let (parts, body) = request.into_parts();
        match settings.authenticator.admit(settings.authenticator.address(&parts)) {
            Ok(()) => {
                // A large push takes as long as it takes: only silence ends it (`git_http`).
                let is_git = parts.uri.path().starts_with("/git/");
                let seconds = if is_git { u64::from(u32::MAX) } else { config.limits.request_timeout };
                let timeout = Duration::from_secs(seconds);
                limited(timeout, next.run(Request::from_parts(parts, body))).instrument(span.clone()).await
            }
            Err(refusal) => Fault::from(refusal).into_response(),
        }
    };
    let taken = started.elapsed();
    for (name, value) in &cors {
        if *name == VARY {
            response.headers_mut().append(name, value.clone());
        } else {
            response.headers_mut().insert(name, value.clone());
        }
    }
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(id)) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status();
    span.in_scope(|| {
        let duration_ms = taken.as_secs_f64() * 1_000.0;
        if status.is_server_error() {
            tracing::error!(http.status = status.as_u16(), duration_ms, "answered");
        } else if method == Method::GET || method == Method::HEAD {
            tracing::debug!(http.status = status.as_u16(), duration_ms, "answered");
        } else {
            tracing::info!(http.status = status.as_u16(), duration_ms, "answered");
        }
    });
    settings.figures.count(&method, route.as_ref().map_or("none", MatchedPath::as_str), status, taken);
    response
}

/// Bounds the time of one request.
async fn limited(timeout: Duration, answer: impl Future<Output = Response>) -> Response {
    match tokio::time::timeout(timeout, answer).await {
        Ok(response) => response,
        Err(_) => Fault::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the request took longer than {} seconds", timeout.as_secs()),
        )
        .into_response(),
    }
}

/// Cross-origin headers (decisions.md 19, contracts/editor.md 1.2).
fn cors(config: &Config, request: &Request) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let is_open = is_open_to_all_origins(request.uri().path());
    let origin = request.headers().get(ORIGIN);
    let is_allowed = origin.and_then(|origin| origin.to_str().ok()).is_some_and(|origin| config.allows_origin(origin));
    if !config.allowed_hosts.is_empty() {
        // Answers differ by origin, also to those that are not allowed.
        headers.insert(VARY, HeaderValue::from_static("Origin"));
    }
    match origin {
        Some(origin) if is_allowed => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        _ if is_open => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        _ => return headers,
    }
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag"));
    if request.method() == Method::OPTIONS {
        headers
            .insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS"));
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "Content-Type, Authorization, X-Requested-With, If-Match, If-None-Match, newpassword",
            ),
        );
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("1000"));
    }
    headers
}

/// Pages of any origin may call the older APIs, without the browser's own credentials.
fn is_open_to_all_origins(path: &str) -> bool {
    dci::is_open_to_all_origins(path) || dmp::is_open_to_all_origins(path)
}

/// A panic costs one request, not the server.
pub(super) fn panicked(payload: Box<dyn Any + Send>) -> Response {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("of an unknown kind");
    tracing::error!(panic = text, "a request panicked");
    metrics::counter!("panics_total").increment(1);
    internal().into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_tells_nothing() {
        let payloads: [Box<dyn Any + Send>; 3] =
            [Box::new("at /srv/secret.rs"), Box::new("at /srv/secret.rs".to_owned()), Box::new(7)];
        for payload in payloads {
            let response = panicked(payload);
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((&body["status_code"], body["payload"].is_object()), (&500.into(), true));
            assert!(!body.to_string().contains("secret"), "{body}");
        }
    }
}
