//! `/config`: the configuration, changed in place (contracts/editor.md 1.12, decisions.md 21).

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use axum::Json;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use crate::auth::{Address, By, Refusal, Required};
use crate::base::blocking;
use crate::base::nearest::nearest;
use crate::config::{Config, MASK, SECRETS};
use crate::engine::Error;
use crate::http::body::{Small, json_body};
use crate::http::context::Context;
use crate::http::fault::Fault;
use crate::resource::actor::Actor;
use crate::resource::document::{self, Format};

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
    let old = config.shown();
    let (mut changed, mut changes) = (Vec::new(), Value::Null);
    collect(&posted, &old, "", &mut changes, &mut changed)?;
    refuse_theft(&config, &changed)?;
    if !changed.is_empty() {
        let mut new = blocking::run(move || rewrite(&file, &changes)).await?;
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

/// A masked secret does not go to another address, or with another name, than it was given for.
fn refuse_theft(config: &Config, changed: &[String]) -> Result<(), Fault> {
    let authentication = &config.authentication;
    for (section, secret) in [
        ("/authentication", &authentication.client_secret),
        ("/authentication/provider", &authentication.provider.client_secret),
    ] {
        let is_changed = |key: &str| changed.iter().any(|pointer| *pointer == format!("{section}/{key}"));
        if !secret.is_empty() && (is_changed("token-url") || is_changed("ClientID")) && !is_changed("ClientSecret") {
            let text =
                format!("{}/ClientSecret has to be given anew with another token-url or ClientID", &section[1..]);
            return Err(Error::bad_request(text).into());
        }
    }
    Ok(())
}

/// What of the posted configuration differs, as the nested mappings that hold only that.
fn collect(posted: &Value, old: &Value, at: &str, changes: &mut Value, changed: &mut Vec<String>) -> Result<(), Fault> {
    let members = posted.as_object().filter(|members| !at.is_empty() || !members.is_empty());
    let (Some(members), Some(known)) = (members, old.as_object()) else {
        return Err(
            Error::bad_request("the body must be a JSON object with the keys to change, as GET gives them").into()
        );
    };
    for (key, value) in members {
        let pointer = format!("{at}/{key}");
        let Some(before) = known.get(key) else {
            let valid: Vec<String> = known.keys().cloned().collect();
            let hint = nearest(key, known.keys().map(String::as_str))
                .map_or(String::new(), |n| format!("; did you mean {n:?}?"));
            return Err(Error::with_valid(format!("unknown key {:?}{hint}", &pointer[1..]), "valid_keys", valid).into());
        };
        let is_kept = value == before || (SECRETS.contains(&pointer.as_str()) && value == MASK);
        if before.is_object() {
            collect(value, before, &pointer, changes, changed)?;
        } else if !is_kept {
            set(changes, &pointer, value.clone());
            changed.push(pointer);
        }
    }
    Ok(())
}

/// Puts a value at a pointer, making the mappings on the way.
fn set(target: &mut Value, pointer: &str, value: Value) {
    let slot = pointer.split('/').skip(1).fold(target, |at, key| {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        &mut at[key]
    });
    *slot = value;
}

/// Changes the file, keeping its comments: all of it or nothing.
fn rewrite(file: &Path, changes: &Value) -> Result<Config, Fault> {
    let lost = |error: io::Error| -> Fault {
        tracing::error!(%error, "changing the configuration file");
        Error::Conflict("the configuration file cannot be changed by the server: see its log".into()).into()
    };
    let text = fs::read_to_string(file).map_err(lost)?;
    let mut whole = document::parse(Format::Yaml, text.as_bytes())?;
    lay_over(&mut whole, changes);
    let new = match document::edit(Format::Yaml, &text, &whole) {
        Ok(new) => new,
        Err(_) => document::render(Format::Yaml, &whole),
    };
    let config = Config::of_text(Some(file.to_owned()), &new).map_err(|error| {
        // The message names the file: where it is, is not the client's business.
        let text = causes(&error).replace(&file.display().to_string(), "config.yaml");
        Fault::from(Error::bad_request(text))
    })?;
    store(file, &new).map_err(lost)?;
    Ok(config)
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

fn lay_over(base: &mut Value, over: &Value) {
    let Value::Object(over) = over else {
        *base = over.clone();
        return;
    };
    if !base.is_object() {
        *base = Value::Object(Map::new());
    }
    for (key, value) in over {
        if value.is_object() {
            lay_over(&mut base[key], value);
        } else {
            base[key] = value.clone();
        }
    }
}

/// Replaces the file, keeping who may read it.
fn store(file: &Path, text: &str) -> io::Result<()> {
    let file = fs::canonicalize(file)?;
    let folder = file.parent().ok_or(io::ErrorKind::NotFound)?;
    let mut unfinished = tempfile::NamedTempFile::new_in(folder)?;
    unfinished.write_all(text.as_bytes())?;
    unfinished.as_file().set_permissions(fs::metadata(&file)?.permissions())?;
    unfinished.as_file().sync_all()?;
    unfinished.persist(&file)?;
    fs::File::open(folder)?.sync_all()
}
