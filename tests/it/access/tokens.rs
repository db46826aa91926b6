//! Access tokens.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use workleaf::resource::actor::Scope;

use super::{bearer, lab, service};
use crate::support::{Client, TestApp, basic};

const TOKENS: &str = "/api/v1/tokens";

async fn made(client: &Client, scope: &str) -> Value {
    client.post(TOKENS, json!({ "name": "ci", "scope": scope })).await.expect(201).inner()
}

fn secret(token: &Value) -> &str {
    token["token"].as_str().expect("the secret is shown once")
}

#[tokio::test]
async fn a_token_is_shown_once_and_is_good_as_bearer_and_as_a_password() {
    let (app, id) = lab().await;
    let ann = app.as_user("ann");
    let token = made(&ann, "write").await;
    let secret = secret(&token);
    assert!(secret.starts_with("wl_") && secret.len() == 45, "{secret}");
    let address = format!("/api/v1/services/{id}");
    bearer(&app, secret).get(&address).await.expect(200);
    for name in ["ann", "ANN", ""] {
        app.anonymous().header("authorization", &basic(name, secret)).get(&address).await.expect(200);
    }
    app.anonymous().header("authorization", &basic("bob", secret)).get(&address).await.expect(401);
    let listed = ann.get(TOKENS).await.expect(200).json();
    assert_eq!(listed["_meta"]["count"], 1);
    assert!(listed["tokens"][0]["used_at"].is_string(), "{listed}");
    assert!(!listed.to_string().contains(secret));
    app.finish().await;
}

#[tokio::test]
async fn a_token_is_good_for_what_its_scope_says() {
    let (app, id) = lab().await;
    let ann = app.as_user("ann");
    let address = format!("/api/v1/services/{id}");
    let etag = ann.get(&address).await.etag();
    let new = |scope: &'static str| {
        let ann = ann.clone();
        let app = &app;
        async move { bearer(app, secret(&made(&ann, scope).await)) }
    };
    let (read, write, admin) = (new("read").await, new("write").await, new("admin").await);
    read.get(&address).await.expect(200);
    let refused = read.at(&etag).put(&address, service("firewall2")).await.expect(403);
    assert!(refused.text().contains("writer"), "{}", refused.text());
    read.post("/api/v1/workspaces", json!({ "name": "new" })).await.expect(403);
    write.at(&etag).put(&address, service("firewall2")).await.expect(200);
    write.post("/api/v1/workspaces", json!({ "name": "new" })).await.expect(201);
    // What is the account's to decide needs more than a token for files.
    for client in [&read, &write] {
        client.delete("/api/v1/workspaces/ann/lab").await.expect(403);
        client.get(TOKENS).await.expect(403);
        client.post(TOKENS, json!({ "name": "more", "scope": "admin" })).await.expect(403);
        client.put("/api/v1/workspaces/ann/lab/members/bob", json!({ "role": "admin" })).await.expect(403);
        client.patch("/api/v1/workspaces/ann/lab", json!({ "public": true })).await.expect(403);
        client.put("/api/v1/users/ann/password", json!({ "password": "x" })).await.expect(403);
    }
    admin.post(TOKENS, json!({ "name": "more" })).await.expect(201);
    admin.delete("/api/v1/workspaces/ann/new").await.expect(204);
    app.finish().await;
}

#[tokio::test]
async fn an_administrators_token_manages_the_server_only_with_the_scope_for_it() {
    let (app, id) = lab().await;
    let root = app.as_user("root");
    let write = bearer(&app, secret(&made(&root, "write").await));
    write.get(&format!("/api/v1/services/{id}")).await.expect(200);
    write.get("/api/v1/users").await.expect(403);
    write.get("/api/v1/audit").await.expect(403);
    let token = made(&root, "write").await;
    app.anonymous().header("authorization", &basic("root", secret(&token))).get("/config").await.expect(403);
    bearer(&app, secret(&made(&root, "admin").await)).get("/api/v1/users").await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_token_does_not_buy_a_session_or_a_signed_token() {
    let (app, _) = lab().await;
    let token = made(&app.as_user("ann"), "read").await;
    let nobody = app.anonymous();
    let body = json!({ "name": "ann", "password": secret(&token) });
    nobody.post("/api/v1/session", body).await.expect(401);
    nobody.header("authorization", &basic("ann", secret(&token))).get("/login").await.expect(401);
    app.finish().await;
}

#[tokio::test]
async fn a_token_ends() {
    let mut app = lab().await.0;
    let ann = app.as_user("ann");
    let token = made(&ann, "write").await;
    let other = made(&ann, "write").await;
    let client = bearer(&app, secret(&token));
    client.get("/api/v1/session").await.expect(200);
    // Only its owner revokes it.
    app.as_user("bob").delete(&format!("{TOKENS}/{}", token["id"])).await.expect(404);
    ann.delete(&format!("{TOKENS}/{}", token["id"])).await.expect(204);
    client.get("/api/v1/session").await.expect(401);
    ann.delete(&format!("{TOKENS}/{}", token["id"])).await.expect(404);
    ann.delete(&format!("{TOKENS}/none")).await.expect(404);
    bearer(&app, secret(&other)).get("/api/v1/session").await.expect(200);
    app.restart_after(|_| {}).await;
    bearer(&app, secret(&other)).get("/api/v1/session").await.expect(200);
    // A new password ends what the old one made.
    let change = json!({ "password": "another horse", "current": crate::support::PASSWORD });
    app.as_user("ann").put("/api/v1/users/ann/password", change).await.expect(204);
    bearer(&app, secret(&other)).get("/api/v1/session").await.expect(401);
    app.finish().await;
}

/// A token that nobody made, in the form that all have.
fn of_zeros() -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let token = format!("wl_{}", "0".repeat(36));
    let mut rest = crc32fast::hash(token.as_bytes()) as usize;
    let mut checksum = String::new();
    for _ in 0..6 {
        checksum.insert(0, char::from(ALPHABET[rest % 62]));
        rest /= 62;
    }
    token + &checksum
}

#[tokio::test]
async fn a_token_expires() {
    let app = TestApp::open().await;
    let state = &app.app().state;
    let ann = state.account("ann").await.unwrap().unwrap().0;
    let (now, secret) = (workleaf::base::clock::now(), of_zeros());
    let digest = workleaf::base::hex::encode(&Sha256::digest(secret.as_bytes()));
    state.create_token(&ann, "old", Scope::Admin, &digest, Some(now)).await.unwrap();
    let answer = bearer(&app, &secret).get("/api/v1/session").await.expect(401);
    assert!(answer.text().contains("expired"), "{}", answer.text());
    let made = app.as_user("ann").post(TOKENS, json!({ "name": "x", "expires_in_days": 1 })).await.expect(201).inner();
    assert!(made["expires_at"].is_string());
    app.finish().await;
}

#[tokio::test]
async fn bad_requests_say_what_is_right() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    for body in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": "x", "scope": "all" }),
        json!({ "name": "x", "expires_in_days": 0 }),
        json!({ "name": "x", "expires_in_days": "1" }),
        json!({ "name": "x", "owner": "bob" }),
        json!([]),
    ] {
        ann.post(TOKENS, body.clone()).await.expect(400);
    }
    app.anonymous().post(TOKENS, json!({ "name": "x" })).await.expect(401);
    for token in ["wl_", "wl_x", "eyJ", "", "wl_000000000000000000000000000000000000000000"] {
        let answer = bearer(&app, token).get("/api/v1/workspaces").await.expect(401);
        assert_eq!(answer.header("www-authenticate"), "");
    }
    app.finish().await;
}
