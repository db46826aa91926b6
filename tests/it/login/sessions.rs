//! What a session is, how it ends, and what other sites' pages cannot do with it.

use serde_json::json;

use super::{Browser, OWN, open};
use crate::support::github::GitHub;
use crate::support::{Client, PASSWORD, TestApp, basic, raw, typed};

/// A server and somebody who is logged in.
async fn start() -> (GitHub, TestApp, Browser) {
    let github = GitHub::open();
    let app = open(&github, json!({ "allowed-hosts": ["localhost", "https://editor.example.org"] })).await;
    github.person(7, "ina");
    let mut browser = Browser::new(&app);
    browser.log_in(&github).await.expect(302);
    (github, app, browser)
}

/// Somebody with nothing but this session.
fn with(app: &TestApp, session: &str) -> Client {
    app.anonymous().header("cookie", &format!("session={session}"))
}

async fn is_in(app: &TestApp, session: &str) -> bool {
    with(app, session).get("/user").await.status == 200
}

#[tokio::test]
async fn a_session_id_that_somebody_chose_is_not_adopted() {
    let (github, app, known) = start().await;
    let chosen = "AAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(chosen.len(), known.session().unwrap().len(), "of the form of an id");
    for planted in [chosen, "0", "", "x y", "%00", &"A".repeat(4_000), known.session().unwrap()] {
        let mut victim = Browser::new(&app);
        victim.cookies.insert("session".into(), (planted.to_owned(), "/".into()));
        let planted_in = is_in(&app, planted).await;
        assert_eq!(planted_in, Some(planted) == known.session());
        github.person(8, "victim");
        victim.log_in(&github).await.expect(302);
        assert_ne!(victim.session().unwrap(), planted);
        assert_eq!(victim.account().await.as_deref(), Some("victim"));
        assert!(!is_in(&app, planted).await, "{planted:?} is good after the login");
    }
    app.finish().await;
}

#[tokio::test]
async fn each_login_has_a_new_id_and_the_old_one_is_good_no_more() {
    let (github, app, mut browser) = start().await;
    let mut old = Vec::new();
    for _ in 0..3 {
        let before = browser.session().unwrap().to_owned();
        // It was believed a moment ago.
        assert!(is_in(&app, &before).await);
        browser.log_in(&github).await.expect(302);
        assert_ne!(browser.session().unwrap(), before);
        old.push(before);
    }
    let mut by_password = browser.header("origin", OWN);
    let before = by_password.session().unwrap().to_owned();
    assert!(is_in(&app, &before).await);
    let body = json!({ "name": "ann", "password": PASSWORD });
    by_password.send("POST", "/api/v1/session", body).await.expect(200);
    old.push(before);
    for id in old {
        assert!(!is_in(&app, &id).await);
    }
    assert_eq!(by_password.account().await.as_deref(), Some("ann"));
    app.finish().await;
}

#[tokio::test]
async fn logging_out_ends_this_session_and_no_other() {
    let (github, app, mut here) = start().await;
    let mut there = Browser::new(&app);
    there.log_in(&github).await.expect(302);
    let id = here.session().unwrap().to_owned();
    assert!(is_in(&app, &id).await);
    here.get("/logout").await.expect(200);
    assert!(!is_in(&app, &id).await);
    assert!(there.account().await.is_some());
    let id = there.session().unwrap().to_owned();
    there.header("origin", OWN).send("DELETE", "/api/v1/session", raw("")).await.expect(204);
    assert!(!is_in(&app, &id).await);
    // Whoever is out stays out.
    app.anonymous().get("/logout").await.expect(200);
    with(&app, &id).get("/logout").await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn sessions_survive_a_restart() {
    let (_github, mut app, browser) = start().await;
    let id = browser.session().unwrap().to_owned();
    app.restart_after(|_| {}).await;
    let user = with(&app, &id).get("/user").await.expect(200).json();
    assert_eq!(user["login"], "ina");
    app.finish().await;
}

#[tokio::test]
async fn sessions_end_by_themselves() {
    let github = GitHub::open();
    let app = open(&github, json!({ "session": { "lifetime": 1 } })).await;
    github.person(7, "ina");
    let mut browser = Browser::new(&app);
    browser.log_in(&github).await.expect(302);
    let id = browser.session().unwrap().to_owned();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while is_in(&app, &id).await {
        assert!(std::time::Instant::now() < until, "a session of one second lasts on");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    app.finish().await;
}

#[tokio::test]
async fn a_new_password_and_the_accounts_end_are_the_sessions_end() {
    let (_github, app, mut ina) = start().await;
    let mut ann = [Browser::new(&app).header("origin", OWN), Browser::new(&app).header("origin", OWN)];
    for browser in &mut ann {
        browser.send("POST", "/api/v1/session", json!({ "name": "ann", "password": PASSWORD })).await.expect(200);
        assert_eq!(browser.account().await.as_deref(), Some("ann"));
    }
    let new = json!({ "password": "another one", "current": PASSWORD });
    ann[0].send("PUT", "/api/v1/users/ann/password", new).await.expect(204);
    for browser in &mut ann {
        assert_eq!(browser.account().await, None);
    }
    assert!(ina.account().await.is_some(), "nobody else's");
    app.as_user("root").delete("/api/v1/users/ina").await.expect(204);
    assert_eq!(ina.account().await, None);
    app.finish().await;
}

#[tokio::test]
async fn changes_with_a_cookie_come_from_ones_own_pages() {
    let (_github, app, browser) = start().await;
    let client = with(&app, browser.session().unwrap());
    let mut made = 0;
    for (origin, status) in [
        (None, 403),
        (Some("null"), 403),
        (Some("https://evil.example"), 403),
        (Some("http://test.local.evil.example"), 403),
        (Some("http://test.local:81"), 403),
        (Some("test.local"), 403),
        (Some("http://editor.example.org"), 403),
        (Some(OWN), 201),
        (Some("http://localhost:8080"), 201),
        (Some("https://editor.example.org"), 201),
    ] {
        let client = origin.map_or(client.clone(), |origin| client.header("origin", origin));
        let body = json!({ "name": format!("lab{made}") });
        let answer = client.post("/api/v1/workspaces", body).await;
        assert_eq!(answer.status, status, "{origin:?}: {}", answer.text());
        made += usize::from(status == 201);
        // Reading needs none: a page that may not read the answer gains nothing.
        client.get("/api/v1/workspaces").await.expect(200);
    }
    for (method, path) in [
        ("PUT", "/api/v1/workspaces/ina/lab0/files/a.txt"),
        ("PATCH", "/api/v1/users/ina"),
        ("DELETE", "/api/v1/workspaces/ina/lab0"),
        ("DELETE", "/api/v1/session"),
        ("POST", "/api/v1/tokens"),
        ("PUT", "/api/v1/users/ina/password"),
    ] {
        let answer = client.header("origin", "https://evil.example").send(method, path, json!({})).await;
        assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
    }
    // A header beats the cookie, and is nobody's accident.
    let both = client.header("authorization", &basic("bob", PASSWORD));
    let owner = both.post("/api/v1/workspaces", json!({ "name": "lab" })).await.expect(201).json();
    assert!(owner.to_string().contains("bob"), "{owner}");
    // A wrong header is not made good by it.
    let wrong = client.header("authorization", "Bearer nonsense");
    assert_eq!(wrong.get("/user").await.status, 401);
    app.finish().await;
}

#[tokio::test]
async fn the_configuration_is_not_for_sessions() {
    let app = super::open_as(json!({})).await;
    let mut root = Browser::script(&app).header("origin", OWN);
    root.send("POST", "/api/v1/session", json!({ "name": "root", "password": PASSWORD })).await.expect(200);
    root.get("/api/v1/users").await.expect(200);
    let refused = root.get("/config").await.expect(401);
    assert!(refused.header("www-authenticate").starts_with("Basic"), "{:?}", refused.headers);
    root.send("POST", "/config", json!({ "frontend-host": "https://evil.example" })).await.expect(401);
    app.as_user("ann").post("/config", json!({ "frontend-host": "https://evil.example" })).await.expect(403);
    app.as_user("root").post("/config", json!({ "frontend-host": "https://a.example" })).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn wrong_tokens_keep_no_right_one_out() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let mut wrong = Vec::new();
    for n in 0..12 {
        let made = ann.post("/api/v1/tokens", json!({ "name": format!("t{n}"), "scope": "read" })).await.expect(201);
        let token = made.json()["token"].clone();
        wrong.push(token["token"].as_str().unwrap().to_owned());
        ann.delete(&format!("/api/v1/tokens/{}", token["id"])).await.expect(204);
    }
    for token in wrong {
        app.anonymous().header("authorization", &format!("Bearer {token}")).get("/user").await.expect(401);
    }
    let made = ann.post("/api/v1/tokens", json!({ "name": "right", "scope": "read" })).await.expect(201).json();
    let right = made["token"]["token"].as_str().unwrap();
    app.anonymous().header("authorization", &format!("Bearer {right}")).get("/user").await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_password_that_a_browser_remembers_is_not_for_other_sites_forms() {
    let (_github, app, _) = start().await;
    let ann = app.as_user("ann");
    let evil = ann.header("origin", "https://evil.example");
    for kind in ["text/plain", "application/x-www-form-urlencoded; charset=utf-8", "multipart/form-data; boundary=x"] {
        evil.post("/api/v1/workspaces", typed(kind, r#"{"name": "lab"}"#)).await.expect(403);
    }
    evil.post("/api/v1/workspaces", raw("")).await.expect(403);
    // What needs a preflight, which this page does not pass, is a script's own.
    evil.post("/api/v1/workspaces", json!({ "name": "lab" })).await.expect(201);
    ann.post("/api/v1/workspaces", json!({ "name": "lab2" })).await.expect(201);
    // A foreign page does not choose who the browser is.
    let login = app.anonymous().header("origin", "https://evil.example");
    let body = json!({ "name": "ann", "password": PASSWORD }).to_string();
    login.post("/api/v1/session", typed("text/plain", body)).await.expect(415);
    app.finish().await;
}
