//! The installed git: how it is started, bounded and ended.

use std::process::Stdio;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use super::advertise::Service;
use super::turns::{Turn, Turns, Who};
use crate::http::fault::Fault;
use crate::store;

/// The oldest git that knows every setting in use: `core.fsync`, who may own a repository, and
/// `http.curloptResolve`.
const OLDEST: (u32, u32) = (2, 37);
/// Bytes of git's complaints that are kept.
const STDERR_MOST: usize = 8 << 10;
/// Memory of a program that reads what somebody pushed: a small pack may say large objects.
const MEMORY_MOST: u64 = 2 << 30;

/// What serving and receiving need beside what holds for every git here.
const SETTINGS: [(&str, &str); 14] = [
    // What is kept of a push is synced when it is kept.
    ("core.fsync", "none"),
    // Larger files are streamed.
    ("core.bigFileThreshold", "16m"),
    ("core.packedGitWindowSize", "32m"),
    ("core.packedGitLimit", "256m"),
    ("transfer.hideRefs", "refs/projects"),
    ("transfer.hideRefs", "refs/internal"),
    ("uploadpack.allowFilter", "true"),
    // What other filters there are cost the server more than they save.
    ("uploadpackfilter.allow", "false"),
    ("uploadpackfilter.blob:none.allow", "true"),
    ("uploadpackfilter.blob:limit.allow", "true"),
    ("uploadpackfilter.tree.allow", "true"),
    ("uploadpackfilter.tree.maxDepth", "0"),
    ("uploadpack.allowReachableSHA1InWant", "true"),
    ("uploadpack.allowAnySHA1InWant", "false"),
];

/// The git of this machine.
pub struct Git {
    turns: Turns,
    /// Why it cannot be used, once that was looked at.
    found: OnceCell<Result<(), String>>,
}

impl Git {
    /// So many processes at once.
    pub fn new(processes: usize) -> Self {
        Git { turns: Turns::new(processes), found: OnceCell::new() }
    }

    /// Whether there is a git that will do; otherwise what to tell the operator.
    pub async fn ready(&self) -> Result<(), String> {
        self.found.get_or_init(|| look_for_git(command(&["version"]))).await.clone()
    }

    /// Waits for a turn to start programs.
    pub(super) async fn turn(&self, service: Service, who: Who) -> Result<Arc<Turn>, Fault> {
        let unavailable = |why: String| Fault::new(StatusCode::SERVICE_UNAVAILABLE, why);
        self.ready().await.map_err(|why| unavailable(format!("there is no access by git: {why}")))?;
        let turn = self.turns.wait(service, who).await.map(Arc::new);
        turn.ok_or_else(|| unavailable("too many git requests at once: try again".into()).header(RETRY_AFTER, "5"))
    }
}

async fn look_for_git(mut version_of: Command) -> Result<(), String> {
    let output = version_of.stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| format!("git cannot be started ({error}): install git 2.37 or later"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match version(&text) {
        Some(found) if found >= OLDEST => Ok(()),
        Some((major, minor)) => Err(format!("the installed git is {major}.{minor}: install git 2.37 or later")),
        None => Err(format!("the installed git says {:?} about its version: install git 2.37 or later", text.trim())),
    }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let (major, rest) = text.strip_prefix("git version ")?.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A git command with the settings that hold here.
pub(super) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::from(store::git(&SETTINGS));
    command
        .args(arguments)
        .kill_on_drop(true)
        // To end what it starts as well.
        .process_group(0);
    command
}

/// A git that runs. Dropped before its end, it is killed with all that it started.
pub(super) struct Running {
    child: Child,
    group: Option<Pid>,
    complaints: JoinHandle<String>,
    _turn: Arc<Turn>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group.take() {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// How a git ended.
pub(super) struct Ended {
    pub(super) success: bool,
    /// What it wrote to its standard error.
    pub(super) complaints: String,
}

impl Running {
    pub(super) fn start(mut command: Command, turn: Arc<Turn>) -> Result<Self, Fault> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            tracing::error!(%error, "git cannot be started");
            crate::http::fault::internal()
        })?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let stderr = child.stderr.take();
        let complaints = tokio::spawn(async move {
            let mut kept = Vec::new();
            let mut buffer = [0; 1024];
            if let Some(mut stderr) = stderr {
                while let Ok(length @ 1..) = stderr.read(&mut buffer).await {
                    let room = STDERR_MOST.saturating_sub(kept.len());
                    kept.extend_from_slice(&buffer[..length.min(room)]);
                }
            }
            String::from_utf8_lossy(&kept).into_owned()
        });
        Ok(Running { child, group, complaints, _turn: turn })
    }

    /// Bounds its memory. Before it is given anything to read.
    pub(super) fn bound_memory(self) -> Self {
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{Resource, Rlimit, prlimit};
            let limit = Rlimit { current: Some(MEMORY_MOST), maximum: Some(MEMORY_MOST) };
            if let Err(error) = prlimit(self.group, Resource::As, limit) {
                tracing::warn!(%error, "the memory of git is not bounded");
            }
        }
        self
    }

    pub(super) fn take_pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>) {
        (self.child.stdin.take(), self.child.stdout.take())
    }

    /// Waits for its end; its pipes must be at theirs.
    pub(super) async fn end(mut self) -> Ended {
        let status = self.child.wait().await;
        // Its number may be another's from here on.
        self.group = None;
        let complaints = (&mut self.complaints).await.unwrap_or_default();
        Ended { success: status.is_ok_and(|status| status.success()), complaints }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_git_that_is_missing_or_too_old_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let look = async || {
            let mut git = command(&["version"]);
            git.env("PATH", dir.path());
            look_for_git(git).await
        };
        let missing = look().await.unwrap_err();
        assert!(
            missing.starts_with("git cannot be started") && missing.ends_with("install git 2.37 or later"),
            "{missing}"
        );
        for (says, told) in [
            ("git version 2.30.2", Some("the installed git is 2.30: install git 2.37 or later")),
            ("jit 9", Some("the installed git says \"jit 9\" about its version: install git 2.37 or later")),
            ("git version 2.47.3", None),
        ] {
            // Written by another program, so that it is nowhere open for writing when it runs.
            let script = format!("printf '#!/bin/sh\\necho {says}\\n' > git && chmod +x git");
            let made = Command::new("/bin/sh").args(["-c", &script]).current_dir(dir.path()).status().await.unwrap();
            assert!(made.success());
            assert_eq!(look().await.err().as_deref(), told);
        }
    }

    #[test]
    fn versions_are_compared() {
        assert_eq!(version("git version 2.47.3\n"), Some((2, 47)));
        assert_eq!(version("git version 2.39.5 (Apple Git-154)\n"), Some((2, 39)));
        assert_eq!(version("git version 3.0-rc1\n"), Some((3, 0)));
        assert_eq!(version("jit 1.0"), None);
        assert!(Some((2, 36)) < Some(OLDEST) && Some((10, 0)) > Some(OLDEST));
    }
}
