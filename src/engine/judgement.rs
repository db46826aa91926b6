//! What a change would store and what is wrong with it.
//!
//! Reading and judging a large document takes longer than all the rest of a write. It is done on a
//! thread of its own before the workspace's writer takes the change; the writer only looks whether
//! what the judgement stands on is still so, and judges again what is not.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::content::{self, Content};
use super::transaction::{Change, Operation, Payload};
use super::{Engine, Error, patch, place, strict};
use crate::resource::document::{self, ParseError};
use crate::resource::etag::Etag;
use crate::resource::key::FilePath;
use crate::resource::kind::{Kind, Unique};
use crate::resource::query::Filter;
use crate::store::{self, Snapshot, Workspace};

/// What a judgement stands on besides the change itself.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    /// What the file held (`None`: there was none).
    pub(super) base: Option<Etag>,
    /// Who claims the path to be written.
    pub(super) kind: Option<Arc<Kind>>,
    /// The file that selects among the kind's schemas.
    pub(super) selector: Option<Etag>,
}

impl Ground {
    pub(super) fn is_same(&self, other: &Ground) -> bool {
        let same_kind = match (&self.kind, &other.kind) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        same_kind && self.base == other.base && self.selector == other.selector
    }
}

/// A change judged ahead of its turn.
pub(super) struct Foreseen {
    pub(super) ground: Ground,
    pub(super) judged: Result<Judged, Error>,
}

/// The text that a change leaves (of a deletion: takes away) and what is known of it.
pub(super) struct Judged {
    pub(super) bytes: Bytes,
    pub(super) document: Option<Document>,
}

/// A text under its kind.
pub(super) struct Document {
    pub(super) content: Arc<Content>,
    /// What a commit's message calls it.
    pub(super) label: String,
    /// What no other document of the workspace may share with it, by position in [`Kind::unique`].
    pub(super) twins: Vec<(usize, Filter)>,
    /// Why a strict write may not store it.
    pub(super) refused: Option<Error>,
}

impl Document {
    /// Of a text that is there, or goes away.
    pub(super) fn read(
        engine: &Engine,
        kind: &Arc<Kind>,
        generation: usize,
        path: &FilePath,
        bytes: &[u8],
    ) -> Result<Self, Error> {
        let etag = store::blob_id(bytes)?;
        let content = engine.contents.of(kind, generation, path.as_str(), etag, bytes);
        let value = content.value().unwrap_or_default();
        let captures = kind.captures_of(path.as_str()).unwrap_or_default();
        let twins = |(at, unique): (usize, &Unique)| Some((at, kind.twin_filter(unique, &captures, &value)?));
        Ok(Document {
            label: kind.label(&value, path.file_name()),
            twins: kind.unique.iter().enumerate().filter_map(twins).collect(),
            content,
            refused: None,
        })
    }
}

/// Judges changes of one workspace.
#[derive(Clone)]
pub(super) struct Judge {
    pub(super) engine: Arc<Engine>,
    pub(super) workspace: Arc<Workspace>,
    /// Whether what breaks its kind is stored all the same.
    pub(super) takes_invalid: bool,
}

impl Judge {
    /// How many bytes there are to read, about.
    pub(super) fn weight(&self, changes: &[Change]) -> u64 {
        let Ok(snapshot) = self.workspace.snapshot(None) else { return 0 };
        let weight = |change: &Change| {
            let stored = || snapshot.size(snapshot.entry(change.path.as_str()).ok()??.etag).ok();
            change.operation.weight() + stored().unwrap_or_default()
        };
        changes.iter().map(weight).sum()
    }

    /// What can be said of each change before its turn. `None` where the writer will hardly come
    /// to judge it, or where nothing could be read: then it is the writer's to say why.
    pub(super) fn foresee(&self, changes: &[Change]) -> Vec<Option<Foreseen>> {
        let Ok(snapshot) = self.workspace.snapshot(None) else { return changes.iter().map(|_| None).collect() };
        changes.iter().map(|change| self.one(&snapshot, change)).collect()
    }

    fn one(&self, snapshot: &Snapshot, change: &Change) -> Option<Foreseen> {
        let Change { path, expected, operation } = change;
        let kind = self.engine.kinds().claim(operation.target(path).as_str()).map(|(kind, _)| kind.clone())?;
        let stored = |path: &FilePath| Some(snapshot.entry(path.as_str()).ok()?.map(|entry| entry.etag));
        let base = stored(path)?;
        if !expected.holds(base) {
            return None;
        }
        let selector = kind.select.as_ref().map_or(Some(None), |select| stored(&select.file))?;
        let selecting = selector.map(|etag| snapshot.blob(etag)).transpose().ok()?;
        let generation = place::selected(&kind, selecting.as_deref());
        let before = base.map(|etag| snapshot.blob(etag)).transpose().ok()?;
        let ground = Ground { base, kind: Some(kind), selector };
        let judged = self.judge(&ground, generation, path, operation, before.as_ref());
        Some(Foreseen { ground, judged })
    }

    /// Works out what an operation stores and judges that.
    pub(super) fn judge(
        &self,
        ground: &Ground,
        generation: usize,
        path: &FilePath,
        operation: &Operation,
        before: Option<&Bytes>,
    ) -> Result<Judged, Error> {
        let bytes = stored_text(path, operation, before)?;
        let Some(kind) = &ground.kind else { return Ok(Judged { bytes, document: None }) };
        let mut document = Document::read(&self.engine, kind, generation, operation.target(path), &bytes)?;
        // A document that only moves is no worse than it was, not even where it cannot be read.
        let only_moves =
            matches!(operation, Operation::Move { .. }) && self.engine.kinds().claim(path.as_str()).is_some();
        if !matches!(operation, Operation::Delete) && !only_moves && !self.takes_invalid {
            let old = before
                .zip(ground.base)
                .map(|(before, etag)| self.engine.contents.of(kind, generation, path.as_str(), etag, before));
            document.refused = refusal(&document.content, old.as_deref());
        }
        Ok(Judged { bytes, document: Some(document) })
    }
}

/// Refuses content that cannot be read or adds a violation (decisions.md 8).
fn refusal(new: &Content, old: Option<&Content>) -> Option<Error> {
    if let (false, Some(why)) = (new.is_readable, new.violations.first()) {
        return Some(Error::Unreadable(ParseError {
            message: why.message.clone(),
            line: why.line,
            column: why.column,
        }));
    }
    let added = strict::added(old.map_or(&[], |old| &old.violations), &new.violations);
    (!added.is_empty()).then_some(Error::Invalid(added))
}

/// The text that an operation leaves, or takes away.
fn stored_text(path: &FilePath, operation: &Operation, before: Option<&Bytes>) -> Result<Bytes, Error> {
    let value = match operation {
        Operation::Put(payload) => return put_text(path, before, payload),
        Operation::Delete | Operation::Move { .. } | Operation::Copy { .. } => {
            return before.cloned().ok_or_else(|| Error::NotFound(format!("file {path}")));
        }
        Operation::MergePatch(patch) => {
            let mut value = current(path, before)?;
            json_patch::merge(&mut value, patch);
            value
        }
        Operation::JsonPatch(operations) => {
            let mut value = current(path, before)?;
            patch::apply(&mut value, operations)?;
            value
        }
        Operation::SetMembers(members) => {
            let mut value = current(path, before)?;
            match value.as_object_mut() {
                Some(object) => object.extend(members.clone()),
                None => value = Value::Object(members.clone()),
            }
            value
        }
    };
    Ok(edited(path, before, &value))
}

fn put_text(path: &FilePath, before: Option<&Bytes>, payload: &Payload) -> Result<Bytes, Error> {
    match payload {
        Payload::Raw(bytes) => Ok(bytes.clone()),
        Payload::Text(sent, bytes) if *sent == content::format(path.as_str()) => Ok(bytes.clone()),
        Payload::Text(sent, bytes) => Ok(edited(path, before, &document::parse(*sent, bytes)?)),
        Payload::Json(value) => Ok(edited(path, before, value)),
    }
}

/// What is there, changed to say this.
fn edited(path: &FilePath, before: Option<&Bytes>, value: &Value) -> Bytes {
    let format = content::format(path.as_str());
    let text = before.and_then(|before| std::str::from_utf8(before).ok());
    let edited = match text.map(|text| document::edit(format, text, value)) {
        Some(Ok(edited)) => edited,
        // What is there cannot be read, or there is nothing: a fresh text.
        Some(Err(_)) | None => document::render(format, value),
    };
    Bytes::from(edited)
}

/// What a patch starts from.
fn current(path: &FilePath, before: Option<&Bytes>) -> Result<Value, Error> {
    let before = before.ok_or_else(|| Error::NotFound(format!("file {path}")))?;
    document::parse(content::format(path.as_str()), before).map_err(|error| {
        Error::Conflict(format!(
            "the stored file cannot be read ({}, line {}, column {}), so it cannot be patched: PUT it whole",
            error.message, error.line, error.column
        ))
    })
}
