//! Changing documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::documents::{Answer, LOCATION, escaped, json_answer, tagged};
use super::query;
use super::wire::{self, Extras};
use crate::auth::Required;
use crate::base::blocking;
use crate::engine::{Change, Error, Found, Operation, Options, Payload, Reader, Writer, Written};
use crate::http::body::{Media, Whole, json, json_body, media, payload};
use crate::http::conditions::{Precondition, answer_etag, expected, precondition};
use crate::http::context::Context;
use crate::http::fault::Fault;
use crate::http::parameters::Parameters;
use crate::http::path::Path;
use crate::resource::actor::Actor;
use crate::resource::document::Format;
use crate::resource::etag::Expected;
use crate::resource::key::{FilePath, WorkspaceName};
use crate::resource::kind::Kind;

/// Parameters of every write.
pub(super) const WRITE_PARAMETERS: [&str; 2] = ["message", "dry_run"];
/// Those of a write to one document, which may say in which workspace the id is meant.
const CHANGE_PARAMETERS: [&str; 3] = ["message", "dry_run", "workspace"];

pub(super) fn options(parameters: &Parameters) -> Result<Options, Error> {
    let message = parameters.get("message").map(message).transpose()?.flatten();
    Ok(Options { message, dry_run: parameters.flag("dry_run")?, ..Options::default() })
}

/// A commit message as a caller may give it; blank is none.
fn message(text: &str) -> Result<Option<String>, Error> {
    if text.len() > 10_000 || text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(Error::bad_request("message is longer than 10000 bytes or holds control characters"));
    }
    Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned))
}

/// `POST /api/v1/{plural}`.
pub(super) async fn post_document(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    parameters: Parameters,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Answer {
    let actor = caller.0?;
    let payload = payload(&headers, body)?;
    create(&context, kind, &actor, &parameters, payload, None).await
}

/// Makes a document where the parameters say, under `id` where one is given.
async fn create(
    context: &Context,
    kind: Arc<Kind>,
    actor: &Actor,
    parameters: &Parameters,
    payload: Payload,
    id: Option<String>,
) -> Answer {
    let mut valid: Vec<&str> = vec!["workspace", "path"];
    valid.extend(kind.place_keys());
    valid.extend(WRITE_PARAMETERS);
    parameters.only(&valid)?;
    let options = options(parameters)?;
    let workspace = parameters
        .get("workspace")
        .ok_or_else(|| Error::bad_request("say where: add ?workspace=OWNER/NAME"))
        .and_then(|name| Ok(WorkspaceName::parse(name)?))?;
    let writer = context.engine.writer(actor, &workspace)?;
    let mut given: BTreeMap<String, String> = parameters
        .iter()
        .filter(|(name, _)| kind.place_keys().contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    given.extend(id.map(|id| ("id".to_owned(), id)));
    let (path, payload) = writer.place(&kind, parameters.get("path"), given, payload).await?;
    let dry_run = options.dry_run;
    let written = writer.create(path, payload, options).await?;
    let reader = context.engine.reader(actor);
    let status = if dry_run { StatusCode::OK } else { StatusCode::CREATED };
    blocking::run(move || written_answer(&reader, &writer, &kind, &written, status)).await
}

/// `PUT /api/v1/{plural}/{id}`; with `If-None-Match: *` it makes a document under an id of the
/// caller's choice, where the kind's files are named by their id.
pub(super) async fn put_document(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    Path(reference): Path<String>,
    parameters: Parameters,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Answer {
    let actor = caller.0?;
    let payload = payload(&headers, body)?;
    let expected = expected(&headers)?;
    if expected == Expected::Absent && kind.has_given_id() {
        return match locate(&context, &actor, kind.clone(), reference.clone(), &parameters).await {
            Ok(found) => Err(Error::Present(found.row.etag).into()),
            Err(Error::NotFound(_)) => create(&context, kind, &actor, &parameters, payload, Some(reference)).await,
            Err(error) => Err(error.into()),
        };
    }
    Target::find(&context, actor, kind, reference, &parameters).await?.write(expected, Operation::Put(payload)).await
}

/// `PATCH /api/v1/{plural}/{id}`: JSON Merge Patch, or JSON Patch by content type.
pub(super) async fn patch_document(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    Path(reference): Path<String>,
    parameters: Parameters,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Answer {
    let actor = caller.0?;
    let operation = match media(&headers, &[Media::MergePatch, Media::JsonPatch, Media::Json])? {
        Media::JsonPatch => Operation::JsonPatch(json_patch(json(&body)?)?),
        _ => Operation::MergePatch(json(&body)?),
    };
    let expected = expected(&headers)?;
    Target::find(&context, actor, kind, reference, &parameters).await?.write(expected, operation).await
}

/// Most operations of one JSON Patch.
const PATCH_MOST: usize = 10_000;

pub(super) fn json_patch(value: Value) -> Result<json_patch::Patch, Error> {
    if value.as_array().is_some_and(|operations| operations.len() > PATCH_MOST) {
        return Err(Error::TooLarge(format!("the patch has more than {PATCH_MOST} operations")));
    }
    serde_json::from_value(value)
        .map_err(|error| Error::bad_request(format!("the body is no JSON Patch (RFC 6902): {error}")))
}

/// `DELETE /api/v1/{plural}/{id}`.
pub(super) async fn delete_document(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    Path(reference): Path<String>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Answer {
    let actor = caller.0?;
    let expected = expected(&headers)?;
    Target::find(&context, actor, kind, reference, &parameters).await?.commit(expected, Operation::Delete).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/v1/{plural}/{id}/move {"path"}`.
pub(super) async fn move_document(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    Path(reference): Path<String>,
    parameters: Parameters,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Answer {
    let actor = caller.0?;
    let body = json_body(&headers, &body)?;
    let to = body["path"].as_str().ok_or_else(|| Error::bad_request("the body is {\"path\": \"new/place.yml\"}"))?;
    let to = FilePath::parse(to).map_err(Error::from)?;
    let target = Target::find(&context, actor, kind, reference, &parameters).await?;
    target.write(optional(&headers), Operation::Move { to }).await
}

/// `POST /api/v1/{plural}/{id}/restore {"at"}`.
pub(super) async fn restore_document(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    Path(reference): Path<String>,
    parameters: Parameters,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Answer {
    let actor = caller.0?;
    let body = json_body(&headers, &body)?;
    let at = body["at"].as_str().ok_or_else(|| Error::bad_request("the body is {\"at\": \"<commit>\"}"))?.to_owned();
    let target = Target::find(&context, actor, kind, reference, &parameters).await?;
    let (reader, sought) = (target.reader.clone(), target.found.clone());
    let bytes = blocking::run(move || Ok::<_, Error>(reader.revision(&sought, &at)?.bytes)).await?;
    target.write(optional(&headers), Operation::Put(Payload::Raw(bytes))).await
}

/// For writes that lose nothing that history does not keep: a precondition holds if given.
fn optional(headers: &HeaderMap) -> Expected {
    match precondition(headers) {
        Precondition::None => Expected::Any,
        Precondition::Unreadable => Expected::At(Vec::new()),
        Precondition::Expected(expected) => expected,
    }
}

/// A document that is to be changed, and the roads to it.
struct Target {
    reader: Arc<Reader>,
    writer: Writer,
    found: Found,
    options: Options,
}

impl Target {
    /// Finds it, and refuses whoever may not change it.
    async fn find(
        context: &Context,
        actor: Actor,
        kind: Arc<Kind>,
        reference: String,
        parameters: &Parameters,
    ) -> Result<Self, Error> {
        parameters.only(&CHANGE_PARAMETERS)?;
        let options = options(parameters)?;
        let found = locate(context, &actor, kind, reference, parameters).await?;
        let writer = context.engine.writer(&actor, &WorkspaceName::parse(&found.row.workspace)?)?;
        Ok(Target { reader: Arc::new(context.engine.reader(&actor)), writer, found, options })
    }

    async fn commit(&self, expected: Expected, operation: Operation) -> Result<Written, Error> {
        let path = FilePath::parse(&self.found.row.path)?;
        self.writer.commit(vec![Change { path, expected, operation }], self.options.clone()).await
    }

    /// Changes it and answers with what it is then.
    async fn write(self, expected: Expected, operation: Operation) -> Answer {
        let written = self.commit(expected, operation).await?;
        blocking::run(move || written_answer_from(&self.reader, &self.writer, &self.found, &written)).await
    }
}

async fn locate(
    context: &Context,
    actor: &Actor,
    kind: Arc<Kind>,
    reference: String,
    parameters: &Parameters,
) -> Result<Found, Error> {
    let reader = context.engine.reader(actor);
    let workspace = query::workspace(parameters)?;
    blocking::run(move || reader.find(&kind, &reference, workspace.as_ref())).await
}

/// The document as this write left it.
fn written_answer(reader: &Reader, writer: &Writer, kind: &Arc<Kind>, written: &Written, status: StatusCode) -> Answer {
    let applied = written.applied.first().ok_or_else(|| Error::NotFound("change".into()))?;
    let row = writer.row(written, applied, None)?;
    let content = applied.content.clone().ok_or_else(|| Error::NotFound("content".into()))?;
    let body = wire::single(reader, kind, &row, &content, Extras::default())?;
    let etag = answer_etag(row.etag, body.as_bytes());
    let mut response = tagged(json_answer(status, body), &etag);
    locate_header(&mut response, kind, &row.id, status);
    Ok(response)
}

fn written_answer_from(reader: &Reader, writer: &Writer, found: &Found, written: &Written) -> Answer {
    let applied = written.applied.first().ok_or_else(|| Error::NotFound("change".into()))?;
    let row = writer.row(written, applied, Some(&found.row))?;
    let content = match &applied.content {
        Some(content) => content.clone(),
        None => reader.content(&row)?,
    };
    let body = wire::single(reader, &found.kind, &row, &content, Extras::default())?;
    let etag = answer_etag(row.etag, body.as_bytes());
    Ok(tagged(json_answer(StatusCode::OK, body), &etag))
}

pub(super) fn locate_header(response: &mut Response, kind: &Kind, id: &str, status: StatusCode) {
    if status != StatusCode::CREATED {
        return;
    }
    let id = crate::resource::key::DocumentId::from_stored(id).to_string();
    let location = format!("/api/v1/{}/{}", kind.plural, escaped(&id));
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, value);
    }
}

/// The body of `POST .../commits`: what it changes and its message.
pub(super) fn changes(body: &Value, most: usize) -> Result<(Vec<Change>, Option<String>), Error> {
    let shape = "the body is {\"message\"?, \"changes\": [{\"op\": \"put|patch|delete|move\", \"path\", \"etag\" or \"absent\": true, \"content\" or \"text\", \"to\"?}]}";
    let entries = body["changes"].as_array().ok_or_else(|| Error::bad_request(shape))?;
    if entries.len() > most {
        return Err(Error::TooLarge(format!("a commit takes at most {most} changes")));
    }
    for key in body.as_object().into_iter().flatten().map(|(key, _)| key) {
        if !matches!(key.as_str(), "message" | "changes") {
            return Err(Error::bad_request(format!("unknown member {key:?}: {shape}")));
        }
    }
    let message = match &body["message"] {
        Value::Null => None,
        Value::String(text) => message(text)?,
        _ => return Err(Error::bad_request("message must be a string")),
    };
    let changes = entries.iter().enumerate().map(|(at, entry)| {
        one_change(entry).map_err(|error| match error {
            Error::BadRequest { message, particulars } => {
                Error::BadRequest { message: format!("changes[{at}]: {message}"), particulars }
            }
            other => other,
        })
    });
    Ok((changes.collect::<Result<_, _>>()?, message))
}

fn one_change(entry: &Value) -> Result<Change, Error> {
    const MEMBERS: [&str; 7] = ["op", "path", "etag", "absent", "content", "text", "to"];
    let members = entry.as_object().ok_or_else(|| Error::bad_request("is not an object"))?;
    if let Some(key) = members.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
        let valid = MEMBERS.iter().map(|name| (*name).to_owned()).collect();
        return Err(Error::with_valid(format!("unknown member {key:?}"), "valid_members", valid));
    }
    let text = |name: &str| entry[name].as_str();
    let path = FilePath::parse(text("path").ok_or_else(|| Error::bad_request("path is missing"))?)?;
    if entry.get("etag").is_some_and(|etag| !etag.is_string()) {
        return Err(Error::bad_request("etag must be a string"));
    }
    if entry.get("absent").is_some_and(|absent| !absent.is_boolean()) {
        return Err(Error::bad_request("absent must be true or false"));
    }
    let expected = match (text("etag"), entry["absent"].as_bool().unwrap_or(false)) {
        (Some(_), true) => return Err(Error::bad_request("etag and absent exclude each other")),
        (Some("*"), false) => Expected::Present,
        (Some(etag), false) => {
            let blob = etag.trim_matches('"').split('.').next().unwrap_or_default();
            Expected::At(crate::resource::etag::Etag::parse(blob).into_iter().collect())
        }
        (None, true) => Expected::Absent,
        (None, false) => return Err(Error::Unconditional),
    };
    let content = entry.get("content").cloned();
    let operation = match (text("op"), content, text("text")) {
        (Some("put"), Some(content), None) => Operation::Put(Payload::Json(content)),
        (Some("put"), None, Some(text)) => {
            let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
            Operation::Put(match Format::of(path.as_str()) {
                Some(format) => Payload::Text(format, bytes),
                None => Payload::Raw(bytes),
            })
        }
        (Some("patch"), Some(content @ Value::Array(_)), None) => Operation::JsonPatch(json_patch(content)?),
        (Some("patch"), Some(content), None) => Operation::MergePatch(content),
        (Some("put" | "patch"), ..) => return Err(Error::bad_request("give content (JSON) or, for put, text")),
        (Some("delete"), None, None) => Operation::Delete,
        (Some("move"), None, None) => {
            let to = text("to").ok_or_else(|| Error::bad_request("move needs \"to\""))?;
            Operation::Move { to: FilePath::parse(to)? }
        }
        (Some("delete" | "move"), ..) => return Err(Error::bad_request("delete and move take no content")),
        _ => {
            let valid = ["put", "patch", "delete", "move"].map(str::to_owned).to_vec();
            return Err(Error::with_valid("op is missing or unknown", "valid_ops", valid));
        }
    };
    Ok(Change { path, expected, operation })
}

impl From<crate::resource::key::NameError> for Fault {
    fn from(error: crate::resource::key::NameError) -> Self {
        Error::from(error).into()
    }
}
