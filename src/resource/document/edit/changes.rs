//! Walks the tree of places and collects patches.

use std::collections::HashMap;

use serde_json::Value;

use crate::resource::document::build::Style as Written;
use crate::resource::document::emit::{self, After, Style};
use crate::resource::document::text::{line_end, line_start};
use crate::resource::document::tree::{Node, Shape};

use super::patch::{self, Patch};
use super::same;

/// What holds a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    Root,
    /// A block mapping whose keys, or a block sequence whose dashes, stand in `column`.
    Block {
        after: After,
        column: usize,
    },
    /// Brackets; `inline` when they are all on one line.
    Flow {
        inline: bool,
    },
}

/// There is no way to change the text in place: write the value around it anew.
#[derive(Debug)]
pub(super) struct Anew;

/// The changes of one attempt.
pub(super) struct Changes<'a> {
    pub(super) text: &'a str,
    pub(super) style: Style,
    pub(super) patches: Vec<Patch>,
    /// The new values of the anchored nodes that stay. Aliases come after their anchor, so that
    /// each finds here what it is going to read.
    anchors: HashMap<usize, &'a Value>,
    /// Their numbers, in the order they came in.
    anchored: Vec<usize>,
    /// Whether there are aliases; if not, what is equal need not be walked.
    pub(super) aliases: bool,
    /// From this depth on what differs is written anew.
    limit: usize,
    deepest: usize,
}

impl<'a> Changes<'a> {
    pub(super) fn new(text: &'a str, style: Style, aliases: bool, limit: usize) -> Self {
        Changes {
            text,
            style,
            patches: Vec::new(),
            anchors: HashMap::new(),
            anchored: Vec::new(),
            aliases,
            limit,
            deepest: 0,
        }
    }

    /// The depth of the deepest difference.
    pub(super) fn deepest(&self) -> usize {
        self.deepest
    }

    /// The changed text; `None` when it cannot be changed in place.
    pub(super) fn apply(&mut self, root: &Node, old: &Value, new: &'a Value) -> Option<String> {
        let slot = if self.style.json.is_some() { Slot::Flow { inline: false } } else { Slot::Root };
        self.change(slot, root, old, new, 0).ok()?;
        patch::apply(self.text, &mut self.patches)
    }

    /// Makes a node read as `new`.
    pub(super) fn change(
        &mut self,
        slot: Slot,
        node: &Node,
        old: &Value,
        new: &'a Value,
        depth: usize,
    ) -> Result<(), Anew> {
        if let Shape::Alias(anchor) = node.shape {
            if self.anchors.get(&anchor).is_some_and(|value| same(value, new)) {
                return Ok(());
            }
            self.deepest = self.deepest.max(depth);
            return self.replace(slot, node, new);
        }
        let equal = same(old, new);
        if equal && !self.aliases {
            return Ok(());
        }
        if !equal {
            self.deepest = self.deepest.max(depth);
            if depth >= self.limit {
                return self.replace(slot, node, new);
            }
        }
        let back = (self.patches.len(), self.anchored.len());
        let changed = match (&node.shape, old, new) {
            (Shape::Mapping { flow, members }, Value::Object(old), Value::Object(new)) if !new.is_empty() => {
                if *flow {
                    self.flow_mapping(node, members, old, new, depth)
                } else {
                    self.block_mapping(slot, node, members, old, new, depth)
                }
            }
            (Shape::Sequence { flow, items }, Value::Array(old), Value::Array(new)) if !new.is_empty() => {
                if *flow {
                    self.flow_sequence(node, items, old, new, depth)
                } else {
                    self.block_sequence(slot, node, items, old, new, depth)
                }
            }
            _ if equal => Ok(()),
            (Shape::Scalar(style), _, _) => self.scalar(slot, node, *style, new),
            _ => Err(Anew),
        };
        if let Err(Anew) = changed {
            self.patches.truncate(back.0);
            for anchor in self.anchored.drain(back.1..) {
                self.anchors.remove(&anchor);
            }
            return if equal { Err(Anew) } else { self.replace(slot, node, new) };
        }
        if node.place.anchor != 0 {
            self.anchors.insert(node.place.anchor, new);
            self.anchored.push(node.place.anchor);
        }
        Ok(())
    }

    pub(super) fn patch(&mut self, start: usize, end: usize, with: impl Into<String>) {
        self.patches.push(Patch::new(start, end, with));
    }

    /// Replaces a scalar by a scalar; properties stay.
    fn scalar(&mut self, slot: Slot, node: &Node, before: Written, new: &Value) -> Result<(), Anew> {
        let (start, end) = (node.place.content, node.place.end);
        let flow = matches!(slot, Slot::Flow { .. });
        if node.place.tagged || super::is_collection(new) {
            return Err(Anew);
        }
        if self.style.json.is_some() {
            self.patch(start, end, new.to_string());
            return Ok(());
        }
        let block = !flow && self.style.blocks && new.as_str().is_some_and(emit::is_block_text);
        match before {
            Written::Absent => Err(Anew),
            Written::Literal | Written::Folded => self.block_text(slot, node, before, new),
            Written::Plain | Written::Single if block => Err(Anew),
            Written::Plain | Written::Single | Written::Double => {
                let text = emit::in_style(new, before, flow, self.style.single).ok_or(Anew)?;
                self.patch(start, end, text);
                Ok(())
            }
        }
    }

    /// Replaces the lines of a block scalar, keeping their indentation and a comment behind `|`.
    fn block_text(&mut self, slot: Slot, node: &Node, before: Written, new: &Value) -> Result<(), Anew> {
        let (start, end) = (node.place.content, node.place.end);
        let text = new.as_str().filter(|_| self.style.blocks).ok_or(Anew)?;
        let parent = match slot {
            Slot::Block { column, .. } => column,
            Slot::Root | Slot::Flow { .. } => 0,
        };
        let line = line_end(self.text, start);
        let header = self.text[start..line].find([' ', '\t']).map_or(line, |length| start + length);
        let first = self.text[line.min(end)..end].lines().find(|line| !line.trim().is_empty()).ok_or(Anew)?;
        let column = first.len() - first.trim_start_matches(' ').len();
        if column <= parent {
            return Err(Anew);
        }
        let mut out = String::new();
        let digit = column - parent;
        let folded = before == Written::Folded && emit::folded(&mut out, text, column, &self.style);
        if !folded && !emit::literal(&mut out, text, column, digit, &self.style) {
            return Err(Anew);
        }
        let body = out.find(['\r', '\n']).unwrap_or(out.len());
        self.patch(start, header, &out[..body]);
        self.patch(line, end, &out[body..]);
        Ok(())
    }

    /// Writes a value where another stands; its anchor and tag go.
    fn replace(&mut self, slot: Slot, node: &Node, new: &Value) -> Result<(), Anew> {
        let place = node.place;
        let (after, column) = match slot {
            Slot::Root if super::is_collection(new) => return Err(Anew),
            Slot::Root => {
                let text = emit::in_style(new, Written::Plain, false, self.style.single).ok_or(Anew)?;
                self.patch(place.start, place.end, text);
                return Ok(());
            }
            Slot::Flow { inline } => {
                let mut out = String::new();
                if matches!(node.shape, Shape::Scalar(Written::Absent)) {
                    out.push_str(if place.lead == place.start { ": " } else { " " });
                }
                let base = self.base(place.start, inline);
                emit::flow_value(&mut out, new, base, inline, &self.style);
                self.patch(place.start, place.end, out);
                return Ok(());
            }
            Slot::Block { after, column } => (after, column),
        };
        let mut out = String::new();
        emit::value(&mut out, new, column, after, &self.style);
        let body = out.find(['\r', '\n']).unwrap_or(out.len());
        let (head, body) = out.split_at(body);
        let indicator = place.lead + 1;
        if matches!(node.shape, Shape::Scalar(Written::Absent)) {
            if place.lead == place.start {
                return Err(Anew);
            }
            self.patch(indicator, indicator, head);
            let end = line_end(self.text, indicator);
            self.patch(end, end, body);
        } else if self.text[indicator..place.start].contains('\n') {
            self.patch(indicator, indicator, head);
            self.patch(line_end(self.text, indicator), place.end, body);
        } else {
            // The blanks before the value stay, unless nothing follows them.
            let (start, head) = if head.is_empty() { (indicator, "") } else { (place.start, &head[1..]) };
            if matches!(node.shape, Shape::Scalar(Written::Literal | Written::Folded)) {
                let line = line_end(self.text, place.content);
                let header = self.text[place.content..line].find([' ', '\t']);
                self.patch(start, header.map_or(line, |length| place.content + length), head);
                self.patch(line.min(place.end), place.end, body);
            } else {
                self.patch(start, place.end, head);
                let end = line_end(self.text, place.end);
                self.patch(end, end, body);
            }
        }
        Ok(())
    }

    /// The indentation that lines below an offset's line build on; nothing where all is on one line.
    pub(super) fn base(&self, at: usize, inline: bool) -> &'a str {
        if inline { "" } else { self.indentation(at) }
    }

    /// The blanks at the start of an offset's line.
    pub(super) fn indentation(&self, at: usize) -> &'a str {
        let line = &self.text[line_start(self.text, at)..];
        let length = line.find(|c| c != ' ' && c != '\t').unwrap_or(line.len());
        &line[..length]
    }
}
