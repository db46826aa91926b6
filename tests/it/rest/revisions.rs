//! History, earlier revisions, comparison.

use serde_json::{Value, json};

use super::samples::{SERVICE, SERVICES, firewall, lab, service, text};
use crate::support::{TestApp, git};

/// The firewall in four revisions: made, version changed, moved, author added.
pub(super) async fn told(app: &TestApp) -> (String, Vec<String>) {
    let ann = app.as_user("ann");
    let address = firewall(&ann).await.header("location").to_owned();
    ann.at("*").patch(&address, json!({ "version": "1.11" })).await.expect(200);
    ann.post(&format!("{address}/move"), json!({ "path": "services/wall.yml" })).await.expect(200);
    // Others' commits in between are not its history.
    ann.post(SERVICES, service("other")).await.expect(201);
    app.as_user("root").at("*").patch(&address, json!({ "author": "Root" })).await.expect(200);
    let commits = git::run(&app.tree("ann/lab"), &["log", "--reverse", "--format=%H"]);
    (address, commits.lines().map(str::to_owned).collect())
}

#[tokio::test]
async fn history_follows_the_document() {
    let app = lab().await;
    let (address, commits) = told(&app).await;
    let ann = app.as_user("ann");
    insta::assert_snapshot!(ann.get(&format!("{address}/history")).await.shown(), @r#"
    200
    vary: accept-encoding
    {
      "history": [
        {
          "commit": "[oid]",
          "author": {
            "name": "root",
            "email": "root@example.org"
          },
          "at": "[time]",
          "message": "service: update org.example/firewall 1.11",
          "path": "services/wall.yml"
        },
        {
          "commit": "[oid]",
          "author": {
            "name": "ann",
            "email": "ann@example.org"
          },
          "at": "[time]",
          "message": "service: move services/firewall.yml to services/wall.yml\n\nWorkleaf-Moved: services/firewall.yml -> services/wall.yml",
          "path": "services/wall.yml"
        },
        {
          "commit": "[oid]",
          "author": {
            "name": "ann",
            "email": "ann@example.org"
          },
          "at": "[time]",
          "message": "service: update org.example/firewall 1.11",
          "path": "services/firewall.yml"
        },
        {
          "commit": "[oid]",
          "author": {
            "name": "ann",
            "email": "ann@example.org"
          },
          "at": "[time]",
          "message": "service: create org.example/firewall 1.10",
          "path": "services/firewall.yml"
        }
      ],
      "_meta": {
        "count": 4,
        "limit": 20,
        "offset": 0
      }
    }
    "#);
    let page = ann.get(&format!("{address}/history?limit=2&offset=1")).await.expect(200).json();
    assert_eq!(page["_meta"], json!({ "count": 4, "limit": 2, "offset": 1 }));
    let shown: Vec<&Value> = page["history"].as_array().expect("a list").iter().map(|e| &e["commit"]).collect();
    assert_eq!(shown, [&json!(commits[3]), &json!(commits[2])]);
    for query in ["?limit=1001", "?limit=x", "?offset=-1", "?at=1"] {
        ann.get(&format!("{address}/history{query}")).await.expect(400);
    }
    app.as_user("bob").get(&format!("{address}/history")).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn a_document_reads_as_of_a_commit() {
    let app = lab().await;
    let (address, commits) = told(&app).await;
    let ann = app.as_user("ann");
    let first = ann.get(&format!("{address}?at={}", commits[1])).await.expect(200);
    insta::assert_snapshot!(first.shown(), @r#"
    200
    etag: "[oid].[sum]"
    vary: Accept, Accept-Encoding
    {
      "service": {
        "id": [id],
        "workspace": "ann/lab",
        "path": "services/firewall.yml",
        "etag": "[oid]",
        "created_at": "[time]",
        "updated_at": "[time]",
        "violations": [],
        "content": {
          "descriptor_version": "1.0",
          "vendor": "org.example",
          "name": "firewall",
          "version": "1.10",
          "description": "Lets some through, keeps others out.\n",
          "licences": [
            {
              "type": "public"
            }
          ]
        }
      }
    }
    "#);
    assert_eq!(text(&ann, &format!("{address}?at={}", commits[1])).await, SERVICE);
    // A commit that did not touch it; a short form; in capitals.
    let between = ann.get(&format!("{address}?at={}", commits[4])).await.expect(200).inner();
    assert_eq!((&between["path"], &between["content"]["author"]), (&json!("services/wall.yml"), &json!(null)));
    let short = ann.get(&format!("{address}?at={}", &commits[1].to_uppercase()[..12])).await.expect(200);
    assert_eq!(short.text(), first.text());
    // Before it was there; no commit at all.
    insta::assert_snapshot!(ann.get(&format!("{address}?at={}", commits[0])).await.shown(), @r#"
    404
    vary: accept-encoding
    {
      "message": "there is no revision \"[oid]\" of service services/wall.yml",
      "status_code": 404,
      "payload": {}
    }
    "#);
    ann.get(&format!("{address}?at={}", "0".repeat(40))).await.expect(404);
    for at in ["HEAD", "main", "", "abc", "--help", "main~1", "refs/heads/main"] {
        ann.get(&format!("{address}?at={at}")).await.expect(400);
    }
    app.finish().await;
}

#[tokio::test]
async fn revisions_are_compared() {
    let app = lab().await;
    let (address, commits) = told(&app).await;
    let ann = app.as_user("ann");
    insta::assert_snapshot!(ann.get(&format!("{address}/diff")).await.shown(), @r#"
    200
    vary: accept-encoding
    {
      "diff": {
        "from": "[oid]",
        "to": "[oid]",
        "unified": "diff --git a/services/wall.yml b/services/wall.yml\nindex ee10798..d848091 100644\n--- a/services/wall.yml\n+++ b/services/wall.yml\n@@ -9,3 +9,4 @@ description: >\n   keeps others out.\n licences:\n - {type: public}   # everyone\n+author: Root\n",
        "patch": [
          {
            "op": "add",
            "path": "/author",
            "value": "Root"
          }
        ]
      }
    }
    "#);
    let whole = format!("{address}/diff?from={}&to={}", commits[1], commits[5]);
    insta::assert_json_snapshot!(ann.get(&whole).await.expect(200).inner()["patch"], @r#"
    [
      {
        "op": "replace",
        "path": "/version",
        "value": "1.11"
      },
      {
        "op": "add",
        "path": "/author",
        "value": "Root"
      }
    ]
    "#);
    let unified = ann.header("accept", "text/x-diff").get(&whole).await.expect(200);
    assert_eq!(unified.header("content-type"), "text/x-diff; charset=utf-8");
    insta::assert_snapshot!(unified.text(), @r#"
    diff --git a/services/wall.yml b/services/wall.yml
    index 1401864..d848091 100644
    --- a/services/wall.yml
    +++ b/services/wall.yml
    @@ -2,10 +2,11 @@
     descriptor_version: "1.0"   # of the format
     vendor: 'org.example'
     name: firewall
    -version: "1.10"
    +version: "1.11"
     
     description: >
       Lets some through,
       keeps others out.
     licences:
     - {type: public}   # everyone
    +author: Root
    "#);
    // Backwards, and with itself.
    let back = ann.get(&format!("{address}/diff?from={}&to={}", commits[5], commits[1])).await.expect(200);
    assert_eq!(back.inner()["patch"].as_array().map(Vec::len), Some(2));
    let same = ann.get(&format!("{address}/diff?from={}&to={}", commits[5], commits[5])).await.expect(200).inner();
    assert_eq!((&same["patch"], &same["unified"]), (&json!([]), &json!("")));
    insta::assert_snapshot!(ann.get("/api/v1/services/other/diff").await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "the document has one revision only: there is nothing to compare it with",
      "status_code": 400,
      "payload": {}
    }
    "#);
    ann.get(&format!("{address}/diff?from=x")).await.expect(400);
    ann.get(&format!("{address}/diff?since={}", commits[1])).await.expect(400);
    app.finish().await;
}

#[tokio::test]
async fn an_earlier_revision_is_restored() {
    let app = lab().await;
    let (address, commits) = told(&app).await;
    let ann = app.as_user("ann");
    let restored = ann.post(&format!("{address}/restore"), json!({ "at": commits[1] })).await.expect(200);
    assert_eq!(restored.inner()["path"], "services/wall.yml", "its place stays");
    assert_eq!(text(&ann, &address).await, SERVICE);
    assert_eq!(ann.get(&format!("{address}/history")).await.json()["_meta"]["count"], 5);
    let head = app.head("ann/lab");
    for (body, status) in
        [(json!({}), 400), (json!({ "at": 5 }), 400), (json!([]), 400), (json!({ "at": commits[0] }), 404)]
    {
        ann.post(&format!("{address}/restore"), body).await.expect(status);
    }
    assert_eq!(app.head("ann/lab"), head);
    app.finish().await;
}
