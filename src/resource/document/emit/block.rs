//! Block style.

use serde_json::Value;

use crate::resource::document::build::Style as Written;

use super::scalar;
use super::style::Style;

/// What a value is written behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The start of a file.
    Start,
    /// `key:`.
    Key,
    /// `-`.
    Dash,
}

/// Writes a value behind a key or a dash that stands in `column`, the blank between included.
/// Further lines start with a line end; the last line has none.
pub(crate) fn value(out: &mut String, value: &Value, column: usize, after: After, style: &Style) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let inner = inner_column(column, after, style.step);
            for (at, (key, item)) in map.iter().enumerate() {
                entry(out, at, inner, after, style);
                member(out, key, item, inner, style);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let inner = inner_column(column, after, style.dash);
            for (at, item) in items.iter().enumerate() {
                entry(out, at, inner, after, style);
                out.push('-');
                self::value(out, item, inner, After::Dash, style);
            }
        }
        _ => {
            if after != After::Start {
                out.push(' ');
            }
            let content = inner_column(column, after, style.step).max(1);
            match value {
                Value::String(text) if style.blocks && literal(out, text, content, content - column, style) => {}
                Value::Array(_) => out.push_str("[]"),
                Value::Object(_) => out.push_str("{}"),
                _ => out.push_str(&scalar::in_style(value, Written::Plain, false, style.single).unwrap_or_default()),
            }
        }
    }
}

/// Writes a member of a mapping in `column`, from its key on.
pub(crate) fn member(out: &mut String, key: &str, item: &Value, column: usize, style: &Style) {
    let (key, long) = scalar::key(key, false, style.single);
    if long {
        out.push_str("? ");
        out.push_str(&key);
        line(out, column, style);
    } else {
        out.push_str(&key);
    }
    out.push(':');
    let after = if long { After::Dash } else { After::Key };
    value(out, item, column, after, style);
}

fn inner_column(column: usize, after: After, step: usize) -> usize {
    match after {
        After::Start => column,
        After::Key => column + step,
        After::Dash => column + 2,
    }
}

/// Goes to where an entry starts: the first one behind a dash stays on its line.
fn entry(out: &mut String, at: usize, column: usize, after: After, style: &Style) {
    match after {
        After::Start if at == 0 => {}
        After::Dash if at == 0 => out.push(' '),
        _ => line(out, column, style),
    }
}

fn line(out: &mut String, column: usize, style: &Style) {
    out.push_str(style.newline);
    out.extend(std::iter::repeat_n(' ', column));
}

/// Writes text of several lines as a literal block, if its lines survive that. `digit` is what the
/// indentation indicator would be.
pub(crate) fn literal(out: &mut String, text: &str, column: usize, digit: usize, style: &Style) -> bool {
    if !is_block_text(text) {
        return false;
    }
    let indented = text.trim_start_matches('\n').starts_with(' ');
    if indented && digit > 9 {
        return false;
    }
    out.push('|');
    if indented {
        out.push_str(&digit.to_string());
    }
    let body = match text.strip_suffix('\n') {
        None => {
            out.push('-');
            text
        }
        Some(body) => {
            out.push_str(if body.ends_with('\n') { "+" } else { "" });
            body
        }
    };
    for content in body.split('\n') {
        if content.is_empty() {
            out.push_str(style.newline);
        } else {
            line(out, column, style);
            out.push_str(content);
        }
    }
    true
}

/// Longest line of folded text.
const WIDTH: usize = 80;

/// Writes text as a folded block: its lines are broken at blanks and read back as one. Text that
/// has several blanks in a row, or lines that start with one, does not survive that.
pub(crate) fn folded(out: &mut String, text: &str, column: usize, style: &Style) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let fits = |line: &str| !line.is_empty() && !line.contains("  ") && line.trim() == line && !line.contains('\t');
    if body.chars().any(|c| c != '\n' && scalar::needs_escape(c)) || !body.split('\n').all(fits) {
        return false;
    }
    out.push_str(if body.len() == text.len() { ">-" } else { ">" });
    for (at, paragraph) in body.split('\n').enumerate() {
        if at > 0 {
            out.push_str(style.newline);
        }
        let mut length = usize::MAX;
        for word in paragraph.split(' ') {
            let width = word.chars().count();
            if length.saturating_add(width + 1) > WIDTH {
                line(out, column, style);
                length = column + width;
            } else {
                out.push(' ');
                length += width + 1;
            }
            out.push_str(word);
        }
    }
    true
}

/// Whether a text has several lines and each of them can stand in a block scalar.
pub(crate) fn is_block_text(text: &str) -> bool {
    let fits = |line: &str| line.is_empty() || (!line.starts_with('\t') && !line.trim_matches([' ', '\t']).is_empty());
    text.contains('\n')
        && !text.trim_matches('\n').is_empty()
        && text.split('\n').all(fits)
        && !text.chars().any(|c| c != '\n' && c != '\t' && scalar::needs_escape(c))
}
