//! Projects (contracts/editor.md 1.6).

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{Answer, item, item_unless_fresh, json};
use super::fault::EditorFault;
use super::fields::Fields;
use super::gate::{InProject, InWorkspace, PROJECT, undisturbed};
use super::git;
use super::sonata::workspace::{Entry, WorkspaceFile};
use super::template;
use crate::base::blocking;
use crate::engine::{Change, Error, Found, Operation, Written};
use crate::resource::etag::{Etag, Expected};
use crate::resource::key::{DocumentId, FilePath};
use crate::resource::query::{Filter, Query};
use crate::resource::row::Row;

/// The texts of a project that its `project.yml` holds beside its name.
const TEXTS: [&str; 4] = ["description", "maintainer", "vendor", "version"];

/// Most rows that are asked of the index at once.
const PAGE: usize = 500;

/// `{"id", "name", "description", "maintainer", "publish_to", "vendor", "version", "rel_path",
/// "repo_url", "workspace_id"}`. What stands under `package` counts where the file has that.
pub(super) fn object(workspace: u64, row: &Row, folder: &str, content: &Value) -> Value {
    let value = |key: &str| match &content["package"][key] {
        Value::Null => text(&content[key]),
        value => text(value),
    };
    let id = match DocumentId::from_stored(&row.id) {
        DocumentId::Number(id) => id,
        DocumentId::Text(_) => 0,
    };
    json!({
        "id": id,
        "name": folder,
        "description": value("description"),
        "maintainer": value("maintainer"),
        "publish_to": names(content),
        "vendor": value("vendor"),
        "version": value("version"),
        "rel_path": folder,
        "repo_url": content["repo_url"].as_str(),
        "workspace_id": workspace,
    })
}

/// The catalogues that a project is published to.
fn names(content: &Value) -> Vec<&Value> {
    let names = content["publish_to"].as_array().or(content["package"]["publish_to"].as_array());
    names.into_iter().flatten().filter(|name| name.is_string()).collect()
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
pub(super) async fn list_projects(at: InWorkspace) -> Answer {
    let all = all(&at).await?;
    let objects = all.iter().map(|(found, folder, content)| object(at.id, &found.row, folder, content));
    Ok(json(StatusCode::OK, &objects.collect()))
}

/// `GET /workspaces/{ws}/projects/{pj}`.
pub(super) async fn get_project(at: InProject, headers: HeaderMap) -> Answer {
    let (reader, row) = (at.workspace.reader(), at.found.row.clone());
    let content = blocking::run(move || reader.content(&row)).await?.value().unwrap_or_default();
    let body = object(at.workspace.id, &at.found.row, &at.folder, &content);
    Ok(item_unless_fresh(&headers, &body, Some(at.found.row.etag)))
}

/// `POST /workspaces/{ws}/projects/`: with a sample service and function, as one commit.
pub(super) async fn post_project(at: InWorkspace, fields: Fields) -> Answer {
    at.writer()?;
    let folder = folder_name(fields.required_text("name")?)?;
    if let Some(url) = fields.text("repo")?.filter(|url| !url.is_empty()) {
        return Ok(json(StatusCode::CREATED, &git::cloned(&at, url, Some(&folder)).await?));
    }
    let mut members = Map::from_iter([("name".to_owned(), json!(folder))]);
    members.extend(given(&fields)?);
    if let Some(names) = publish_to(&fields)?.filter(|_| fields.0.get("publish_to") != Some(&Value::Null)) {
        members.insert("publish_to".into(), names);
    }
    let write = || async {
        if !at.files(&format!("projects/{folder}")).await?.is_empty() {
            let text = format!("Project with name '{folder}' already exists in this workspace");
            return Err(EditorFault::conflict(text));
        }
        let file = WorkspaceFile::read(&at).await?;
        let changes = template::project(&folder, &members, file.generation(&*at.kind("service")?))?;
        at.commit(changes, &format!("project: create {folder}")).await
    };
    let written = undisturbed(write).await?;
    written_project(&at, &written, &folder, None, StatusCode::CREATED)
}

/// The project as a write left it.
fn written_project(
    at: &InWorkspace,
    written: &Written,
    folder: &str,
    before: Option<&Row>,
    status: StatusCode,
) -> Answer {
    let path = format!("projects/{folder}/project.yml");
    // Moved and edited, it is there twice.
    let applied = written.applied.iter().rev().find(|applied| applied.path.as_str() == path);
    let applied = applied.ok_or_else(|| Error::NotFound(format!("file {path}")))?;
    let row = at.writer()?.row(written, applied, before)?;
    let content = applied.content.as_ref().and_then(|content| content.value()).unwrap_or_default();
    Ok(item(status, &object(at.id, &row, folder, &content), Some(row.etag)))
}

/// The texts of a project that a body gives.
fn given(fields: &Fields) -> Result<Map<String, Value>, EditorFault> {
    let mut members = Map::new();
    for key in TEXTS {
        if let Some(text) = fields.text(key)? {
            members.insert(key.to_owned(), json!(text));
        }
    }
    Ok(members)
}

/// Names of catalogues; null means none.
fn publish_to(fields: &Fields) -> Result<Option<Value>, EditorFault> {
    let Some(value) = fields.0.get("publish_to") else { return Ok(None) };
    let names = match value {
        Value::Null => &[][..],
        Value::Array(names) if names.iter().all(Value::is_string) => names,
        _ => return Err(EditorFault::bad("'publish_to' must be an array of strings")),
    };
    Ok(Some(json!(names)))
}

/// A name that a project's folder may have.
fn folder_name(name: &str) -> Result<String, EditorFault> {
    // The front end shows names as HTML.
    if name.contains(['/', '<', '>', '&', '"', '\'']) || name.starts_with('.') || name.is_empty() {
        return Err(EditorFault::bad(format!(
            "'{name}' is no name for a project: it is the name of a folder, without / < > & and quotes, and does not start with a dot"
        )));
    }
    FilePath::parse(&format!("projects/{name}/project.yml"))?;
    Ok(name.to_owned())
}

/// `PUT /workspaces/{ws}/projects/{pj}`: another name moves the folder; all of it is one commit.
pub(super) async fn put_project(at: InProject, fields: Fields) -> Answer {
    let InProject { workspace, id, .. } = &at;
    workspace.writer()?;
    let members = given(&fields)?;
    let publish_to = publish_to(&fields)?;
    let name = fields.text("name")?;
    let write = || async {
        let at = workspace.project(*id)?;
        let row = at.found.row.clone();
        let expected = workspace.expected(Some(row.etag))?;
        let to = match name {
            Some(name) if name != at.folder => folder_name(name)?,
            _ => at.folder.clone(),
        };
        let (reader, read) = (workspace.reader(), row.clone());
        let content = blocking::run(move || reader.content(&read)).await?.value().unwrap_or_default();
        let mut patch = Map::new();
        for (key, value) in &members {
            place(&content, &mut patch, key, value);
        }
        if let Some(names) = &publish_to {
            place(&content, &mut patch, "publish_to", names);
        }
        let mut changes = Vec::new();
        if to != at.folder {
            if !workspace.files(&format!("projects/{to}")).await?.is_empty() {
                let text = format!("Invalid name parameter, workspace '{to}' already exists");
                return Err(EditorFault::conflict(text));
            }
            place(&content, &mut patch, "name", &json!(to));
            changes = cleared(workspace, &at.folder, Some(&to)).await?;
        }
        let path = FilePath::parse(&format!("projects/{to}/project.yml"))?;
        let expected = if to == at.folder { expected } else { Expected::Any };
        changes.push(Change { path, expected, operation: Operation::MergePatch(Value::Object(patch)) });
        let done = if to == at.folder { format!("change {to}") } else { format!("rename {} to {to}", at.folder) };
        let written = workspace.commit(changes, &format!("project: {done}")).await?;
        Ok((written, row, at.folder, to))
    };
    let (written, row, from, to) = undisturbed(write).await?;
    if from != to {
        sweep(workspace, &from, Some(&to)).await?;
    }
    written_project(workspace, &written, &to, Some(&row), StatusCode::OK)
}

/// Puts a member where the file has it: under `package` where there is one.
fn place(content: &Value, patch: &mut Map<String, Value>, key: &str, value: &Value) {
    let package = content["package"].as_object();
    let is_below = package.is_some_and(|package| package.contains_key(key) || key != "publish_to");
    if !is_below {
        patch.insert(key.to_owned(), value.clone());
    } else if let Some(package) = patch.entry("package").or_insert_with(|| json!({})).as_object_mut() {
        package.insert(key.to_owned(), value.clone());
    }
}

/// Moves all files of a project to another folder, or deletes them.
async fn cleared(at: &InWorkspace, from: &str, to: Option<&str>) -> Result<Vec<Change>, EditorFault> {
    let from = format!("projects/{from}");
    let change = |(path, etag): (FilePath, Etag)| {
        let inside = path.as_str().strip_prefix(&from).unwrap_or_default();
        let operation = match to {
            Some(to) => Operation::Move { to: FilePath::parse(&format!("projects/{to}{inside}"))? },
            None => Operation::Delete,
        };
        Ok(Change { path, expected: Expected::At(vec![etag]), operation })
    };
    at.files(&from).await?.into_iter().map(change).collect()
}

/// Takes along what came into a project's folder while that was being cleared.
async fn sweep(at: &InWorkspace, from: &str, to: Option<&str>) -> Result<(), EditorFault> {
    let write = || async {
        let changes = cleared(at, from, to).await?;
        // A new project of the old name has a file of its own.
        let is_new = changes.iter().any(|change| change.path.as_str() == format!("projects/{from}/project.yml"));
        if changes.is_empty() || is_new {
            return Ok(());
        }
        at.commit(changes, &format!("project: clear {from}")).await.map(drop)
    };
    undisturbed(write).await
}

/// `DELETE /workspaces/{ws}/projects/{pj}`: the whole folder as one commit.
pub(super) async fn delete_project(at: InProject) -> Answer {
    let InProject { workspace, id, .. } = &at;
    workspace.writer()?;
    let write = || async {
        let at = workspace.project(*id)?;
        let row = at.found.row.clone();
        workspace.expected(Some(row.etag))?;
        let (reader, read) = (workspace.reader(), row.clone());
        let content = blocking::run(move || reader.content(&read)).await?.value().unwrap_or_default();
        let changes = cleared(workspace, &at.folder, None).await?;
        workspace.commit(changes, &format!("project: delete {}", at.folder)).await?;
        Ok((object(workspace.id, &row, &at.folder, &content), at.folder))
    };
    let (deleted, folder) = undisturbed(write).await?;
    sweep(workspace, &folder, None).await?;
    Ok(json(StatusCode::OK, &deleted))
}

/// The changes of projects that publish to catalogues which are renamed; a fault when one publishes
/// to a catalogue that goes away.
pub(super) async fn following(at: &InWorkspace, old: &[Entry], new: &[Entry]) -> Result<Vec<Change>, EditorFault> {
    let mut renamed = Vec::new();
    let mut gone = Vec::new();
    for entry in old {
        match new.iter().find(|other| other.id == entry.id) {
            Some(now) if now.name != entry.name => renamed.push((&entry.name, &now.name)),
            Some(_) => {}
            None if new.iter().any(|other| other.name == entry.name) => {}
            None => gone.push(&entry.name),
        }
    }
    let mut changes = Vec::new();
    if renamed.is_empty() && gone.is_empty() {
        return Ok(changes);
    }
    for (found, folder, content) in all(at).await? {
        let names: Vec<&str> = names(&content).iter().filter_map(|name| name.as_str()).collect();
        if let Some(name) = gone.iter().find(|gone| names.contains(&gone.as_str())) {
            let text = format!("Cannot delete catalogue '{name}' because it is still used in project '{folder}'!");
            return Err(EditorFault::bad(text));
        }
        if !renamed.iter().any(|(from, _)| names.contains(&from.as_str())) {
            continue;
        }
        let mut now = names.clone();
        for name in &mut now {
            if let Some((_, to)) = renamed.iter().find(|(from, _)| from == name) {
                *name = to;
            }
        }
        let mut patch = Map::new();
        place(&content, &mut patch, "publish_to", &json!(now));
        changes.push(Change {
            path: FilePath::parse(&found.row.path)?,
            expected: Expected::At(vec![found.row.etag]),
            operation: Operation::MergePatch(Value::Object(patch)),
        });
    }
    Ok(changes)
}
