//! Functions and services of the catalogue.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{Answer, Wanted, answer};
use crate::auth::{Caller, Required};
use crate::base::blocking;
use crate::dialect::editor::topology;
use crate::engine::{Change, Engine, Error, Operation, Options, Payload, Reader};
use crate::http::body::{self, Whole};
use crate::http::conditions::{Precondition, precondition};
use crate::http::context::Context;
use crate::http::fault::Fault;
use crate::http::parameters::Parameters;
use crate::http::path::Path;
use crate::resource::check::{Violation, check};
use crate::resource::document::{self, Format};
use crate::resource::etag::{Etag, Expected};
use crate::resource::key::{FilePath, WorkspaceName};
use crate::resource::kind::Kind;
use crate::resource::query::{Filter, Query};
use crate::resource::row::{Column, Row};

/// Which descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect::editor) enum Shelf {
    Functions,
    Services,
}

impl Shelf {
    /// As it stands in addresses.
    pub(in crate::dialect::editor) fn plural(self) -> &'static str {
        match self {
            Shelf::Functions => "vnfs",
            Shelf::Services => "network-services",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Shelf::Functions => "functions",
            Shelf::Services => "services",
        }
    }

    fn kind(self, engine: &Engine) -> Result<Arc<Kind>, Error> {
        let name = match self {
            Shelf::Functions => "function",
            Shelf::Services => "service",
        };
        engine.kinds().by_name(name).cloned().ok_or_else(|| Error::NotFound(format!("kind {name}")))
    }

    /// Where its entries lie in the workspace.
    fn tree(self) -> &'static str {
        match self {
            Shelf::Functions => "catalogues/vnf_catalogue",
            Shelf::Services => "catalogues/ns_catalogue",
        }
    }

    fn path(self, id: &Identity) -> Result<FilePath, Error> {
        let Identity { vendor, name, version } = id;
        if [vendor, name, version].iter().any(|part| part.is_empty() || part.contains('/')) {
            return Err(Error::bad_request("vendor, name and version must not be empty or hold a slash"));
        }
        Ok(FilePath::parse(&format!("{}/{vendor}/{name}/{version}/descriptor.yml", self.tree()))?)
    }
}

/// What an entry is known by.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(super) struct Identity {
    pub(super) vendor: String,
    pub(super) name: String,
    pub(super) version: String,
}

impl Identity {
    pub(super) fn of(descriptor: &Value) -> Option<Self> {
        let text = |key: &str| topology::text(&descriptor[key]);
        Some(Identity { vendor: text("vendor")?, name: text("name")?, version: text("version")? })
    }

    fn required(descriptor: &Value) -> Result<Self, Error> {
        Identity::of(descriptor)
            .ok_or_else(|| Error::bad_request("the descriptor lacks one of vendor, name and version"))
    }

    pub(super) fn missing(&self, what: &str) -> Error {
        Error::NotFound(format!("{what} {self}"))
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.vendor, self.name, self.version)
    }
}

/// `GET .../vnfs`, `GET .../network-services`: an array of descriptors in the order of publication.
pub(super) async fn list(
    State(context): State<Context>,
    Extension(shelf): Extension<Shelf>,
    caller: Caller,
    parameters: Parameters,
) -> Answer {
    let reader = context.engine.reader(&caller.0?);
    let wanted = Wanted::of(&parameters)?;
    let kind = shelf.kind(&context.engine)?;
    let catalogue = readable(&context, &reader).await?;
    let all = blocking::run(move || descriptors(&reader, &kind, shelf, &catalogue, &wanted)).await?;
    Ok(answer(StatusCode::OK, &Value::Array(all)))
}

/// The shared workspace, when the reader may read it.
pub(super) async fn readable(context: &Context, reader: &Reader) -> Result<WorkspaceName, Error> {
    let catalogue = context.engine.catalogue().await?;
    reader.workspace(&catalogue)?;
    Ok(catalogue)
}

fn descriptors(
    reader: &Reader,
    kind: &Arc<Kind>,
    shelf: Shelf,
    catalogue: &WorkspaceName,
    wanted: &Wanted,
) -> Result<Vec<Value>, Error> {
    let mut conditions =
        vec![Filter::in_workspace(catalogue.to_arc()), Filter::Prefix(Column::Path, format!("{}/", shelf.tree()))];
    for (field, value) in [("vendor", &wanted.vendor), ("name", &wanted.name)] {
        if let Some((column, encoded)) = value.as_deref().and_then(|value| kind.encode(field, value).ok()) {
            conditions.push(encoded.filter(column));
        }
    }
    let mut query = Query { filter: Filter::All(conditions), limit: 1_000, ..Query::default() };
    let (mut found, mut skipped) = (Vec::new(), 0);
    loop {
        let page = reader.list(kind, query.clone())?.page;
        for row in page.rows {
            let Some(descriptor) = stored(reader, &row)? else { continue };
            let is_wanted =
                Identity::of(&descriptor).is_some_and(|id| wanted.admits(&id.vendor, &id.name, &id.version));
            if is_wanted && skipped < wanted.offset {
                skipped += 1;
            } else if is_wanted && found.len() < wanted.limit {
                found.push(descriptor);
            }
        }
        query.after = page.next;
        if query.after.is_none() || found.len() == wanted.limit {
            return Ok(found);
        }
    }
}

/// A row's descriptor; `None` where the file holds none.
fn stored(reader: &Reader, row: &Row) -> Result<Option<Value>, Error> {
    Ok(reader.content(row)?.value().filter(Value::is_object))
}

/// `GET .../vendor/V/name/N/version/X`.
pub(super) async fn get(
    State(context): State<Context>,
    Extension(shelf): Extension<Shelf>,
    caller: Caller,
    Path(id): Path<Identity>,
) -> Answer {
    let reader = context.engine.reader(&caller.0?);
    let catalogue = readable(&context, &reader).await?;
    let path = shelf.path(&id)?;
    let found = blocking::run(move || entry(&reader, &catalogue, &path)).await?;
    let (_, descriptor) = found.ok_or_else(|| id.missing("descriptor"))?;
    Ok(answer(StatusCode::OK, &descriptor))
}

/// The descriptor at a path and its etag.
fn entry(reader: &Reader, catalogue: &WorkspaceName, path: &FilePath) -> Result<Option<(Etag, Value)>, Error> {
    match reader.file(catalogue, path) {
        Ok((etag, bytes)) => Ok(document::parse(Format::Yaml, &bytes).ok().map(|value| (etag, value))),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `POST .../vnfs`, `POST .../network-services`: what is there already, the same, stays.
pub(super) async fn post(
    State(context): State<Context>,
    Extension(shelf): Extension<Shelf>,
    caller: Required,
    headers: HeaderMap,
    Whole(bytes): Whole,
) -> Answer {
    let actor = caller.0?;
    let payload = body::payload(&headers, bytes)?;
    let catalogue = context.engine.catalogue().await?;
    let writer = context.engine.writer(&actor, &catalogue)?;
    let (id, payload, descriptor) = judged(&context, shelf, payload).await?;
    let path = shelf.path(&id)?;
    match writer.commit(vec![put_change(path.clone(), Expected::Absent, payload)], options(&id, "publish")).await {
        Ok(_) => Ok(answer(StatusCode::CREATED, &descriptor)),
        Err(Error::Present(_) | Error::Stale(_)) => {
            let reader = context.engine.reader(&actor);
            let there = blocking::run(move || entry(&reader, &catalogue, &path)).await?;
            match there {
                Some((_, there)) if there == descriptor => Ok(answer(StatusCode::OK, &there)),
                _ => Err(Fault::new(
                    StatusCode::CONFLICT,
                    format!("{id} is published already, and differs: give a new version, or replace it with PUT"),
                )),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// `PUT .../vendor/V/name/N/version/X`: replaces the entry. A descriptor of another identity is
/// published under its own, and the entry stays.
pub(super) async fn put(
    State(context): State<Context>,
    Extension(shelf): Extension<Shelf>,
    caller: Required,
    Path(id): Path<Identity>,
    headers: HeaderMap,
    Whole(bytes): Whole,
) -> Answer {
    let actor = caller.0?;
    let payload = body::payload(&headers, bytes)?;
    let catalogue = context.engine.catalogue().await?;
    let writer = context.engine.writer(&actor, &catalogue)?;
    let (own, payload, descriptor) = judged(&context, shelf, payload).await?;
    let path = shelf.path(&id)?;
    let (reader, entry_path) = (context.engine.reader(&actor), path.clone());
    let there = blocking::run(move || entry(&reader, &catalogue, &entry_path)).await?;
    if there.is_none() {
        return Err(id.missing("descriptor").into());
    }
    let change = if own == id {
        put_change(path, expected(&headers)?, payload)
    } else {
        put_change(shelf.path(&own)?, Expected::Any, payload)
    };
    writer.commit(vec![change], options(&own, "replace")).await?;
    Ok(answer(StatusCode::OK, &descriptor))
}

/// `DELETE .../vendor/V/name/N/version/X`.
pub(super) async fn delete(
    State(context): State<Context>,
    Extension(shelf): Extension<Shelf>,
    caller: Required,
    Path(id): Path<Identity>,
    headers: HeaderMap,
) -> Answer {
    let actor = caller.0?;
    let catalogue = context.engine.catalogue().await?;
    let writer = context.engine.writer(&actor, &catalogue)?;
    let change = Change { path: shelf.path(&id)?, expected: expected(&headers)?, operation: Operation::Delete };
    writer.commit(vec![change], options(&id, "delete")).await.map_err(|error| match error {
        Error::NotFound(_) | Error::Stale(None) => id.missing("descriptor"),
        other => other,
    })?;
    Ok(answer(StatusCode::OK, &json!({ "message": format!("{id} is removed") })))
}

/// What a client expects: whatever is there, when it does not say.
pub(super) fn expected(headers: &HeaderMap) -> Result<Expected, Error> {
    match precondition(headers) {
        Precondition::None => Ok(Expected::Present),
        Precondition::Unreadable => Ok(Expected::At(Vec::new())),
        Precondition::Expected(expected) => Ok(expected),
    }
}

fn put_change(path: FilePath, expected: Expected, payload: Payload) -> Change {
    Change { path, expected, operation: Operation::Put(payload) }
}

pub(super) fn options(id: &Identity, verb: &str) -> Options {
    // One generation's descriptors break the other's schema: that was looked at before.
    Options { message: Some(format!("catalogue: {verb} {id}")), takes_invalid: true, ..Options::default() }
}

/// A body's descriptor with its identity. It keeps to the schema of one generation or another, since
/// it may come from a workspace of either.
async fn judged(context: &Context, shelf: Shelf, payload: Payload) -> Result<(Identity, Payload, Value), Fault> {
    let kind = shelf.kind(&context.engine)?;
    let done = blocking::run(move || {
        let descriptor = match &payload {
            Payload::Json(value) => value.clone(),
            Payload::Text(format, bytes) => document::parse(*format, bytes)?,
            Payload::Raw(_) => Value::Null,
        };
        if !descriptor.is_object() {
            return Err(Error::bad_request("the body must be one descriptor, an object"));
        }
        let id = Identity::required(&descriptor)?;
        let text = document::render(Format::Yaml, &descriptor);
        let judge = |generation| check(&kind, generation, Format::Yaml, &text, &descriptor);
        let fewest = (0..kind.schemas.len()).map(judge).min_by_key(Vec::len);
        match fewest.filter(|violations: &Vec<Violation>| !violations.is_empty()) {
            Some(violations) => Err(Error::Invalid(violations)),
            None => Ok((id, payload, descriptor)),
        }
    });
    Ok(done.await?)
}
