//! The server's own addresses: the page at the root, the OpenAPI document, health, metrics.

use std::sync::Arc;

use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, Json};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};

use super::Health;
use crate::engine::Error;
use crate::http::context::Context;
use crate::http::fault::Fault;
use crate::http::path::Path;
use crate::http::route::Route;

/// What the server's own pages show.
#[derive(Clone)]
pub(super) struct Pages(Arc<Shown>);

struct Shown {
    document: String,
    metrics: PrometheusHandle,
    health: Arc<dyn Health>,
    assets: Arc<utoipa_swagger_ui::Config<'static>>,
}

impl Pages {
    pub(super) fn new(document: Value, metrics: PrometheusHandle, health: Arc<dyn Health>) -> Self {
        let assets = Arc::new(utoipa_swagger_ui::Config::from("/openapi.json"));
        Pages(Arc::new(Shown { document: document.to_string(), metrics, health, assets }))
    }
}

/// These addresses, all without login.
pub(super) fn routes() -> Vec<Route<Context>> {
    let html = [("text/html", json!({ "type": "string" }))];
    let plain = [("text/plain", json!({ "type": "string" }))];
    let object = [("application/json", json!({ "type": "object" }))];
    let table = vec![
        Route::new(Method::GET, "/", "get_page", page)
            .summary("This page: the API, to try out")
            .answer(200, "HTML.", &html),
        Route::new(Method::GET, "/swaggerui/{*file}", "get_page_asset", asset)
            .summary("What the page is made of")
            .answer(200, "A file.", &[("*/*", json!({}))])
            .errors(&[404]),
        Route::new(Method::GET, "/openapi.json", "get_openapi", openapi).summary("This document").answer(
            200,
            "OpenAPI 3.1.",
            &object,
        ),
        Route::new(Method::GET, "/swagger.json", "get_swagger", openapi)
            .summary("This document, where older clients look")
            .answer(200, "OpenAPI 3.1.", &object),
        Route::new(Method::GET, "/health/live", "get_live", live)
            .summary("Whether the process answers")
            .answer(200, "It does.", &object),
        Route::new(Method::GET, "/health/ready", "get_ready", ready)
            .summary("Whether requests can be served")
            .answer(200, "They can.", &object)
            .errors(&[503]),
        Route::new(Method::GET, "/metrics", "get_metrics", metrics).summary("Figures for Prometheus").answer(
            200,
            "Text format 0.0.4.",
            &plain,
        ),
    ];
    table.into_iter().map(|route| route.tag("server")).collect()
}

async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}

async fn asset(Extension(pages): Extension<Pages>, Path(file): Path<String>) -> Response {
    match utoipa_swagger_ui::serve(&file, pages.0.assets.clone()) {
        Ok(Some(found)) => {
            let kind = HeaderValue::from_str(&found.content_type);
            let mut response = found.bytes.into_owned().into_response();
            if let Ok(kind) = kind {
                response.headers_mut().insert(CONTENT_TYPE, kind);
            }
            if found.gzpipped {
                response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        }
        Ok(None) | Err(_) => Fault::from(Error::NotFound(format!("file {file:?} of the page"))).into_response(),
    }
}

async fn openapi(Extension(pages): Extension<Pages>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], pages.0.document.clone()).into_response()
}

async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

async fn ready(Extension(pages): Extension<Pages>) -> Response {
    let problems = pages.0.health.problems();
    if problems.is_empty() {
        let notes = pages.0.health.notes();
        return match notes.is_empty() {
            true => Json(json!({ "status": "ready" })).into_response(),
            false => Json(json!({ "status": "ready", "notes": notes })).into_response(),
        };
    }
    Fault::new(StatusCode::SERVICE_UNAVAILABLE, problems.join("; ")).with("problems", json!(problems)).into_response()
}

async fn metrics(Extension(pages): Extension<Pages>) -> Response {
    pages.0.metrics.run_upkeep();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(CONTENT_TYPE, kind)], pages.0.metrics.render()).into_response()
}
