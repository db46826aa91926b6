//! How documents go out. Written straight to text: the content is JSON already.

use serde_json::Value;

use super::cursor;
use super::query::{ListRequest, Selected};
use crate::base::clock;
use crate::engine::{Content, Embedded, Error, Listing, Reader};
use crate::http::fault::violations_json;
use crate::resource::key::DocumentId;
use crate::resource::kind::{Kind, Source};
use crate::resource::row::Row;

/// Values of one facet that are listed, the most frequent ones.
const FACET_VALUES_MOST: usize = 1_000;

/// What else a document shows.
#[derive(Default, Clone, Copy)]
pub(super) struct Extras<'a> {
    pub(super) fields: Option<&'a [Selected]>,
    pub(super) embedded: Option<&'a [Embedded]>,
    pub(super) snippet: Option<&'a str>,
}

/// Appends JSON text of a string.
fn text(out: &mut String, value: &str) {
    let clean = value.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\');
    if clean {
        out.push('"');
        out.push_str(value);
        out.push('"');
    } else {
        out.push_str(&Value::from(value).to_string());
    }
}

fn member(out: &mut String, first: &mut bool, name: &str) {
    out.push(if *first { '{' } else { ',' });
    *first = false;
    text(out, name);
    out.push(':');
}

/// Appends one document: its envelope's members, content last.
pub(super) fn document(
    out: &mut String,
    reader: &Reader,
    row: &Row,
    content: &Content,
    extras: Extras<'_>,
) -> Result<(), Error> {
    let shows = |name: &'static str| {
        extras.fields.is_none_or(|fields| {
            fields.iter().any(|selected| match selected {
                Selected::Member(member) => *member == name,
                Selected::Field(_) => name == "content",
            })
        })
    };
    let mut first = true;
    if shows("id") {
        member(out, &mut first, "id");
        id(out, &row.id);
    }
    if shows("workspace") {
        member(out, &mut first, "workspace");
        text(out, &row.workspace);
    }
    if shows("path") {
        member(out, &mut first, "path");
        text(out, &row.path);
    }
    if shows("etag") {
        member(out, &mut first, "etag");
        text(out, &row.etag.to_string());
    }
    if shows("created_at") {
        member(out, &mut first, "created_at");
        text(out, &clock::rfc3339(row.created.seconds));
    }
    if shows("updated_at") {
        member(out, &mut first, "updated_at");
        text(out, &clock::rfc3339(row.updated.seconds));
    }
    if shows("violations") {
        member(out, &mut first, "violations");
        if content.violations.is_empty() {
            out.push_str("[]");
        } else {
            out.push_str(&violations_json(&content.violations).to_string());
        }
    }
    if let Some(snippet) = extras.snippet {
        member(out, &mut first, "snippet");
        text(out, snippet);
    }
    if shows("content") {
        member(out, &mut first, "content");
        match extras.fields {
            Some(fields) if !fields.contains(&Selected::Member("content")) => {
                out.push_str(&picked(reader, row, content, fields))
            }
            _ => out.push_str(&content.json),
        }
    }
    if let Some(embedded) = extras.embedded.filter(|embedded| !embedded.is_empty()) {
        member(out, &mut first, "embedded");
        embeds(out, reader, embedded)?;
    }
    out.push_str(if first { "{}" } else { "}" });
    Ok(())
}

/// Only the selected fields of the content, under their names.
fn picked(reader: &Reader, row: &Row, content: &Content, fields: &[Selected]) -> String {
    let value = content.value().unwrap_or_default();
    let captures = reader.captures(row);
    let mut picked = serde_json::Map::new();
    for selected in fields {
        if let Selected::Field(field) = selected {
            let shown = match field.source {
                Source::Capture => captures.get(&field.name).map(Value::from),
                _ => field.json(&value),
            };
            picked.insert(field.name.to_string(), shown.unwrap_or_default());
        }
    }
    Value::Object(picked).to_string()
}

/// A document that only would be created has none.
fn id(out: &mut String, stored: &str) {
    if stored.is_empty() {
        return out.push_str("null");
    }
    match DocumentId::from_stored(stored) {
        DocumentId::Number(number) => out.push_str(&number.to_string()),
        DocumentId::Text(given) => text(out, &given),
    }
}

fn embeds(out: &mut String, reader: &Reader, embedded: &[Embedded]) -> Result<(), Error> {
    let mut first = true;
    for link in embedded {
        member(out, &mut first, &link.name);
        if link.many {
            out.push('[');
        }
        for (at, target) in link.targets.iter().enumerate() {
            if at > 0 {
                if !link.many {
                    break;
                }
                out.push(',');
            }
            match target {
                Some(target) => {
                    let content = reader.content(&target.row)?;
                    let extras = Extras { embedded: Some(&target.embedded), ..Extras::default() };
                    document(out, reader, &target.row, &content, extras)?;
                }
                None => out.push_str("null"),
            }
        }
        if link.many {
            out.push(']');
        } else if link.targets.is_empty() {
            out.push_str("null");
        }
    }
    out.push('}');
    Ok(())
}

/// `{"<kind>": {...}}`.
pub(super) fn single(
    reader: &Reader,
    kind: &Kind,
    row: &Row,
    content: &Content,
    extras: Extras<'_>,
) -> Result<String, Error> {
    let mut out = String::with_capacity(content.json.len() + 512);
    out.push('{');
    text(&mut out, &kind.name);
    out.push(':');
    document(&mut out, reader, row, content, extras)?;
    out.push('}');
    Ok(out)
}

/// `{"<plural>": [...], "_meta": {...}}`.
pub(super) fn list(
    reader: &Reader,
    kind: &std::sync::Arc<Kind>,
    request: &ListRequest,
    listing: &Listing,
) -> Result<String, Error> {
    let page = &listing.page;
    let embedded =
        if request.embed.is_empty() { Vec::new() } else { reader.embed(kind, &page.rows, &request.embed)? };
    let mut out = String::with_capacity(page.rows.len() * 1024 + 256);
    out.push('{');
    text(&mut out, &kind.plural);
    out.push_str(":[");
    let mut first = true;
    for (at, row) in page.rows.iter().enumerate() {
        let content = match reader.content(row) {
            Ok(content) => content,
            // Its workspace was deleted since the search.
            Err(Error::NotFound(_)) => continue,
            Err(error) => return Err(error),
        };
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        let extras = Extras {
            fields: request.fields.as_deref(),
            embedded: embedded.get(at).map(Vec::as_slice),
            snippet: listing.snippets.get(at).and_then(Option::as_deref),
        };
        document(&mut out, reader, row, &content, extras)?;
    }
    out.push_str("],\"_meta\":");
    let mut meta = serde_json::json!({
        "count": page.count,
        "limit": request.query.limit,
        "offset": request.query.offset,
    });
    if let Some(next) = &page.next {
        meta["next"] = cursor::encode(&request.query.order(), next).into();
    }
    if !request.facets.is_empty() {
        let counted = request.facets.iter().zip(&page.facets).map(|(field, counts)| {
            let entries = counts
                .iter()
                .take(FACET_VALUES_MOST)
                .map(|(value, count)| serde_json::json!({ "value": field.decode(value), "count": count }));
            (field.name.to_string(), entries.collect())
        });
        meta["facets"] = Value::Object(counted.collect());
    }
    out.push_str(&meta.to_string());
    out.push('}');
    Ok(out)
}
