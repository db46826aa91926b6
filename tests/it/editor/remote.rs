//! Servers that speak a catalogue's and a platform's protocol, and misbehave where they are asked to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use serde_json::{Value, json};

use crate::support::local::Local;

/// A catalogue on this machine.
pub(super) struct Remote {
    pub(super) local: Local,
    world: Arc<Mutex<World>>,
}

#[derive(Default)]
struct World {
    /// By path below the base.
    held: BTreeMap<String, Value>,
    /// `METHOD path authorization` of each call.
    calls: Vec<String>,
    packages: Vec<Bytes>,
    answer: Option<(u16, String)>,
}

impl Remote {
    pub(super) fn open() -> Self {
        let world = Arc::new(Mutex::new(World::default()));
        let state = world.clone();
        let local = Local::open(move |port| {
            Router::new()
                .route("/", get(|| async { "here" }))
                .route("/slow/{*rest}", any(std::future::pending::<()>))
                .route("/html/{*rest}", any(|| async { "<html>" }))
                .route("/text/{*rest}", any(|| async { axum::Json(json!("text")) }))
                .route("/large/{*rest}", any(large))
                .route("/away/{*rest}", any(move || async move { away(port) }))
                .route("/wrong/{status}/{*rest}", any(wrong))
                .route("/api/v2/packages", get(|| async { "[]" }).post(package))
                .route("/{sort}", any(list))
                .route("/{sort}/vendor/{vendor}/name/{name}/version/{version}", any(one))
                .with_state(state)
        });
        Remote { local, world }
    }

    pub(super) fn url(&self, below: &str) -> String {
        format!("http://127.0.0.1:{}/{below}", self.local.port)
    }

    pub(super) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.world.lock().expect("nobody panics").calls)
    }

    /// The packages that were uploaded, as whole forms.
    pub(super) fn packages(&self) -> Vec<Bytes> {
        self.world.lock().expect("nobody panics").packages.clone()
    }

    /// How the next uploads are answered.
    pub(super) fn answer(&self, status: u16, body: &str) {
        self.world.lock().expect("nobody panics").answer = Some((status, body.to_owned()));
    }

    pub(super) fn hold(&self, path: &str, value: Value) {
        self.world.lock().expect("nobody panics").held.insert(path.to_owned(), value);
    }
}

type Shared = State<Arc<Mutex<World>>>;

fn note(world: &mut World, method: &Method, uri: &Uri, headers: &HeaderMap) {
    let sent = headers.get("authorization").map_or("-", |value| value.to_str().expect("ASCII"));
    world.calls.push(format!("{method} {} {sent}", uri.path()));
}

async fn list(State(world): Shared, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = world.lock().expect("nobody panics");
    note(&mut world, &method, &uri, &headers);
    let base = format!("{}/", uri.path());
    match method {
        Method::GET => {
            let held = world.held.iter().filter(|(path, _)| path.starts_with(&base)).map(|(_, value)| value.clone());
            axum::Json(held.collect::<Value>()).into_response()
        }
        Method::POST => {
            let value: Value = serde_json::from_slice(&body).expect("a descriptor");
            let part = |key: &str| value[key].as_str().expect("a text").to_owned();
            let path = format!("{base}vendor/{}/name/{}/version/{}", part("vendor"), part("name"), part("version"));
            if world.held.contains_key(&path) {
                return (StatusCode::CONFLICT, "there is one").into_response();
            }
            world.held.insert(path, value.clone());
            (StatusCode::CREATED, axum::Json(value)).into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn one(State(world): Shared, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = world.lock().expect("nobody panics");
    note(&mut world, &method, &uri, &headers);
    let path = uri.path().to_owned();
    if !world.held.contains_key(&path) {
        return (StatusCode::NOT_FOUND, "no <b>such</b> thing").into_response();
    }
    match method {
        Method::GET => axum::Json(world.held[&path].clone()).into_response(),
        Method::PUT => {
            world.held.insert(path, serde_json::from_slice(&body).expect("a descriptor"));
            "replaced".into_response()
        }
        Method::DELETE => {
            world.held.remove(&path);
            StatusCode::OK.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn package(State(world): Shared, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = world.lock().expect("nobody panics");
    note(&mut world, &method, &uri, &headers);
    let kind = headers.get("content-type").map_or("", |value| value.to_str().expect("ASCII")).to_owned();
    assert!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
    world.packages.push(body);
    let (status, body) = world.answer.clone().unwrap_or((201, json!({ "service_uuid": "u-1" }).to_string()));
    (StatusCode::from_u16(status).expect("a status"), body).into_response()
}

async fn large() -> Vec<u8> {
    vec![b' '; 17 << 20]
}

fn away(port: u16) -> Response {
    (StatusCode::FOUND, [("location", format!("http://127.0.0.1:{port}/vnfs"))]).into_response()
}

async fn wrong(Path((status, _)): Path<(u16, String)>) -> Response {
    (StatusCode::from_u16(status).expect("a status"), "because <i>I</i> say so").into_response()
}
