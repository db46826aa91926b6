//! History, earlier revisions, comparison; ids over restarts, rebuilds and moves.

use std::path::Path;

use serde_json::{Value, json};

use super::samples::{SERVICE, SERVICES, firewall, lab, service, text};
use crate::support::{Client, TestApp, git, yaml};

/// The firewall in four revisions: made, version changed, moved, author added.
async fn told(app: &TestApp) -> (String, Vec<String>) {
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

#[tokio::test]
async fn moves_keep_the_kind() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    ann.post(SERVICES, service("other")).await.expect(201);
    let to = format!("{}/move", made.header("location"));
    let head = app.head("ann/lab");
    insta::assert_snapshot!(ann.post(&to, json!({ "path": "functions/firewall.yml" })).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "functions/firewall.yml is not a place for a service",
      "status_code": 400,
      "payload": {
        "patterns": [
          "projects/{project}/sources/nsd/*.yml",
          "projects/{project}/sources/nsd/**/*.yml",
          "projects/{project}/sources/nsd/**/*.yaml",
          "services/*.yml",
          "services/*.yaml",
          "catalogues/ns_catalogue/*/*/*/descriptor.yml",
          "ns/*/*/*/descriptor.yml"
        ]
      }
    }
    "#);
    insta::assert_snapshot!(ann.post(&to, json!({ "path": "services/org.example-other-1.0.yml" })).await.shown(), @r#"
    409
    vary: accept-encoding
    {
      "message": "the file services/org.example-other-1.0.yml exists already",
      "status_code": 409,
      "payload": {}
    }
    "#);
    ann.post(&to, json!({ "path": "Services/x.yml" })).await.expect(400);
    ann.post(&to, json!({ "path": "services/ORG.example-other-1.0.yml" })).await.expect(409);
    ann.post(&to, json!({})).await.expect(400);
    assert_eq!(app.head("ann/lab"), head);
    // Only the case changes: the same file to some disks, another name to git.
    let moved = ann.post(&to, json!({ "path": "services/Firewall.yml" })).await.expect(200);
    assert_eq!((moved.id(), moved.etag()), (made.id(), made.etag()));
    app.finish().await;
}

/// Everything that must stay as it is: documents with ids, times and etags, and their history.
async fn told_again(ann: &Client, address: &str) -> String {
    let list = ann.get("/api/v1/services?limit=1000").await.expect(200).text();
    let history = ann.get(&format!("{address}/history")).await.expect(200).text();
    format!("{list}\n{history}")
}

fn without_index(data: &Path) {
    std::fs::remove_dir_all(data.join(".state/index")).expect("there is an index");
}

#[tokio::test]
async fn ids_survive_restarts_and_rebuilds() {
    let mut app = lab().await;
    let (address, _) = told(&app).await;
    let before = told_again(&app.as_user("ann"), &address).await;
    app.restart_after(|_| {}).await;
    assert_eq!(told_again(&app.as_user("ann"), &address).await, before, "after a restart");
    app.restart_after(without_index).await;
    assert_eq!(told_again(&app.as_user("ann"), &address).await, before, "without an index");
    app.restart_after(|data| git::run(&data.join("ann/lab"), &["gc", "-q"]).clear()).await;
    assert_eq!(told_again(&app.as_user("ann"), &address).await, before, "after git gc");
    app.finish().await;
}

#[tokio::test]
async fn ids_survive_a_rename_by_hand() {
    let mut app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    ann.at(&made.etag()).patch(made.header("location"), json!({ "version": "1.11" })).await.expect(200);
    let tree = app.tree("ann/lab");
    app.restart_after(|_| {
        git::run(&tree, &["mv", "services/firewall.yml", "services/by-hand.yml"]);
        git::run(&tree, &["commit", "-qm", "Rename by hand"]);
    })
    .await;
    let ann = app.as_user("ann");
    let found = ann.get("/api/v1/services/firewall").await.expect(200);
    assert_eq!((found.id(), &found.inner()["path"]), (made.id(), &json!("services/by-hand.yml")));
    let history = ann.get(&format!("{}/history", made.header("location"))).await.expect(200).json();
    assert_eq!((&history["_meta"]["count"], &history["history"][0]["message"]), (&json!(3), &json!("Rename by hand")));
    let first = history["history"][2]["commit"].as_str().expect("a commit");
    assert_eq!(text(&ann, &format!("{}?at={first}", made.header("location"))).await, SERVICE);

    // Renamed and changed at once, and another put in its old place.
    app.restart_after(|_| {
        git::run(&tree, &["mv", "services/by-hand.yml", "services/again.yml"]);
        let changed = SERVICE.replace("1.10", "1.12");
        std::fs::write(tree.join("services/again.yml"), changed).expect("the file can be written");
        git::run(&tree, &["commit", "-qam", "Rename and change"]);
        std::fs::write(tree.join("services/by-hand.yml"), SERVICE.replace("firewall", "new")).expect("it can");
        git::run(&tree, &["add", "-A"]);
        git::run(&tree, &["commit", "-qm", "A new one in its place"]);
    })
    .await;
    let ann = app.as_user("ann");
    assert_eq!(ann.get("/api/v1/services/firewall").await.expect(200).id(), made.id());
    assert_ne!(ann.get("/api/v1/services/new").await.expect(200).id(), made.id());
    app.finish().await;
}

#[tokio::test]
async fn moves_in_one_commit_with_others_keep_ids() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let commits = "/api/v1/workspaces/ann/lab/commits";
    let made = firewall(&ann).await;
    let second = ann.post(&format!("{SERVICES}&path=services/second.yml"), service("second")).await.expect(201);
    let rename = |from: &str, to: &str| json!({ "op": "move", "path": from, "etag": "*", "to": to });
    let path = async |id: &str| ann.get(&format!("/api/v1/services/{id}")).await.expect(200).inner()["path"].clone();
    // Two change places.
    let swap = [
        rename("services/firewall.yml", "services/between.yml"),
        rename("services/second.yml", "services/firewall.yml"),
        rename("services/between.yml", "services/second.yml"),
    ];
    ann.post(commits, json!({ "changes": swap })).await.expect(201);
    assert_eq!(path(&made.id()).await, "services/second.yml");
    assert_eq!(path(&second.id()).await, "services/firewall.yml");
    // Deleted and put elsewhere with the same bytes: a new one, though git shows a rename.
    let again = json!({ "changes": [
        { "op": "delete", "path": "services/second.yml", "etag": "*" },
        { "op": "put", "path": "services/third.yml", "absent": true, "text": SERVICE },
    ] });
    ann.post(commits, again).await.expect(201);
    ann.get(&format!("/api/v1/services/{}", made.id())).await.expect(404);
    let third = ann.get("/api/v1/services?where=path:services/third.yml").await.json()["services"][0]["id"].to_string();
    // A message of one's own takes nothing from the trailers, and can claim nothing that is not so.
    let message = "Mine\n\nWorkleaf-Moved: services/third.yml -> services/firewall.yml";
    let last = json!({ "message": message, "changes": [rename("services/third.yml", "services/fourth.yml")] });
    ann.post(commits, last).await.expect(201);
    assert_eq!(path(&third).await, "services/fourth.yml");
    assert_eq!(path(&second.id()).await, "services/firewall.yml");
    app.finish().await;
}

#[tokio::test]
async fn a_new_document_in_an_old_place_is_a_new_one() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let old = firewall(&ann).await;
    ann.at("*").delete(old.header("location")).await.expect(204);
    let new = firewall(&ann).await;
    assert_ne!(new.id(), old.id());
    assert_eq!(ann.get(&format!("{}/history", new.header("location"))).await.json()["_meta"]["count"], 1);
    ann.get(old.header("location")).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn a_commit_by_hand_is_found_at_the_next_start() {
    let mut app = lab().await;
    let ann = app.as_user("ann");
    firewall(&ann).await;
    let tree = app.tree("ann/lab");
    app.restart_after(|_| {
        std::fs::write(tree.join("services/mail.yml"), SERVICE.replace("firewall", "mail")).expect("it can be written");
        std::fs::write(tree.join("services/broken.yml"), "name: \"mail").expect("it can be written");
        std::fs::remove_file(tree.join("services/firewall.yml")).expect("it is there");
        git::run(&tree, &["add", "-A"]);
        git::run(&tree, &["commit", "-qm", "By hand"]);
    })
    .await;
    let ann = app.as_user("ann");
    insta::assert_snapshot!(ann.get("/api/v1/services?sort=path&fields=path,violations").await.shown(), @r#"
    200
    vary: accept-encoding
    {
      "services": [
        {
          "path": "services/broken.yml",
          "violations": [
            {
              "pointer": "",
              "line": 1,
              "column": 7,
              "message": "the closing quote of this text is missing"
            }
          ]
        },
        {
          "path": "services/mail.yml",
          "violations": []
        }
      ],
      "_meta": {
        "count": 2,
        "limit": 20,
        "offset": 0
      }
    }
    "#);
    // What cannot be read is no reason to lose it: its text is there, and a PUT mends it.
    let id = ann.get("/api/v1/services?where=path:services/broken.yml").await.json()["services"][0]["id"].to_string();
    let address = format!("/api/v1/services/{id}");
    assert_eq!(text(&ann, &address).await, "name: \"mail");
    insta::assert_snapshot!(ann.at("*").patch(&address, json!({ "name": "x" })).await.shown(), @r#"
    409
    vary: accept-encoding
    {
      "message": "the stored file cannot be read (the closing quote of this text is missing, line 1, column 7), so it cannot be patched: PUT it whole",
      "status_code": 409,
      "payload": {}
    }
    "#);
    ann.at("*").put(&address, yaml(SERVICE)).await.expect(200);
    app.finish().await;
}
