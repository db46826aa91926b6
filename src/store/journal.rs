//! The journal: what makes a write durable.
//!
//! One preallocated file of zeros. A group of commits is one record with everything that is needed
//! to write it again; when the record is synced the group is durable, and packs, refs and work
//! trees follow without syncs. One sync serves the records of every workspace that waits: the
//! first thread that finds no leader writes for all of them.
//!
//! A checkpoint syncs the file system and starts a new epoch at the front of the file; records of
//! older epochs are never read again. After a failed sync the kernel may have dropped the pages it
//! could not write, so a journal that failed once takes nothing more.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use super::error::Error;
use super::pack::Pack;
use super::record::{self, FRONT, HEADER_SLOT, RECORD_HEAD, Record};
use crate::resource::etag::Etag;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appended {
    Durable,
    /// No room in this epoch: let go of the guard, checkpoint, try again.
    Full(u64),
    /// Larger than the whole journal.
    TooLarge,
}

pub(super) struct Journal {
    file: File,
    /// Some folder on the file system to sync.
    folder: File,
    capacity: u64,
    state: Mutex<State>,
    turned: Condvar,
    /// Held shared from before a record is written until its packs and refs are; a checkpoint
    /// holds it alone, so that it never forgets a record that is not applied.
    applying: RwLock<()>,
}

struct State {
    epoch: u64,
    sequence: u64,
    /// Where the next record goes.
    end: u64,
    /// Records that wait for a leader, and where the first of them goes.
    queued: Vec<u8>,
    queued_at: u64,
    /// Tickets: given out, and synced.
    given: u64,
    synced: u64,
    leading: bool,
    failed: Option<Arc<io::Error>>,
    last: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves whole values behind: every change below is one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a journal held when it was opened.
pub(super) struct Leftover {
    pub(super) records: Vec<Record>,
    /// When their epoch began, in seconds since 1970.
    pub(super) since: i64,
}

impl Journal {
    /// Opens or makes the journal in `folder`. Its records stay until the first checkpoint.
    pub(super) fn open(folder: &Path, capacity: u64) -> Result<(Self, Leftover), Error> {
        fs::create_dir_all(folder).map_err(Error::at("make", folder))?;
        let path = folder.join("log");
        if fs::metadata(&path).map_or(0, |m| m.len()) < FRONT {
            make(folder, &path, capacity).map_err(Error::io("make the journal"))?;
        }
        let open = OpenOptions::new().read(true).write(true).open(&path);
        let file = open.map_err(Error::io("open the journal"))?;
        let capacity = file.metadata().map_err(Error::io("open the journal"))?.len();
        let (epoch, since) = record::newest_header(&file).ok_or_else(|| Error::damaged("read the journal's header"))?;
        let (records, end) = record::read_records(&file, epoch, capacity).map_err(Error::io("read the journal"))?;
        let journal = Journal {
            file,
            folder: File::open(folder).map_err(Error::io("open the journal"))?,
            capacity,
            state: Mutex::new(State {
                epoch,
                sequence: records.len() as u64,
                end,
                queued: Vec::new(),
                queued_at: end,
                given: 0,
                synced: 0,
                leading: false,
                failed: None,
                last: Instant::now(),
            }),
            turned: Condvar::new(),
            applying: RwLock::new(()),
        };
        Ok((journal, Leftover { records, since }))
    }

    /// Keeps checkpoints away while a record is written and applied.
    pub(super) fn enter(&self) -> RwLockReadGuard<'_, ()> {
        self.applying.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The epoch that records go to now; it cannot change under a guard of [`Journal::enter`].
    pub(super) fn epoch(&self) -> u64 {
        lock(&self.state).epoch
    }

    /// How long ago the last record came, if there are any to checkpoint.
    pub(super) fn idle(&self) -> Option<Duration> {
        let state = lock(&self.state);
        (state.sequence > 0).then(|| state.last.elapsed())
    }

    /// Time for a checkpoint before there is need of one.
    pub(super) fn is_half_full(&self) -> bool {
        lock(&self.state).end > self.capacity / 2
    }

    /// Makes a group durable. The caller holds a guard of [`Journal::enter`].
    pub(super) fn append(&self, workspace: &str, old: Etag, new: Etag, pack: &Pack) -> Result<Appended, Error> {
        let body = record::encode(workspace, old, new, &pack.pack, &pack.index);
        self.append_body(body)
    }

    /// Notes that `head` is what a workspace has after all, whatever was recorded before.
    pub(super) fn append_undo(&self, workspace: &str, head: Etag) -> Result<Appended, Error> {
        self.append_body(record::encode(workspace, head, head, b"", b""))
    }

    /// Makes the move of a `main` durable whose objects are already.
    pub(super) fn append_move(&self, workspace: &str, old: Etag, new: Etag) -> Result<Appended, Error> {
        self.append_body(record::encode(workspace, old, new, b"", b""))
    }

    fn append_body(&self, body: Vec<u8>) -> Result<Appended, Error> {
        let length = (RECORD_HEAD + body.len()) as u64;
        if length > self.capacity - FRONT {
            return Ok(Appended::TooLarge);
        }
        let sum = crc32fast::hash(&body);
        let mut state = lock(&self.state);
        if let Some(error) = &state.failed {
            return Err(Error::Poisoned(error.clone()));
        }
        if state.end + length > self.capacity {
            return Ok(Appended::Full(state.epoch));
        }
        let head = record::record_head(state.epoch, state.sequence, body.len() as u32, sum);
        if state.queued.is_empty() {
            state.queued_at = state.end;
        }
        state.queued.extend_from_slice(&head);
        state.queued.extend_from_slice(&body);
        state.end += length;
        state.sequence += 1;
        state.given += 1;
        let ticket = state.given;
        loop {
            if state.synced >= ticket {
                return Ok(Appended::Durable);
            }
            if let Some(error) = &state.failed {
                return Err(Error::Poisoned(error.clone()));
            }
            if state.leading {
                state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.leading = true;
            let batch = std::mem::take(&mut state.queued);
            let at = state.queued_at;
            let up_to = state.given;
            drop(state);
            let result = self.file.write_all_at(&batch, at).and_then(|()| self.file.sync_data());
            state = lock(&self.state);
            state.leading = false;
            state.last = Instant::now();
            match result {
                Ok(()) => state.synced = up_to,
                Err(error) => {
                    tracing::error!(%error, "the journal cannot be written; no more writes until a restart");
                    state.failed = Some(Arc::new(error));
                }
            }
            self.turned.notify_all();
        }
    }

    /// Why nothing more is taken, once something failed.
    pub(super) fn failure(&self) -> Option<Arc<io::Error>> {
        lock(&self.state).failed.clone()
    }

    /// Syncs everything that records stood for and forgets them.
    pub(super) fn checkpoint(&self) -> Result<(), Error> {
        self.checkpoint_if(|_| true)
    }

    /// The same, unless somebody else did it since `epoch`.
    pub(super) fn checkpoint_after(&self, epoch: u64) -> Result<(), Error> {
        self.checkpoint_if(|now| now == epoch)
    }

    fn checkpoint_if(&self, wanted: impl Fn(u64) -> bool) -> Result<(), Error> {
        let is_needed = |state: &State| state.sequence > 0 && wanted(state.epoch);
        let early = is_needed(&lock(&self.state));
        // Most of the work, while groups still come and go. The kernel tells of a failure once: it
        // must not be lost.
        let early = if early { self.sync_all() } else { Ok(()) };
        let _alone = self.applying.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = lock(&self.state);
        if let Some(error) = &state.failed {
            return Err(Error::Poisoned(error.clone()));
        }
        if early.is_ok() && !is_needed(&state) {
            return Ok(());
        }
        let epoch = state.epoch + 1;
        let result = early.and_then(|()| self.sync_all()).and_then(|()| {
            self.file.write_all_at(&record::header(epoch), epoch % 2 * HEADER_SLOT)?;
            self.file.sync_data()
        });
        if let Err(error) = result {
            tracing::error!(%error, "a checkpoint failed; no more writes until a restart");
            let error = Arc::new(error);
            state.failed = Some(error.clone());
            return Err(Error::Poisoned(error));
        }
        state.epoch = epoch;
        state.sequence = 0;
        state.end = FRONT;
        Ok(())
    }

    /// Syncs the whole file system of the data directory.
    pub(super) fn sync_all(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        rustix::fs::syncfs(&self.folder)?;
        #[cfg(not(target_os = "linux"))]
        rustix::fs::sync();
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn fail(&self) {
        lock(&self.state).failed = Some(Arc::new(io::Error::other("made to fail")));
    }
}

/// Zeros, written and synced: later overwriting changes no metadata, which makes its sync cheap.
fn make(folder: &Path, path: &Path, capacity: u64) -> io::Result<()> {
    let unfinished = folder.join("log.new");
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&unfinished)?;
    let zeros = vec![0; 1 << 20];
    let mut at = 0;
    while at < capacity {
        let length = zeros.len().min((capacity - at) as usize);
        file.write_all_at(&zeros[..length], at)?;
        at += length as u64;
    }
    file.write_all_at(&record::header(0), 0)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(n: u8, length: usize) -> Pack {
        Pack { name: Etag([n; 20]), pack: vec![n; length], index: vec![n] }
    }

    #[test]
    fn records_survive_until_a_checkpoint() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, leftover) = Journal::open(dir.path(), 64 << 10).unwrap();
        assert!(leftover.records.is_empty() && journal.idle().is_none());
        for n in 1..4 {
            assert_eq!(
                journal.append("a/b", Etag([n; 20]), Etag([n + 1; 20]), &pack(n, 999)).unwrap(),
                Appended::Durable
            );
        }
        drop(journal);
        let (journal, leftover) = Journal::open(dir.path(), 0).unwrap();
        assert_eq!(leftover.records.len(), 3);
        assert_eq!((leftover.records[2].new, leftover.records[2].pack.len()), (Etag([4; 20]), 999));
        journal.checkpoint().unwrap();
        // The stale records behind it are of an older epoch.
        journal.append("a/b", Etag([9; 20]), Etag([8; 20]), &pack(1, 999)).unwrap();
        drop(journal);
        let (_, leftover) = Journal::open(dir.path(), 0).unwrap();
        assert_eq!(leftover.records.iter().map(|r| r.old).collect::<Vec<_>>(), [Etag([9; 20])]);
    }

    #[test]
    fn a_torn_record_ends_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(dir.path(), 64 << 10).unwrap();
        for n in 1..4 {
            journal.append("a/b", Etag([n; 20]), Etag([n + 1; 20]), &pack(n, 999)).unwrap();
        }
        let end = lock(&journal.state).end;
        journal.file.write_all_at(&[0; 64], end - 100).unwrap();
        drop(journal);
        let (journal, leftover) = Journal::open(dir.path(), 0).unwrap();
        assert_eq!(leftover.records.len(), 2);
        journal.append("a/b", Etag([7; 20]), Etag([8; 20]), &pack(5, 10)).unwrap();
        drop(journal);
        let (_, leftover) = Journal::open(dir.path(), 0).unwrap();
        assert_eq!(leftover.records.len(), 3);
    }

    #[test]
    fn full_and_too_large_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(dir.path(), 64 << 10).unwrap();
        let id = Etag([1; 20]);
        assert_eq!(journal.append("a/b", id, id, &pack(1, 80 << 10)).unwrap(), Appended::TooLarge);
        assert_eq!(journal.append("a/b", id, id, &pack(1, 40 << 10)).unwrap(), Appended::Durable);
        assert_eq!(journal.append("a/b", id, id, &pack(1, 40 << 10)).unwrap(), Appended::Full(0));
        journal.checkpoint_after(0).unwrap();
        journal.checkpoint_after(0).unwrap();
        assert_eq!(journal.epoch(), 1);
        assert_eq!(journal.append("a/b", id, id, &pack(1, 40 << 10)).unwrap(), Appended::Durable);
        journal.fail();
        assert!(matches!(journal.append("a/b", id, id, &pack(1, 1)), Err(Error::Poisoned(_))));
        assert!(matches!(journal.checkpoint(), Err(Error::Poisoned(_))));
    }

    #[test]
    fn many_threads_share_syncs() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(dir.path(), 1 << 20).unwrap();
        std::thread::scope(|scope| {
            for n in 0..8u8 {
                let journal = &journal;
                scope.spawn(move || {
                    for _ in 0..20 {
                        let _guard = journal.enter();
                        journal.append(&format!("a/{n}"), Etag([n; 20]), Etag([n; 20]), &pack(n, 200)).unwrap();
                    }
                });
            }
        });
        drop(journal);
        assert_eq!(Journal::open(dir.path(), 0).unwrap().1.records.len(), 160);
    }
}
