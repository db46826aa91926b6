//! git used by hand in a workspace.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{LONG, commits, lab, names, newest, service, until, until_names, write};
use crate::support::{git, yaml};

const SERVICES: &str = "/api/v1/services?workspace=ann/lab";
const LIST: &str = "/api/v1/services?where=workspace:ann/lab";

#[tokio::test]
async fn a_commit_by_hand_is_absorbed_as_it_is() {
    let app = lab().await;
    let tree = app.tree("ann/lab");
    write(&app, "ann/lab", "services/a.yml", &service("a"));
    git::run(&tree, &["add", "-A"]);
    git::run(&tree, &["commit", "-m", "by hand"]);
    until_names(&app, "ann/lab", &["a"]).await;
    assert!(newest(&app, "ann/lab").starts_with("Hand: by hand"));
    let id = app.as_user("ann").get(LIST).await.json()["services"][0]["id"].clone();
    git::run(&tree, &["mv", "services/a.yml", "services/b.yml"]);
    git::run(&tree, &["commit", "-m", "moved"]);
    until("it moved", async || {
        let now = app.as_user("ann").get(LIST).await.json()["services"][0].clone();
        now["path"] == "services/b.yml" && now["id"] == id
    })
    .await;
    assert_eq!(commits(&app, "ann/lab"), 3);
    // A whole branch merged.
    git::run(&tree, &["checkout", "-q", "-b", "side"]);
    write(&app, "ann/lab", "services/c.yml", &service("c"));
    git::run(&tree, &["add", "-A"]);
    git::run(&tree, &["commit", "-q", "-m", "aside"]);
    tokio::time::sleep(LONG).await;
    assert_eq!(names(&app, "ann/lab").await, ["a"], "only main counts");
    git::run(&tree, &["checkout", "-q", "main"]);
    git::run(&tree, &["merge", "-q", "--no-ff", "-m", "merged", "side"]);
    until_names(&app, "ann/lab", &["a", "c"]).await;
    app.finish().await;
}

#[tokio::test]
async fn a_merge_that_waits_for_a_person_is_left_alone() {
    let app = lab().await;
    let tree = app.tree("ann/lab");
    let ann = app.as_user("ann");
    ann.post(&format!("{SERVICES}&path=services/a.yml"), yaml(service("base"))).await.expect(201);
    until("git sees it", async || git::run(&tree, &["status", "--porcelain"]).is_empty()).await;
    git::run(&tree, &["checkout", "-q", "-b", "side"]);
    write(&app, "ann/lab", "services/a.yml", &service("side"));
    git::run(&tree, &["commit", "-q", "-am", "side"]);
    git::run(&tree, &["checkout", "-q", "main"]);
    write(&app, "ann/lab", "services/a.yml", &service("main"));
    git::run(&tree, &["commit", "-q", "-am", "main"]);
    until_names(&app, "ann/lab", &["main"]).await;
    let before = commits(&app, "ann/lab");
    let identity = ["-c", "user.name=Hand", "-c", "user.email=hand@example.org"];
    let merged = Command::new("git")
        .args(identity)
        .args(["merge", "-q", "side"])
        .current_dir(&tree)
        .env("HOME", &tree)
        .output()
        .unwrap();
    assert!(!merged.status.success());
    assert!(fs::read_to_string(tree.join("services/a.yml")).unwrap().contains("<<<<<<<"));
    tokio::time::sleep(LONG).await;
    assert_eq!(commits(&app, "ann/lab"), before, "conflict marks are nobody's text");
    write(&app, "ann/lab", "services/a.yml", &service("both"));
    tokio::time::sleep(LONG).await;
    assert_eq!(commits(&app, "ann/lab"), before);
    git::run(&tree, &["commit", "-q", "-am", "merged"]);
    until_names(&app, "ann/lab", &["both"]).await;
    assert!(newest(&app, "ann/lab").starts_with("Hand: merged"));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_by_hand_during_many_writes_lose_none() {
    const WRITES: usize = 200;
    let app = lab().await;
    let tree = app.tree("ann/lab");
    let over = Arc::new(AtomicBool::new(false));
    let hand = {
        let (tree, over) = (tree.clone(), over.clone());
        std::thread::spawn(move || {
            let mut made = 0;
            for n in 0.. {
                if over.load(Ordering::SeqCst) {
                    return made;
                }
                fs::create_dir_all(tree.join("notes")).unwrap();
                fs::write(tree.join("notes/hand.txt"), format!("{n}\n")).unwrap();
                // It may fail with git's own message while the server has the index.
                let run = |arguments: &[&str]| {
                    let identity = ["-c", "user.name=Hand", "-c", "user.email=hand@example.org"];
                    Command::new("git").args(identity).args(arguments).current_dir(&tree).env("HOME", &tree).output()
                };
                run(&["add", "notes/hand.txt"]).unwrap();
                made += usize::from(run(&["commit", "-q", "-a", "-m", "hand"]).unwrap().status.success());
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            made
        })
    };
    let mut writes = tokio::task::JoinSet::new();
    for n in 0..WRITES {
        let ann = app.as_user("ann");
        writes.spawn(async move {
            let address = format!("{SERVICES}&path=services/{n}.yml");
            // Busy: a commit by hand has the index.
            for _ in 0..20 {
                let answer = ann.post(&address, yaml(service(&format!("s{n}")))).await;
                match answer.status {
                    201 => return,
                    status => assert!(status == 409 || status == 423 || status == 429, "{}", answer.text()),
                }
            }
            panic!("never written");
        });
        if n % 10 == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    writes.join_all().await;
    over.store(true, Ordering::SeqCst);
    let made = hand.join().unwrap();
    eprintln!("{made} commits by hand between {WRITES} writes");
    assert!(made > 0);
    until("all are there", async || names(&app, "ann/lab").await.len() == WRITES).await;
    let count = || git::run(&tree, &["ls-tree", "-r", "--name-only", "main", "services"]).lines().count();
    assert_eq!(count(), WRITES);
    until("the tree is clean", async || git::run(&tree, &["status", "--porcelain"]).is_empty()).await;
    app.finish().await;
}
