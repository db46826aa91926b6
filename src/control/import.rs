//! Import: files from outside become one commit. As a push, it takes what is invalid and says so.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use bytes::Bytes;

use super::execute::words;
use super::protocol::{Effect, ImportedFile, Report, ReportedViolation};
use crate::app::App;
use crate::engine::{Change, Error, NewWorkspace, Operation, Options, Payload, Writer};
use crate::resource::actor::Actor;
use crate::resource::document::Format;
use crate::resource::etag::Expected;
use crate::resource::key::{FilePath, WorkspaceName};
use crate::resource::kind::{Kind, Kinds};
use crate::store::Settings;

/// A file on its way in.
pub(super) struct Incoming {
    /// In the workspace; `None`: where the kind's pattern puts it.
    pub(super) path: Option<String>,
    pub(super) name: String,
    pub(super) bytes: Bytes,
}

pub(super) async fn import(
    app: &Arc<App>,
    workspace: &str,
    kind: Option<&str>,
    files: Vec<Incoming>,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Report> {
    let name = WorkspaceName::parse(workspace)?;
    let kinds = app.engine.kinds();
    let kind = match kind {
        Some(name) => Some(kinds.by_name(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = kinds.iter().map(|kind| &*kind.name).collect();
            anyhow!("there is no kind {name:?}; there are {}", known.join(", "))
        })?),
        None => None,
    };
    let writer = writer(app, &name).await.map_err(words)?;
    let total = files.len() as u64;
    let mut reports: Vec<ImportedFile> = Vec::with_capacity(files.len());
    let mut changes = Vec::new();
    let mut at: HashMap<String, usize> = HashMap::new();
    for (done, file) in files.into_iter().enumerate() {
        progress(done as u64, total);
        let mut report = ImportedFile {
            name: file.name.clone(),
            path: None,
            kind: None,
            effect: None,
            note: None,
            violations: Vec::new(),
        };
        match place(&writer, &kinds, kind.as_ref(), &file).await {
            Ok(path) => {
                report.path = Some(path.to_string());
                report.kind = kinds.claim(path.as_str()).map(|(kind, _)| kind.name.to_string());
                if report.kind.is_none() {
                    report.note = Some("no kind claims this path".into());
                }
                at.insert(path.to_string(), reports.len());
                changes.push(Change { path, expected: Expected::Any, operation: Operation::Put(payload(&file)) });
            }
            Err(error) => report.note = Some(format!("not imported: {error}")),
        }
        reports.push(report);
    }
    if changes.is_empty() {
        if let [only] = &reports[..] {
            bail!("{}: {}", only.name, only.note.as_deref().unwrap_or("not imported"));
        }
        bail!("nothing to import");
    }
    let message = format!("import: {} {}", changes.len(), if changes.len() == 1 { "file" } else { "files" });
    let options = Options { message: Some(message), takes_invalid: true, ..Options::default() };
    let written = writer.commit(changes, options).await.map_err(words)?;
    for applied in &written.applied {
        let Some(report) = at.get(applied.path.as_str()).and_then(|at| reports.get_mut(*at)) else { continue };
        report.effect = Some(match applied.before {
            None => Effect::Added,
            before if before == applied.etag => Effect::None,
            Some(_) => Effect::Replaced,
        });
        let violations = applied.content.iter().flat_map(|content| &content.violations);
        report.violations = violations
            .map(|v| ReportedViolation { line: v.line, column: v.column, message: v.message.clone() })
            .collect();
    }
    progress(total, total);
    Ok(Report::Imported { workspace: name.to_string(), commit: written.commit, files: reports })
}

/// The road into the workspace, which is made if it is missing.
async fn writer(app: &Arc<App>, name: &WorkspaceName) -> Result<Writer, Error> {
    let engine = &app.engine;
    match engine.writer(&Actor::System, name) {
        Err(Error::NotFound(_)) => {}
        found => return found,
    }
    let new = NewWorkspace { name: name.clone(), settings: Settings::default() };
    let made = engine.create_workspace(&Actor::System, new).await;
    match (engine.writer(&Actor::System, name), made) {
        (Err(_), Err(error)) => Err(error),
        // Somebody else may have made it meanwhile.
        (found, _) => found,
    }
}

/// The bytes as they are, but for a file that its kind gives a name of another format.
fn payload(file: &Incoming) -> Payload {
    match (&file.path, Format::of(&file.name)) {
        (None, Some(format)) => Payload::Text(format, file.bytes.clone()),
        _ => Payload::Raw(file.bytes.clone()),
    }
}

/// The path that was given, or the one that the file's kind has for it.
async fn place(writer: &Writer, kinds: &Kinds, kind: Option<&Arc<Kind>>, file: &Incoming) -> Result<FilePath> {
    if let Some(path) = &file.path {
        return Ok(FilePath::parse(path)?);
    }
    let Some(kind) = kind else {
        // A name that a kind claims as it is needs no place.
        if let Ok(path) = FilePath::parse(&file.name)
            && kinds.claim(path.as_str()).is_some()
        {
            return Ok(path);
        }
        bail!("which kind is it? Add --kind K, or --into DIR for a place of your choice");
    };
    let format = Format::of(&file.name).ok_or_else(|| anyhow!("the name ends in none of .yml, .yaml, .json"))?;
    let stem = file.name.rsplit_once('.').map_or(file.name.as_str(), |(stem, _)| stem);
    let given = BTreeMap::from([("file".to_owned(), stem.to_owned())]);
    let (path, _) = writer.place(kind, None, given, Payload::Text(format, file.bytes.clone())).await.map_err(words)?;
    Ok(path)
}
