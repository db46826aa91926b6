//! `/api/v1/tokens`: one's own access tokens.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use super::super::documents::{Answer, json_answer};
use super::own;
use crate::auth::{Address, By, Required};
use crate::base::clock;
use crate::engine::Error;
use crate::http::body::{Small, json_body, only, required_text, text};
use crate::http::context::Context;
use crate::http::parameters::Parameters;
use crate::http::path::Path;
use crate::resource::actor::Scope;
use crate::state::tokens::Token;

const DAY: i64 = 24 * 60 * 60;

fn shown(token: &Token) -> Value {
    let time = |seconds: Option<i64>| seconds.map(clock::rfc3339);
    json!({
        "id": token.id,
        "name": token.name,
        "scope": token.scope.name(),
        "created_at": clock::rfc3339(token.created_at),
        "expires_at": time(token.expires_at),
        "used_at": time(token.used_at),
    })
}

/// `GET /api/v1/tokens`.
pub(super) async fn list_tokens(State(context): State<Context>, caller: Required, parameters: Parameters) -> Answer {
    parameters.only(&[])?;
    let actor = caller.0?;
    let tokens = context.accounts.tokens(own(&actor)?).await?;
    let count = tokens.len();
    let body = json!({
        "tokens": tokens.iter().map(shown).collect::<Vec<_>>(),
        "_meta": { "count": count, "limit": count, "offset": 0 },
    });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

/// `POST /api/v1/tokens {"name", "scope"?, "expires_in_days"?}`.
pub(super) async fn post_token(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    headers: HeaderMap,
    Small(body): Small,
) -> Answer {
    let actor = caller.0?;
    let account = own(&actor)?;
    let body = json_body(&headers, &body)?;
    let body = only(&body, &["name", "scope", "expires_in_days"])?;
    let scope = text(body, "scope")?.unwrap_or("write");
    let scope = Scope::parse(scope).ok_or_else(|| {
        let valid = ["read", "write", "admin"].map(str::to_owned).to_vec();
        Error::with_valid(format!("unknown scope {scope:?}"), "valid_scopes", valid)
    })?;
    let expires_at = match &body["expires_in_days"] {
        Value::Null => None,
        days => {
            let days = days.as_i64().filter(|days| (1..=36_500).contains(days));
            let days =
                days.ok_or_else(|| Error::bad_request("expires_in_days must be a whole number from 1 to 36500"))?;
            Some(clock::now() + days * DAY)
        }
    };
    let name = required_text(body, "name")?;
    let (token, secret) =
        context.accounts.create_token(&By::of(&actor, &from), account, name, scope, expires_at).await?;
    let mut shown = shown(&token);
    shown["token"] = json!(secret);
    Ok(json_answer(StatusCode::CREATED, json!({ "token": shown }).to_string()))
}

/// `DELETE /api/v1/tokens/{id}`.
pub(super) async fn delete_token(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    Path(id): Path<String>,
) -> Answer {
    let actor = caller.0?;
    let account = own(&actor)?;
    let id = id.parse().map_err(|_| Error::NotFound(format!("token {id:?}")))?;
    context.accounts.delete_token(&By::of(&actor, &from), account, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
