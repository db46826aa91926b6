//! Block style: structure by indentation.

use crate::resource::document::build::{Build, Key, Place, Style};
use crate::resource::document::text::Fault;

use super::Parser;
use super::props::{Props, Tag};
use super::scalar::Inline;

/// What a node follows, which decides what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    /// The document's start.
    Root,
    /// `key:`; a sequence may stand at the key's own column.
    Value,
    /// `-`, `?` or the `:` that belongs to `?`; a collection may start on the same line.
    Item,
}

/// A node's introduction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intro {
    pub(super) lead: usize,
    /// Behind the indicator.
    pub(super) after: usize,
    /// The column of the collection that the node is in; -1 for the root.
    pub(super) indent: isize,
    pub(super) site: Site,
}

impl<'t, B: Build> Parser<'t, '_, B> {
    pub(super) fn document(&mut self) -> Result<B::Node, Fault> {
        let start = self.pos;
        let node = self.block_node(Intro { lead: start, after: start, indent: -1, site: Site::Root })?;
        self.skip_trivia();
        if self.pos < self.text.len() {
            return self.fault(self.pos, "unexpected text behind the document's value: check quotes and indentation");
        }
        Ok(node)
    }

    /// Reads the node behind an indicator; `pos` stands right behind that.
    pub(super) fn block_node(&mut self, intro: Intro) -> Result<B::Node, Fault> {
        self.skip_trivia();
        if !self.belongs(intro) {
            let after = intro.after;
            let place = Place { lead: intro.lead, start: after, content: after, end: after, ..Place::default() };
            return self.build_scalar(place, None, Style::Absent, "".into());
        }
        let start = self.pos;
        let mut outer = Props::default();
        loop {
            let at = self.pos;
            let own = self.props()?;
            let line = self.line;
            self.skip_trivia();
            if own.is_empty() || (self.line == line && self.pos < self.text.len()) {
                return self.content(intro, start, outer, own, at);
            }
            outer = self.merge(outer, own, at)?;
            if !self.belongs(intro) {
                self.remember(outer, || "".into());
                let end = outer.end;
                let place = Place { lead: intro.lead, start, content: end, end, ..place_of(outer) };
                return self.build_scalar(place, outer.tag, Style::Plain, "".into());
            }
        }
    }

    /// Whether what comes next is inside the collection that the introduction names.
    fn belongs(&self, intro: Intro) -> bool {
        if self.pos >= self.text.len() {
            return false;
        }
        let column = self.column();
        !self.first_on_line(self.pos)
            || column > intro.indent
            || (intro.site == Site::Value && column == intro.indent && self.at_indicator(b'-'))
    }

    /// Reads a node's content. `own` are the properties on its line, at `at`, which belong to an
    /// implicit key if it starts with one; `outer` those on earlier lines.
    fn content(
        &mut self,
        intro: Intro,
        start: usize,
        outer: Props<'t>,
        own: Props<'t>,
        at: usize,
    ) -> Result<B::Node, Fault> {
        self.lead = intro.lead;
        match self.byte() {
            Some(b'-' | b'?') if self.is_blank_at(self.pos + 1) => {
                if !own.is_empty() {
                    return self.fault(self.pos, "a list or mapping cannot start on the line of its anchor or tag");
                }
                self.may_start(intro, self.pos)?;
                if self.at_indicator(b'-') {
                    return self.block_sequence(intro.lead, start, outer);
                }
                let column = self.column();
                let key = self.key(column)?;
                self.block_mapping(intro.lead, start, outer, column, key)
            }
            Some(b'|' | b'>') => {
                let content = self.pos;
                let (style, text, end) = self.block_scalar(intro.indent)?;
                let props = self.merge(outer, own, at)?;
                self.remember(props, || text.clone());
                let place = Place { lead: intro.lead, start, content, end, ..place_of(props) };
                self.build_scalar(place, props.tag, style, text)
            }
            byte => {
                let line = self.line;
                let collection = matches!(byte, Some(b'[' | b'{'));
                let inline = self.inline(false, if collection { self.merge(outer, own, at)? } else { own }, start)?;
                if self.line == line && self.is_key_end(&inline, false) {
                    self.may_start(intro, at)?;
                    let column = (at - self.line) as isize;
                    let key = self.implicit_key(inline, at, own)?;
                    return self.block_mapping(intro.lead, start, outer, column, key);
                }
                let props = self.merge(outer, own, at)?;
                self.inline_node(inline, intro, start, props)
            }
        }
    }

    /// Refuses a block collection where only a value may stand.
    fn may_start(&self, intro: Intro, at: usize) -> Result<(), Fault> {
        let before = &self.text.as_bytes()[self.line..at];
        if self.first_on_line(at) || intro.site == Site::Item {
            let blanks = if self.first_on_line(at) { before } else { &self.text.as_bytes()[intro.after..at] };
            if blanks.contains(&b'\t') {
                return self.fault(at, "a tab is used for indentation: use spaces");
            }
            return Ok(());
        }
        self.fault(at, "a mapping or a list cannot start here: start it on its own line, or quote text with ': ' in it")
    }

    fn block_sequence(&mut self, lead: usize, start: usize, props: Props<'t>) -> Result<B::Node, Fault> {
        let content = self.pos;
        let column = self.column();
        expect(props, Tag::Sequence).map_err(|message| Fault::new(start, message))?;
        self.enter(content)?;
        let mut items = Vec::new();
        loop {
            let dash = self.pos;
            self.pos += 1;
            items.push(self.block_node(Intro { lead: dash, after: dash + 1, indent: column, site: Site::Item })?);
            if !self.next_entry(column)? || !self.at_indicator(b'-') {
                break;
            }
        }
        self.depth -= 1;
        let place = Place { lead, start, content, end: self.ended, ..place_of(props) };
        self.build.sequence(&place, false, items).map_err(|message| Fault::new(start, message))
    }

    /// Reads a mapping whose first key is read.
    fn block_mapping(
        &mut self,
        lead: usize,
        start: usize,
        props: Props<'t>,
        column: isize,
        first: Key<'t>,
    ) -> Result<B::Node, Fault> {
        let content = first.start;
        expect(props, Tag::Mapping).map_err(|message| Fault::new(start, message))?;
        self.enter(content)?;
        let mut map = B::Map::default();
        let mut key = first;
        loop {
            let at = key.start;
            let lead = self.pos;
            let value = if self.at_indicator(b':') {
                self.pos += 1;
                let site = if key.explicit { Site::Item } else { Site::Value };
                self.block_node(Intro { lead, after: lead + 1, indent: column, site })?
            } else {
                let end = key.end;
                let place = Place { lead: end, start: end, content: end, end, ..Place::default() };
                self.build_scalar(place, None, Style::Absent, "".into())?
            };
            self.build.insert(&mut map, key, value).map_err(|message| Fault::new(at, message))?;
            if !self.next_entry(column)? {
                break;
            }
            key = self.key(column)?;
        }
        self.depth -= 1;
        let place = Place { lead, start, content, end: self.ended, ..place_of(props) };
        self.build.mapping(&place, false, map).map_err(|message| Fault::new(start, message))
    }

    /// Goes to what follows an entry; says whether it is at the collection's column.
    fn next_entry(&mut self, column: isize) -> Result<bool, Fault> {
        let ended = self.ended;
        self.skip_trivia();
        if self.pos >= self.text.len() {
            return Ok(false);
        }
        if self.line <= ended {
            return self.fault(self.pos, "unexpected text behind a value: check quotes, or a comment without a blank");
        }
        if self.text.as_bytes()[self.line..self.pos].contains(&b'\t') {
            return self.fault(self.line, "a tab is used for indentation: use spaces");
        }
        match self.column().cmp(&column) {
            std::cmp::Ordering::Less => Ok(false),
            std::cmp::Ordering::Equal => Ok(true),
            std::cmp::Ordering::Greater => self.fault(self.pos, "the indentation does not match the lines above"),
        }
    }

    /// Reads a key; `pos` stands at its `:` afterwards, if it has one.
    fn key(&mut self, column: isize) -> Result<Key<'t>, Fault> {
        let start = self.pos;
        if self.at_indicator(b'?') {
            self.pos += 1;
            return self.explicit_key(start, column);
        }
        if self.at_indicator(b'-') {
            return self.fault(start, "a list item stands among the keys of a mapping");
        }
        let line = self.line;
        let props = self.props()?;
        let inline = self.inline(false, props, start)?;
        if self.line != line || !self.is_key_end(&inline, false) {
            return self.fault(start, "a key must be followed by ': ' on its line");
        }
        self.implicit_key(inline, start, props)
    }

    fn explicit_key(&mut self, start: usize, column: isize) -> Result<Key<'t>, Fault> {
        self.skip_trivia();
        let intro = Intro { lead: start, after: start + 1, indent: column, site: Site::Item };
        if !self.belongs(intro) {
            return self.fault(start, "a key is missing behind '?'");
        }
        let props = self.props()?;
        let inline = match self.byte() {
            Some(b'|' | b'>') => {
                let at = self.pos;
                let (style, text, end) = self.block_scalar(column)?;
                Inline::Scalar { style, text, start: at, end }
            }
            Some(b'-' | b'?') if self.is_blank_at(self.pos + 1) => {
                return self.fault(start, "a key must be text, not a collection");
            }
            _ => {
                let inline = self.inline(false, props, start)?;
                self.continued(inline, column)?
            }
        };
        let mut key = self.implicit_key(inline, start, props)?;
        key.explicit = true;
        self.ended = key.end;
        self.skip_trivia();
        if self.line <= key.end && self.pos < self.text.len() {
            return self.fault(self.pos, "unexpected text behind a key");
        }
        if !(self.column() == column && self.at_indicator(b':')) {
            self.pos = key.end;
            self.line = self.text[..key.end].rfind('\n').map_or(0, |at| at + 1);
        }
        Ok(key)
    }
}

/// A place with the anchor and the tag filled in.
pub(super) fn place_of(props: Props<'_>) -> Place {
    Place { anchor: props.number(), tagged: props.tag.is_some(), ..Place::default() }
}

/// Refuses a collection under another's tag.
pub(super) fn expect(props: Props<'_>, tag: Tag) -> Result<(), &'static str> {
    match props.tag {
        Some(other) if other != tag => Err("the tag does not fit the value"),
        _ => Ok(()),
    }
}
