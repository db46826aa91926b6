//! `/config`: the configuration, changed in place (contracts/editor.md 1.12, decisions.md 21).

use axum::Json;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::Mutex;

use crate::auth::{Address, By, Refusal, Required};
use crate::base::blocking;
use crate::config::ChangeError;
use crate::engine::Error;
use crate::http::body::{Small, json_body};
use crate::http::context::Context;
use crate::http::fault::Fault;
use crate::resource::actor::Actor;

/// One change of the file at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// What is read once, when the server starts.
const AT_START: [&str; 11] = [
    "/listen",
    // Whether the session cookie is Secure.
    "/public-url",
    "/workspaces-location",
    "/templates",
    "/session/secretKey",
    "/session/same-site",
    "/session/lifetime",
    "/catalogue/writers",
    "/limits/actor-rate",
    "/limits/address-rate",
    "/cache/documents",
];

/// Lets in administrators who say so with this very request: not a session, which a page of any
/// front end could use (decisions.md 21).
fn administrator(caller: Result<Actor, Refusal>, headers: &HeaderMap) -> Result<Actor, Fault> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_basic = header.split(' ').next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"));
    let caller = if is_basic { caller } else { Err(Refusal::Missing) };
    let actor = caller.map_err(|refusal| {
        let fault = Fault::from(refusal);
        if fault.status == StatusCode::UNAUTHORIZED { fault.challenge() } else { fault }
    })?;
    if actor.is_admin() {
        return Ok(actor);
    }
    Err(Fault::new(StatusCode::FORBIDDEN, "only administrators of the server see its configuration"))
}

/// `GET /config`.
pub(super) async fn get_config(
    State(context): State<Context>,
    caller: Required,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    administrator(caller.0, &headers)?;
    Ok(Json(context.config().masked()).into_response())
}

/// `POST /config`: the keys that are given take their new values, in the file and, but for those
/// that only a start reads, at once.
pub(super) async fn post_config(
    State(context): State<Context>,
    caller: Required,
    from: Address,
    headers: HeaderMap,
    Small(body): Small,
) -> Result<Response, Fault> {
    let actor = administrator(caller.0, &headers)?;
    let posted = json_body(&headers, &body)?;
    let _turn = TURN.lock().await;
    let config = context.config();
    let Some(file) = config.file.clone() else {
        let text = "the server runs without a configuration file: start it with --config FILE to change it here";
        return Err(Error::Conflict(text.into()).into());
    };
    let changes = config.changes(&posted).map_err(refused)?;
    let changed = changes.keys.clone();
    if !changed.is_empty() {
        let mut new = blocking::run(move || changes.apply(&file)).await.map_err(refused)?;
        // The command line said so.
        new.listen.clone_from(&config.listen);
        new.workspaces_location.clone_from(&config.workspaces_location);
        context.live.set(new);
        context.authenticator.forget();
        let by = By::of(&actor, &from);
        context.accounts.note(&by, "config.changed", None, Some(&changed.join(" "))).await;
    }
    let is_late = |key: &&String| AT_START.contains(&key.as_str()) || key.starts_with("/log/");
    let late: Vec<&String> = changed.iter().filter(is_late).collect();
    Ok(Json(json!({ "message": "update successful", "changed": changed, "restart_needed": late })).into_response())
}

fn refused(error: ChangeError) -> Error {
    match error {
        ChangeError::File(source) => {
            tracing::error!(error = %source, "changing the configuration file");
            Error::Conflict("the configuration file cannot be changed by the server: see its log".into())
        }
        ChangeError::Unknown { ref valid, .. } => Error::with_valid(error.to_string(), "valid_keys", valid.clone()),
        ChangeError::Unreadable(error) => Error::Unreadable(error),
        ChangeError::NoKeys | ChangeError::Secret { .. } | ChangeError::Senseless(_) => {
            Error::bad_request(error.to_string())
        }
    }
}
