//! git used by hand in a workspace.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{LONG, commits, lab, names, newest, service, until, until_names, write};
use crate::support::{git, raw, yaml};

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

/// A `git reset --hard` that cannot move `main` has put older files there already: nobody's edit.
#[tokio::test]
async fn a_reset_that_fails_takes_no_file_off_main() {
    let app = lab().await;
    let tree = app.tree("ann/lab");
    let ann = app.as_user("ann");
    for name in ["a", "b"] {
        let address = format!("{SERVICES}&path=services/{name}.yml");
        ann.post(&address, yaml(service(name))).await.expect(201);
    }
    let file = "/api/v1/workspaces/ann/lab/files/services/a.yml";
    let found = ann.get(file).await.expect(200);
    ann.header("if-match", found.header("etag")).put(file, raw(service("new"))).await.expect(200);
    until("git sees it", async || git::run(&tree, &["status", "--porcelain"]).is_empty()).await;
    let head = app.head("ann/lab");
    let lock = tree.join(".git/refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let reset = Command::new("git").args(["reset", "-q", "--hard", "HEAD~2"]).current_dir(&tree).output().unwrap();
    assert!(!reset.status.success(), "main is locked");
    assert!(!tree.join("services/b.yml").exists(), "the files are gone all the same");
    fs::remove_file(&lock).unwrap();
    // They come back, as they were.
    until("the files are back", async || tree.join("services/b.yml").exists()).await;
    until("git sees it", async || git::run(&tree, &["status", "--porcelain"]).is_empty()).await;
    assert_eq!(app.head("ann/lab"), head);
    assert_eq!(names(&app, "ann/lab").await, ["b", "new"]);
    // What somebody takes away on purpose stays away.
    git::run(&tree, &["rm", "-q", "services/b.yml"]);
    until_names(&app, "ann/lab", &["new"]).await;
    // A reset that succeeds is a word as good as any.
    git::run(&tree, &["reset", "-q", "--hard", &head]);
    until_names(&app, "ann/lab", &["b", "new"]).await;
    git::run(&tree, &["reset", "-q", "--hard", "HEAD~1"]);
    until_names(&app, "ann/lab", &["a", "b"]).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "real resets against real writes: on a very busy machine it fails now and then"]
async fn resets_by_hand_beside_writes_make_no_edits() {
    const WRITES: usize = 120;
    let app = lab().await;
    let tree = app.tree("ann/lab");
    let over = Arc::new(AtomicBool::new(false));
    let hand = {
        let (tree, over) = (tree.clone(), over.clone());
        std::thread::spawn(move || {
            let mut made = 0;
            while !over.load(Ordering::SeqCst) {
                let mut reset = Command::new("git");
                reset.args(["reset", "-q", "--hard", "HEAD~1"]).current_dir(&tree);
                made += usize::from(reset.output().unwrap().status.success());
                std::thread::sleep(std::time::Duration::from_millis(3));
            }
            made
        })
    };
    for n in 0..WRITES {
        let address = format!("{SERVICES}&path=services/{n}.yml");
        let answer = app.as_user("ann").post(&address, yaml(service(&format!("s{n}")))).await;
        assert!([201, 409, 503].contains(&answer.status), "{}", answer.text());
    }
    over.store(true, Ordering::SeqCst);
    let made = hand.join().unwrap();
    eprintln!("{made} resets by hand between {WRITES} writes");
    let end = format!("{SERVICES}&path=services/end.yml");
    until("all is quiet", async || app.as_user("ann").post(&end, yaml(service("end"))).await.status == 201).await;
    until("the tree is clean", async || git::run(&tree, &["status", "--porcelain"]).is_empty()).await;
    let edits = git::run(&tree, &["log", "-g", "--all", "--format=%h %s", "--grep=on the server's disk"]);
    assert_eq!(edits, "", "nobody edited anything");
    let edits = git::run(&tree, &["log", "main", "--format=%h %s", "--grep=on the server's disk"]);
    assert_eq!(edits, "", "nobody edited anything");
    app.finish().await;
}

#[tokio::test]
async fn a_main_that_is_renamed_by_hand_is_told() {
    let app = lab().await;
    let tree = app.tree("ann/lab");
    let ann = app.as_user("ann");
    ann.post(&format!("{SERVICES}&path=services/a.yml"), yaml(service("a"))).await.expect(201);
    let head = app.head("ann/lab");
    git::run(&tree, &["branch", "-m", "main", "trunk"]);
    let refused = ann.post(&format!("{SERVICES}&path=services/b.yml"), yaml(service("b"))).await.expect(409);
    assert!(refused.text().contains("branch main"), "{}", refused.text());
    assert_eq!(names(&app, "ann/lab").await, ["a"], "it can be read all the same");
    let ready = app.anonymous().get("/health/ready").await.expect(200);
    assert!(ready.text().contains("branch main is gone") && !ready.text().contains("ann"), "{}", ready.text());
    git::run(&tree, &["branch", "-m", "trunk", "main"]);
    ann.post(&format!("{SERVICES}&path=services/b.yml"), yaml(service("b"))).await.expect(201);
    let ready = app.anonymous().get("/health/ready").await.expect(200).json();
    assert_eq!(ready["notes"], serde_json::Value::Null);
    // Deleted, and brought back where it was.
    let head_now = app.head("ann/lab");
    assert_ne!(head_now, head);
    git::run(&tree, &["update-ref", "-d", "refs/heads/main"]);
    ann.post(&format!("{SERVICES}&path=services/c.yml"), yaml(service("c"))).await.expect(409);
    git::run(&tree, &["update-ref", "refs/heads/main", &head_now]);
    ann.post(&format!("{SERVICES}&path=services/c.yml"), yaml(service("c"))).await.expect(201);
    app.finish().await;
}

#[tokio::test]
async fn what_a_rebase_left_behind_is_told() {
    let app = lab().await;
    let left = app.tree("ann/lab").join(".git/rebase-merge");
    fs::create_dir(&left).unwrap();
    write(&app, "ann/lab", "services/a.yml", &service("a"));
    until("it is told", async || {
        let ready = app.anonymous().get("/health/ready").await.expect(200);
        ready.text().contains("edits on disk wait for a git command that is half done")
    })
    .await;
    assert_eq!(names(&app, "ann/lab").await, Vec::<String>::new());
    fs::remove_dir(&left).unwrap();
    until_names(&app, "ann/lab", &["a"]).await;
    assert_eq!(app.anonymous().get("/health/ready").await.json()["notes"], serde_json::Value::Null);
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
