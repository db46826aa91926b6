//! What somebody does by hand in a work tree and has not finished: a merge that waits for a person,
//! a file that is being written. None of it is anybody's text yet, so it is neither committed nor
//! overwritten.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use git2::Index;

use super::error::Error;
use super::lock;
use super::workspace::Workspace;

/// A file that somebody keeps open is taken as it is when nothing was written to it for so long:
/// a log that is never closed has to be kept as well.
pub(super) const OPEN_REST: Duration = Duration::from_secs(10);

/// Files of `.git` that say that a git command waits for a person.
const MARKS: [&str; 6] = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "sequencer"];

/// The mark of a git command that waits for a person, such as a merge with conflicts.
pub(super) fn half_done(git_dir: &Path) -> Option<&'static str> {
    MARKS.into_iter().find(|mark| git_dir.join(mark).exists())
}

/// Whether somebody is in the middle of a git operation in this repository: a merge, a rebase, a
/// commit that has the index.
pub(super) fn is_at_work(git_dir: &Path) -> bool {
    let is_locked = |path: &Path| path.exists() && lock::left_behind(path).is_none();
    half_done(git_dir).is_some()
        || is_locked(&git_dir.join("index.lock"))
        // A lock of the server's own is filled with a commit before it is renamed, in one step.
        || is_locked(&git_dir.join("HEAD.lock"))
}

/// Files that somebody is writing, by the last sign of it.
#[derive(Default)]
pub(super) struct Writing(Mutex<HashMap<String, Instant>>);

impl Writing {
    /// Something was written to an open file, or it was closed.
    pub(super) fn note(&self, path: &str, is_open: bool) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_open {
            files.retain(|_, last| last.elapsed() < OPEN_REST);
            files.insert(path.to_owned(), Instant::now());
        } else {
            files.remove(path);
        }
    }

    fn has(&self, path: &str) -> bool {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(path).is_some_and(|last| last.elapsed() < OPEN_REST)
    }
}

/// Why a file that differs from its commit is nobody's text yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Writing,
    HalfDone,
}

impl Claim {
    /// To follow "on the server's disk".
    pub(super) fn words(self) -> &'static str {
        match self {
            Claim::Writing => "it is being written by somebody: try again when that is done",
            Claim::HalfDone => {
                "it is part of a merge or another git command that is half done: finish or abort that first"
            }
        }
    }
}

/// What is claimed in a workspace at a moment of its writer's turn, when git can begin nothing new.
pub(super) struct Claims<'a> {
    workspace: &'a Workspace,
    is_half_done: bool,
    /// `git stash pop` and the like leave conflicts without a mark.
    conflicts: HashSet<Vec<u8>>,
}

impl<'a> Claims<'a> {
    pub(super) fn of(workspace: &'a Workspace) -> Result<Self, Error> {
        let is_half_done = is_at_work(&workspace.git_dir);
        let mut conflicts = HashSet::new();
        let path = workspace.git_dir.join("index");
        if !is_half_done && path.exists() {
            let index = Index::open(&path).map_err(Error::git("read git's index"))?;
            // The stage of an entry, gitformat-index(5).
            conflicts.extend(index.iter().filter(|entry| entry.flags & 0x3000 != 0).map(|entry| entry.path));
        }
        Ok(Claims { workspace, is_half_done, conflicts })
    }

    pub(super) fn on(&self, path: &str) -> Option<Claim> {
        if self.is_half_done || self.conflicts.contains(path.as_bytes()) {
            return Some(Claim::HalfDone);
        }
        self.workspace.writing.has(path).then_some(Claim::Writing)
    }
}
