//! Workspaces and commits of several changes.

use axum::extract::State;
use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::documents::{Answer, LOCATION, escaped, json_answer};
use super::writes::{WRITE_PARAMETERS, changes, options};
use crate::auth::{Address, By, Caller, Required};
use crate::base::blocking;
use crate::engine::{Error, NewWorkspace, Overview, Refused, SettingsChange};
use crate::http::body::{Whole, json_body, merge_patch_body, only, text};
use crate::http::context::Context;
use crate::http::fault::{Fault, violations_json};
use crate::http::parameters::{LIMIT, LIMIT_MOST, Parameters};
use crate::http::path::Path;
use crate::resource::actor::{Actor, Role};
use crate::resource::key::WorkspaceName;
use crate::store::{PushPolicy, Settings};

/// `overview` is missing for a workspace that only would be made.
fn object(
    context: &Context,
    headers: &HeaderMap,
    name: &WorkspaceName,
    settings: Settings,
    overview: Option<&Overview>,
) -> Value {
    let base = context.config().base_url(headers.get(HOST).and_then(|host| host.to_str().ok()));
    let counts = overview.map_or(&[][..], |overview| &overview.documents);
    let documents = counts.iter().map(|count| (count.kind.to_string(), json!(count.documents)));
    json!({
        "id": overview.map(|overview| overview.id),
        "owner": name.owner(),
        "name": name.name(),
        "workspace": name.as_str(),
        "clone_url": format!("{base}/git/{}/{}.git", escaped(name.owner()), escaped(name.name())),
        "head": overview.map(|overview| overview.head.to_string()),
        "public": settings.public,
        "push": settings.push.as_str(),
        "force_push": settings.force_push,
        "role": overview.map_or(Some(Role::Admin), |overview| overview.role).map(Role::name),
        "documents": Map::from_iter(documents),
        "violations": counts.iter().map(|count| count.violating).sum::<usize>(),
    })
}

fn shown(context: &Context, headers: &HeaderMap, overview: &Overview) -> Value {
    object(context, headers, &overview.name, overview.settings, Some(overview))
}

/// `GET /api/v1/workspaces`.
pub(super) async fn list_workspaces(
    State(context): State<Context>,
    caller: Caller,
    parameters: Parameters,
    headers: HeaderMap,
) -> Answer {
    parameters.only(&["limit", "offset"])?;
    let page = parameters.page(LIMIT, LIMIT_MOST)?;
    let reader = context.engine.reader(&caller.0?);
    let (count, overviews) = blocking::run(move || {
        let names = reader.workspaces()?;
        let count = names.len();
        let overviews = page.of(&names).map(|name| reader.workspace(name));
        Ok::<_, Error>((count, overviews.collect::<Result<Vec<_>, _>>()?))
    })
    .await?;
    let objects: Vec<Value> = overviews.iter().map(|overview| shown(&context, &headers, overview)).collect();
    let body = json!({ "workspaces": objects, "_meta": page.meta(count) });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

/// `POST /api/v1/workspaces {"owner"?, "name", "public"?, "push"?, "force_push"?}`.
pub(super) async fn post_workspace(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    parameters: Parameters,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Answer {
    parameters.only(&["dry_run"])?;
    let actor = caller.0?;
    let new = new_workspace(&actor, &json_body(&headers, &body)?)?;
    if parameters.flag("dry_run")? {
        context.engine.check_creation(&actor, &new.name)?;
        let body = json!({ "workspace": object(&context, &headers, &new.name, new.settings, None) });
        return Ok(json_answer(StatusCode::OK, body.to_string()));
    }
    let overview = context.engine.create_workspace(&actor, new).await?;
    let by = By::of(&actor, &from);
    let public = overview.settings.public.then_some("public");
    context.accounts.note(&by, "workspace.created", Some(overview.name.as_str()), public).await;
    let body = json!({ "workspace": shown(&context, &headers, &overview) });
    let mut response = json_answer(StatusCode::CREATED, body.to_string());
    let location = format!("/api/v1/workspaces/{}/{}", escaped(overview.name.owner()), escaped(overview.name.name()));
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, value);
    }
    Ok(response)
}

fn new_workspace(actor: &Actor, body: &Value) -> Result<NewWorkspace, Error> {
    let body = only(body, &["owner", "name", "public", "push", "force_push"])?;
    let name = body["name"].as_str().ok_or_else(|| Error::bad_request("name is missing"))?;
    let owner = match &body["owner"] {
        Value::String(owner) => owner.as_str(),
        Value::Null => actor.name().unwrap_or_default(),
        _ => return Err(Error::bad_request("owner must be a string")),
    };
    let public = flag(body, "public")?.unwrap_or_default();
    let force_push = flag(body, "force_push")?.unwrap_or_default();
    let push = push(&body["push"])?.unwrap_or_default();
    Ok(NewWorkspace { name: WorkspaceName::new(owner, name)?, settings: Settings { public, push, force_push } })
}

fn flag(body: &Value, name: &str) -> Result<Option<bool>, Error> {
    match &body[name] {
        Value::Bool(is_set) => Ok(Some(*is_set)),
        Value::Null => Ok(None),
        _ => Err(Error::bad_request(format!("{name} must be true or false"))),
    }
}

fn push(value: &Value) -> Result<Option<PushPolicy>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if PushPolicy::parse(text).is_some() => Ok(PushPolicy::parse(text)),
        _ => Err(Error::bad_request("push must be \"free\" or \"strict\"")),
    }
}

/// `PATCH /api/v1/workspaces/{owner}/{name} {"name"?, "public"?, "push"?, "force_push"?}`.
pub(super) async fn patch_workspace(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path((owner, name)): Path<(String, String)>,
    parameters: Parameters,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Answer {
    parameters.only(&["dry_run"])?;
    let (actor, name) = (caller.0?, WorkspaceName::new(&owner, &name)?);
    let body = merge_patch_body(&headers, &body)?;
    let members = only(&body, &["name", "public", "push", "force_push"])?;
    let change = SettingsChange {
        public: flag(members, "public")?,
        push: push(&members["push"])?,
        force_push: flag(members, "force_push")?,
    };
    let to = text(members, "name")?;
    if let Some(to) = to {
        context.engine.check_renaming(&actor, &name, to)?;
    }
    let is_dry_run = parameters.flag("dry_run")?;
    let mut overview = context.engine.change_settings(&actor, &name, change, is_dry_run).await?;
    let by = By { name: actor.name().map(str::to_owned), address: from.0 };
    if let (Some(to), false) = (to, is_dry_run) {
        overview = context.engine.rename_workspace(&actor, &name, to).await?;
        context.accounts.note(&by, "workspace.renamed", Some(name.as_str()), Some(overview.name.as_str())).await;
    }
    if !is_dry_run && change != SettingsChange::default() {
        let detail = overview.settings.describe();
        context.accounts.note(&by, "workspace.changed", Some(overview.name.as_str()), Some(&detail)).await;
    }
    let body = json!({ "workspace": shown(&context, &headers, &overview) });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

/// `GET /api/v1/workspaces/{owner}/{name}`.
pub(super) async fn get_workspace(
    State(context): State<Context>,
    caller: Caller,
    Path((owner, name)): Path<(String, String)>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Answer {
    parameters.only(&[])?;
    let reader = context.engine.reader(&caller.0?);
    let name = WorkspaceName::new(&owner, &name)?;
    let overview = blocking::run(move || reader.workspace(&name)).await?;
    let body = json!({ "workspace": shown(&context, &headers, &overview) });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

/// `DELETE /api/v1/workspaces/{owner}/{name}`.
pub(super) async fn delete_workspace(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path((owner, name)): Path<(String, String)>,
    parameters: Parameters,
) -> Answer {
    parameters.only(&["dry_run"])?;
    let (actor, name) = (caller.0?, WorkspaceName::new(&owner, &name)?);
    if parameters.flag("dry_run")? {
        context.engine.check_deletion(&actor, &name)?;
    } else {
        context.engine.delete_workspace(&actor, &name).await?;
        let by = By::of(&actor, &from);
        context.accounts.note(&by, "workspace.deleted", Some(name.as_str()), None).await;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Says which change an error is about.
fn refused(refused: Refused) -> Fault {
    let fault = Fault::from(*refused.error);
    match refused.change {
        Some((index, path)) => fault.with("change", json!({ "index": index, "path": path.as_str() })),
        None => fault,
    }
}

/// `POST /api/v1/workspaces/{owner}/{name}/commits`.
pub(super) async fn post_commits(
    State(context): State<Context>,
    caller: Required,
    Path((owner, name)): Path<(String, String)>,
    parameters: Parameters,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Result<Response, Fault> {
    parameters.only(&WRITE_PARAMETERS)?;
    let mut options = options(&parameters)?;
    let actor = caller.0?;
    let writer = context.engine.writer(&actor, &WorkspaceName::new(&owner, &name)?)?;
    let (changes, message) = changes(&json_body(&headers, &body)?, context.config().limits.changes)?;
    options.message = message.or(options.message);
    let dry_run = options.dry_run;
    let written = writer.commit_all(changes, options).await.map_err(refused)?;
    let entries = written.applied.iter().map(|applied| {
        json!({
            "path": applied.path.as_str(),
            "kind": applied.kind.as_ref().map(|kind| kind.name.to_string()),
            "etag": applied.etag.map(|etag| etag.to_string()),
            "created": applied.created,
            "violations": applied.content.as_ref().map_or(Value::Array(Vec::new()), |content| violations_json(&content.violations)),
        })
    });
    let body = json!({ "commit": written.commit, "changes": entries.collect::<Vec<_>>() });
    let status = if dry_run || written.commit.is_none() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(json_answer(status, body.to_string()))
}
