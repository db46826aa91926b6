//! Several changes as one commit, all or nothing: runs in the workspace's writer on its newest tip.

mod deletions;

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::content::{self, Content};
use super::error::{Candidate, Error};
use super::{Engine, Reader, patch, strict};
use crate::resource::document::{self, Format};
use crate::resource::etag::{Etag, Expected};
use crate::resource::key::{DocumentId, FilePath};
use crate::resource::kind::{Kind, Kinds};
use crate::resource::query::{Filter, Query};
use crate::resource::row::{Column, Row, Value as Encoded};
use crate::store::{self, Tip, Workspace};

/// What a write brings.
#[derive(Debug, Clone)]
pub enum Payload {
    /// Content without a text of its own: what is stored keeps its comments, order and quoting.
    Json(Value),
    /// A text in this format, stored as sent where the file has the same format.
    Text(Format, Bytes),
    /// Bytes of any file, stored as sent.
    Raw(Bytes),
}

/// What is to happen to a file.
#[derive(Debug, Clone)]
pub enum Operation {
    Put(Payload),
    /// RFC 7396.
    MergePatch(Value),
    /// RFC 6902.
    JsonPatch(json_patch::Patch),
    /// Replaces these members of the content, each as a whole.
    SetMembers(Map<String, Value>),
    Delete,
    Move {
        to: FilePath,
    },
}

/// One change and what it expects to find.
#[derive(Debug, Clone)]
pub struct Change {
    pub path: FilePath,
    pub expected: Expected,
    pub operation: Operation,
}

/// What a change did.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Where the file is now, or was.
    pub path: FilePath,
    pub kind: Option<Arc<Kind>>,
    /// `None`: deleted.
    pub etag: Option<Etag>,
    pub content: Option<Arc<Content>>,
    pub created: bool,
}

/// The changes of one commit as they are applied.
pub(super) struct Transaction<'a> {
    engine: &'a Engine,
    workspace: &'a Arc<Workspace>,
    reader: &'a Reader,
    kinds: Arc<Kinds>,
    takes_invalid: bool,
    pub(super) applied: Vec<Applied>,
    /// Lines for the commit message's last paragraph.
    pub(super) trailers: Vec<String>,
    /// What happened, for the default message.
    pub(super) summary: Vec<String>,
    removed: HashSet<Arc<str>>,
    /// Deleted documents whose referrers are still to be looked at.
    deleted: Vec<(Arc<Kind>, Arc<Row>)>,
    /// Paths that this commit wrote and what no other may share with them.
    given: Vec<(Arc<str>, Filter)>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        workspace: &'a Arc<Workspace>,
        reader: &'a Reader,
        takes_invalid: bool,
    ) -> Self {
        Transaction {
            engine,
            workspace,
            reader,
            kinds: engine.kinds(),
            takes_invalid,
            applied: Vec::new(),
            trailers: Vec::new(),
            summary: Vec::new(),
            removed: HashSet::new(),
            deleted: Vec::new(),
            given: Vec::new(),
        }
    }

    pub(super) fn apply(&mut self, tip: &mut Tip<'_>, change: Change) -> Result<(), Error> {
        let Change { path, expected, operation } = change;
        let stored = tip.blob(&path)?;
        let now = stored.as_ref().map(|(etag, _)| *etag);
        if !expected.holds(now) {
            return Err(match (&expected, now) {
                (Expected::At(_), None) => Error::NotFound(format!("file {path}")),
                (Expected::Absent, Some(now)) => Error::Present(now),
                _ => Error::Stale(now),
            });
        }
        let kind = self.kinds.claim(path.as_str()).map(|(kind, _)| kind.clone());
        let before = stored.map(|(_, bytes)| bytes);
        match operation {
            Operation::Put(payload) => {
                let bytes = self.bytes(&path, before.as_deref(), payload)?;
                self.put(tip, path, kind, before.as_deref(), bytes)
            }
            Operation::MergePatch(patch) => {
                let mut value = self.current(&path, before.as_deref())?;
                json_patch::merge(&mut value, &patch);
                let bytes = self.bytes(&path, before.as_deref(), Payload::Json(value))?;
                self.put(tip, path, kind, before.as_deref(), bytes)
            }
            Operation::JsonPatch(operations) => {
                let mut value = self.current(&path, before.as_deref())?;
                patch::apply(&mut value, operations)?;
                let bytes = self.bytes(&path, before.as_deref(), Payload::Json(value))?;
                self.put(tip, path, kind, before.as_deref(), bytes)
            }
            Operation::SetMembers(members) => {
                let mut value = self.current(&path, before.as_deref())?;
                match value.as_object_mut() {
                    Some(object) => object.extend(members),
                    None => value = Value::Object(members),
                }
                let bytes = self.bytes(&path, before.as_deref(), Payload::Json(value))?;
                self.put(tip, path, kind, before.as_deref(), bytes)
            }
            Operation::Delete => {
                if before.is_none() {
                    return Err(Error::NotFound(format!("file {path}")));
                }
                self.delete(tip, path, kind)
            }
            Operation::Move { to } => {
                let Some(bytes) = before else { return Err(Error::NotFound(format!("file {path}"))) };
                self.rename(tip, path, kind, to, now, bytes)
            }
        }
    }

    /// The bytes to store, from what was sent and what is there.
    fn bytes(&self, path: &FilePath, before: Option<&[u8]>, payload: Payload) -> Result<Bytes, Error> {
        let format = content::format(path.as_str());
        let value = match payload {
            Payload::Raw(bytes) => return Ok(bytes),
            Payload::Text(sent, bytes) if sent == format => return Ok(bytes),
            Payload::Text(sent, bytes) => document::parse(sent, &bytes)?,
            Payload::Json(value) => value,
        };
        let text = before.and_then(|before| std::str::from_utf8(before).ok());
        let edited = match text.map(|text| document::edit(format, text, &value)) {
            Some(Ok(edited)) => edited,
            // What is there cannot be read, or there is nothing: a fresh text.
            Some(Err(_)) | None => document::render(format, &value),
        };
        Ok(Bytes::from(edited))
    }

    /// What a patch starts from.
    fn current(&self, path: &FilePath, before: Option<&[u8]>) -> Result<Value, Error> {
        let before = before.ok_or_else(|| Error::NotFound(format!("file {path}")))?;
        document::parse(content::format(path.as_str()), before).map_err(|error| {
            Error::Conflict(format!(
                "the stored file cannot be read ({}, line {}, column {}), so it cannot be patched: PUT it whole",
                error.message, error.line, error.column
            ))
        })
    }

    fn put(
        &mut self,
        tip: &mut Tip<'_>,
        path: FilePath,
        kind: Option<Arc<Kind>>,
        before: Option<&[u8]>,
        bytes: Bytes,
    ) -> Result<(), Error> {
        let mut judged = None;
        if let Some(kind) = &kind {
            let content = self.judge(tip, kind, &path, before, &bytes)?;
            self.unique(kind, &path, &content)?;
            judged = Some(content);
        }
        let etag = tip.put(&path, bytes)?;
        let created = before.is_none();
        let verb = if created { "create" } else { "update" };
        self.summary.push(self.describe(kind.as_deref(), verb, &path, judged.as_deref()));
        self.applied.push(Applied { path, kind, etag: Some(etag), content: judged, created });
        Ok(())
    }

    /// Refuses content that cannot be read or adds a violation (decisions.md 8).
    fn judge(
        &self,
        tip: &mut Tip<'_>,
        kind: &Arc<Kind>,
        path: &FilePath,
        before: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<Arc<Content>, Error> {
        let generation = self.engine.generation_in(tip, kind);
        let etag = store::blob_id(bytes)?;
        let new = self.engine.contents.of(kind, generation, path.as_str(), etag, bytes);
        if new.violations.is_empty() || self.takes_invalid {
            return Ok(new);
        }
        if !new.is_readable {
            // Again, for the position as an error.
            document::parse(content::format(path.as_str()), bytes)?;
        }
        let old = before.map(|before| content::read(kind, generation, content::format(path.as_str()), before));
        let added = strict::added(old.map_or_else(Vec::new, |old| old.violations), &new.violations);
        if added.is_empty() { Ok(new) } else { Err(Error::Invalid(added)) }
    }

    /// Refuses a second document with a value that the kind wants once in a workspace.
    fn unique(&mut self, kind: &Arc<Kind>, path: &FilePath, content: &Content) -> Result<(), Error> {
        if kind.unique.is_empty() {
            return Ok(());
        }
        let captures = kind.captures_of(path.as_str()).unwrap_or_default();
        let value = content.value().unwrap_or_default();
        for unique in &kind.unique {
            let Some(twins) = kind.twin_filter(unique, &captures, &value) else { continue };
            let here = Filter::In(Column::Workspace, vec![Encoded::Text(self.workspace.name().to_arc())]);
            let query = Query { filter: Filter::All(vec![here, twins.clone()]), limit: 2, ..Query::default() };
            let page = self.engine.index.search(&query)?;
            let stored = page.rows.iter().any(|row| *row.path != *path.as_str() && !self.removed.contains(&row.path));
            let given = self.given.iter().any(|(at, other)| **at != *path.as_str() && *other == twins);
            if stored || given {
                let names: Vec<&str> = unique.fields.iter().map(|field| &*field.name).collect();
                return Err(Error::Conflict(format!(
                    "another {} of this workspace has this {} already",
                    kind.name,
                    names.join(" and ")
                )));
            }
            self.given.push((path.to_arc(), twins));
        }
        Ok(())
    }

    fn delete(&mut self, tip: &mut Tip<'_>, path: FilePath, kind: Option<Arc<Kind>>) -> Result<(), Error> {
        self.removed.insert(path.to_arc());
        let row = match &kind {
            Some(_) => self.engine.index.row(self.workspace.name().as_str(), path.as_str())?,
            None => None,
        };
        let label = match (&kind, &row) {
            (Some(kind), Some(row)) => {
                let content = self.reader.content(row)?;
                self.describe(Some(kind.as_ref()), "delete", &path, Some(content.as_ref()))
            }
            _ => self.describe(kind.as_deref(), "delete", &path, None),
        };
        self.summary.push(label);
        self.deleted.extend(kind.clone().zip(row));
        tip.remove(&path)?;
        self.applied.push(Applied { path, kind, etag: None, content: None, created: false });
        Ok(())
    }

    fn rename(
        &mut self,
        tip: &mut Tip<'_>,
        path: FilePath,
        kind: Option<Arc<Kind>>,
        to: FilePath,
        now: Option<Etag>,
        bytes: Bytes,
    ) -> Result<(), Error> {
        let target = self.kinds.claim(to.as_str()).map(|(kind, _)| kind.clone());
        if let Some(kind) = &kind
            && target.as_ref().is_none_or(|target| target.name != kind.name)
        {
            let patterns: Vec<String> = kind.patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect();
            return Err(Error::with_valid(format!("{to} is not a place for a {}", kind.name), "patterns", patterns));
        }
        let id_of = |path: &FilePath| Some(kind.as_ref()?.captures_of(path.as_str())?.get("id")?.to_owned());
        if id_of(&path) != id_of(&to) {
            return Err(Error::bad_request(format!("{to} would change the document's id, which its file is named by")));
        }
        if to == path {
            self.applied.push(Applied { path, kind, etag: now, content: None, created: false });
            return Ok(());
        }
        if tip.entry(&to)?.is_some() {
            return Err(Error::Exists(format!("file {to}")));
        }
        tip.remove(&path)?;
        self.removed.insert(path.to_arc());
        let content = match &target {
            Some(kind) => {
                let before = Some(&bytes[..]);
                Some(self.judge(tip, kind, &to, before, &bytes)?)
            }
            None => None,
        };
        if let (Some(kind), Some(content)) = (&target, &content) {
            self.unique(kind, &to, content)?;
        }
        let etag = tip.put(&to, bytes)?;
        self.trailers.push(format!("{}: {path} -> {to}", store::MOVED_TRAILER));
        self.summary.push(format!("{}: move {path} to {to}", target.as_ref().map_or("file", |kind| &kind.name)));
        self.applied.push(Applied { path: to, kind: target, etag: Some(etag), content, created: false });
        Ok(())
    }

    fn describe(&self, kind: Option<&Kind>, verb: &str, path: &FilePath, content: Option<&Content>) -> String {
        match (kind, content.and_then(Content::value)) {
            (Some(kind), Some(value)) => format!("{}: {verb} {}", kind.name, kind.label(&value, path.file_name())),
            (Some(kind), None) => format!("{}: {verb} {path}", kind.name),
            (None, _) => format!("file: {verb} {path}"),
        }
    }

    /// The commit message: the caller's or what happened, and the trailers.
    pub(super) fn message(&self, given: Option<&str>) -> String {
        // Trailers are the server's word.
        let given = given.map(|text| text.lines().filter(|line| !line.starts_with("Workleaf-")).collect::<Vec<_>>());
        let given = given.map(|lines| lines.join("\n").trim().to_owned()).filter(|text| !text.is_empty());
        let mut message = match (given, &self.summary[..]) {
            // Trailers are the server's word.
            (Some(given), _) => given,
            (None, []) => "no change".to_owned(),
            (None, [only]) => only.clone(),
            (None, [first, rest @ ..]) => {
                let lines = self.summary.iter().take(50).map(|line| format!("\n- {line}"));
                format!("{first} and {} more\n{}", rest.len(), lines.collect::<String>())
            }
        };
        let mut trailers = self.trailers.clone();
        // Git would take one for the other where they are alike, and a rebuilt index with it.
        if self.applied.iter().any(|applied| applied.etag.is_none()) && self.applied.iter().any(|a| a.created) {
            trailers.push(format!("{}: stated", store::RENAMES_TRAILER));
        }
        if !trailers.is_empty() {
            message.push_str("\n\n");
            message.push_str(&trailers.join("\n"));
        }
        message
    }
}

pub(super) fn candidate(row: &Row) -> Candidate {
    Candidate {
        kind: row.kind.to_string(),
        id: DocumentId::from_stored(&row.id),
        workspace: row.workspace.to_string(),
        path: row.path.to_string(),
    }
}
