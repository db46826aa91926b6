//! What an actor may read. Documents come from git objects, never from the work tree.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

use super::access::Scope;
use super::content::Content;
use super::transaction::candidate;
use super::{Engine, Error, Overview};
use crate::index::{Index, Page};
use crate::resource::actor::Actor;
use crate::resource::check::{self, First};
use crate::resource::etag::Etag;
use crate::resource::key::{DocumentId, FilePath, WorkspaceName};
use crate::resource::kind::{Captures, Kind};
use crate::resource::query::{Filter, Query};
use crate::resource::row::{Column, Row, Value as Encoded, encode_text};
use crate::store::{FileEntry, Snapshot, Workspace};

/// The road to data for one actor.
pub struct Reader {
    pub(super) engine: Arc<Engine>,
    actor: Actor,
    scope: OnceLock<Scope>,
}

/// A document by its row.
#[derive(Debug, Clone)]
pub struct Found {
    pub kind: Arc<Kind>,
    pub row: Arc<Row>,
}

/// The answer to a list.
#[derive(Debug)]
pub struct Listing {
    pub page: Page,
    /// One per row when full text was asked for.
    pub snippets: Vec<Option<String>>,
}

/// The files of a workspace at its head.
pub struct Files {
    pub head: Etag,
    /// All there are.
    pub count: usize,
    pub entries: Vec<FileEntry>,
    /// Bytes of each.
    pub sizes: Vec<u64>,
}

impl Reader {
    pub(super) fn new(engine: Arc<Engine>, actor: Actor) -> Self {
        Reader { engine, actor, scope: OnceLock::new() }
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    fn scope(&self) -> &Scope {
        self.scope.get_or_init(|| self.engine.scope(&self.actor))
    }

    /// The workspaces that the actor may read, in order.
    pub fn workspaces(&self) -> Result<Vec<WorkspaceName>, Error> {
        let mut readable = self.engine.store.workspaces();
        readable.retain(|workspace| self.engine.role(&self.actor, workspace).is_some());
        let mut names: Vec<WorkspaceName> = readable.iter().map(|workspace| workspace.name().clone()).collect();
        if names.is_empty() && self.actor == Actor::Anonymous {
            return Err(Error::LoginNeeded);
        }
        names.sort();
        Ok(names)
    }

    /// One workspace.
    pub fn workspace(&self, name: &WorkspaceName) -> Result<Overview, Error> {
        self.engine.overview(&self.actor, &self.engine.readable(&self.actor, name)?)
    }

    /// Narrows a query to one kind and to what the actor may read, and answers it.
    pub fn list(&self, kind: &Arc<Kind>, mut query: Query) -> Result<Listing, Error> {
        if self.actor == Actor::Anonymous && matches!(self.scope(), Scope::Workspaces(names) if names.is_empty()) {
            return Err(Error::LoginNeeded);
        }
        let text = query.text.clone();
        if text.as_deref().is_some_and(|text| !Index::has_words(text)) {
            return Err(Error::bad_request(
                "q: there is no word in it (signs are none, nor is what has more than 100 bytes): \
                 give words, a phrase as \"two words\" or a beginning as fire*",
            ));
        }
        query.filter = self.narrowed(kind, query.filter);
        let page = self.engine.index.search(&query)?;
        let snippets = match text {
            Some(text) => {
                let words = |row: &Arc<Row>| -> Result<Option<String>, Error> {
                    let value = self.content(row)?.value().unwrap_or_default();
                    Ok(self.engine.index.snippet(&text, &kind.full_text(&value)))
                };
                page.rows.iter().map(words).collect::<Result<_, _>>()?
            }
            None => Vec::new(),
        };
        Ok(Listing { page, snippets })
    }

    /// `filter`, of one kind, in the actor's scope.
    pub(super) fn narrowed(&self, kind: &Kind, filter: Filter) -> Filter {
        let mut parts = vec![Filter::In(Column::Kind, vec![Encoded::Text(kind.name.clone())])];
        parts.extend(self.scope().filter());
        match filter {
            Filter::All(more) => parts.extend(more),
            more => parts.push(more),
        }
        Filter::All(parts)
    }

    /// The document of this id with its content, when that is in memory: quick enough for an async
    /// thread. `None` says nothing about the document: ask [`Reader::find`].
    pub fn kept(
        &self,
        kind: &Arc<Kind>,
        reference: &str,
        workspace: Option<&WorkspaceName>,
    ) -> Result<Option<(Found, Arc<Content>)>, Error> {
        let Some(found) = self.by_id(kind, reference, workspace)? else { return Ok(None) };
        let Some(workspace) = self.workspace_of(&found.row) else { return Ok(None) };
        let Some(generation) = self.engine.known_generation(&workspace, kind) else { return Ok(None) };
        let kept = self.engine.contents.kept(kind, generation, &found.row.path, found.row.etag);
        Ok(kept.map(|content| (found, content)))
    }

    fn by_id(
        &self,
        kind: &Arc<Kind>,
        reference: &str,
        workspace: Option<&WorkspaceName>,
    ) -> Result<Option<Found>, Error> {
        let id = if kind.has_given_id() {
            DocumentId::Text(reference.into())
        } else if reference.len() <= 16
            && reference.bytes().all(|b| b.is_ascii_digit())
            && let Ok(number) = reference.parse()
        {
            DocumentId::Number(number)
        } else {
            return Ok(None);
        };
        let mut rows = self.engine.index.rows_by_id(&kind.name, &id.stored())?;
        rows.retain(|row| self.may_see(row) && workspace.is_none_or(|name| name.as_str() == &*row.workspace));
        if rows.is_empty() { Ok(None) } else { one(kind, reference, rows).map(Some) }
    }

    /// One document by its id, or by its name where that is unambiguous in what the actor may read,
    /// of one workspace only where one is named.
    pub fn find(&self, kind: &Arc<Kind>, reference: &str, workspace: Option<&WorkspaceName>) -> Result<Found, Error> {
        if let Some(found) = self.by_id(kind, reference, workspace)? {
            return Ok(found);
        }
        if let Some(field) = kind.field("name").filter(|field| !field.column.is_number()) {
            let named = Filter::In(field.column, vec![Encoded::Text(encode_text(reference))]);
            let here = workspace.map(|name| Filter::in_workspace(name.to_arc()));
            let filter = Filter::All(here.into_iter().chain([named]).collect());
            let query = Query { filter: self.narrowed(kind, filter), limit: 50, ..Query::default() };
            let rows = self.engine.index.search(&query)?.rows;
            if !rows.is_empty() {
                return one(kind, reference, rows);
            }
        }
        Err(match self.actor {
            Actor::Anonymous => Error::LoginNeeded,
            Actor::Account(..) | Actor::System => Error::NotFound(format!("{} {reference:?}", kind.name)),
        })
    }

    fn may_see(&self, row: &Row) -> bool {
        match self.scope.get() {
            Some(scope) => scope.holds(&row.workspace),
            None => self.workspace_of(row).is_some_and(|workspace| self.engine.role(&self.actor, &workspace).is_some()),
        }
    }

    pub(super) fn workspace_of(&self, row: &Row) -> Option<Arc<Workspace>> {
        self.engine.store.named(&row.workspace)
    }

    pub(super) fn snapshot_of(&self, row: &Row) -> Result<(Arc<Workspace>, Snapshot), Error> {
        let workspace =
            self.workspace_of(row).ok_or_else(|| Error::NotFound(format!("workspace {}", row.workspace)))?;
        let snapshot = workspace.snapshot(None)?;
        Ok((workspace, snapshot))
    }

    /// The document's content at the revision that the row speaks of.
    pub fn content(&self, row: &Row) -> Result<Arc<Content>, Error> {
        let kinds = self.engine.kinds();
        let kind = kinds.by_name(&row.kind).ok_or_else(|| Error::NotFound(format!("kind {}", row.kind)))?;
        self.content_as(kind, row, row.etag)
    }

    /// As [`Reader::content`], of any stored version.
    pub(super) fn content_as(&self, kind: &Arc<Kind>, row: &Row, etag: Etag) -> Result<Arc<Content>, Error> {
        let workspace =
            self.workspace_of(row).ok_or_else(|| Error::NotFound(format!("workspace {}", row.workspace)))?;
        let generation = self.engine.generation(&workspace, kind);
        if let Some(content) = self.engine.contents.kept(kind, generation, &row.path, etag) {
            return Ok(content);
        }
        let bytes = workspace.snapshot(None)?.blob(etag)?;
        Ok(self.engine.contents.of(kind, generation, &row.path, etag, &bytes))
    }

    /// What is wrong first with content that is to become a document of the workspace, by the
    /// generation of the kind's schema that holds there.
    pub fn first_violation(&self, name: &WorkspaceName, kind: &Kind, content: &Value) -> Result<Option<First>, Error> {
        let workspace = self.engine.readable(&self.actor, name)?;
        Ok(check::first(kind, self.engine.generation(&workspace, kind), content))
    }

    /// What the document's path says by its kind's pattern.
    pub fn captures(&self, row: &Row) -> Captures {
        let kinds = self.engine.kinds();
        kinds.by_name(&row.kind).and_then(|kind| kind.captures_of(&row.path)).unwrap_or_default()
    }

    /// The document's stored bytes.
    pub fn bytes(&self, row: &Row, etag: Etag) -> Result<Bytes, Error> {
        let (_, snapshot) = self.snapshot_of(row)?;
        Ok(snapshot.blob(etag)?)
    }

    /// A page of all files under a folder (`""`: all), those that no kind claims too.
    pub fn files(&self, name: &WorkspaceName, folder: &str, limit: usize, offset: usize) -> Result<Files, Error> {
        let workspace = self.engine.readable(&self.actor, name)?;
        let snapshot = workspace.snapshot(None)?;
        let mut entries = snapshot.files(folder, true)?;
        let count = entries.len();
        // Git knows no empty folders.
        if count == 0 && !folder.is_empty() {
            return Err(Error::NotFound(format!("folder {folder} in {name}")));
        }
        let entries: Vec<FileEntry> = entries.drain(..).skip(offset).take(limit).collect();
        let sizes = entries.iter().map(|entry| snapshot.size(entry.etag)).collect::<Result<_, _>>()?;
        Ok(Files { head: snapshot.commit(), count, entries, sizes })
    }

    /// One file's bytes.
    pub fn file(&self, name: &WorkspaceName, path: &FilePath) -> Result<(Etag, Bytes), Error> {
        let workspace = self.engine.readable(&self.actor, name)?;
        let snapshot = workspace.snapshot(None)?;
        let entry = snapshot.entry(path.as_str())?.ok_or_else(|| Error::NotFound(format!("file {path} in {name}")))?;
        Ok((entry.etag, snapshot.blob(entry.etag)?))
    }
}

fn one(kind: &Arc<Kind>, reference: &str, rows: Vec<Arc<Row>>) -> Result<Found, Error> {
    match &rows[..] {
        [row] => Ok(Found { kind: kind.clone(), row: row.clone() }),
        rows => Err(Error::Ambiguous {
            name: reference.to_owned(),
            candidates: rows.iter().map(|row| candidate(row)).collect(),
        }),
    }
}
