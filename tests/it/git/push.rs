//! What is pushed: documents and their violations, branches, tags.

use serde_json::json;

use super::client::{Place, SERVICE};

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_told_its_violations_and_is_in_the_index() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    clone.write("services/ok.yml", SERVICE);
    clone.write(
        "services/fw.yml",
        "descriptor_version: \"1.0\"\nvendor: org.example\n# a comment\nname:   7 \nversion: \"1.0\"\n",
    );
    clone.write("services/torn.yml", "name: [1\n");
    clone.write("README.md", "# hello\n");
    clone.commit("Three services").await;
    let pushed = clone.push().await.ok();
    let lines = pushed.remote();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], "services/fw.yml:4:1: name: must be a string, found 7", "{lines:?}");
    assert!(lines[1].starts_with("services/torn.yml:"), "{lines:?}");
    assert_eq!(lines[2], "3 documents changed, 2 with violations");
    let ann = place.app.as_user("ann");
    let listed = ann.get("/api/v1/services").await.expect(200).json();
    assert_eq!(listed["_meta"]["count"], 3, "{listed}");
    // Byte for byte, in git and on the server's disk.
    let tree = place.app.tree("ann/lab");
    let text = std::fs::read_to_string(tree.join("services/fw.yml")).unwrap();
    assert!(text.contains("name:   7 \n"), "{text}");
    assert_eq!(place.app.head("ann/lab"), clone.head().await);
    // Mended, renamed and deleted.
    clone.write("services/fw.yml", SERVICE.replace("name: fw", "name: wall"));
    clone.git(&["mv", "services/ok.yml", "services/moved.yml"]).await.ok();
    clone.git(&["rm", "-q", "services/torn.yml"]).await.ok();
    clone.commit("Mend").await;
    let pushed = clone.push().await.ok();
    assert_eq!(pushed.remote(), ["4 documents changed, 0 with violations"]);
    let listed = ann.get("/api/v1/services").await.expect(200).json();
    assert_eq!(listed["_meta"]["count"], 2, "{listed}");
    assert!(!tree.join("services/torn.yml").exists());
    assert!(clone.push().await.ok().err.contains("Everything up-to-date"));
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_workspace_takes_no_new_violations() {
    let place = Place::open().await;
    let ann = place.app.as_user("ann");
    let clone = place.clone("c").await;
    clone.write("services/old.yml", SERVICE.replace("name: fw", "name: 7"));
    clone.commit("Broken before").await;
    clone.push().await.ok();
    ann.patch("/api/v1/workspaces/ann/lab", json!({ "push": "strict" })).await.expect(200);
    let before = place.app.head("ann/lab");
    clone.write("services/new.yml", SERVICE.replace("name: fw", "name: 7"));
    clone.commit("Broken now").await;
    let refused = clone.push().await.fails(&["! [remote rejected]"]);
    assert!(!refused.err.contains("changed"), "nothing was: {}", refused.err);
    assert!(refused.remote()[0].starts_with("services/new.yml:3:1: "), "{}", refused.err);
    assert!(refused.remote().iter().any(|line| line.starts_with("refused: this workspace takes no push")));
    assert_eq!(place.app.head("ann/lab"), before);
    // What was broken before may stay so.
    clone.git(&["reset", "-q", "--hard", "HEAD~"]).await.ok();
    clone.write("services/old.yml", SERVICE.replace("name: fw", "name: 7 # still"));
    clone.commit("Still broken").await;
    clone.push().await.ok();
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_and_tags_are_kept_beside_main() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    clone.git(&["checkout", "-q", "-b", "side"]).await.ok();
    clone.write("services/side.yml", SERVICE);
    clone.commit("On the side").await;
    clone.git(&["tag", "light"]).await.ok();
    clone.git(&["tag", "-a", "v1", "-m", "one"]).await.ok();
    clone.git(&["push", "origin", "side", "light", "v1"]).await.ok();
    let ann = place.app.as_user("ann");
    let listed = ann.get("/api/v1/services").await.expect(200).json();
    assert_eq!(listed["_meta"]["count"], 0, "{listed}");
    for protocol in ["protocol.version=0", "protocol.version=2"] {
        let listed = place.git(&["-c", protocol, "ls-remote", &place.url("ann", "ann/lab")]).await.ok().out;
        let side = clone.head().await;
        assert!(listed.contains(&format!("{side}\trefs/heads/side\n")), "{listed}");
        assert!(listed.contains(&format!("{side}\trefs/tags/v1^{{}}\n")), "{listed}");
        assert!(listed.contains(&format!("{side}\trefs/tags/light\n")), "{listed}");
    }
    // Side branches may be forced and deleted.
    clone.git(&["commit", "-q", "--amend", "-m", "Again"]).await.ok();
    clone.git(&["push", "origin", "side"]).await.fails(&["non-fast-forward"]);
    clone.git(&["push", "--force", "origin", "side"]).await.ok();
    clone.git(&["push", "origin", "HEAD:side/below"]).await.fails(&["remote rejected"]);
    clone.git(&["push", "origin", ":side", ":light"]).await.ok();
    clone.git(&["push", "origin", "HEAD:main"]).await.ok();
    let listed = ann.get("/api/v1/services").await.expect(200).json();
    assert_eq!(listed["_meta"]["count"], 1, "{listed}");
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn main_keeps_its_history() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    clone.write("a.txt", "a\n");
    clone.commit("One").await;
    clone.push().await.ok();
    let head = place.app.head("ann/lab");
    clone.git(&["commit", "-q", "--amend", "-m", "Another"]).await.ok();
    clone.push().await.fails(&["non-fast-forward"]);
    clone.git(&["push", "--force", "origin", "HEAD:main"]).await.fails(&["remote rejected", "non-fast-forward"]);
    clone.git(&["push", "origin", ":main"]).await.fails(&["main cannot be deleted"]);
    clone.git(&["push", "origin", "HEAD:refs/heads/Main"]).await.fails(&["differs from main only in case"]);
    clone.git(&["checkout", "-q", "--orphan", "other"]).await.ok();
    clone.commit("Without a past").await;
    clone.git(&["push", "--force", "origin", "HEAD:main"]).await.fails(&["non-fast-forward"]);
    assert_eq!(place.app.head("ann/lab"), head);
    place.finish().await;
}

/// Where a workspace allows it: what is dropped is gone from lists and histories, what stays is the
/// same document.
#[tokio::test(flavor = "multi_thread")]
async fn main_may_be_forced_where_its_workspace_says_so() {
    let place = Place::open().await;
    let ann = place.app.as_user("ann");
    let clone = place.clone("c").await;
    clone.write("services/keep.yml", SERVICE);
    clone.commit("One").await;
    clone.push().await.ok();
    let first = clone.head().await;
    clone.write("services/keep.yml", SERVICE.replace("name: fw", "name: edited"));
    clone.write("services/gone.yml", SERVICE.replace("name: fw", "name: gone"));
    clone.commit("Two").await;
    clone.push().await.ok();
    let dropped = clone.head().await;
    let list = async || {
        let listed = ann.get("/api/v1/services?sort=path").await.expect(200).json();
        listed["services"].as_array().unwrap().clone()
    };
    let before = list().await;
    let (gone, keep) = (before[0].clone(), before[1].clone());
    let of = |document: &serde_json::Value| format!("/api/v1/services/{}", document["id"]);
    clone.git(&["reset", "-q", "--hard", &first]).await.ok();
    clone.write("services/new.yml", SERVICE.replace("name: fw", "name: new"));
    clone.commit("Instead").await;
    let force = ["push", "--force", "origin", "HEAD:main"];
    clone.git(&force).await.fails(&["non-fast-forward", "force_push"]);
    ann.patch("/api/v1/workspaces/ann/lab", json!({ "force_push": 1 })).await.expect(400);
    let set = ann.patch("/api/v1/workspaces/ann/lab", json!({ "force_push": true })).await.expect(200).json();
    assert_eq!(set["workspace"]["force_push"], true);
    // Not by accident all the same.
    clone.push().await.fails(&["non-fast-forward"]);
    let pushed = clone.git(&force).await.ok();
    assert_eq!(pushed.remote(), ["3 documents changed, 0 with violations"]);
    assert_eq!(place.app.head("ann/lab"), clone.head().await);
    let tree = place.app.tree("ann/lab");
    assert!(!tree.join("services/gone.yml").exists() && tree.join("services/new.yml").exists());
    assert_eq!(std::fs::read_to_string(tree.join("services/keep.yml")).unwrap(), SERVICE);
    let after = list().await;
    assert_eq!(after.len(), 2, "{after:?}");
    assert_eq!((&after[0]["id"], &after[0]["content"]["name"]), (&keep["id"], &json!("fw")));
    ann.get(&of(&gone)).await.expect(404);
    let history = ann.get(&format!("{}/history", of(&keep))).await.expect(200).json();
    let commits: Vec<_> = history["history"].as_array().unwrap().iter().map(|one| &one["commit"]).collect();
    assert_eq!(commits, [&json!(first)], "{history}");
    ann.get(&format!("{}?at={dropped}", of(&keep))).await.expect(404);
    ann.get(&format!("{}?at={first}", of(&keep))).await.expect(200);
    // Who edits what was dropped is told.
    let stale = format!("\"{}\"", keep["etag"].as_str().unwrap());
    let edit = json!({ "name": "mine" });
    ann.header("if-match", &stale).patch(&of(&keep), edit.clone()).await.expect(412);
    let now = format!("\"{}\"", after[0]["etag"].as_str().unwrap());
    ann.header("if-match", &now).patch(&of(&keep), edit).await.expect(200);
    // Back to an older commit alone, and never onto another history.
    clone.git(&["fetch", "-q", "origin"]).await.ok();
    clone.git(&["push", "--force", "origin", &format!("{first}:main")]).await.ok();
    assert_eq!(list().await.len(), 1);
    clone.git(&["checkout", "-q", "--orphan", "other"]).await.ok();
    clone.commit("Without a past").await;
    clone.git(&force).await.fails(&["begin with the workspace's first commit"]);
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_pushes_and_rest_writes_know_of_each_other() {
    let place = Place::open().await;
    let ann = place.app.as_user("ann");
    ann.patch("/api/v1/workspaces/ann/lab", json!({ "force_push": true })).await.expect(200);
    let clone = place.clone("c").await;
    let writing = tokio::spawn({
        let ann = ann.clone();
        async move {
            for n in 0..40 {
                let path = format!("/api/v1/workspaces/ann/lab/files/rest/{n}.txt");
                ann.header("if-none-match", "*").put(&path, crate::support::raw("x")).await.expect(201);
            }
        }
    });
    for n in 0..5 {
        clone.write("a.txt", format!("{n}\n"));
        clone.commit("Forced").await;
        // It says which main it replaces: of a later one it knows nothing, and is refused.
        let pushed = clone.git(&["push", "--force", "origin", "HEAD:main"]).await;
        assert!(pushed.success || pushed.err.contains("fetch first"), "{}", pushed.err);
    }
    writing.await.unwrap();
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_without_all_of_history_can_push() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    for n in 0..3 {
        clone.write("a.txt", format!("{n}\n"));
        clone.commit("More").await;
    }
    clone.push().await.ok();
    place.git(&["clone", "-q", "--depth", "1", &place.url("ann", "ann/lab"), "shallow"]).await.ok();
    let shallow = super::client::Clone { folder: place.folder("shallow") };
    shallow.write("b.txt", "b\n");
    shallow.commit("From a shallow clone").await;
    shallow.push().await.ok();
    // Elsewhere its past is missing.
    place.app.workspace("ann/other").await;
    shallow.git(&["push", &place.url("ann", "ann/other"), "HEAD:side"]).await.fails(&["rejected"]);
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_on_disk_are_known_before_a_push() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    clone.write("a.txt", "pushed\n");
    clone.commit("Push").await;
    std::fs::write(place.app.tree("ann/lab").join("a.txt"), "by hand\n").unwrap();
    clone.push().await.fails(&["fetch first"]);
    assert_eq!(std::fs::read_to_string(place.app.tree("ann/lab").join("a.txt")).unwrap(), "by hand\n");
    place.finish().await;
}

/// Refs of a name with a number, made without a process for each.
async fn make_refs(clone: &super::client::Clone, prefix: &str, count: usize) {
    let head = clone.head().await;
    let lines: String = (0..count).map(|n| format!("create {prefix}{n} {head}\n")).collect();
    let list = clone.folder.join("../list");
    std::fs::write(&list, lines).unwrap();
    clone.git(&["-c", &format!("alias.make=!git update-ref --stdin < {}", list.display()), "make"]).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_refs_are_answered_one_by_one() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    let head = clone.head().await;
    make_refs(&clone, "refs/heads/x/", 1_500).await;
    clone.git(&["push", "-q", "origin", "refs/heads/x/*"]).await.ok();
    let listed = place.git(&["ls-remote", &place.url("ann", "ann/lab")]).await.ok().out;
    assert_eq!(listed.lines().filter(|line| line.contains("refs/heads/x/")).count(), 1_500);
    // As git's client would say it, which takes minutes over so many answers.
    let mut body = String::new();
    for n in 0..10_001 {
        let capabilities = if n == 0 { "\0report-status" } else { "" };
        let command = format!("{} {} refs/heads/x/{n}{capabilities}", head, "0".repeat(40));
        body.push_str(&format!("{:04x}{command}", command.len() + 4));
    }
    body.push_str("0000");
    let ann = place.app.as_user("ann");
    let kind = "application/x-git-receive-pack-request";
    let answer = ann.post("/git/ann/lab.git/git-receive-pack", crate::support::typed(kind, body)).await.expect(200);
    let answer = answer.text();
    assert!(
        answer.contains("unpack ok") && answer.contains("ng refs/heads/x/10000 a push may move 10000 refs at most")
    );
    assert_eq!(answer.matches("ng refs/heads/x/").count(), 10_001);
    clone.git(&["push", "-q", "origin", ":refs/heads/x/7", "HEAD:refs/tags/y7"]).await.ok();
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_refs_hold_nobody_up() {
    const REFS: usize = 100_000;
    let place = Place::open().await;
    let clone = place.clone("c").await;
    let (head, tree) = (place.app.head("ann/lab"), place.app.tree("ann/lab"));
    let mut packed = String::from("# pack-refs with: peeled fully-peeled sorted \n");
    for n in 0..REFS {
        packed.push_str(&format!("{head} refs/tags/t{n:06}\n"));
    }
    std::fs::write(tree.join(".git/packed-refs"), packed).unwrap();
    for protocol in ["protocol.version=0", "protocol.version=2"] {
        let url = place.url("ann", "ann/lab");
        let start = std::time::Instant::now();
        let listed = place.git(&["-c", protocol, "ls-remote", &url]).await.ok().out;
        eprintln!("ls-remote by {protocol} of {REFS} refs: {:?}", start.elapsed());
        assert_eq!(listed.lines().count(), REFS + 2);
    }
    let ann = place.app.as_user("ann");
    let start = std::time::Instant::now();
    for n in 0..20 {
        let path = format!("/api/v1/workspaces/ann/lab/files/{n}.txt");
        ann.header("if-none-match", "*").put(&path, crate::support::raw("x")).await.expect(201);
    }
    eprintln!("20 writes beside {REFS} refs: {:?}", start.elapsed());
    clone.git(&["pull", "-q", "--no-tags", "--rebase", "origin", "main"]).await.ok();
    clone.write("a.txt", "a\n");
    clone.commit("More").await;
    let start = std::time::Instant::now();
    clone.push().await.ok();
    eprintln!("a push beside {REFS} refs: {:?}", start.elapsed());
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_refs_are_judged_before_the_pack() {
    let place = Place::open_with(|config| config.git.push_limit = 1 << 20).await;
    let clone = place.clone("c").await;
    clone.git(&["push", "origin", "HEAD:refs/heads/side/a"]).await.ok();
    for name in ["refs/heads/Side/a", "refs/heads/side/A", "refs/heads/SIDE", "refs/heads/Side/b"] {
        clone.git(&["push", "origin", &format!("HEAD:{name}")]).await.fails(&["differs only in case"]);
    }
    let both = ["push", "origin", "HEAD:refs/tags/v1", "HEAD:refs/tags/V1", "HEAD:refs/heads/side/b"];
    let told = clone.git(&both).await.fails(&["differs only in case"]).err;
    assert!(told.contains("refs/tags/v1 -> V1") || told.contains("HEAD -> V1 ("), "{told}");
    let listed = place.git(&["ls-remote", &place.url("ann", "ann/lab")]).await.ok().out;
    assert!(listed.contains("refs/tags/v1") && listed.contains("refs/heads/side/b"), "{listed}");
    // Larger than any pack may be: it is not looked at.
    let mut seed = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as u8
    })
    .take(3 << 20)
    .collect();
    clone.write("noise.bin", noise);
    clone.commit("Noise").await;
    clone.git(&["push", "origin", "HEAD:refs/internal/x"]).await.fails(&["the server's own"]);
    clone.git(&["push", "origin", "HEAD:refs/heads/big"]).await.fails(&["larger than"]);
    place.finish().await;
}
