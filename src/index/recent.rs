//! What was applied since the last commit, in memory.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::{DocId, TantivyDocument};

use super::handle::Head;
use super::rebuild::Mark;
use super::segment::{Address, View};
use super::{Error, schema};
use crate::resource::query::Filter;
use crate::resource::row::{Row, Touch};

/// Numbers what is applied, from 1 on.
pub(super) type Sequence = u64;

/// A row that replaces or, as `None`, removes what the commit holds at its address.
struct Entry {
    sequence: Sequence,
    row: Option<Arc<Row>>,
}

/// The rows, removals and touches since the last commit.
#[derive(Default)]
pub(super) struct Recent {
    /// By workspace and path.
    rows: HashMap<Arc<str>, HashMap<Arc<str>, Entry>>,
    /// The rows of each id.
    ids: HashMap<Arc<str>, Vec<Arc<Row>>>,
    /// Workspaces of which everything older was forgotten.
    resets: HashMap<Arc<str>, Sequence>,
    touches: Vec<(Sequence, Touch)>,
    entries: usize,
}

impl Recent {
    /// How many rows, removals and touches there are.
    pub(super) fn len(&self) -> usize {
        self.entries + self.touches.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.resets.is_empty()
    }

    /// Sets (`None`: removes) the row at an address.
    pub(super) fn set(&mut self, sequence: Sequence, workspace: &Arc<str>, path: &Arc<str>, row: Option<Arc<Row>>) {
        if let Some(row) = &row {
            self.ids.entry(row.id.clone()).or_default().push(row.clone());
        }
        let rows = self.rows.entry(workspace.clone()).or_default();
        match rows.insert(path.clone(), Entry { sequence, row }) {
            Some(before) => forget_id(&mut self.ids, before.row),
            None => self.entries += 1,
        }
    }

    /// Forgets a workspace.
    pub(super) fn reset(&mut self, sequence: Sequence, workspace: &Arc<str>) {
        for entry in self.rows.remove(workspace).into_iter().flat_map(HashMap::into_values) {
            self.entries -= 1;
            forget_id(&mut self.ids, entry.row);
        }
        self.touches.retain(|(_, touch)| touch.workspace != *workspace);
        self.resets.insert(workspace.clone(), sequence);
    }

    pub(super) fn touch(&mut self, sequence: Sequence, touch: Touch) {
        self.touches.push((sequence, touch));
    }

    /// Drops what a commit up to `sequence` holds.
    pub(super) fn forget(&mut self, sequence: Sequence) {
        for rows in self.rows.values_mut() {
            for (_, entry) in rows.extract_if(|_, entry| entry.sequence <= sequence) {
                forget_id(&mut self.ids, entry.row);
            }
        }
        self.rows.retain(|_, rows| !rows.is_empty());
        self.entries = self.rows.values().map(HashMap::len).sum();
        self.resets.retain(|_, reset| *reset > sequence);
        self.touches.retain(|(touched, _)| *touched > sequence);
    }

    /// What is known of an address: nothing, that there is no row any more, or the row.
    pub(super) fn get(&self, workspace: &str, path: &str) -> Option<Option<&Arc<Row>>> {
        Some(self.rows.get(workspace)?.get(path)?.row.as_ref())
    }

    /// The rows with this stored id, of any kind.
    pub(super) fn rows_by_id(&self, id: &str) -> &[Arc<Row>] {
        self.ids.get(id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.values().flat_map(HashMap::values).filter_map(|entry| entry.row.as_ref())
    }

    pub(super) fn matching(&self, filter: &Filter) -> Vec<Arc<Row>> {
        self.rows().filter(|row| filter.matches(row)).cloned().collect()
    }

    pub(super) fn touches<'a>(&'a self, workspace: &'a str, id: &'a str) -> impl Iterator<Item = &'a Touch> {
        self.touches
            .iter()
            .map(|(_, touch)| touch)
            .filter(move |touch| &*touch.workspace == workspace && &*touch.id == id)
    }
}

fn forget_id(ids: &mut HashMap<Arc<str>, Vec<Arc<Row>>>, row: Option<Arc<Row>>) {
    if let Some(row) = row
        && let Some(rows) = ids.get_mut(&row.id)
    {
        rows.retain(|other| !Arc::ptr_eq(other, &row));
        if rows.is_empty() {
            ids.remove(&row.id);
        }
    }
}

/// Per part of a view: the documents there that the recent layer hides, ascending.
#[derive(Clone, Default)]
pub(super) struct Hidden(Vec<Vec<DocId>>);

impl Hidden {
    /// What unfinished rebuilds have made so far.
    pub(super) fn unseen(view: &View, marks: &[Mark]) -> Result<Hidden, Error> {
        let mut hidden = Hidden(vec![Vec::new(); view.parts.len()]);
        for mark in marks {
            let term = schema::mark_term(*mark);
            for (part, documents) in view.parts.iter().zip(&mut hidden.0) {
                documents.extend(part.segment.documents_of(&term)?);
            }
        }
        hidden.add_all(Vec::new());
        Ok(hidden)
    }

    /// What a recent layer hides of a view besides what is unseen.
    pub(super) fn new(view: &View, recent: &Recent, after: Sequence, unseen: &Hidden) -> Result<Hidden, Error> {
        let mut hidden = unseen.clone();
        for (workspace, sequence) in &recent.resets {
            if *sequence > after {
                hidden.add_all(view.workspace(workspace)?);
            }
        }
        let mut addresses = Vec::new();
        for (workspace, rows) in &recent.rows {
            for (path, entry) in rows {
                if entry.sequence > after {
                    addresses.extend(view.find(workspace, path, unseen)?);
                }
            }
        }
        hidden.add_all(addresses);
        Ok(hidden)
    }

    pub(super) fn add(&mut self, (part, document): Address) {
        let documents = &mut self.0[part];
        if let Err(at) = documents.binary_search(&document) {
            documents.insert(at, document);
        }
    }

    pub(super) fn add_all(&mut self, addresses: Vec<Address>) {
        for (part, document) in addresses {
            self.0[part].push(document);
        }
        for documents in &mut self.0 {
            documents.sort_unstable();
            documents.dedup();
        }
    }

    pub(super) fn part(&self, part: usize) -> &[DocId] {
        self.0.get(part).map_or(&[], Vec::as_slice)
    }

    pub(super) fn contains(&self, (part, document): Address) -> bool {
        self.part(part).binary_search(&document).is_ok()
    }
}

/// What tantivy is still to be told.
pub(super) enum Change {
    /// Delete what has this term.
    Delete(Vec<u8>),
    Row(Arc<Row>, String),
    Touch(Touch),
    /// A document of a rebuild.
    Unseen(TantivyDocument),
    /// Delete what a workspace has without this mark.
    Exchange(Arc<str>, Mark),
}

/// Everything that readers see, and what the next commit will make durable of it.
pub(super) struct Live {
    pub(super) view: Arc<View>,
    pub(super) hidden: Arc<Hidden>,
    /// The part of it that rebuilds have made.
    pub(super) unfinished: Arc<Hidden>,
    /// The marks of unfinished rebuilds.
    pub(super) unseen: Vec<Mark>,
    pub(super) recent: Recent,
    pub(super) changes: Vec<Change>,
    pub(super) heads: HashMap<Arc<str>, Head>,
    pub(super) sequence: Sequence,
}

impl Live {
    /// Of an index that was opened just now.
    pub(super) fn new(view: Arc<View>, heads: HashMap<Arc<str>, Head>) -> Result<Self, Error> {
        let hidden = Arc::new(Hidden::unseen(&view, &[])?);
        Ok(Live {
            view,
            unfinished: hidden.clone(),
            hidden,
            unseen: Vec::new(),
            recent: Recent::default(),
            changes: Vec::new(),
            heads,
            sequence: 0,
        })
    }

    /// Tells tantivy to delete a whole workspace.
    pub(super) fn delete_workspace(&mut self, workspace: &str) {
        let column = crate::resource::row::Column::Workspace;
        self.changes.push(Change::Delete(schema::text_term(column, workspace)));
        self.changes.push(Change::Delete(schema::touch_workspace_term(workspace)));
    }
}
