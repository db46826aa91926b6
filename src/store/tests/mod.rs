//! Whole sequences against the real git.

mod crash;
mod disk;
mod pushing;
mod reading;
mod upkeep;
mod writing;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::resource::actor::Author;
use crate::resource::etag::Etag;
use crate::resource::key::{FilePath, WorkspaceName};

const OPTIONS: Options = Options {
    journal_bytes: 2 << 20,
    cache_bytes: 4 << 20,
    file_bytes: 100_000,
    index_entries: 200,
    // Crashes are looked at while the journal still has everything.
    idle: std::time::Duration::from_secs(3600),
    loose_most: 500,
};

fn name() -> WorkspaceName {
    WorkspaceName::parse("ann/work").unwrap()
}

fn path(text: &str) -> FilePath {
    FilePath::parse(text).unwrap()
}

fn intent(message: &str) -> Intent {
    Intent { author: Author { name: "ann".into(), email: "ann@example.org".into() }, message: message.into() }
}

/// A store with one workspace in a folder of its own.
struct Bench {
    dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    store: Option<Store>,
}

impl Bench {
    fn new() -> Self {
        Self::with(OPTIONS)
    }

    fn with(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let bench = Bench { store: Some(Store::open_with(&dir.path().join("data"), options).unwrap()), dir, runtime };
        bench.store().create(&name(), Settings::default(), &intent("").author).unwrap();
        bench
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn workspace(&self) -> Arc<Workspace> {
        self.store().workspace(&name()).unwrap()
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("data/ann/work")
    }

    fn file(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.file(path)).unwrap()
    }

    fn reopen(&mut self) {
        self.store = None;
        self.store = Some(Store::open_with(&self.dir.path().join("data"), OPTIONS).unwrap());
    }

    /// Runs a job that stages what `work` does and commits it.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tip<'_>) -> Result<T, TipError> + Send + 'static,
    ) -> Result<(T, Option<Arc<Committed>>), WriteError<TipError>> {
        let workspace = self.workspace();
        self.runtime.block_on(workspace.write(move |tip| work(tip).map(|value| (value, Some(intent("Change"))))))
    }

    fn put(&self, at: &str, content: &str) -> Arc<Committed> {
        let (at, content) = (path(at), Bytes::copy_from_slice(content.as_bytes()));
        self.write(move |tip| tip.put(&at, content)).unwrap().1.unwrap()
    }

    fn git(&self, arguments: &[&str]) -> Output {
        git(&self.root(), self.dir.path(), arguments)
    }

    fn git_ok(&self, arguments: &[&str]) -> String {
        let output = self.git(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "git {arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// Waits until the index is written, then lets git look at everything.
    fn assert_sound(&self) {
        self.workspace().flush_index().unwrap();
        assert_eq!(self.git_ok(&["status", "--porcelain"]), "");
        let output = self.git(&["fsck", "--strict", "--full", "--no-dangling"]);
        let text = [output.stdout, output.stderr].concat();
        assert!(output.status.success() && text.is_empty(), "{}", String::from_utf8_lossy(&text));
        assert_eq!(self.git_ok(&["rev-parse", "main"]).trim(), self.workspace().head().to_string());
        assert!(!self.file(".git/index.lock").exists() && !self.file(".git/refs/heads/main.lock").exists());
    }

    fn commits(&self) -> usize {
        self.git_ok(&["rev-list", "--count", "main"]).trim().parse().unwrap()
    }
}

/// git without any configuration of the machine's.
fn git(dir: &Path, home: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", home)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "hand")
        .env("GIT_AUTHOR_EMAIL", "hand@example.org")
        .env("GIT_COMMITTER_NAME", "hand")
        .env("GIT_COMMITTER_EMAIL", "hand@example.org")
        .output()
        .unwrap()
}
