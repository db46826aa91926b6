//! The web application flow: the page where somebody agrees, and the exchange of codes for tokens.

use std::collections::HashMap;

use axum::extract::{OriginalUri, Query, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::world::{Grant, Holder, World};
use super::{ACME_ID, CLIENT_ID, CLIENT_SECRET, Shared, api};

type Fields = HashMap<String, String>;

/// `GET /login/oauth/authorize`: asks the person at the browser.
pub(super) async fn authorize(
    State(shared): State<Shared>,
    OriginalUri(uri): OriginalUri,
    Query(asked): Query<Fields>,
) -> Response {
    let mut world = shared.world();
    let field = |name: &str| asked.get(name).cloned();
    let is_acme = uri.path().starts_with("/acme");
    let client = if is_acme { ACME_ID } else { CLIENT_ID };
    if field("client_id").as_deref() != Some(client) {
        return (StatusCode::NOT_FOUND, Html("<h1>404</h1>")).into_response();
    }
    if is_acme && field("tenant").as_deref() != Some("7") {
        return (StatusCode::BAD_REQUEST, Html("<h1>which tenant?</h1>")).into_response();
    }
    let (state, redirect) = (field("state"), field("redirect_uri"));
    let registered = world.callback.clone();
    // Below the registered address is good too.
    let fits = redirect.as_ref().is_none_or(|given| {
        given.strip_prefix(&registered).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if !fits {
        let text = "The redirect_uri MUST match the registered callback URL for this application.";
        return back(&registered, state.as_deref(), &[("error", "redirect_uri_mismatch"), ("error_description", text)]);
    }
    let challenge = field("code_challenge");
    if challenge.is_some() && field("code_challenge_method").as_deref() != Some("S256") {
        let text = "The code_challenge_method must be S256.";
        return back(&registered, state.as_deref(), &[("error", "invalid_request"), ("error_description", text)]);
    }
    if !world.people.contains_key(&world.seated) {
        return Html("<h1>Sign in to GitHub</h1>").into_response();
    }
    let scopes = asked.get("scope").map_or("", String::as_str);
    let scopes = scopes.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    let grant = Grant {
        client: client.to_owned(),
        target: redirect.clone().unwrap_or(registered),
        redirect,
        state,
        challenge,
        scopes,
        person: world.seated,
    };
    let (request, login) = (world.random(), world.login(world.seated).to_owned());
    let page = page(&request, &login, &grant);
    world.asked.insert(request, grant);
    Html(page).into_response()
}

fn page(request: &str, login: &str, grant: &Grant) -> String {
    let scopes: String = grant.scopes.iter().map(|scope| format!("<li>{}</li>", escaped(scope))).collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Authorize workleaf</title>\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:4rem auto}}</style>\
         <h1>Authorize workleaf</h1><p>workleaf wants to know who you are, {}, and to use:</p><ul>{scopes}</ul>\
         <form method=\"post\" action=\"/login/oauth/decision\">\
         <input type=\"hidden\" name=\"request\" value=\"{request}\">\
         <button name=\"decision\" value=\"cancel\">Cancel</button> \
         <button name=\"decision\" value=\"authorize\">Authorize</button></form></html>",
        escaped(login)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// What happens when one of the buttons is pressed.
pub(super) async fn decide(State(shared): State<Shared>, body: String) -> Response {
    let fields = form(body.as_bytes());
    let mut world = shared.world();
    let Some(grant) = fields.get("request").and_then(|request| world.asked.remove(request)) else {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    };
    if fields.get("decision").map(String::as_str) != Some("authorize") {
        let text = "The user has denied your application access.";
        return back(&grant.target, grant.state.as_deref(), &[("error", "access_denied"), ("error_description", text)]);
    }
    let code = world.random()[..20].to_owned();
    let answer = back(&grant.target, grant.state.as_deref(), &[("code", &code)]);
    world.codes.insert(code, grant);
    answer
}

/// Sends the browser back to the application.
fn back(target: &str, state: Option<&str>, with: &[(&str, &str)]) -> Response {
    let mut target = reqwest::Url::parse(target).expect("a URL");
    target.query_pairs_mut().extend_pairs(with).extend_pairs(state.map(|state| ("state", state)));
    (StatusCode::FOUND, [(LOCATION, String::from(target))]).into_response()
}

fn form(body: &[u8]) -> Fields {
    form_urlencoded::parse(body).into_owned().collect()
}

/// `POST /login/oauth/access_token`. GitHub says no with status 200, the other provider as RFC 6749
/// has it.
pub(super) async fn exchange(
    State(shared): State<Shared>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let fields = if is_json { serde_json::from_str(&body).unwrap_or_default() } else { form(body.as_bytes()) };
    let is_acme = uri.path().starts_with("/acme");
    let exchanged = exchanged(&mut shared.world(), &fields, if is_acme { ACME_ID } else { CLIENT_ID });
    let (status, answer) = match exchanged {
        Ok(answer) => (StatusCode::OK, answer),
        Err(_) if is_acme => (StatusCode::BAD_REQUEST, json!({ "error": "invalid_grant" })),
        Err((error, description)) => {
            let more = "https://docs.github.com/apps/troubleshooting-oauth";
            (StatusCode::OK, json!({ "error": error, "error_description": description, "error_uri": more }))
        }
    };
    let wants_json = headers.get(ACCEPT).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if wants_json || is_acme {
        return (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], answer.to_string()).into_response();
    }
    let pairs = answer.as_object().expect("an object").iter().map(|(key, value)| (key, value.as_str().unwrap_or("")));
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    (status, [(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")], text).into_response()
}

fn exchanged(world: &mut World, fields: &Fields, client: &str) -> Result<Value, (&'static str, &'static str)> {
    let field = |name: &str| fields.get(name).map(String::as_str);
    if field("client_id") != Some(client) || field("client_secret") != Some(CLIENT_SECRET) {
        return Err(("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect."));
    }
    let bad = ("bad_verification_code", "The code passed is incorrect or expired.");
    // A code is good once, also when the rest is wrong.
    let grant = field("code").and_then(|code| world.codes.remove(code)).filter(|grant| grant.client == client);
    let grant = grant.ok_or(bad)?;
    if field("redirect_uri") != grant.redirect.as_deref() {
        let text = "The redirect_uri MUST match the registered callback URL for this application.";
        return Err(("redirect_uri_mismatch", text));
    }
    if let Some(challenge) = &grant.challenge {
        let verifier = field("code_verifier").ok_or(bad)?;
        if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) != *challenge {
            return Err(bad);
        }
    }
    let token = format!("gho_{}", world.random());
    let scope = grant.scopes.join(",");
    world.tokens.insert(token.clone(), Holder { person: grant.person, scopes: grant.scopes });
    Ok(json!({ "access_token": token, "scope": scope, "token_type": "bearer" }))
}

/// Whose token a request carries.
pub(super) fn holder(world: &World, headers: &HeaderMap) -> Result<Holder, Box<Response>> {
    let refusal = |text| Box::new(api::refusal(StatusCode::UNAUTHORIZED, text));
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    let (scheme, token) =
        header.and_then(|header| header.split_once(' ')).ok_or_else(|| refusal("Requires authentication"))?;
    let is_known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    let holder = world.tokens.get(token.trim()).filter(|_| is_known);
    holder.cloned().ok_or_else(|| refusal("Bad credentials"))
}
