//! Workspaces that come, move and go on disk, while the server runs and while it sleeps.

use std::fs;

use super::{lab, names, service, until, until_names, watch, write};
use crate::support::{TestApp, git};

#[tokio::test]
async fn workspaces_come_move_and_go_while_the_server_runs() {
    let app = lab().await;
    write(&app, "ann/lab", "services/a.yml", &service("a"));
    until_names(&app, "ann/lab", &["a"]).await;
    // Cloned by hand, for somebody who has none yet.
    fs::create_dir(app.data().join("bob")).unwrap();
    git::run(app.data(), &["clone", "-q", "ann/lab", "bob/copy"]);
    until_names(&app, "bob/copy", &["a"]).await;
    write(&app, "bob/copy", "services/b.yml", &service("b"));
    until_names(&app, "bob/copy", &["a", "b"]).await;
    // Moved.
    fs::rename(app.tree("bob/copy"), app.tree("ann/moved")).unwrap();
    until_names(&app, "ann/moved", &["a", "b"]).await;
    app.as_user("root").get("/api/v1/workspaces/bob/copy").await.expect(404);
    write(&app, "ann/moved", "services/c.yml", &service("c"));
    until_names(&app, "ann/moved", &["a", "b", "c"]).await;
    // Gone.
    fs::remove_dir_all(app.tree("ann/moved")).unwrap();
    until("it is gone", async || app.as_user("root").get("/api/v1/workspaces/ann/moved").await.status == 404).await;
    until("its documents are gone", async || {
        let all = app.as_user("root").get("/api/v1/services").await.expect(200).json();
        all["services"].as_array().is_some_and(|all| all.len() == 1)
    })
    .await;
    // Its name is free.
    app.workspace("ann/moved").await;
    write(&app, "ann/moved", "services/d.yml", &service("d"));
    until_names(&app, "ann/moved", &["d"]).await;
    app.finish().await;
}

#[tokio::test]
async fn a_workspace_made_over_rest_is_watched() {
    let app = lab().await;
    app.workspace("bob/fresh").await;
    write(&app, "bob/fresh", "services/a.yml", &service("a"));
    until_names(&app, "bob/fresh", &["a"]).await;
    app.as_user("bob").delete("/api/v1/workspaces/bob/fresh").await.expect(204);
    assert!(!app.tree("bob/fresh").exists());
    app.workspace("bob/fresh").await;
    write(&app, "bob/fresh", "services/b.yml", &service("b"));
    until_names(&app, "bob/fresh", &["b"]).await;
    app.finish().await;
}

#[tokio::test]
async fn a_workspace_renamed_over_rest_is_watched() {
    let app = lab().await;
    write(&app, "ann/lab", "services/a.yml", &service("a"));
    until_names(&app, "ann/lab", &["a"]).await;
    let ann = app.as_user("ann");
    let id = ann.get("/api/v1/workspaces/ann/lab").await.expect(200).inner()["id"].clone();
    ann.patch("/api/v1/workspaces/ann/lab", serde_json::json!({ "name": "moved" })).await.expect(200);
    assert_eq!(names(&app, "ann/moved").await, ["a"]);
    write(&app, "ann/moved", "services/b.yml", &service("b"));
    until_names(&app, "ann/moved", &["a", "b"]).await;
    // What comes to the old place is another one.
    write(&app, "ann/lab", "services/c.yml", &service("c"));
    until_names(&app, "ann/lab", &["c"]).await;
    assert_ne!(ann.get("/api/v1/workspaces/ann/lab").await.expect(200).inner()["id"], id);
    assert_eq!(ann.get("/api/v1/workspaces/ann/moved").await.expect(200).inner()["id"], id);
    app.finish().await;
}

#[tokio::test]
async fn a_folder_without_a_repository_becomes_a_workspace() {
    let app = lab().await;
    write(&app, "carol/old", "services/a.yml", &service("a"));
    until_names(&app, "carol/old", &["a"]).await;
    let root = app.as_user("root");
    assert!(root.get("/api/v1/users").await.expect(200).text().contains("carol"), "its owner has an account");
    // An empty folder is nothing.
    fs::create_dir_all(app.tree("carol/empty")).unwrap();
    write(&app, "carol/old", "services/b.yml", &service("b"));
    until_names(&app, "carol/old", &["a", "b"]).await;
    assert!(!app.tree("carol/empty/.git").exists());
    app.finish().await;
}

#[tokio::test]
async fn what_happened_while_the_server_slept_is_found() {
    let mut app = TestApp::open().await;
    for name in ["ann/lab", "ann/moving", "ann/going"] {
        app.workspace(name).await;
        write(&app, name, "services/a.yml", &service("a"));
    }
    watch(&app).await;
    for name in ["ann/lab", "ann/moving", "ann/going"] {
        until_names(&app, name, &["a"]).await;
    }
    app.restart_after(|data| {
        fs::write(data.join("ann/lab/services/b.yml"), service("b")).unwrap();
        fs::remove_file(data.join("ann/lab/services/a.yml")).unwrap();
        fs::rename(data.join("ann/moving"), data.join("ann/moved")).unwrap();
        fs::remove_dir_all(data.join("ann/going")).unwrap();
        fs::create_dir_all(data.join("dave/new/services")).unwrap();
        fs::write(data.join("dave/new/services/d.yml"), service("d")).unwrap();
    })
    .await;
    assert_eq!(names(&app, "ann/lab").await, ["a"], "a start does not wait for the comparison");
    watch(&app).await;
    until_names(&app, "ann/lab", &["b"]).await;
    until_names(&app, "ann/moved", &["a"]).await;
    until_names(&app, "dave/new", &["d"]).await;
    let root = app.as_user("root");
    root.get("/api/v1/workspaces/ann/moving").await.expect(404);
    root.get("/api/v1/workspaces/ann/going").await.expect(404);
    app.finish().await;
}
