//! The REST API, as far as the product uses it.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Shared;
use super::oauth::holder;
use super::world::{Holder, World};

/// Requests per hour.
const LIMIT: usize = 5_000;

/// An error as every part of the API has it.
pub(super) fn refusal(status: StatusCode, message: &str) -> Response {
    let more = "https://docs.github.com/rest";
    let body = json!({ "message": message, "documentation_url": more, "status": status.as_u16().to_string() });
    (status, Json(body)).into_response()
}

fn reset(seconds: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    (now + seconds).to_string()
}

/// The headers of every answer that costs one of the hour's requests.
fn counted(mut answer: Response, used: usize, seconds: u64) -> Response {
    let remaining = LIMIT.saturating_sub(used).to_string();
    let counts = [
        ("x-ratelimit-limit", LIMIT.to_string()),
        ("x-ratelimit-remaining", remaining),
        ("x-ratelimit-used", used.to_string()),
        ("x-ratelimit-reset", reset(seconds)),
        ("x-ratelimit-resource", "core".to_owned()),
    ];
    for (name, value) in counts {
        answer.headers_mut().insert(name, HeaderValue::from_str(&value).expect("digits"));
    }
    answer
}

/// The hour's requests are used up.
pub(super) fn limited(shared: &Shared, seconds: u64) -> Response {
    let id = shared.world().seated;
    let answer = refusal(StatusCode::FORBIDDEN, &format!("API rate limit exceeded for user ID {id}."));
    counted(answer, LIMIT, seconds)
}

/// Answers whoever has a token that is good for all of the scopes.
fn answer(
    shared: &Shared,
    headers: &HeaderMap,
    scopes: &[&str],
    make: impl FnOnce(&mut World, &Holder) -> Response,
) -> Response {
    let mut world = shared.world();
    let answer = match holder(&world, headers) {
        // What a token may not see is not there.
        Ok(holder) if !scopes.iter().all(|scope| holder.scopes.iter().any(|has| has == scope)) => {
            refusal(StatusCode::NOT_FOUND, "Not Found")
        }
        Ok(holder) => {
            let mut answer = make(&mut world, &holder);
            let scopes = HeaderValue::from_str(&holder.scopes.join(", ")).expect("scopes are words");
            answer.headers_mut().insert("x-oauth-scopes", scopes);
            answer
        }
        Err(refusal) => *refusal,
    };
    counted(answer, world.requests.len(), 3_600)
}

/// `GET /user`.
pub(super) async fn user(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    answer(&shared, &headers, &[], |world, holder| Json(&world.people[&holder.person]).into_response())
}

/// Who somebody is at the other provider.
pub(super) async fn me(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    answer(&shared, &headers, &["profile"], |world, holder| {
        let login = world.login(holder.person);
        let me =
            json!({ "sub": format!("u-{}", holder.person), "nick": login, "mail": format!("{login}@acme.example") });
        Json(me).into_response()
    })
}

/// `GET /user/emails`.
pub(super) async fn emails(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    answer(&shared, &headers, &["user:email"], |world, holder| {
        let login = world.login(holder.person);
        let address = |domain: &str, primary: bool| json!({ "email": format!("{login}@{domain}"), "primary": primary, "verified": true, "visibility": null });
        Json(json!([address("users.example.org", false), address("home.example.org", true)])).into_response()
    })
}

/// `POST /user/repos`.
pub(super) async fn create_repository(State(shared): State<Shared>, headers: HeaderMap, body: String) -> Response {
    answer(&shared, &headers, &["repo"], |world, holder| {
        let asked: Value = serde_json::from_str(&body).unwrap_or_default();
        let Some(name) = asked["name"].as_str().filter(|name| !name.is_empty()) else {
            return refusal(StatusCode::UNPROCESSABLE_ENTITY, "Repository creation failed.");
        };
        let owner = world.login(holder.person).to_owned();
        let key = (owner.to_lowercase(), name.to_lowercase());
        if world.repositories.contains_key(&key) {
            let why = json!({ "resource": "Repository", "code": "custom", "field": "name", "message": "name already exists on this account" });
            let body = json!({ "message": "Repository creation failed.", "errors": [why], "status": "422" });
            return (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response();
        }
        let made = world.found(holder.person, name, asked["private"] == true, &asked["description"]);
        (StatusCode::CREATED, Json(made)).into_response()
    })
}

/// `GET /users/{login}/repos?per_page=&page=`: those that everybody sees.
pub(super) async fn repositories(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path(login): Path<String>,
    Query(asked): Query<Vec<(String, String)>>,
) -> Response {
    answer(&shared, &headers, &[], |world, _| page(world, &format!("/users/{login}/repos"), &login, false, &asked))
}

/// `GET /user/repos?affiliation=owner&per_page=&page=`: one's own, private ones too where the token
/// is good for that.
pub(super) async fn own_repositories(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Query(asked): Query<Vec<(String, String)>>,
) -> Response {
    answer(&shared, &headers, &[], |world, holder| {
        let login = world.login(holder.person).to_owned();
        page(world, "/user/repos", &login, holder.scopes.iter().any(|scope| scope == "repo"), &asked)
    })
}

fn page(world: &World, path: &str, login: &str, with_private: bool, asked: &[(String, String)]) -> Response {
    let number = |name: &str, default: usize| {
        asked.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok()).unwrap_or(default)
    };
    let (size, page) = (number("per_page", 30).clamp(1, 100), number("page", 1).max(1));
    let own = |(key, repository): &(&(String, String), &Value)| {
        key.0 == login.to_lowercase() && (with_private || repository["private"] == false)
    };
    let all: Vec<&Value> = world.repositories.iter().filter(own).map(|(_, repository)| repository).collect();
    let shown: Vec<&Value> = all.iter().skip((page - 1) * size).take(size).copied().collect();
    let mut answer = Json(shown).into_response();
    if all.len() > page * size {
        let next = format!("<{}{path}?per_page={size}&page={}>; rel=\"next\"", world.url(), page + 1);
        answer.headers_mut().insert("link", HeaderValue::from_str(&next).expect("an address"));
    }
    answer
}

/// `DELETE /repos/{owner}/{name}`.
pub(super) async fn delete_repository(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path((owner, name)): Path<(String, String)>,
) -> Response {
    answer(&shared, &headers, &[], |world, holder| {
        let key = (owner.to_lowercase(), name.to_lowercase());
        if !world.repositories.contains_key(&key) {
            return refusal(StatusCode::NOT_FOUND, "Not Found");
        }
        let is_own = world.login(holder.person).eq_ignore_ascii_case(&owner);
        if !is_own || !holder.scopes.iter().any(|scope| scope == "delete_repo") {
            return refusal(StatusCode::FORBIDDEN, "Must have admin rights to Repository.");
        }
        world.repositories.remove(&key);
        StatusCode::NO_CONTENT.into_response()
    })
}

/// `POST /repos/{owner}/{name}/deployments/{id}/statuses`.
pub(super) async fn deployment_status(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path((owner, name, _)): Path<(String, String, u64)>,
    body: String,
) -> Response {
    const STATES: [&str; 7] = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];
    answer(&shared, &headers, &["repo"], |world, _| {
        if !world.repositories.contains_key(&(owner.to_lowercase(), name.to_lowercase())) {
            return refusal(StatusCode::NOT_FOUND, "Not Found");
        }
        let asked: Value = serde_json::from_str(&body).unwrap_or_default();
        let Some(state) = asked["state"].as_str().filter(|state| STATES.contains(state)) else {
            return refusal(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed");
        };
        world.statuses += 1;
        let made = json!({ "id": world.statuses, "state": state, "description": asked["description"] });
        (StatusCode::CREATED, Json(made)).into_response()
    })
}
