//! [`Index`]: the face of this layer.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use super::open::{self, Opened};
use super::recent::{Change, Live};
use super::schema;
use super::segment::{self, Address, View};
use super::writer::{Committer, FULL, Shared, lock};
use super::{Error, search, text};
use crate::resource::query::{Filter, Place, Query};
use crate::resource::row::{Column, Row, Touch, Value};

/// The commit of a workspace that the index knows all of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Hex.
    pub commit: Arc<str>,
    pub generation: u32,
}

/// What changed in one workspace up to a head.
#[derive(Debug, Clone)]
pub struct Batch {
    pub workspace: Arc<str>,
    pub head: Head,
    /// Forget everything of the workspace first.
    pub reset: bool,
    /// Rows that are new or replace those at their address, each with its full text.
    pub upserts: Vec<(Row, String)>,
    /// Paths whose rows go away, unless one of `upserts` has that path.
    pub removes: Vec<Arc<str>>,
    /// Each touch comes once, ever, or again after a reset.
    pub touches: Vec<Touch>,
}

/// An answer to a [`Query`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    pub rows: Vec<Arc<Row>>,
    /// How many rows fulfil the query, whatever its limit, offset and `after`.
    pub count: usize,
    /// For each column asked for: how many of these rows have each value, most frequent first,
    /// then by value.
    pub facets: Vec<Vec<(Value, usize)>>,
    /// The place of the last row when more follow; never when ordered by relevance.
    pub next: Option<Place>,
}

/// How many documents of one kind a workspace has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindCount {
    pub kind: Arc<str>,
    pub documents: usize,
    /// Those that have violations.
    pub violating: usize,
}

/// The index of all workspaces. Share it by `Arc`.
pub struct Index {
    pub(super) shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Index {
    /// Opens the index in `dir`, without one an index in memory.
    ///
    /// An index with another fingerprint, of another version of this module, or one that is
    /// damaged is emptied: [`Index::heads`] then knows no workspace.
    pub fn open(dir: Option<&Path>, fingerprint: &str) -> Result<Index, Error> {
        let Opened { fields, reader, writer, payload } = open::open(dir, fingerprint)?;
        let view = Arc::new(View::open(reader.searcher(), &fields, None)?);
        let head = |(workspace, (commit, generation))| (workspace, Head { commit, generation });
        let heads = payload.heads.into_iter().map(head).collect();
        let live = Live::new(view, heads)?;
        let shared = Arc::new(Shared::new(fields, &payload.fingerprint, reader, segment::row_cache(), live));
        let committer = Committer::new(shared.clone(), writer);
        let thread = std::thread::Builder::new()
            .name("index-commit".into())
            .spawn(move || committer.run())
            .map_err(|error| Error::Open(error.into()))?;
        Ok(Index { shared, thread: Some(thread) })
    }

    /// Per workspace what the index knows all of: what is durable and what was applied since.
    pub fn heads(&self) -> HashMap<Arc<str>, Head> {
        self.shared.read().heads.clone()
    }

    /// What is applied from now on is made by other kinds; the caller applies everything anew.
    /// [`Index::flush`] makes it durable, as it does what was applied.
    pub fn set_fingerprint(&self, fingerprint: &str) {
        *lock(&self.shared.fingerprint) = open::versioned(fingerprint);
        let mut live = self.shared.write();
        live.sequence += 1;
        self.shared.announce(live.sequence, 1);
    }

    /// As [`Index::heads`], of one workspace.
    pub fn head(&self, workspace: &str) -> Option<Head> {
        self.shared.read().heads.get(workspace).cloned()
    }

    /// Takes in a change; every later call sees it.
    ///
    /// Quick for a few documents. Waits for a commit when very many are not committed yet, and for
    /// the batch's own commit when it is that large itself (it then shows all at once); the whole
    /// batch is in memory meanwhile.
    pub fn apply(&self, batch: Batch) -> Result<(), Error> {
        let shared = &*self.shared;
        let size = batch.upserts.len() + batch.removes.len() + batch.touches.len();
        if size >= FULL / 2 {
            return self.apply_many(batch, size);
        }
        if shared.read().recent.len() + size > FULL {
            shared.flush()?;
        }
        let _applying = lock(&shared.applying);
        let removes: HashSet<&Arc<str>> = removed_paths(&batch);
        let find = |path: &str| self.committed(&batch, path);
        let removed =
            removes.into_iter().map(|path| Ok((path.clone(), find(path)?))).collect::<Result<Vec<_>, Error>>()?;
        let found = batch.upserts.iter().map(|(row, _)| find(&row.path)).collect::<Result<Vec<_>, _>>()?;
        let forgotten = if batch.reset { self.shared.read().view.workspace(&batch.workspace)? } else { Vec::new() };

        let mut live = shared.write();
        let live = &mut *live;
        live.sequence += 1;
        let sequence = live.sequence;
        let hidden = Arc::make_mut(&mut live.hidden);
        if batch.reset {
            live.recent.reset(sequence, &batch.workspace);
            hidden.add_all(forgotten);
            live.delete_workspace(&batch.workspace);
        }
        let hidden = Arc::make_mut(&mut live.hidden);
        for (path, address) in removed {
            if address.is_some() || live.recent.get(&batch.workspace, &path).is_some() {
                live.changes.push(Change::Delete(schema::key_term(&batch.workspace, &path)));
            }
            if let Some(address) = address {
                hidden.add(address);
            }
            live.recent.set(sequence, &batch.workspace, &path, None);
        }
        for ((row, text), address) in batch.upserts.into_iter().zip(found) {
            if address.is_some() || live.recent.get(&row.workspace, &row.path).is_some() {
                live.changes.push(Change::Delete(schema::key_term(&row.workspace, &row.path)));
            }
            if let Some(address) = address {
                hidden.add(address);
            }
            let row = Arc::new(row);
            live.recent.set(sequence, &row.workspace, &row.path, Some(row.clone()));
            live.changes.push(Change::Row(row, text));
        }
        for touch in batch.touches {
            live.recent.touch(sequence, touch.clone());
            live.changes.push(Change::Touch(touch));
        }
        live.heads.insert(batch.workspace, batch.head);
        shared.announce(sequence, size);
        Ok(())
    }

    /// Takes in a change too large for the recent layer: it shows with its commit.
    fn apply_many(&self, batch: Batch, size: usize) -> Result<(), Error> {
        let shared = &*self.shared;
        let sequence = {
            let _applying = lock(&shared.applying);
            let mut changes = Vec::with_capacity(size);
            {
                let live = shared.read();
                let exists = |path: &str| -> Result<bool, Error> {
                    Ok(!batch.reset
                        && (live.recent.get(&batch.workspace, path).is_some()
                            || live.view.find(&batch.workspace, path, &live.unfinished)?.is_some()))
                };
                for path in removed_paths(&batch) {
                    if exists(path)? {
                        changes.push(Change::Delete(schema::key_term(&batch.workspace, path)));
                    }
                }
                for (row, _) in &batch.upserts {
                    if exists(&row.path)? {
                        changes.push(Change::Delete(schema::key_term(&batch.workspace, &row.path)));
                    }
                }
            }
            // Of a path given twice only the last row counts.
            let mut seen = HashSet::with_capacity(batch.upserts.len());
            let last: Vec<bool> = batch.upserts.iter().rev().map(|(row, _)| seen.insert(row.path.clone())).collect();
            for ((row, text), last) in batch.upserts.into_iter().zip(last.into_iter().rev()) {
                if last {
                    changes.push(Change::Row(Arc::new(row), text));
                }
            }
            changes.extend(batch.touches.into_iter().map(Change::Touch));
            let mut live = shared.write();
            live.sequence += 1;
            if batch.reset {
                live.delete_workspace(&batch.workspace);
            }
            live.changes.append(&mut changes);
            live.heads.insert(batch.workspace, batch.head);
            shared.announce(live.sequence, size);
            live.sequence
        };
        shared.wait_for(sequence)
    }

    /// Where the commit that is loaded has a document, unless the batch forgets it anyway.
    fn committed(&self, batch: &Batch, path: &str) -> Result<Option<Address>, Error> {
        if batch.reset {
            return Ok(None);
        }
        let live = self.shared.read();
        live.view.find(&batch.workspace, path, &live.unfinished)
    }

    /// Forgets a workspace, its head too.
    pub fn forget(&self, workspace: &str) -> Result<(), Error> {
        let shared = &*self.shared;
        let _applying = lock(&shared.applying);
        let forgotten = shared.read().view.workspace(workspace)?;
        let mut live = shared.write();
        live.sequence += 1;
        let sequence = live.sequence;
        live.recent.reset(sequence, &workspace.into());
        Arc::make_mut(&mut live.hidden).add_all(forgotten);
        live.delete_workspace(workspace);
        live.heads.remove(workspace);
        shared.announce(sequence, 1);
        Ok(())
    }

    /// Blocks until everything applied before is durable. Concurrent callers share one commit.
    pub fn flush(&self) -> Result<(), Error> {
        self.shared.flush()
    }

    /// Answers a query.
    ///
    /// With a text this commits first what is recent: relevance needs the whole corpus.
    pub fn search(&self, query: &Query) -> Result<Page, Error> {
        search::search(&self.shared, query)
    }

    /// The rows of a kind with this stored id, by workspace and path.
    pub fn rows_by_id(&self, kind: &str, id: &str) -> Result<Vec<Arc<Row>>, Error> {
        let (view, hidden, mut rows) = {
            let live = self.shared.read();
            (live.view.clone(), live.hidden.clone(), live.recent.rows_by_id(id).to_vec())
        };
        let term = schema::text_term(Column::Id, id);
        for (at, part) in view.parts.iter().enumerate() {
            for document in part.segment.documents_of(&term)? {
                if part.is_alive(document) && !hidden.contains((at, document)) {
                    rows.push(part.segment.row(document, &self.shared.rows)?);
                }
            }
        }
        // Long ids share terms with a few others.
        rows.retain(|row| &*row.kind == kind && &*row.id == id);
        rows.sort_unstable_by(|a, b| (&a.workspace, &a.path).cmp(&(&b.workspace, &b.path)));
        Ok(rows)
    }

    /// The row at an address.
    pub fn row(&self, workspace: &str, path: &str) -> Result<Option<Arc<Row>>, Error> {
        let (view, hidden) = {
            let live = self.shared.read();
            if let Some(known) = live.recent.get(workspace, path) {
                return Ok(known.cloned());
            }
            (live.view.clone(), live.hidden.clone())
        };
        match view.find(workspace, path, &hidden)? {
            Some((part, document)) => Ok(Some(view.parts[part].segment.row(document, &self.shared.rows)?)),
            None => Ok(None),
        }
    }

    /// The touches of a document, newest first, and how many there are in all.
    pub fn history(
        &self,
        workspace: &str,
        id: &str,
        limit: usize,
        offset: usize,
    ) -> Result<(Vec<Touch>, usize), Error> {
        let (view, hidden, recent) = {
            let live = self.shared.read();
            let recent: Vec<Touch> = live.recent.touches(workspace, id).cloned().collect();
            (live.view.clone(), live.hidden.clone(), recent)
        };
        // Generation, and where the touch is: in a part or (`None`) among the recent ones.
        let mut all: Vec<(u32, Option<usize>, u32)> =
            (0..).zip(&recent).map(|(at, touch)| (touch.at.generation, None, at)).collect();
        let term = schema::touch_term(workspace, id);
        for (at, part) in view.parts.iter().enumerate() {
            let documents = part.segment.documents_of(&term)?;
            let Some(generations) = part.segment.touch_generations()?.filter(|_| !documents.is_empty()) else {
                continue;
            };
            for document in documents {
                if part.is_alive(document) && !hidden.contains((at, document)) {
                    all.push((generations.first(document).unwrap_or(0) as u32, Some(at), document));
                }
            }
        }
        let count = all.len();
        all.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.0));
        // Only what can be on the page is read: touches of one generation are ordered by more.
        let start = offset.min(count);
        let end = offset.saturating_add(limit).min(count);
        if start == end {
            return Ok((Vec::new(), count));
        }
        let (newest, oldest) = (all[start].0, all[end - 1].0);
        let from = all.partition_point(|entry| entry.0 > newest);
        let to = all.partition_point(|entry| entry.0 >= oldest);
        let mut touches = all[from..to]
            .iter()
            .map(|(_, part, at)| match part {
                Some(part) => view.parts[*part].segment.touch(*at),
                None => Ok(recent[*at as usize].clone()),
            })
            .collect::<Result<Vec<_>, _>>()?;
        touches.sort_by(|a, b| {
            (b.at.generation, b.at.seconds)
                .cmp(&(a.at.generation, a.at.seconds))
                .then_with(|| (&a.commit, &a.path, a.deleted).cmp(&(&b.commit, &b.path, b.deleted)))
        });
        Ok((touches.drain(start - from..end - from).collect(), count))
    }

    /// Whether a text to search for holds any word; without one it would find everything.
    pub fn has_words(query_text: &str) -> bool {
        text::has_words(query_text)
    }

    /// The part of `text` that answers a query's words best: HTML, escaped, hits in `<b>`.
    pub fn snippet(&self, query_text: &str, text: &str) -> Option<String> {
        text::snippet(query_text, text, self.shared.fields.words)
    }

    /// How many documents of each kind a workspace has, by kind.
    pub fn counts(&self, workspace: &str) -> Result<Vec<KindCount>, Error> {
        let workspace = Filter::in_workspace(workspace.into());
        let violating = Filter::Between(Column::Violations, Some(Value::Number(1)), None);
        let mut counts: HashMap<Value, (usize, usize)> = HashMap::new();
        for (filter, all) in [(workspace.clone(), true), (Filter::All(vec![workspace, violating]), false)] {
            let page = self.search(&Query { filter, limit: 0, facets: vec![Column::Kind], ..Query::default() })?;
            for (kind, count) in page.facets.into_iter().flatten() {
                let entry = counts.entry(kind).or_default();
                *(if all { &mut entry.0 } else { &mut entry.1 }) = count;
            }
        }
        let mut counts: Vec<KindCount> = counts
            .into_iter()
            .filter_map(|(kind, (documents, violating))| match kind {
                Value::Text(kind) => Some(KindCount { kind, documents, violating }),
                Value::Number(_) => None,
            })
            .collect();
        counts.sort_unstable_by(|a, b| a.kind.cmp(&b.kind));
        Ok(counts)
    }
}

fn removed_paths(batch: &Batch) -> HashSet<&Arc<str>> {
    let mut paths: HashSet<&Arc<str>> = batch.removes.iter().collect();
    for (row, _) in &batch.upserts {
        paths.remove(&row.path);
    }
    paths
}

impl Drop for Index {
    /// Commits what is recent, so that the next start has nothing to do.
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
