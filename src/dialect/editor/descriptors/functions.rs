//! The functions of a project (contracts/editor.md 1.7.1 to 1.7.3).

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::rename::{self, Mode, Outcome, planned};
use super::shelf::{Descriptor, Shelf, Sort};
use super::triple::Triple;
use super::validity;
use crate::base::blocking;
use crate::dialect::editor::answer::{Answer, item, item_unless_fresh, json as answer};
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::fields::Fields;
use crate::dialect::editor::gate::{InProject, Last};
use crate::dialect::editor::sonata::text;
use crate::engine::Written;

pub(super) fn no_function(id: u64) -> EditorFault {
    EditorFault::not_found(format!("Function with id {id} does not exist"))
}

/// `{"id", "uid", "descriptor", ...}`.
pub(super) fn object(at: &InProject, function: &Descriptor) -> Value {
    let mut object = function.object();
    object.insert("project_id".into(), json!(at.id));
    Value::Object(object)
}

/// `GET .../functions/`.
pub(super) async fn list_functions(at: InProject) -> Answer {
    let objects = blocking::run(move || {
        let reader = at.workspace.reader();
        let all = Shelf::new(&reader, &at, Sort::Function)?.all()?;
        Ok::<_, EditorFault>(all.iter().map(|function| object(&at, function)).collect())
    });
    Ok(answer(StatusCode::OK, &objects.await?))
}

/// One function of the project, or the fault that says that there is none.
pub(super) async fn find(at: &InProject, id: u64) -> Result<Descriptor, EditorFault> {
    let at = at.clone();
    let found = blocking::run(move || Shelf::new(&at.workspace.reader(), &at, Sort::Function)?.by_id(id)).await?;
    found.ok_or_else(|| no_function(id))
}

/// `GET .../functions/{vnf}`.
pub(super) async fn get_function(at: InProject, Last(id): Last, headers: HeaderMap) -> Answer {
    let found = find(&at, id).await?;
    Ok(item_unless_fresh(&headers, &object(&at, &found), Some(found.etag())))
}

fn written(at: &InProject, written: &Written, outcome: &Outcome, status: StatusCode) -> Answer {
    let function = rename::left(&at.workspace, written, outcome)?;
    Ok(item(status, &object(at, &function), Some(function.etag())))
}

/// `POST .../functions/`.
pub(super) async fn post_function(at: InProject, fields: Fields) -> Answer {
    at.workspace.writer()?;
    let descriptor = Arc::new(fields.required("descriptor")?.clone());
    Triple::required(&descriptor, "function")?;
    validity::checked(&at.workspace, Sort::Function, descriptor.clone()).await?;
    let triple = Triple::of_valid(&descriptor)?;
    let plan = at.clone();
    let (outcome, done) = planned(&at.workspace, move |reader| {
        let shelf = Shelf::new(reader, &plan, Sort::Function)?;
        if !shelf.with(&triple)?.is_empty() {
            return Err(EditorFault::conflict(format!("Function with name {} already exists", triple.name)));
        }
        let path = shelf.place(&triple, None)?;
        let change = rename::create(path.clone(), text::yaml(&descriptor));
        Ok((Outcome { path, before: None }, vec![change]))
    })
    .await?;
    written(&at, &done, &outcome, StatusCode::CREATED)
}

/// `PUT .../functions/{vnf}`.
pub(super) async fn put_function(at: InProject, Last(id): Last, fields: Fields) -> Answer {
    at.workspace.writer()?;
    let descriptor = Arc::new(fields.required("descriptor")?.clone());
    validity::checked(&at.workspace, Sort::Function, descriptor.clone()).await?;
    let mode = match fields.required_text("edit_mode")? {
        "replace_refs" => Mode::ReplaceRefs,
        "create_new" => Mode::CreateNew,
        _ => return Err(EditorFault::bad("'edit_mode' must be replace_refs or create_new")),
    };
    let found = find(&at, id).await?;
    let expected = at.workspace.expected(Some(found.etag()))?;
    // Most updates are about one file, and judged before the writer's turn.
    let triple = Triple::of_valid(&descriptor)?;
    if found.triple.as_ref() == Some(&triple) {
        let path = found.path()?;
        let change = rename::put(path.clone(), expected, &descriptor);
        match at.workspace.commit(vec![change], &format!("function: update {triple}")).await {
            Err(fault) if fault.is_outrun() || fault.status() == StatusCode::NOT_FOUND => {}
            done => return written(&at, &done?, &Outcome { path, before: Some(found) }, StatusCode::OK),
        }
    }
    let plan = (at.clone(), descriptor);
    let (outcome, done) = planned(&at.workspace, move |reader| {
        let (at, descriptor) = &plan;
        rename::function(reader, at, id, descriptor, mode)?.ok_or_else(|| no_function(id))
    })
    .await?;
    written(&at, &done, &outcome, StatusCode::OK)
}

/// `DELETE .../functions/{vnf}`: the descriptor and, unless others share it, its folder.
pub(super) async fn delete_function(at: InProject, Last(id): Last) -> Answer {
    let place = at.clone();
    let (deleted, _) = planned(&at.workspace, move |reader| {
        rename::deletion(reader, &place, Sort::Function, id)?.ok_or_else(|| no_function(id))
    })
    .await?;
    Ok(answer(StatusCode::OK, &object(&at, &deleted)))
}
