//! A workspace's catalogues, as if they were here.

use axum::Extension;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::remote::{Listed, Remote, Uid};
use super::tokens;
use crate::base::blocking;
use crate::dialect::editor::answer::{Answer, json as answer};
use crate::dialect::editor::catalogue::Shelf;
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::fields::Fields;
use crate::dialect::editor::gate::InWorkspace;
use crate::dialect::editor::sonata::workspace::{Sort, WorkspaceFile};
use crate::http::path::Path;

/// The catalogue `{cat}` of the workspace.
async fn remote(at: &InWorkspace, catalogue: &str, shelf: Shelf) -> Result<Remote, EditorFault> {
    let missing = || EditorFault::not_found(format!("Catalogue with id '{catalogue}' could not be found"));
    let id = crate::dialect::editor::gate::parsed(catalogue).ok_or_else(missing)?;
    let entries = WorkspaceFile::read(at).await?.entries(Sort::Catalogue);
    let entry = entries.into_iter().find(|entry| entry.id == id).ok_or_else(missing)?;
    let token = tokens::of(at, entry.id, &entry.url).await?;
    Ok(Remote { client: at.context.outside.clone(), base: entry.url, token, shelf })
}

fn shown(listed: &Listed) -> Value {
    json!({ "descriptor": listed.descriptor, "id": listed.uid.to_string() })
}

/// `GET /workspaces/{ws}/catalogues/{cat}/functions/`, `.../services/`.
pub(super) async fn list(
    at: InWorkspace,
    Extension(shelf): Extension<Shelf>,
    Path((_, catalogue)): Path<(String, String)>,
) -> Answer {
    let all = remote(&at, &catalogue, shelf).await?.list().await?;
    Ok(answer(StatusCode::OK, &all.iter().map(shown).collect()))
}

/// `POST` to the list: `{"id": number}` of one of the workspace's own.
pub(super) async fn post(
    at: InWorkspace,
    Extension(shelf): Extension<Shelf>,
    Path((_, catalogue)): Path<(String, String)>,
    fields: Fields,
) -> Answer {
    at.writer()?;
    let id = fields.number("id")?.ok_or_else(|| EditorFault::missing("id"))?;
    let remote = remote(&at, &catalogue, shelf).await?;
    let descriptor = own(&at, shelf, id).await?;
    let listed = remote.create(descriptor).await?;
    let status = if shelf == Shelf::Functions { StatusCode::CREATED } else { StatusCode::OK };
    Ok(answer(status, &shown(&listed)))
}

/// The descriptor with this number, which has to be in the workspace.
async fn own(at: &InWorkspace, shelf: Shelf, id: u64) -> Result<Value, EditorFault> {
    let (kind, what) = match shelf {
        Shelf::Functions => ("function", "Function"),
        Shelf::Services => ("service", "Service"),
    };
    let (kind, reader, name) = (at.kind(kind)?, at.reader(), at.name.clone());
    let found = blocking::run(move || {
        let found = reader.numbered(&kind, id, &name)?;
        reader.content(&found.row)
    });
    let content = found.await.map_err(|error| match error {
        crate::engine::Error::NotFound(_) => EditorFault::not_found(format!("{what} with id '{id}' does not exist")),
        other => other.into(),
    })?;
    if let Some(violation) = content.violations.first() {
        let text = format!("it breaks its schema, so it is not published: {}", violation.message);
        return Err(EditorFault::bad(text));
    }
    Ok(content.value().unwrap_or_default())
}

/// `GET .../{uid}`.
pub(super) async fn get(
    at: InWorkspace,
    Extension(shelf): Extension<Shelf>,
    Path((_, catalogue, uid)): Path<(String, String, String)>,
) -> Answer {
    let remote = remote(&at, &catalogue, shelf).await?;
    let found = remote.get(&Uid::parse(&uid)?).await?;
    Ok(answer(StatusCode::OK, &shown(&found)))
}

/// `PUT .../{uid}`: `{"descriptor": {...}}`.
pub(super) async fn put(
    at: InWorkspace,
    Extension(shelf): Extension<Shelf>,
    Path((_, catalogue, uid)): Path<(String, String, String)>,
    fields: Fields,
) -> Answer {
    at.writer()?;
    let descriptor = fields.required("descriptor")?;
    if !descriptor.is_object() {
        return Err(EditorFault::bad("'descriptor' must be a JSON object"));
    }
    remote(&at, &catalogue, shelf).await?.update(&Uid::parse(&uid)?, descriptor).await?;
    Ok(StatusCode::OK.into_response())
}

/// `DELETE .../{uid}`.
pub(super) async fn delete(
    at: InWorkspace,
    Extension(shelf): Extension<Shelf>,
    Path((_, catalogue, uid)): Path<(String, String, String)>,
) -> Answer {
    at.writer()?;
    remote(&at, &catalogue, shelf).await?.delete(&Uid::parse(&uid)?).await?;
    Ok(StatusCode::OK.into_response())
}
