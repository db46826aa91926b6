//! Descriptors by identity: in the project, then in the workspace's private catalogue, then in the
//! catalogues that the workspace names (contracts/editor.md 1.10).

use axum::http::StatusCode;
use serde_json::Value;

use super::shelf::{Shelf, Sort, published};
use super::triple::Triple;
use super::{functions, services};
use crate::base::blocking;
use crate::dialect::editor::answer::{Answer, json as answer};
use crate::dialect::editor::catalogue;
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::gate::InProject;
use crate::dialect::editor::outward::search::search;
use crate::http::path::Path;

/// `{ws}`, `{pj}`, `{vendor}`, `{name}`, `{version}`.
type Named = Path<(String, String, String, String, String)>;

/// `GET .../nsfs/functions/{vendor}/{name}/{version}`.
pub(super) async fn find_function(at: InProject, Path((_, _, vendor, name, version)): Named) -> Answer {
    let triple = Triple { vendor, name, version };
    find(at, Sort::Function, &triple, "VNF").await
}

/// `GET .../nsfs/services/{vendor}/{name}/{version}`.
pub(super) async fn find_service(at: InProject, Path((_, _, vendor, name, version)): Named) -> Answer {
    let triple = Triple { vendor, name, version };
    find(at, Sort::Service, &triple, "NS").await
}

async fn find(at: InProject, sort: Sort, triple: &Triple, what: &str) -> Answer {
    let (place, wanted) = (at.clone(), triple.clone());
    if let Some(found) = blocking::run(move || stored(&place, sort, &wanted)).await? {
        return Ok(answer(StatusCode::OK, &found));
    }
    let shelf = match sort {
        Sort::Function => catalogue::Shelf::Functions,
        Sort::Service => catalogue::Shelf::Services,
    };
    let searched = search(&at.workspace, shelf, &triple.to_string()).await?;
    if let Some(found) = searched.found {
        return Ok(answer(StatusCode::OK, &found));
    }
    let unasked = match &searched.failures[..] {
        [] => String::new(),
        failures => format!("; some catalogues could not be asked: {}", failures.join("; ")),
    };
    Err(EditorFault::not_found(format!("{what} {triple} not found{unasked}")))
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
