//! Workspaces that come, move and go on disk, while the server runs and while it sleeps.

use std::fs;

use serde_json::json;

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

/// Rights belong to a workspace's number, which comes from its name and first commit.
#[tokio::test]
async fn rights_do_not_follow_a_folder_to_another_name() {
    let app = lab().await;
    write(&app, "ann/lab", "services/a.yml", &service("a"));
    until_names(&app, "ann/lab", &["a"]).await;
    let (ann, bob) = (app.as_user("ann"), app.as_user("bob"));
    ann.put("/api/v1/workspaces/ann/lab/members/bob", json!({ "role": "writer" })).await.expect(200);
    bob.get("/api/v1/workspaces/ann/lab").await.expect(200);
    fs::rename(app.tree("ann/lab"), app.tree("ann/moved")).unwrap();
    until_names(&app, "ann/moved", &["a"]).await;
    bob.get("/api/v1/workspaces/ann/moved").await.expect(404);
    let members = ann.get("/api/v1/workspaces/ann/moved/members").await.expect(200).json();
    assert!(!members.to_string().contains("bob"), "{members}");
    // Nor to whatever takes its old name.
    app.workspace("ann/lab").await;
    bob.get("/api/v1/workspaces/ann/lab").await.expect(404);
    ann.delete("/api/v1/workspaces/ann/lab").await.expect(204);
    // Back under its name it is what it was.
    until("the name is free", async || !app.tree("ann/lab").exists()).await;
    fs::rename(app.tree("ann/moved"), app.tree("ann/lab")).unwrap();
    until_names(&app, "ann/lab", &["a"]).await;
    bob.get("/api/v1/workspaces/ann/lab").await.expect(200);
    app.finish().await;
}

/// What the original editor backend left: a folder of projects, each with a repository of its own.
#[tokio::test]
async fn what_the_original_editor_left_is_taken_over() {
    let app = lab().await;
    let outside = tempfile::tempdir().unwrap();
    let old = outside.path().join("old");
    let project = old.join("projects/shop");
    fs::create_dir_all(project.join("sources/nsd")).unwrap();
    fs::write(project.join("project.yml"), "name: shop\nvendor: v\nversion: '1'\n").unwrap();
    git::run(&project, &["init", "-q", "-b", "master"]);
    git::run(&project, &["add", "-A"]);
    git::run(&project, &["commit", "-q", "-m", "one"]);
    git::run(&project, &["tag", "v1"]);
    git::run(&project, &["branch", "side/way"]);
    fs::write(project.join("notes.txt"), "published\n").unwrap();
    git::run(&project, &["add", "-A"]);
    git::run(&project, &["commit", "-q", "-m", "two"]);
    let (first, head) = (git::run(&project, &["rev-parse", "HEAD~"]), git::run(&project, &["rev-parse", "HEAD"]));
    fs::write(project.join("notes.txt"), "saved since\n").unwrap();
    // Whatever it says, nothing of it is run.
    let (witness, evil) = (outside.path().join("witness"), outside.path().join("evil.sh"));
    fs::write(&evil, format!("#!/bin/sh\necho $0 >> {}\ncat\n", witness.display())).unwrap();
    fs::set_permissions(&evil, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut config = fs::read_to_string(project.join(".git/config")).unwrap();
    config += &format!(
        "[core]\n\tfsmonitor = {0}\n\talternateRefsCommand = {0}\n[uploadpack]\n\tpackObjectsHook = {0}\n",
        evil.display()
    );
    fs::write(project.join(".git/config"), config).unwrap();
    for hook in ["post-checkout", "reference-transaction", "pre-receive", "post-index-change"] {
        fs::create_dir_all(project.join(".git/hooks")).unwrap();
        fs::copy(&evil, project.join(".git/hooks").join(hook)).unwrap();
    }
    // A repository that is no project's stays what it is.
    fs::create_dir(app.data().join("carol")).unwrap();
    fs::rename(&old, app.tree("carol/old")).unwrap();
    let root = app.as_user("root");
    let list = "/api/v1/projects?where=workspace:carol/old";
    let listed = async || {
        let answer = root.get(list).await;
        if answer.status == 200 {
            answer.json()["projects"].as_array().cloned().unwrap_or_default()
        } else {
            Vec::new()
        }
    };
    until("its project is listed", async || listed().await.len() == 1).await;
    let id = listed().await[0]["id"].to_string();
    let tree = app.tree("carol/old");
    until("its history is there", async || !tree.join(".git/workleaf-adopting").exists()).await;
    let refs = git::run(&tree, &["for-each-ref", "refs/projects", "--format=%(refname) %(objectname)"]);
    let wanted = [("heads/side/way", &first), ("main", &head), ("tags/v1", &first)];
    let wanted = wanted.map(|(name, at)| format!("refs/projects/{id}/{name} {at}"));
    assert_eq!(refs.lines().collect::<Vec<_>>(), wanted);
    assert_eq!(git::run(&tree, &["show", &format!("{head}:notes.txt")]), "published");
    assert_eq!(git::run(&tree, &["show", "main:projects/shop/notes.txt"]), "saved since");
    assert!(!tree.join("projects/shop/.git").exists());
    assert!(app.data().join(".state/aside/carol/old/shop/HEAD").exists(), "it is set aside");
    assert!(!witness.exists(), "{}", fs::read_to_string(&witness).unwrap());
    assert!(root.get("/api/v1/users").await.expect(200).text().contains("carol"));
    app.finish().await;
}
