//! Takes in edits made with an editor on the server's disk.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use git2::{Repository, Status, StatusOptions};

use super::commit::{Committed, Intent, MOVED_TRAILER, RENAMES_TRAILER};
use super::error::{Error, TipError, WriteError};
use super::hands::{self, Claim, Claims};
use super::reconcile;
use super::tip::disk_intent;
use super::watch::is_scratch;
use super::workspace::Workspace;
use crate::base::blocking;
use crate::resource::etag::Etag;
use crate::resource::key::FilePath;

/// Most paths of one commit of edits on disk, and bytes after which no more are taken in.
const PIECE_PATHS: usize = 2_000;
const PIECE_BYTES: u64 = 32 << 20;

/// What became of edits on disk.
#[derive(Debug, Default)]
pub struct Absorbed {
    /// The commit that took them in, if there were any.
    pub committed: Option<Arc<Committed>>,
    /// Paths that stay as they are on disk and out of git, and why.
    pub skipped: Vec<(String, String)>,
    /// Some do not rest yet, or are part of a git command that is half done.
    pub waits: bool,
}

impl Workspace {
    /// Commits what differs on disk at these paths, as the workspace's owner; for `None` git is
    /// asked for all that differs. Ignored files are left out, and what nobody has finished
    /// ([`super::hands`]). What equals the newest commit (the server's own writes) makes no commit.
    pub async fn absorb_disk(self: &Arc<Self>, paths: Option<Vec<FilePath>>) -> Result<Absorbed, Error> {
        let (paths, skipped) = match paths {
            Some(paths) => (paths, Vec::new()),
            None => self.changed_on_disk().await?,
        };
        let absorbed = self.absorb_paths(paths).await?;
        Ok(Absorbed { skipped: [skipped, absorbed.skipped].concat(), ..absorbed })
    }

    /// As [`Workspace::absorb_disk`] for all that differs and was not written to for so long: what
    /// was written just now may be half of a text of which no sign came yet.
    pub async fn absorb_resting(self: &Arc<Self>, quiet: Duration) -> Result<Absorbed, Error> {
        if hands::is_at_work(&self.git_dir) {
            return Ok(Absorbed { waits: true, ..Absorbed::default() });
        }
        let (mut paths, skipped) = self.changed_on_disk().await?;
        let all = paths.len();
        paths.retain(|path| rests(&self.dir.join(path.as_str()), quiet));
        let waits = paths.len() < all;
        let absorbed = self.absorb_paths(paths).await?;
        let skipped = [skipped, absorbed.skipped].concat();
        Ok(Absorbed { skipped, waits: absorbed.waits || waits, ..absorbed })
    }

    async fn absorb_paths(self: &Arc<Self>, mut candidates: Vec<FilePath>) -> Result<Absorbed, Error> {
        let mut absorbed = Absorbed::default();
        // What went makes room for folders of its name, and the other way round: from the end on.
        candidates.sort_by_cached_key(|path| {
            !fs::symlink_metadata(self.dir.join(path.as_str())).is_ok_and(|found| found.is_file())
        });
        // In pieces: what is staged is in memory.
        while !candidates.is_empty() {
            let piece = candidates.split_off(candidates.len().saturating_sub(PIECE_PATHS));
            let (done, rest) = self.absorb_piece(piece).await?;
            absorbed.skipped.extend(done.skipped);
            absorbed.committed = done.committed.or(absorbed.committed);
            absorbed.waits |= done.waits;
            candidates.extend(rest);
        }
        Ok(absorbed)
    }

    /// Every path whose file differs from the newest commit as git's status sees it, and the names
    /// that cannot be served.
    pub(super) async fn changed_on_disk(self: &Arc<Self>) -> Result<(Vec<FilePath>, Vec<(String, String)>), Error> {
        // git compares with its index, which the writer brings up to date first. The comparison
        // itself keeps nobody waiting: each path is looked at again later.
        super::writer::exclusive(self, false, |workspace| workspace.flush_index()).await??;
        let workspace = self.clone();
        let (mut found, mut skipped) = (Vec::new(), Vec::new());
        for path in blocking::run(move || changed_on_disk(&workspace)).await? {
            match FilePath::parse(&path) {
                Ok(path) => found.push(path),
                Err(error) => skipped.push((path, error.to_string())),
            }
        }
        Ok((found, skipped))
    }

    /// Commits some of these paths; says what became of them and which are left.
    async fn absorb_piece(self: &Arc<Self>, mut paths: Vec<FilePath>) -> Result<(Absorbed, Vec<FilePath>), Error> {
        let workspace = self.clone();
        let written = self.write::<_, Error, _>(move |tip| {
            let repository = open(&workspace)?;
            let claims = Claims::of(&workspace)?;
            let mut done = Absorbed::default();
            let mut edited = Vec::new();
            let mut back = Vec::new();
            let mut bytes = 0;
            while bytes < PIECE_BYTES
                && let Some(path) = paths.pop()
            {
                let before = tip.committed_entry(&path)?;
                let is_known = before.is_some();
                let is_left_alone = || {
                    is_scratch(path.as_str())
                        || repository.is_path_ignored(path.as_str()).unwrap_or(false)
                        || workspace.work_tree.repository_above(&path).is_some()
                };
                if !is_known && is_left_alone() {
                    continue;
                }
                match tip.claim(&claims, &path)? {
                    None => {}
                    // It is heard of again when it is closed.
                    Some(Claim::Writing) => continue,
                    Some(Claim::PutBack { is_fresh: false }) => {
                        back.push(path);
                        continue;
                    }
                    Some(Claim::HalfDone | Claim::PutBack { is_fresh: true }) => {
                        done.waits = true;
                        continue;
                    }
                }
                bytes += fs::symlink_metadata(workspace.dir.join(path.as_str())).map_or(0, |found| found.len());
                match tip.stage_disk(&path) {
                    Ok(true) => {
                        let after = tip.committed_entry(&path)?;
                        edited.push((path, before.map(|e| e.etag), after.map(|e| e.etag)));
                    }
                    Ok(false) => {}
                    Err(TipError::Store(error)) => return Err(*error),
                    Err(refusal) => done.skipped.push((path.to_string(), refusal.to_string())),
                }
            }
            edited.sort_unstable();
            let intent = (!edited.is_empty()).then(|| intent(&workspace, &edited));
            Ok(((done, back, paths), intent))
        });
        let ((done, back, rest), committed) = match written.await {
            Ok(done) => done,
            Err(WriteError::Refused(error) | WriteError::Store(error)) => return Err(error),
        };
        if !back.is_empty() {
            super::writer::exclusive(self, false, move |workspace| reconcile::bring_back(workspace, &back)).await??;
        }
        Ok((Absorbed { committed, ..done }, rest))
    }

    /// Which of these paths may differ from the newest commit: cheap, and beside the writer. The
    /// server's own files are known by their times and left out.
    pub(super) fn differing(self: &Arc<Self>, paths: &[String]) -> Result<Vec<FilePath>, Error> {
        let snapshot = self.snapshot(None)?;
        let mut folders = self.work_tree.peek()?;
        let mut found = Vec::new();
        for path in paths {
            let Ok(path) = FilePath::parse(path) else {
                tracing::warn!(workspace.name = %self.name(), path, "a file stays out of git: its name cannot be served");
                continue;
            };
            let differs = match snapshot.entry(path.as_str())? {
                Some(entry) => folders.stat(&path, entry.etag).is_none(),
                None => fs::symlink_metadata(self.dir.join(path.as_str())).is_ok_and(|found| !found.is_dir()),
            };
            if differs {
                found.push(path);
            }
        }
        Ok(found)
    }
}

/// The commit of edits: paths, what each had and has. A file that is gone and one of the same bytes
/// that is new are a move, and the message says that nothing else is one.
fn intent(workspace: &Workspace, edited: &[(FilePath, Option<Etag>, Option<Etag>)]) -> Intent {
    let paths: Vec<FilePath> = edited.iter().map(|(path, _, _)| path.clone()).collect();
    let mut intent = disk_intent(workspace, &paths);
    let mut gone: HashMap<Etag, Vec<&FilePath>> = HashMap::new();
    for (path, old, new) in edited.iter().rev() {
        if let (Some(old), None) = (old, new) {
            gone.entry(*old).or_default().push(path);
        }
    }
    let arrived = edited.iter().filter(|(_, old, new)| old.is_none() && new.is_some());
    if !gone.is_empty() && arrived.clone().next().is_some() {
        for (path, _, new) in arrived {
            if let Some(from) = new.and_then(|new| gone.get_mut(&new)).and_then(Vec::pop) {
                intent.message.push_str(&format!("{MOVED_TRAILER}: {from} -> {path}\n"));
            }
        }
        intent.message.push_str(&format!("{RENAMES_TRAILER}: stated\n"));
    }
    intent
}

/// Whether nobody has written to a file for so long; also when it is gone, or from the future.
fn rests(file: &Path, quiet: Duration) -> bool {
    let age = fs::symlink_metadata(file).and_then(|found| found.modified()).map(|at| at.elapsed());
    !matches!(age, Ok(Ok(age)) if age < quiet)
}

fn open(workspace: &Workspace) -> Result<Repository, Error> {
    Repository::open(&workspace.dir).map_err(Error::git("open the repository"))
}

/// Every path whose file on disk is not what `main` has, as git's status sees it.
fn changed_on_disk(workspace: &Workspace) -> Result<BTreeSet<String>, Error> {
    let repository = open(workspace)?;
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).include_ignored(false).exclude_submodules(true);
    let statuses = repository.statuses(Some(&mut options)).map_err(Error::git("compare the disk"))?;
    let changed = statuses.iter().filter(|s| s.status() != Status::CURRENT);
    Ok(changed.filter_map(|s| s.path().ok().map(str::to_owned)).filter(|path| !path.ends_with('/')).collect())
}
