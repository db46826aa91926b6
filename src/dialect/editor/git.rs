//! Projects and their repositories elsewhere (contracts/editor.md 1.13), in git's words.
//!
//! A project's folder is linked by the engine; here are the front end's addresses for it.

mod github;
mod routes;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::{Answer, json};
use super::fault::{EditorFault, as_html};
use super::fields::Fields;
use super::gate::{InWorkspace, PROJECT};
use crate::engine::{Abroad, Error, Found, Linked};
use crate::github::GitHub;
use crate::http::abroad::abroad;
use crate::resource::actor::Role;
use crate::resource::key::{DocumentId, FilePath};

pub(super) use routes::routes;

/// Most bytes of a commit message.
const MESSAGE_MOST: usize = 10_000;

/// The project that a body names.
struct Project {
    at: InWorkspace,
    id: u64,
    found: Found,
}

impl Project {
    fn of(at: InWorkspace, fields: &Fields) -> Result<Self, EditorFault> {
        fields.required("project_id")?;
        let id = fields.number("project_id")?.ok_or_else(|| EditorFault::missing("project_id"))?;
        let found = at.reader().numbered(&at.kind(PROJECT)?, id, &at.name).map_err(|error| match error {
            Error::NotFound(_) => EditorFault::not_found(format!("Could not find project with id {id}")),
            other => other.into(),
        })?;
        Ok(Project { at, id, found })
    }

    /// Its folder, when the caller's role in the workspace is this or more.
    fn linked(&self, needed: Role) -> Result<Linked, EditorFault> {
        Ok(self.at.context.engine.linked(&self.at.actor, &self.found, needed)?)
    }

    async fn abroad(&self) -> Result<Abroad, EditorFault> {
        Ok(abroad(&self.at.context, &self.at.actor).await?)
    }
}

fn message(text: &str) -> Answer {
    Ok(json(StatusCode::OK, &json!({ "message": text })))
}

/// `POST git/init`.
async fn init(at: InWorkspace, fields: Fields) -> Answer {
    at.writer()?;
    let project = Project::of(at, &fields)?;
    let is_new = project.linked(Role::Writer)?.init().await?;
    let folder = project.found.row.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    message(&match is_new {
        true => format!("Initialized empty Git repository in {folder}/"),
        false => format!("Reinitialized existing Git repository in {folder}/"),
    })
}

/// `POST git/commit`: publishes the project as it is, and pushes what is published.
async fn commit(at: InWorkspace, fields: Fields) -> Answer {
    at.writer()?;
    let text = fields.required_text("commit_message")?;
    if text.len() > MESSAGE_MOST {
        return Err(EditorFault::bad(format!("the commit message is longer than {MESSAGE_MOST} bytes")));
    }
    let project = Project::of(at, &fields)?;
    let linked = project.linked(Role::Writer)?;
    let revised = linked.commit(text).await?;
    let status = linked.status(None).await?;
    let said = revised.map_or_else(|| status.text.trim_end().to_owned(), |revised| revised.text);
    if status.url.is_none() || status.published == status.remote {
        return message(&said);
    }
    match linked.push(&project.abroad().await?).await {
        Ok(pushed) => message(format!("{said}\n{pushed}").trim_end()),
        Err(error) => {
            Err(EditorFault::from(error).after(&format!("{said}\nThe commit is kept here, but was not pushed:\n")))
        }
    }
}

/// `POST git/status`.
async fn status(at: InWorkspace, fields: Fields) -> Answer {
    let project = Project::of(at, &fields)?;
    let linked = project.linked(Role::Reader)?;
    // Asking elsewhere notes what was seen, which a mere reader does not.
    let abroad = if project.at.role >= Role::Writer { Some(project.abroad().await?) } else { None };
    let status = linked.status(abroad.as_ref()).await?;
    if status.is_linked { message(&as_html(&status.text)) } else { Err(EditorFault::bad(status.text)) }
}

/// `POST git/diff`: `{}` where nothing differs.
async fn diff(at: InWorkspace, fields: Fields) -> Answer {
    let project = Project::of(at, &fields)?;
    let unified = project.linked(Role::Reader)?.diff().await?;
    if unified.is_empty() { Ok(json(StatusCode::OK, &json!({}))) } else { message(&as_html(&unified)) }
}

/// `POST git/pull`.
async fn pull(at: InWorkspace, fields: Fields) -> Answer {
    at.writer()?;
    let project = Project::of(at, &fields)?;
    let linked = project.linked(Role::Writer)?;
    if linked.url().await?.is_none() {
        let text = format!("Project with id {} is missing the repo attribute", project.id);
        return Err(EditorFault::bad(text));
    }
    let pulled = linked.pull(&project.abroad().await?).await?;
    let mut said = pulled.text;
    for line in &pulled.violations {
        said.push('\n');
        said.push_str(line);
    }
    message(&as_html(said.trim_end()))
}

/// `POST git/clone`.
async fn clone(at: InWorkspace, fields: Fields) -> Answer {
    at.writer()?;
    let url = fields.required_text("url")?.to_owned();
    let body = cloned(&at, &url, fields.text("name")?).await?;
    Ok(json(StatusCode::OK, &body))
}

/// Makes a project of a repository at GitHub: `{"id", "message"}`. Without a name it gets that of
/// the repository.
pub(super) async fn cloned(at: &InWorkspace, url: &str, name: Option<&str>) -> Result<Value, EditorFault> {
    let config = at.context.config();
    let Some(github) = GitHub::of(&config) else {
        return Err(EditorFault::bad("this server has no login by GitHub, so it clones nothing from there"));
    };
    let Some(url) = github.own(url) else {
        return Err(EditorFault::bad(format!("Can only clone repositories of {}, as {0}/OWNER/NAME", github.origin())));
    };
    let last = url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let last = last.strip_suffix(".git").unwrap_or(last);
    let name = name.filter(|name| !name.is_empty()).unwrap_or(last).to_owned();
    if name.contains('/') {
        return Err(EditorFault::bad(format!("'{name}' is no name for a project: it must not hold a slash")));
    }
    let document = FilePath::parse(&format!("projects/{name}/project.yml"))?;
    let abroad = abroad(&at.context, &at.actor).await?;
    let engine = &at.context.engine;
    let made = engine.clone_folder(&at.actor, &at.name, document, url.as_str(), Map::new(), &abroad).await;
    let made = made.map_err(|error| match error {
        Error::Exists(_) => EditorFault::conflict(format!("A project with name {name} already exists")),
        other => other.into(),
    })?;
    let files = if made.files == 1 { "1 file".to_owned() } else { format!("{} files", made.files) };
    let mut said = format!("Cloning into '{name}'...\n{files}");
    for line in &made.violations {
        said.push('\n');
        said.push_str(line);
    }
    let id = match DocumentId::from_stored(&made.found.row.id) {
        DocumentId::Number(id) => json!(id),
        DocumentId::Text(text) => json!(&*text),
    };
    Ok(json!({ "id": id, "message": said }))
}
