//! Logging in for signed tokens, and what is done with them.

use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, http};
use serde_json::json;

use super::fault::DmpFault;
use crate::auth::{Address, By, Claims, Refusal};
use crate::http::context::Context;
use crate::resource::actor::Account;

type Answer = Result<Response, DmpFault>;

/// What stands for an address and a project that nobody gave.
const NONE: &str = "none";

/// `GET /login` with Basic credentials.
pub async fn login(context: &Context, parts: &Parts) -> Response {
    answer(context, parts).await.into_response()
}

async fn answer(context: &Context, parts: &Parts) -> Answer {
    let account = match context.authenticator.login_by_basic(parts).await {
        Ok(Some(account)) => account,
        // Here these are errors of the application, not of the token layer.
        Ok(None) | Err(Refusal::Malformed) => {
            let text = "the Authorization header is not readable: send Basic and base64 of name:password";
            return Err(DmpFault::new(StatusCode::UNAUTHORIZED, text));
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let pair = context.authenticator.sign(&account).await?;
    let by = By { name: Some(account.name.clone()), address: context.authenticator.address(parts) };
    context.accounts.note(&by, "login.signed", None, None).await;
    let group = context.accounts.first_group(&account).await?;
    let (project, description) = group.unwrap_or_else(|| (NONE.to_owned(), String::new()));
    let body = json!({
        "username": account.name,
        "email": account.email.as_deref().unwrap_or(NONE),
        "project": project,
        "project_description": description,
        "access_token": pair.access,
        "refresh_token": pair.refresh,
    });
    Ok(Json(body).into_response())
}

/// The token of `Bearer <one word>`, which is the only form that this API takes.
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let header = headers.get(AUTHORIZATION).ok_or(Refusal::Missing)?;
    let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).ok_or(Refusal::Malformed)?;
    if token.is_empty() || token.contains(' ') { Err(Refusal::Malformed) } else { Ok(token) }
}

async fn signed(context: &Context, headers: &HeaderMap) -> Result<(Account, Claims), Refusal> {
    context.authenticator.signed(bearer(headers)?).await
}

/// `GET /start`.
pub(super) async fn start(State(context): State<Context>, headers: HeaderMap) -> Answer {
    signed(&context, &headers).await?;
    Ok("workleaf is here and your token is good: see / for the API\n".into_response())
}

/// `DELETE /logout`: the token, and the refresh token that was given with it, are good no more.
pub(super) async fn logout(State(context): State<Context>, from: Address, headers: HeaderMap) -> Answer {
    let (account, claims) = signed(&context, &headers).await?;
    context.authenticator.end(&claims).await?;
    context.accounts.note(&By { name: Some(account.name), address: from.0 }, "logout", None, None).await;
    Ok(Json(json!({ "msg": "logged out" })).into_response())
}

/// `PUT /changepassword` with the new password in the header `newpassword`. Ends every login, this
/// one too.
pub(super) async fn change_password(State(context): State<Context>, from: Address, headers: HeaderMap) -> Answer {
    let (account, _) = signed(&context, &headers).await?;
    let new = headers.get(http::HeaderName::from_static("newpassword"));
    let new = new.and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).filter(|new| !new.is_empty());
    let Some(new) = new else {
        let text = "the header newpassword is missing: put the new password there";
        return Err(DmpFault::new(StatusCode::BAD_REQUEST, text));
    };
    let by = By { name: Some(account.name.clone()), address: from.0 };
    context.accounts.set_password(&by, &account.name, Some(new.to_owned()), Some(account.epoch)).await?;
    Ok(Json(json!({ "msg": "the password was changed: log in again" })).into_response())
}

/// `GET` and `POST /refresh`: a new access token and, because each is good once, a new refresh
/// token.
pub(super) async fn refresh(
    State(context): State<Context>,
    from: Address,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let pair = context.authenticator.refresh(bearer(&headers)?, from.0).await?;
    let status = if method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
    let body = json!({ "access_token": pair.access, "refresh_token": pair.refresh });
    Ok((status, Json(body)).into_response())
}
