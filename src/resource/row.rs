//! What the index knows of a document: its address, its times, and the values of its kind's
//! indexed fields, encoded so that comparing the encoded forms compares the values.
//!
//! The same encoded values are matched in tantivy and in memory, which is why both agree.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::base::hex;

/// A column of the index. The first ones every document has; `Text` and `Number` are slots that
/// each kind gives its own meaning (see [`crate::resource::kind::Kind::fields`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    Kind,
    /// `owner/name`.
    Workspace,
    Path,
    /// [`crate::resource::key::DocumentId::stored`].
    Id,
    /// Hex.
    Etag,
    /// [`Moment::encoded`].
    Created,
    /// [`Moment::encoded`].
    Updated,
    /// How many violations the document has.
    Violations,
    Text(u8),
    Number(u8),
}

/// Slots of each sort that a kind may use.
pub const SLOTS: u8 = 32;

impl Column {
    /// Whether values of this column are [`Value::Number`].
    pub fn is_number(self) -> bool {
        matches!(self, Column::Created | Column::Updated | Column::Violations | Column::Number(_))
    }
}

/// An encoded value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    Number(u64),
    Text(Arc<str>),
}

/// When a commit happened: seconds since 1970 and the commit's generation in its workspace's
/// history (the root is 0, every other commit one more than its highest parent), which orders
/// commits of one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment {
    pub seconds: i64,
    pub generation: u32,
}

const GENERATION_BITS: u32 = 28;

impl Moment {
    /// 36 bits of seconds, 28 bits of generation.
    pub fn encoded(self) -> u64 {
        let seconds = self.seconds.clamp(0, (1 << 36) - 1) as u64;
        (seconds << GENERATION_BITS) | u64::from(self.generation.min((1 << GENERATION_BITS) - 1))
    }

    pub fn from_encoded(encoded: u64) -> Self {
        Moment {
            seconds: (encoded >> GENERATION_BITS) as i64,
            generation: (encoded & ((1 << GENERATION_BITS) - 1)) as u32,
        }
    }

    /// The first encoded value of this second.
    pub fn start_of(seconds: i64) -> u64 {
        Moment { seconds, generation: 0 }.encoded()
    }
}

/// One document as the index keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub kind: Arc<str>,
    pub workspace: Arc<str>,
    pub path: Arc<str>,
    pub id: Arc<str>,
    pub etag: crate::resource::etag::Etag,
    pub created: Moment,
    pub updated: Moment,
    pub violations: u32,
    /// `(slot, value)`; a slot may occur several times (arrays), first value first.
    pub texts: Vec<(u8, Arc<str>)>,
    /// `(slot, value)`, as `texts`.
    pub numbers: Vec<(u8, u64)>,
}

impl Row {
    /// Calls `each` with every value of a column, until it returns true; says whether it did.
    pub fn any_value(&self, column: Column, mut each: impl FnMut(ValueRef<'_>) -> bool) -> bool {
        match column {
            Column::Kind => each(ValueRef::Text(&self.kind)),
            Column::Workspace => each(ValueRef::Text(&self.workspace)),
            Column::Path => each(ValueRef::Text(&self.path)),
            Column::Id => each(ValueRef::Text(&self.id)),
            Column::Etag => each(ValueRef::Text(&self.etag.to_string())),
            Column::Created => each(ValueRef::Number(self.created.encoded())),
            Column::Updated => each(ValueRef::Number(self.updated.encoded())),
            Column::Violations => each(ValueRef::Number(u64::from(self.violations))),
            Column::Text(slot) => self.texts.iter().filter(|(s, _)| *s == slot).any(|(_, v)| each(ValueRef::Text(v))),
            Column::Number(slot) => {
                self.numbers.iter().filter(|(s, _)| *s == slot).any(|(_, v)| each(ValueRef::Number(*v)))
            }
        }
    }

    /// The value that a column sorts by: the first, if there is one.
    pub fn sort_value(&self, column: Column) -> Option<Value> {
        let mut found = None;
        self.any_value(column, |value| {
            found = Some(value.to_owned());
            true
        });
        found
    }
}

/// A borrowed [`Value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueRef<'a> {
    Number(u64),
    Text(&'a str),
}

impl ValueRef<'_> {
    pub fn to_owned(self) -> Value {
        match self {
            ValueRef::Number(n) => Value::Number(n),
            ValueRef::Text(t) => Value::Text(t.into()),
        }
    }
}

/// One commit's touch of one document: what history is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// Stored form of the document's id.
    pub id: Arc<str>,
    pub workspace: Arc<str>,
    /// Where the document was after this commit (before it, when the commit deleted it).
    pub path: Arc<str>,
    /// Hex.
    pub commit: Arc<str>,
    pub at: Moment,
    /// The commit removed the document.
    pub deleted: bool,
}

/// Longest text that is indexed as it is, in bytes.
const WHOLE_TEXT: usize = 1000;

/// Encodes a keyword: itself, or its first bytes and a hash when it is over 1 kB
/// (decisions.md 12), so that equality stays exact and order nearly so.
pub fn encode_text(text: &str) -> Arc<str> {
    if text.len() <= WHOLE_TEXT {
        return text.into();
    }
    let mut end = WHOLE_TEXT;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let digest = Sha256::digest(text.as_bytes());
    let mut out = text[..end].to_owned();
    out.push('\u{0}');
    out.push_str(&hex::encode(&digest));
    out.into()
}

/// Encodes a number so that the integers order as the numbers do.
pub fn encode_number(number: f64) -> u64 {
    // -0 and 0 are one number.
    let bits = if number == 0.0 { 0.0f64.to_bits() } else { number.to_bits() };
    if bits >> 63 == 0 { bits | (1 << 63) } else { !bits }
}

/// Encodes a date, in microseconds since 1970.
pub fn encode_date(microseconds: i64) -> u64 {
    (microseconds as u64) ^ (1 << 63)
}

/// Reverses [`encode_number`].
pub fn decode_number(encoded: u64) -> f64 {
    f64::from_bits(if encoded >> 63 == 1 { encoded & !(1 << 63) } else { !encoded })
}

/// Reverses [`encode_date`], as RFC 3339.
pub fn decode_date(encoded: u64) -> String {
    let microseconds = (encoded ^ (1 << 63)) as i64;
    jiff::Timestamp::from_microsecond(microseconds).map_or_else(|_| String::new(), |at| at.to_string())
}

pub fn encode_boolean(value: bool) -> u64 {
    u64::from(value)
}

/// Encodes a version so that text order is version order: numbers by value, a pre-release before
/// its release (semver 11), other separators as written. The version itself follows, so that only
/// equal spellings are equal.
pub fn encode_version(version: &str) -> Arc<str> {
    let trimmed = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let (main, build) = trimmed.split_once('+').unwrap_or((trimmed, ""));
    let (release, pre) = match main.split_once('-') {
        Some((release, pre)) => (release, Some(pre)),
        None => (main, None),
    };
    let mut out = String::with_capacity(version.len() * 2 + 8);
    push_parts(&mut out, release);
    // What may follow a part, in order: a pre-release (' '), the end ('!'), another part ('.').
    if let Some(pre) = pre {
        out.push(' ');
        push_parts(&mut out, pre);
    }
    out.push('!');
    if !build.is_empty() {
        push_parts(&mut out, build);
    }
    out.push('\u{0}');
    out.push_str(version);
    encode_text(&out)
}

fn push_parts(out: &mut String, text: &str) {
    for part in text.split(['.', '-', '_']) {
        let digits = part.trim_start_matches('0');
        if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            // Length first, so that 9 sorts before 10; letters sort after numbers.
            let length = digits.len().min(93) as u8;
            out.push('.');
            out.push(char::from(b'!' + length));
            out.push_str(digits);
        } else {
            out.push_str(".~");
            out.push_str(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_by_number() {
        let sorted =
            ["0.9", "0.10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "1.0.1", "2", "10"];
        for pair in sorted.windows(2) {
            assert!(encode_version(pair[0]) < encode_version(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn numbers_sort_as_numbers() {
        let sorted = [f64::NEG_INFINITY, -10.5, -1.0, -1e-9, 0.0, 1e-9, 1.0, 2.0, 10.0, 1e300, f64::INFINITY];
        for pair in sorted.windows(2) {
            assert!(encode_number(pair[0]) < encode_number(pair[1]), "{pair:?}");
        }
        assert_eq!(encode_number(-0.0), encode_number(0.0));
        assert!(encode_date(-1) < encode_date(0) && encode_date(0) < encode_date(1));
    }

    #[test]
    fn long_texts_stay_distinct() {
        let a = "x".repeat(5000) + "a";
        let b = "x".repeat(5000) + "b";
        assert_ne!(encode_text(&a), encode_text(&b));
        assert!(encode_text(&a).len() < 1100);
    }
}
