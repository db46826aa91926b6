//! Accounts over HTTP.

use serde_json::json;

use crate::support::{PASSWORD, TestApp, basic};

const USERS: &str = "/api/v1/users";

#[tokio::test]
async fn administrators_manage_accounts() {
    let app = TestApp::open().await;
    let root = app.as_user("root");
    let made = root.post(USERS, json!({ "name": "eve", "email": "eve@example.org" })).await.expect(201).inner();
    let password = made["password"].as_str().expect("one was made");
    let eve = app.anonymous().header("authorization", &basic("eve", password));
    eve.get(USERS).await.expect(403);
    assert_eq!(eve.get(&format!("{USERS}/eve")).await.expect(200).inner()["email"], "eve@example.org");
    eve.get(&format!("{USERS}/ann")).await.expect(403);
    eve.get(&format!("{USERS}/nobody")).await.expect(403);
    root.get(&format!("{USERS}/nobody")).await.expect(404);
    let listed = root.get(&format!("{USERS}?limit=2&offset=1")).await.expect(200).json();
    assert_eq!((listed["_meta"]["count"].as_u64(), listed["users"].as_array().unwrap().len()), (Some(4), 2));
    root.post(USERS, json!({ "name": "EVE" })).await.expect(409);
    root.post(USERS, json!({ "name": "catalogue" })).await.expect(400);
    root.post(USERS, json!({ "name": "a b" })).await.expect(400);
    root.post(USERS, json!({ "name": "x", "password": "" })).await.expect(400);
    root.patch(&format!("{USERS}/eve"), json!({ "admin": true })).await.expect(200);
    eve.get(USERS).await.expect(200);
    root.patch(&format!("{USERS}/eve"), json!({ "admin": false, "email": null })).await.expect(200);
    let after = root.get(&format!("{USERS}/eve")).await.inner();
    assert_eq!(after, json!({ "name": "eve", "email": null, "admin": false }));
    root.delete(&format!("{USERS}/eve")).await.expect(204);
    eve.get("/api/v1/workspaces").await.expect(401);
    root.delete(&format!("{USERS}/eve")).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn people_change_what_is_theirs() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    ann.patch(&format!("{USERS}/ann"), json!({ "email": "new@example.org" })).await.expect(200);
    ann.patch(&format!("{USERS}/ann"), json!({ "admin": true })).await.expect(403);
    ann.patch(&format!("{USERS}/bob"), json!({ "email": "x" })).await.expect(403);
    ann.delete(&format!("{USERS}/ann")).await.expect(403);
    let password = format!("{USERS}/ann/password");
    ann.put(&password, json!({ "password": "new horse" })).await.expect(400);
    ann.put(&password, json!({ "password": "new horse", "current": "wrong" })).await.expect(401);
    ann.put(&format!("{USERS}/bob/password"), json!({ "password": "x", "current": PASSWORD })).await.expect(403);
    ann.put(&password, json!({ "password": "new horse", "current": PASSWORD })).await.expect(204);
    ann.get("/api/v1/workspaces").await.expect(401);
    app.finish().await;
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let app = TestApp::open().await;
    let root = app.as_user("root");
    root.delete(&format!("{USERS}/root")).await.expect(409);
    root.patch(&format!("{USERS}/root"), json!({ "admin": false })).await.expect(409);
    root.patch(&format!("{USERS}/ann"), json!({ "admin": true })).await.expect(200);
    root.patch(&format!("{USERS}/root"), json!({ "admin": false })).await.expect(200);
    root.get(USERS).await.expect(403);
    app.finish().await;
}

#[tokio::test]
async fn two_administrators_do_not_depose_each_other() {
    let app = TestApp::open().await;
    app.account("other", true).await;
    let (root, other) = (app.as_user("root"), app.as_user("other"));
    // Known beforehand, so that both are let in at once.
    root.get(USERS).await.expect(200);
    other.get(USERS).await.expect(200);
    let depose = |client: crate::support::Client, who: &'static str| async move {
        client.patch(&format!("{USERS}/{who}"), json!({ "admin": false })).await.status
    };
    let (first, second) = tokio::join!(depose(root, "other"), depose(other, "root"));
    assert!([first, second].contains(&200) && first != second, "{first} {second}");
    app.finish().await;
}
