//! Signed tokens, as the DMP tool's front end gets and sends them (contracts/dmp.md 1.2, 1.3).

use serde_json::{Value, json};

use super::bearer;
use crate::support::{Answer, PASSWORD, TestApp, basic, raw};

async fn login(app: &TestApp, name: &str) -> Value {
    app.as_user(name).get("/login").await.expect(200).json()
}

fn text<'a>(pair: &'a Value, key: &str) -> &'a str {
    pair[key].as_str().unwrap_or_else(|| panic!("{key} in {pair}"))
}

/// Every error names itself for both readers.
fn refused(answer: Answer, status: u16) {
    let answer = answer.expect(status);
    let body = answer.json();
    assert!(body["msg"].is_string() && body["error"].is_string(), "{body}");
    assert_eq!(answer.header("www-authenticate"), "");
}

#[tokio::test]
async fn a_login_tells_what_the_front_end_keeps() {
    let app = TestApp::open().await;
    let body = login(&app, "ann").await;
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["username", "email", "project", "project_description", "access_token", "refresh_token"]);
    assert!(body.as_object().unwrap().values().all(Value::is_string), "{body}");
    assert_eq!((text(&body, "email"), text(&body, "project")), ("ann@example.org", "none"));
    assert_eq!(text(&body, "project_description"), "");
    let root = app.as_user("root");
    for name in ["B first", "A second"] {
        root.post("/api/v1/groups", json!({ "name": name, "description": format!("{name}!") })).await.expect(201);
        root.put(&format!("/api/v1/groups/{name}/members/ann"), raw("")).await.expect(204);
    }
    let body = login(&app, "ann").await;
    assert_eq!((text(&body, "project"), text(&body, "project_description")), ("B first", "B first!"));
    root.post("/api/v1/users", json!({ "name": "eve", "password": "secret" })).await.expect(201);
    let eve = app.anonymous().header("authorization", &basic("eve", "secret"));
    assert_eq!(eve.get("/login").await.expect(200).json()["email"], "none");
    app.finish().await;
}

#[tokio::test]
async fn logins_that_fail() {
    let app = TestApp::open().await;
    let nobody = app.anonymous();
    refused(nobody.header("authorization", "Basic").get("/login").await, 401);
    refused(nobody.header("authorization", "Basic !!!").get("/login").await, 401);
    refused(nobody.header("authorization", "Bearer x").get("/login").await, 401);
    refused(nobody.header("authorization", &basic("ann", "wrong")).get("/login").await, 401);
    refused(nobody.header("authorization", &basic("nobody", PASSWORD)).get("/login").await, 401);
    app.anonymous().get("/login/").await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn the_token_errors() {
    let app = TestApp::open().await;
    let pair = login(&app, "ann").await;
    let (access, refresh) = (text(&pair, "access_token"), text(&pair, "refresh_token"));
    bearer(&app, access).get("/start").await.expect(200);
    for (method, path) in [("GET", "/start"), ("DELETE", "/logout"), ("PUT", "/changepassword")] {
        let send = async |header: Option<String>| {
            let client = header.map_or(app.anonymous(), |header| app.anonymous().header("authorization", &header));
            client.send(method, path, raw("")).await
        };
        refused(send(None).await, 401);
        for malformed in
            [basic("ann", PASSWORD), format!("bearer {access}"), "Bearer ".into(), format!("Bearer {access} x")]
        {
            refused(send(Some(malformed)).await, 422);
        }
        for text in ["x", "a.b.c", refresh, &access[..access.len() - 2]] {
            refused(send(Some(format!("Bearer {text}"))).await, 422);
        }
    }
    for method in ["GET", "POST"] {
        refused(bearer(&app, access).send(method, "/refresh", raw("")).await, 422);
        refused(app.anonymous().send(method, "/refresh", raw("")).await, 401);
    }
    app.finish().await;
}

#[tokio::test]
async fn an_access_token_is_good_everywhere_until_logout() {
    let mut app = TestApp::open().await;
    app.workspace("ann/lab").await;
    let pair = login(&app, "ann").await;
    let other = login(&app, "ann").await;
    let client = bearer(&app, text(&pair, "access_token"));
    client.get("/api/v1/workspaces/ann/lab").await.expect(200);
    client.delete("/logout").await.expect(200);
    refused(client.delete("/logout").await, 401);
    client.get("/api/v1/workspaces/ann/lab").await.expect(401);
    // The refresh token of that login is over too, other logins are not.
    refused(bearer(&app, text(&pair, "refresh_token")).post("/refresh", raw("")).await, 401);
    app.restart_after(|_| {}).await;
    refused(bearer(&app, text(&pair, "access_token")).get("/start").await, 401);
    bearer(&app, text(&other, "access_token")).get("/start").await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn refreshing_rotates_and_reuse_ends_the_login() {
    let app = TestApp::open().await;
    let first = login(&app, "ann").await;
    let second = bearer(&app, text(&first, "refresh_token")).post("/refresh", raw("")).await.expect(201).json();
    let third = bearer(&app, text(&second, "refresh_token")).get("/refresh").await.expect(200).json();
    for pair in [&first, &second, &third] {
        bearer(&app, text(pair, "access_token")).get("/start").await.expect(200);
    }
    refused(bearer(&app, text(&first, "refresh_token")).post("/refresh", raw("")).await, 401);
    for pair in [&first, &second, &third] {
        refused(bearer(&app, text(pair, "access_token")).get("/start").await, 401);
        bearer(&app, text(pair, "access_token")).get("/api/v1/workspaces").await.expect(401);
    }
    refused(bearer(&app, text(&third, "refresh_token")).post("/refresh", raw("")).await, 401);
    app.finish().await;
}

#[tokio::test]
async fn of_many_refreshes_at_once_one_succeeds() {
    let app = TestApp::open().await;
    let pair = login(&app, "ann").await;
    let client = bearer(&app, text(&pair, "refresh_token"));
    let tries = (0..8).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.post("/refresh", raw("")).await.status })
    });
    let mut statuses = Vec::new();
    for done in tries.collect::<Vec<_>>() {
        statuses.push(done.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_changed_password_ends_every_login() {
    let app = TestApp::open().await;
    let (pair, other) = (login(&app, "ann").await, login(&app, "ann").await);
    let client = bearer(&app, text(&pair, "access_token"));
    refused(client.put("/changepassword", raw("")).await, 400);
    refused(client.header("newpassword", "").put("/changepassword", raw("")).await, 400);
    client.header("newpassword", "new horse").put("/changepassword", raw("")).await.expect(200);
    for pair in [&pair, &other] {
        refused(bearer(&app, text(pair, "access_token")).get("/start").await, 401);
        refused(bearer(&app, text(pair, "refresh_token")).post("/refresh", raw("")).await, 401);
    }
    app.as_user("ann").get("/login").await.expect(401);
    app.anonymous().header("authorization", &basic("ann", "new horse")).get("/login").await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_deleted_account_is_nobody() {
    let app = TestApp::open().await;
    let pair = login(&app, "bob").await;
    let root = app.as_user("root");
    root.delete("/api/v1/users/bob").await.expect(204);
    refused(bearer(&app, text(&pair, "access_token")).get("/start").await, 401);
    // A namesake is somebody else.
    root.post("/api/v1/users", json!({ "name": "bob", "password": PASSWORD })).await.expect(201);
    refused(bearer(&app, text(&pair, "access_token")).get("/start").await, 401);
    refused(bearer(&app, text(&pair, "refresh_token")).post("/refresh", raw("")).await, 401);
    app.finish().await;
}

#[tokio::test]
async fn lifetimes_are_configured() {
    let app = TestApp::open_with(|_, config| config.authentication.access_lifetime = 1).await;
    let pair = login(&app, "ann").await;
    let client = bearer(&app, text(&pair, "access_token"));
    client.get("/start").await.expect(200);
    client.get("/api/v1/workspaces").await.expect(200);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    refused(client.get("/start").await, 401);
    client.get("/api/v1/workspaces").await.expect(401);
    bearer(&app, text(&pair, "refresh_token")).post("/refresh", raw("")).await.expect(201);
    app.finish().await;
}

#[tokio::test]
async fn what_was_verified_before_a_password_changed_makes_nothing_after_it() {
    let app = TestApp::open().await;
    let state = &app.app().state;
    let before = state.account("ann").await.unwrap().unwrap().0;
    state.set_password("ann", "changed", None).await.unwrap();
    let changed = |error: workleaf::state::Error| matches!(error, workleaf::state::Error::Changed);
    assert!(changed(state.create_login(&before, "family", "refresh", i64::MAX).await.unwrap_err()));
    let scope = workleaf::resource::actor::Scope::Admin;
    assert!(changed(state.create_token(&before, "late", scope, "digest", None).await.unwrap_err()));
    assert!(changed(state.set_password("ann", "again", Some(before.epoch)).await.unwrap_err()));
    app.finish().await;
}

#[tokio::test]
async fn of_many_changes_of_one_password_at_once_one_succeeds() {
    let app = TestApp::open().await;
    let pair = login(&app, "ann").await;
    let client = bearer(&app, text(&pair, "access_token"));
    let tries = (0..6).map(|at| {
        let client = client.header("newpassword", &format!("horse {at}"));
        tokio::spawn(async move { client.put("/changepassword", raw("")).await.status })
    });
    let mut statuses = Vec::new();
    for done in tries.collect::<Vec<_>>() {
        statuses.push(done.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    app.finish().await;
}
