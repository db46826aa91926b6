//! The editor's routes, each with its documentation.

use axum::http::Method;
use serde_json::json;

use super::{config, git, projects, user, workspaces};
use crate::http::context::Context;
use crate::http::route::Route;

const JSON: &str = "application/json";

/// The routes but `GET /login`, which the server shares out (decisions.md 14).
pub fn routes() -> Vec<Route<Context>> {
    let table = [access(), workspaces::routes(), projects::routes(), git::routes()];
    table.into_iter().flatten().map(|route| route.tag("editor")).collect()
}

fn access() -> Vec<Route<Context>> {
    let object = || [(JSON, json!({ "type": "object" }))];
    vec![
        Route::new(Method::GET, "/user", "editor_get_user", user::get_user)
            .summary("Who you are, as GitHub says it")
            .answer(200, "The user.", &object())
            .errors(&[401]),
        Route::new(Method::GET, "/logout", "editor_logout", user::logout)
            .with_session()
            .summary("End the session")
            .answer(200, "It is over.", &[(JSON, json!({ "type": "string" }))]),
        Route::new(Method::GET, "/config", "editor_get_config", config::get_config)
            .summary("The configuration, secrets masked; for administrators by Basic credentials")
            .answer(200, "The configuration.", &object())
            .errors(&[401, 403]),
        Route::new(Method::POST, "/config", "editor_post_config", config::post_config)
            .summary("Change the configuration; a masked secret stays as it is")
            .body(&object())
            .answer(200, "Changed.", &object())
            .errors(&[400, 401, 403, 409, 413, 415]),
    ]
}
