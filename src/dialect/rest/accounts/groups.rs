//! `/api/v1/groups`: groups of accounts, which the DMP tool calls projects.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use super::super::documents::{Answer, json_answer};
use super::administrator;
use crate::auth::{Address, By, Required};
use crate::engine::Error;
use crate::http::body::{Small, json_body, merge_patch_body, only, required_text, text};
use crate::http::context::Context;
use crate::http::parameters::{LIMIT, LIMIT_MOST, Parameters};
use crate::http::path::Path;
use crate::resource::actor::Actor;
use crate::state::groups::Group;

fn shown(group: &Group) -> Value {
    json!({ "name": group.name, "description": group.description, "members": group.members })
}

/// Members see their groups, administrators all.
fn sees(actor: &Actor, group: &Group) -> bool {
    actor.is_admin() || actor.name().is_some_and(|name| group.members.iter().any(|member| member == name))
}

/// `GET /api/v1/groups`.
pub(super) async fn list_groups(State(context): State<Context>, caller: Required, parameters: Parameters) -> Answer {
    parameters.only(&["limit", "offset"])?;
    let page = parameters.page(LIMIT, LIMIT_MOST)?;
    let actor = caller.0?;
    let mut groups = context.accounts.groups().await?;
    groups.retain(|group| sees(&actor, group));
    let shown: Vec<Value> = page.of(&groups).map(shown).collect();
    let body = json!({ "groups": shown, "_meta": page.meta(groups.len()) });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

/// `POST /api/v1/groups {"name", "description"?}`.
pub(super) async fn post_group(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    headers: HeaderMap,
    Small(body): Small,
) -> Answer {
    let actor = caller.0?;
    administrator(&actor)?;
    let body = json_body(&headers, &body)?;
    let body = only(&body, &["name", "description"])?;
    let (name, description) = (required_text(body, "name")?, text(body, "description")?.unwrap_or_default());
    let group = context.accounts.create_group(&By::of(&actor, &from), name, description).await?;
    Ok(json_answer(StatusCode::CREATED, json!({ "group": shown(&group) }).to_string()))
}

/// `GET /api/v1/groups/{group}`.
pub(super) async fn get_group(State(context): State<Context>, caller: Required, Path(name): Path<String>) -> Answer {
    let actor = caller.0?;
    let group = context.accounts.group(&name).await?;
    if !sees(&actor, &group) {
        return Err(Error::NotFound(format!("group {name:?}")).into());
    }
    Ok(json_answer(StatusCode::OK, json!({ "group": shown(&group) }).to_string()))
}

/// `PATCH /api/v1/groups/{group} {"description"}`.
pub(super) async fn patch_group(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path(name): Path<String>,
    headers: HeaderMap,
    Small(body): Small,
) -> Answer {
    let actor = caller.0?;
    administrator(&actor)?;
    let body = merge_patch_body(&headers, &body)?;
    let description = required_text(only(&body, &["description"])?, "description")?;
    let group = context.accounts.describe_group(&By::of(&actor, &from), &name, description).await?;
    Ok(json_answer(StatusCode::OK, json!({ "group": shown(&group) }).to_string()))
}

/// `DELETE /api/v1/groups/{group}`.
pub(super) async fn delete_group(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path(name): Path<String>,
) -> Answer {
    let actor = caller.0?;
    administrator(&actor)?;
    context.accounts.delete_group(&By::of(&actor, &from), &name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `PUT /api/v1/groups/{group}/members/{account}`.
pub(super) async fn put_member(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path((group, account)): Path<(String, String)>,
) -> Answer {
    let actor = caller.0?;
    administrator(&actor)?;
    context.accounts.join_group(&By::of(&actor, &from), &group, &account).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/v1/groups/{group}/members/{account}`.
pub(super) async fn delete_member(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path((group, account)): Path<(String, String)>,
) -> Answer {
    let actor = caller.0?;
    administrator(&actor)?;
    context.accounts.leave_group(&By::of(&actor, &from), &group, &account).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
