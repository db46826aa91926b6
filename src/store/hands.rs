//! What somebody does by hand in a work tree and has not finished: a merge that waits for a person,
//! a file that is being written. None of it is anybody's text yet, so it is neither committed nor
//! overwritten.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use git2::Index;

use super::ancestry;
use super::commit;
use super::error::Error;
use super::lock;
use super::staging;
use super::workspace::Workspace;
use crate::resource::etag::Etag;
use crate::resource::key::FilePath;

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
    /// `git reset` and the like put an older version there and into git's index, and then did not
    /// get to move `main`, or have not yet.
    PutBack {
        is_fresh: bool,
    },
}

impl Claim {
    /// To follow "on the server's disk".
    pub(super) fn words(self) -> &'static str {
        match self {
            Claim::Writing => "it is being written by somebody: try again when that is done",
            Claim::PutBack { .. } => "a git command such as reset is putting an older version there: try again",
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
    index: Option<Index>,
    /// `git stash pop` and the like leave conflicts without a mark.
    conflicts: HashSet<Vec<u8>>,
}

impl<'a> Claims<'a> {
    pub(super) fn of(workspace: &'a Workspace) -> Result<Self, Error> {
        let is_half_done = is_at_work(&workspace.git_dir);
        let path = workspace.git_dir.join("index");
        let index =
            if path.exists() { Some(Index::open(&path).map_err(Error::git("read git's index"))?) } else { None };
        // The stage of an entry, gitformat-index(5).
        let unmerged = index.iter().flat_map(Index::iter).filter(|entry| entry.flags & 0x3000 != 0);
        let conflicts = unmerged.map(|entry| entry.path).collect();
        Ok(Claims { workspace, is_half_done, index, conflicts })
    }

    /// What holds edits back, for an operator.
    pub(super) fn reason(&self) -> Option<String> {
        let git_dir = &self.workspace.git_dir;
        if let Some(mark) = half_done(git_dir) {
            return Some(format!(".git/{mark} says that a git command is half done"));
        }
        if self.is_half_done {
            return Some("a git command has locked .git".to_owned());
        }
        let first = self.conflicts.iter().next()?;
        Some(format!("git's index has conflicts, such as in {}", String::from_utf8_lossy(first)))
    }

    pub(super) fn on(&self, path: &str) -> Option<Claim> {
        if self.is_half_done || self.conflicts.contains(path.as_bytes()) {
            return Some(Claim::HalfDone);
        }
        self.workspace.writing.has(path).then_some(Claim::Writing)
    }

    /// The same for a file that has `disk` where `main` has something else.
    pub(super) fn on_differing(&self, path: &FilePath, disk: Option<Etag>) -> Result<Option<Claim>, Error> {
        if let Some(claim) = self.on(path.as_str()) {
            return Ok(Some(claim));
        }
        let Some(index) = &self.index else { return Ok(None) };
        let entry = index.get_path(Path::new(path.as_str()), 0);
        let staged = entry.and_then(|entry| Some(Etag(entry.id.as_bytes().try_into().ok()?)));
        if staged != disk {
            return Ok(None);
        }
        let index = fs::metadata(self.workspace.git_dir.join("index")).and_then(|found| found.modified());
        let is_fresh = matches!(index.map(|at| at.elapsed()), Ok(Ok(age)) if age < FRESH);
        let may_be = is_fresh || self.workspace.resets.is_news(&self.workspace.git_dir);
        Ok((may_be && was_there(self.workspace, path, disk)?).then_some(Claim::PutBack { is_fresh }))
    }
}

/// How long after git's index was written `main` may still be about to move.
const FRESH: Duration = Duration::from_secs(2);
/// Commits that are searched for an older version.
const PAST: usize = 256;

/// Whether one of the last commits before the newest had this at a path.
fn was_there(workspace: &Workspace, path: &FilePath, disk: Option<Etag>) -> Result<bool, Error> {
    let objects = &workspace.objects;
    let mut at = workspace.head();
    for _ in 0..PAST {
        let Some(parent) = ancestry::parents(objects, at)?.first().copied() else { return Ok(false) };
        at = parent;
        let raw = objects.commit(at)?;
        let root = commit::parse(&raw).ok_or_else(|| Error::damaged("read a commit"))?.tree;
        let entry = staging::find_below(&|id| objects.tree_uncached(id), root, path.as_str())?;
        if entry.filter(|entry| entry.mode.is_blob()).map(|entry| entry.etag) == disk {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether `git reset` or its like began since anybody looked: it writes `ORIG_HEAD` between the
/// files and `main`.
#[derive(Default)]
pub(super) struct Resets(Mutex<Option<(u64, i64, i64)>>);

impl Resets {
    fn now(git_dir: &Path) -> Option<(u64, i64, i64)> {
        fs::metadata(git_dir.join("ORIG_HEAD")).ok().map(|found| (found.ino(), found.mtime(), found.mtime_nsec()))
    }

    fn is_news(&self, git_dir: &Path) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) != Self::now(git_dir)
    }

    /// What there was is over: `main` has moved, or the disk is as it should be.
    pub(super) fn note(&self, git_dir: &Path) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Self::now(git_dir);
    }
}
