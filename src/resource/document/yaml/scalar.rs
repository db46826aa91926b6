//! Nodes that may stand on a key's line, and block scalars.

use std::borrow::Cow;

use crate::resource::document::build::{Build, Key, Place, Style};
use crate::resource::document::text::Fault;

use super::Parser;
use super::block::{Intro, place_of};
use super::props::Props;

/// A node that may turn out to be a key.
pub(super) enum Inline<'t, N> {
    /// Of plain text, the first line.
    Scalar {
        style: Style,
        text: Cow<'t, str>,
        start: usize,
        end: usize,
    },
    Alias {
        name: &'t str,
        start: usize,
        end: usize,
    },
    Collection {
        node: N,
        start: usize,
    },
}

impl<'t, B: Build> Parser<'t, '_, B> {
    /// Reads what one line may hold. A flow collection takes the properties.
    pub(super) fn inline(&mut self, flow: bool, props: Props<'t>, begin: usize) -> Result<Inline<'t, B::Node>, Fault> {
        let start = self.pos;
        match self.byte() {
            Some(b'*') => {
                let name = self.name()?;
                Ok(Inline::Alias { name, start, end: self.pos })
            }
            Some(b'"') => {
                let text = self.quoted(b'"')?;
                Ok(Inline::Scalar { style: Style::Double, text, start, end: self.pos })
            }
            Some(b'\'') => {
                let text = self.quoted(b'\'')?;
                Ok(Inline::Scalar { style: Style::Single, text, start, end: self.pos })
            }
            Some(b'[' | b'{') => {
                let node = self.flow_collection(begin, props)?;
                Ok(Inline::Collection { node, start })
            }
            _ => {
                self.may_be_plain(flow)?;
                let text = self.plain_line(flow);
                Ok(Inline::Scalar { style: Style::Plain, text: Cow::Borrowed(text), start, end: self.pos })
            }
        }
    }

    /// Goes to the `:` that makes the node a key, if it is there.
    pub(super) fn is_key_end(&mut self, inline: &Inline<'t, B::Node>, flow: bool) -> bool {
        let back = (self.pos, self.line);
        if flow {
            self.skip_trivia();
        } else {
            self.skip_blanks();
        }
        if self.byte() == Some(b':') {
            let next = self.byte_at(self.pos + 1);
            let json = !matches!(inline, Inline::Scalar { style: Style::Plain, .. } | Inline::Alias { .. });
            if self.is_blank_at(self.pos + 1) || (flow && (json || next.is_some_and(|byte| b",[]{}".contains(&byte)))) {
                return true;
            }
        }
        (self.pos, self.line) = back;
        false
    }

    /// Turns a node into a key, written from `start`.
    pub(super) fn implicit_key(
        &mut self,
        inline: Inline<'t, B::Node>,
        start: usize,
        props: Props<'t>,
    ) -> Result<Key<'t>, Fault> {
        match inline {
            Inline::Scalar { style, text, start: content, end } => {
                if !props.is_empty() {
                    self.remember(props, || text.clone());
                    let place = Place { lead: start, start, content, end, ..place_of(props) };
                    let ended = self.ended;
                    self.build_scalar(place, props.tag, style, text.clone())?;
                    self.ended = ended;
                }
                Ok(Key { start, end, name: text, explicit: false })
            }
            Inline::Alias { name, start: at, end } => {
                self.no_props(props, at)?;
                let Some(anchor) = self.anchors.get(name) else {
                    return self.fault(at, format!("the alias *{name} refers to no anchor above it"));
                };
                let Some(text) = anchor.text.clone() else {
                    return self.fault(at, "a key must be text, not a collection");
                };
                self.build.alias_key(text.len()).map_err(|message| Fault::new(at, message))?;
                Ok(Key { start, end, name: text, explicit: false })
            }
            Inline::Collection { start: at, .. } => self.fault(at, "a key must be text, not a collection"),
        }
    }

    /// Takes in the further lines of plain text.
    pub(super) fn continued(
        &mut self,
        inline: Inline<'t, B::Node>,
        indent: isize,
    ) -> Result<Inline<'t, B::Node>, Fault> {
        match inline {
            Inline::Scalar { style: Style::Plain, text: Cow::Borrowed(text), start, .. } => {
                let text = self.plain_rest(text, Some(indent))?;
                Ok(Inline::Scalar { style: Style::Plain, text, start, end: self.pos })
            }
            other => Ok(other),
        }
    }

    /// Turns a node into a value.
    pub(super) fn inline_node(
        &mut self,
        inline: Inline<'t, B::Node>,
        intro: Intro,
        start: usize,
        props: Props<'t>,
    ) -> Result<B::Node, Fault> {
        match self.continued(inline, intro.indent)? {
            Inline::Scalar { style, text, start: content, end } => {
                self.remember(props, || text.clone());
                let place = Place { lead: intro.lead, start, content, end, ..place_of(props) };
                self.build_scalar(place, props.tag, style, text)
            }
            Inline::Alias { name, start, end } => {
                self.no_props(props, start)?;
                let place = Place { lead: intro.lead, start, content: start, end, ..Place::default() };
                self.build_alias(place, name)
            }
            Inline::Collection { node, .. } => Ok(node),
        }
    }

    /// Refuses properties before an alias.
    pub(super) fn no_props(&self, props: Props<'t>, at: usize) -> Result<(), Fault> {
        if props.is_empty() { Ok(()) } else { self.fault(at, "an alias cannot have an anchor or a tag") }
    }
}
