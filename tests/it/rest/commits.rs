//! Several changes as one commit.

use serde_json::json;

use super::samples::{SERVICE, firewall, lab, service};
use crate::support::git;

#[tokio::test]
async fn several_changes_are_one_commit_or_none() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    let commits = "/api/v1/workspaces/ann/lab/commits";
    let head = app.head("ann/lab");
    let first = json!({ "op": "put", "path": "a.txt", "absent": true, "text": "1" });
    for (last, status) in [
        (json!({ "op": "put", "path": "services/firewall.yml", "absent": true, "text": "x" }), 412),
        (json!({ "op": "put", "path": "services/firewall.yml", "etag": "0".repeat(40), "text": "x" }), 412),
        (json!({ "op": "put", "path": "services/firewall.yml", "etag": made.etag(), "text": "name: [1]" }), 422),
        (json!({ "op": "put", "path": "services/new.yml", "absent": true, "content": {} }), 422),
        (json!({ "op": "delete", "path": "absent.txt", "etag": made.etag() }), 404),
        (json!({ "op": "put", "path": "a.txt", "absent": true, "text": "2" }), 412),
        (json!({ "op": "put", "path": "A.txt", "absent": true, "text": "2" }), 409),
        (json!({ "op": "put", "path": "a.txt/b", "absent": true, "text": "2" }), 409),
        (json!({ "op": "put", "path": "b.txt", "text": "2" }), 412),
        (json!({ "op": "put", "path": "b.txt", "absent": true }), 400),
        (
            json!({ "op": "patch", "path": "services/firewall.yml", "etag": made.etag(), "content": [{ "op": "test", "path": "/name", "value": 1 }] }),
            409,
        ),
        (json!({ "op": "move", "path": "services/firewall.yml", "etag": made.etag() }), 400),
        (json!({ "op": "move", "path": "services/firewall.yml", "etag": made.etag(), "to": "elsewhere.yml" }), 400),
        (json!({ "op": "move", "path": "services/firewall.yml", "etag": made.etag(), "to": "a.txt" }), 400),
        (json!({ "op": "explode", "path": "b.txt", "absent": true }), 400),
        (json!({ "op": "delete", "path": "b.txt", "absent": true, "colour": 1 }), 400),
        (json!("x"), 400),
    ] {
        let text = last.to_string();
        let answer = ann.post(commits, json!({ "changes": [first.clone(), last] })).await;
        assert_eq!(answer.status, status, "{text}: {}", answer.text());
        assert_eq!(app.head("ann/lab"), head, "{text}");
    }
    for body in [
        json!({}),
        json!([]),
        json!({ "changes": {} }),
        json!({ "changes": [], "colour": 1 }),
        json!({ "changes": [], "message": 5 }),
    ] {
        let text = body.to_string();
        assert_eq!(ann.post(commits, body).await.status, 400, "{text}");
    }
    ann.get("/api/v1/workspaces/ann/lab/files/a.txt").await.expect(404);

    let all = json!({ "message": "All at once", "changes": [
        first,
        { "op": "put", "path": "services/new.yml", "absent": true, "content": service("new") },
        { "op": "put", "path": "services/text.yml", "absent": true, "text": SERVICE.replace("firewall", "text") },
        { "op": "patch", "path": "services/new.yml", "etag": "*", "content": { "author": "Ann" } },
        { "op": "move", "path": "services/firewall.yml", "etag": made.etag(), "to": "services/wall.yml" },
        { "op": "put", "path": "services/firewall.yml", "absent": true, "content": service("second") },
    ] });
    let done = ann.post(commits, all).await;
    insta::assert_snapshot!(done.shown(), @r#"
    201
    vary: accept-encoding
    {
      "commit": "[oid]",
      "changes": [
        {
          "path": "a.txt",
          "kind": null,
          "etag": "[oid]",
          "created": true,
          "violations": []
        },
        {
          "path": "services/new.yml",
          "kind": "service",
          "etag": "[oid]",
          "created": true,
          "violations": []
        },
        {
          "path": "services/text.yml",
          "kind": "service",
          "etag": "[oid]",
          "created": true,
          "violations": []
        },
        {
          "path": "services/new.yml",
          "kind": "service",
          "etag": "[oid]",
          "created": false,
          "violations": []
        },
        {
          "path": "services/wall.yml",
          "kind": "service",
          "etag": "[oid]",
          "created": false,
          "violations": []
        },
        {
          "path": "services/firewall.yml",
          "kind": "service",
          "etag": "[oid]",
          "created": true,
          "violations": []
        }
      ]
    }
    "#);
    assert_eq!(done.json()["commit"], app.head("ann/lab"));
    assert_eq!(git::run(&app.tree("ann/lab"), &["rev-parse", "main^"]), head);
    assert_eq!(ann.get("/api/v1/services/firewall").await.expect(200).id(), made.id(), "the moved one keeps its id");
    assert_ne!(ann.get("/api/v1/services/second").await.expect(200).id(), made.id());
    assert_eq!(super::samples::names(&ann, "/api/v1/services?sort=name").await, "firewall new second text");
    let nothing = ann.post(commits, json!({ "changes": [] })).await.expect(200);
    assert_eq!(nothing.json()["commit"], json!(null));
    app.finish().await;
}

#[tokio::test]
async fn a_refused_commit_says_which_change_it_was() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let commits = "/api/v1/workspaces/ann/lab/commits";
    let put = |path: &str| json!({ "op": "put", "path": path, "absent": true, "text": "schema_index: 1\n" });
    ann.post(commits, json!({ "changes": [put("a.txt"), put("b.txt")] })).await.expect(201);
    let stale = json!({ "op": "put", "path": "b.txt", "etag": "0".repeat(40), "text": "3" });
    // The last one is applied first, since it may select schemas.
    let changes = json!({ "changes": [put("c.txt"), stale, put("workspace.yml")] });
    let answer = ann.post(commits, changes).await.expect(412).json();
    assert_eq!(answer["payload"]["change"], json!({ "index": 1, "path": "b.txt" }));
    assert!(answer["payload"]["etag"].is_string(), "{answer}");
    let changes = json!({ "changes": [put("c.txt"), put("services/x.yml")] });
    let answer = ann.post(commits, changes).await.expect(422).json();
    assert_eq!(answer["payload"]["change"]["index"], 1);
    app.finish().await;
}
