//! Somebody uses git by hand in the work tree while others push and write over REST.

use std::process::Command;
use std::time::Duration;

use super::client::{Clone, Place};
use crate::support::{git, raw};

/// What is written over REST.
fn file(path: &str) -> String {
    format!("/api/v1/workspaces/ann/lab/files/{path}")
}

/// Runs git in the work tree as somebody who may fail; says whether it did not.
fn by_hand(place: &Place, arguments: &[&str]) -> bool {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=Hand", "-c", "user.email=hand@example.org"])
        .args(arguments)
        .current_dir(place.app.tree("ann/lab"))
        .env("HOME", place.app.data());
    command.output().expect("git runs").status.success()
}

/// A workspace with `a.txt` and `b.txt` where a merge by hand of `a.txt` waits for a person.
async fn in_conflict() -> (Place, Clone) {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    for name in ["a.txt", "b.txt"] {
        clone.write(name, "base\n");
    }
    clone.commit("Base").await;
    clone.push().await.ok();
    clone.git(&["checkout", "-q", "-b", "side"]).await.ok();
    clone.write("a.txt", "side\n");
    clone.commit("Side").await;
    clone.git(&["push", "origin", "side"]).await.ok();
    clone.git(&["checkout", "-q", "main"]).await.ok();
    clone.write("a.txt", "main\n");
    clone.commit("Main").await;
    clone.push().await.ok();
    assert!(!by_hand(&place, &["merge", "-q", "side"]), "they conflict");
    let tree = place.app.tree("ann/lab");
    assert!(std::fs::read_to_string(tree.join("a.txt")).unwrap().contains("<<<<<<<"));
    (place, clone)
}

/// No commit of any branch holds conflict markers.
fn assert_no_markers(place: &Place) {
    let found = git::run(&place.app.tree("ann/lab"), &["log", "--all", "--format=%s", "-S<<<<<<<"]);
    assert_eq!(found, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_waits_for_a_person_is_not_committed_by_others() {
    let (place, clone) = in_conflict().await;
    let tree = place.app.tree("ann/lab");
    let ann = place.app.as_user("ann");
    let head = place.app.head("ann/lab");
    // Starting a push does not take the markers in.
    clone.git(&["ls-remote", "origin"]).await.ok();
    clone.git(&["push", "origin", "HEAD:refs/heads/other"]).await.ok();
    assert_eq!(place.app.head("ann/lab"), head);
    // The file of the conflict waits; the others do not.
    let found = ann.get(&file("a.txt")).await.expect(200);
    assert_eq!(found.text(), "main\n");
    let etag = found.header("etag");
    let refused = ann.header("if-match", etag).put(&file("a.txt"), raw("rest\n")).await.expect(409);
    assert!(refused.text().contains("half done"), "{}", refused.text());
    let dry = ann.header("if-match", etag).put(&format!("{}?dry_run=true", file("a.txt")), raw("rest\n")).await;
    dry.expect(409);
    ann.header("if-match", etag).delete(&file("a.txt")).await.expect(409);
    ann.header("if-none-match", "*").put(&file("c.txt"), raw("rest\n")).await.expect(201);
    let etag = ann.get(&file("b.txt")).await.expect(200).header("etag").to_owned();
    ann.header("if-match", &etag).put(&file("b.txt"), raw("rest\n")).await.expect(200);
    // The same for pushes.
    clone.git(&["pull", "-q", "--rebase", "origin", "main"]).await.ok();
    clone.write("a.txt", "pushed\n");
    clone.commit("The file of the conflict").await;
    clone.push().await.fails(&["remote rejected", "half done"]);
    clone.git(&["reset", "-q", "--hard", "HEAD~"]).await.ok();
    clone.write("d.txt", "pushed\n");
    clone.commit("Another").await;
    clone.push().await.ok();
    assert!(std::fs::read_to_string(tree.join("a.txt")).unwrap().contains("<<<<<<<"), "the merge goes on");
    assert_no_markers(&place);
    // The person ends it; nothing of the others is lost.
    std::fs::write(tree.join("a.txt"), "both\n").unwrap();
    assert!(by_hand(&place, &["commit", "-q", "-a", "-m", "Merged"]));
    ann.header("if-none-match", "*").put(&file("e.txt"), raw("rest\n")).await.expect(201);
    for (name, text) in [("a.txt", "both\n"), ("b.txt", "rest\n"), ("c.txt", "rest\n"), ("d.txt", "pushed\n")] {
        assert_eq!(ann.get(&file(name)).await.expect(200).text(), text, "{name}");
    }
    assert_eq!(git::run(&tree, &["rev-list", "--merges", "--count", "main"]), "1");
    place.finish().await;
}

/// `git stash pop` and the like leave conflicts without a mark in `.git`.
#[tokio::test(flavor = "multi_thread")]
async fn conflicts_without_a_merge_are_not_committed() {
    let place = Place::open().await;
    let ann = place.app.as_user("ann");
    let tree = place.app.tree("ann/lab");
    ann.header("if-none-match", "*").put(&file("a.txt"), raw("base\n")).await.expect(201);
    place.app.app().engine.finish_writes().await;
    git::run(&tree, &["status"]);
    std::fs::write(tree.join("a.txt"), "stashed\n").unwrap();
    assert!(by_hand(&place, &["stash", "-q"]));
    let etag = ann.get(&file("a.txt")).await.expect(200).header("etag").to_owned();
    ann.header("if-match", &etag).put(&file("a.txt"), raw("rest\n")).await.expect(200);
    git::run(&tree, &["status"]);
    assert!(!by_hand(&place, &["stash", "pop", "-q"]), "they conflict");
    assert!(std::fs::read_to_string(tree.join("a.txt")).unwrap().contains("<<<<<<<"));
    let etag = ann.get(&file("a.txt")).await.expect(200).header("etag").to_owned();
    ann.header("if-match", &etag).put(&file("a.txt"), raw("more\n")).await.expect(409);
    place.clone("c").await.git(&["push", "origin", "HEAD:refs/heads/side"]).await.ok();
    assert_eq!(git::run(&tree, &["log", "main", "--format=%s", "-S<<<<<<<"]), "");
    git::run(&tree, &["checkout", "-q", "main", "--", "a.txt"]);
    git::run(&tree, &["stash", "drop", "-q"]);
    place.finish().await;
}

/// What somebody is writing just now is neither committed nor overwritten.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_open_is_left_to_its_writer() {
    use std::io::Write as _;
    let place = Place::open().await;
    let ann = place.app.as_user("ann");
    let tree = place.app.tree("ann/lab");
    ann.header("if-none-match", "*").put(&file("a.txt"), raw("base\n")).await.expect(201);
    let clone = place.clone("c").await;
    place.app.app().watch().unwrap();
    super::until(|| place.app.app().watcher(|w| w.is_settled()) == Some(true), "everything is compared").await;
    let head = place.app.head("ann/lab");
    let mut open = std::fs::File::create(tree.join("a.txt")).unwrap();
    open.write_all(b"half of").unwrap();
    let etag = ann.get(&file("a.txt")).await.expect(200).header("etag").to_owned();
    // Until the watcher has heard of it, which nothing tells.
    tokio::time::sleep(Duration::from_millis(800)).await;
    ann.header("if-match", &etag).put(&file("a.txt"), raw("rest\n")).await.expect(409);
    assert_eq!(place.app.head("ann/lab"), head, "half a text was committed");
    clone.write("a.txt", "pushed\n");
    clone.commit("The same file").await;
    clone.push().await.fails(&["remote rejected", "being written"]);
    open.write_all(b" a text\n").unwrap();
    drop(open);
    super::until(|| place.app.head("ann/lab") != head, "it is taken in").await;
    assert_eq!(ann.get(&file("a.txt")).await.expect(200).text(), "half of a text\n");
    clone.push().await.fails(&["fetch first"]);
    assert_eq!(git::run(&tree, &["rev-list", "--count", "main"]), "3");
    place.finish().await;
}
