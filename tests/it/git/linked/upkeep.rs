//! Published histories in copies, in clones and after a restart.

use serde_json::json;

use super::Shared;
use crate::support::git;

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_git_neither_see_nor_move_them() {
    let shared = Shared::published().await;
    let id = shared.project.rsplit('/').next().unwrap().to_owned();
    assert_eq!(shared.refs().lines().count(), 3);
    let listed = shared.place.git(&["ls-remote", &shared.place.url("ann", "ann/lab")]).await.ok().out;
    assert!(!listed.contains("refs/projects"), "{listed}");
    let clone = shared.place.clone("c").await;
    assert!(!clone.git(&["for-each-ref"]).await.ok().out.contains("projects/"));
    for name in ["main", "linked", "other"] {
        let target = format!("HEAD:refs/projects/{id}/{name}");
        clone.git(&["push", "origin", &target]).await.fails(&["server's own"]);
    }
    let wanted = format!("refs/projects/{id}/main");
    clone.git(&["fetch", "origin", &wanted]).await.fails(&["couldn't find remote ref"]);
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_a_repack_and_a_copy_keep_them() {
    let mut shared = Shared::published().await;
    shared.put("notes.txt", "unpublished\n").await;
    let refs = shared.refs();
    let workspaces = shared.place.app.app().engine.workspaces();
    let bundle = shared.hands.path().join("lab.bundle");
    workspaces.iter().find(|workspace| workspace.name().as_str() == "ann/lab").unwrap().bundle(&bundle).unwrap();
    drop(workspaces);
    let heads = git::run(shared.hands.path(), &["bundle", "list-heads", "lab.bundle"]);
    assert_eq!(heads.lines().filter(|line| line.contains("refs/projects/")).count(), 3, "{heads}");
    shared
        .restart(|tree| {
            git::run(tree, &["gc", "-q", "--prune=now"]);
            git::run(tree, &["pack-refs", "--all"]);
        })
        .await;
    assert_eq!(shared.refs(), refs);
    let status = shared.status().await;
    assert_eq!(status["changes"], json!([{ "verb": "modified", "path": "notes.txt" }]));
    shared.commit("After the restart").await;
    shared.post("push", json!({})).await.expect(200);
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_goes_on() {
    let mut shared = Shared::published().await;
    let hand = shared.hand("h");
    hand.write("notes.txt", &hand.read("notes.txt").replace("one", "ONE"));
    hand.push("Theirs");
    shared.put("notes.txt", "one\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n").await;
    // A pull that wrote the folder and did not come to the refs.
    let main = format!("refs/projects/{}/main", shared.project.rsplit('/').next().unwrap());
    let old = git::run(&shared.tree(), &["rev-parse", &main]);
    shared.pull().await;
    let text = shared.file("notes.txt").await;
    shared.restart(|tree| drop(git::run(tree, &["update-ref", &main, &old]))).await;
    shared.pull().await;
    assert_eq!(shared.file("notes.txt").await, text);
    assert_eq!(shared.status().await["changes"], json!([{ "verb": "modified", "path": "notes.txt" }]));

    // A clone that made the folder and did not come to the refs.
    let clone = format!("/api/v1/projects?workspace=ann/lab&project=copy&clone={}", shared.url());
    let id = shared.ann.post(&clone, crate::support::raw("")).await.expect(201).id();
    shared
        .restart(|tree| {
            for name in ["main", "remote", "linked"] {
                git::run(tree, &["update-ref", "-d", &format!("refs/projects/{id}/{name}")]);
            }
        })
        .await;
    let remote = shared.ann.get(&format!("/api/v1/projects/{id}/remote?refresh=true")).await.expect(200).inner();
    assert_eq!((&remote["behind"], &remote["changes"]), (&json!(0), &json!([])), "{remote}");
    shared.finish().await;
}
