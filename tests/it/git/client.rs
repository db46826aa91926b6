//! A server on a port of its own, and git clients that talk to it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use workleaf::base::blocking;
use workleaf::config::Config;

use crate::support::TestApp;

/// A server with the workspace `ann/lab`, listening.
pub(super) struct Place {
    pub(super) app: TestApp,
    pub(super) address: String,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    clones: TempDir,
}

impl Place {
    pub(super) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(super) async fn open_with(configure: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::open_with(|_, config| configure(config)).await;
        app.workspace("ann/lab").await;
        let (address, stop, serving) = listen(&app).await;
        let clones = tempfile::Builder::new().prefix("workleaf-clones-").tempdir().unwrap();
        Place { app, address, stop, serving, clones }
    }

    /// Stops, lets `between` change what is on disk, and starts again at another address.
    pub(super) async fn restart_after(&mut self, between: impl FnOnce(&Path)) {
        let (stop, _) = oneshot::channel();
        std::mem::replace(&mut self.stop, stop).send(()).unwrap();
        (&mut self.serving).await.unwrap();
        self.app.restart_after(between).await;
        (self.address, self.stop, self.serving) = listen(&self.app).await;
    }

    /// Stops, and checks what holds after every test; nothing of a push is left over.
    pub(super) async fn finish(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
        let incoming = self.app.data().join(".state/incoming");
        let left = std::fs::read_dir(&incoming).map_or(0, Iterator::count);
        assert_eq!(left, 0, "pushes left something behind");
        self.app.finish().await;
    }

    /// Where somebody reaches a workspace; nobody for "".
    pub(super) fn url(&self, who: &str, workspace: &str) -> String {
        match who {
            "" => format!("http://{}/git/{workspace}.git", self.address),
            who => format!("http://{who}:correct%20horse@{}/git/{workspace}.git", self.address),
        }
    }

    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.clones.path().join(name)
    }

    /// Runs git beside all clones.
    pub(super) async fn git(&self, arguments: &[&str]) -> Ran {
        run(self.clones.path(), arguments).await
    }

    /// Ann's clone of `ann/lab` under a name.
    pub(super) async fn clone(&self, name: &str) -> Clone {
        self.git(&["clone", "-q", &self.url("ann", "ann/lab"), name]).await.ok();
        Clone { folder: self.folder(name) }
    }
}

async fn listen(app: &TestApp) -> (String, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, asked) = oneshot::channel::<()>();
    let router = app.app().router();
    let serving = tokio::spawn(async move {
        let asked = async { drop(asked.await) };
        workleaf::server::serve(listener, router, asked, std::future::pending()).await.unwrap();
    });
    (address, stop, serving)
}

/// A working copy.
pub(super) struct Clone {
    pub(super) folder: PathBuf,
}

impl Clone {
    pub(super) async fn git(&self, arguments: &[&str]) -> Ran {
        run(&self.folder, arguments).await
    }

    pub(super) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits everything.
    pub(super) async fn commit(&self, message: &str) {
        self.git(&["add", "-A"]).await.ok();
        self.git(&["commit", "-q", "-m", message]).await.ok();
    }

    pub(super) async fn push(&self) -> Ran {
        self.git(&["push", "origin", "HEAD:main"]).await
    }

    pub(super) async fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).await.ok().out.trim().to_owned()
    }

    /// Makes a commit on `HEAD` whose tree is this one, whatever is in it, and pushes it.
    pub(super) async fn push_tree(&self, tree: &str) -> Ran {
        let commit = self.git(&["commit-tree", tree, "-p", "HEAD", "-m", "raw"]).await.ok().out;
        self.git(&["push", "origin", &format!("{}:refs/heads/main", commit.trim())]).await
    }

    /// Stores an object as it is.
    pub(super) async fn object(&self, kind: &str, bytes: &[u8]) -> String {
        let folder = self.folder.clone();
        let kind = kind.to_owned();
        let bytes = bytes.to_vec();
        blocking::run(move || {
            let mut command = command(&folder);
            command.args(["hash-object", "-t", &kind, "-w", "--literally", "--stdin"]);
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), &bytes).unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        })
        .await
    }

    /// Stores a tree of entries: mode, name, id.
    pub(super) async fn tree(&self, entries: &[(&str, &[u8], &str)]) -> String {
        let mut raw = Vec::new();
        for (mode, name, id) in entries {
            raw.extend_from_slice(mode.as_bytes());
            raw.push(b' ');
            raw.extend_from_slice(name);
            raw.push(0);
            raw.extend((0..20).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).unwrap()));
        }
        self.object("tree", &raw).await
    }
}

/// A git that ended.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) success: bool,
    pub(super) out: String,
    pub(super) err: String,
}

impl Ran {
    #[track_caller]
    pub(super) fn ok(self) -> Self {
        assert!(self.success, "{}{}", self.out, self.err);
        self
    }

    /// Fails unless git failed and said all of this.
    #[track_caller]
    pub(super) fn fails(self, said: &[&str]) -> Self {
        assert!(!self.success, "it was taken: {}", self.err);
        for text in said {
            assert!(self.err.contains(text), "not said: {text:?}\n{}", self.err);
        }
        self
    }

    /// What the server said to the user.
    pub(super) fn remote(&self) -> Vec<&str> {
        self.err.lines().filter_map(|line| line.strip_prefix("remote: ")).map(str::trim_end).collect()
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"])
        .args(["-c", "init.defaultBranch=main", "-c", "core.protectNTFS=false", "-c", "core.protectHFS=false"])
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", folder)
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null());
    command
}

pub(super) async fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = command(folder);
    command.args(arguments);
    blocking::run(move || {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { success: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
    })
    .await
}

/// A service that fits its kind.
pub(super) const SERVICE: &str = "descriptor_version: \"1.0\"\nvendor: org.example\nname: fw\nversion: \"1.0\"\n";
