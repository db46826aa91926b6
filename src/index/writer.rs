//! The thread that commits.
//!
//! Nobody waits for it but `flush` and a recent layer that grew too long. It holds no lock that a
//! search needs while tantivy works, and rests after each commit so that commits take at most a
//! tenth of the time under constant writes.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tantivy::indexer::NoMergePolicy;
use tantivy::{IndexReader, IndexWriter};

use super::handle::Head;
use super::rebuild::Mark;
use super::recent::{Change, Hidden, Live, Sequence};
use super::schema::Fields;
use super::segment::{RowCache, View};
use super::{Error, open};

/// A change waits this long for company.
const DELAY: Duration = Duration::from_millis(200);
/// A commit of `d` is followed by a rest of nine times `d`, at most this.
const LONGEST_REST: Duration = Duration::from_secs(2);
/// So many changes are committed at once.
pub(super) const MANY: usize = 8_000;
/// So many recent entries make writers wait.
pub(super) const FULL: usize = 16_000;
/// How often and how many times to look for merged segments when nothing is written.
const SETTLE: Duration = Duration::from_secs(1);
const SETTLE_TIMES: u32 = 30;
/// While very much is written, segments are left unmerged up to this many.
const UNMERGED: usize = 32;

/// What a commit carries besides documents.
#[derive(Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) fingerprint: String,
    /// Workspace to commit and generation.
    pub(super) heads: HashMap<Arc<str>, (Arc<str>, u32)>,
    /// The marks of rebuilds that it holds a part of.
    #[serde(default)]
    pub(super) unseen: Vec<Mark>,
}

impl Payload {
    /// Of an index that holds nothing.
    pub(super) fn of(fingerprint: String) -> Self {
        Payload { fingerprint, heads: HashMap::new(), unseen: Vec::new() }
    }
}

/// What waits, and for what.
#[derive(Default)]
struct Control {
    stopped: bool,
    /// The last sequence applied.
    applied: Sequence,
    /// The last sequence committed and loaded.
    committed: Sequence,
    /// Commit at once up to here.
    wanted: Sequence,
    /// Changes since the last commit began.
    pending: usize,
    /// When the first of them came.
    since: Option<Instant>,
    /// Counts commits that failed; with the last one's text.
    failures: u64,
    failure: String,
}

/// What the thread and the callers share.
pub(super) struct Shared {
    pub(super) fields: Fields,
    pub(super) fingerprint: Mutex<String>,
    pub(super) reader: IndexReader,
    pub(super) rows: RowCache,
    pub(super) live: RwLock<Live>,
    /// Held while the recent layer or the view changes, longer than `live` is.
    pub(super) applying: Mutex<()>,
    control: Mutex<Control>,
    /// For the thread: there is something to do.
    wake: Condvar,
    /// For callers: a commit ended.
    done: Condvar,
}

/// Takes a lock also after a panic elsewhere: what it guards is changed in single steps.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(fields: Fields, fingerprint: &str, reader: IndexReader, rows: RowCache, live: Live) -> Self {
        Shared {
            fields,
            fingerprint: Mutex::new(fingerprint.to_owned()),
            reader,
            rows,
            live: RwLock::new(live),
            applying: Mutex::new(()),
            control: Mutex::default(),
            wake: Condvar::new(),
            done: Condvar::new(),
        }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that `changes` more wait, the last of them numbered `sequence`.
    pub(super) fn announce(&self, sequence: Sequence, changes: usize) {
        let mut control = lock(&self.control);
        control.applied = control.applied.max(sequence);
        let before = control.pending;
        control.pending += changes.max(1);
        control.since.get_or_insert_with(Instant::now);
        if before == 0 || (before < MANY && control.pending >= MANY) {
            self.wake.notify_one();
        }
    }

    /// Waits until everything applied so far is committed and loaded.
    pub(super) fn flush(&self) -> Result<(), Error> {
        let applied = lock(&self.control).applied;
        self.wait_for(applied)
    }

    /// Waits until `sequence` is committed and loaded, or a commit fails.
    pub(super) fn wait_for(&self, sequence: Sequence) -> Result<(), Error> {
        let mut control = lock(&self.control);
        let failures = control.failures;
        if control.wanted < sequence {
            control.wanted = sequence;
            self.wake.notify_one();
        }
        while control.committed < sequence {
            if control.failures > failures {
                return Err(Error::Commit(control.failure.clone()));
            }
            if control.stopped {
                return Err(Error::Closed);
            }
            control = self.done.wait(control).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    pub(super) fn stop(&self) {
        lock(&self.control).stopped = true;
        self.wake.notify_all();
        self.done.notify_all();
    }

    /// Loads what tantivy holds now, which covers everything up to `sequence`, without what these
    /// rebuilds have made.
    fn load(&self, sequence: Sequence, unseen: &[Mark]) -> Result<(), Error> {
        self.reader.reload()?;
        let before = self.read().view.clone();
        let view = Arc::new(View::open(self.reader.searcher(), &self.fields, Some(&before))?);
        // Nothing can be applied between looking up what to hide and showing the new view.
        let _applying = lock(&self.applying);
        let unfinished = Arc::new(Hidden::unseen(&view, unseen)?);
        let hidden = Arc::new(Hidden::new(&view, &self.read().recent, sequence, &unfinished)?);
        let mut live = self.write();
        live.unfinished = unfinished;
        live.recent.forget(sequence);
        live.hidden = hidden;
        live.view = view;
        Ok(())
    }
}

/// The thread's own side.
pub(super) struct Committer {
    shared: Arc<Shared>,
    writer: IndexWriter,
    /// The last commit's.
    payload: String,
    unseen: Vec<Mark>,
    /// The last commit left segments unmerged that should not stay so.
    unmerged: bool,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>, writer: IndexWriter) -> Self {
        Committer { shared, writer, payload: String::new(), unseen: Vec::new(), unmerged: false }
    }

    /// Commits until told to stop, and then once more.
    pub(super) fn run(mut self) {
        let mut rest_until = Instant::now();
        let mut failing = Duration::ZERO;
        loop {
            let stopped = self.wait(rest_until);
            let begun = Instant::now();
            match self.commit() {
                Ok(()) => {
                    failing = Duration::ZERO;
                    rest_until = Instant::now() + (begun.elapsed() * 9).min(LONGEST_REST);
                }
                Err(error) => {
                    failing = (failing * 2).clamp(Duration::from_secs(1), Duration::from_secs(30));
                    rest_until = Instant::now() + failing;
                    self.fail(&error);
                }
            }
            if stopped {
                return;
            }
        }
    }

    /// Waits for work; true when this is the last round.
    fn wait(&mut self, rest_until: Instant) -> bool {
        let mut settling = SETTLE_TIMES;
        let shared = self.shared.clone();
        let mut control = lock(&shared.control);
        loop {
            if control.stopped {
                return true;
            }
            let now = Instant::now();
            let timeout = match control.since {
                Some(since) => {
                    // A failed commit is not repeated at once, whoever asks for it.
                    let urgent = control.wanted > control.committed || control.pending >= MANY;
                    let due = if urgent && control.failure.is_empty() { now } else { rest_until.max(since + DELAY) };
                    if due <= now {
                        return false;
                    }
                    due - now
                }
                None if settling > 0 => SETTLE,
                None => Duration::from_secs(3600),
            };
            let (guard, waited) = shared.wake.wait_timeout(control, timeout).unwrap_or_else(PoisonError::into_inner);
            control = guard;
            if waited.timed_out() && control.since.is_none() && settling > 0 {
                settling -= 1;
                let committed = control.committed;
                drop(control);
                self.settle(committed);
                control = lock(&shared.control);
            }
        }
    }

    /// Starts merges that were put off, and loads segments that were merged since the last commit,
    /// to let go of the old ones.
    fn settle(&mut self, committed: Sequence) {
        if std::mem::take(&mut self.unmerged) {
            self.writer.set_merge_policy(Box::new(open::merge_policy()));
            if let Err(error) = self.seal() {
                tracing::warn!(error = &error as &dyn std::error::Error, "segments of the index cannot be merged");
            }
        }
        let Ok(mut segments) = self.writer.index().searchable_segment_ids() else { return };
        let mut loaded: Vec<_> = self.shared.read().view.segments().collect();
        segments.sort();
        loaded.sort();
        if segments != loaded
            && let Err(error) = self.shared.load(committed, &self.unseen)
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "merged segments of the index cannot be loaded");
        }
    }

    fn commit(&mut self) -> Result<(), Error> {
        let (changes, sequence, heads, unseen) = {
            // `pending` counts what comes after this moment.
            let mut live = self.shared.write();
            let mut control = lock(&self.shared.control);
            control.pending = 0;
            control.since = None;
            (std::mem::take(&mut live.changes), live.sequence, live.heads.clone(), live.unseen.clone())
        };
        if sequence == lock(&self.shared.control).committed {
            return Ok(());
        }
        let stored = self.store(&changes, heads, unseen.clone());
        if let Err(error) = stored {
            self.put_back(changes);
            return Err(error);
        }
        drop(changes);
        self.unseen = unseen;
        self.shared.load(sequence, &self.unseen)?;
        let mut control = lock(&self.shared.control);
        control.committed = sequence;
        control.failure.clear();
        self.shared.done.notify_all();
        Ok(())
    }

    fn store(&mut self, changes: &[Change], heads: HashMap<Arc<str>, Head>, unseen: Vec<Mark>) -> Result<(), Error> {
        let fields = &self.shared.fields;
        for change in changes {
            match change {
                Change::Delete(term) => {
                    self.writer.delete_term(fields.term(term));
                }
                Change::Row(row, text) => {
                    self.writer.add_document(fields.row_document(row, text))?;
                }
                Change::Touch(touch) => {
                    self.writer.add_document(fields.touch_document(touch))?;
                }
                Change::Unseen(document) => {
                    self.writer.add_document(document.clone())?;
                }
                Change::Exchange(workspace, mark) => {
                    for query in fields.unmarked(workspace, *mark) {
                        self.writer.delete_query(query)?;
                    }
                }
            }
        }
        // Merging what the next commits will be merged with again would be half of the work.
        self.unmerged = changes.len() >= MANY / 2 && self.shared.read().view.parts.len() < UNMERGED;
        self.writer.set_merge_policy(if self.unmerged {
            Box::new(NoMergePolicy)
        } else {
            Box::new(open::merge_policy())
        });
        let payload = Payload {
            fingerprint: lock(&self.shared.fingerprint).clone(),
            heads: heads.into_iter().map(|(workspace, head)| (workspace, (head.commit, head.generation))).collect(),
            unseen,
        };
        self.payload = serde_json::to_string(&payload).map_err(|error| Error::Read(error.into()))?;
        self.seal()
    }

    /// The commit itself, after which tantivy looks for segments to merge.
    fn seal(&mut self) -> Result<(), Error> {
        let mut prepared = self.writer.prepare_commit()?;
        prepared.set_payload(&self.payload);
        prepared.commit()?;
        Ok(())
    }

    /// Takes back what tantivy was told in vain.
    fn put_back(&mut self, mut changes: Vec<Change>) {
        let rolled_back = self.writer.rollback().and_then(|_| open::pass_committed_stamp(&mut self.writer));
        if let Err(error) = rolled_back {
            tracing::error!(error = &error as &dyn std::error::Error, "the index cannot be rolled back");
        }
        let mut live = self.shared.write();
        changes.append(&mut live.changes);
        live.changes = changes;
    }

    fn fail(&self, error: &Error) {
        tracing::error!(error = error as &dyn std::error::Error, "committing to the index failed; it will be retried");
        let source = std::error::Error::source(error).map(ToString::to_string);
        let mut control = lock(&self.shared.control);
        control.failures += 1;
        control.failure = source.unwrap_or_else(|| error.to_string());
        control.pending += 1;
        control.since = Some(Instant::now());
        self.shared.done.notify_all();
    }
}
