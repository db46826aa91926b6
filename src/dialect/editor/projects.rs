//! Projects (contracts/editor.md 1.6).

use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::answer::{Answer, item_unless_fresh, json};
use super::gate::{InProject, InWorkspace, PROJECT};
use crate::base::blocking;
use crate::engine::{Error, Found};
use crate::http::context::Context;
use crate::http::route::Route;
use crate::resource::key::DocumentId;
use crate::resource::query::{Filter, Query};
use crate::resource::row::Row;

/// Most rows that are asked of the index at once.
const PAGE: usize = 500;

/// `{"id", "name", "description", "maintainer", "publish_to", "vendor", "version", "rel_path",
/// "repo_url", "workspace_id"}`. What stands under `package` counts where the file has that.
pub(super) fn object(workspace: u64, row: &Row, folder: &str, content: &Value) -> Value {
    let value = |key: &str| match &content["package"][key] {
        Value::Null => text(&content[key]),
        value => text(value),
    };
    let publish_to = content["publish_to"].as_array().or(content["package"]["publish_to"].as_array());
    let id = match DocumentId::from_stored(&row.id) {
        DocumentId::Number(id) => id,
        DocumentId::Text(_) => 0,
    };
    json!({
        "id": id,
        "name": folder,
        "description": value("description"),
        "maintainer": value("maintainer"),
        "publish_to": publish_to.map_or_else(Vec::new, |names| names.iter().filter(|name| name.is_string()).cloned().collect()),
        "vendor": value("vendor"),
        "version": value("version"),
        "rel_path": folder,
        "repo_url": content["repo_url"].as_str(),
        "workspace_id": workspace,
    })
}

/// A number is a version that nobody quoted.
fn text(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text),
        Value::Number(number) => json!(number.to_string()),
        _ => Value::Null,
    }
}

/// All projects of the workspace in order of creation.
pub(super) async fn all(at: &InWorkspace) -> Result<Vec<(Found, String, Value)>, Error> {
    let (reader, name) = (at.reader(), at.name.to_arc());
    let kinds = at.context.engine.kinds();
    let Some(kind) = kinds.by_name(PROJECT).cloned() else { return Ok(Vec::new()) };
    blocking::run(move || {
        let mut query = Query { filter: Filter::in_workspace(name), limit: PAGE, ..Query::default() };
        let mut found = Vec::new();
        loop {
            let page = reader.list(&kind, query.clone())?.page;
            for row in page.rows {
                let captures = kind.captures_of(&row.path).unwrap_or_default();
                let folder = captures.get("project").unwrap_or_default().to_owned();
                let content = reader.content(&row)?.value().unwrap_or_default();
                found.push((Found { kind: kind.clone(), row }, folder, content));
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(found);
            }
        }
    })
    .await
}

/// `GET /workspaces/{ws}/projects/`.
async fn list_projects(at: InWorkspace) -> Answer {
    let all = all(&at).await?;
    let objects = all.iter().map(|(found, folder, content)| object(at.id, &found.row, folder, content));
    Ok(json(StatusCode::OK, &objects.collect()))
}

/// `GET /workspaces/{ws}/projects/{pj}`.
async fn get_project(at: InProject, headers: HeaderMap) -> Answer {
    let (reader, row) = (at.workspace.reader(), at.found.row.clone());
    let content = blocking::run(move || reader.content(&row)).await?.value().unwrap_or_default();
    let body = object(at.workspace.id, &at.found.row, &at.folder, &content);
    Ok(item_unless_fresh(&headers, &body, Some(at.found.row.etag)))
}

pub(super) fn routes() -> Vec<Route<Context>> {
    const JSON: &str = "application/json";
    let object = || [(JSON, json!({ "type": "object" }))];
    let array = || [(JSON, json!({ "type": "array", "items": { "type": "object" } }))];
    vec![
        Route::new(Method::GET, "/workspaces/{ws}/projects/", "editor_list_projects", list_projects)
            .summary("A workspace's projects in order of creation")
            .answer(200, "The projects.", &array())
            .errors(&[401, 404]),
        Route::new(Method::GET, "/workspaces/{ws}/projects/{pj}", "editor_get_project", get_project)
            .summary("One project")
            .answer(200, "The project.", &object())
            .errors(&[401, 404]),
    ]
}
