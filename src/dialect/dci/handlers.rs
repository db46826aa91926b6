//! The handlers of both resources; the kind comes from the route.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::body::{self, Use};
use super::fault::{Asked, DciFault};
use super::{query, wire};
use crate::auth::Required;
use crate::base::blocking;
use crate::engine::{Change, Error, Found, Operation, Options, Payload, Reader, Writer};
use crate::http::body::Whole;
use crate::http::conditions::expected;
use crate::http::context::Context;
use crate::http::parameters::Parameters;
use crate::http::path::Path;
use crate::resource::actor::Actor;
use crate::resource::key::{FilePath, WorkspaceName};
use crate::resource::kind::Kind;
use crate::resource::query::{Filter, Query};
use crate::resource::row::{Row, Value as Encoded};

type Answer = Result<Response, DciFault>;

fn answer(status: StatusCode, body: &Value, etag: Option<&Row>) -> Response {
    let mut response =
        (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.to_string()).into_response();
    if let Some(value) = etag.and_then(|row| HeaderValue::from_str(&row.etag.to_string()).ok()) {
        // Unquoted, as the original's clients expect it.
        response.headers_mut().insert(ETAG, value);
    }
    response
}

/// An empty answer that still carries a type: the original's clients look at it.
fn nothing(etag: Option<&Row>) -> Response {
    let mut response = answer(StatusCode::NO_CONTENT, &Value::Null, etag);
    *response.body_mut() = axum::body::Body::empty();
    response
}

/// `GET /api/v1/componenttypes`, `GET /api/v1/components`.
pub(super) async fn list(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    parameters: Parameters,
) -> Answer {
    let reader = context.engine.reader(&caller.0?);
    listing(&context, reader, kind, &parameters, None).await
}

/// `GET /api/v1/componenttypes/{id or name}/components`.
pub(super) async fn list_of_type(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    Path(reference): Path<String>,
    parameters: Parameters,
) -> Answer {
    let reader = context.engine.reader(&caller.0?);
    let found = find(&context, &reader, &kind, &reference, Asked::Get).await?;
    let kinds = context.engine.kinds();
    let component = kinds.by_name("component").cloned().ok_or_else(|| Error::NotFound("kind component".into()))?;
    let of_type = component.field("componenttype_id").map(|field| {
        let id = crate::resource::key::DocumentId::from_stored(&found.row.id).to_string();
        Filter::In(field.column, vec![Encoded::Text(id.into())])
    });
    listing(&context, reader, component, &parameters, of_type).await
}

async fn listing(
    context: &Context,
    reader: Reader,
    kind: Arc<Kind>,
    parameters: &Parameters,
    also: Option<Filter>,
) -> Answer {
    let mut query = query::parse(&kind, parameters)?;
    let embed = query::embed(&kind, parameters)?;
    let catalogue = context.engine.catalogue().await?;
    let here = Filter::in_workspace(catalogue.to_arc());
    query.filter = Filter::All([Some(here), also, Some(query.filter)].into_iter().flatten().collect());
    let body = blocking::run(move || list_body(&reader, &kind, query, &embed)).await?;
    Ok(answer(StatusCode::OK, &body, None))
}

fn list_body(reader: &Reader, kind: &Arc<Kind>, query: Query, embed: &[String]) -> Result<Value, Error> {
    let (limit, offset) = (query.limit, query.offset);
    let page = reader.list(kind, query)?.page;
    let embedded = reader.embed(kind, &page.rows, embed)?;
    let mut objects = Vec::with_capacity(page.rows.len());
    for (row, embedded) in page.rows.iter().zip(&embedded) {
        objects.push(Value::Object(wire::embedding(reader, row, reader.content(row)?.as_ref(), embedded)?));
    }
    let mut body = Map::new();
    body.insert(kind.plural.to_string(), Value::Array(objects));
    body.insert("_meta".into(), json!({ "count": page.count, "limit": limit, "offset": offset }));
    Ok(Value::Object(body))
}

/// By id, or by name in the catalogue.
async fn find(
    context: &Context,
    reader: &Reader,
    kind: &Arc<Kind>,
    reference: &str,
    asked: Asked,
) -> Result<Found, DciFault> {
    look_up(context, reader.actor(), kind, reference).await.map_err(|error| DciFault::of(error, kind, reference, asked))
}

async fn look_up(context: &Context, actor: &Actor, kind: &Arc<Kind>, reference: &str) -> Result<Found, Error> {
    let catalogue = context.engine.catalogue().await?;
    let reader = context.engine.reader(actor);
    let (kind, reference) = (kind.clone(), reference.to_owned());
    blocking::run(move || reader.find(&kind, &reference, Some(&catalogue))).await
}

/// `GET /api/v1/{plural}/{id or name}`.
pub(super) async fn get(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    Path(reference): Path<String>,
    parameters: Parameters,
) -> Answer {
    let reader = context.engine.reader(&caller.0?);
    let embed = query::embed(&kind, &parameters)?;
    let found = find(&context, &reader, &kind, &reference, Asked::Get).await?;
    let body = blocking::run(move || single(&reader, &found, &embed)).await?;
    Ok(answer(StatusCode::OK, &body.0, Some(&body.1)))
}

fn single(reader: &Reader, found: &Found, embed: &[String]) -> Result<(Value, Arc<Row>), Error> {
    let embedded = reader.embed(&found.kind, std::slice::from_ref(&found.row), embed)?;
    let embedded = embedded.first().map(Vec::as_slice).unwrap_or_default();
    let object = wire::embedding(reader, &found.row, reader.content(&found.row)?.as_ref(), embedded)?;
    Ok((json!({ &*found.kind.name: object }), found.row.clone()))
}

fn fields(kind: &Kind, body: &[u8], used: Use) -> Result<Map<String, Value>, DciFault> {
    if &*kind.name == "component" { body::component(body, used) } else { body::componenttype(body, used) }
}

/// `POST /api/v1/{plural}`.
pub(super) async fn post(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    Whole(body): Whole,
) -> Answer {
    let actor = caller.0?;
    let mut fields = fields(&kind, &body, Use::Create)?;
    let catalogue = context.engine.catalogue().await?;
    let relies_on = resolve_type(&context, &actor, &mut fields).await?;
    let writer = context.engine.writer(&actor, &catalogue)?;
    let payload = Payload::Json(Value::Object(fields));
    let (path, payload) = writer.place(&kind, None, Default::default(), payload).await?;
    let written = writer.create(path, payload, Options { relies_on, ..Options::default() }).await?;
    let (body, row) = written_body(&writer, &kind, &written, None)?;
    Ok(answer(StatusCode::CREATED, &body, Some(&row)))
}

fn written_body(
    writer: &Writer,
    kind: &Kind,
    written: &crate::engine::Written,
    before: Option<&Row>,
) -> Result<(Value, Row), DciFault> {
    let applied = written.applied.first().ok_or_else(|| Error::NotFound("change".into()))?;
    let row = writer.row(written, applied, before)?;
    let content = applied.content.clone().ok_or_else(|| Error::NotFound("content".into()))?;
    Ok((json!({ &*kind.name: wire::object(&row, &content) }), row))
}

/// A type may be given by name; what is stored is its id. Gives the file that then has to stay:
/// without it the component would name a type that is no more.
async fn resolve_type(
    context: &Context,
    actor: &Actor,
    fields: &mut Map<String, Value>,
) -> Result<Vec<FilePath>, DciFault> {
    let Some(Value::String(given)) = fields.get("componenttype_id").cloned() else { return Ok(Vec::new()) };
    let kinds = context.engine.kinds();
    let kind = kinds.by_name("componenttype").ok_or_else(|| Error::NotFound("kind componenttype".into()))?;
    let found = look_up(context, actor, kind, &given).await.map_err(|error| match error {
        Error::NotFound(_) => DciFault::no_such_type(),
        other => other.into(),
    })?;
    let id = crate::resource::key::DocumentId::from_stored(&found.row.id).to_string();
    fields.insert("componenttype_id".into(), json!(id));
    Ok(vec![FilePath::parse(&found.row.path).map_err(Error::from)?])
}

/// `PUT /api/v1/{plural}/{id or name}`: keeps the keys that it does not name. A component answers
/// 201 with its body, a type 204 without, as the README shows them.
pub(super) async fn put(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    Path(reference): Path<String>,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Answer {
    let actor = caller.0?;
    let expected = expected(&headers)?;
    let mut fields = fields(&kind, &body, Use::Update)?;
    let reader = context.engine.reader(&actor);
    let found = find(&context, &reader, &kind, &reference, Asked::Put).await?;
    let relies_on = resolve_type(&context, &actor, &mut fields).await?;
    let writer = context.engine.writer(&actor, &WorkspaceName::parse(&found.row.workspace).map_err(Error::from)?)?;
    let path = FilePath::parse(&found.row.path).map_err(Error::from)?;
    // Replaces members whole, `data` too: a merge patch would merge inside it.
    let change = Change { path, expected, operation: Operation::SetMembers(fields) };
    let written = writer
        .commit(vec![change], Options { relies_on, ..Options::default() })
        .await
        .map_err(|error| DciFault::of(error, &kind, &reference, Asked::Put))?;
    let (body, row) = written_body(&writer, &kind, &written, Some(&found.row))?;
    if &*kind.name == "component" {
        Ok(answer(StatusCode::CREATED, &body, Some(&row)))
    } else {
        Ok(nothing(Some(&row)))
    }
}

/// `DELETE /api/v1/{plural}/{id or name}`; a type takes its components with it.
pub(super) async fn delete(
    State(context): State<Context>,
    Extension(kind): Extension<Arc<Kind>>,
    caller: Required,
    Path(reference): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let actor = caller.0?;
    let expected = expected(&headers)?;
    let reader = context.engine.reader(&actor);
    let found = find(&context, &reader, &kind, &reference, Asked::Delete).await?;
    let writer = context.engine.writer(&actor, &WorkspaceName::parse(&found.row.workspace).map_err(Error::from)?)?;
    let path = FilePath::parse(&found.row.path).map_err(Error::from)?;
    writer
        .commit(vec![Change { path, expected, operation: Operation::Delete }], Options::default())
        .await
        .map_err(|error| DciFault::of(error, &kind, &reference, Asked::Delete))?;
    Ok(nothing(None))
}
