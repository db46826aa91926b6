//! Who may go where, in the order of contracts/editor.md 1.4: somebody has to be logged in, then the
//! workspace has to be theirs to read, then the project has to be in it. Each step is an extractor.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::fault::{EditorFault, answered, refused};
use super::sonata::draft::Draft;
use super::sonata::workspace::{self, WorkspaceFile};
use crate::auth::Required;
use crate::base::blocking;
use crate::engine::{Change, Error, Found, Options, Reader, Writer, Written};
use crate::http::conditions::{Precondition, precondition};
use crate::http::context::Context;
use crate::http::fault::{Fault, internal};
use crate::resource::actor::{Actor, Role};
use crate::resource::etag::{Etag, Expected};
use crate::resource::key::{FilePath, WorkspaceName};
use crate::resource::kind::Kind;
use crate::store::FileEntry;

/// The kind of `project.yml`.
pub(super) const PROJECT: &str = "project";

/// Somebody who is logged in; everybody else is told where to do that.
pub(super) struct LoggedIn(pub(super) Actor);

impl FromRequestParts<Context> for LoggedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Response> {
        let Ok(Required(found)) = Required::from_request_parts(parts, context).await;
        match found {
            Ok(actor @ Actor::Account(..)) => Ok(LoggedIn(actor)),
            Ok(Actor::Anonymous | Actor::System) => Err(answered(context, &parts.headers, internal())),
            Err(refusal) => Err(refused(context, &parts.headers, refusal)),
        }
    }
}

/// The workspace `{ws}` of the address, which the caller may read: their own, or one that they were
/// let into, or a public one.
#[derive(Clone)]
pub(super) struct InWorkspace {
    pub(super) context: Context,
    pub(super) actor: Actor,
    pub(super) id: u64,
    pub(super) name: WorkspaceName,
    pub(super) role: Role,
    /// What the request says of the item's state.
    pub(super) condition: Precondition,
}

impl FromRequestParts<Context> for InWorkspace {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Response> {
        let LoggedIn(actor) = LoggedIn::from_request_parts(parts, context).await?;
        let id = number(parts, context, "ws").await?;
        let standing = context.engine.reader(&actor).workspace_numbered(id);
        let standing = standing.ok_or_else(|| EditorFault::not_found("Workspace not found").into_response())?;
        Ok(InWorkspace {
            context: context.clone(),
            actor,
            id,
            name: standing.name,
            role: standing.role,
            condition: precondition(&parts.headers),
        })
    }
}

/// The project `{pj}` of the workspace.
#[derive(Clone)]
pub(super) struct InProject {
    pub(super) workspace: InWorkspace,
    pub(super) id: u64,
    /// `project.yml`.
    pub(super) found: Found,
    /// The project's folder below `projects/`, which is also its name.
    pub(super) folder: String,
}

impl FromRequestParts<Context> for InProject {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Response> {
        let workspace = InWorkspace::from_request_parts(parts, context).await?;
        let id = number(parts, context, "pj").await?;
        workspace.project(id).map_err(IntoResponse::into_response)
    }
}

impl InWorkspace {
    pub(super) fn reader(&self) -> Reader {
        self.context.engine.reader(&self.actor)
    }

    /// The road to change the workspace; a fault for whom may only read it.
    pub(super) fn writer(&self) -> Result<Writer, EditorFault> {
        Ok(self.context.engine.writer(&self.actor, &self.name)?)
    }

    /// A kind of this name, which is one of those that are built in.
    pub(super) fn kind(&self, name: &str) -> Result<Arc<Kind>, EditorFault> {
        let kinds = self.context.engine.kinds();
        let kind = kinds.by_name(name).cloned();
        kind.ok_or_else(|| Error::NotFound(format!("kind {name}")).into())
    }

    /// The project with this number, as it is now.
    pub(super) fn project(&self, id: u64) -> Result<InProject, EditorFault> {
        let kind = self.kind(PROJECT)?;
        let found = self.reader().numbered(&kind, id, &self.name).map_err(|error| match error {
            Error::NotFound(_) => EditorFault::not_found("Project not found"),
            other => other.into(),
        })?;
        let captures = kind.captures_of(&found.row.path).unwrap_or_default();
        let folder = captures.get("project").unwrap_or_default().to_owned();
        Ok(InProject { workspace: self.clone(), id, found, folder })
    }

    /// All files below a folder at the newest commit; none when there is no such folder.
    pub(super) async fn files(&self, folder: &str) -> Result<Vec<(FilePath, Etag)>, EditorFault> {
        let (reader, name, folder) = (self.reader(), self.name.clone(), folder.to_owned());
        match blocking::run(move || reader.files(&name, &folder, usize::MAX, 0)).await {
            Ok(files) => {
                let file = |entry: &FileEntry| Ok((FilePath::parse(&entry.path)?, entry.etag));
                files.entries.iter().map(file).collect()
            }
            Err(Error::NotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// A file at the newest commit, `None` when it is not there.
    pub(super) async fn file(&self, path: &FilePath) -> Result<Option<(Etag, Bytes)>, EditorFault> {
        let (reader, name, path) = (self.reader(), self.name.clone(), path.clone());
        match blocking::run(move || reader.file(&name, &path)).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What a change of an item expects of its file, which was just read as `now`: still to be
    /// that. A fault when the client's `If-Match` speaks of another state.
    pub(super) fn expected(&self, now: Option<Etag>) -> Result<Expected, EditorFault> {
        let holds = match &self.condition {
            Precondition::None => true,
            Precondition::Unreadable => false,
            Precondition::Expected(expected) => expected.holds(now),
        };
        match (holds, now) {
            // Said by the client, who has to read again: not to be tried again here.
            (false, now) => Err(EditorFault::final_word(Error::Stale(now))),
            (true, Some(now)) => Ok(Expected::At(vec![now])),
            (true, None) => Ok(Expected::Absent),
        }
    }

    /// Applies all changes as one commit, or none.
    pub(super) async fn commit(&self, mut changes: Vec<Change>, message: &str) -> Result<Written, EditorFault> {
        let writer = self.writer()?;
        let options = Options { message: Some(message.to_owned()), ..Options::default() };
        if !changes.iter().any(|change| change.path.as_str() == workspace::FILE) {
            let at = self.clone();
            changes.extend(blocking::run(move || at.first_changes(&at.reader())).await?);
        }
        Ok(writer.commit(changes, options).await?)
    }

    /// What the first commit that the editor makes in a workspace adds: `workspace.yml`, where there
    /// is none (decisions.md 28). Blocking.
    pub(super) fn first_changes(&self, reader: &Reader) -> Result<Vec<Change>, EditorFault> {
        match reader.file(&self.name, &workspace::path()?) {
            Ok(_) => Ok(Vec::new()),
            Err(Error::NotFound(_)) => {
                let file = WorkspaceFile::of(self.id, None);
                let mut draft = Draft::new(&file)?;
                draft.set_name(self.name.name());
                draft.changes(&self.context.config(), Expected::Absent)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl InProject {
    /// The path of a file of the project; `inside` as in `sources/nsd/a.yml`.
    pub(super) fn path(&self, inside: &str) -> Result<FilePath, EditorFault> {
        Ok(FilePath::parse(&format!("projects/{}/{inside}", self.folder))?)
    }
}

/// How often a write starts over because somebody else's came in between.
const ATTEMPTS: usize = 8;

/// Runs an attempt to read, work out and commit, again when what it read changed meanwhile.
pub(super) async fn undisturbed<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, EditorFault>
where
    F: Future<Output = Result<T, EditorFault>>,
{
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(fault) if fault.is_outrun() => {}
            done => return done,
        }
    }
    attempt().await
}

/// Largest number that JavaScript holds.
const MOST: u64 = (1 << 53) - 1;

/// A number of the address; where none stands, nothing is there (contracts/editor.md 1).
async fn number(parts: &mut Parts, context: &Context, name: &str) -> Result<u64, Response> {
    let parameters = RawPathParams::from_request_parts(parts, context).await;
    let parameters = parameters.map_err(|_| internal().into_response())?;
    let text = parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    text.and_then(parsed).ok_or_else(|| nothing(parts))
}

/// An id in decimal digits.
pub(super) fn parsed(text: &str) -> Option<u64> {
    let is_decimal = (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|number| is_decimal && *number <= MOST)
}

/// The answer at an address that is none.
fn nothing(parts: &Parts) -> Response {
    let text = format!("there is nothing at {} {}: see /openapi.json for what is here", parts.method, parts.uri.path());
    Fault::new(StatusCode::NOT_FOUND, text).into_response()
}

/// The last number of the address, as in `catalogues/{cat}` or `functions/{vnf}/publish`.
pub(super) struct Last(pub(super) u64);

impl FromRequestParts<Context> for Last {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Response> {
        let parameters = RawPathParams::from_request_parts(parts, context).await;
        let parameters = parameters.map_err(|_| internal().into_response())?;
        let last = parameters.iter().last().and_then(|(_, value)| parsed(value));
        last.map(Last).ok_or_else(|| nothing(parts))
    }
}
