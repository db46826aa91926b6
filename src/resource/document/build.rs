//! What a parser hands over, piece by piece.

use std::borrow::Cow;

use serde_json::Number;

/// What a scalar means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'t> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'t, str>),
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
    /// Nothing is written: `key:` or `-` alone.
    Absent,
}

/// Where a node stands: byte offsets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The indicator that introduces it: `:`, `-`, `?`.
    pub(super) lead: usize,
    /// Its first byte, properties (anchor, tag) included.
    pub(super) start: usize,
    /// Its first byte after properties.
    pub(super) content: usize,
    /// Behind its last byte; line ends after it do not count.
    pub(super) end: usize,
    /// The number of its anchor, 0 for none.
    pub(super) anchor: usize,
    pub(super) tagged: bool,
}

/// A key, read.
#[derive(Debug)]
pub(super) struct Key<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) name: Cow<'t, str>,
    /// Written with `?`.
    pub(super) explicit: bool,
}

/// What becomes of a document's parts. A refusal is a text; the parser adds the position.
pub(super) trait Build {
    type Node;
    type Map: Default;

    fn scalar(&mut self, place: &Place, style: Style, scalar: Scalar<'_>) -> Result<Self::Node, String>;
    fn sequence(&mut self, place: &Place, flow: bool, items: Vec<Self::Node>) -> Result<Self::Node, String>;
    /// Adds a member; refuses a key that is already there.
    fn insert(&mut self, map: &mut Self::Map, key: Key<'_>, value: Self::Node) -> Result<(), String>;
    fn mapping(&mut self, place: &Place, flow: bool, map: Self::Map) -> Result<Self::Node, String>;
    /// `*name` standing for a value.
    fn alias(&mut self, place: &Place, anchor: usize) -> Result<Self::Node, String>;
    /// `*name` standing for a key of so many bytes.
    fn alias_key(&mut self, bytes: usize) -> Result<(), String>;
}
