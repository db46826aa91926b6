//! The SONATA editor's backend. "Original" marks cases of its own test-suite (contracts/editor.md 5).

mod catalogue_proxy;
mod catalogues;
mod check;
mod desk;
mod functions;
mod gate;
mod git;
mod images;
mod lookup;
mod original;
mod own_catalogue;
mod packages;
mod platforms_push;
mod private;
mod projects;
mod pushed;
mod races;
mod references;
mod remote;
mod schemas;
mod services;
mod workspaces;

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};

use crate::support::local::Local;
use crate::support::{Client, TestApp};

/// A server where other servers on this machine may be called, with no schemas to fetch.
async fn open() -> TestApp {
    TestApp::open_with(|_, config| {
        config.outside.hosts = vec!["127.0.0.1".into()];
        config.outside.timeout = 5;
        config.schemas.clear();
    })
    .await
}

/// A server that answers like a catalogue and like a platform; 500 below `/broken`.
fn somebody() -> Local {
    Local::open(|_| {
        Router::new()
            .route("/", get(|| async { "here" }))
            .route("/api/v2/packages", get(|| async { "[]" }))
            .route("/broken", get(|| async { (axum::http::StatusCode::INTERNAL_SERVER_ERROR, "<b>no</b>") }))
    })
}

/// Its address.
fn url(local: &Local) -> String {
    format!("http://127.0.0.1:{}/", local.port)
}

/// A new workspace of the caller, as the answer shows it.
async fn workspace(client: &Client, name: &str) -> Value {
    client.post("/workspaces/", json!({ "name": name })).await.expect(201).json()
}

/// The address of a workspace.
fn at(workspace: &Value) -> String {
    format!("/workspaces/{}", workspace["id"])
}

/// A new project, as the answer shows it.
async fn project(client: &Client, workspace: &Value, name: &str) -> Value {
    client.post(&format!("{}/projects/", at(workspace)), json!({ "name": name })).await.expect(201).json()
}

/// The names in a list.
async fn names(client: &Client, list: &str) -> Vec<String> {
    let all = client.get(list).await.expect(200).json();
    let named = |item: &Value| item["name"].as_str().expect("a name").to_owned();
    all.as_array().expect("a list").iter().map(named).collect()
}

/// What a refusal says.
#[track_caller]
fn message(answer: crate::support::Answer, status: u16) -> String {
    answer.expect(status).json()["message"].as_str().expect("a message").to_owned()
}
