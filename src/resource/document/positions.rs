//! Where a person finds the value that a JSON pointer names.

use super::format::Format;
use super::text::{self, Cursor};
use super::tree::{self, Node, Shape};

/// Where each value of a document stands.
#[derive(Debug)]
pub struct Positions {
    root: Option<Spot>,
}

#[derive(Debug)]
struct Spot {
    line: u32,
    column: u32,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    Nothing,
    Items(Vec<Spot>),
    /// Sorted by name.
    Members(Vec<(String, Spot)>),
}

/// Finds where each value stands. Of a text that is not a document only its start is known.
pub fn positions(format: Format, text: &str) -> Positions {
    let body = text::body(text);
    let mut cursor = Cursor::new(body);
    Positions { root: tree::read(format, body).map(|root| spot(&mut cursor, root.place.start, root)) }
}

impl Positions {
    /// Line and column (from 1, in characters) of what a JSON pointer (RFC 6901) names: the key of
    /// a member, the start of an item. Where the pointer leads nowhere, its last step that exists.
    pub fn locate(&self, pointer: &str) -> (u32, u32) {
        let Some(mut spot) = self.root.as_ref() else { return (1, 1) };
        for step in pointer.split('/').skip(1) {
            let next = match &spot.inside {
                Inside::Nothing => None,
                Inside::Items(items) => step.parse().ok().and_then(|at: usize| items.get(at)),
                Inside::Members(members) => {
                    let name = step.replace("~1", "/").replace("~0", "~");
                    let found = members.binary_search_by(|(key, _)| key.as_str().cmp(&name));
                    found.ok().map(|at| &members[at].1)
                }
            };
            let Some(next) = next else { break };
            spot = next;
        }
        (spot.line, spot.column)
    }
}

fn spot(cursor: &mut Cursor<'_>, at: usize, node: Node) -> Spot {
    let (line, column) = cursor.locate(at);
    let inside = match node.shape {
        Shape::Scalar(_) | Shape::Alias(_) => Inside::Nothing,
        Shape::Sequence { items, .. } => {
            Inside::Items(items.into_iter().map(|item| spot(cursor, item.place.start, item)).collect())
        }
        Shape::Mapping { members, .. } => {
            let mut members: Vec<_> =
                members.into_iter().map(|member| (member.name, spot(cursor, member.start, member.value))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Inside::Members(members)
        }
    };
    Spot { line, column, inside }
}
