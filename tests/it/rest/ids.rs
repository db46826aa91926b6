//! A document's id over moves, restarts and rebuilds.

use std::path::Path;

use serde_json::json;

use super::revisions::told;
use super::samples::{SERVICE, SERVICES, firewall, lab, service, text};
use crate::support::{Client, git, yaml};

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

#[tokio::test]
async fn what_was_changed_on_disk_is_met_by_the_next_write() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    let tree = app.tree("ann/lab");
    let on_disk = |path: &str, text: &str| std::fs::write(tree.join(path), text).expect("it can be written");
    // Edited: nothing of it is lost, and the write that met it has to look again.
    on_disk("services/firewall.yml", &SERVICE.replace("1.10", "1.11"));
    ann.at(&made.etag()).patch(made.header("location"), json!({ "author": "Ann" })).await.expect(412);
    let now = ann.get(made.header("location")).await.expect(200);
    assert_eq!(now.inner()["content"]["version"], "1.11");
    ann.at(&now.etag()).patch(made.header("location"), json!({ "author": "Ann" })).await.expect(200);
    // Renamed: the old path is empty on disk, the new one is taken.
    std::fs::rename(tree.join("services/firewall.yml"), tree.join("services/wall.yml")).expect("it can be renamed");
    let first = ann.at("*").patch(made.header("location"), json!({ "author": "Bob" })).await;
    assert!(matches!(first.status, 404 | 409 | 412), "{} {}", first.status, first.text());
    let put = ann.put("/api/v1/workspaces/ann/lab/files/services/wall.yml", crate::support::raw("x: y\n")).await;
    assert!(matches!(put.status, 409 | 412), "{} {}", put.status, put.text());
    assert!(tree.join("services/wall.yml").exists());
    let wall = ann.get("/api/v1/services?where=path:services/wall.yml&fields=content").await.expect(200).json();
    assert_eq!(wall["services"][0]["content"]["author"], "Ann");
    app.finish().await;
}
