//! What new workspaces and projects contain: the folders under `templates/editor`.

use bytes::Bytes;
use include_dir::{Dir, include_dir};
use serde_json::{Map, Value, json};

use super::fault::EditorFault;
use super::sonata::workspace;
use crate::engine::{Change, Operation, Payload};
use crate::resource::document::{self, Format};
use crate::resource::etag::Expected;
use crate::resource::key::FilePath;

static WORKSPACE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates/editor/workspace");
static PROJECT: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates/editor/project");

/// The files of a new workspace beside `workspace.yml`.
pub(super) fn workspace() -> Result<Vec<Change>, EditorFault> {
    let files = files(&WORKSPACE).into_iter().filter(|(path, _)| *path != workspace::FILE);
    files.map(|(path, bytes)| made(path.to_owned(), Bytes::from_static(bytes))).collect()
}

/// The files of a new project with a sample service and the function it uses; `members` are those of
/// `project.yml` that differ, `generation` is that of the schemas that hold.
pub(super) fn project(
    folder: &str,
    members: &Map<String, Value>,
    generation: usize,
) -> Result<Vec<Change>, EditorFault> {
    let changed = |path: &str, bytes: &'static [u8]| match path {
        "project.yml" => edited(bytes, |value| {
            if let Some(object) = value.as_object_mut() {
                object.extend(members.clone());
            }
        }),
        path if generation > 0 && path.starts_with("sources/") => edited(bytes, with_interfaces),
        _ => Ok(Bytes::from_static(bytes)),
    };
    let files = files(&PROJECT).into_iter();
    files.map(|(path, bytes)| made(format!("projects/{folder}/{path}"), changed(path, bytes)?)).collect()
}

fn made(path: String, bytes: Bytes) -> Result<Change, EditorFault> {
    let path = FilePath::parse(&path)?;
    let payload = match Format::of(path.as_str()) {
        Some(format) => Payload::Text(format, bytes),
        None => Payload::Raw(bytes),
    };
    Ok(Change { path, expected: Expected::Absent, operation: Operation::Put(payload) })
}

/// Paths in the folder and what the files hold, in order.
fn files(folder: &Dir<'static>) -> Vec<(&'static str, &'static [u8])> {
    let mut found: Vec<_> = folder.files().filter_map(|file| Some((file.path().to_str()?, file.contents()))).collect();
    found.extend(folder.dirs().flat_map(files));
    found.sort_unstable();
    found
}

fn edited(bytes: &[u8], edit: impl FnOnce(&mut Value)) -> Result<Bytes, EditorFault> {
    let text = String::from_utf8_lossy(bytes);
    let Ok(mut value) = document::parse(Format::Yaml, bytes) else { return Ok(Bytes::copy_from_slice(bytes)) };
    edit(&mut value);
    let edited = document::edit(Format::Yaml, &text, &value);
    edited.map(Bytes::from).map_err(|error| EditorFault::bad(error.to_string()))
}

/// Says of each connection point what the later generation asks for.
fn with_interfaces(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(points) = members.get_mut("connection_points").and_then(Value::as_array_mut) {
                points.iter_mut().filter_map(Value::as_object_mut).for_each(with_interface);
            }
            members.values_mut().for_each(with_interfaces);
        }
        Value::Array(items) => items.iter_mut().for_each(with_interfaces),
        _ => {}
    }
}

fn with_interface(point: &mut Map<String, Value>) {
    if !point.contains_key("type") {
        return;
    }
    let id = point.get("id").and_then(Value::as_str).unwrap_or_default();
    let kind = match id {
        id if id.ends_with(":mgmt") => "management",
        id if id.starts_with("vdu") => "internal",
        _ => "external",
    };
    point.insert("type".into(), json!(kind));
    point.insert("interface".into(), json!("ipv4"));
}
