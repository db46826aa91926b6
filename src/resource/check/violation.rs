//! From a document to its violations, ordered by position.

use serde_json::Value;

use crate::resource::check::branch::findings;
use crate::resource::document::{Format, ParseError, positions};
use crate::resource::kind::Kind;

/// One way in which a document breaks its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer (RFC 6901) to the value that breaks the rule; for a missing key the mapping
    /// that lacks it.
    pub pointer: String,
    /// Counted from 1, as is `column`.
    pub line: u32,
    pub column: u32,
    /// `vnf_version: "latest" does not match ^[0-9\-_.]+$`.
    pub message: String,
}

impl Violation {
    /// Stands last where not all are listed.
    fn more((line, column): (u32, u32)) -> Self {
        Violation { pointer: String::new(), line, column, message: MORE.to_owned() }
    }

    /// Whether it only says that more follow.
    pub fn is_more(&self) -> bool {
        self.message == MORE
    }
}

/// A text that is no document breaks its kind as a whole.
impl From<ParseError> for Violation {
    fn from(error: ParseError) -> Self {
        Violation { pointer: String::new(), line: error.line, column: error.column, message: error.message }
    }
}

/// Most violations that are reported of one document.
const MOST: usize = 100;

const MORE: &str = "there are more violations: only the first 100 are listed";

/// Most that are looked at to find the first ones.
pub(super) const MOST_SEEN: usize = 10 * MOST;

/// Holds a document against a generation of its kind's schema; empty when it keeps to it.
///
/// `text` is the file that `content` was parsed from; it is only read to find positions.
pub fn check(kind: &Kind, generation: usize, format: Format, text: &str, content: &Value) -> Vec<Violation> {
    let schema = kind.schema(generation);
    let validator = schema.validator();
    if validator.is_valid(content) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for error in validator.iter_errors(content).take(MOST_SEEN) {
        findings(&error, &schema.json, &mut found);
        if found.len() >= MOST_SEEN {
            break;
        }
    }
    let positions = positions(format, text);
    let mut violations: Vec<Violation> = found
        .into_iter()
        .map(|(pointer, message)| {
            let (line, column) = positions.locate(&pointer);
            Violation { pointer, line, column, message }
        })
        .collect();
    violations
        .sort_by(|a, b| (a.line, a.column, &a.pointer, &a.message).cmp(&(b.line, b.column, &b.pointer, &b.message)));
    violations.dedup();
    if violations.len() > MOST {
        violations.truncate(MOST);
        violations.push(Violation::more(positions.locate("")));
    }
    violations
}
