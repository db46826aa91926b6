//! Repositories that a project gets at GitHub and loses there (contracts/editor.md 1.13).

use axum::http::StatusCode;
use serde_json::Value;

use super::super::answer::{Answer, json};
use super::super::fault::EditorFault;
use super::super::fields::Fields;
use super::super::gate::InWorkspace;
use super::{Project, message};
use crate::github::{GitHub, RepositoryError};
use crate::http::abroad::github_token;
use crate::http::fault::Fault;
use crate::resource::actor::{Role, Scope};

/// Somebody at GitHub.
struct Home {
    github: GitHub,
    token: String,
    client: reqwest::Client,
}

impl Home {
    /// `None` for who never logged in by GitHub.
    async fn find(at: &InWorkspace) -> Result<Option<Self>, EditorFault> {
        let Some(github) = GitHub::of(&at.context.config()) else { return Ok(None) };
        let found = github_token(&at.context, &at.actor).await?;
        Ok(found.map(|(token, _)| Home { github, token, client: at.context.client.clone() }))
    }

    async fn needed(at: &InWorkspace) -> Result<Self, EditorFault> {
        let missing = "there is no account at GitHub that belongs to yours: log in by GitHub, or link it";
        Self::find(at).await?.ok_or_else(|| EditorFault::bad(missing))
    }
}

fn fault(error: &RepositoryError) -> EditorFault {
    let text = error.to_string();
    match error {
        RepositoryError::Taken => EditorFault::conflict(text),
        // What GitHub does not let somebody do is not this server's refusal.
        RepositoryError::Refused { status: 404, .. } => EditorFault::not_found(text),
        RepositoryError::Refused { status: 401, .. } => {
            EditorFault::bad(format!("{text}: your login at GitHub is not good any more, log in again"))
        }
        RepositoryError::Refused { .. } => EditorFault::bad(text),
        RepositoryError::RateLimited(seconds) => Fault::new(StatusCode::SERVICE_UNAVAILABLE, text)
            .header(axum::http::header::RETRY_AFTER, &seconds.to_string())
            .into(),
        RepositoryError::Unreachable(source) => {
            tracing::warn!(error = &**source as &dyn std::error::Error, "GitHub");
            EditorFault::new(StatusCode::BAD_GATEWAY, text)
        }
    }
}

/// `GET git/list`: as GitHub describes them; none for who has no account there.
pub(super) async fn list(at: InWorkspace) -> Answer {
    let found = match Home::find(&at).await? {
        Some(home) => home.github.list(&home.client, &home.token).await.map_err(|error| fault(&error))?,
        None => Vec::new(),
    };
    Ok(json(StatusCode::OK, &Value::Array(found)))
}

/// `POST git/create`: a repository at GitHub with all of the project. What cannot be finished is
/// undone there.
pub(super) async fn create(at: InWorkspace, fields: Fields) -> Answer {
    at.writer()?;
    let name = fields.required_text("repo_name")?.trim().to_owned();
    if name.is_empty() || name.contains('/') {
        return Err(EditorFault::bad("'repo_name' is the name of a repository, without its owner"));
    }
    let project = Project::of(at, &fields)?;
    let linked = project.linked(Role::Writer)?;
    if let Some(url) = linked.url().await? {
        return Err(EditorFault::conflict(format!("The project is shared already: {url}")));
    }
    let home = Home::needed(&project.at).await?;
    let abroad = project.abroad().await?;
    // Goes on when the client does not wait: a repository at GitHub must not be left half made.
    let done = tokio::spawn(async move {
        linked.init().await?;
        let url = home.github.create(&home.client, &home.token, &name).await.map_err(|error| match error {
            RepositoryError::Taken => {
                EditorFault::conflict(format!("Repository with name {name} already exist on GitHub"))
            }
            other => fault(&other),
        })?;
        let share = async {
            linked.set_url(Some(&url)).await?;
            let revised = linked.commit("Initial commit").await?;
            let pushed = linked.push(&abroad).await?;
            Ok::<_, crate::engine::Error>(revised.map_or_else(String::new, |revised| revised.text) + "\n" + &pushed)
        };
        match share.await {
            Ok(said) => Ok(said.trim().to_owned()),
            Err(error) => {
                if let Err(error) = linked.leave().await {
                    tracing::warn!(?error, "a project that was not shared keeps its repository's address");
                }
                if let Some((owner, name)) = home.github.own(&url).as_ref().and_then(named)
                    && let Err(error) = home.github.delete(&home.client, &home.token, &owner, &name).await
                {
                    tracing::warn!(%error, "a repository that was made at GitHub stays there");
                }
                Err(error.into())
            }
        }
    });
    let said: Result<String, EditorFault> =
        done.await.map_err(|_| EditorFault::from(crate::http::fault::internal()))?;
    message(&said?)
}

/// `DELETE git/delete`: the project's repository at GitHub goes, the project stays.
pub(super) async fn delete(at: InWorkspace, fields: Fields) -> Answer {
    at.writer()?;
    let wanted = fields.required_text("repo_name")?.to_owned();
    let project = Project::of(at, &fields)?;
    let linked = project.linked(Role::Writer)?;
    if project.at.actor.scope() < Some(Scope::Admin) {
        let text = "deleting a repository at GitHub needs more than a token of the scope write";
        return Err(EditorFault::new(StatusCode::FORBIDDEN, text));
    }
    let Some(url) = linked.url().await? else {
        let text = format!("Project with id {} is missing the repo attribute", project.id);
        return Err(EditorFault::bad(text));
    };
    let home = Home::needed(&project.at).await?;
    let Some((owner, name)) = home.github.own(&url).as_ref().and_then(named) else {
        return Err(EditorFault::bad(format!("{url} is not at GitHub, so it is not deleted from here")));
    };
    if name != wanted.trim() {
        return Err(EditorFault::bad("The given repo name does not correspond to the remote repository name"));
    }
    // As above: what is gone there is not named here any more.
    let done = tokio::spawn(async move {
        home.github.delete(&home.client, &home.token, &owner, &name).await.map_err(|error| fault(&error))?;
        Ok::<_, EditorFault>(linked.leave().await?)
    });
    let left: Result<(), EditorFault> = done.await.map_err(|_| EditorFault::from(crate::http::fault::internal()))?;
    left?;
    message("Successfully deleted")
}

/// Owner and name of a repository by its address.
fn named(url: &reqwest::Url) -> Option<(String, String)> {
    let path = url.path().trim_matches('/');
    let (owner, name) = path.split_once('/')?;
    let name = name.strip_suffix(".git").unwrap_or(name);
    let is_plain = |text: &str| !text.is_empty() && !text.contains('/');
    (is_plain(owner) && is_plain(name)).then(|| (owner.to_owned(), name.to_owned()))
}
