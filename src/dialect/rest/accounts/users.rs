//! `/api/v1/users`: accounts, for administrators; one's own for everybody.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use super::super::documents::{Answer, json_answer};
use super::{administrator, own};
use crate::auth::{Address, By, NewUser, Required};
use crate::engine::Error;
use crate::http::body::{Small, json_body, merge_patch_body, only, required_text, text};
use crate::http::context::Context;
use crate::http::parameters::{LIMIT, LIMIT_MOST, Parameters};
use crate::http::path::Path;
use crate::resource::actor::{Account, Actor};

fn shown(account: &Account) -> Value {
    json!({ "name": account.name, "email": account.email, "admin": account.is_admin })
}

fn is_self(actor: &Actor, name: &str) -> bool {
    actor.name().is_some_and(|own| own.eq_ignore_ascii_case(name))
}

/// Lets in who manages the account: its owner, or an administrator.
fn manager(actor: &Actor, name: &str) -> Result<(), Error> {
    if is_self(actor, name) { own(actor).map(|_| ()) } else { administrator(actor) }
}

fn flag(body: &Value, name: &str) -> Result<Option<bool>, Error> {
    match &body[name] {
        Value::Bool(flag) => Ok(Some(*flag)),
        Value::Null => Ok(None),
        _ => Err(Error::bad_request(format!("{name} must be true or false"))),
    }
}

/// `GET /api/v1/users`.
pub(super) async fn list_users(State(context): State<Context>, caller: Required, parameters: Parameters) -> Answer {
    parameters.only(&["limit", "offset"])?;
    let page = parameters.page(LIMIT, LIMIT_MOST)?;
    administrator(&caller.0?)?;
    let accounts = context.accounts.accounts().await?;
    let shown: Vec<Value> = page.of(&accounts).map(shown).collect();
    let body = json!({ "users": shown, "_meta": page.meta(accounts.len()) });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

/// `POST /api/v1/users {"name", "email"?, "password"?, "admin"?}`.
pub(super) async fn post_user(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    headers: HeaderMap,
    Small(body): Small,
) -> Answer {
    let actor = caller.0?;
    administrator(&actor)?;
    let body = json_body(&headers, &body)?;
    let body = only(&body, &["name", "email", "password", "admin"])?;
    let new = NewUser {
        name: required_text(body, "name")?.to_owned(),
        email: text(body, "email")?.map(str::to_owned),
        password: text(body, "password")?.map(str::to_owned),
        is_admin: flag(body, "admin")?.unwrap_or(false),
    };
    let (account, password) = context.accounts.create(&By::of(&actor, &from), new).await?;
    let mut shown = shown(&account);
    if let Some(password) = password {
        shown["password"] = json!(password);
    }
    Ok(json_answer(StatusCode::CREATED, json!({ "user": shown }).to_string()))
}

/// `GET /api/v1/users/{name}`.
pub(super) async fn get_user(State(context): State<Context>, caller: Required, Path(name): Path<String>) -> Answer {
    let actor = caller.0?;
    if !is_self(&actor, &name) {
        administrator(&actor)?;
    }
    let account = context.accounts.account(&name).await?;
    Ok(json_answer(StatusCode::OK, json!({ "user": shown(&account) }).to_string()))
}

/// `PATCH /api/v1/users/{name} {"email"?, "admin"?}`.
pub(super) async fn patch_user(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path(name): Path<String>,
    headers: HeaderMap,
    Small(body): Small,
) -> Answer {
    let actor = caller.0?;
    manager(&actor, &name)?;
    let body = merge_patch_body(&headers, &body)?;
    let body = only(&body, &["email", "admin"])?;
    let admin = flag(body, "admin")?;
    if admin.is_some() {
        administrator(&actor)?;
    }
    // A merge patch removes by null.
    let email = if body.get("email").is_some() { Some(text(body, "email")?) } else { None };
    let account = context.accounts.change(&By::of(&actor, &from), &name, email, admin).await?;
    Ok(json_answer(StatusCode::OK, json!({ "user": shown(&account) }).to_string()))
}

/// `PUT /api/v1/users/{name}/password {"password", "current"?}`.
pub(super) async fn put_password(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path(name): Path<String>,
    headers: HeaderMap,
    Small(body): Small,
) -> Answer {
    let actor = caller.0?;
    manager(&actor, &name)?;
    let body = json_body(&headers, &body)?;
    let body = only(&body, &["password", "current"])?;
    let password = required_text(body, "password")?.to_owned();
    // Whoever finds an open browser does not get to keep the account.
    let mut epoch = None;
    if is_self(&actor, &name) {
        epoch = Some(own(&actor)?.epoch);
        if context.accounts.has_password(&name).await? {
            let current = text(body, "current")?;
            let missing = || Error::bad_request("current is missing: it is the password until now");
            epoch = Some(context.authenticator.login(&name, current.ok_or_else(missing)?, from.0).await?.epoch);
        }
    }
    context.accounts.set_password(&By::of(&actor, &from), &name, Some(password), epoch).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/v1/users/{name}`.
pub(super) async fn delete_user(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path(name): Path<String>,
) -> Answer {
    let actor = caller.0?;
    administrator(&actor)?;
    context.accounts.delete(&By::of(&actor, &from), &name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/v1/users/{name}/identities/{provider}/{subject}`.
pub(super) async fn delete_identity(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path((name, provider, subject)): Path<(String, String, String)>,
) -> Answer {
    let actor = caller.0?;
    manager(&actor, &name)?;
    let account = context.accounts.account(&name).await?;
    context.accounts.unlink(&By::of(&actor, &from), &account, &provider, &subject).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
