//! Projects that are linked to a repository elsewhere: one person edits over REST, another works
//! with git there.

mod hostile;
mod merging;
mod secrets;
mod upkeep;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use workleaf::config::Config;

use super::client::Place;
use crate::support::github::GitHub;
use crate::support::{Answer, Client, git, raw, yaml};

/// Ann's project `web` in `ann/lab`, and the repository `ann-gh/web` at the stand-in for GitHub.
struct Shared {
    github: GitHub,
    place: Place,
    ann: Client,
    /// `/api/v1/projects/ID`.
    project: String,
    /// Ann's, at GitHub.
    token: String,
    bare: PathBuf,
    hands: TempDir,
}

impl Shared {
    /// Not linked yet; the repository is empty.
    async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    async fn open_with(configure: impl FnOnce(&mut Config)) -> Self {
        Self::open_behind(|_, config| configure(config)).await
    }

    async fn open_behind(configure: impl FnOnce(&GitHub, &mut Config)) -> Self {
        let github = GitHub::open();
        github.person(7, "ann-gh");
        let place = Place::open_with(|config| {
            github.configure(config);
            configure(&github, config);
        })
        .await;
        let token = github.link(&place.app, "ann").await;
        let bare = github.repository(7, "web", true);
        let ann = place.app.as_user("ann");
        let text = "name: web\nversion: \"0.1\" # ours\n";
        let made = ann.post("/api/v1/projects?workspace=ann/lab&project=web", yaml(text)).await.expect(201);
        let project = format!("/api/v1/projects/{}", made.id());
        let hands = tempfile::Builder::new().prefix("workleaf-hands-").tempdir().expect("a temporary directory");
        let shared = Shared { github, place, ann, project, token, bare, hands };
        shared.put("notes.txt", "one\ntwo\nthree\nfour\nfive\nsix\nseven\n").await;
        shared
    }

    /// Linked, and published and pushed once.
    async fn published() -> Self {
        Self::published_with(|_| {}).await
    }

    async fn published_with(configure: impl FnOnce(&mut Config)) -> Self {
        let shared = Self::open_with(configure).await;
        shared.link().await;
        shared.commit("First").await;
        shared.post("push", json!({})).await.expect(200);
        shared
    }

    fn url(&self) -> String {
        format!("{}/ann-gh/web", self.github.url)
    }

    async fn link(&self) {
        self.ann.put(&format!("{}/remote", self.project), json!({ "url": self.url() })).await.expect(200);
    }

    async fn post(&self, action: &str, body: Value) -> Answer {
        self.ann.post(&format!("{}/remote/{action}", self.project), body).await
    }

    async fn commit(&self, message: &str) -> Value {
        self.post("commit", json!({ "message": message })).await.expect(200).inner()
    }

    async fn pull(&self) -> Value {
        self.post("pull", json!({})).await.expect(200).inner()
    }

    async fn status(&self) -> Value {
        self.ann.get(&format!("{}/remote?refresh=true", self.project)).await.expect(200).inner()
    }

    /// Writes a file of the project over REST.
    async fn put(&self, path: &str, text: &str) {
        let file = format!("/api/v1/workspaces/ann/lab/files/projects/web/{path}");
        let now = self.ann.get(&file).await;
        let client = if now.status == 200 { self.ann.at(now.header("etag")) } else { self.ann.clone() };
        let done = client.put(&file, raw(text)).await;
        assert!([200, 201].contains(&done.status), "{}", done.text());
    }

    async fn file(&self, path: &str) -> String {
        self.ann.get(&format!("/api/v1/workspaces/ann/lab/files/projects/web/{path}")).await.expect(200).text()
    }

    fn tree(&self) -> PathBuf {
        self.place.app.tree("ann/lab")
    }

    /// Refs of the project, from the disk.
    fn refs(&self) -> String {
        git::run(&self.tree(), &["for-each-ref", "--format=%(refname) %(objectname)", "refs/projects"])
    }

    /// Somebody's clone of the repository, straight from the disk.
    fn hand(&self, name: &str) -> Hand {
        let folder = self.hands.path().join(name);
        git::run(self.hands.path(), &["clone", "-q", "-b", "master", &self.bare.to_string_lossy(), name]);
        Hand(folder)
    }

    /// Stops the server, lets `between` change the repository, and starts it again.
    async fn restart(&mut self, between: impl FnOnce(&Path)) {
        self.place.restart_after(|data| between(&data.join("ann/lab"))).await;
        self.ann = self.place.app.as_user("ann");
    }

    async fn finish(self) {
        self.place.finish().await;
    }
}

/// Somebody who works with git.
struct Hand(PathBuf);

impl Hand {
    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().expect("below the clone")).expect("folders can be made");
        std::fs::write(path, text).expect("a file can be written");
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.join(path)).expect("a file")
    }

    fn git(&self, arguments: &[&str]) -> String {
        git::run(&self.0, arguments)
    }

    /// Commits everything and pushes it.
    fn push(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.git(&["push", "-q", "origin", "HEAD:master"]);
    }
}

/// Subjects of a bare repository's commits, newest first.
fn subjects(bare: &Path) -> Vec<String> {
    git::run(bare, &["log", "--format=%s", "master"]).lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_published_goes_out() {
    let shared = Shared::open().await;
    let unlinked = shared.ann.get(&format!("{}/remote", shared.project)).await.expect(200).inner();
    assert_eq!(unlinked["linked"], false);
    assert!(unlinked["status"].as_str().unwrap().starts_with("fatal: not a git repository"), "{unlinked}");
    shared.post("commit", json!({ "message": "x" })).await.expect(409);

    shared.link().await;
    let status = shared.status().await;
    assert_eq!(
        status["status"],
        "On branch master\n\nNo commits yet\n\nChanges to be committed:\n\tnew file:   notes.txt\n\tnew file:   project.yml\n"
    );
    shared.post("push", json!({})).await.expect(409);
    shared.post("commit", json!({ "message": " " })).await.expect(400);
    let first = shared.commit("First\n\nand why").await;
    let text = first["text"].as_str().unwrap();
    assert!(text.starts_with("[master (root-commit) ") && text.contains("] First\n 2 files changed"), "{text}");
    assert!(text.contains("create mode 100644 notes.txt"), "{text}");
    let pushed = shared.post("push", json!({})).await.expect(200).inner();
    assert!(pushed["text"].as_str().unwrap().contains("master -> master"), "{pushed}");

    // The folder is the repository's top, and none of the saves are there.
    shared.put("notes.txt", "changed\n").await;
    shared.put("notes.txt", "changed again\n").await;
    assert_eq!(subjects(&shared.bare), ["First"]);
    let hand = shared.hand("h");
    assert_eq!(hand.git(&["ls-files"]), "notes.txt\nproject.yml");
    assert!(hand.read("project.yml").contains(&format!("repo_url: {}", shared.url())));
    assert!(hand.git(&["log", "--format=%an <%ae>"]).starts_with("ann <ann@example.org>"));

    let status = shared.status().await;
    assert_eq!(
        status["status"],
        "On branch master\nYour branch is up to date with 'origin/master'.\n\nChanges to be committed:\n\tmodified:   notes.txt\n"
    );
    assert_eq!(
        (&status["ahead"], &status["changes"]),
        (&json!(0), &json!([{ "verb": "modified", "path": "notes.txt" }]))
    );
    let diff = shared
        .ann
        .header("accept", "text/x-diff")
        .get(&format!("{}/remote/diff", shared.project))
        .await
        .expect(200)
        .text();
    assert!(diff.starts_with("diff --git a/notes.txt b/notes.txt\n") && diff.contains("\n+changed again\n"), "{diff}");

    shared.commit("Second").await;
    assert!(
        shared.status().await["status"]
            .as_str()
            .unwrap()
            .contains("ahead of 'origin/master' by 1 commit.\nnothing to commit, working tree clean")
    );
    // Nothing to commit is an answer and changes nothing.
    let refs = shared.refs();
    let nothing = shared.commit("Third").await;
    assert_eq!(nothing, json!({ "id": null, "text": "nothing to commit, working tree clean" }));
    assert_eq!(shared.refs(), refs);
    shared.post("push", json!({})).await.expect(200);
    assert_eq!(subjects(&shared.bare), ["Second", "First"]);
    assert!(shared.post("push", json!({})).await.expect(200).text().contains("Everything up-to-date"));
    git::run(&shared.bare, &["fsck", "--strict", "--full"]);
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_unlinked_and_linked_again() {
    let shared = Shared::published().await;
    shared.ann.delete(&format!("{}/remote", shared.project)).await.expect(204);
    assert_eq!(shared.refs(), "");
    assert!(!shared.file("project.yml").await.contains("repo_url"));
    assert_eq!(shared.ann.get(&format!("{}/remote", shared.project)).await.expect(200).inner()["linked"], false);
    // Without an address it is a repository of its own.
    shared.ann.put(&format!("{}/remote", shared.project), json!({ "url": null })).await.expect(200);
    shared.commit("Alone").await;
    shared.post("push", json!({})).await.expect(409);
    shared.post("pull", json!({})).await.expect(409);
    // Two histories without a common commit are not mixed.
    shared.link().await;
    let refused = shared.post("pull", json!({})).await.expect(409);
    assert!(refused.text().contains("unrelated histories"), "{}", refused.text());
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_made_of_a_repository() {
    let shared = Shared::published().await;
    let hand = shared.hand("h");
    hand.write("sources/nsd/fw.yml", super::client::SERVICE);
    hand.write("tool.sh", "#!/bin/sh\n");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(hand.0.join("tool.sh"), executable).expect("it is there");
    hand.push("More");
    let clone = |name: &str| format!("/api/v1/projects?workspace=ann/lab&project={name}&clone={}.git", shared.url());
    let made = shared.ann.post(&clone("copy"), raw("")).await.expect(201);
    assert_eq!(made.inner()["path"], "projects/copy/project.yml");
    let service = shared.ann.get("/api/v1/services?where=project:copy").await.expect(200).json();
    assert_eq!(service["services"][0]["content"]["name"], "fw", "{service}");
    let listed = git::run(&shared.tree(), &["ls-tree", "main:projects/copy", "tool.sh"]);
    assert!(listed.starts_with("100755"), "{listed}");
    let remote =
        shared.ann.get(&format!("/api/v1/projects/{}/remote?refresh=true", made.id())).await.expect(200).inner();
    assert_eq!(remote["url"], format!("{}.git", shared.url()));
    assert_eq!((&remote["ahead"], &remote["behind"], &remote["published"]), (&json!(0), &json!(0), &remote["seen"]));
    // One commit of the workspace.
    assert!(git::subjects(&shared.tree())[0].starts_with("project: clone projects/copy from "));
    shared.ann.post(&clone("copy"), raw("")).await.expect(409);
    // Somebody else has no token, and sees no private repository.
    shared.place.app.workspace("bob/lab").await;
    let bob = shared.place.app.as_user("bob").tolerant();
    let refused = bob.post(&clone("copy").replace("ann/lab", "bob/lab"), raw("")).await.expect(502);
    assert!(refused.text().contains("wants a login"), "{}", refused.text());
    // What is no project is not taken.
    hand.git(&["rm", "-q", "project.yml"]);
    hand.push("No project");
    let refused = shared.ann.post(&clone("none"), raw("")).await.expect(400);
    assert!(refused.text().contains("The project has no 'project.yml' file"), "{}", refused.text());
    shared.finish().await;
}
