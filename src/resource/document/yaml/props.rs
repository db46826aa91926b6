//! Anchors and tags.

use std::borrow::Cow;

use crate::resource::document::build::{Build, Scalar};
use crate::resource::document::resolve;
use crate::resource::document::text::{Fault, quoted};

use super::{Anchor, Parser};

/// The tags of the core schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Text,
    Integer,
    Float,
    Boolean,
    Null,
    Mapping,
    Sequence,
}

/// What stands before a node's content.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Props<'t> {
    /// Name and number.
    pub(super) anchor: Option<(&'t str, usize)>,
    pub(super) tag: Option<Tag>,
    /// Behind the last of them.
    pub(super) end: usize,
}

impl Props<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.anchor.is_none() && self.tag.is_none()
    }

    pub(super) fn number(&self) -> usize {
        self.anchor.map_or(0, |(_, number)| number)
    }
}

impl<'t, B: Build> Parser<'t, '_, B> {
    /// Reads an anchor and a tag, in any order, from one line.
    pub(super) fn props(&mut self) -> Result<Props<'t>, Fault> {
        let mut props = Props::default();
        loop {
            let start = self.pos;
            match self.byte() {
                Some(b'&') if props.anchor.is_none() => {
                    let name = self.name()?;
                    let number = self.anchored + 1;
                    self.anchored = number;
                    props.anchor = Some((name, number));
                    self.anchors.insert(name, Anchor { number, text: None });
                }
                Some(b'!') if props.tag.is_none() => props.tag = Some(self.tag()?),
                Some(b'&' | b'!') => return self.fault(start, "a value has one anchor and one tag at most"),
                _ => return Ok(props),
            }
            props.end = self.pos;
            self.skip_blanks();
        }
    }

    /// Properties on several lines.
    pub(super) fn merge(&self, outer: Props<'t>, own: Props<'t>, at: usize) -> Result<Props<'t>, Fault> {
        if (outer.anchor.is_some() && own.anchor.is_some()) || (outer.tag.is_some() && own.tag.is_some()) {
            return self.fault(at, "a value has one anchor and one tag at most");
        }
        let (anchor, tag) = (own.anchor.or(outer.anchor), own.tag.or(outer.tag));
        Ok(Props { anchor, tag, end: own.end.max(outer.end) })
    }

    /// The name behind `&` or `*`.
    pub(super) fn name(&mut self) -> Result<&'t str, Fault> {
        let start = self.pos + 1;
        let rest = &self.text.as_bytes()[start..];
        let length = rest.iter().position(|byte| b" \t\r\n,[]{}".contains(byte)).unwrap_or(rest.len());
        if length == 0 {
            return self.fault(self.pos, "an anchor or alias has no name: quote text that starts with & or *");
        }
        let name = &self.text[start..start + length];
        if name.contains(':') {
            // YAML 1.2 allows it, most tools end the name there: a meaning nobody can rely on.
            return self.fault(self.pos, "a ':' in the name of an anchor or alias: put a blank before it");
        }
        self.pos = start + length;
        Ok(name)
    }

    fn tag(&mut self) -> Result<Tag, Fault> {
        let start = self.pos;
        let rest = &self.text.as_bytes()[start..];
        let verbatim = rest.starts_with(b"!<");
        let ends: &[u8] = if verbatim { b" \t\r\n" } else { b" \t\r\n,[]{}" };
        let length = rest.iter().position(|byte| ends.contains(byte)).unwrap_or(rest.len());
        self.pos = start + length;
        let tag = &self.text[start..self.pos];
        let suffix = match tag.strip_prefix("!<tag:yaml.org,2002:") {
            Some(suffix) => suffix.strip_suffix('>'),
            None => tag.strip_prefix("!!"),
        };
        match suffix {
            Some("str") => Ok(Tag::Text),
            Some("int") => Ok(Tag::Integer),
            Some("float") => Ok(Tag::Float),
            Some("bool") => Ok(Tag::Boolean),
            Some("null") => Ok(Tag::Null),
            Some("map") => Ok(Tag::Mapping),
            Some("seq") => Ok(Tag::Sequence),
            _ => self.fault(
                start,
                format!(
                    "the tag {} is not supported (only those of the core schema are): \
                     remove it, or quote text that starts with !",
                    quoted(tag)
                ),
            ),
        }
    }

    /// Lets aliases that are keys find an anchored scalar's text.
    pub(super) fn remember(&mut self, props: Props<'t>, text: impl FnOnce() -> Cow<'t, str>) {
        if let Some((name, number)) = props.anchor {
            self.anchors.insert(name, Anchor { number, text: Some(text()) });
        }
    }
}

/// A scalar under a tag.
pub(super) fn convert(tag: Tag, text: Cow<'_, str>) -> Result<Scalar<'_>, String> {
    let (scalar, name) = match tag {
        Tag::Text => return Ok(Scalar::Text(text)),
        Tag::Integer => (resolve::integer(&text)?.map(Scalar::Number), "an integer"),
        Tag::Float => (resolve::float(&text)?.map(Scalar::Number), "a float"),
        Tag::Boolean => (resolve::boolean(&text).map(Scalar::Bool), "a boolean"),
        Tag::Null => (resolve::is_null(&text).then_some(Scalar::Null), "null"),
        Tag::Mapping => (None, "a mapping"),
        Tag::Sequence => (None, "a sequence"),
    };
    scalar.ok_or_else(|| format!("{} is not {name}, as its tag says", quoted(&text)))
}
