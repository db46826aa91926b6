//! Sessions by cookie.

use serde_json::json;

use super::{grant, lab, service};
use crate::support::{Client, PASSWORD, TestApp};

const SESSION: &str = "/api/v1/session";
const OWN: &str = "http://test.local";

/// The `session` cookie of a login.
pub(super) async fn cookie(client: &Client, name: &str) -> String {
    let answer = client.post(SESSION, json!({ "name": name, "password": PASSWORD })).await.expect(200);
    let set = answer.header("set-cookie");
    assert!(set.contains("HttpOnly") && set.contains("Path=/") && set.contains("SameSite=Lax"), "{set}");
    set.split(';').next().expect("a cookie").to_owned()
}

fn with(app: &TestApp, cookie: &str) -> Client {
    app.anonymous().header("cookie", cookie)
}

#[tokio::test]
async fn a_password_buys_a_session_that_outlives_the_server() {
    let (mut app, id) = lab().await;
    let cookie = cookie(&app.anonymous(), "ann").await;
    let address = format!("/api/v1/services/{id}");
    with(&app, &cookie).get(&address).await.expect(200);
    app.restart_after(|_| {}).await;
    let me = with(&app, &cookie).get(SESSION).await.expect(200).inner();
    assert_eq!((me["account"].as_str(), me["scope"].as_str()), (Some("ann"), Some("admin")));
    let out = with(&app, &cookie).header("origin", OWN).delete(SESSION).await.expect(204);
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{:?}", out.headers);
    with(&app, &cookie).get(SESSION).await.expect(401);
    with(&app, &cookie).get(&address).await.expect(401);
    app.finish().await;
}

#[tokio::test]
async fn changes_by_cookie_need_an_origin_that_may() {
    let (app, id) = lab().await;
    let cookie = cookie(&app.anonymous(), "ann").await;
    let client = with(&app, &cookie);
    let address = format!("/api/v1/services/{id}");
    let etag = client.get(&address).await.etag();
    let client = client.at(&etag);
    for origin in ["https://evil.example.org", "null", "http://test.local.evil.org", "http://test.local:81"] {
        client.header("origin", origin).put(&address, service("firewall2")).await.expect(403);
        client.header("origin", origin).delete(&address).await.expect(403);
        // Reading is the browser's to forbid.
        client.header("origin", origin).get(&address).await.expect(200);
    }
    client.put(&address, service("firewall2")).await.expect(403);
    client.header("origin", OWN).put(&address, service("firewall2")).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_password_that_the_browser_remembers_is_not_for_forms_of_other_sites() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let body = || crate::support::typed("text/plain", json!({ "name": "x" }).to_string());
    let forged = ann.header("origin", "https://evil.example.org");
    forged.post("/api/v1/componenttypes", body()).await.expect(403);
    forged.post("/api/v1/workspaces", body()).await.expect(403);
    // A script that says who it is can send what it likes.
    ann.post("/api/v1/componenttypes", body()).await.expect(201);
    app.finish().await;
}

#[tokio::test]
async fn a_chosen_session_is_not_adopted() {
    let app = TestApp::open().await;
    let chosen = "session=AAAAAAAAAAAAAAAAAAAAAA";
    let first = cookie(&with(&app, chosen), "ann").await;
    assert_ne!(first, chosen);
    with(&app, chosen).get(SESSION).await.expect(401);
    // Logging in again makes another one and ends the first.
    let second = cookie(&with(&app, &first), "bob").await;
    assert_ne!(first, second);
    with(&app, &first).get(SESSION).await.expect(401);
    let me = with(&app, &second).get(SESSION).await.expect(200).inner();
    assert_eq!(me["account"], "bob");
    for broken in ["session=", "session=%00", "session=🦀", "session=AAAA", "session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let client = app.anonymous();
        let client = if broken.is_ascii() { client.header("cookie", broken) } else { client };
        client.get(SESSION).await.expect(401);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_session_ends_with_its_account_and_password() {
    let (app, id) = lab().await;
    grant(&app, "bob", "reader").await;
    let (first, second) = (cookie(&app.anonymous(), "bob").await, cookie(&app.anonymous(), "bob").await);
    with(&app, &first).get(&format!("/api/v1/services/{id}")).await.expect(200);
    let root = app.as_user("root");
    root.put("/api/v1/users/bob/password", json!({ "password": "new" })).await.expect(204);
    with(&app, &first).get(SESSION).await.expect(401);
    with(&app, &second).get(SESSION).await.expect(401);
    let third = app.anonymous().post(SESSION, json!({ "name": "bob", "password": "new" })).await.expect(200);
    let third = third.header("set-cookie").split(';').next().unwrap().to_owned();
    with(&app, &third).get(SESSION).await.expect(200);
    root.delete("/api/v1/users/bob").await.expect(204);
    with(&app, &third).get(SESSION).await.expect(401);
    with(&app, &third).get(&format!("/api/v1/services/{id}")).await.expect(401);
    app.finish().await;
}

#[tokio::test]
async fn a_header_beats_a_cookie() {
    let app = TestApp::open().await;
    let cookie = cookie(&app.anonymous(), "ann").await;
    let both = app.as_user("bob").header("cookie", &cookie);
    assert_eq!(both.get(SESSION).await.expect(200).inner()["account"], "bob");
    let wrong = with(&app, &cookie).header("authorization", "Bearer nonsense");
    wrong.get(SESSION).await.expect(401);
    app.finish().await;
}

#[tokio::test]
async fn cookies_are_as_configured() {
    let app = TestApp::open_with(|_, config| {
        config.public_url = "https://leaf.example.org".into();
        config.session.same_site = workleaf::config::SameSite::None;
        config.session.lifetime = 60;
    })
    .await;
    let answer = app.anonymous().post(SESSION, json!({ "name": "ann", "password": PASSWORD })).await.expect(200);
    let set = answer.header("set-cookie");
    for part in ["Secure", "SameSite=None", "HttpOnly", "Max-Age=60"] {
        assert!(set.contains(part), "{set} has no {part}");
    }
    app.finish().await;
}

#[tokio::test]
async fn bad_logins() {
    let app = TestApp::open().await;
    let nobody = app.anonymous();
    for body in [json!({}), json!({ "name": "ann" }), json!({ "name": 1, "password": "x" }), json!([])] {
        nobody.post(SESSION, body).await.expect(400);
    }
    nobody.post(SESSION, json!({ "name": "ann", "password": "wrong" })).await.expect(401);
    nobody.post(SESSION, json!({ "name": "nobody", "password": PASSWORD })).await.expect(401);
    let form = crate::support::typed("application/x-www-form-urlencoded", "name=ann&password=x");
    nobody.post(SESSION, form).await.expect(415);
    nobody.post(SESSION, crate::support::typed("application/json", vec![b' '; 70_000])).await.expect(413);
    app.finish().await;
}
