//! Descriptors by identity: in the project, then in the workspace's private catalogue, then in the
//! catalogues that the workspace names (contracts/editor.md 1.10).

use axum::http::StatusCode;
use serde_json::Value;

use super::shelf::{Shelf, Sort, published};
use super::triple::Triple;
use super::{functions, services};
use crate::base::blocking;
use crate::dialect::editor::answer::{Answer, json as answer};
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::gate::InProject;
use crate::http::path::Path;

/// `{ws}`, `{pj}`, `{vendor}`, `{name}`, `{version}`.
type Named = Path<(String, String, String, String, String)>;

/// `GET .../nsfs/functions/{vendor}/{name}/{version}`.
pub(super) async fn find_function(at: InProject, Path((_, _, vendor, name, version)): Named) -> Answer {
    let triple = Triple { vendor, name, version };
    let found = find(at, Sort::Function, triple.clone()).await?;
    found_or(found, || format!("VNF {triple} not found"))
}

/// `GET .../nsfs/services/{vendor}/{name}/{version}`.
pub(super) async fn find_service(at: InProject, Path((_, _, vendor, name, version)): Named) -> Answer {
    let triple = Triple { vendor, name, version };
    let found = find(at, Sort::Service, triple.clone()).await?;
    found_or(found, || format!("NS {triple} not found"))
}

fn found_or(found: Option<Value>, missing: impl FnOnce() -> String) -> Answer {
    let found = found.ok_or_else(|| EditorFault::not_found(missing()))?;
    Ok(answer(StatusCode::OK, &found))
}

async fn find(at: InProject, sort: Sort, triple: Triple) -> Result<Option<Value>, EditorFault> {
    blocking::run(move || stored(&at, sort, &triple)).await
}

/// What the workspace itself has.
fn stored(at: &InProject, sort: Sort, triple: &Triple) -> Result<Option<Value>, EditorFault> {
    let reader = at.workspace.reader();
    if let Some(found) = Shelf::new(&reader, at, sort)?.with(triple)?.first() {
        return Ok(Some(match sort {
            Sort::Function => functions::object(at, found),
            Sort::Service => services::object(&reader, at, found)?,
        }));
    }
    let mut known = published(&reader, &at.workspace, sort, Some(&triple.name))?.into_iter();
    let found = known.find(|known| known.triple.as_ref() == Some(triple));
    Ok(found.map(|found| Value::Object(found.object())))
}
