//! The one road for what already happened: commits become rows of the index. Idempotent.
//!
//! Our own writes arrive here from the workspace's writer, others' commits from a comparison of
//! heads; a rebuild is the same walk from the first commit on.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Engine;
use super::error::Error;
use super::ledger::{Ledger, Life};
use crate::base::blocking;
use crate::index::{Batch, Head};
use crate::resource::etag::Etag;
use crate::resource::key::DocumentId;
use crate::resource::kind::{Captures, Kind, Kinds};
use crate::resource::query::{Filter, Query};
use crate::resource::row::{Column, Row, Value};
use crate::store::{self, Committed, Workspace};

/// Documents handed to the index at once, so that memory stays bounded.
const CHUNK: usize = 1_000;
impl Engine {
    /// Hears of every group of commits that a workspace's writer made, before they are acknowledged.
    pub(super) fn listen(self: &Arc<Self>) {
        let engine = Arc::downgrade(self);
        self.store.set_publisher(move |workspace, steps| {
            let Some(engine) = engine.upgrade() else { return };
            if let Err(error) = engine.absorb(workspace, steps) {
                // Git has it; the next start compares heads and catches up.
                tracing::error!(?error, workspace.name = %workspace.name(), "a commit did not reach the index");
            }
        });
        let engine = Arc::downgrade(self);
        self.store.set_absorber(move |workspace, _, _| {
            let Some(engine) = engine.upgrade() else { return };
            if let Err(error) = engine.compare(workspace) {
                tracing::error!(?error, workspace.name = %workspace.name(), "commits from outside did not reach the index");
            }
        });
    }

    /// Takes in the next commits of a workspace.
    fn absorb(&self, workspace: &Arc<Workspace>, steps: &[Arc<Committed>]) -> Result<(), Error> {
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Ok(()) };
        let known = self.index.head(workspace.name().as_str());
        if known.as_ref().and_then(|head| Etag::parse(&head.commit)) != first.parent {
            // Something before these did not get there: compare instead of skipping it.
            return self.compare(workspace);
        }
        self.take_in(workspace, steps, last)
    }

    fn take_in(&self, workspace: &Arc<Workspace>, steps: &[Arc<Committed>], last: &Committed) -> Result<(), Error> {
        let mut ledger = Ledger::new(self, workspace, false);
        for step in steps {
            ledger.take(step)?;
        }
        self.settle(workspace, ledger, head(last.commit, last.at.generation))?;
        self.select_again(workspace, steps)
    }

    /// Takes in whatever lies between the index's head and the workspace's.
    pub(super) fn compare(&self, workspace: &Arc<Workspace>) -> Result<(), Error> {
        let known = self.index.head(workspace.name().as_str());
        let now = workspace.head();
        let Some(known) = known else { return self.absorb_new(workspace) };
        if *known.commit == *now.to_string() {
            return Ok(());
        }
        let from = match Etag::parse(&known.commit) {
            Some(from) if workspace.contains(now, from)? => from,
            _ => return self.absorb_new(workspace),
        };
        let mut steps = Vec::new();
        store::walk(workspace, Some(from), now, |step| {
            steps.push(Arc::new(step));
            Ok::<_, Error>(())
        })?;
        match steps.last() {
            Some(last) => self.take_in(workspace, &steps, last),
            None => Ok(()),
        }
    }

    /// Takes in a whole workspace from its first commit on.
    pub(super) fn absorb_new(&self, workspace: &Arc<Workspace>) -> Result<(), Error> {
        self.selections.forget(workspace.name().as_str());
        let mut ledger = Ledger::new(self, workspace, true);
        let now = workspace.head();
        let mut generation = 0;
        store::walk(workspace, None, now, |step| {
            generation = step.at.generation;
            ledger.take(&step)
        })?;
        self.settle(workspace, ledger, head(now, generation))
    }

    /// Compares every workspace's head with the index; drops what is no more.
    pub(super) fn catch_up(&self) -> Result<(), Error> {
        let workspaces = self.store.workspaces();
        let names: HashSet<&str> = workspaces.iter().map(|workspace| workspace.name().as_str()).collect();
        for name in self.index.heads().into_keys() {
            if !names.contains(&*name) {
                self.index.forget(&name)?;
            }
        }
        for workspace in &workspaces {
            self.compare(workspace)?;
        }
        Ok(())
    }

    /// Builds the index anew from git.
    pub async fn reindex(self: &Arc<Self>) -> Result<(), Error> {
        for workspace in self.store.workspaces() {
            let engine = self.clone();
            // In the writer's turn, so that no commit comes in between.
            workspace.exclusive(move |workspace| engine.absorb_new(workspace)).await??;
        }
        self.index.set_fingerprint(&self.kinds().fingerprint());
        let index = self.index.clone();
        blocking::run(move || index.flush()).await?;
        Ok(())
    }

    /// Hands the ledger's outcome to the index. A workspace that is indexed anew shows as a whole.
    fn settle(&self, workspace: &Arc<Workspace>, ledger: Ledger<'_>, head: Head) -> Result<(), Error> {
        let Ledger { kinds, lives, mut touches, fresh, .. } = ledger;
        let mut removes = Vec::new();
        let mut alive = Vec::new();
        for (path, life) in lives {
            match life {
                Some(life) => alive.push((path, life)),
                None => removes.push(path),
            }
        }
        // As commits wrote them, which is how they lie in packs.
        alive.sort_unstable_by_key(|(_, life)| life.updated.generation);
        let rows = |lives: &[(Arc<str>, Life)]| self.rows(workspace, &kinds, lives);
        if fresh && alive.len() <= CHUNK {
            // In one step, before the index commits.
            let whole = Batch { reset: true, upserts: rows(&alive)?, touches, ..batch(workspace, head) };
            return Ok(self.index.apply(whole)?);
        }
        if fresh {
            let rebuild = self.index.rebuild(workspace.name().to_arc())?;
            each_chunk(&alive, |chunk| Ok(rebuild.add(&rows(chunk)?, &[])?))?;
            for chunk in touches.chunks(CHUNK) {
                rebuild.add(&[], chunk)?;
            }
            return Ok(rebuild.finish(head)?);
        }
        // All but the last chunk leave the head where it is: a stop in between starts over from there.
        let before = self.index.head(workspace.name().as_str()).unwrap_or_else(nowhere);
        let (most, last) = alive.split_at(alive.len().saturating_sub(1) / CHUNK * CHUNK);
        let piece = |batch: Batch| Ok(self.index.apply(batch)?);
        each_chunk(most, |chunk| piece(Batch { upserts: rows(chunk)?, ..batch(workspace, before.clone()) }))?;
        if !most.is_empty() {
            for chunk in touches.split_off(touches.len().min(CHUNK)).chunks(CHUNK * 10) {
                piece(Batch { touches: chunk.to_vec(), ..batch(workspace, before.clone()) })?;
            }
        }
        piece(Batch { upserts: rows(last)?, removes, touches, ..batch(workspace, head) })
    }

    /// Rows and full texts of documents as they are stored now.
    fn rows(
        &self,
        workspace: &Arc<Workspace>,
        kinds: &Kinds,
        lives: &[(Arc<str>, Life)],
    ) -> Result<Vec<(Row, String)>, Error> {
        let snapshot = workspace.snapshot(None)?;
        let mut rows = Vec::with_capacity(lives.len());
        for (path, life) in lives {
            let Some((kind, captures)) = kinds.claim(path) else { continue };
            let bytes = snapshot.blob(life.etag)?;
            rows.push(self.row(workspace, kind, &captures, path, life, &bytes));
        }
        Ok(rows)
    }

    fn row(
        &self,
        workspace: &Arc<Workspace>,
        kind: &Arc<Kind>,
        captures: &Captures,
        path: &Arc<str>,
        life: &Life,
        bytes: &[u8],
    ) -> (Row, String) {
        let generation = self.generation(workspace, kind);
        let content = self.contents.of(kind, generation, path, life.etag, bytes);
        let value = content.value().unwrap_or_default();
        let values = kind.values(captures, &value);
        let row = Row {
            kind: kind.name.clone(),
            workspace: workspace.name().to_arc(),
            path: path.clone(),
            id: life.id.stored(),
            etag: life.etag,
            created: life.created,
            updated: life.updated,
            violations: content.violations.len() as u32,
            texts: values.texts,
            numbers: values.numbers,
        };
        (row, kind.full_text(&value))
    }

    /// When a commit changed the file that selects schemas, all documents that it selects for are
    /// judged again.
    fn select_again(&self, workspace: &Arc<Workspace>, steps: &[Arc<Committed>]) -> Result<(), Error> {
        let kinds = self.kinds();
        let changed = |file: &str| steps.iter().flat_map(|step| &step.changes).any(|change| &*change.path == file);
        let concerned: Vec<_> =
            kinds.iter().filter(|kind| kind.select.as_ref().is_some_and(|s| changed(s.file.as_str()))).collect();
        if concerned.is_empty() {
            return Ok(());
        }
        self.selections.forget(workspace.name().as_str());
        let mut ledger = Ledger::new(self, workspace, false);
        for kind in concerned {
            let mut query = Query {
                filter: Filter::All(vec![
                    Filter::In(Column::Kind, vec![Value::Text(kind.name.clone())]),
                    Filter::in_workspace(workspace.name().to_arc()),
                ]),
                limit: CHUNK,
                ..Query::default()
            };
            loop {
                let page = self.index.search(&query)?;
                for row in &page.rows {
                    let life = Life {
                        id: DocumentId::from_stored(&row.id),
                        created: row.created,
                        updated: row.updated,
                        etag: row.etag,
                    };
                    ledger.lives.insert(row.path.clone(), Some(life));
                }
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
        }
        let Some(head) = self.index.head(workspace.name().as_str()) else { return Ok(()) };
        self.settle(workspace, ledger, head)
    }
}

/// Works on all chunks, with several threads where there are many.
fn each_chunk(
    lives: &[(Arc<str>, Life)],
    work: impl Fn(&[(Arc<str>, Life)]) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let chunks: Vec<_> = lives.chunks(CHUNK).collect();
    let threads = if chunks.len() > 1 { std::thread::available_parallelism().map_or(2, usize::from) } else { 1 };
    let next = AtomicUsize::new(0);
    let take = || chunks.get(next.fetch_add(1, Ordering::Relaxed));
    std::thread::scope(|scope| {
        let running: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| std::iter::from_fn(take).try_for_each(|chunk| work(chunk)))).collect();
        running.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

fn head(commit: Etag, generation: u32) -> Head {
    Head { commit: commit.to_string().into(), generation }
}

/// The head of an index that covers nothing of a workspace yet.
fn nowhere() -> Head {
    Head { commit: "".into(), generation: 0 }
}

fn batch(workspace: &Workspace, head: Head) -> Batch {
    Batch {
        workspace: workspace.name().to_arc(),
        head,
        reset: false,
        upserts: Vec::new(),
        removes: Vec::new(),
        touches: Vec::new(),
    }
}
