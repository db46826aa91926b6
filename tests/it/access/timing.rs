//! What an answer's time tells.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{TestApp, basic};

/// The least of a few tries: the rest is other work.
async fn taken(app: &TestApp, name: &str) -> Duration {
    let mut least = Duration::MAX;
    for at in 0..4 {
        let client = app.anonymous().header("authorization", &basic(name, &format!("guess {at}")));
        let started = Instant::now();
        client.get("/api/v1/workspaces").await.expect(401);
        least = least.min(started.elapsed());
    }
    least
}

#[tokio::test]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let app = TestApp::open().await;
    let root = app.as_user("root");
    // Hashed at the cost that the server chooses, unlike those of the other tests.
    root.post("/api/v1/users", json!({ "name": "eve", "password": "secret" })).await.expect(201);
    let (known, unknown) = (taken(&app, "eve").await, taken(&app, "nobody").await);
    let ratio = known.as_secs_f64() / unknown.as_secs_f64();
    assert!((0.4..2.5).contains(&ratio), "{known:?} and {unknown:?}");
    app.finish().await;
}
