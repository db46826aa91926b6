//! Flat objects: the server's own fields beside the document's.

use serde_json::{Map, Value, json};

use crate::base::clock;
use crate::engine::{Content, Embedded, Error, Reader};
use crate::resource::key::DocumentId;
use crate::resource::row::Row;

/// What a component always shows; unset is `null`, but for `data`, which is empty then.
const COMPONENT: [&str; 10] =
    ["name", "componenttype_id", "canonical_project_name", "data", "sha", "title", "message", "url", "git", "ref"];

/// Python's `isoformat` of a time in UTC with a fraction of zero.
fn isoformat(seconds: i64) -> String {
    clock::rfc3339(seconds).trim_end_matches('Z').to_owned()
}

/// One object of a row and its content.
pub(super) fn object(row: &Row, content: &Content) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("id".into(), json!(DocumentId::from_stored(&row.id).to_string()));
    out.insert("created_at".into(), json!(isoformat(row.created.seconds)));
    out.insert("updated_at".into(), json!(isoformat(row.updated.seconds)));
    out.insert("etag".into(), json!(row.etag.to_string()));
    if &*row.kind == "component" {
        for key in COMPONENT {
            out.insert(key.into(), if key == "data" { json!({}) } else { Value::Null });
        }
    }
    // A pushed file may hold the server's names; they are not its to set.
    if let Some(Value::Object(fields)) = content.value() {
        for (key, value) in fields {
            if !matches!(key.as_str(), "id" | "created_at" | "updated_at" | "etag") {
                out.insert(key, value);
            }
        }
    }
    out
}

/// As [`object`], with the type in place of its id.
pub(super) fn embedding(
    reader: &Reader,
    row: &Row,
    content: &Content,
    embedded: &[Embedded],
) -> Result<Map<String, Value>, Error> {
    let mut out = object(row, content);
    for link in embedded {
        out.remove(&format!("{}_id", link.name));
        let target = match link.targets.first() {
            Some(Some(target)) => Value::Object(object(&target.row, reader.content(&target.row)?.as_ref())),
            Some(None) | None => Value::Null,
        };
        out.insert(link.name.clone(), target);
    }
    Ok(out)
}
