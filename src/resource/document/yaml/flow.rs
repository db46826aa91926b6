//! Flow style: brackets and braces.

use crate::resource::document::build::{Build, Place, Style};
use crate::resource::document::text::Fault;

use super::Parser;
use super::block::{expect, place_of};
use super::props::{Props, Tag};
use super::scalar::Inline;

impl<'t, B: Build> Parser<'t, '_, B> {
    /// Reads `[…]` or `{…}`; its properties are read.
    pub(super) fn flow_collection(&mut self, start: usize, props: Props<'t>) -> Result<B::Node, Fault> {
        let content = self.pos;
        let sequence = self.byte() == Some(b'[');
        expect(props, if sequence { Tag::Sequence } else { Tag::Mapping })
            .map_err(|message| Fault::new(start, message))?;
        self.enter(content)?;
        self.pos += 1;
        let mut place = Place { lead: self.lead, start, content, ..place_of(props) };
        let node = if sequence { self.flow_sequence(&mut place)? } else { self.flow_mapping(&mut place)? };
        self.depth -= 1;
        self.ended = self.pos;
        Ok(node)
    }

    fn flow_sequence(&mut self, place: &mut Place) -> Result<B::Node, Fault> {
        let mut items = Vec::new();
        loop {
            self.skip_trivia();
            if self.byte() == Some(b']') {
                break;
            }
            items.push(self.flow_item()?);
            if !self.separator(b']', place.content)? {
                break;
            }
        }
        self.pos += 1;
        place.end = self.pos;
        self.build.sequence(place, true, items).map_err(|message| Fault::new(place.start, message))
    }

    fn flow_mapping(&mut self, place: &mut Place) -> Result<B::Node, Fault> {
        let mut map = B::Map::default();
        loop {
            self.skip_trivia();
            if self.byte() == Some(b'}') {
                break;
            }
            let start = self.pos;
            let explicit = self.question();
            let (inline, props) = self.flow_inline(start)?;
            let colon = self.is_key_end(&inline, true);
            self.flow_member(&mut map, inline, start, props, explicit, colon)?;
            if !self.separator(b'}', place.content)? {
                break;
            }
        }
        self.pos += 1;
        place.end = self.pos;
        self.build.mapping(place, true, map).map_err(|message| Fault::new(place.start, message))
    }

    /// An item: a node, or a pair that is a mapping of its own.
    fn flow_item(&mut self) -> Result<B::Node, Fault> {
        let start = self.pos;
        let explicit = self.question();
        let (inline, props) = self.flow_inline(start)?;
        let colon = self.is_key_end(&inline, true);
        if !colon && !explicit {
            return self.flow_value(inline, start, start, props);
        }
        if !explicit && self.text[start..self.pos].contains('\n') {
            return self.fault(start, "the key of a pair in brackets must be on one line");
        }
        self.enter(start)?;
        let mut map = B::Map::default();
        self.flow_member(&mut map, inline, start, props, explicit, colon)?;
        self.depth -= 1;
        let place = Place { lead: start, start, content: start, end: self.ended, ..Place::default() };
        self.build.mapping(&place, true, map).map_err(|message| Fault::new(start, message))
    }

    /// Adds a member whose key is read; `pos` stands at its `:`, if it has one.
    fn flow_member(
        &mut self,
        map: &mut B::Map,
        inline: Inline<'t, B::Node>,
        start: usize,
        props: Props<'t>,
        explicit: bool,
        colon: bool,
    ) -> Result<(), Fault> {
        let back = (self.pos, self.line);
        let mut key = self.implicit_key(inline, start, props)?;
        key.explicit = explicit;
        (self.pos, self.line) = back;
        let value = if colon {
            let lead = self.pos;
            self.pos += 1;
            self.skip_trivia();
            if matches!(self.byte(), Some(b',' | b'}' | b']')) {
                self.absent(lead, lead + 1)?
            } else {
                let at = self.pos;
                let (inline, props) = self.flow_inline(at)?;
                self.flow_value(inline, lead, at, props)?
            }
        } else {
            self.absent(key.end, key.end)?
        };
        self.build.insert(map, key, value).map_err(|message| Fault::new(start, message))
    }

    fn absent(&mut self, lead: usize, at: usize) -> Result<B::Node, Fault> {
        let place = Place { lead, start: at, content: at, end: at, ..Place::default() };
        self.build_scalar(place, None, Style::Absent, "".into())
    }

    /// Properties and a node, plain text with all its lines.
    fn flow_inline(&mut self, start: usize) -> Result<(Inline<'t, B::Node>, Props<'t>), Fault> {
        self.lead = start;
        let props = self.props()?;
        if !props.is_empty() {
            self.skip_trivia();
            let colon = self.byte() == Some(b':') && self.is_blank_at(self.pos + 1);
            if colon || matches!(self.byte(), Some(b',' | b']' | b'}')) {
                let end = props.end;
                return Ok((Inline::Scalar { style: Style::Plain, text: "".into(), start: end, end }, props));
            }
        }
        let inline = match self.inline(true, props, start)? {
            Inline::Scalar { style: Style::Plain, text: std::borrow::Cow::Borrowed(text), start, .. } => {
                let text = self.plain_rest(text, None)?;
                Inline::Scalar { style: Style::Plain, text, start, end: self.pos }
            }
            other => other,
        };
        Ok((inline, props))
    }

    fn flow_value(
        &mut self,
        inline: Inline<'t, B::Node>,
        lead: usize,
        start: usize,
        props: Props<'t>,
    ) -> Result<B::Node, Fault> {
        match inline {
            Inline::Scalar { style, text, start: content, end } => {
                self.remember(props, || text.clone());
                let place = Place { lead, start, content, end, ..place_of(props) };
                self.build_scalar(place, props.tag, style, text)
            }
            Inline::Alias { name, start, end } => {
                self.no_props(props, start)?;
                let place = Place { lead, start, content: start, end, ..Place::default() };
                self.build_alias(place, name)
            }
            Inline::Collection { node, .. } => Ok(node),
        }
    }

    /// Goes over `? `, if it is there.
    fn question(&mut self) -> bool {
        let is_there = self.at_indicator(b'?');
        if is_there {
            self.pos += 1;
            self.skip_trivia();
        }
        is_there
    }

    /// Goes over a comma; false at the closing bracket.
    fn separator(&mut self, close: u8, open: usize) -> Result<bool, Fault> {
        self.skip_trivia();
        match self.byte() {
            Some(b',') => {
                self.pos += 1;
                Ok(true)
            }
            Some(byte) if byte == close => Ok(false),
            None => {
                let bracket = char::from(self.text.as_bytes()[open]);
                self.fault(open, format!("the closing bracket of this {bracket} is missing"))
            }
            Some(_) => self.fault(self.pos, format!("expected ',' or '{}' here", char::from(close))),
        }
    }
}
