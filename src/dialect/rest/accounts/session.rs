//! `/api/v1/session`: logging in and out with a cookie, and who one is.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use tower_sessions::Session;

use super::super::documents::{Answer, json_answer};
use crate::auth::{Address, By, Required};
use crate::http::body::{json_body, only, required_text, small};
use crate::http::context::Context;
use crate::http::fault::{Fault, internal};
use crate::http::parameters::Parameters;
use crate::resource::actor::{Account, Actor, Scope};

/// `GET /api/v1/session`.
pub(super) async fn get_session(State(context): State<Context>, caller: Required, parameters: Parameters) -> Answer {
    parameters.only(&[])?;
    let Actor::Account(account, scope) = caller.0? else { return Err(internal()) };
    Ok(json_answer(StatusCode::OK, shown(&context, &account, scope).await?.to_string()))
}

/// `POST /api/v1/session {"name", "password"}`. A page of another site cannot send JSON unasked, and
/// so cannot log a browser in as somebody of its choice.
pub(super) async fn post_session(
    State(context): State<Context>,
    session: Session,
    from: Address,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let body = json_body(&parts.headers, &small(body).await?)?;
    let body = only(&body, &["name", "password"])?;
    let (name, password) = (required_text(body, "name")?, required_text(body, "password")?);
    let account = context.authenticator.login(name, password, from.0).await?;
    context.authenticator.begin(&session, &account, None).await.map_err(|error| lost(&error))?;
    let by = By { name: Some(account.name.clone()), address: from.0 };
    context.accounts.note(&by, "login.session", None, None).await;
    Ok(json_answer(StatusCode::OK, shown(&context, &account, Scope::Admin).await?.to_string()))
}

/// `DELETE /api/v1/session`.
pub(super) async fn delete_session(
    State(context): State<Context>,
    caller: Required,
    session: Session,
    from: Address,
) -> Answer {
    let actor = caller.0?;
    context.authenticator.end_session(&session).await.map_err(|error| lost(&error))?;
    context.accounts.note(&By::of(&actor, &from), "logout", None, None).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn shown(context: &Context, account: &Account, scope: Scope) -> Result<Value, Fault> {
    let identities = context.accounts.identities(account).await?;
    let identity = |identity: &crate::state::identities::Identity| json!({ "provider": identity.provider, "subject": identity.subject, "login": identity.login });
    Ok(json!({ "session": {
        "account": account.name,
        "email": account.email,
        "admin": account.is_admin,
        "scope": scope.name(),
        "groups": context.accounts.groups_of(account).await?,
        "identities": identities.iter().map(identity).collect::<Vec<_>>(),
    } }))
}

/// A session could not be kept or ended.
pub(super) fn lost(error: &tower_sessions::session::Error) -> Fault {
    tracing::error!(%error, "keeping a session");
    internal()
}
