//! Files written, renamed and deleted by hand.

use std::fs;
use std::io::Write as _;
use std::time::Instant;

use super::{LONG, commits, lab, names, newest, service, until, until_names, watch, write};
use crate::support::{TestApp, git, raw, yaml};

const SERVICES: &str = "/api/v1/services?workspace=ann/lab";
const LIST: &str = "/api/v1/services?where=workspace:ann/lab";

/// Files of a repository inside the workspace are that one's, for the watcher, a comparison and REST.
#[tokio::test]
async fn another_repository_inside_is_left_alone() {
    let app = lab().await;
    let inner = app.tree("ann/lab").join("services/inner");
    fs::create_dir_all(&inner).unwrap();
    git::run(&inner, &["init", "-q"]);
    write(&app, "ann/lab", "services/inner/a.yml", &service("inner"));
    write(&app, "ann/lab", "services/b.yml", &service("b"));
    until_names(&app, "ann/lab", &["b"]).await;
    tokio::time::sleep(LONG).await;
    app.app().watcher(|watcher| watcher.lose_signs());
    write(&app, "ann/lab", "services/c.yml", &service("c"));
    until_names(&app, "ann/lab", &["b", "c"]).await;
    let ann = app.as_user("ann");
    for name in ["a", "new"] {
        let file = format!("/api/v1/workspaces/ann/lab/files/services/inner/{name}.yml");
        let refused = ann.header("if-none-match", "*").put(&file, raw(service("rest"))).await.expect(409);
        assert!(refused.text().contains("a repository of its own"), "{}", refused.text());
    }
    tokio::time::sleep(LONG).await;
    assert_eq!(names(&app, "ann/lab").await, ["b", "c"]);
    fs::remove_dir_all(&inner).unwrap();
    app.finish().await;
}

#[tokio::test]
async fn a_file_that_is_written_renamed_or_deleted_is_taken_in() {
    let app = lab().await;
    let start = Instant::now();
    write(&app, "ann/lab", "services/deep/down/a.yml", &service("one"));
    // Only files in the folders of a kind are documents.
    write(&app, "ann/lab", "services/b.yml", &service("two"));
    until_names(&app, "ann/lab", &["two"]).await;
    eprintln!("an edit is in the index after {:?}", start.elapsed());
    let message = newest(&app, "ann/lab");
    assert!(message.starts_with("ann: "), "{message}");
    assert!(message.contains("Workleaf-Disk-Edit: services/b.yml"), "{message}");
    // As an editor: a new file renamed over the old one.
    let tree = app.tree("ann/lab");
    fs::write(tree.join("services/.b.yml.swp"), "swap").unwrap();
    fs::write(tree.join("services/b.yml~"), service("backup")).unwrap();
    fs::write(tree.join("services/new"), service("three")).unwrap();
    fs::rename(tree.join("services/new"), tree.join("services/b.yml")).unwrap();
    until_names(&app, "ann/lab", &["three"]).await;
    fs::rename(tree.join("services/b.yml"), tree.join("services/c.yml")).unwrap();
    until("it was renamed", async || {
        let list = app.as_user("ann").get(LIST).await.json();
        list["services"].as_array().is_some_and(|all| all.len() == 1 && all[0]["path"] == "services/c.yml")
    })
    .await;
    fs::remove_file(tree.join("services/c.yml")).unwrap();
    until_names(&app, "ann/lab", &[]).await;
    let files = git::run(&tree, &["log", "--name-only", "--format="]);
    assert!(!files.contains(".swp") && !files.contains('~'), "{files}");
    fs::remove_file(tree.join("services/.b.yml.swp")).unwrap();
    fs::remove_file(tree.join("services/b.yml~")).unwrap();
    app.finish().await;
}

#[tokio::test]
async fn folders_are_followed_as_they_move_and_turn_into_files() {
    let app = lab().await;
    let tree = app.tree("ann/lab");
    write(&app, "ann/lab", "projects/p/sources/nsd/a.yml", &service("a"));
    write(&app, "ann/lab", "projects/p/sources/nsd/deep/b.yml", &service("b"));
    until_names(&app, "ann/lab", &["a", "b"]).await;
    let ids = async || {
        let list = app.as_user("ann").get(LIST).await.json();
        let mut ids: Vec<_> = list["services"].as_array().unwrap().iter().map(|one| one["id"].to_string()).collect();
        ids.sort();
        ids
    };
    let before = ids().await;
    fs::rename(tree.join("projects/p"), tree.join("projects/q")).unwrap();
    let paths = async || {
        let list = app.as_user("ann").get(LIST).await.json();
        let mut paths: Vec<_> =
            list["services"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap().to_owned()).collect();
        paths.sort();
        paths
    };
    until("the folder was renamed", async || {
        paths().await == ["projects/q/sources/nsd/a.yml", "projects/q/sources/nsd/deep/b.yml"]
    })
    .await;
    assert_eq!(ids().await, before, "moved documents stay the same");
    // It is watched by its new name, and no more by the old one.
    write(&app, "ann/lab", "projects/q/sources/nsd/deep/c.yml", &service("c"));
    write(&app, "ann/lab", "projects/p/sources/nsd/d.yml", &service("d"));
    until_names(&app, "ann/lab", &["a", "b", "c", "d"]).await;
    assert!(newest(&app, "ann/lab").contains("d.yml"));
    // A file where a folder was, and the other way round.
    fs::remove_dir_all(tree.join("projects/q/sources/nsd/deep")).unwrap();
    fs::write(tree.join("projects/q/sources/nsd/deep"), "no folder").unwrap();
    fs::remove_file(tree.join("projects/q/sources/nsd/a.yml")).unwrap();
    write(&app, "ann/lab", "projects/q/sources/nsd/a.yml/e.yml", &service("e"));
    until_names(&app, "ann/lab", &["d", "e"]).await;
    until("the tree is clean", async || git::run(&tree, &["status", "--porcelain"]).is_empty()).await;
    app.finish().await;
}

#[tokio::test]
async fn a_half_written_file_waits_until_it_is_closed() {
    let app = lab().await;
    let tree = app.tree("ann/lab");
    // What is found in a folder that is new itself has shown no sign of being open.
    write(&app, "ann/lab", "services/first.yml", &service("first"));
    until_names(&app, "ann/lab", &["first"]).await;
    let mut file = fs::File::create(tree.join("services/slow.yml")).unwrap();
    let text = service("slow");
    let (first, second) = text.split_at(20);
    file.write_all(first.as_bytes()).unwrap();
    let before = commits(&app, "ann/lab");
    // Others are not held up.
    write(&app, "ann/lab", "services/quick.yml", &service("quick"));
    until_names(&app, "ann/lab", &["first", "quick"]).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(commits(&app, "ann/lab"), before + 1);
    file.write_all(second.as_bytes()).unwrap();
    drop(file);
    until_names(&app, "ann/lab", &["first", "quick", "slow"]).await;
    let history = git::run(&tree, &["log", "--format=%h", "--", "services/slow.yml"]);
    assert_eq!(history.lines().count(), 1, "no half of it was committed");
    app.finish().await;
}

#[tokio::test]
async fn what_git_ignores_and_editors_leave_stays_out() {
    let app = lab().await;
    write(&app, "ann/lab", ".gitignore", "build/\n*.log\n");
    until("the rules are committed", async || commits(&app, "ann/lab") == 2).await;
    for path in ["build/x.yml", "a.log", "services/x.log", "services/4913", "services/.x.yml.swp", "services/#x.yml#"] {
        write(&app, "ann/lab", path, "scratch");
    }
    write(&app, "ann/lab", "services/x.yml", &service("x"));
    until_names(&app, "ann/lab", &["x"]).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(commits(&app, "ann/lab"), 3);
    let tree = app.tree("ann/lab");
    assert_eq!(git::run(&tree, &["ls-tree", "-r", "--name-only", "main"]), ".gitignore\nservices/x.yml");
    for path in ["services/4913", "services/.x.yml.swp", "services/#x.yml#"] {
        fs::remove_file(tree.join(path)).unwrap();
    }
    app.finish().await;
}

#[tokio::test]
async fn a_stale_write_over_rest_overwrites_no_edit() {
    let app = TestApp::open().await;
    app.workspace("ann/lab").await;
    let ann = app.as_user("ann");
    let made = ann.post(&format!("{SERVICES}&path=services/a.yml"), yaml(service("first"))).await.expect(201);
    watch(&app).await;
    let address = made.header("location").to_owned();
    write(&app, "ann/lab", "services/a.yml", &service("by-hand"));
    ann.at(&made.etag()).put(&address, yaml(service("by-rest"))).await.expect(412);
    until_names(&app, "ann/lab", &["by-hand"]).await;
    let now = ann.get(&address).await.etag();
    ann.at(&now).put(&address, yaml(service("by-rest"))).await.expect(200);
    assert_eq!(names(&app, "ann/lab").await, ["by-rest"]);
    let texts = git::run(&app.tree("ann/lab"), &["log", "-p", "--format="]);
    for name in ["first", "by-hand", "by-rest"] {
        assert!(texts.contains(&format!("+name: {name}")), "{texts}");
    }
    app.finish().await;
}

#[tokio::test]
async fn the_servers_own_writes_are_no_edits() {
    let app = lab().await;
    let ann = app.as_user("ann");
    for n in 0..50 {
        ann.post(&format!("{SERVICES}&path=services/{n}.yml"), yaml(service(&format!("s{n}")))).await.expect(201);
    }
    tokio::time::sleep(LONG).await;
    assert_eq!(commits(&app, "ann/lab"), 51);
    app.finish().await;
}
