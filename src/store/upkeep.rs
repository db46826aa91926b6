//! What nobody waits for: index files that lag, packs to merge, the idle checkpoint, the trash.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::consolidate;
use super::error::Error;
use super::history;
use super::pack::Pack;
use super::packfile::{self, Found};
use super::workspace::Workspace;
use super::workspaces::Shared;

/// So many packs of one size are merged, where packs are of one size within a factor of this: a
/// byte is moved once per size. More of them while writes come, which share the machine with it.
const BUSY: usize = 64;
pub(super) const QUIET: usize = 16;
/// Bytes of one merge at most; packs of so many are not merged any more.
const MERGED_MOST: u64 = 64 << 20;
/// Between two looks when nothing calls.
const PAUSE: Duration = Duration::from_secs(1);
/// Workspaces that nobody used for so long let go of handles and memory.
const REST: Duration = Duration::from_secs(60);

/// The packs of a workspace that may be merged.
#[derive(Default)]
pub(super) struct Packs {
    /// `None` until the first write, or after somebody else changed them.
    known: Option<Vec<Known>>,
}

#[derive(Clone, Copy)]
struct Known {
    found: Found,
    /// The journal's epoch that still has all of it.
    epoch: Option<u64>,
}

impl Packs {
    /// Somebody else changed them.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }

    /// The packs of the smallest size that has enough of them.
    fn to_merge(&self, fan: usize) -> Option<Vec<Known>> {
        let known = self.known.as_ref()?;
        if known.len() < fan {
            return None;
        }
        let mut sizes: BTreeMap<u32, Vec<Known>> = BTreeMap::new();
        for pack in known.iter().filter(|k| k.found.bytes < MERGED_MOST) {
            let size = (pack.found.bytes >> 13).max(1).ilog2() / fan.ilog2();
            sizes.entry(size).or_default().push(*pack);
        }
        let mut chosen = sizes.into_values().find(|packs| packs.len() >= fan)?;
        // All of it is in memory meanwhile.
        let mut bytes = 0;
        chosen.retain(|pack| {
            bytes += pack.found.bytes;
            bytes <= MERGED_MOST
        });
        (chosen.len() > 1).then_some(chosen)
    }
}

impl Workspace {
    /// Counts a pack that was just written.
    pub(super) fn note_pack(&self, pack: &Pack, epoch: u64) {
        self.note_found(Found { name: pack.name, bytes: pack.pack.len() as u64 }, Some(epoch));
    }

    /// Counts a pack; `epoch` is the journal's that has all of it, `None` for one that is synced.
    pub(super) fn note_found(&self, pack: Found, epoch: Option<u64>) {
        let mut packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match packs.known.take() {
            Some(known) => Ok(known),
            None => packfile::list(&packfile::folder(&self.git_dir)).map(|found| {
                let others = found.into_iter().filter(|f| f.name != pack.name);
                others.map(|found| Known { found, epoch: None }).collect()
            }),
        };
        match known {
            Ok(mut known) => {
                known.push(Known { found: pack, epoch });
                packs.known = Some(known);
                if packs.to_merge(BUSY).is_some() {
                    self.core.upkeep.wake();
                }
            }
            Err(error) => tracing::warn!(%error, "cannot list packs"),
        }
    }

    /// Merges what is worth it when nobody waits.
    fn merge_all(&self) -> Result<(), Error> {
        while self.merge_packs(QUIET)? {}
        Ok(())
    }

    /// Merges packs of one size when there are so many; says whether there were.
    pub(super) fn merge_packs(&self, fan: usize) -> Result<bool, Error> {
        let _one = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let journal = &self.core.journal;
        // No checkpoint in between: what the journal holds now it still holds at the end.
        let _guard = journal.enter();
        let epoch = journal.epoch();
        let chosen = self.packs.lock().unwrap_or_else(PoisonError::into_inner).to_merge(fan);
        let Some(chosen) = chosen else { return Ok(false) };
        let folder = packfile::folder(&self.git_dir);
        let merged = chosen
            .iter()
            .map(|k| packfile::read(&folder, k.found.name))
            .collect::<Result<Vec<_>, _>>()
            .and_then(|packs| consolidate::merge(&packs));
        let merged = match merged {
            Ok(merged) => merged,
            Err(error) => {
                // Somebody else repacked: look again at the next write.
                self.packs.lock().unwrap_or_else(PoisonError::into_inner).known = None;
                self.objects.reopen();
                return Err(error);
            }
        };
        let in_journal = chosen.iter().all(|k| k.epoch == Some(epoch));
        if in_journal {
            packfile::write(&folder, &merged)?;
        } else {
            packfile::write_synced(&folder, &merged)?;
        }
        let mut packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &mut packs.known {
            known.retain(|k| !chosen.iter().any(|c| c.found.name == k.found.name));
            let found = Found { name: merged.name, bytes: merged.pack.len() as u64 };
            known.push(Known { found, epoch: in_journal.then_some(epoch) });
        }
        drop(packs);
        for known in chosen.iter().filter(|k| k.found.name != merged.name) {
            packfile::remove(&folder, known.found.name);
        }
        self.objects.reopen();
        Ok(true)
    }
}

/// Wakes the upkeep thread.
#[derive(Default)]
pub(super) struct Bell {
    state: Mutex<Rung>,
    rang: Condvar,
}

#[derive(Default)]
struct Rung {
    call: bool,
    stop: bool,
}

impl Bell {
    pub(super) fn wake(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).call = true;
        self.rang.notify_one();
    }

    pub(super) fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.rang.notify_one();
    }

    /// Waits for a call, but not longer than `most`; false when it is time to stop.
    fn wait(&self, most: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.rang.wait_timeout_while(state, most, |rung| !rung.call && !rung.stop);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.call = false;
        !state.stop
    }
}

/// The upkeep thread.
pub(super) fn run(shared: &Shared) {
    let bell = &shared.core.upkeep;
    let mut pause = PAUSE;
    let mut rested = Instant::now();
    empty_trash(shared);
    while bell.wait(pause) {
        pause = PAUSE;
        let rest = rested.elapsed() >= REST;
        let workspaces = shared.workspaces();
        for workspace in &workspaces {
            if let Some(wait) = workspace.index.due() {
                if wait.is_zero() {
                    report(workspace, workspace.flush_index());
                } else {
                    pause = pause.min(wait.max(Duration::from_millis(1)));
                }
            }
            report(workspace, workspace.merge_packs(BUSY).map(drop));
            if rest {
                workspace.objects.rest();
                workspace.index.rest();
            }
        }
        if rest {
            rested = Instant::now();
        }
        if shared.core.journal.is_half_full()
            && let Err(error) = shared.core.journal.checkpoint()
        {
            tracing::error!(%error, "cannot checkpoint");
        }
        if shared.core.journal.idle().is_some_and(|idle| idle >= shared.core.options.idle) {
            for workspace in &workspaces {
                // Before the checkpoint: what the journal still has needs no sync.
                report(workspace, workspace.merge_all());
            }
            settle(&shared.core.journal, &workspaces);
            empty_trash(shared);
        }
    }
}

/// Notes generations for the next start and checkpoints.
pub(super) fn settle(journal: &super::journal::Journal, workspaces: &[Arc<Workspace>]) {
    for workspace in workspaces {
        workspace.keep_hint();
    }
    if let Err(error) = journal.checkpoint() {
        tracing::error!(%error, "cannot checkpoint");
    }
}

fn report(workspace: &Workspace, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(workspace.name = %workspace.name(), %error, "upkeep failed");
    }
}

fn empty_trash(shared: &Shared) {
    let trash = shared.core.layout.trash();
    let Ok(items) = fs::read_dir(&trash) else { return };
    for item in items.flatten() {
        if let Err(error) = fs::remove_dir_all(item.path()) {
            tracing::warn!(%error, "cannot empty the trash");
        }
    }
}

impl Workspace {
    /// Keeps what a start would have to count.
    pub(super) fn keep_hint(&self) {
        let head = self.tip();
        let facts = history::Facts { root: self.root(), generation: head.generation };
        history::write_hint(&self.git_dir, &facts, head.commit, history::read_hint(&self.git_dir));
    }
}
