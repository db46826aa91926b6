//! Bodies as the original checks them: all errors of one request together, in its texts.

use serde_json::{Map, Value, json};

use super::fault::DciFault;
use crate::resource::document::{self, Format};

/// Longest name, in characters.
const NAME: usize = 255;

const OPTIONAL: [&str; 7] = ["sha", "title", "message", "git", "ref", "canonical_project_name", "url"];

/// Whether a body makes something or changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Create,
    Update,
}

fn object(body: &[u8]) -> Result<Map<String, Value>, DciFault> {
    match document::parse(Format::Json, body) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(DciFault::malformed(json!("not a valid object"))),
        Err(error) => Err(DciFault::malformed(json!(format!(
            "not valid JSON: {}, line {}, column {}",
            error.message, error.line, error.column
        )))),
    }
}

/// `{"name"}`.
pub(super) fn componenttype(body: &[u8], used: Use) -> Result<Map<String, Value>, DciFault> {
    let map = object(body)?;
    let mut errors = Map::new();
    for (key, value) in &map {
        match key.as_str() {
            "name" => name(value, &mut errors),
            _ => refuse(&mut errors, key, "extra keys not allowed"),
        }
    }
    if used == Use::Create && !map.contains_key("name") {
        refuse(&mut errors, "name", "required key not provided");
    }
    done(map, errors)
}

/// `{"name", "componenttype_id", ...}`; the type may also be called `componenttype`, an id or a
/// name (the README's spelling).
pub(super) fn component(body: &[u8], used: Use) -> Result<Map<String, Value>, DciFault> {
    let mut map = object(body)?;
    let mut errors = Map::new();
    if let Some(value) = map.remove("componenttype") {
        if map.contains_key("componenttype_id") {
            refuse(&mut errors, "componenttype", "extra keys not allowed");
        } else {
            map.insert("componenttype_id".into(), value);
        }
    }
    for (key, value) in &map {
        match key.as_str() {
            "name" => name(value, &mut errors),
            "componenttype_id" if !value.is_string() => refuse(&mut errors, key, "not a valid componenttype id"),
            "componenttype_id" => {}
            "data" if !value.is_object() => refuse(&mut errors, key, "not a valid json"),
            "data" => {}
            "url" if !value.as_str().is_some_and(is_url) => refuse(&mut errors, key, "not a valid URL"),
            known if OPTIONAL.contains(&known) => {
                if !value.is_string() {
                    refuse(&mut errors, key, "not a valid string");
                }
            }
            _ => refuse(&mut errors, key, "extra keys not allowed"),
        }
    }
    if used == Use::Create {
        for key in ["name", "componenttype_id"] {
            if !map.contains_key(key) {
                refuse(&mut errors, key, "required key not provided");
            }
        }
        map.entry("data").or_insert_with(|| json!({}));
    }
    done(map, errors)
}

fn name(value: &Value, errors: &mut Map<String, Value>) {
    match value.as_str() {
        None => refuse(errors, "name", "not a valid string"),
        Some(text) if text.chars().count() > NAME => {
            refuse(errors, "name", "not a valid string (at most 255 characters)")
        }
        Some(_) => {}
    }
}

/// Scheme and host, as the original asks for.
fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty()
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
            && rest.split(['/', '?', '#']).next().is_some_and(|host| !host.is_empty())
    })
}

fn refuse(errors: &mut Map<String, Value>, key: &str, text: &str) {
    errors.insert(key.to_owned(), json!(text));
}

fn done(map: Map<String, Value>, errors: Map<String, Value>) -> Result<Map<String, Value>, DciFault> {
    if errors.is_empty() { Ok(map) } else { Err(DciFault::malformed(Value::Object(errors))) }
}
