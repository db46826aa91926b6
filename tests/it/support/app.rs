//! A server on a directory of its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use workleaf::app::{App, lock};
use workleaf::config::Config;
use workleaf::resource::actor::Actor;
use workleaf::resource::query::Query;
use workleaf::state::accounts::NewAccount;

use super::client::Client;
use super::git;

/// Every account's password.
pub(crate) const PASSWORD: &str = "correct horse";

/// A server with the accounts `ann`, `bob` and `root` (an administrator). Ends with
/// [`TestApp::finish`], which checks what has to hold after every test.
pub(crate) struct TestApp {
    app: Option<Arc<App>>,
    config: Config,
    dir: TempDir,
}

impl TestApp {
    /// On an empty directory, with the default configuration.
    pub(crate) async fn open() -> Self {
        Self::open_with(|_, _| {}).await
    }

    /// With a changed configuration; the folder given is the test's own.
    pub(crate) async fn open_with(configure: impl FnOnce(&Path, &mut Config)) -> Self {
        let dir = tempfile::Builder::new().prefix("workleaf-it-").tempdir().expect("a temporary directory");
        let file = dir.path().join("config.yaml");
        std::fs::write(&file, "{}").expect("the configuration can be written");
        let mut config = Config::load(Some(&file)).expect("the defaults are a configuration");
        config.workspaces_location = dir.path().join("data");
        configure(dir.path(), &mut config);
        let mut this = TestApp { app: None, config, dir };
        this.start().await;
        for (name, is_admin) in [("ann", false), ("bob", false), ("root", true)] {
            this.account(name, is_admin).await;
        }
        this
    }

    async fn start(&mut self) {
        let lock = lock(&self.config.workspaces_location).expect("nobody else has the directory");
        self.app = Some(App::open(self.config.clone(), lock).await.expect("the server starts"));
    }

    /// Makes an account with [`PASSWORD`].
    pub(crate) async fn account(&self, name: &str, is_admin: bool) {
        let new = NewAccount { name, email: Some(&format!("{name}@example.org")), password: Some(hash()), is_admin };
        self.app().state.create_account(new).await.expect("the account is new");
    }

    pub(crate) fn app(&self) -> &Arc<App> {
        self.app.as_ref().expect("the server runs")
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.config.workspaces_location
    }

    /// A workspace's work tree.
    pub(crate) fn tree(&self, workspace: &str) -> PathBuf {
        self.data().join(workspace)
    }

    pub(crate) fn anonymous(&self) -> Client {
        // The whole prefix of every path of this server: no answer may hold it.
        Client::new(&self.app().router(), self.dir.path().to_string_lossy().into_owned())
    }

    pub(crate) fn as_user(&self, name: &str) -> Client {
        self.anonymous().header("authorization", &basic(name, PASSWORD))
    }

    /// Makes a workspace of `ann` or another owner, private.
    pub(crate) async fn workspace(&self, workspace: &str) {
        let (owner, name) = workspace.split_once('/').expect("OWNER/NAME");
        let made = self.as_user(owner).post("/api/v1/workspaces", json!({ "name": name })).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }

    /// A workspace's head, from disk.
    pub(crate) fn head(&self, workspace: &str) -> String {
        git::run(&self.tree(workspace), &["rev-parse", "refs/heads/main"])
    }

    /// Stops as a signal would, leaving the directory.
    pub(crate) async fn stop(&mut self) {
        let app = self.app.take().expect("the server runs");
        app.close().await.expect("the server closes");
        let engine = Arc::downgrade(&app.engine);
        drop(app);
        assert!(engine.upgrade().is_none(), "a client outlives its server");
    }

    /// Starts again after [`TestApp::stop`].
    pub(crate) async fn restart(&mut self) {
        self.start().await;
    }

    /// Stops, lets `between` change what is on disk, and starts again.
    pub(crate) async fn restart_after(&mut self, between: impl FnOnce(&Path)) {
        self.stop().await;
        between(&self.config.workspaces_location);
        self.start().await;
    }

    /// Everything that the index says, in an order of its own.
    fn indexed(&self) -> Vec<Value> {
        let engine = &self.app().engine;
        let reader = engine.reader(&Actor::System);
        let mut all = Vec::new();
        for kind in engine.kinds().iter() {
            let mut query = Query { limit: 1_000, ..Query::default() };
            loop {
                let page = reader.list(kind, query.clone()).expect("the index answers").page;
                for row in &page.rows {
                    let history = match reader.find(kind, &format_id(&row.id), None) {
                        Ok(found) => reader.history(&found, 1_000, 0).expect("history is there").entries,
                        Err(error) => panic!("{} is listed but not found: {error:?}", row.path),
                    };
                    let touched: Vec<_> =
                        history.iter().map(|(touch, _)| format!("{} {}", touch.commit, touch.path)).collect();
                    all.push(json!({ "row": format!("{row:?}"), "touched": touched }));
                }
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
        }
        all
    }

    /// Ends the test: the index is what git says it is, work trees are clean, repositories whole.
    pub(crate) async fn finish(mut self) {
        let before = self.indexed();
        self.app().engine.reindex().await.expect("the index can be rebuilt");
        let after = self.indexed();
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after, "the index differs from one rebuilt from git");
        }
        assert_eq!(before.len(), after.len(), "the index differs from one rebuilt from git");
        self.stop().await;
        for tree in git::repositories(self.data()) {
            let status = git::run(&tree, &["status", "--porcelain", "--untracked-files=all"]);
            assert_eq!(status, "", "{} is not clean", tree.display());
            git::run(&tree, &["fsck", "--strict", "--full", "--no-dangling"]);
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if self.app.is_some() && !std::thread::panicking() {
            panic!("a test ended without finish()");
        }
    }
}

fn format_id(stored: &str) -> String {
    workleaf::resource::key::DocumentId::from_stored(stored).to_string()
}

/// The value of an `Authorization` header.
pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// [`PASSWORD`] hashed with the least cost that argon2 takes, once per process.
fn hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let params = Params::new(Params::MIN_M_COST, 1, 1, None).expect("these are parameters");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password(PASSWORD.as_bytes()).expect("any password can be hashed").to_string()
    })
}
