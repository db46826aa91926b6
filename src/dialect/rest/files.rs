//! Files of a workspace, whether a kind claims them or not.

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::documents::{Answer, json_answer, tagged, unless_fresh};
use super::writes::{WRITE_PARAMETERS, options};
use crate::auth::{Caller, Required};
use crate::base::blocking;
use crate::engine::{Change, Error, Operation, Payload};
use crate::http::body::Whole;
use crate::http::conditions::{Precondition, expected, precondition, stored_etag};
use crate::http::context::Context;
use crate::http::fault::{Fault, violations_json};
use crate::http::parameters::Parameters;
use crate::http::path::Path;
use crate::resource::document::Format;
use crate::resource::etag::Expected;
use crate::resource::key::{FilePath, WorkspaceName};

const FILES: usize = 1_000;
const FILES_MOST: usize = 100_000;

/// `GET .../files/`: everything as a flat tree listing.
pub(super) async fn list_files(
    state: State<Context>,
    caller: Caller,
    Path((owner, name)): Path<(String, String)>,
    parameters: Parameters,
) -> Answer {
    listing(state, caller, &owner, &name, String::new(), parameters).await
}

async fn listing(
    State(context): State<Context>,
    caller: Caller,
    owner: &str,
    name: &str,
    folder: String,
    parameters: Parameters,
) -> Answer {
    parameters.only(&["limit", "offset"])?;
    let page = parameters.page(FILES, FILES_MOST)?;
    let reader = context.engine.reader(&caller.0?);
    let name = WorkspaceName::new(owner, name)?;
    let kinds = context.engine.kinds();
    let files = blocking::run(move || reader.files(&name, &folder, page.limit, page.offset)).await?;
    let entries = files.entries.iter().zip(&files.sizes).map(|(entry, size)| {
        json!({
            "path": &*entry.path,
            "etag": entry.etag.to_string(),
            "size": size,
            "kind": kinds.claim(&entry.path).map(|(kind, _)| kind.name.to_string()),
        })
    });
    let mut meta = page.meta(files.count);
    meta["head"] = files.head.to_string().into();
    let body = json!({ "files": entries.collect::<Vec<Value>>(), "_meta": meta });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}

/// `GET .../files/{path}`: the stored bytes; with a trailing slash the listing of a folder.
pub(super) async fn get_file(
    state: State<Context>,
    caller: Caller,
    Path((owner, name, path)): Path<(String, String, String)>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Answer {
    if let Some(folder) = path.strip_suffix('/') {
        FilePath::parse(folder)?;
        return listing(state, caller, &owner, &name, folder.to_owned(), parameters).await;
    }
    parameters.only(&[])?;
    let reader = state.engine.reader(&caller.0?);
    let name = WorkspaceName::new(&owner, &name)?;
    let path = FilePath::parse(&path)?;
    let media = media(path.as_str());
    let (etag, bytes) = blocking::run(move || reader.file(&name, &path)).await?;
    let headers_out = [
        (CONTENT_TYPE, HeaderValue::from_static(media)),
        // A stored page must not run as this server's.
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok(unless_fresh(&headers, tagged((headers_out, bytes).into_response(), &stored_etag(etag))))
}

/// The type of a file by its name; nothing that a browser would run.
fn media(path: &str) -> &'static str {
    match Format::of(path) {
        Some(Format::Yaml) => "application/yaml",
        Some(Format::Json) => "application/json",
        None => {
            let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
            match extension.as_deref() {
                Some("txt" | "md" | "py" | "sh" | "cfg" | "conf" | "ini" | "toml" | "csv" | "log") => {
                    "text/plain; charset=utf-8"
                }
                Some("png") => "image/png",
                Some("jpg" | "jpeg") => "image/jpeg",
                Some("gif") => "image/gif",
                Some("pdf") => "application/pdf",
                _ => "application/octet-stream",
            }
        }
    }
}

/// `PUT .../files/{path}`: stores the bytes as sent. Without a precondition it only creates.
pub(super) async fn put_file(
    State(context): State<Context>,
    caller: Required,
    Path((owner, name, path)): Path<(String, String, String)>,
    parameters: Parameters,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Answer {
    parameters.only(&WRITE_PARAMETERS)?;
    let options = options(&parameters)?;
    let actor = caller.0?;
    let writer = context.engine.writer(&actor, &WorkspaceName::new(&owner, &name)?)?;
    let path = FilePath::parse(&path)?;
    let is_blind = precondition(&headers) == Precondition::None;
    let expected = if is_blind { Expected::Absent } else { expected(&headers)? };
    let operation = Operation::Put(Payload::Raw(body));
    let written = match writer.commit(vec![Change { path, expected, operation }], options).await {
        Err(Error::Present(_)) if is_blind => return Err(Error::Unconditional.into()),
        done => done?,
    };
    let applied = written.applied.first().ok_or_else(|| Error::NotFound("change".into()))?;
    let status = if applied.created { StatusCode::CREATED } else { StatusCode::OK };
    let etag = applied.etag.map(|etag| etag.to_string());
    let body = json!({ "file": {
        "path": applied.path.as_str(),
        "etag": etag,
        "kind": applied.kind.as_ref().map(|kind| kind.name.to_string()),
        "violations": applied.content.as_ref().map_or(Value::Array(Vec::new()), |content| violations_json(&content.violations)),
    } });
    let response = json_answer(status, body.to_string());
    Ok(match applied.etag {
        Some(etag) => tagged(response, &stored_etag(etag)),
        None => response,
    })
}

/// `DELETE .../files/{path}`.
pub(super) async fn delete_file(
    State(context): State<Context>,
    caller: Required,
    Path((owner, name, path)): Path<(String, String, String)>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Answer {
    parameters.only(&WRITE_PARAMETERS)?;
    let options = options(&parameters)?;
    let writer = context.engine.writer(&caller.0?, &WorkspaceName::new(&owner, &name)?)?;
    let change = Change { path: FilePath::parse(&path)?, expected: expected(&headers)?, operation: Operation::Delete };
    writer.commit(vec![change], options).await?;
    Ok::<_, Fault>(StatusCode::NO_CONTENT.into_response())
}
