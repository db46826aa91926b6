//! Who is asking and what they may do.

mod audit;
mod configuration;
mod cors;
mod groups;
mod matrix;
mod sessions;
mod sharing;
mod signed;
mod timing;
mod tokens;
mod users;

use serde_json::{Value, json};

use crate::support::{Client, TestApp};

/// A document that any service may be.
fn service(name: &str) -> Value {
    json!({ "descriptor_version": "1", "vendor": "org.example", "name": name, "version": "1.0" })
}

/// With `ann/lab`, which holds the service `firewall`, and its id.
async fn lab() -> (TestApp, String) {
    let app = TestApp::open().await;
    app.workspace("ann/lab").await;
    let ann = app.as_user("ann");
    let address = "/api/v1/services?workspace=ann/lab&path=services/firewall.yml";
    let id = ann.post(address, service("firewall")).await.expect(201).id();
    (app, id)
}

/// Gives somebody a role in `ann/lab`.
async fn grant(app: &TestApp, who: &str, role: &str) {
    let address = format!("/api/v1/workspaces/ann/lab/members/{who}");
    app.as_user("ann").put(&address, json!({ "role": role })).await.expect(200);
}

/// Whoever sends this header.
fn bearer(app: &TestApp, token: &str) -> Client {
    app.anonymous().header("authorization", &format!("Bearer {token}"))
}
