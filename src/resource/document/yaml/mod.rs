//! A parser for one YAML 1.2 document that knows the exact bytes of every node.
//!
//! Written for bounded work on hostile text: every byte is looked at a bounded number of times,
//! nothing is queued, and collections nest at most 64 deep. Where tools differ it is lenient about
//! the indentation inside brackets and quotes, and strict about what changes a meaning: tabs as
//! indentation, text behind a value, several documents.

mod block;
mod flow;
mod frame;
mod literal;
mod plain;
mod props;
mod quoted;
mod scalar;

use std::borrow::Cow;
use std::collections::HashMap;

use super::build::{Build, Place, Scalar, Style};
use super::format::DEPTH;
use super::text::Fault;

/// Reads the one document in a text.
pub(super) fn read<B: Build>(text: &str, build: &mut B) -> Result<B::Node, Fault> {
    let frame = frame::find(text)?;
    let mut parser = Parser {
        text: &text[..frame.end],
        pos: frame.start,
        line: frame.line,
        depth: 0,
        ended: frame.start,
        lead: frame.start,
        anchors: HashMap::new(),
        anchored: 0,
        build,
    };
    parser.document()
}

/// An anchor by its name; a later one of the same name replaces it.
struct Anchor<'t> {
    /// From 1.
    number: usize,
    /// What a key that is an alias of it reads.
    text: Option<Cow<'t, str>>,
}

struct Parser<'t, 'b, B> {
    /// Up to the document's end.
    text: &'t str,
    pos: usize,
    /// Where the line of `pos` starts.
    line: usize,
    depth: usize,
    /// Where the last node ended.
    ended: usize,
    /// The indicator that introduces the node being read.
    lead: usize,
    anchors: HashMap<&'t str, Anchor<'t>>,
    /// How many anchors there were.
    anchored: usize,
    build: &'b mut B,
}

impl<'t, B: Build> Parser<'t, '_, B> {
    fn byte(&self) -> Option<u8> {
        self.byte_at(self.pos)
    }

    fn byte_at(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn fault<T>(&self, at: usize, message: impl Into<String>) -> Result<T, Fault> {
        Err(Fault::new(at, message))
    }

    /// Whether a blank, a line end or the end stands there: what makes `-`, `?` and `:` indicators.
    fn is_blank_at(&self, at: usize) -> bool {
        matches!(self.byte_at(at), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
    }

    fn at_indicator(&self, indicator: u8) -> bool {
        self.byte() == Some(indicator) && self.is_blank_at(self.pos + 1)
    }

    fn column(&self) -> isize {
        (self.pos - self.line) as isize
    }

    /// Whether only blanks stand before this offset on its line.
    fn first_on_line(&self, at: usize) -> bool {
        self.text.as_bytes()[self.line..at].iter().all(|byte| matches!(byte, b' ' | b'\t'))
    }

    fn skip_blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t')) {
            self.pos += 1;
        }
    }

    /// Skips blanks, comments and line ends.
    fn skip_trivia(&mut self) {
        loop {
            match self.byte() {
                Some(b' ' | b'\t' | b'\r') => self.pos += 1,
                Some(b'\n') => {
                    self.pos += 1;
                    self.line = self.pos;
                }
                Some(b'#') if self.pos == 0 || self.is_blank_at(self.pos - 1) => self.skip_line(),
                _ => return,
            }
        }
    }

    /// Up to the line's end.
    fn skip_line(&mut self) {
        let rest = &self.text.as_bytes()[self.pos..];
        self.pos += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }

    fn enter(&mut self, at: usize) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > DEPTH {
            return self.fault(at, format!("the document nests deeper than {DEPTH} levels"));
        }
        Ok(())
    }

    /// Hands a scalar over. Tags decide before the style does.
    fn build_scalar(
        &mut self,
        place: Place,
        tag: Option<props::Tag>,
        style: Style,
        text: Cow<'t, str>,
    ) -> Result<B::Node, Fault> {
        let scalar = match tag {
            Some(tag) => props::convert(tag, text),
            None if matches!(style, Style::Plain | Style::Absent) => super::resolve::plain(text),
            None => Ok(Scalar::Text(text)),
        };
        let scalar = scalar.map_err(|message| Fault::new(place.start, message))?;
        self.ended = place.end;
        self.build.scalar(&place, style, scalar).map_err(|message| Fault::new(place.start, message))
    }

    fn build_alias(&mut self, place: Place, name: &str) -> Result<B::Node, Fault> {
        let Some(anchor) = self.anchors.get(name) else {
            return self.fault(place.start, format!("the alias *{name} refers to no anchor above it"));
        };
        self.ended = place.end;
        self.build.alias(&place, anchor.number).map_err(|message| Fault::new(place.start, message))
    }
}
