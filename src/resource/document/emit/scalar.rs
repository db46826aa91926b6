//! Scalars of YAML on one line.

use std::fmt::Write as _;

use serde_json::Value;

use crate::resource::document::build::Style as Written;
use crate::resource::document::resolve;
use crate::resource::document::text::BOM;

/// Longest text that other YAML tools take as a key without `?`, in characters (YAML 1.2.2, 7.4.2).
const KEY: usize = 1000;

/// Whether a text may stand without quotes and is read as itself: by this crate, and by tools that
/// follow YAML 1.1, where `no`, dates and `1:30` are not text.
pub(crate) fn fits_plain(text: &str, flow: bool) -> bool {
    let Some(first) = text.chars().next() else { return false };
    !text.chars().any(needs_escape)
        && !",[]{}#&*!|>'\"%@`-?: \u{a0}".contains(first)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("...")
        && !(flow && text.contains([',', '[', ']', '{', '}']))
        && matches!(resolve::known(text), Ok(None))
        && !means_something_else(text)
}

/// Text that is not text in YAML 1.1.
fn means_something_else(text: &str) -> bool {
    const WORDS: [&str; 6] = ["yes", "no", "on", "off", "=", "<<"];
    if WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let only = |set: &str| unsigned.chars().all(|c| c.is_ascii_digit() || set.contains(c));
    let dots = unsigned.matches('.').count();
    let date = unsigned.len() >= 8
        && unsigned.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && unsigned.as_bytes()[4] == b'-'
        && unsigned.as_bytes()[5].is_ascii_digit();
    date || (dots <= 1 && only("_.:"))
        || (dots <= 1 && only("_.eE+-"))
        || unsigned.starts_with("0x")
        || unsigned.starts_with("0b")
        || unsigned.starts_with("0o")
}

/// Whether a character must be written as an escape.
pub(crate) fn needs_escape(c: char) -> bool {
    matches!(c, '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' | BOM | '\u{fffe}' | '\u{ffff}')
}

/// A scalar as it was written before, if it can be. `None` when it is not a scalar.
pub(crate) fn in_style(value: &Value, before: Written, flow: bool, single: bool) -> Option<String> {
    let text = match value {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) => return Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => return None,
    };
    let bare = !text.chars().any(needs_escape);
    Some(match before {
        Written::Double => double_quoted(text),
        Written::Single if bare => single_quoted(text),
        _ if fits_plain(text, flow) => text.clone(),
        _ => quoted(text, single),
    })
}

/// Text in quotes.
pub(crate) fn quoted(text: &str, single: bool) -> String {
    let bare = !text.chars().any(needs_escape);
    if bare && (single || (text.contains(['"', '\\']) && !text.contains('\''))) {
        single_quoted(text)
    } else {
        double_quoted(text)
    }
}

/// A key, and whether it needs a `?`.
pub(crate) fn key(text: &str, flow: bool, single: bool) -> (String, bool) {
    let key = if fits_plain(text, flow) { text.to_owned() } else { quoted(text, single) };
    let long = key.len() > KEY;
    (key, long)
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // Writing to a String cannot fail.
            c if needs_escape(c) && (c as u32) < 0x100 => _ = write!(out, "\\x{:02x}", c as u32),
            c if needs_escape(c) => _ = write!(out, "\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
