//! `/api/v1/workspaces/{owner}/{name}/members`: who else may do what there.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use super::super::documents::{Answer, json_answer};
use crate::auth::{Address, By, Caller, Required};
use crate::engine::Error;
use crate::http::body::{Small, json_body, only, required_text};
use crate::http::context::Context;
use crate::http::parameters::Parameters;
use crate::http::path::Path;
use crate::resource::actor::Role;
use crate::resource::key::WorkspaceName;
use crate::state::members::{Holder, Member};

fn shown(member: &Member) -> Value {
    json!({ "who": member.who(), "role": member.role.name() })
}

/// `GET /api/v1/workspaces/{owner}/{name}/members`.
pub(super) async fn list_members(
    State(context): State<Context>,
    caller: Caller,
    Path((owner, name)): Path<(String, String)>,
    parameters: Parameters,
) -> Answer {
    parameters.only(&[])?;
    let members = context.engine.members(&caller.0?, &WorkspaceName::new(&owner, &name)?).await?;
    let count = members.len();
    let body = json!({
        "members": members.iter().map(shown).collect::<Vec<_>>(),
        "_meta": { "count": count, "limit": count, "offset": 0 },
    });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

/// `GET /api/v1/workspaces/{owner}/{name}/members/{who}`.
pub(super) async fn get_member(
    State(context): State<Context>,
    caller: Caller,
    Path((owner, name, text)): Path<(String, String, String)>,
) -> Answer {
    let workspace = WorkspaceName::new(&owner, &name)?;
    let members = context.engine.members(&caller.0?, &workspace).await?;
    // The names of accounts ignore case.
    let is_wanted = |member: &&Member| match member.holder {
        Holder::Account(_) => member.who().eq_ignore_ascii_case(&text),
        Holder::Group(_) => member.who() == text,
    };
    let member = members.iter().find(is_wanted);
    let member = member.ok_or_else(|| Error::NotFound(format!("member {text:?} of {workspace}")))?;
    Ok(json_answer(StatusCode::OK, json!({ "member": shown(member) }).to_string()))
}

/// `PUT /api/v1/workspaces/{owner}/{name}/members/{who} {"role"}`.
pub(super) async fn put_member(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path((owner, name, text)): Path<(String, String, String)>,
    headers: HeaderMap,
    Small(body): Small,
) -> Answer {
    let actor = caller.0?;
    let body = json_body(&headers, &body)?;
    let role = required_text(only(&body, &["role"])?, "role")?;
    let role = Role::parse(role).ok_or_else(|| {
        let valid = ["reader", "writer", "admin"].map(str::to_owned).to_vec();
        Error::with_valid(format!("unknown role {role:?}"), "valid_roles", valid)
    })?;
    let workspace = WorkspaceName::new(&owner, &name)?;
    let member = context.accounts.grant(&By::of(&actor, &from), &actor, &workspace, &text, role).await?;
    Ok(json_answer(StatusCode::OK, json!({ "member": shown(&member) }).to_string()))
}

/// `DELETE /api/v1/workspaces/{owner}/{name}/members/{who}`.
pub(super) async fn delete_member(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path((owner, name, text)): Path<(String, String, String)>,
) -> Answer {
    let actor = caller.0?;
    let workspace = WorkspaceName::new(&owner, &name)?;
    context.accounts.revoke(&By::of(&actor, &from), &actor, &workspace, &text).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
