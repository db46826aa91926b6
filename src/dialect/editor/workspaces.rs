//! Workspaces (contracts/editor.md 1.5).

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::answer::{Answer, item_unless_fresh, json, slashed};
use super::gate::{InWorkspace, LoggedIn};
use super::sonata::workspace::{Entry, Sort, WorkspaceFile};
use crate::base::blocking;
use crate::http::conditions::Precondition;
use crate::http::context::Context;
use crate::http::route::Route;

/// `{"id", "name", "path", "catalogues", "platforms", "schema_index"}`; the path is `owner/name`
/// (decisions.md 28).
pub(super) fn object(at: &InWorkspace, file: &WorkspaceFile) -> Value {
    let shown = |sort| file.entries(sort).iter().map(Entry::shown).collect::<Vec<_>>();
    json!({
        "id": at.id,
        "name": at.name.name(),
        "path": at.name.as_str(),
        "catalogues": shown(Sort::Catalogue),
        "platforms": shown(Sort::Platform),
        "schema_index": file.schema_index(),
    })
}

/// `GET /workspaces/`: the caller's own and those that they were let into.
async fn list_workspaces(State(context): State<Context>, LoggedIn(actor): LoggedIn) -> Answer {
    let reader = context.engine.reader(&actor);
    let joined = blocking::run(move || reader.joined()).await?;
    let mut objects = Vec::with_capacity(joined.len());
    for standing in joined {
        let at = InWorkspace {
            context: context.clone(),
            actor: actor.clone(),
            id: standing.id,
            name: standing.name,
            role: standing.role,
            condition: Precondition::None,
        };
        // Gone meanwhile: not in the list.
        if let Ok(file) = WorkspaceFile::read(&at).await {
            objects.push(object(&at, &file));
        }
    }
    Ok(json(StatusCode::OK, &Value::Array(objects)))
}

/// `GET /workspaces/{ws}`.
async fn get_workspace(at: InWorkspace, headers: HeaderMap) -> Answer {
    let file = WorkspaceFile::read(&at).await?;
    Ok(item_unless_fresh(&headers, &object(&at, &file), file.etag()))
}

pub(super) fn routes() -> Vec<Route<Context>> {
    const JSON: &str = "application/json";
    let object = || [(JSON, json!({ "type": "object" }))];
    let array = || [(JSON, json!({ "type": "array", "items": { "type": "object" } }))];
    vec![
        Route::new(Method::GET, "/workspaces/", "editor_list_workspaces", list_workspaces)
            .summary("Your workspaces and those that you were let into, in order of creation")
            .answer(200, "The workspaces.", &array())
            .errors(&[401]),
        Route::new(Method::GET, "/workspaces", "editor_slash_workspaces", slashed)
            .summary("Moved: with a slash at the end")
            .empty(301, "Where it is.")
            .errors(&[401]),
        Route::new(Method::GET, "/workspaces/{ws}", "editor_get_workspace", get_workspace)
            .summary("One workspace")
            .answer(200, "The workspace.", &object())
            .errors(&[401, 404]),
    ]
}
