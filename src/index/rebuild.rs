//! A workspace exchanged as a whole, however large it is.
//!
//! What a [`Rebuild`] is given is committed bit by bit, under a mark that keeps it out of sight. The
//! commit that ends it deletes what has no such mark and lifts the mark's meaning: readers see
//! everything old until they see everything new, and memory holds a few thousand documents.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tantivy::TantivyDocument;

use super::handle::{Head, Index};
use super::recent::Change;
use super::writer::{MANY, lock};
use super::{Error, schema};
use crate::base::random;
use crate::resource::row::{Row, Touch};

/// Tells the documents of one rebuild from all others, for ever.
pub(super) type Mark = u64;

/// The new state of a workspace on its way in. Dropped before [`Rebuild::finish`], it leaves the
/// old state. Nothing else may be applied to the workspace meanwhile.
pub struct Rebuild<'i> {
    index: &'i Index,
    workspace: Arc<str>,
    mark: Mark,
    /// Documents since somebody waited for a commit.
    waiting: AtomicUsize,
    finished: bool,
}

impl Index {
    /// Begins to index a workspace anew.
    pub fn rebuild(&self, workspace: Arc<str>) -> Result<Rebuild<'_>, Error> {
        let mark = u64::from_le_bytes(random::bytes());
        self.shared.write().unseen.push(mark);
        Ok(Rebuild { index: self, workspace, mark, waiting: AtomicUsize::new(0), finished: false })
    }
}

impl Rebuild<'_> {
    /// Takes in rows with their full texts, and touches; each once. Waits for a commit now and then.
    pub fn add(&self, rows: &[(Row, String)], touches: &[Touch]) -> Result<(), Error> {
        let shared = &*self.index.shared;
        let fields = &shared.fields;
        let rows = rows.iter().map(|(row, text)| fields.row_document(row, text));
        let touches = touches.iter().map(|touch| fields.touch_document(touch));
        let made: Vec<Change> = rows.chain(touches).map(|document| self.unseen(document)).collect();
        let count = made.len();
        let sequence = {
            let mut live = shared.write();
            live.sequence += 1;
            live.changes.extend(made);
            shared.announce(live.sequence, count);
            live.sequence
        };
        if self.waiting.fetch_add(count, Ordering::Relaxed) + count < MANY {
            return Ok(());
        }
        self.waiting.store(0, Ordering::Relaxed);
        shared.wait_for(sequence)
    }

    fn unseen(&self, mut document: TantivyDocument) -> Change {
        self.index.shared.fields.mark(&mut document, self.mark);
        Change::Unseen(document)
    }

    /// Shows the new state instead of the old one, up to this head. It is durable then.
    pub fn finish(mut self, head: Head) -> Result<(), Error> {
        let shared = &*self.index.shared;
        let sequence = {
            let _applying = lock(&shared.applying);
            let mut live = shared.write();
            live.sequence += 1;
            live.changes.push(Change::Exchange(self.workspace.clone(), self.mark));
            live.unseen.retain(|mark| *mark != self.mark);
            live.heads.insert(self.workspace.clone(), head);
            shared.announce(live.sequence, 1);
            live.sequence
        };
        self.finished = true;
        shared.wait_for(sequence)
    }
}

impl Drop for Rebuild<'_> {
    /// What was given up is deleted; its mark keeps it out of sight until then.
    fn drop(&mut self) {
        if !self.finished {
            let mut live = self.index.shared.write();
            live.sequence += 1;
            live.changes.push(Change::Delete(schema::mark_term(self.mark)));
            self.index.shared.announce(live.sequence, 1);
        }
    }
}
