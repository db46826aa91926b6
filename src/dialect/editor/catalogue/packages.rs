//! Packages of the catalogue: each a file, its manifest beside it so that lists need not open it.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::descriptors::{Identity, expected, options, readable};
use super::{Answer, Wanted, ZIP, answer};
use crate::auth::{Caller, Required};
use crate::base::{blocking, hex};
use crate::dialect::editor::package::{Manifest, zip};
use crate::dialect::editor::sonata::text::yaml;
use crate::engine::{Change, Error, Operation, Payload, Reader};
use crate::http::body::{Whole, prefers};
use crate::http::context::Context;
use crate::http::fault::Fault;
use crate::http::form;
use crate::http::parameters::Parameters;
use crate::http::path::Path;
use crate::resource::document::{self, Format};
use crate::resource::etag::Expected;
use crate::resource::key::{FilePath, WorkspaceName};

/// Its folder in the shared workspace; below are `<vendor>/<name>/<version>/`.
const TREE: &str = "catalogues/packages";
/// The field of a form that holds the file.
const FIELD: &str = "package";
const MANIFEST_MOST: usize = 1 << 20;

/// Where a package's file and its manifest lie.
struct Places {
    file: FilePath,
    manifest: FilePath,
}

impl Places {
    fn of(id: &Identity) -> Result<Self, Error> {
        let Identity { vendor, name, version } = id;
        if [vendor, name, version].iter().any(|part| part.is_empty() || part.contains('/')) {
            return Err(Error::bad_request("vendor, name and version must not be empty or hold a slash"));
        }
        let folder = format!("{TREE}/{vendor}/{name}/{version}");
        let file = FilePath::parse(&format!("{folder}/{vendor}.{name}.{version}.son"))?;
        Ok(Places { file, manifest: FilePath::parse(&format!("{folder}/manifest.yaml"))? })
    }
}

/// `GET .../packages`: the manifests, by path.
pub(super) async fn list(State(context): State<Context>, caller: Caller, parameters: Parameters) -> Answer {
    let reader = context.engine.reader(&caller.0?);
    let wanted = Wanted::of(&parameters)?;
    let catalogue = readable(&context, &reader).await?;
    let all = blocking::run(move || manifests(&reader, &catalogue, &wanted)).await?;
    Ok(answer(StatusCode::OK, &Value::Array(all)))
}

fn manifests(reader: &Reader, catalogue: &WorkspaceName, wanted: &Wanted) -> Result<Vec<Value>, Error> {
    let files = match reader.files(catalogue, TREE, usize::MAX, 0) {
        Ok(files) => files.entries,
        Err(Error::NotFound(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    let mut skipped = 0;
    for file in files {
        let parts: Vec<&str> = file.path.split('/').skip(2).collect();
        let &[vendor, name, version, "manifest.yaml"] = &parts[..] else { continue };
        if !wanted.admits(vendor, name, version) {
            continue;
        }
        if skipped < wanted.offset {
            skipped += 1;
            continue;
        }
        if found.len() == wanted.limit {
            break;
        }
        found.extend(manifest_at(reader, catalogue, &FilePath::parse(&file.path)?)?);
    }
    Ok(found)
}

fn manifest_at(reader: &Reader, catalogue: &WorkspaceName, path: &FilePath) -> Result<Option<Value>, Error> {
    match reader.file(catalogue, path) {
        Ok((_, bytes)) => Ok(document::parse(Format::Yaml, &bytes).ok()),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `GET .../packages/vendor/V/name/N/version/X`: the manifest, or the file.
pub(super) async fn get(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<Identity>,
    headers: HeaderMap,
) -> Answer {
    let reader = context.engine.reader(&caller.0?);
    let catalogue = readable(&context, &reader).await?;
    let places = Places::of(&id)?;
    if !prefers(&headers, |essence| essence == ZIP) {
        let found = blocking::run(move || manifest_at(&reader, &catalogue, &places.manifest)).await?;
        let manifest = found.ok_or_else(|| id.missing("package"))?;
        return Ok(answer(StatusCode::OK, &manifest));
    }
    let name = places.file.file_name().to_owned();
    let found = blocking::run(move || reader.file(&catalogue, &places.file)).await;
    let (_, bytes) = found.map_err(|error| match error {
        Error::NotFound(_) => id.missing("package"),
        other => other,
    })?;
    let mut response = ([(CONTENT_TYPE, HeaderValue::from_static(ZIP))], bytes).into_response();
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// `POST .../packages`, as service platforms take them.
pub(super) async fn post(
    State(context): State<Context>,
    caller: Required,
    headers: HeaderMap,
    Whole(bytes): Whole,
) -> Answer {
    let actor = caller.0?;
    let catalogue = context.engine.catalogue().await?;
    let writer = context.engine.writer(&actor, &catalogue)?;
    let (id, changes) = brought(&headers, bytes, Expected::Absent, None).await?;
    match writer.commit(changes, options(&id, "publish package")).await {
        Ok(_) => Ok(answer(StatusCode::CREATED, &told(&id))),
        Err(Error::Present(_) | Error::Stale(_)) => {
            let text = format!("the package {id} is published already: give a new version, or replace it with PUT");
            Err(Fault::new(StatusCode::CONFLICT, text))
        }
        Err(error) => Err(error.into()),
    }
}

/// `PUT .../packages/vendor/V/name/N/version/X`.
pub(super) async fn put(
    State(context): State<Context>,
    caller: Required,
    Path(id): Path<Identity>,
    headers: HeaderMap,
    Whole(bytes): Whole,
) -> Answer {
    let actor = caller.0?;
    let catalogue = context.engine.catalogue().await?;
    let writer = context.engine.writer(&actor, &catalogue)?;
    let (_, changes) = brought(&headers, bytes, expected(&headers)?, Some(&id)).await?;
    writer.commit(changes, options(&id, "replace package")).await.map_err(|error| absent(error, &id))?;
    Ok(answer(StatusCode::OK, &told(&id)))
}

/// `DELETE .../packages/vendor/V/name/N/version/X`.
pub(super) async fn delete(
    State(context): State<Context>,
    caller: Required,
    Path(id): Path<Identity>,
    headers: HeaderMap,
) -> Answer {
    let actor = caller.0?;
    let catalogue = context.engine.catalogue().await?;
    let writer = context.engine.writer(&actor, &catalogue)?;
    let places = Places::of(&id)?;
    let changes = vec![
        Change { path: places.file, expected: expected(&headers)?, operation: Operation::Delete },
        Change { path: places.manifest, expected: Expected::Present, operation: Operation::Delete },
    ];
    writer.commit(changes, options(&id, "delete package")).await.map_err(|error| absent(error, &id))?;
    Ok(answer(StatusCode::OK, &json!({ "message": format!("the package {id} is removed") })))
}

fn absent(error: Error, id: &Identity) -> Error {
    match error {
        Error::NotFound(_) | Error::Stale(None) => id.missing("package"),
        other => other,
    }
}

/// The package of a body, and what stores it. Its manifest says what it is.
async fn brought(
    headers: &HeaderMap,
    bytes: Bytes,
    expected: Expected,
    asked: Option<&Identity>,
) -> Result<(Identity, Vec<Change>), Fault> {
    let file = file(headers, bytes)?;
    let read = file.clone();
    let bad = |text: String| Fault::new(StatusCode::BAD_REQUEST, text);
    let manifest = blocking::run(move || zip::read(&read, Manifest::FILE, MANIFEST_MOST)).await;
    let manifest = manifest.map_err(|error| bad(format!("the package cannot be read: {error}")))?;
    let manifest = manifest.ok_or_else(|| bad(format!("the package has no {}", Manifest::FILE)))?;
    let manifest = document::parse(Format::Yaml, &manifest)
        .map_err(|error| bad(format!("the package's manifest cannot be read: {error}")))?;
    let id = Identity::of(&manifest)
        .ok_or_else(|| bad("the package's manifest lacks one of vendor, name and version".into()))?;
    if asked.is_some_and(|asked| *asked != id) {
        return Err(bad(format!("the package is {id}: its address names another")));
    }
    let places = Places::of(&id)?;
    let put = |path, expected, bytes| Change { path, expected, operation: Operation::Put(Payload::Raw(bytes)) };
    let changes = vec![put(places.file, expected, file), put(places.manifest, Expected::Any, yaml(&manifest))];
    Ok((id, changes))
}

/// The file itself, or the one field of a form.
fn file(headers: &HeaderMap, bytes: Bytes) -> Result<Bytes, Fault> {
    if let Some(parts) = form::parts(headers, &bytes)? {
        let found = parts.into_iter().find(|part| part.name == FIELD && part.file_name.is_some());
        let missing = || Fault::new(StatusCode::BAD_REQUEST, format!("send the package as the file field {FIELD:?}"));
        return Ok(found.ok_or_else(missing)?.bytes);
    }
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if given.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(ZIP)) {
        return Ok(bytes);
    }
    let text = format!("send the package as {ZIP}, or as the file field {FIELD:?} of a form");
    Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text).with("valid_types", json!([ZIP, "multipart/form-data"])))
}

/// As a platform answers; the number follows from the identity.
fn told(id: &Identity) -> Value {
    let digest = hex::encode(&Sha256::digest(id.to_string().as_bytes())[..16]);
    // Version 8 of RFC 9562: made by rules of our own.
    let uuid =
        format!("{}-{}-8{}-a{}-{}", &digest[..8], &digest[8..12], &digest[13..16], &digest[17..20], &digest[20..32]);
    json!({ "service_uuid": uuid, "uuid": uuid, "vendor": id.vendor, "name": id.name, "version": id.version })
}
