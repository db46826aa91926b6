//! The workspace's private catalogue: descriptors that its projects share (contracts/editor.md
//! 1.10).

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::functions::no_function;
use super::rename::planned;
use super::services::no_service;
use super::shelf::{Descriptor, Shelf, Sort, published};
use super::triple::Triple;
use super::validity;
use crate::auth::Refusal;
use crate::base::blocking;
use crate::dialect::editor::answer::{Answer, json as answer};
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::gate::{InProject, InWorkspace, Last};
use crate::engine::{Change, Error, Operation, Payload, Reader};
use crate::http::fault::Fault;
use crate::resource::etag::Expected;
use crate::resource::key::FilePath;

/// `GET /workspaces/{ws}/functions`.
pub(super) async fn list_private_functions(at: InWorkspace) -> Answer {
    listed(at, Sort::Function).await
}

/// `GET /workspaces/{ws}/services`.
pub(super) async fn list_private_services(at: InWorkspace) -> Answer {
    listed(at, Sort::Service).await
}

async fn listed(at: InWorkspace, sort: Sort) -> Answer {
    let objects = blocking::run(move || {
        let all = published(&at.reader(), &at, sort, None)?;
        Ok::<_, EditorFault>(all.iter().map(|one| Value::Object(one.object())).collect())
    });
    Ok(answer(StatusCode::OK, &objects.await?))
}

/// Refuses a GET that changes something when another site's page made the browser send it: unlike
/// other methods it may come without an `Origin` from pages that may.
fn refuse_forged(at: &InWorkspace, headers: &HeaderMap) -> Result<(), EditorFault> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_foreign = text("sec-fetch-site").is_some_and(|site| site.eq_ignore_ascii_case("cross-site"));
    let is_allowed = text("origin").is_some_and(|origin| at.context.config().allows_origin(origin));
    if is_foreign && !is_allowed { Err(Fault::from(Refusal::Foreign).into()) } else { Ok(()) }
}

/// `GET .../functions/{vnf}/publish`.
pub(super) async fn publish_function(at: InProject, Last(id): Last, headers: HeaderMap) -> Answer {
    refuse_forged(&at.workspace, &headers)?;
    let name = publish(&at, Sort::Function, id).await?;
    Ok(told(&format!("Function {name} was published to private catalogue")))
}

/// `GET .../services/{ns}/publish`.
pub(super) async fn publish_service(at: InProject, Last(id): Last, headers: HeaderMap) -> Answer {
    refuse_forged(&at.workspace, &headers)?;
    let name = publish(&at, Sort::Service, id).await?;
    Ok(told(&format!("Service {name} was published to private catalogue")))
}

fn told(message: &str) -> axum::response::Response {
    answer(StatusCode::CREATED, &json!({ "message": message }))
}

async fn publish(at: &InProject, sort: Sort, id: u64) -> Result<String, EditorFault> {
    at.workspace.writer()?;
    let place = at.clone();
    let (name, _) = planned(&at.workspace, move |reader| {
        let found = Shelf::new(reader, &place, sort)?.by_id(id)?;
        let found = found.ok_or_else(|| match sort {
            Sort::Function => no_function(id),
            Sort::Service => no_service(id),
        })?;
        let changes = publication(reader, &place.workspace, sort, &found)?;
        Ok((Triple::of_valid(&found.value)?.name, changes))
    })
    .await?;
    Ok(name)
}

/// The changes that make the private catalogue's entry of this identity what the descriptor is, as
/// it is written.
pub(in crate::dialect::editor) fn publication(
    reader: &Reader,
    at: &InWorkspace,
    sort: Sort,
    one: &Descriptor,
) -> Result<Vec<Change>, EditorFault> {
    validity::check(reader, at, sort, &one.value)?;
    let triple = Triple::of_valid(&one.value)?;
    let [tree, _] = sort.trees();
    let path = FilePath::parse(&format!("{tree}/{}/{}/{}/descriptor.yml", triple.vendor, triple.name, triple.version))?;
    let mut known = published(reader, at, sort, Some(&triple.name))?;
    known.retain(|known| known.triple.as_ref() == Some(&triple));
    let mut changes = Vec::new();
    let is_in_place = |known: &Descriptor| *known.found.row.path == *path.as_str();
    let expected = match (known.iter().find(|known| is_in_place(known)), known.first()) {
        (Some(there), _) => Expected::At(vec![there.etag()]),
        (None, elsewhere) => {
            match reader.file(&at.name, &path) {
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => {
                    let text = format!("{path} holds another descriptor: move or delete that one first");
                    return Err(EditorFault::conflict(text));
                }
            }
            match elsewhere {
                // Where the original put it.
                Some(elsewhere) => {
                    let expected = Expected::At(vec![elsewhere.etag()]);
                    let operation = Operation::Move { to: path.clone() };
                    changes.push(Change { path: elsewhere.path()?, expected: expected.clone(), operation });
                    expected
                }
                None => Expected::Absent,
            }
        }
    };
    let bytes = reader.bytes(&one.found.row, one.etag())?;
    changes.push(Change { path, expected, operation: Operation::Put(Payload::Raw(bytes)) });
    Ok(changes)
}
