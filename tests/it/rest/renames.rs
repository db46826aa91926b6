//! Workspaces get another name: nothing else about them changes.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Client, TestApp, git};

const LAB: &str = "/api/v1/workspaces/ann/lab";

fn service(name: &str) -> Value {
    json!({ "descriptor_version": "1", "vendor": "v", "name": name, "version": "1" })
}

async fn lab(app: &TestApp) -> (Client, Value) {
    app.workspace("ann/lab").await;
    let ann = app.as_user("ann");
    for name in ["a", "b"] {
        ann.post("/api/v1/services?workspace=ann/lab", service(name)).await.expect(201);
    }
    let shown = ann.get(LAB).await.expect(200).json()["workspace"].clone();
    (ann, shown)
}

/// Id, path, etag and times of all services, by which they are known.
async fn documents(client: &Client) -> Vec<[Value; 5]> {
    let all = client.get("/api/v1/services").await.expect(200).json();
    let shown = |document: &Value| ["id", "path", "etag", "created_at", "updated_at"].map(|key| document[key].clone());
    all["services"].as_array().expect("a list").iter().map(shown).collect()
}

#[tokio::test]
async fn a_renamed_workspace_is_the_same() {
    let mut app = TestApp::open().await;
    let (ann, before) = lab(&app).await;
    ann.put(&format!("{LAB}/members/bob"), json!({ "role": "writer" })).await.expect(200);
    let (head, all) = (app.head("ann/lab"), documents(&ann).await);
    let renamed = ann.patch(LAB, json!({ "name": "New lab", "public": true })).await.expect(200).inner();
    assert_eq!((&renamed["id"], &renamed["head"]), (&before["id"], &before["head"]));
    assert_eq!((&renamed["workspace"], &renamed["public"]), (&json!("ann/New lab"), &json!(true)));
    assert_eq!(renamed["clone_url"], "http://test.local/git/ann/New%20lab.git");
    ann.get(LAB).await.expect(404);
    assert!(!app.tree("ann/lab").exists());
    assert_eq!(app.head("ann/New lab"), head);
    for (from, to) in [("New lab", "third"), ("third", "THIRD"), ("THIRD", "lab")] {
        let ann = app.as_user("ann");
        assert_eq!(documents(&ann).await, all);
        let now = ann.get(&format!("/api/v1/workspaces/ann/{from}")).await.expect(200).inner();
        assert_eq!(now["id"], before["id"]);
        ann.patch(&format!("/api/v1/workspaces/ann/{from}"), json!({ "name": to })).await.expect(200);
        app.restart_after(|_| {}).await;
    }
    assert_eq!(documents(&app.as_user("bob")).await, all);
    let one = format!("/api/v1/services/{}", all[0][0]);
    let mut changed = service("a");
    changed["description"] = json!("by bob");
    app.as_user("bob").at("*").put(&one, changed).await.expect(200);
    assert_eq!(
        app.as_user("ann").get(&format!("{one}/history")).await.expect(200).json()["history"].as_array().map(Vec::len),
        Some(2)
    );
    app.finish().await;
}

#[tokio::test]
async fn who_may_and_which_names() {
    let app = TestApp::open().await;
    let (ann, _) = lab(&app).await;
    app.workspace("ann/other").await;
    ann.put(&format!("{LAB}/members/bob"), json!({ "role": "writer" })).await.expect(200);
    app.as_user("bob").patch(LAB, json!({ "name": "x" })).await.expect(403);
    app.anonymous().patch(LAB, json!({ "name": "x" })).await.expect(401);
    ann.patch(LAB, json!({ "name": "other" })).await.expect(409);
    ann.patch(LAB, json!({ "name": "OTHER" })).await.expect(409);
    for bad in [json!("../x"), json!("a/b"), json!(""), json!(7), json!(".state")] {
        ann.patch(LAB, json!({ "name": bad, "public": true })).await.expect(400);
    }
    // What lies on the disk is not covered.
    fs::create_dir(app.tree("ann/folder")).expect("a folder");
    ann.patch(LAB, json!({ "name": "folder" })).await.expect(409);
    fs::remove_dir(app.tree("ann/folder")).expect("gone");
    ann.patch(&format!("{LAB}?dry_run=true"), json!({ "name": "x" })).await.expect(200);
    assert_eq!(ann.get(LAB).await.expect(200).inner()["public"], false);
    // Nothing to do.
    ann.patch(LAB, json!({ "name": "lab" })).await.expect(200);
    app.as_user("root").patch(LAB, json!({ "name": "by root" })).await.expect(200);
    assert_eq!(ann.get("/api/v1/workspaces/ann/by root").await.expect(200).inner()["owner"], "ann");
    app.finish().await;
}

#[tokio::test]
async fn a_copy_of_a_renamed_workspace_is_another_one() {
    let mut app = TestApp::open().await;
    let (ann, before) = lab(&app).await;
    ann.patch(LAB, json!({ "name": "moved" })).await.expect(200);
    app.restart_after(|data| {
        let ann = data.join("ann");
        git::run(&ann, &["clone", "-q", "moved", "cloned"]);
        let copied = std::process::Command::new("cp").args(["-r", "moved", "copied"]).current_dir(&ann).status();
        assert!(copied.expect("cp runs").success());
    })
    .await;
    let all = app.as_user("ann").get("/api/v1/workspaces").await.expect(200).json();
    let mut ids: Vec<u64> =
        all["workspaces"].as_array().expect("a list").iter().filter_map(|w| w["id"].as_u64()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.contains(&before["id"].as_u64().expect("a number")));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    app.finish().await;
}

/// A stop in between: the repository speaks of a name that its folder does not have yet.
#[tokio::test]
async fn a_rename_that_broke_off_changes_nothing() {
    let mut app = TestApp::open().await;
    let (ann, before) = lab(&app).await;
    let all = documents(&ann).await;
    for (name, is_renamed) in [("lab", false), ("moved", true)] {
        if is_renamed {
            app.as_user("ann").patch(LAB, json!({ "name": "moved" })).await.expect(200);
        }
        app.restart_after(|data| {
            let tree = data.join("ann").join(name);
            git::run(&tree, &["config", "workleaf.next", "ann/elsewhere"]);
            if !is_renamed {
                git::run(&tree, &["config", "workleaf.name", "ann/lab"]);
                git::run(&tree, &["config", "workleaf.first", "ann/lab"]);
            } else {
                git::run(&tree, &["config", "workleaf.name", "ann/moved"]);
            }
        })
        .await;
        let ann = app.as_user("ann");
        let now = ann.get(&format!("/api/v1/workspaces/ann/{name}")).await.expect(200).inner();
        assert_eq!((&now["id"], documents(&ann).await), (&before["id"], all.clone()));
    }
    app.finish().await;
}

/// What was answered 201 is there afterwards; the others were told that the workspace is gone.
#[tokio::test]
async fn writers_and_readers_meanwhile_lose_nothing() {
    let app = TestApp::open().await;
    let (ann, _) = lab(&app).await;
    let mut running = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let ann = ann.clone();
        running.spawn(async move {
            let mut made = Vec::new();
            for n in 0..12 {
                let name = format!("w{writer}-{n}");
                for workspace in ["lab", "moved"] {
                    let address = format!("/api/v1/services?workspace=ann/{workspace}");
                    let status = ann.post(&address, service(&name)).await.status;
                    assert!([201, 404].contains(&status), "{status}");
                    if status == 201 {
                        made.push(name);
                        break;
                    }
                }
                let status = ann.get("/api/v1/services").await.status;
                assert!([200, 404].contains(&status), "{status}");
            }
            made
        });
    }
    ann.patch(LAB, json!({ "name": "moved" })).await.expect(200);
    let mut made = 2;
    while let Some(done) = running.join_next().await {
        made += done.expect("no answer was out of place").len();
    }
    let all = ann.get("/api/v1/services?limit=200").await.expect(200).json();
    assert_eq!(all["_meta"]["count"], made);
    app.finish().await;
}
