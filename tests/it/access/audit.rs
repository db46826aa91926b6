//! What happened is on record, for administrators.

use serde_json::{Value, json};

use super::{bearer, grant, lab};
use crate::support::{PASSWORD, TestApp, basic, raw};

const AUDIT: &str = "/api/v1/audit";

async fn actions(app: &TestApp, query: &str) -> Vec<String> {
    let page = app.as_user("root").get(&format!("{AUDIT}?limit=1000&{query}")).await.expect(200).json();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let events = page["audit"].as_array().expect("a list").iter();
    events
        .map(|event| format!("{} {} {}", text(&event["actor"]), text(&event["action"]), text(&event["subject"])))
        .collect()
}

#[tokio::test]
async fn logins_grants_tokens_and_deletions_are_noted() {
    let (app, _) = lab().await;
    let ann = app.as_user("ann");
    app.anonymous().header("authorization", &basic("ann", "wrong")).get("/api/v1/workspaces").await.expect(401);
    grant(&app, "bob", "reader").await;
    let token = ann.post("/api/v1/tokens", json!({ "name": "ci" })).await.expect(201).inner();
    bearer(&app, token["token"].as_str().unwrap()).get("/api/v1/workspaces").await.expect(200);
    ann.delete(&format!("/api/v1/tokens/{}", token["id"])).await.expect(204);
    ann.delete("/api/v1/workspaces/ann/lab/members/bob").await.expect(204);
    ann.post("/api/v1/session", json!({ "name": "ann", "password": PASSWORD })).await.expect(200);
    let pair = ann.get("/login").await.expect(200).json();
    bearer(&app, pair["access_token"].as_str().unwrap()).delete("/logout").await.expect(200);
    ann.delete("/api/v1/workspaces/ann/lab").await.expect(204);
    app.as_user("root").delete("/api/v1/users/bob").await.expect(204);
    let noted = actions(&app, "").await;
    for wanted in [
        "ann login.password -",
        "ann login.session -",
        "ann login.signed -",
        "ann workspace.created ann/lab",
        "ann login.failed -",
        "ann member.granted ann/lab",
        "ann token.created ann",
        "ann token.used ci",
        "ann token.deleted ann",
        "ann member.revoked ann/lab",
        "ann logout -",
        "ann workspace.deleted ann/lab",
        "root account.deleted bob",
    ] {
        assert!(noted.iter().any(|event| event == wanted), "{wanted} is not in {noted:#?}");
    }
    let secret = token["token"].as_str().unwrap();
    assert!(!app.as_user("root").get(&format!("{AUDIT}?limit=1000")).await.text().contains(secret));
    app.finish().await;
}

#[tokio::test]
async fn it_is_filtered_and_paged() {
    let app = TestApp::open().await;
    let root = app.as_user("root");
    for at in 0..3 {
        root.post("/api/v1/groups", json!({ "name": format!("g{at}") })).await.expect(201);
    }
    root.put("/api/v1/groups/g0/members/ann", raw("")).await.expect(204);
    assert_eq!(actions(&app, "action=group.created").await.len(), 3);
    assert_eq!(actions(&app, "action=group").await.len(), 4);
    assert_eq!(actions(&app, "action=gro").await.len(), 0);
    assert_eq!(actions(&app, "subject=g0").await, ["root group.joined g0", "root group.created g0"]);
    assert_eq!(actions(&app, "actor=ROOT&action=group.created&subject=g1").await.len(), 1);
    assert_eq!(actions(&app, "since=2100-01-01T00:00:00Z").await.len(), 0);
    assert_eq!(actions(&app, "until=2100-01-01T00:00:00Z&action=group").await.len(), 4);
    let page = root.get(&format!("{AUDIT}?action=group&limit=1&offset=1")).await.expect(200).json();
    assert_eq!((&page["_meta"]["count"], &page["audit"][0]["subject"]), (&json!(4), &json!("g2")));
    root.get(&format!("{AUDIT}?since=yesterday")).await.expect(400);
    root.get(&format!("{AUDIT}?who=x")).await.expect(400);
    app.as_user("ann").get(AUDIT).await.expect(403);
    app.finish().await;
}

#[tokio::test]
async fn what_people_claim_to_be_called_is_cut_short() {
    let app = TestApp::open().await;
    let long = "x".repeat(5_000);
    app.anonymous().header("authorization", &basic(&long, "y")).get("/api/v1/workspaces").await.expect(401);
    let page = app.as_user("root").get(&format!("{AUDIT}?action=login.failed")).await.expect(200).json();
    assert_eq!(page["audit"][0]["actor"].as_str().unwrap().len(), 200);
    app.finish().await;
}

#[tokio::test]
async fn a_token_in_use_does_not_fill_it() {
    let app = TestApp::open().await;
    let token = app.as_user("ann").post("/api/v1/tokens", json!({ "name": "ci" })).await.expect(201).inner();
    for blanks in 1..20 {
        let header = format!("Bearer{}{}", " ".repeat(blanks), token["token"].as_str().unwrap());
        app.anonymous().header("authorization", &header).get("/api/v1/workspaces").await.expect(200);
    }
    assert_eq!(actions(&app, "action=token.used").await.len(), 1);
    app.finish().await;
}
