//! The revisions of one document: list, read, compare.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::content::Content;
use super::{Error, Found, Reader};
use crate::resource::document::{self, Format};
use crate::resource::etag::Etag;
use crate::resource::row::Touch;
use crate::store::{self, CommitInfo};

/// Commits that touched a document, newest first.
#[derive(Debug)]
pub struct HistoryPage {
    pub entries: Vec<(Touch, CommitInfo)>,
    pub count: usize,
}

/// A document as of some commit.
#[derive(Debug)]
pub struct Revision {
    pub commit: Etag,
    /// When the document became what it is there, in seconds since 1970.
    pub at: i64,
    pub path: Arc<str>,
    pub etag: Etag,
    pub bytes: Bytes,
    pub content: Arc<Content>,
}

impl Reader {
    /// The commits that touched the document, under whatever name it had.
    pub fn history(&self, found: &Found, limit: usize, offset: usize) -> Result<HistoryPage, Error> {
        let row = &found.row;
        let (touches, count) = self.engine.index.history(&row.workspace, &row.id, limit, offset)?;
        let (workspace, _) = self.snapshot_of(row)?;
        let mut entries = Vec::with_capacity(touches.len());
        for touch in touches {
            let commit =
                Etag::parse(&touch.commit).ok_or_else(|| Error::NotFound(format!("commit {}", touch.commit)))?;
            entries.push((touch, workspace.commit(commit)?));
        }
        Ok(HistoryPage { entries, count })
    }

    /// The document as of a commit: an object id of 40 hex digits, or the start of one that touched it.
    pub fn revision(&self, found: &Found, at: &str) -> Result<Revision, Error> {
        let row = &found.row;
        let missing = || Error::NotFound(format!("revision {at:?} of {} {}", found.kind.name, row.path));
        if at.len() < 4 || !at.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Error::bad_request(format!("{at:?} is not a commit: give its id, at least 4 hex digits")));
        }
        let at = at.to_ascii_lowercase();
        let (workspace, _) = self.snapshot_of(row)?;
        let (touches, _) = self.engine.index.history(&row.workspace, &row.id, usize::MAX, 0)?;
        let commit = match Etag::parse(&at) {
            Some(commit) => commit,
            None => {
                let mut hits = touches.iter().filter(|touch| touch.commit.starts_with(&at));
                let first = hits.next().ok_or_else(missing)?;
                if hits.any(|other| other.commit != first.commit) {
                    return Err(Error::bad_request(format!(
                        "{at:?} is the start of several commits: give more digits"
                    )));
                }
                Etag::parse(&first.commit).ok_or_else(missing)?
            }
        };
        let hex = commit.to_string();
        let generation = match touches.iter().find(|touch| *touch.commit == *hex) {
            Some(touch) => touch.at.generation,
            None if workspace.contains(workspace.head(), commit)? => workspace.generation_of(commit)?,
            None => return Err(missing()),
        };
        let snapshot = workspace.snapshot(Some(commit))?;
        // The name it had then: that of the newest touch up to there.
        let mut earlier = touches.iter().filter(|touch| touch.at.generation <= generation);
        let (touch, entry) = loop {
            let touch = earlier.next().ok_or_else(missing)?;
            if let Some(entry) = snapshot.entry(&touch.path)? {
                break (touch, entry);
            }
        };
        let bytes = snapshot.blob(entry.etag)?;
        let generation = self.engine.generation(&workspace, &found.kind);
        let content = self.engine.contents.of(&found.kind, generation, &touch.path, entry.etag, &bytes);
        Ok(Revision { commit, at: touch.at.seconds, path: touch.path.clone(), etag: entry.etag, bytes, content })
    }

    /// What changed between two revisions: unified text.
    pub fn unified(&self, from: &Revision, to: &Revision) -> Result<String, Error> {
        Ok(store::unified(Some(&from.bytes), Some(&to.bytes), &to.path)?)
    }

    /// What changed between two revisions, as a JSON Patch (RFC 6902) from the one to the other.
    pub fn structural(&self, from: &Revision, to: &Revision) -> Value {
        let value = |revision: &Revision| {
            let format = Format::of(&revision.path).unwrap_or(Format::Yaml);
            document::parse(format, &revision.bytes).unwrap_or_default()
        };
        serde_json::to_value(json_patch::diff(&value(from), &value(to))).unwrap_or_default()
    }
}
