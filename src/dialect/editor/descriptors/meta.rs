//! What the front end keeps of a service besides its descriptor: where its nodes are drawn. Opaque
//! JSON in a file of its own, out of the schema's way (decisions.md 28).

use serde_json::{Value, json};

use super::shelf::Descriptor;
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::gate::InProject;
use crate::engine::{Change, Error, Operation, Payload, Reader};
use crate::resource::document::{self, Format};
use crate::resource::etag::Expected;
use crate::resource::key::FilePath;

/// `projects/<p>/.workleaf/meta/<nsd file name>.json`, with the folders that a service below
/// `sources/nsd` may be in.
pub(super) fn path(at: &InProject, service: &FilePath) -> Result<FilePath, EditorFault> {
    let folder = at.path("sources/nsd")?;
    let inside = service.as_str().strip_prefix(folder.as_str()).map(|rest| rest.trim_start_matches('/'));
    at.path(&format!(".workleaf/meta/{}.json", inside.unwrap_or_else(|| service.file_name())))
}

/// What is kept of a service; an empty object when that is nothing, or cannot be read.
pub(in crate::dialect::editor) fn read(
    reader: &Reader,
    at: &InProject,
    service: &Descriptor,
) -> Result<Value, EditorFault> {
    let Some(bytes) = stored(reader, at, &service.path()?)? else { return Ok(json!({})) };
    let value = document::parse(Format::Json, &bytes).unwrap_or_default();
    Ok(if value.is_null() { json!({}) } else { value })
}

/// The change that keeps this of the service at a path; none where nothing is kept (`is_kept`) and
/// nothing is to be.
pub(super) fn put(
    at: &InProject,
    service: &FilePath,
    meta: &Value,
    is_kept: bool,
) -> Result<Option<Change>, EditorFault> {
    let is_nothing = meta.is_null() || meta.as_object().is_some_and(serde_json::Map::is_empty);
    if is_nothing && !is_kept {
        return Ok(None);
    }
    let operation = Operation::Put(Payload::Json(meta.clone()));
    Ok(Some(Change { path: path(at, service)?, expected: Expected::Any, operation }))
}

/// Whether something is kept of the service at a path.
pub(super) fn is_kept(reader: &Reader, at: &InProject, service: &FilePath) -> Result<bool, EditorFault> {
    Ok(stored(reader, at, service)?.is_some())
}

/// The changes that drop what is kept of the service at a path.
pub(super) fn remove(reader: &Reader, at: &InProject, service: &FilePath) -> Result<Vec<Change>, EditorFault> {
    let path = path(at, service)?;
    let is_there = stored(reader, at, service)?.is_some();
    let change = Change { path, expected: Expected::Present, operation: Operation::Delete };
    Ok(is_there.then_some(change).into_iter().collect())
}

/// The changes that let what is kept follow a service. What lies at the new place was another's.
pub(super) fn follow(
    reader: &Reader,
    at: &InProject,
    from: &FilePath,
    to: &FilePath,
) -> Result<Vec<Change>, EditorFault> {
    if from == to {
        return Ok(Vec::new());
    }
    let mut changes = remove(reader, at, to)?;
    if stored(reader, at, from)?.is_some() {
        let operation = Operation::Move { to: path(at, to)? };
        changes.push(Change { path: path(at, from)?, expected: Expected::Present, operation });
    }
    Ok(changes)
}

fn stored(reader: &Reader, at: &InProject, service: &FilePath) -> Result<Option<bytes::Bytes>, EditorFault> {
    match reader.file(&at.workspace.name, &path(at, service)?) {
        Ok((_, bytes)) => Ok(Some(bytes)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
