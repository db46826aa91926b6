//! Several changes as one commit, all or nothing: runs in the workspace's writer on its newest tip.

mod deletions;

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::content::Content;
use super::error::{Candidate, Error};
use super::judgement::{Document, Foreseen, Ground, Judge, Judged};
use super::{Reader, patch, place};
use crate::resource::document::Format;
use crate::resource::etag::{Etag, Expected};
use crate::resource::key::{DocumentId, FilePath};
use crate::resource::kind::{Kind, Kinds};
use crate::resource::query::{Filter, Query};
use crate::resource::row::Row;
use crate::store::{self, Tip};

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
    /// The same bytes in a second place, where nothing is yet. For files that no kind claims: a
    /// second document is a [`Operation::Put`] of its own.
    Copy {
        to: FilePath,
    },
}

impl Operation {
    /// Where the operation writes, on the file at `path`.
    pub(super) fn target<'a>(&'a self, path: &'a FilePath) -> &'a FilePath {
        match self {
            Operation::Move { to } | Operation::Copy { to } => to,
            _ => path,
        }
    }

    /// Bytes that it brings, about.
    pub(super) fn weight(&self) -> u64 {
        match self {
            Operation::Put(Payload::Raw(bytes) | Payload::Text(_, bytes)) => bytes.len() as u64,
            Operation::Put(Payload::Json(value)) | Operation::MergePatch(value) => patch::size(value) as u64,
            Operation::JsonPatch(operations) => operations.0.len() as u64 * 64,
            Operation::SetMembers(members) => members.values().map(patch::size).sum::<usize>() as u64,
            Operation::Delete | Operation::Move { .. } | Operation::Copy { .. } => 0,
        }
    }

    /// Whether the bytes stay what they are, wherever they go.
    fn only_places(&self) -> bool {
        matches!(self, Operation::Move { .. } | Operation::Copy { .. })
    }
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
    /// What the file held at this path before.
    pub before: Option<Etag>,
}

/// The changes of one commit as they are applied.
pub(super) struct Transaction<'a> {
    judge: &'a Judge,
    reader: &'a Reader,
    kinds: Arc<Kinds>,
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
    pub(super) fn new(judge: &'a Judge, reader: &'a Reader) -> Self {
        Transaction {
            judge,
            reader,
            kinds: judge.engine.kinds(),
            applied: Vec::new(),
            trailers: Vec::new(),
            summary: Vec::new(),
            removed: HashSet::new(),
            deleted: Vec::new(),
            given: Vec::new(),
        }
    }

    pub(super) fn apply(&mut self, tip: &mut Tip<'_>, change: Change, foreseen: Option<Foreseen>) -> Result<(), Error> {
        let Change { path, expected, operation } = change;
        let now = entry(tip, &path)?;
        if !expected.holds(now) {
            return Err(match (&expected, now) {
                (Expected::At(_), None) => Error::NotFound(format!("file {path}")),
                // Only a PUT could have made it.
                (Expected::Present, None) if !matches!(operation, Operation::Put(_)) => {
                    Error::NotFound(format!("file {path}"))
                }
                (Expected::Absent, Some(now)) => Error::Present(now),
                _ => Error::Stale(now),
            });
        }
        let claimed = |path: &FilePath| self.kinds.claim(path.as_str()).map(|(kind, _)| kind.clone());
        let kind = claimed(operation.target(&path));
        let selector = match kind.as_ref().and_then(|kind| kind.select.as_ref()) {
            Some(select) => entry(tip, &select.file)?,
            None => None,
        };
        let ground = Ground { base: now, kind, selector };
        let judged = match foreseen {
            // What no kind claims, an image say, is not read to be moved.
            _ if operation.only_places() && now.is_some() && ground.kind.is_none() && claimed(&path).is_none() => {
                Judged { bytes: Bytes::new(), document: None }
            }
            Some(foreseen) if foreseen.ground.is_same(&ground) => foreseen.judged?,
            outdated => {
                let before = now.map(|etag| tip.read_blob(etag)).transpose()?;
                let judged =
                    self.judge.judge(&ground, self.generation(tip, &ground)?, &path, &operation, before.as_ref());
                // Until here, so that what is the same was not read again.
                drop(outdated);
                judged?
            }
        };
        match operation {
            Operation::Delete => self.delete(tip, path, ground.kind, judged.document.as_ref()),
            Operation::Move { to } => {
                let from = claimed(&path);
                self.rename(tip, path, from, to, ground, judged)
            }
            Operation::Copy { to } => self.copy(tip, &path, to, &ground),
            _ => self.put(tip, path, ground, judged),
        }
    }

    fn generation(&self, tip: &Tip<'_>, ground: &Ground) -> Result<usize, Error> {
        let Some(kind) = &ground.kind else { return Ok(0) };
        let selecting = ground.selector.map(|etag| tip.read_blob(etag)).transpose()?;
        Ok(place::selected(kind, selecting.as_deref()))
    }

    fn put(&mut self, tip: &mut Tip<'_>, path: FilePath, ground: Ground, mut judged: Judged) -> Result<(), Error> {
        let content = self.admitted(&path, ground.kind.as_ref(), judged.document.as_mut())?;
        let etag = tip.put(&path, judged.bytes)?;
        let created = ground.base.is_none();
        let verb = if created { "create" } else { "update" };
        self.summary.push(describe(ground.kind.as_deref(), verb, &path, judged.document.as_ref()));
        self.applied.push(Applied { path, kind: ground.kind, etag: Some(etag), content, created, before: ground.base });
        Ok(())
    }

    /// The content, when the document may be stored.
    fn admitted(
        &mut self,
        path: &FilePath,
        kind: Option<&Arc<Kind>>,
        document: Option<&mut Document>,
    ) -> Result<Option<Arc<Content>>, Error> {
        let (Some(kind), Some(document)) = (kind, document) else { return Ok(None) };
        if let Some(refused) = document.refused.take() {
            return Err(refused);
        }
        self.unique(kind, path, &document.twins)?;
        Ok(Some(document.content.clone()))
    }

    /// Refuses a second document with a value that the kind wants once in a workspace.
    fn unique(&mut self, kind: &Arc<Kind>, path: &FilePath, twins: &[(usize, Filter)]) -> Result<(), Error> {
        for (at, twins) in twins {
            let here = Filter::in_workspace(self.judge.workspace.name().to_arc());
            let query = Query { filter: Filter::All(vec![here, twins.clone()]), limit: 2, ..Query::default() };
            let page = self.judge.engine.index.search(&query)?;
            let stored = page.rows.iter().any(|row| *row.path != *path.as_str() && !self.removed.contains(&row.path));
            let given = self.given.iter().any(|(at, other)| **at != *path.as_str() && other == twins);
            if stored || given {
                let names: Vec<&str> = kind.unique[*at].fields.iter().map(|field| &*field.name).collect();
                return Err(Error::Conflict(format!(
                    "another {} of this workspace has this {} already",
                    kind.name,
                    names.join(" and ")
                )));
            }
            self.given.push((path.to_arc(), twins.clone()));
        }
        Ok(())
    }

    fn delete(
        &mut self,
        tip: &mut Tip<'_>,
        path: FilePath,
        kind: Option<Arc<Kind>>,
        document: Option<&Document>,
    ) -> Result<(), Error> {
        self.removed.insert(path.to_arc());
        let row = match &kind {
            Some(_) => self.judge.engine.index.row(self.judge.workspace.name().as_str(), path.as_str())?,
            None => None,
        };
        self.summary.push(describe(kind.as_deref(), "delete", &path, document));
        self.deleted.extend(kind.clone().zip(row));
        let before = entry(tip, &path)?;
        tip.remove(&path)?;
        self.applied.push(Applied { path, kind, etag: None, content: None, created: false, before });
        Ok(())
    }

    fn rename(
        &mut self,
        tip: &mut Tip<'_>,
        path: FilePath,
        kind: Option<Arc<Kind>>,
        to: FilePath,
        ground: Ground,
        mut judged: Judged,
    ) -> Result<(), Error> {
        let target = ground.kind;
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
            let (etag, before) = (ground.base, ground.base);
            self.applied.push(Applied { path, kind, etag, content: None, created: false, before });
            return Ok(());
        }
        if tip.entry(&to)?.is_some() {
            return Err(Error::Exists(format!("file {to}")));
        }
        self.removed.insert(path.to_arc());
        let content = self.admitted(&to, target.as_ref(), judged.document.as_mut())?;
        tip.rename(&path, &to)?;
        let etag = ground.base;
        self.trailers.push(format!("{}: {path} -> {to}", store::MOVED_TRAILER));
        self.summary.push(format!("{}: move {path} to {to}", target.as_ref().map_or("file", |kind| &kind.name)));
        self.applied.push(Applied { path: to, kind: target, etag, content, created: false, before: None });
        Ok(())
    }

    fn copy(&mut self, tip: &mut Tip<'_>, path: &FilePath, to: FilePath, ground: &Ground) -> Result<(), Error> {
        if ground.kind.is_some() {
            return Err(Error::bad_request(format!("{to} is the place of a document: only other files are copied")));
        }
        if tip.entry(&to)?.is_some() {
            return Err(Error::Exists(format!("file {to}")));
        }
        tip.copy(path, &to)?;
        self.summary.push(format!("file: copy {path} to {to}"));
        let etag = ground.base;
        self.applied.push(Applied { path: to, kind: None, etag, content: None, created: true, before: None });
        Ok(())
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

/// The file at a path as it will be before this change.
fn entry(tip: &mut Tip<'_>, path: &FilePath) -> Result<Option<Etag>, Error> {
    Ok(tip.entry(path)?.filter(|entry| entry.mode.is_blob()).map(|entry| entry.etag))
}

fn describe(kind: Option<&Kind>, verb: &str, path: &FilePath, document: Option<&Document>) -> String {
    match (kind, document) {
        (Some(kind), Some(document)) => format!("{}: {verb} {}", kind.name, document.label),
        (Some(kind), None) => format!("{}: {verb} {path}", kind.name),
        (None, _) => format!("file: {verb} {path}"),
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
