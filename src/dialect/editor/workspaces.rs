//! Workspaces (contracts/editor.md 1.5).

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::answer::{Answer, item, item_unless_fresh, json};
use super::fault::EditorFault;
use super::fields::Fields;
use super::gate::{InWorkspace, LoggedIn, undisturbed};
use super::outward::tokens;
use super::servers::{self, wishes};
use super::sonata::draft::{Draft, Wish};
use super::sonata::workspace::{Entry, Sort, WorkspaceFile};
use super::template;
use crate::auth::{Address, By};
use crate::base::blocking;
use crate::engine::{Change, Error, NewWorkspace, Standing};
use crate::http::conditions::Precondition;
use crate::http::context::Context;
use crate::http::fault::internal;
use crate::http::form;
use crate::resource::actor::{Actor, Role};
use crate::resource::key::WorkspaceName;
use crate::store::Settings;

/// The generations of the schemas that are built in.
const BUILT_IN: usize = 2;

/// `{"id", "name", "path", "catalogues", "platforms", "schema_index"}`; the path is `owner/name`
/// (decisions.md 28).
fn object(at: &InWorkspace, file: &WorkspaceFile) -> Value {
    let shown = |sort| file.entries(sort).iter().map(Entry::shown).collect::<Vec<_>>();
    json!({
        "id": at.id,
        "name": at.name.name(),
        "path": at.name.as_str(),
        "catalogues": shown(Sort::Catalogue),
        "platforms": shown(Sort::Platform),
        "schema_index": file.schema_index(),
    })
}

/// A workspace that the actor has just made or listed.
fn inside(context: &Context, actor: &Actor, standing: Standing) -> InWorkspace {
    InWorkspace {
        context: context.clone(),
        actor: actor.clone(),
        id: standing.id,
        name: standing.name,
        role: standing.role,
        condition: Precondition::None,
    }
}

/// `GET /workspaces/`: the caller's own and those that they were let into.
pub(super) async fn list_workspaces(State(context): State<Context>, LoggedIn(actor): LoggedIn) -> Answer {
    let reader = context.engine.reader(&actor);
    let joined = blocking::run(move || reader.joined()).await?;
    let mut objects = Vec::with_capacity(joined.len());
    for standing in joined {
        let at = inside(&context, &actor, standing);
        // Gone meanwhile: not in the list.
        if let Ok(file) = WorkspaceFile::read(&at).await {
            objects.push(object(&at, &file));
        }
    }
    Ok(json(StatusCode::OK, &Value::Array(objects)))
}

/// `GET /workspaces/{ws}`.
pub(super) async fn get_workspace(at: InWorkspace, headers: HeaderMap) -> Answer {
    let file = WorkspaceFile::read(&at).await?;
    Ok(item_unless_fresh(&headers, &object(&at, &file), file.etag()))
}

/// What a request says a workspace should be.
struct Wanted {
    name: Option<String>,
    /// `None`: as they are.
    catalogues: Option<Vec<Wish>>,
    platforms: Option<Vec<Wish>>,
    schema_index: Option<usize>,
}

impl Wanted {
    fn of(context: &Context, fields: &Fields) -> Result<Self, EditorFault> {
        let count = context.config().schemas.len().max(BUILT_IN);
        let index = fields.number("schema_index")?.map(|index| usize::try_from(index).unwrap_or(usize::MAX));
        if index.is_some_and(|index| index >= count) {
            return Err(EditorFault::bad(format!("'schema_index' must be a number from 0 to {}", count - 1)));
        }
        Ok(Wanted {
            name: fields.text("name")?.map(str::to_owned),
            catalogues: wishes(fields, "catalogues")?,
            platforms: wishes(fields, "platforms")?,
            schema_index: index,
        })
    }

    fn of_sort(&self, sort: Sort) -> Option<&[Wish]> {
        match sort {
            Sort::Catalogue => self.catalogues.as_deref(),
            Sort::Platform => self.platforms.as_deref(),
        }
    }

    /// Asks every server that is listed whether it is there.
    async fn probe(&self, context: &Context) -> Result<(), EditorFault> {
        let listed = [Sort::Catalogue, Sort::Platform].map(|sort| (sort, self.of_sort(sort).unwrap_or_default()));
        servers::probe(context, &listed).await
    }

    /// The changes that make the workspace so, on the file as it was read.
    async fn changes(&self, at: &InWorkspace, file: &WorkspaceFile) -> Result<Vec<Change>, EditorFault> {
        let expected = at.expected(file.etag())?;
        let mut draft = Draft::new(file)?;
        draft.set_name(self.name.as_deref().unwrap_or(at.name.name()));
        if let Some(index) = self.schema_index {
            draft.set_schema_index(index);
        }
        let mut followers = Vec::new();
        for sort in [Sort::Catalogue, Sort::Platform] {
            let Some(wishes) = self.of_sort(sort) else { continue };
            let entries = draft.granted(sort, wishes)?;
            followers.extend(servers::followers(at, sort, &file.entries(sort), &entries).await?);
            draft.set(sort, entries, wishes)?;
        }
        let mut changes = draft.changes(&at.context.config(), expected)?;
        changes.extend(followers);
        Ok(changes)
    }
}

/// `POST /workspaces/`.
pub(super) async fn post_workspace(
    State(context): State<Context>,
    LoggedIn(actor): LoggedIn,
    from: Address,
    fields: Fields,
) -> Answer {
    let wanted = Wanted::of(&context, &fields)?;
    let name = WorkspaceName::new(actor.name().unwrap_or_default(), fields.required_text("name")?)?;
    context.engine.check_creation(&actor, &name).map_err(|error| exists(error, &name))?;
    // Looked at before anything is made.
    let unmade = WorkspaceFile::of(0, None);
    for sort in [Sort::Catalogue, Sort::Platform] {
        Draft::new(&unmade)?.granted(sort, wanted.of_sort(sort).unwrap_or_default())?;
    }
    wanted.probe(&context).await?;
    let new = NewWorkspace { name: name.clone(), settings: Settings::default() };
    to_the_end(async move {
        let overview = context.engine.create_workspace(&actor, new).await.map_err(|error| exists(error, &name))?;
        let standing = Standing { id: overview.id, name: name.clone(), role: Role::Admin };
        let at = inside(&context, &actor, standing);
        match fill(&at, wanted).await {
            Ok(file) => {
                let by = By { name: actor.name().map(str::to_owned), address: from.0 };
                context.accounts.note(&by, "workspace.created", Some(name.as_str()), None).await;
                Ok(item(StatusCode::CREATED, &object(&at, &file), file.etag()))
            }
            Err(fault) => {
                if let Err(error) = context.engine.delete_workspace(&actor, &name).await {
                    tracing::error!(?error, workspace.name = %name, "an unfinished workspace stays");
                }
                Err(fault)
            }
        }
    })
    .await
}

/// Goes on when the client does not wait: several steps make one whole.
async fn to_the_end(work: impl Future<Output = Answer> + Send + 'static) -> Answer {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "a request panicked");
        Err(internal().into())
    })
}

fn exists(error: Error, name: &WorkspaceName) -> EditorFault {
    match error {
        Error::Exists(_) => EditorFault::conflict(format!("Workspace with name {} already exists", name.name())),
        error => error.into(),
    }
}

/// The first files of a new workspace.
async fn fill(at: &InWorkspace, wanted: Wanted) -> Result<WorkspaceFile, EditorFault> {
    let none = WorkspaceFile::of(at.id, None);
    // The original's generation (decisions.md 11).
    let wanted = Wanted { schema_index: wanted.schema_index.or(Some(0)), ..wanted };
    let mut changes = wanted.changes(at, &none).await?;
    changes.extend(template::workspace()?);
    at.commit(changes, "workspace: set up for the editor").await?;
    let file = WorkspaceFile::read(at).await?;
    tokens::keep_all(at, &file, wanted.of_sort(Sort::Catalogue).unwrap_or_default()).await?;
    Ok(file)
}

/// `PUT /workspaces/{ws}`: everything that it names, or nothing of it. In JSON an array that is
/// missing leaves what there is; a form has no arrays, and empties it as the original did
/// (contracts/editor.md 1.5, 5).
pub(super) async fn put_workspace(at: InWorkspace, from: Address, headers: HeaderMap, fields: Fields) -> Answer {
    at.writer()?;
    let mut wanted = Wanted::of(&at.context, &fields)?;
    if form::is_form(&headers) {
        wanted.catalogues.get_or_insert_default();
        wanted.platforms.get_or_insert_default();
    }
    let name = wanted.name.clone().filter(|name| name != at.name.name());
    if let Some(to) = &name {
        at.context.engine.check_renaming(&at.actor, &at.name, to).map_err(|error| taken(error, to))?;
    }
    wanted.changes(&at, &WorkspaceFile::read(&at).await?).await?;
    wanted.probe(&at.context).await?;
    to_the_end(update(at, wanted, name, from)).await
}

/// Renames and changes, or neither.
async fn update(at: InWorkspace, wanted: Wanted, name: Option<String>, from: Address) -> Answer {
    let mut now = at.clone();
    if let Some(to) = &name {
        let renamed = at.context.engine.rename_workspace(&at.actor, &at.name, to).await;
        now.name = renamed.map_err(|error| taken(error, to))?.name;
    }
    let written = undisturbed(|| async {
        let changes = wanted.changes(&now, &WorkspaceFile::read(&now).await?).await?;
        now.commit(changes, "workspace: change its configuration").await
    });
    if let Err(fault) = written.await {
        if name.is_some()
            && let Err(error) = at.context.engine.rename_workspace(&at.actor, &now.name, at.name.name()).await
        {
            tracing::error!(?error, workspace.name = %now.name, "a renamed workspace keeps its new name");
        }
        return Err(fault);
    }
    if name.is_some() {
        let by = By { name: at.actor.name().map(str::to_owned), address: from.0 };
        let (old, new) = (Some(at.name.as_str()), Some(now.name.as_str()));
        at.context.accounts.note(&by, "workspace.renamed", old, new).await;
    }
    let file = WorkspaceFile::read(&now).await?;
    tokens::keep_all(&now, &file, wanted.of_sort(Sort::Catalogue).unwrap_or_default()).await?;
    Ok(item(StatusCode::OK, &object(&now, &file), file.etag()))
}

fn taken(error: Error, to: &str) -> EditorFault {
    match error {
        Error::Exists(_) => EditorFault::conflict(format!("Invalid name parameter, workspace '{to}' already exists")),
        error => error.into(),
    }
}

/// `DELETE /workspaces/{ws}`.
pub(super) async fn delete_workspace(at: InWorkspace, from: Address) -> Answer {
    at.context.engine.check_deletion(&at.actor, &at.name)?;
    let file = WorkspaceFile::read(&at).await?;
    at.expected(file.etag())?;
    at.context.engine.delete_workspace(&at.actor, &at.name).await?;
    let by = By { name: at.actor.name().map(str::to_owned), address: from.0 };
    at.context.accounts.note(&by, "workspace.deleted", Some(at.name.as_str()), None).await;
    Ok(json(StatusCode::OK, &object(&at, &file)))
}
