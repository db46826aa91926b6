//! JSON.

use serde_json::Value;

use super::style::{JsonStyle, Style};

/// Writes a value whose first line is indented by `base`.
pub(crate) fn write(out: &mut String, value: &Value, base: &str, style: &Style) {
    let default = JsonStyle::default();
    let json = style.json.as_ref().unwrap_or(&default);
    let mut base = base.to_owned();
    put(out, value, &mut base, json, style.newline);
}

fn put(out: &mut String, value: &Value, base: &mut String, style: &JsonStyle, newline: &str) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            entries(out, items.iter(), base, style, newline, |out, item, base| put(out, item, base, style, newline));
            out.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            entries(out, map.iter(), base, style, newline, |out, (key, item), base| {
                string(out, key);
                out.push_str(&style.colon);
                put(out, item, base, style, newline);
            });
            out.push('}');
        }
        Value::String(text) => string(out, text),
        other => out.push_str(&other.to_string()),
    }
}

fn entries<I>(
    out: &mut String,
    entries: impl Iterator<Item = I>,
    base: &mut String,
    style: &JsonStyle,
    newline: &str,
    put: impl Fn(&mut String, I, &mut String),
) {
    let outer = base.len();
    if let Some(indent) = &style.indent {
        base.push_str(indent);
    }
    for (at, entry) in entries.enumerate() {
        match &style.indent {
            Some(_) => {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(newline);
                out.push_str(base);
            }
            None => out.push_str(if at > 0 { &style.comma } else { "" }),
        }
        put(out, entry, base);
    }
    base.truncate(outer);
    if style.indent.is_some() {
        out.push_str(newline);
        out.push_str(base);
    }
}

/// Writes text in double quotes with JSON's escapes.
pub(crate) fn string(out: &mut String, text: &str) {
    out.push_str(&Value::from(text).to_string());
}
