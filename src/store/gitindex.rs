//! `.git/index`, which git rewrites whole and so do we.
//!
//! A small or quiet index is written before `main` moves: `git commit` reads first `HEAD`, then the index,
//! then takes the lock, so whoever sees a commit sees its index, and whoever saw the one before
//! fails to move `main`. A large and busy one lags behind, and while it does the server holds
//! `.git/index.lock`, so that a commit made by hand fails with git's own message. One that read the
//! index while it lagged and got the lock afterwards drops files that the index did not know yet:
//! [`GitIndex::lagged`] remembers which those may be, and they are committed again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::Error;
use super::indexfile::IndexFile;
use super::lock::LockFile;
use super::tree::Entry;
use super::worktree::FileStat;
use crate::resource::etag::Etag;

/// How long to wait for a git command that holds the index.
const PATIENCE: Duration = Duration::from_secs(5);
/// The index is written at most this share of the time: one part in ten, and in thirty while
/// writes come one after another.
const SHARE: u32 = 9;
const BUSY_SHARE: u32 = 29;
/// Without a write for so long it is quiet.
const QUIET: Duration = Duration::from_millis(50);
/// An index that takes longer is never written while a write waits.
const DEAR: Duration = Duration::from_millis(20);

/// What the index should say of a path: nothing, or this. Without a stat git compares contents.
pub(super) type Note = Option<(Entry, Option<FileStat>)>;

pub(super) struct GitIndex {
    git_dir: PathBuf,
    state: Mutex<State>,
    /// One flush at a time; keeps what it wrote for the next one.
    kept: Mutex<Option<Kept>>,
}

#[derive(Default)]
struct State {
    pending: BTreeMap<Arc<str>, Note>,
    lock: Option<LockFile>,
    /// The commit that the index is at once what is pending is written.
    head: Option<Etag>,
    /// Rounds that rely on the lock now.
    holders: u32,
    cost: Duration,
    last: Option<Instant>,
    /// When something was noted last.
    noted: Option<Instant>,
    /// Entries that the index had last; `None` before it was read.
    length: Option<usize>,
    /// Paths that were still on their way to the index when `main` moved last. Whoever read an
    /// older `HEAD` cannot move `main` any more.
    lagged: BTreeSet<Arc<str>>,
}

struct Kept {
    index: IndexFile,
    /// Which file has this content.
    file: Option<(u64, i64, i64, u64)>,
}

/// While this lives, the index is locked.
pub(super) struct Hold<'a>(&'a GitIndex);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.holders -= 1;
        state.release();
    }
}

impl State {
    fn release(&mut self) {
        if self.holders == 0 && self.pending.is_empty() {
            self.lock = None;
        }
    }
}

impl GitIndex {
    pub(super) fn new(git_dir: &Path) -> Self {
        GitIndex { git_dir: git_dir.to_owned(), state: Mutex::new(State::default()), kept: Mutex::new(None) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock_path(&self) -> PathBuf {
        self.git_dir.join("index.lock")
    }

    fn path(&self) -> PathBuf {
        self.git_dir.join("index")
    }

    /// Locks the index, which is at commit `now`; `None` when a git command keeps it.
    pub(super) fn hold(&self, now: Etag) -> Result<Option<Hold<'_>>, Error> {
        {
            let mut state = self.state();
            if state.lock.is_some() {
                state.holders += 1;
                return Ok(Some(Hold(self)));
            }
        }
        // Only the workspace's writer gets here, one thread at a time: waiting without the state.
        let inode = self.git_dir.join("workleaf/lock");
        let made = LockFile::link(&self.lock_path(), &inode, PATIENCE, now).map_err(Error::io("lock git's index"))?;
        let Some(made) = made else { return Ok(None) };
        let mut state = self.state();
        state.lock = Some(made);
        state.holders += 1;
        Ok(Some(Hold(self)))
    }

    /// Notes what changed up to a commit; the lock must be held.
    pub(super) fn note(&self, notes: impl IntoIterator<Item = (Arc<str>, Note)>, head: Etag) {
        let mut state = self.state();
        state.pending.extend(notes);
        state.head = Some(head);
        state.noted = Some(Instant::now());
    }

    pub(super) fn is_lagging(&self) -> bool {
        !self.state().pending.is_empty()
    }

    /// How long until a flush keeps its share of the time; `None` when there is nothing to flush.
    pub(super) fn due(&self) -> Option<Duration> {
        let state = self.state();
        if state.pending.is_empty() {
            return None;
        }
        let since = state.last.map_or(Duration::MAX, |last| last.elapsed());
        let rest = |share| (state.cost * share).saturating_sub(since);
        let quiet = state.noted.map_or(Duration::ZERO, |noted| QUIET.saturating_sub(noted.elapsed()));
        Some(rest(BUSY_SHARE).min(rest(SHARE).max(quiet)))
    }

    /// Whether to write the index before `main` moves: it is small (at most so many entries), or it
    /// was not written for a while and that takes no more than its share. Never for 0.
    pub(super) fn is_written_first(&self, entries: usize) -> bool {
        let (length, cost) = {
            let state = self.state();
            (state.length, state.cost)
        };
        let is_small = length.is_none_or(|length| length <= entries);
        entries > 0 && (is_small || (cost < DEAR && self.due().is_some_and(|wait| wait.is_zero())))
    }

    /// Remembers what the index does not know yet, just before `main` moves.
    pub(super) fn before_move(&self) {
        let mut state = self.state();
        state.lagged = state.pending.keys().cloned().collect();
    }

    /// Whether a commit by hand may have missed this path because the index lagged.
    pub(super) fn lagged(&self, path: &str) -> bool {
        self.state().lagged.contains(path)
    }

    /// Writes what is noted. `all` lists every file of `main`, for an index that cannot be read.
    pub(super) fn flush(&self, all: impl FnOnce() -> Result<Vec<(String, Entry)>, Error>) -> Result<(), Error> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (pending, head) = {
            let mut state = self.state();
            (std::mem::take(&mut state.pending), state.head)
        };
        let start = Instant::now();
        if pending.is_empty() {
            self.state().release();
            return Ok(());
        }
        let result = self.write(&mut kept, &pending, all);
        let mut state = self.state();
        if result.is_err() {
            *kept = None;
            // What came since is newer.
            let newer = std::mem::replace(&mut state.pending, pending);
            state.pending.extend(newer);
        } else if let (Some(lock), Some(head)) = (&state.lock, head)
            && let Err(error) = lock.note(head)
        {
            tracing::warn!(%error, "cannot write to the index's lock");
        }
        state.cost = start.elapsed();
        state.length = kept.as_ref().map(|kept| kept.index.len());
        state.last = Some(Instant::now());
        state.release();
        result
    }

    fn write(
        &self,
        kept: &mut Option<Kept>,
        pending: &BTreeMap<Arc<str>, Note>,
        all: impl FnOnce() -> Result<Vec<(String, Entry)>, Error>,
    ) -> Result<(), Error> {
        let doing = "write git's index";
        let path = self.path();
        let file = identity(&path);
        let same = |kept: &Kept| file.is_some() && kept.file == file;
        if !kept.as_ref().is_some_and(same) {
            let index = match fs::read(&path) {
                Ok(content) => IndexFile::read(&path, &content),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(Error::io(doing)(error)),
            };
            let index = match index {
                Some(index) => index,
                // New, or torn by a power cut.
                None => {
                    let mut index = IndexFile::default();
                    for (path, entry) in all()? {
                        index.set(&path, entry, None);
                    }
                    index
                }
            };
            *kept = Some(Kept { index, file: None });
        }
        let Some(kept) = kept else { return Err(Error::damaged(doing)) };
        for path in pending.iter().filter(|(_, note)| note.is_none()).map(|(path, _)| path) {
            kept.index.remove(path);
        }
        for (path, note) in pending {
            if let Some((entry, stat)) = note {
                kept.index.set(path, *entry, *stat);
            }
        }
        let unfinished = self.git_dir.join("workleaf/index");
        let write = || {
            fs::write(&unfinished, kept.index.encode())?;
            fs::rename(&unfinished, &path)
        };
        write().map_err(Error::io(doing))?;
        kept.file = identity(&path);
        Ok(())
    }

    /// Lets go of the parsed index.
    pub(super) fn rest(&self) {
        if let Ok(mut kept) = self.kept.try_lock() {
            *kept = None;
        }
    }
}

fn identity(path: &Path) -> Option<(u64, i64, i64, u64)> {
    fs::metadata(path).ok().map(|m| (m.ino(), m.mtime(), m.mtime_nsec(), m.size()))
}
