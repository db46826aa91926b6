//! The addresses of projects' repositories, each with its documentation.

use axum::handler::Handler;
use axum::http::Method;
use serde_json::{Value, json};

use super::github;
use crate::http::context::Context;
use crate::http::route::Route;

const JSON: &str = "application/json";

pub(in crate::dialect::editor) fn routes() -> Vec<Route<Context>> {
    let text = || json!({ "type": "string" });
    let project = || ("project_id", json!({ "type": ["integer", "string"] }));
    vec![
        new(Method::POST, "init", "editor_git_init", super::init)
            .summary("Make a project a repository of its own")
            .body(&[(JSON, body(&[project()]))]),
        new(Method::POST, "create", "editor_git_create", github::create)
            .summary("Share a project as a new repository at GitHub")
            .body(&[(JSON, body(&[project(), ("repo_name", text())]))]),
        new(Method::POST, "clone", "editor_git_clone", super::clone)
            .summary("Make a project of a repository at GitHub")
            .body(&[(JSON, body(&[("url", text())]))]),
        new(Method::POST, "pull", "editor_git_pull", super::pull)
            .summary("Merge what a project's repository has into the project")
            .body(&[(JSON, body(&[project()]))]),
        new(Method::POST, "commit", "editor_git_commit", super::commit)
            .summary("Commit a project as it is and push it")
            .body(&[(JSON, body(&[project(), ("commit_message", text())]))]),
        new(Method::POST, "diff", "editor_git_diff", super::diff)
            .summary("What differs from the last commit; {} where nothing does")
            .body(&[(JSON, body(&[project()]))]),
        new(Method::POST, "status", "editor_git_status", super::status)
            .summary("Which files differ from the last commit, and where the repository is")
            .body(&[(JSON, body(&[project()]))]),
        Route::new(Method::GET, "/workspaces/{ws}/git/list", "editor_git_list", github::list)
            .summary("Your repositories at GitHub")
            .answer(
                200,
                "As GitHub describes them.",
                &[(JSON, json!({ "type": "array", "items": { "type": "object" } }))],
            )
            .errors(&[400, 401, 404, 502, 503]),
        new(Method::DELETE, "delete", "editor_git_delete", github::delete)
            .summary("Delete a project's repository at GitHub; the project stays")
            .body(&[(JSON, body(&[project(), ("repo_name", text())]))]),
    ]
}

fn new<H, T>(method: Method, action: &str, id: &str, handler: H) -> Route<Context>
where
    H: Handler<T, Context>,
    T: 'static,
{
    Route::new(method, format!("/workspaces/{{ws}}/git/{action}"), id, handler)
        .answer(200, "What git says.", &[(JSON, json!({ "type": "object" }))])
        .errors(&[400, 401, 403, 404, 409, 413, 415, 502, 503])
}

fn body(members: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let properties: serde_json::Map<String, Value> =
        members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}
