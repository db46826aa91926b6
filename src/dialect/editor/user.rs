//! Who one is, and logging out.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tower_sessions::Session;

use super::fault::{answered, refused};
use crate::auth::{Address, By, Required};
use crate::config::GITHUB;
use crate::http::context::Context;
use crate::http::fault::{Fault, internal};
use crate::resource::actor::{Account, Actor};

/// `GET /user`: what GitHub says of the one who is logged in, or the little that we know ourselves.
pub(super) async fn get_user(State(context): State<Context>, caller: Required, headers: HeaderMap) -> Response {
    match caller.0 {
        Ok(Actor::Account(account, _)) => match profile(&context, &account).await {
            Ok(profile) => Json(profile).into_response(),
            Err(fault) => answered(&context, &headers, fault),
        },
        Ok(Actor::Anonymous | Actor::System) => answered(&context, &headers, internal()),
        Err(refusal) => refused(&context, &headers, refusal),
    }
}

async fn profile(context: &Context, account: &Account) -> Result<Value, Fault> {
    let identities = context.accounts.identities(account).await?;
    // Who has several is asked for as GitHub knows them: that is what the front end reads.
    let known = identities.iter().find(|identity| identity.provider == GITHUB).or(identities.first());
    let known = known.and_then(|identity| serde_json::from_str::<Value>(&identity.profile).ok());
    Ok(known.unwrap_or_else(|| {
        json!({
            "login": account.name,
            "id": account.id,
            "name": account.name,
            "email": account.email,
            "avatar_url": "",
        })
    }))
}

/// `GET /logout`. Whoever is logged out already stays so.
pub(super) async fn logout(
    State(context): State<Context>,
    caller: Required,
    session: Session,
    from: Address,
    headers: HeaderMap,
) -> Response {
    let Ok(actor) = &caller.0 else { return Json("logged out").into_response() };
    let by = By::of(actor, &from);
    context.accounts.note(&by, "logout", None, None).await;
    if let Err(error) = context.authenticator.end_session(&session).await {
        tracing::error!(%error, "ending a session");
        return answered(&context, &headers, internal());
    }
    Json("logged out").into_response()
}
