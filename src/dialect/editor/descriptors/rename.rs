//! Changes of identity, and deletions: what a descriptor takes with it. Everything here is worked
//! out in the writer's turn, so that it is about what is there.

use serde_json::Value;

use super::shelf::{Descriptor, Shelf, Sort};
use super::triple::Triple;
use super::{meta, references};
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::gate::{InProject, InWorkspace, undisturbed};
use crate::dialect::editor::sonata::text;
use crate::engine::{Change, Error, Operation, Options, Payload, Reader, Written};
use crate::resource::document::{self, Format};
use crate::resource::etag::{Etag, Expected};
use crate::resource::key::FilePath;

/// What becomes of the services that refer to a function under its old identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// They follow it.
    ReplaceRefs,
    /// They keep the old one; the new identity is a new function.
    CreateNew,
}

/// The descriptor that an update leaves.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) path: FilePath,
    /// As it was; `None` when it is a new one.
    pub(super) before: Option<Descriptor>,
}

/// Commits what a plan works out in the writer's turn.
pub(super) async fn planned<T, F>(at: &InWorkspace, plan: F) -> Result<(T, Written), EditorFault>
where
    T: Send + 'static,
    F: Fn(&Reader) -> Result<(T, Vec<Change>), EditorFault> + Clone + Send + 'static,
{
    // Only an edit on disk comes in between.
    undisturbed(|| async {
        let (plan, place) = (plan.clone(), at.clone());
        let whole = move |reader: &Reader| {
            let (value, mut changes) = plan(reader)?;
            if !changes.is_empty() {
                changes.extend(place.first_changes(reader)?);
            }
            Ok((value, changes))
        };
        at.writer()?.commit_planned(whole, Options::default()).await
    })
    .await
}

/// The descriptor that a commit left.
pub(super) fn left(at: &InWorkspace, written: &Written, outcome: &Outcome) -> Result<Descriptor, EditorFault> {
    let applied =
        written.applied.iter().rev().find(|applied| applied.path == outcome.path && applied.content.is_some());
    let missing = || Error::NotFound(format!("document {}", outcome.path));
    let applied = applied.ok_or_else(missing)?;
    let before = outcome.before.as_ref().map(|before| &*before.found.row);
    let row = at.writer()?.row(written, applied, before)?;
    let (kind, content) = applied.kind.clone().zip(applied.content.clone()).ok_or_else(missing)?;
    Ok(Descriptor::of(crate::engine::Found { kind, row: row.into() }, content))
}

/// An update of a function (contracts/editor.md 1.7.2); `None` where there is no such function.
pub(super) fn function(
    reader: &Reader,
    at: &InProject,
    id: u64,
    descriptor: &Value,
    mode: Mode,
) -> Result<Option<(Outcome, Vec<Change>)>, EditorFault> {
    let shelf = Shelf::new(reader, at, Sort::Function)?;
    let Some(old) = shelf.by_id(id)? else { return Ok(None) };
    let triple = Triple::of_valid(descriptor)?;
    let expected = at.workspace.expected(Some(old.etag()))?;
    let from = old.path()?;
    if old.triple.as_ref() == Some(&triple) {
        let change = put(from.clone(), expected, descriptor);
        return Ok(Some((Outcome { path: from, before: Some(old) }, vec![change])));
    }
    if !shelf.with(&triple)?.is_empty() {
        return Err(EditorFault::conflict("A function with that name, vendor and version already exists"));
    }
    let referrers = shelf.referrers(&old)?;
    if mode == Mode::CreateNew && !referrers.is_empty() {
        let to = shelf.place(&triple, None)?;
        let mut changes = vec![copied(reader, &old, &to, descriptor)?];
        changes.extend(companions(reader, at, &shelf, &from, &to, false)?);
        return Ok(Some((Outcome { path: to, before: None }, changes)));
    }
    let to = shelf.place(&triple, Some(&from))?;
    let mut changes = moved(&from, &to, expected, descriptor);
    changes.extend(companions(reader, at, &shelf, &from, &to, true)?);
    if let Some(was) = &old.triple {
        let others = shelf.other_versions(&old)?;
        for mut service in referrers {
            if references::replace(&mut service.value, was, &triple, &others) {
                changes.push(put(service.path()?, Expected::At(vec![service.etag()]), &service.value));
            }
        }
    }
    Ok(Some((Outcome { path: to, before: Some(old) }, changes)))
}

/// An update of a service (contracts/editor.md 1.7.4).
pub(super) fn service(
    reader: &Reader,
    at: &InProject,
    id: u64,
    descriptor: &Value,
    new_meta: Option<&Value>,
) -> Result<Option<(Outcome, Vec<Change>)>, EditorFault> {
    let shelf = Shelf::new(reader, at, Sort::Service)?;
    let Some(old) = shelf.by_id(id)? else { return Ok(None) };
    let triple = Triple::of_valid(descriptor)?;
    let expected = at.workspace.expected(Some(old.etag()))?;
    let from = old.path()?;
    let is_kept = meta::is_kept(reader, at, &from)?;
    if old.triple.as_ref() == Some(&triple) {
        let mut changes = vec![put(from.clone(), expected, descriptor)];
        if let Some(new) = new_meta {
            changes.extend(meta::put(at, &from, new, is_kept)?);
        }
        return Ok(Some((Outcome { path: from, before: Some(old) }, changes)));
    }
    if !shelf.with(&triple)?.is_empty() {
        return Err(EditorFault::conflict("A service with this name/vendor/version already exists"));
    }
    if !shelf.referrers(&old)?.is_empty() {
        // Others keep what they refer to.
        let to = shelf.place(&triple, None)?;
        let kept = new_meta.cloned().map_or_else(|| meta::read(reader, at, &old), Ok)?;
        let mut changes = vec![copied(reader, &old, &to, descriptor)?];
        changes.extend(meta::put(at, &to, &kept, meta::is_kept(reader, at, &to)?)?);
        return Ok(Some((Outcome { path: to, before: None }, changes)));
    }
    let to = shelf.place(&triple, Some(&from))?;
    let mut changes = moved(&from, &to, expected, descriptor);
    changes.extend(meta::follow(reader, at, &from, &to)?);
    if let Some(new) = new_meta {
        changes.extend(meta::put(at, &to, new, is_kept)?);
    }
    Ok(Some((Outcome { path: to, before: Some(old) }, changes)))
}

/// The deletion of a descriptor with what only it needs; `None` where there is none.
pub(super) fn deletion(
    reader: &Reader,
    at: &InProject,
    sort: Sort,
    id: u64,
) -> Result<Option<(Descriptor, Vec<Change>)>, EditorFault> {
    let shelf = Shelf::new(reader, at, sort)?;
    let Some(old) = shelf.by_id(id)? else { return Ok(None) };
    let expected = at.workspace.expected(Some(old.etag()))?;
    let path = old.path()?;
    let referrers: Vec<String> = shelf.linked(&old)?.iter().map(Descriptor::uid).collect();
    if !referrers.is_empty() {
        return Err(EditorFault::bad(match sort {
            Sort::Function => {
                format!("Could not delete function because it is still referenced by {}", referrers.join(", "))
            }
            Sort::Service => {
                format!("Could not delete service because it is still referenced by \n{}", referrers.join(",\n"))
            }
        }));
    }
    let mut changes = vec![Change { path: path.clone(), expected, operation: Operation::Delete }];
    match sort {
        Sort::Service => changes.extend(meta::remove(reader, at, &path)?),
        Sort::Function => {
            let beside = Folder::read(reader, at, &shelf, &path)?;
            if beside.others.is_empty() {
                let delete = |(path, etag): (FilePath, Etag)| Change {
                    path,
                    expected: Expected::At(vec![etag]),
                    operation: Operation::Delete,
                };
                changes.extend(beside.files.into_iter().map(delete));
            }
        }
    }
    Ok(Some((old, changes)))
}

/// A descriptor's folder: what else is in it.
struct Folder {
    /// Other descriptors.
    others: Vec<FilePath>,
    /// Images and whatever else, at any depth.
    files: Vec<(FilePath, Etag)>,
}

impl Folder {
    fn read(reader: &Reader, at: &InProject, shelf: &Shelf<'_>, own: &FilePath) -> Result<Self, EditorFault> {
        let mut folder = Folder { others: Vec::new(), files: Vec::new() };
        for (path, etag) in files(reader, at, own.folder())? {
            if path == *own {
                continue;
            }
            match shelf.kind.captures_of(path.as_str()) {
                Some(_) => folder.others.push(path),
                None => folder.files.push((path, etag)),
            }
        }
        Ok(folder)
    }
}

/// All files in a folder and below.
pub(super) fn files(reader: &Reader, at: &InProject, folder: &str) -> Result<Vec<(FilePath, Etag)>, EditorFault> {
    match reader.files(&at.workspace.name, folder, usize::MAX, 0) {
        Ok(found) => found.entries.iter().map(|entry| Ok((FilePath::parse(&entry.path)?, entry.etag))).collect(),
        Err(Error::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// What goes with a function from its folder to another one: all that is no descriptor. Where it
/// stays behind, or another descriptor does, which may need it too, it is copied.
fn companions(
    reader: &Reader,
    at: &InProject,
    shelf: &Shelf<'_>,
    from: &FilePath,
    to: &FilePath,
    leaves: bool,
) -> Result<Vec<Change>, EditorFault> {
    if from.folder() == to.folder() {
        return Ok(Vec::new());
    }
    let folder = Folder::read(reader, at, shelf, from)?;
    let is_moved = leaves && folder.others.is_empty();
    let mut changes = Vec::new();
    for (path, etag) in folder.files {
        let inside = path.as_str().strip_prefix(from.folder()).unwrap_or_default();
        let target = FilePath::parse(&format!("{}{inside}", to.folder()))?;
        let operation = match reader.file(&at.workspace.name, &target) {
            Err(Error::NotFound(_)) if is_moved => Operation::Move { to: target },
            Err(Error::NotFound(_)) => Operation::Copy { to: target },
            Err(error) => return Err(error.into()),
            Ok((there, _)) if there != etag => {
                return Err(EditorFault::conflict(format!(
                    "{target} is another file than {path}: delete or rename one of them first"
                )));
            }
            Ok(_) if is_moved => Operation::Delete,
            Ok(_) => continue,
        };
        changes.push(Change { path, expected: Expected::At(vec![etag]), operation });
    }
    Ok(changes)
}

/// Content for a file that is there; its comments stay.
pub(super) fn put(path: FilePath, expected: Expected, descriptor: &Value) -> Change {
    Change { path, expected, operation: Operation::Put(Payload::Json(descriptor.clone())) }
}

/// Content for a file that moves, if it does.
fn moved(from: &FilePath, to: &FilePath, expected: Expected, descriptor: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    if from != to {
        let operation = Operation::Move { to: to.clone() };
        changes.push(Change { path: from.clone(), expected: expected.clone(), operation });
    }
    changes.push(put(to.clone(), expected, descriptor));
    changes
}

/// Content for a new file that starts from another one's text, whose comments it keeps.
fn copied(reader: &Reader, old: &Descriptor, to: &FilePath, descriptor: &Value) -> Result<Change, EditorFault> {
    let before = reader.bytes(&old.found.row, old.etag())?;
    let edited =
        std::str::from_utf8(&before).ok().and_then(|before| document::edit(Format::Yaml, before, descriptor).ok());
    let bytes = edited.map_or_else(|| text::yaml(descriptor), Into::into);
    Ok(create(to.clone(), bytes))
}

/// A new file.
pub(super) fn create(path: FilePath, bytes: bytes::Bytes) -> Change {
    Change { path, expected: Expected::Absent, operation: Operation::Put(Payload::Text(Format::Yaml, bytes)) }
}
