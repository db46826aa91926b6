//! What came from elsewhere meets what was written here.

use serde_json::json;

use super::{Shared, subjects};
use crate::support::git;

#[tokio::test(flavor = "multi_thread")]
async fn two_people_lose_nothing_of_each_other() {
    let shared = Shared::published().await;
    let hand = shared.hand("h");
    hand.write("notes.txt", &hand.read("notes.txt").replace("one", "ONE"));
    hand.write("theirs/new.txt", "from there\n");
    hand.push("Theirs");
    // Not published here yet.
    shared.put("notes.txt", "one\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n").await;
    shared.put("ours.txt", "from here\n").await;
    assert!(shared.status().await["status"].as_str().unwrap().contains("behind 'origin/master' by 1 commit."));
    let before = shared.place.app.head("ann/lab");
    let pulled = shared.pull().await;
    assert_eq!(pulled["changed"], json!(["projects/web/notes.txt", "projects/web/theirs/new.txt"]));
    assert_eq!(shared.file("notes.txt").await, "ONE\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n");
    assert_eq!(shared.file("theirs/new.txt").await, "from there\n");
    assert_eq!(shared.file("ours.txt").await, "from here\n");
    // One ordinary commit of the workspace, by the one who pulled.
    let made = git::run(&shared.tree(), &["log", "--format=%an %s", &format!("{before}..main")]);
    assert_eq!(made, format!("ann project: pull projects/web from {}", shared.url()));
    let status = shared.status().await;
    assert_eq!((&status["ahead"], &status["behind"]), (&json!(0), &json!(0)));
    assert_eq!(
        status["changes"],
        json!([{ "verb": "modified", "path": "notes.txt" }, { "verb": "new", "path": "ours.txt" }])
    );
    assert_eq!(shared.pull().await["text"], "Already up to date.");

    // Both go on: a merge commit, and both sides have everything.
    shared.commit("Ours").await;
    hand.write("theirs/new.txt", "more from there\n");
    hand.push("Theirs again");
    let refused = shared.post("push", json!({})).await.expect(409);
    assert!(refused.text().contains("rejected") && refused.text().contains("Pull first"), "{}", refused.text());
    assert!(shared.status().await["status"].as_str().unwrap().contains("have diverged"));
    shared.pull().await;
    assert_eq!(shared.status().await["changes"], json!([]));
    shared.post("push", json!({})).await.expect(200);
    hand.git(&["pull", "-q", "--ff-only", "origin", "master"]);
    assert_eq!(hand.read("ours.txt"), "from here\n");
    assert_eq!(hand.read("theirs/new.txt"), "more from there\n");
    assert_eq!(subjects(&shared.bare)[0], format!("Merge branch 'master' of {}", shared.url()));
    git::run(&shared.bare, &["fsck", "--strict", "--full"]);
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_reported_and_changes_nothing() {
    let shared = Shared::published().await;
    let hand = shared.hand("h");
    hand.write("notes.txt", "theirs\n");
    hand.write("other.txt", "theirs\n");
    hand.push("Theirs");
    shared.put("notes.txt", "ours\n").await;
    let state =
        || (shared.place.app.head("ann/lab"), git::run(&shared.tree(), &["for-each-ref", "refs/projects/*/main"]));
    let before = state();
    let refused = shared.post("pull", json!({})).await.expect(409).json();
    assert_eq!(refused["payload"]["conflicts"], json!(["projects/web/notes.txt"]));
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .starts_with("CONFLICT (content): Merge conflict in projects/web/notes.txt\n")
    );
    assert_eq!(state(), before);
    // The same when it is published here already.
    shared.commit("Ours").await;
    let before = state();
    shared.post("pull", json!({})).await.expect(409);
    assert_eq!(state(), before);
    // Made alike, it merges.
    shared.put("notes.txt", "theirs\n").await;
    shared.commit("As they have it").await;
    shared.pull().await;
    assert_eq!(shared.file("other.txt").await, "theirs\n");
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_edited_on_the_disk_is_merged_too() {
    let shared = Shared::published().await;
    let hand = shared.hand("h");
    hand.write("notes.txt", &hand.read("notes.txt").replace("one", "ONE"));
    hand.push("Theirs");
    let path = shared.tree().join("projects/web/notes.txt");
    std::fs::write(&path, "one\ntwo\nthree\nfour\nfive\nsix\nBY HAND\n").unwrap();
    shared.pull().await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "ONE\ntwo\nthree\nfour\nfive\nsix\nBY HAND\n");
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_go_and_move() {
    let shared = Shared::published().await;
    let hand = shared.hand("h");
    hand.git(&["mv", "notes.txt", "moved.txt"]);
    hand.write("notes.txt/inside", "a folder took the name\n");
    hand.push("Move");
    // A change of the file that moved follows it.
    shared.put("notes.txt", "one\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n").await;
    let pulled = shared.post("pull", json!({})).await;
    assert_eq!(pulled.status, 200, "{}", pulled.text());
    assert_eq!(shared.file("moved.txt").await, "one\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n");
    assert_eq!(shared.file("notes.txt/inside").await, "a folder took the name\n");
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_go_on_while_somebody_pulls() {
    let shared = Shared::published().await;
    let hand = shared.hand("h");
    for n in 0..5 {
        hand.write(&format!("t{n}.txt"), "theirs\n");
        hand.push("Theirs");
        let writes = async {
            for k in 0..10 {
                shared.put(&format!("o{n}-{k}.txt"), "ours\n").await;
            }
        };
        let (pulled, ()) = tokio::join!(shared.pull(), writes);
        assert_eq!(pulled["changed"], json!([format!("projects/web/t{n}.txt")]));
    }
    let files = git::run(&shared.tree(), &["ls-tree", "-r", "--name-only", "main:projects/web"]);
    assert_eq!(files.lines().filter(|file| file.starts_with('o')).count(), 50);
    shared.finish().await;
}
