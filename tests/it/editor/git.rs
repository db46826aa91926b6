//! Sharing projects at GitHub (contracts/editor.md 1.13): what the front end sends, in its order,
//! and everything that goes wrong there.

use std::path::PathBuf;

use serde_json::{Value, json};
use workleaf::config::Config;

use crate::support::github::{GitHub, Mood};
use crate::support::{Answer, Client, TestApp, git, raw, yaml};

/// Ann, who is `ann-gh` at the stand-in for GitHub, with the project `web` in `ann/lab`.
struct Place {
    github: GitHub,
    app: TestApp,
    ann: Client,
    workspace: u64,
    project: u64,
}

impl Place {
    async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    async fn open_with(configure: impl FnOnce(&mut Config)) -> Self {
        let github = GitHub::open();
        github.person(7, "ann-gh");
        let app = TestApp::open_with(|_, config| {
            github.configure(config);
            configure(config);
        })
        .await;
        app.workspace("ann/lab").await;
        github.link(&app, "ann").await;
        let ann = app.as_user("ann");
        let workspace = ann.get("/api/v1/workspaces/ann/lab").await.expect(200).inner()["id"].as_u64().expect("an id");
        let text = "name: web\nversion: \"0.1\" # ours\n";
        let made = ann.post("/api/v1/projects?workspace=ann/lab&project=web", yaml(text)).await.expect(201);
        let project = made.inner()["id"].as_u64().expect("an id");
        Place { github, app, ann, workspace, project }
    }

    /// Shared as `web`.
    async fn shared() -> Self {
        let place = Self::open().await;
        place.post("init", json!({})).await.expect(200);
        place.post("create", json!({ "repo_name": "web" })).await.expect(200);
        place
    }

    fn address(&self, action: &str) -> String {
        format!("/workspaces/{}/git/{action}", self.workspace)
    }

    /// Asks about the project.
    async fn post(&self, action: &str, body: Value) -> Answer {
        self.ask(&self.ann, action, body).await
    }

    async fn ask(&self, who: &Client, action: &str, mut body: Value) -> Answer {
        body["project_id"] = json!(self.project);
        let method = if action == "delete" { "DELETE" } else { "POST" };
        who.send(method, &self.address(action), body).await
    }

    /// What the front end shows.
    async fn said(&self, action: &str, body: Value) -> String {
        message(&self.post(action, body).await.expect(200))
    }

    async fn repo_url(&self) -> Value {
        let address = format!("/workspaces/{}/projects/{}", self.workspace, self.project);
        self.ann.get(&address).await.expect(200).json()["repo_url"].clone()
    }

    async fn put(&self, path: &str, text: &str) {
        let file = format!("/api/v1/workspaces/ann/lab/files/projects/web/{path}");
        let now = self.ann.get(&file).await;
        let client = if now.status == 200 { self.ann.at(now.header("etag")) } else { self.ann.clone() };
        let done = client.put(&file, raw(text)).await;
        assert!([200, 201].contains(&done.status), "{}", done.text());
    }

    fn bare(&self) -> PathBuf {
        self.github.folder("ann-gh", "web")
    }

    fn url(&self) -> String {
        format!("{}/ann-gh/web", self.github.url)
    }

    fn subjects(&self) -> String {
        git::run(&self.bare(), &["log", "--format=%s", "master"])
    }

    async fn finish(self) {
        self.app.finish().await;
    }
}

fn message(answer: &Answer) -> String {
    answer.json()["message"].as_str().expect("a message").to_owned()
}

/// Somebody else pushes a commit with one file to a repository on the disk.
fn push(bare: &std::path::Path, file: &str, text: &str) {
    let dir = tempfile::Builder::new().prefix("workleaf-hand-").tempdir().expect("a temporary directory");
    let clone = dir.path().join("c");
    git::run(dir.path(), &["clone", "-q", &bare.to_string_lossy(), "c"]);
    if git::run(&clone, &["branch", "-r"]).contains("origin/master") {
        git::run(&clone, &["checkout", "-q", "-B", "master", "origin/master"]);
    }
    std::fs::create_dir_all(clone.join(file).parent().expect("below the clone")).expect("folders can be made");
    std::fs::write(clone.join(file), text).expect("a file can be written");
    git::run(&clone, &["add", "-A"]);
    git::run(&clone, &["commit", "-q", "-m", file]);
    git::run(&clone, &["push", "-q", "origin", "HEAD:master"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_shared_worked_on_and_taken_back() {
    let place = Place::open().await;
    assert_eq!(place.ann.get(&place.address("list")).await.expect(200).json(), json!([]));
    // Share: init, then create.
    assert_eq!(place.said("init", json!({})).await, "Initialized empty Git repository in projects/web/");
    assert_eq!(place.said("init", json!({})).await, "Reinitialized existing Git repository in projects/web/");
    let said = place.said("create", json!({ "repo_name": "web" })).await;
    assert!(said.starts_with("[master (root-commit) ") && said.contains("Initial commit"), "{said}");
    assert_eq!(place.repo_url().await, place.url());
    let listed = place.ann.get(&place.address("list")).await.expect(200).json();
    assert_eq!((&listed[0]["name"], &listed[0]["clone_url"]), (&json!("web"), &json!(format!("{}.git", place.url()))));
    assert_eq!(place.subjects(), "Initial commit");
    assert_eq!(git::run(&place.bare(), &["ls-tree", "--name-only", "master"]), "project.yml");

    // The icon: status, then diff, commit, pull.
    assert!(place.said("status", json!({})).await.ends_with("nothing to commit, working tree clean\n"));
    assert_eq!(place.post("diff", json!({})).await.expect(200).json(), json!({}));
    place.put("notes.txt", "one\n").await;
    assert!(place.said("status", json!({})).await.contains("\tnew file:   notes.txt\n"));
    assert!(place.said("diff", json!({})).await.contains("+++ b/notes.txt\n@@ -0,0 +1 @@\n+one\n"));
    let said = place.said("commit", json!({ "commit_message": "It's \"mine\"" })).await;
    assert!(said.contains("] It's \"mine\"\n 1 file changed, 1 insertion(+)"), "{said}");
    assert_eq!(place.subjects(), "It's \"mine\"\nInitial commit");
    // Nothing to commit drops nothing.
    let said = place.said("commit", json!({ "commit_message": "again" })).await;
    assert!(said.ends_with("nothing to commit, working tree clean"), "{said}");
    assert_eq!(place.subjects(), "It's \"mine\"\nInitial commit");

    push(
        &place.bare(),
        "sources/nsd/fw.yml",
        "descriptor_version: \"1.0\"\nvendor: org.example\nname: fw\nversion: \"1.0\"\n",
    );
    place.put("ours.txt", "ours\n").await;
    assert!(place.said("status", json!({})).await.contains("behind 'origin/master' by 1 commit."));
    let said = place.said("pull", json!({})).await;
    assert!(said.contains("create mode 100644 sources/nsd/fw.yml"), "{said}");
    // What came is there at once, what was here still is.
    let services = place.ann.get("/api/v1/services?where=project:web").await.expect(200).json();
    assert_eq!(services["_meta"]["count"], 1);
    assert_eq!(place.said("pull", json!({})).await, "Already up to date.");
    assert!(place.said("status", json!({})).await.contains("\tnew file:   ours.txt\n"));

    // The switch is turned off.
    let refused = place.post("delete", json!({ "repo_name": "other" })).await.expect(400);
    assert_eq!(message(&refused), "The given repo name does not correspond to the remote repository name");
    assert_eq!(place.said("delete", json!({ "repo_name": "web" })).await, "Successfully deleted");
    assert!(!place.github.has("ann-gh", "web"));
    assert_eq!(place.repo_url().await, Value::Null);
    assert!(place.said("status", json!({})).await.contains("ours.txt"));
    let refused = place.post("delete", json!({ "repo_name": "web" })).await.expect(400);
    assert!(message(&refused).ends_with("is missing the repo attribute"));
    // And on again, with the same history.
    std::fs::remove_dir_all(place.bare()).unwrap();
    place.said("create", json!({ "repo_name": "web" })).await;
    assert_eq!(place.subjects().lines().last(), Some("Initial commit"));
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_said() {
    let place = Place::open().await;
    let missing = |key: &str| format!("Key '{key}' is required in request data!");
    for action in ["init", "status", "diff", "pull"] {
        let refused = place.ann.post(&place.address(action), json!({})).await.expect(400);
        assert_eq!(message(&refused), missing("project_id"), "{action}");
        let refused = place.ann.post(&place.address(action), json!({ "project_id": 5 })).await.expect(404);
        assert_eq!(message(&refused), "Could not find project with id 5");
        place.ann.post(&place.address(action), json!({ "project_id": "x" })).await.expect(400);
    }
    assert_eq!(message(&place.post("create", json!({})).await.expect(400)), missing("repo_name"));
    assert_eq!(message(&place.post("commit", json!({})).await.expect(400)), missing("commit_message"));
    assert_eq!(message(&place.ann.post(&place.address("clone"), json!({})).await.expect(400)), missing("url"));
    // Digits do as well.
    let body = json!({ "project_id": place.project.to_string() });
    place.ann.post(&place.address("init"), body).await.expect(200);
    let refused = place.post("pull", json!({})).await.expect(400);
    assert_eq!(message(&refused), format!("Project with id {} is missing the repo attribute", place.project));
    for who in [place.app.anonymous(), place.app.as_user("bob")] {
        let status = if who.get("/api/v1/session").await.status == 401 { 401 } else { 404 };
        place.ask(&who, "status", json!({})).await.expect(status);
        who.get(&place.address("list")).await.expect(status);
    }
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_linked_is_no_repository() {
    let place = Place::open().await;
    let refused = place.post("status", json!({})).await.expect(400);
    assert!(message(&refused).starts_with("fatal: not a git repository"));
    place.post("diff", json!({})).await.expect(409);
    place.post("commit", json!({ "commit_message": "x" })).await.expect(409);
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_shared_leaves_nothing_at_github() {
    let place = Place::open().await;
    place.github.repository(7, "taken", true);
    let refused = place.post("create", json!({ "repo_name": "taken" })).await.expect(409);
    assert_eq!(message(&refused), "Repository with name taken already exist on GitHub");
    assert_eq!(place.repo_url().await, Value::Null);
    // The repository is made, and cannot be pushed to.
    place.github.set_mood("/ann-gh/web/info/refs", Mood::Broken);
    let ann = place.ann.tolerant();
    place.ask(&ann, "create", json!({ "repo_name": "web" })).await.expect(502);
    assert!(!place.github.has("ann-gh", "web"));
    assert_eq!(place.repo_url().await, Value::Null);
    place.github.clear_moods();
    // GitHub itself is out of order.
    for (mood, status) in [(Mood::Broken, 502), (Mood::Limited(60), 503)] {
        place.github.set_mood("/user/repos", mood);
        place.ask(&ann, "create", json!({ "repo_name": "web" })).await.expect(status);
        ann.get(&place.address("list")).await.expect(status);
    }
    place.github.clear_moods();
    std::fs::remove_dir_all(place.bare()).unwrap();
    place.post("create", json!({ "repo_name": "web" })).await.expect(200);
    let refused = place.post("create", json!({ "repo_name": "more" })).await.expect(409);
    assert!(message(&refused).starts_with("The project is shared already"));
    // Without an account at GitHub there is none to share with.
    place.ann.put("/api/v1/workspaces/ann/lab/members/bob", json!({ "role": "writer" })).await.expect(200);
    let bob = place.app.as_user("bob");
    assert_eq!(bob.get(&place.address("list")).await.expect(200).json(), json!([]));
    place.ask(&bob.tolerant(), "commit", json!({ "commit_message": "bob's" })).await.expect(200);
    place.put("x.txt", "x\n").await;
    let refused = place.ask(&bob.tolerant(), "commit", json!({ "commit_message": "bob's" })).await.expect(502);
    let text = message(&refused);
    assert!(text.contains("] bob's\n") && text.contains("was not pushed:") && text.contains("wants a login"), "{text}");
    // Ann's next push takes it along.
    let said = place.said("commit", json!({ "commit_message": "ann's" })).await;
    assert!(said.contains("nothing to commit") && said.contains("master -> master"), "{said}");
    assert_eq!(place.subjects(), "bob's\nInitial commit");
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_fails_and_a_pull_that_conflicts_are_errors() {
    let place = Place::shared().await;
    place.put("notes.txt", "ours\n").await;
    push(&place.bare(), "notes.txt", "theirs\n");
    let refused = place.post("commit", json!({ "commit_message": "Ours" })).await.expect(409);
    let text = message(&refused);
    assert!(text.contains("] Ours\n") && text.contains("[rejected]") && text.contains("Pull first"), "{text}");
    let head = place.app.head("ann/lab");
    let refused = place.post("pull", json!({})).await.expect(409);
    assert!(message(&refused).starts_with("CONFLICT (content): Merge conflict in projects/web/notes.txt"));
    assert_eq!(place.app.head("ann/lab"), head);
    assert_eq!(place.subjects(), "notes.txt\nInitial commit");
    place.put("notes.txt", "theirs\n").await;
    place.post("commit", json!({ "commit_message": "As they have it" })).await.expect(409);
    place.said("pull", json!({})).await;
    let said = place.said("commit", json!({ "commit_message": "-" })).await;
    assert!(said.contains("master -> master"), "{said}");
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_at_github_become_projects() {
    let place = Place::open().await;
    let bare = place.github.repository(7, "lib", true);
    let clone = |url: &str| {
        let (ann, address, body) = (place.ann.clone(), place.address("clone"), json!({ "url": url }));
        async move { ann.post(&address, body).await }
    };
    let url = format!("{}/ann-gh/lib.git", place.github.url);
    let refused = clone(&url).await.expect(400);
    assert_eq!(message(&refused), "The project has no 'project.yml' file");
    push(&bare, "README", "no project\n");
    assert_eq!(message(&clone(&url).await.expect(400)), "The project has no 'project.yml' file");
    push(&bare, "project.yml", "name: lib\nversion: \"1\" # theirs\n");
    let made = clone(&url).await.expect(200).json();
    assert!(made["message"].as_str().unwrap().starts_with("Cloning into 'lib'...\n2 files"), "{made}");
    let project =
        place.ann.get(&format!("/workspaces/{}/projects/{}", place.workspace, made["id"])).await.expect(200).json();
    assert_eq!((&project["name"], &project["repo_url"]), (&json!("lib"), &json!(url)));
    let text = place.ann.get("/api/v1/workspaces/ann/lab/files/projects/lib/project.yml").await.expect(200).text();
    assert!(text.starts_with("name: lib\nversion: \"1\" # theirs\n"), "{text}");
    assert_eq!(message(&clone(&url).await.expect(409)), "A project with name lib already exists");
    // The front end clones so, under a name of its choice.
    let body = json!({ "name": "copy", "repo": url });
    let made = place.ann.post(&format!("/workspaces/{}/projects/", place.workspace), body).await.expect(201).json();
    let copy =
        place.ann.get(&format!("/workspaces/{}/projects/{}", place.workspace, made["id"])).await.expect(200).json();
    assert_eq!((&copy["name"], &copy["repo_url"]), (&json!("copy"), &json!(url)));
    for elsewhere in ["http://127.0.0.1:1/ann-gh/lib", "https://gitlab.com/x/y", "localhost", "ext::sh -c id", "-x"] {
        assert!(message(&clone(elsewhere).await.expect(400)).starts_with("Can only clone"), "{elsewhere}");
    }
    let body = json!({ "url": format!("{}/ann-gh/none", place.github.url) });
    let missing = place.ann.tolerant().post(&place.address("clone"), body).await.expect(502);
    assert!(message(&missing).contains("not found"));
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_and_private_ones_are_listed() {
    let place = Place::open().await;
    for n in 0..103 {
        place.github.repository(7, &format!("r{n:03}"), n % 2 == 0);
    }
    let listed = place.ann.get(&place.address("list")).await.expect(200).json();
    assert_eq!(listed.as_array().unwrap().len(), 103);
    place.finish().await;
}
