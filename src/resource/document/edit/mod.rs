//! Changing a text so that it reads as a new value, and nothing else of it.
//!
//! The old value and the new one are compared along the tree of places; what differs becomes
//! patches of the text:
//!
//! - a scalar is replaced where it stands, in the quotes it had if they can hold the new one;
//! - a new member is appended to its mapping, behind the last member's line;
//! - a removed entry takes its lines with it, and the comment lines right above that are indented
//!   as it is; comments at the top of the file stay;
//! - items of a list are matched ([`align`]) so that one more or one less touches its lines only;
//! - an alias stays while the value it refers to still is what it must read; otherwise the value
//!   is written in its place;
//! - the order of keys is not a difference.
//!
//! The result is read again. Where it is not the new value, ever larger parts are written anew:
//! being right comes before being small.

mod align;
mod block;
mod changes;
mod flow;
mod patch;

use serde_json::{Number, Value};

use super::build;
use super::emit::{self, After, Style};
use super::format::{Format, ParseError, parse};
use super::text;
use super::tree::{self, Node, Shape};

use changes::Changes;

/// Why a text could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text is not a document.
    #[error("the stored text cannot be read: {0}")]
    Unreadable(#[source] ParseError),
    /// No document holds the new value, for instance because it nests too deep.
    #[error("the new value cannot be written: {0}")]
    Unwritable(#[source] ParseError),
}

/// Changes as little of `text` as possible so that it reads as `new` ([`same`], not identical: a
/// number keeps its spelling while its value is the same, so that a client to whom `1.0` and `1`
/// are one number does not rewrite it). Without a difference the text comes back unchanged.
pub fn edit(format: Format, text: &str, new: &Value) -> Result<String, EditError> {
    let old = parse(format, text.as_bytes()).map_err(EditError::Unreadable)?;
    if same(&old, new) {
        return Ok(text.to_owned());
    }
    let body = text::body(text);
    let mark = &text[..text.len() - body.len()];
    let root = tree::read(format, body);
    let style = root.as_ref().map_or_else(Style::default, |root| Style::of(format, body, root));
    if let Some(root) = &root
        && let Some(edited) = patched(format, body, root, &old, new, &style)
    {
        return Ok(format!("{mark}{edited}"));
    }
    let edited = emit::whole(format, new, &style);
    match parse(format, edited.as_bytes()) {
        Ok(_) => Ok(format!("{mark}{edited}")),
        Err(error) => Err(EditError::Unwritable(error)),
    }
}

/// Tries patches, from the smallest on, until the text reads as `new`.
fn patched(format: Format, text: &str, root: &Node, old: &Value, new: &Value, style: &Style) -> Option<String> {
    let is_right = |edited: &String| parse(format, edited.as_bytes()).is_ok_and(|value| same(&value, new));
    if matches!(root.shape, Shape::Scalar(build::Style::Absent)) {
        return Some(appended(text, new, style)).filter(is_right);
    }
    if std::mem::discriminant(old) != std::mem::discriminant(new) && (is_collection(old) || is_collection(new)) {
        return None;
    }
    let attempt = |limit: usize, blocks: bool| {
        let mut changes = Changes::new(text, Style { blocks, ..style.clone() }, root.has_alias(), limit);
        let edited = changes.apply(root, old, new).filter(is_right);
        (edited, changes.deepest())
    };
    let (edited, deepest) = attempt(usize::MAX, true);
    let mut limit = deepest;
    edited.or_else(|| attempt(usize::MAX, false).0).or_else(|| {
        // Halving keeps the number of attempts small in deep documents.
        while limit > 1 {
            limit = if limit > 4 { limit / 2 } else { limit - 1 };
            if let (Some(edited), _) = attempt(limit, true) {
                return Some(edited);
            }
        }
        None
    })
}

/// A text without content keeps its comments.
fn appended(text: &str, new: &Value, style: &Style) -> String {
    let mut out = text.to_owned();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push_str(style.newline);
    }
    emit::value(&mut out, new, 0, After::Start, style);
    out.push_str(style.newline);
    out
}

fn is_collection(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

/// Whether two values are the same to JSON: the order of keys does not count, nor does the spelling
/// of numbers (`1` and `1.0`).
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    // An integer beyond 2^53 may have no float of its own.
    let mixed = |integer: &Number, float: f64| {
        float.fract() == 0.0
            && (integer
                .as_u64()
                .is_some_and(|i| i as f64 == float && float < 18_446_744_073_709_551_616.0 && float as u64 == i)
                || integer.as_i64().is_some_and(|i| i as f64 == float && float as i64 == i))
    };
    match (a.is_f64(), b.is_f64()) {
        (false, false) => a == b,
        (true, true) => a.as_f64() == b.as_f64(),
        (false, true) => b.as_f64().is_some_and(|float| mixed(a, float)),
        (true, false) => a.as_f64().is_some_and(|float| mixed(b, float)),
    }
}
