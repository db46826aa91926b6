//! How a text is written, so that new parts look like their surroundings.

use crate::resource::document::build;
use crate::resource::document::format::Format;
use crate::resource::document::tree::{Node, Shape};

/// The habits of a text.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    pub(crate) newline: &'static str,
    /// Columns by which a mapping inside a mapping is indented.
    pub(crate) step: usize,
    /// Columns by which the dashes of a list inside a mapping are indented.
    pub(crate) dash: usize,
    /// Prefers `'` over `"`.
    pub(crate) single: bool,
    /// Writes text of several lines as a block (`|`).
    pub(crate) blocks: bool,
    /// Set for JSON files: values are written as JSON.
    pub(crate) json: Option<JsonStyle>,
}

/// The habits of a JSON text.
#[derive(Debug, Clone)]
pub(crate) struct JsonStyle {
    /// One level of indentation; `None` when all stands on one line.
    pub(crate) indent: Option<String>,
    /// Between key and value.
    pub(crate) colon: String,
    /// Between values on one line.
    pub(crate) comma: String,
}

impl Default for JsonStyle {
    fn default() -> Self {
        JsonStyle { indent: Some("  ".into()), colon: ": ".into(), comma: ", ".into() }
    }
}

impl Default for Style {
    fn default() -> Self {
        Style { newline: "\n", step: 2, dash: 2, single: false, blocks: true, json: None }
    }
}

impl Style {
    /// Looks at how a text is written.
    pub(crate) fn of(format: Format, text: &str, root: &Node) -> Style {
        let mut seen = Seen::default();
        let mut style = Style::default();
        if text.find('\n').is_some_and(|at| text[..at].ends_with('\r')) {
            style.newline = "\r\n";
        }
        match format {
            Format::Yaml => {
                seen.node(text, root, None);
                style.step = seen.step.unwrap_or(style.step);
                style.dash = seen.dash.unwrap_or(style.step);
                style.single = seen.single.unwrap_or(false);
            }
            Format::Json => style.json = Some(json_style(text, root)),
        }
        style
    }
}

/// The column, in bytes, of an offset.
pub(crate) fn column(text: &str, at: usize) -> usize {
    at - text[..at].rfind('\n').map_or(0, |end| end + 1)
}

#[derive(Default)]
struct Seen {
    step: Option<usize>,
    dash: Option<usize>,
    single: Option<bool>,
}

impl Seen {
    /// `parent` is the column of the mapping that holds the node as a value.
    fn node(&mut self, text: &str, node: &Node, parent: Option<usize>) {
        if self.step.is_some() && self.dash.is_some() && self.single.is_some() {
            return;
        }
        match &node.shape {
            Shape::Scalar(build::Style::Single) => _ = self.single.get_or_insert(true),
            Shape::Scalar(build::Style::Double) => _ = self.single.get_or_insert(false),
            Shape::Scalar(_) | Shape::Alias(_) => {}
            Shape::Sequence { flow, items } => {
                if let (false, Some(parent), Some(first)) = (flow, parent, items.first()) {
                    let column = column(text, first.place.lead);
                    self.dash.get_or_insert(column.saturating_sub(parent));
                }
                items.iter().for_each(|item| self.node(text, item, None));
            }
            Shape::Mapping { flow, members } => {
                let own = members.first().map(|first| column(text, first.start));
                if let (false, Some(parent), Some(own)) = (flow, parent, own)
                    && own > parent
                {
                    self.step.get_or_insert(own - parent);
                }
                let own = own.filter(|_| !flow);
                members.iter().for_each(|member| self.node(text, &member.value, own));
            }
        }
    }
}

fn json_style(text: &str, root: &Node) -> JsonStyle {
    let mut style = JsonStyle::default();
    let first = match &root.shape {
        Shape::Sequence { items, .. } => items.first().map(|item| item.place.start),
        Shape::Mapping { members, .. } => members.first().map(|member| member.start),
        _ => None,
    };
    let Some(first) = first else { return style };
    let before = &text[root.place.content + 1..first];
    style.indent = before.rfind('\n').map(|at| before[at + 1..].to_owned());
    let mut node = root;
    loop {
        match &node.shape {
            Shape::Mapping { members, .. } if !members.is_empty() => {
                let member = &members[0];
                style.colon = text[member.end..member.value.place.start].to_owned();
                break;
            }
            Shape::Sequence { items, .. } if !items.is_empty() => node = &items[0],
            _ => break,
        }
    }
    if style.colon.contains('\n') {
        style.colon = ": ".to_owned();
    }
    if style.indent.is_none() && style.colon == ":" {
        style.comma = ",".to_owned();
    }
    style
}
