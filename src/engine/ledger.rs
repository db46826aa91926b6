//! What a run of commits makes of the documents that it touches: their ids, times and history.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Engine, Error};
use crate::resource::etag::Etag;
use crate::resource::key::DocumentId;
use crate::resource::kind::Kinds;
use crate::resource::row::{Moment, Touch};
use crate::store::{Committed, Workspace};

/// What survives a document's changes of content.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) id: DocumentId,
    pub(super) created: Moment,
    pub(super) updated: Moment,
    pub(super) etag: Etag,
}

/// The state of the documents that a run of commits touches.
pub(super) struct Ledger<'a> {
    engine: &'a Engine,
    workspace: &'a Workspace,
    pub(super) kinds: Arc<Kinds>,
    /// Start from nothing instead of from what the index knows.
    pub(super) fresh: bool,
    /// `None`: not a document any more.
    pub(super) lives: HashMap<Arc<str>, Option<Life>>,
    pub(super) touches: Vec<Touch>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(engine: &'a Engine, workspace: &'a Workspace, fresh: bool) -> Self {
        Ledger { engine, workspace, kinds: engine.kinds(), fresh, lives: HashMap::new(), touches: Vec::new() }
    }

    pub(super) fn take(&mut self, step: &Committed) -> Result<(), Error> {
        // Where documents went, before what became of their old places.
        let mut moved = Vec::new();
        for change in &step.changes {
            if let (Some(from), Some(_)) = (&change.moved_from, change.new) {
                moved.push((change.path.clone(), self.life(from)?));
                self.lives.insert(from.clone(), None);
            }
        }
        let gone = |path: &Arc<str>| step.changes.iter().any(|change| change.moved_from.as_ref() == Some(path));
        let kinds = self.kinds.clone();
        for change in &step.changes {
            let claimed = kinds.claim(&change.path);
            let Some(etag) = change.new else {
                if !gone(&change.path)
                    && let Some(life) = self.life(&change.path)?
                {
                    self.touch(&life.id, &change.path, step, true);
                    self.lives.insert(change.path.clone(), None);
                }
                continue;
            };
            let Some((kind, captures)) = claimed else { continue };
            let before = match moved.iter_mut().find(|(path, _)| *path == change.path) {
                Some((_, life)) => life.take(),
                None => self.life(&change.path)?,
            };
            let id = match (kind.has_given_id(), captures.get("id")) {
                (true, Some(id)) => DocumentId::Text(id.into()),
                _ => before.as_ref().map_or_else(
                    || DocumentId::derive(self.workspace.id(), &step.commit.to_string(), &change.path),
                    |life| life.id.clone(),
                ),
            };
            let created = before.map_or(step.at, |life| life.created);
            self.touch(&id, &change.path, step, false);
            self.lives.insert(change.path.clone(), Some(Life { id, created, updated: step.at, etag }));
        }
        Ok(())
    }

    /// The document at a path as of the commits taken so far.
    fn life(&self, path: &Arc<str>) -> Result<Option<Life>, Error> {
        if let Some(life) = self.lives.get(path) {
            return Ok(life.clone());
        }
        if self.fresh {
            return Ok(None);
        }
        let row = self.engine.index.row(self.workspace.name().as_str(), path)?;
        Ok(row.map(|row| Life {
            id: DocumentId::from_stored(&row.id),
            created: row.created,
            updated: row.updated,
            etag: row.etag,
        }))
    }

    fn touch(&mut self, id: &DocumentId, path: &Arc<str>, step: &Committed, deleted: bool) {
        self.touches.push(Touch {
            id: id.stored(),
            workspace: self.workspace.name().to_arc(),
            path: path.clone(),
            commit: step.commit.to_string().into(),
            at: step.at,
            deleted,
        });
    }
}
