//! `/config` (contracts/editor.md 1.12, decisions.md 21).

use serde_json::{Value, json};

use crate::support::TestApp;

const FILE: &str = "\
# Ours.
allowed-hosts: [localhost]   # the editor
authentication:
  ClientID: abc
  ClientSecret: very-hidden
session:
  secretKey: 0123456789abcdef0123456789abcdef
";

async fn app() -> (TestApp, std::path::PathBuf) {
    let mut file = std::path::PathBuf::new();
    let app = TestApp::open_with(|dir, config| {
        file = dir.join("config.yaml");
        std::fs::write(&file, FILE).expect("written");
        let location = config.workspaces_location.clone();
        *config = workleaf::config::Config::load(Some(&file)).expect("a configuration");
        config.workspaces_location = location;
    })
    .await;
    (app, file)
}

#[tokio::test]
async fn administrators_see_it_with_secrets_masked() {
    let (app, _) = app().await;
    let answer = app.anonymous().get("/config").await.expect(401);
    assert!(answer.header("www-authenticate").starts_with("Basic "));
    app.as_user("ann").get("/config").await.expect(403);
    let shown = app.as_user("root").get("/config").await.expect(200);
    assert!(!shown.text().contains("very-hidden") && !shown.text().contains("0123456789abcdef"));
    let shown = shown.json();
    assert_eq!(shown["authentication"]["ClientID"], "abc");
    assert_eq!(shown["authentication"]["ClientSecret"], "********");
    assert_eq!(shown["allowed-hosts"], json!(["localhost"]));
    app.finish().await;
}

#[tokio::test]
async fn a_change_keeps_comments_and_masked_secrets_and_counts_at_once() {
    let (app, file) = app().await;
    let root = app.as_user("root");
    let mut posted: Value = root.get("/config").await.json();
    posted["allowed-hosts"] = json!(["localhost", "editor.example.org"]);
    posted["authentication"]["users"] = json!(["octocat"]);
    let answer = root.post("/config", posted).await.expect(200).json();
    assert_eq!(answer["message"], "update successful");
    assert_eq!(answer["changed"], json!(["/allowed-hosts", "/authentication/users"]));
    assert_eq!(answer["restart_needed"], json!([]));
    let text = std::fs::read_to_string(&file).expect("still there");
    assert!(text.contains("# Ours.") && text.contains("very-hidden") && text.contains("octocat"), "{text}");
    assert!(!text.contains("****"), "{text}");
    let page = app.anonymous().header("origin", "https://editor.example.org").get("/user").await.expect(401);
    assert_eq!(page.header("access-control-allow-origin"), "https://editor.example.org");
    let late = root.post("/config", json!({ "cache": { "documents": 1000 } })).await.expect(200).json();
    assert_eq!(late["restart_needed"], json!(["/cache/documents"]));
    workleaf::config::Config::load(Some(&file)).expect("still a configuration");
    app.finish().await;
}

#[tokio::test]
async fn nonsense_changes_nothing() {
    let (app, file) = app().await;
    let root = app.as_user("root");
    for body in [
        json!({}),
        json!([]),
        json!({ "allowed-host": [] }),
        json!({ "limits": { "boddy": 1 } }),
        json!({ "limits": 3 }),
        json!({ "limits": { "body": "many" } }),
        json!({ "limits": { "body": 0 } }),
        json!({ "session": { "same-site": "sometimes" } }),
        json!({ "allowed-hosts": "localhost" }),
        // The masked secret would go to somebody else.
        json!({ "authentication": { "token-url": "https://evil.example.org/", "ClientSecret": "********" } }),
        json!({ "frontend-redirect": "//evil.example.org" }),
    ] {
        let answer = root.post("/config", body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), FILE);
    app.as_user("ann").post("/config", json!({ "listen": "x" })).await.expect(403);
    app.anonymous().post("/config", json!({ "listen": "x" })).await.expect(401);
    app.finish().await;
}
