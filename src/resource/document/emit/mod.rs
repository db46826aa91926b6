//! Writing values as text.

mod block;
mod flow;
mod json;
mod scalar;
mod style;

use serde_json::Value;

use super::format::Format;

pub(super) use block::{After, folded, is_block_text, literal, member, value};
pub(super) use flow::{flow_key, flow_value};
pub(super) use scalar::in_style;
pub(super) use style::{JsonStyle, Style};

/// Writes a new file: YAML in block style, JSON indented by two blanks; a final line end. It reads
/// back as the same value, as long as that nests no deeper than a document may.
pub fn render(format: Format, value: &Value) -> String {
    whole(format, value, &Style::default())
}

/// Writes a whole file in a given style.
pub(super) fn whole(format: Format, value: &Value, style: &Style) -> String {
    let mut out = String::new();
    match format {
        Format::Yaml => block::value(&mut out, value, 0, After::Start, style),
        Format::Json => json::write(&mut out, value, "", style),
    }
    out.push_str(style.newline);
    out
}
