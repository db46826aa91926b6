//! The services of a project (contracts/editor.md 1.7.4).

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::rename::{self, Outcome, create, planned};
use super::shelf::{Descriptor, Shelf, Sort};
use super::triple::Triple;
use super::{meta, validity};
use crate::base::blocking;
use crate::dialect::editor::answer::{Answer, item, item_unless_fresh, json as answer};
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::fields::Fields;
use crate::dialect::editor::gate::{InProject, Last};
use crate::dialect::editor::sonata::text;
use crate::engine::{Reader, Written};

pub(super) fn no_service(id: u64) -> EditorFault {
    EditorFault::not_found(format!("No Service matching id {id}"))
}

/// `{"id", "uid", "descriptor", "meta", ...}`.
pub(super) fn object(reader: &Reader, at: &InProject, service: &Descriptor) -> Result<Value, EditorFault> {
    Ok(with_meta(at, service, meta::read(reader, at, service)?))
}

fn with_meta(at: &InProject, service: &Descriptor, meta: Value) -> Value {
    let mut object = service.object();
    object.insert("meta".into(), meta);
    object.insert("project_id".into(), json!(at.id));
    Value::Object(object)
}

/// `GET .../services/`.
pub(super) async fn list_services(at: InProject) -> Answer {
    let objects = blocking::run(move || {
        let reader = at.workspace.reader();
        let all = Shelf::new(&reader, &at, Sort::Service)?.all()?;
        all.iter().map(|service| object(&reader, &at, service)).collect::<Result<Value, EditorFault>>()
    });
    Ok(answer(StatusCode::OK, &objects.await?))
}

/// A service with what is kept besides; `None` where the project has none of this number.
async fn find(at: &InProject, id: u64) -> Result<Option<(Descriptor, Value)>, EditorFault> {
    let at = at.clone();
    blocking::run(move || {
        let reader = at.workspace.reader();
        let Some(found) = Shelf::new(&reader, &at, Sort::Service)?.by_id(id)? else { return Ok(None) };
        let meta = meta::read(&reader, &at, &found)?;
        Ok(Some((found, meta)))
    })
    .await
}

/// `GET .../services/{ns}`.
pub(super) async fn get_service(at: InProject, Last(id): Last, headers: HeaderMap) -> Answer {
    let (found, meta) = find(&at, id).await?.ok_or_else(|| no_service(id))?;
    let etag = found.etag();
    Ok(item_unless_fresh(&headers, &with_meta(&at, &found, meta), Some(etag)))
}

/// The answer to a write; `meta` as in it, otherwise as it is stored.
async fn written(at: InProject, done: Written, outcome: Outcome, status: StatusCode) -> Answer {
    blocking::run(move || {
        let service = rename::left(&at.workspace, &done, &outcome)?;
        Ok(item(status, &object(&at.workspace.reader(), &at, &service)?, Some(service.etag())))
    })
    .await
}

/// `POST .../services/`.
pub(super) async fn post_service(at: InProject, fields: Fields) -> Answer {
    at.workspace.writer()?;
    let descriptor = Arc::new(fields.required("descriptor")?.clone());
    Triple::required(&descriptor, "service")?;
    if let Some(triple) = Triple::of(&descriptor) {
        let looking = at.clone();
        blocking::run(move || refuse_twin(&looking.workspace.reader(), &looking, &triple)).await?;
    }
    validity::checked(&at.workspace, Sort::Service, descriptor.clone()).await?;
    let meta = Arc::new(fields.required("meta")?.clone());
    let triple = Triple::of_valid(&descriptor)?;
    let plan = at.clone();
    let (outcome, done) = planned(&at.workspace, move |reader| {
        refuse_twin(reader, &plan, &triple)?;
        let path = Shelf::new(reader, &plan, Sort::Service)?.place(&triple, None)?;
        let mut changes = vec![create(path.clone(), text::yaml(&descriptor))];
        changes.extend(meta::put(&plan, &path, &meta, meta::is_kept(reader, &plan, &path)?)?);
        Ok((Outcome { path, before: None }, changes))
    })
    .await?;
    written(at, done, outcome, StatusCode::CREATED).await
}

fn refuse_twin(reader: &Reader, at: &InProject, triple: &Triple) -> Result<(), EditorFault> {
    let is_free = Shelf::new(reader, at, Sort::Service)?.with(triple)?.is_empty();
    let fault = || EditorFault::conflict("A service with this name/vendor/version already exists");
    if is_free { Ok(()) } else { Err(fault()) }
}

/// `PUT .../services/{ns}`: the descriptor, what is kept besides, or both.
pub(super) async fn put_service(at: InProject, Last(id): Last, fields: Fields) -> Answer {
    at.workspace.writer()?;
    let missing =
        move || EditorFault::not_found(format!("Could not update service '{id}', because no record was found"));
    let (found, _) = find(&at, id).await?.ok_or_else(missing)?;
    let meta = fields.0.get("meta").cloned();
    let Some(descriptor) = fields.0.get("descriptor").cloned().map(Arc::new) else {
        let Some(meta) = meta else { return Err(EditorFault::missing("descriptor")) };
        return put_meta(at, id, meta).await;
    };
    validity::checked(&at.workspace, Sort::Service, descriptor.clone()).await?;
    let expected = at.workspace.expected(Some(found.etag()))?;
    // Most updates leave the identity, and are judged before the writer's turn.
    let triple = Triple::of_valid(&descriptor)?;
    if found.triple.as_ref() == Some(&triple) {
        let path = found.path()?;
        let mut changes = vec![rename::put(path.clone(), expected, &descriptor)];
        // An empty object is kept as one, so that nothing of before shows.
        changes.extend(meta.as_ref().map(|meta| meta::put(&at, &path, meta, true)).transpose()?.flatten());
        match at.workspace.commit(changes, &format!("service: update {triple}")).await {
            Err(fault) if fault.is_outrun() || fault.status() == StatusCode::NOT_FOUND => {}
            done => return written(at, done?, Outcome { path, before: Some(found) }, StatusCode::OK).await,
        }
    }
    let plan = (at.clone(), descriptor, meta);
    let (outcome, done) = planned(&at.workspace, move |reader| {
        let (at, descriptor, meta) = &plan;
        rename::service(reader, at, id, descriptor, meta.as_ref())?.ok_or_else(missing)
    })
    .await?;
    written(at, done, outcome, StatusCode::OK).await
}

/// What is kept besides, alone.
async fn put_meta(at: InProject, id: u64, meta: Value) -> Answer {
    let missing =
        move || EditorFault::not_found(format!("Could not update service '{id}', because no record was found"));
    let plan = at.clone();
    let (found, _) = planned(&at.workspace, move |reader| {
        let found = Shelf::new(reader, &plan, Sort::Service)?.by_id(id)?.ok_or_else(missing)?;
        plan.workspace.expected(Some(found.etag()))?;
        let path = found.path()?;
        let change = meta::put(&plan, &path, &meta, meta::is_kept(reader, &plan, &path)?)?;
        Ok((found, change.into_iter().collect()))
    })
    .await?;
    let body = blocking::run(move || {
        let etag = found.etag();
        Ok::<_, EditorFault>((object(&at.workspace.reader(), &at, &found)?, etag))
    });
    let (body, etag) = body.await?;
    Ok(item(StatusCode::OK, &body, Some(etag)))
}

/// `DELETE .../services/{ns}`.
pub(super) async fn delete_service(at: InProject, Last(id): Last) -> Answer {
    let missing = move || EditorFault::not_found(format!("Could not delete service: service with id {id} not found"));
    at.workspace.writer()?;
    let place = at.clone();
    let (body, _) = planned(&at.workspace, move |reader| {
        let (deleted, changes) = rename::deletion(reader, &place, Sort::Service, id)?.ok_or_else(missing)?;
        Ok((object(reader, &place, &deleted)?, changes))
    })
    .await?;
    Ok(answer(StatusCode::OK, &body))
}
