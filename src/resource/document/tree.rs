//! A tree of places: where each value of a text stands and how it is written.

use super::build::{Build, Key, Place, Scalar, Style};
use super::format::{self, Format};

#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) shape: Shape,
}

#[derive(Debug)]
pub(super) enum Shape {
    Scalar(Style),
    /// The number of the anchor.
    Alias(usize),
    Sequence {
        flow: bool,
        items: Vec<Node>,
    },
    Mapping {
        flow: bool,
        members: Vec<Member>,
    },
}

#[derive(Debug)]
pub(super) struct Member {
    /// Where the key starts, its properties or `?` included.
    pub(super) start: usize,
    /// Behind the key.
    pub(super) end: usize,
    pub(super) name: String,
    pub(super) value: Node,
}

/// Reads where things stand; `None` when the text is not a document. Aliases are not expanded and
/// duplicate keys not looked for: that is [`super::parse`]'s business.
pub(super) fn read(format: Format, body: &str) -> Option<Node> {
    format::read(format, body, &mut Places).ok()
}

impl Node {
    /// Whether there is an alias in it.
    pub(super) fn has_alias(&self) -> bool {
        match &self.shape {
            Shape::Scalar(_) => false,
            Shape::Alias(_) => true,
            Shape::Sequence { items, .. } => items.iter().any(Node::has_alias),
            Shape::Mapping { members, .. } => members.iter().any(|member| member.value.has_alias()),
        }
    }
}

struct Places;

impl Build for Places {
    type Node = Node;
    type Map = Vec<Member>;

    fn scalar(&mut self, place: &Place, style: Style, _: Scalar<'_>) -> Result<Node, String> {
        Ok(Node { place: *place, shape: Shape::Scalar(style) })
    }

    fn sequence(&mut self, place: &Place, flow: bool, items: Vec<Node>) -> Result<Node, String> {
        Ok(Node { place: *place, shape: Shape::Sequence { flow, items } })
    }

    fn insert(&mut self, map: &mut Vec<Member>, key: Key<'_>, value: Node) -> Result<(), String> {
        map.push(Member { start: key.start, end: key.end, name: key.name.into_owned(), value });
        Ok(())
    }

    fn mapping(&mut self, place: &Place, flow: bool, members: Vec<Member>) -> Result<Node, String> {
        Ok(Node { place: *place, shape: Shape::Mapping { flow, members } })
    }

    fn alias(&mut self, place: &Place, anchor: usize) -> Result<Node, String> {
        Ok(Node { place: *place, shape: Shape::Alias(anchor) })
    }

    fn alias_key(&mut self, _: usize) -> Result<(), String> {
        Ok(())
    }
}
