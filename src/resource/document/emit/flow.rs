//! Values between brackets, on one line.

use serde_json::Value;

use crate::resource::document::build::Style as Written;

use super::style::Style;
use super::{json, scalar};

/// Writes a value for a place inside brackets. In JSON files it goes over several lines, its own
/// line being indented by `base`, unless the file or `inline` says otherwise.
pub(crate) fn flow_value(out: &mut String, value: &Value, base: &str, inline: bool, style: &Style) {
    if let Some(json) = &style.json {
        let mut style = style.clone();
        if inline {
            style.json = Some(super::JsonStyle { indent: None, ..json.clone() });
        }
        return json::write(out, value, base, &style);
    }
    match value {
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                flow_value(out, item, base, inline, style);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (at, (key, item)) in map.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                flow_key(out, key, style);
                flow_value(out, item, base, inline, style);
            }
            out.push('}');
        }
        _ => out.push_str(&scalar::in_style(value, Written::Plain, true, style.single).unwrap_or_default()),
    }
}

/// Writes a key and what stands before its value.
pub(crate) fn flow_key(out: &mut String, key: &str, style: &Style) {
    if let Some(json) = &style.json {
        json::string(out, key);
        out.push_str(&json.colon);
        return;
    }
    let (key, long) = scalar::key(key, true, style.single);
    out.push_str(if long { "? " } else { "" });
    out.push_str(&key);
    out.push_str(if long { " : " } else { ": " });
}
