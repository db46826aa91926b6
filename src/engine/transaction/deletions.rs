//! What deletions leave behind.

use std::sync::Arc;

use super::super::error::Error;
use super::super::judgement::Document;
use super::{Applied, Transaction, candidate};
use crate::resource::key::FilePath;
use crate::resource::kind::{Kind, OnDelete};
use crate::resource::row::Row;
use crate::store::Tip;

impl Transaction<'_> {
    /// Looks at what the deletions leave behind, once all changes are staged: deletes what goes with
    /// them, refuses when others still link to what is gone.
    pub(in crate::engine) fn settle(&mut self, tip: &mut Tip<'_>) -> Result<(), Error> {
        let mut refused = Vec::new();
        while let Some((kind, row)) = self.deleted.pop() {
            for (referrer, on_delete) in self.reader.referring(&kind, &row)? {
                let is_written = self.applied.iter().any(|a| a.etag.is_some() && a.path.as_str() == &*referrer.path);
                if is_written || self.removed.contains(&referrer.path) {
                    continue;
                }
                match on_delete {
                    OnDelete::Cascade => {
                        let path = FilePath::parse(&referrer.path)?;
                        let kind = self.kinds.by_name(&referrer.kind).cloned();
                        let document = self.read(tip, &path, kind.as_ref())?;
                        self.delete(tip, path, kind, document.as_ref())?;
                    }
                    OnDelete::Refuse => refused.push(candidate(&referrer)),
                }
            }
            if let Some(writer) = self.applied.iter().find(|applied| self.points_at(applied, &kind, &row)) {
                return Err(Error::Conflict(format!(
                    "{} links to {}, which this commit deletes",
                    writer.path, row.path
                )));
            }
        }
        if refused.is_empty() { Ok(()) } else { Err(Error::Referenced(refused)) }
    }

    /// A document that goes with another one, for what its deletion is called.
    fn read(&self, tip: &mut Tip<'_>, path: &FilePath, kind: Option<&Arc<Kind>>) -> Result<Option<Document>, Error> {
        let (Some(kind), Some((_, bytes))) = (kind, tip.blob(path)?) else { return Ok(None) };
        let generation = self.judge.engine.generation(&self.judge.workspace, kind);
        Document::read(&self.judge.engine, kind, generation, path, &bytes).map(Some)
    }

    /// Whether a document as this commit leaves it links to a row.
    fn points_at(&self, applied: &Applied, kind: &Kind, row: &Row) -> bool {
        let (Some(source), Some(content), Some(_)) = (&applied.kind, &applied.content, applied.etag) else {
            return false;
        };
        let mut links = self.kinds.referrers_of(&kind.name).filter(|(from, _)| from.name == source.name).peekable();
        if links.peek().is_none() {
            return false;
        }
        let captures = source.captures_of(applied.path.as_str()).unwrap_or_default();
        let value = content.value().unwrap_or_default();
        links.any(|(_, link)| link.keys(&captures, &value).iter().any(|key| link.admits(&key.meaning, row)))
    }
}
