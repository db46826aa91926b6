//! Folders that are linked to a repository elsewhere, for kinds that say so.

mod routes;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::documents::{Answer, json_answer, single};
use super::query;
use super::wire::Extras;
use super::writes::locate_header;
use crate::auth::{Caller, Required};
use crate::base::blocking;
use crate::engine::{Error, LinkStatus, Linked, Payload};
use crate::http::abroad::abroad;
use crate::http::body::{Whole, json_body, only, prefers, required_text, text};
use crate::http::context::Context;
use crate::http::fault::Fault;
use crate::http::parameters::Parameters;
use crate::http::path::Path;
use crate::resource::actor::{Actor, Role};
use crate::resource::key::WorkspaceName;
use crate::resource::kind::Kind;
use crate::store::Verb;

pub(super) use routes::{cloning, routes};

/// The document that the address names, and who asks.
pub(super) struct Named {
    context: Context,
    actor: Actor,
    kind: Arc<Kind>,
    reference: String,
    parameters: Parameters,
}

impl FromRequestParts<Context> for Named {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Response> {
        let Ok(Caller(actor)) = Caller::from_request_parts(parts, context).await;
        let actor = actor.map_err(|refusal| Fault::from(refusal).into_response())?;
        let kind = Extension::<Arc<Kind>>::from_request_parts(parts, context).await;
        let Extension(kind) = kind.map_err(IntoResponse::into_response)?;
        let Path(reference) = Path::from_request_parts(parts, context).await.map_err(IntoResponse::into_response)?;
        let parameters = Parameters::parse(parts.uri.query().unwrap_or_default());
        Ok(Named { context: context.clone(), actor, kind, reference, parameters })
    }
}

impl Named {
    async fn linked(&self, needed: Role, more: &[&str]) -> Result<Linked, Error> {
        let workspace = query::workspace(&self.parameters)?;
        let reader = self.context.engine.reader(&self.actor);
        let (kind, reference) = (self.kind.clone(), self.reference.clone());
        let found = blocking::run(move || reader.find(&kind, &reference, workspace.as_ref())).await?;
        let linked = self.context.engine.linked(&self.actor, &found, needed)?;
        self.parameters.only(&[&["workspace"], more].concat())?;
        Ok(linked)
    }
}

fn ok(body: &Value) -> Answer {
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

fn shown(status: &LinkStatus) -> Value {
    let verb = |verb: Verb| match verb {
        Verb::New => "new",
        Verb::Modified => "modified",
        Verb::Deleted => "deleted",
        Verb::Renamed => "renamed",
    };
    let changes = status.differences.iter().map(|difference| {
        let mut change = json!({ "verb": verb(difference.verb), "path": difference.path });
        if let Some(from) = &difference.from {
            change["from"] = json!(from);
        }
        change
    });
    json!({ "remote": {
        "url": status.url,
        "linked": status.is_linked,
        "branch": status.branch,
        "published": status.published,
        "seen": status.remote,
        "ahead": status.ahead_behind.map(|(ahead, _)| ahead),
        "behind": status.ahead_behind.map(|(_, behind)| behind),
        "changes": changes.collect::<Vec<_>>(),
        "status": status.text,
    } })
}

/// `GET /api/v1/{plural}/{id}/remote`; `refresh=true` asks the repository first.
async fn get_remote(named: Named) -> Answer {
    let refresh = named.parameters.flag("refresh")?;
    let needed = if refresh { Role::Writer } else { Role::Reader };
    let linked = named.linked(needed, &["refresh"]).await?;
    let abroad = if refresh { Some(abroad(&named.context, &named.actor).await?) } else { None };
    ok(&shown(&linked.status(abroad.as_ref()).await?))
}

/// `PUT .../remote {"url"}`: null makes it a repository of its own, without one elsewhere.
async fn put_remote(named: Named, headers: HeaderMap, Whole(body): Whole) -> Answer {
    let linked = named.linked(Role::Writer, &[]).await?;
    let body = json_body(&headers, &body)?;
    let url = text(only(&body, &["url"])?, "url")?.map(str::to_owned);
    if let Some(url) = &url {
        abroad(&named.context, &named.actor).await?.check(url)?;
    }
    linked.init().await?;
    linked.set_url(url.as_deref()).await?;
    ok(&shown(&linked.status(None).await?))
}

/// `DELETE .../remote`: the folder stays as it is.
async fn delete_remote(named: Named) -> Answer {
    named.linked(Role::Writer, &[]).await?.unlink().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET .../remote/diff`: what differs from the newest published commit.
async fn get_remote_diff(named: Named, headers: HeaderMap) -> Answer {
    let unified = named.linked(Role::Reader, &[]).await?.diff().await?;
    if prefers(&headers, |essence| matches!(essence, "text/x-diff" | "text/x-patch" | "text/plain")) {
        return Ok(([(CONTENT_TYPE, HeaderValue::from_static("text/x-diff; charset=utf-8"))], unified).into_response());
    }
    ok(&json!({ "diff": { "unified": unified } }))
}

/// `POST .../remote/commit {"message"}`.
async fn post_remote_commit(named: Named, headers: HeaderMap, Whole(body): Whole) -> Answer {
    let linked = named.linked(Role::Writer, &[]).await?;
    let body = json_body(&headers, &body)?;
    let revised = linked.commit(required_text(only(&body, &["message"])?, "message")?).await?;
    ok(&json!({ "commit": match revised {
        Some(revised) => json!({ "id": revised.commit, "text": revised.text }),
        None => json!({ "id": null, "text": "nothing to commit, working tree clean" }),
    } }))
}

/// `POST .../remote/push`.
async fn post_remote_push(named: Named) -> Answer {
    let linked = named.linked(Role::Writer, &[]).await?;
    let said = linked.push(&abroad(&named.context, &named.actor).await?).await?;
    ok(&json!({ "push": { "text": said } }))
}

/// `POST .../remote/pull`.
async fn post_remote_pull(named: Named) -> Answer {
    let linked = named.linked(Role::Writer, &[]).await?;
    let pulled = linked.pull(&abroad(&named.context, &named.actor).await?).await?;
    ok(&json!({ "pull": { "text": pulled.text, "changed": pulled.changed, "violations": pulled.violations } }))
}

/// `POST /api/v1/{plural}?clone=URL`: a folder made of a repository.
async fn post_clone(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    parameters: Parameters,
) -> Answer {
    let actor = caller.0?;
    let mut valid: Vec<&str> = vec!["workspace", "path", "clone"];
    valid.extend(kind.place_keys());
    parameters.only(&valid)?;
    let workspace = parameters.get("workspace");
    let workspace = workspace.ok_or_else(|| Error::bad_request("say where: add ?workspace=OWNER/NAME"))?;
    let workspace = WorkspaceName::parse(workspace).map_err(Error::from)?;
    let writer = context.engine.writer(&actor, &workspace)?;
    let given = parameters.iter().filter(|(name, _)| kind.place_keys().contains(name));
    let given: BTreeMap<String, String> = given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let nothing = Payload::Json(Value::Object(Map::new()));
    let (document, _) = writer.place(&kind, parameters.get("path"), given, nothing).await?;
    let abroad = abroad(&context, &actor).await?;
    let url = parameters.get("clone").unwrap_or_default();
    let cloned = context.engine.clone_folder(&actor, &workspace, document, url, Map::new(), &abroad).await?;
    let reader = context.engine.reader(&actor);
    blocking::run(move || {
        let content = reader.content(&cloned.found.row)?;
        let answer = single(&reader, &cloned.found, &content, Extras::default())?;
        let mut response = answer.into_response();
        *response.status_mut() = StatusCode::CREATED;
        locate_header(&mut response, &kind, &cloned.found.row.id, StatusCode::CREATED);
        Ok(response)
    })
    .await
}
