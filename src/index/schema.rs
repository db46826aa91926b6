//! What tantivy is told of a row: one schema for every kind.
//!
//! All exact terms (of every column) live in one field of bytes, each led by its column's number,
//! so that a segment has one dictionary for them; values to compare, sort and count by live in one
//! fast field per column.

use sha2::{Digest, Sha256};
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::{TantivyDocument, Term};

use super::codec;
use crate::resource::row::{Column, Row, SLOTS, Touch};

/// Raise with every change of the schema, of the codec or of how words are cut.
pub(super) const VERSION: u32 = 1;

/// The name under which the words' tokenizer is registered.
pub(super) const TOKENIZER: &str = "words";

/// How many columns there are.
pub(super) const COLUMNS: usize = BUILT_IN.len() + 2 * SLOTS as usize;

const BUILT_IN: [Column; 8] = [
    Column::Kind,
    Column::Workspace,
    Column::Path,
    Column::Id,
    Column::Etag,
    Column::Created,
    Column::Updated,
    Column::Violations,
];

/// Leads the term by which the touches of one document are found.
const TOUCH: u8 = 200;
/// Leads the term by which all touches of one workspace are found.
const TOUCH_WORKSPACE: u8 = 201;
/// Leads the term by which what one rebuild made is found.
const MARK: u8 = 202;

/// A column's number; `None` for a slot that no kind can have.
pub(super) fn ordinal(column: Column) -> Option<usize> {
    match column {
        Column::Text(slot) => (slot < SLOTS).then(|| BUILT_IN.len() + usize::from(slot)),
        Column::Number(slot) => (slot < SLOTS).then(|| BUILT_IN.len() + usize::from(SLOTS) + usize::from(slot)),
        built_in => BUILT_IN.iter().position(|column| *column == built_in),
    }
}

/// The inverse of [`ordinal`].
fn column(ordinal: usize) -> Column {
    match (BUILT_IN.get(ordinal), (ordinal.saturating_sub(BUILT_IN.len())) as u8) {
        (Some(built_in), _) => *built_in,
        (None, slot) if slot < SLOTS => Column::Text(slot),
        (None, slot) => Column::Number(slot - SLOTS),
    }
}

/// The name of a column's fast field.
pub(super) fn field_name(column: Column) -> String {
    match column {
        Column::Text(slot) => format!("text{slot:02}"),
        Column::Number(slot) => format!("number{slot:02}"),
        built_in => format!("{built_in:?}").to_lowercase(),
    }
}

/// Whether equal values of a column can be found by a term. The dictionary of terms is what costs
/// most to build, so columns that hold something else in every document have none: a path is found
/// by its [`key_term`], an etag by looking at all.
pub(super) fn has_terms(column: Column) -> bool {
    column != Column::Etag && column != Column::Path
}

/// Whether the terms of a column are in the order of its values, as far as they go.
pub(super) fn has_ranges(column: Column) -> bool {
    has_terms(column) && column != Column::Id
}

/// Texts up to this length are terms as they are.
const LITERAL: usize = 20;
/// Of longer ones these first bytes are kept, followed by [`HASHED`] and 48 bits of a hash: what is
/// found by them is looked at again.
const KEPT: usize = 12;
/// Occurs in no UTF-8.
const HASHED: u8 = 0xff;

/// Whether only this text has its term.
pub(super) fn is_literal(text: &str) -> bool {
    text.len() <= LITERAL
}

/// The term of a text in a column.
pub(super) fn text_term(column: Column, text: &str) -> Vec<u8> {
    let mut term = leader(column);
    if is_literal(text) {
        term.extend_from_slice(text.as_bytes());
    } else {
        if has_ranges(column) {
            term.extend_from_slice(&text.as_bytes()[..KEPT]);
        }
        term.push(HASHED);
        term.extend_from_slice(&Sha256::digest(text)[..6]);
    }
    term
}

/// Where the terms of all texts that start with this lie: from, up to (not included).
pub(super) fn prefix_bounds(column: Column, prefix: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut bounds = Vec::with_capacity(2);
    if prefix.len() > KEPT {
        // Long texts, of which less is kept than is asked for.
        let mut low = lower_bound(column, prefix);
        low.push(HASHED);
        bounds.push((low, upper_bound(column, prefix)));
    }
    if is_literal(prefix) {
        let mut low = leader(column);
        low.extend_from_slice(prefix.as_bytes());
        let mut high = low.clone();
        increment(&mut high);
        bounds.push((low, high));
    }
    bounds
}

/// What the terms of all texts from this one on are not less than.
pub(super) fn lower_bound(column: Column, text: &str) -> Vec<u8> {
    let mut bound = leader(column);
    bound.extend_from_slice(&text.as_bytes()[..text.len().min(KEPT)]);
    bound
}

/// What the terms of all texts up to this one are less than.
pub(super) fn upper_bound(column: Column, text: &str) -> Vec<u8> {
    let mut bound = lower_bound(column, text);
    increment(&mut bound);
    bound
}

/// What everything that starts with a term is less than: neither a byte of UTF-8 nor the number of
/// a column is the greatest byte.
fn increment(term: &mut [u8]) {
    if let Some(last) = term.last_mut() {
        *last += 1;
    }
}

fn leader(column: Column) -> Vec<u8> {
    let mut term = Vec::with_capacity(1 + LITERAL + 1);
    term.push(ordinal(column).map_or(HASHED - 1, |ordinal| ordinal as u8));
    term
}

/// The term of a number in a column; terms order as the numbers do.
pub(super) fn number_term(column: Column, number: u64) -> Vec<u8> {
    let mut term = leader(column);
    term.extend_from_slice(&number.to_be_bytes());
    term
}

/// The term of one document's address.
pub(super) fn key_term(workspace: &str, path: &str) -> Vec<u8> {
    pair_term(leader(Column::Path), workspace, path)
}

/// The term of a document's touches.
pub(super) fn touch_term(workspace: &str, id: &str) -> Vec<u8> {
    pair_term(vec![TOUCH], workspace, id)
}

/// 80 bits of a hash: to find a second pair with the hash of a given one is out of reach.
fn pair_term(mut term: Vec<u8>, workspace: &str, name: &str) -> Vec<u8> {
    let digest = Sha256::new().chain_update(workspace).chain_update([0]).chain_update(name).finalize();
    term.extend_from_slice(&digest[..10]);
    term
}

/// The term of all touches in a workspace.
pub(super) fn touch_workspace_term(workspace: &str) -> Vec<u8> {
    let mut term = vec![TOUCH_WORKSPACE];
    term.extend_from_slice(workspace.as_bytes());
    term
}

/// The term of what a rebuild made.
pub(super) fn mark_term(mark: u64) -> Vec<u8> {
    let mut term = vec![MARK];
    term.extend_from_slice(&mark.to_be_bytes());
    term
}

/// The name of the fast field that touches are ordered by.
pub(super) const TOUCH_GENERATION: &str = "touch_generation";

/// The fields of the schema.
#[derive(Clone)]
pub(super) struct Fields {
    /// Every exact term.
    terms: Field,
    /// The words of the full text.
    pub(super) words: Field,
    /// The encoded row or touch.
    stored: Field,
    touch_generation: Field,
    columns: [Field; COLUMNS],
}

impl Fields {
    pub(super) fn build() -> (Schema, Fields) {
        let mut builder = Schema::builder();
        let terms = builder.add_bytes_field("terms", BytesOptions::default().set_indexed());
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let words = builder.add_text_field("words", TextOptions::default().set_indexing_options(indexing));
        let stored = builder.add_bytes_field("stored", BytesOptions::default().set_stored());
        let touch_generation = builder.add_u64_field(TOUCH_GENERATION, NumericOptions::default().set_fast());
        let columns = std::array::from_fn(|ordinal| {
            let column = column(ordinal);
            if column.is_number() {
                builder.add_u64_field(&field_name(column), NumericOptions::default().set_fast())
            } else {
                builder.add_text_field(&field_name(column), TextOptions::default().set_fast("raw"))
            }
        });
        (builder.build(), Fields { terms, words, stored, touch_generation, columns })
    }

    /// The field that holds every exact term.
    pub(super) fn terms(&self) -> Field {
        self.terms
    }

    pub(super) fn term(&self, bytes: &[u8]) -> Term {
        Term::from_field_bytes(self.terms, bytes)
    }

    pub(super) fn row_document(&self, row: &Row, text: &str) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        let etag = row.etag.to_string();
        for (column, text) in [
            (Column::Kind, &*row.kind),
            (Column::Workspace, &*row.workspace),
            (Column::Path, &*row.path),
            (Column::Id, &*row.id),
            (Column::Etag, &*etag),
        ] {
            self.add_text(&mut document, column, text);
        }
        document.add_bytes(self.terms, &key_term(&row.workspace, &row.path));
        for (column, number) in [
            (Column::Created, row.created.encoded()),
            (Column::Updated, row.updated.encoded()),
            (Column::Violations, u64::from(row.violations)),
        ] {
            self.add_number(&mut document, column, number);
        }
        for (slot, text) in &row.texts {
            self.add_text(&mut document, Column::Text(*slot), text);
        }
        for (slot, number) in &row.numbers {
            self.add_number(&mut document, Column::Number(*slot), *number);
        }
        if !text.is_empty() {
            document.add_text(self.words, text);
        }
        document.add_bytes(self.stored, &codec::encode_row(row));
        document
    }

    pub(super) fn touch_document(&self, touch: &Touch) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_bytes(self.terms, &touch_term(&touch.workspace, &touch.id));
        document.add_bytes(self.terms, &touch_workspace_term(&touch.workspace));
        document.add_u64(self.touch_generation, u64::from(touch.at.generation));
        document.add_bytes(self.stored, &codec::encode_touch(touch));
        document
    }

    /// What a workspace has without a rebuild's mark: its rows and its touches.
    pub(super) fn unmarked(&self, workspace: &str, mark: u64) -> [Box<dyn Query>; 2] {
        let with = |term: &[u8]| Box::new(TermQuery::new(self.term(term), IndexRecordOption::Basic)) as Box<dyn Query>;
        [text_term(Column::Workspace, workspace), touch_workspace_term(workspace)].map(|term| {
            let parts = vec![(Occur::Must, with(&term)), (Occur::MustNot, with(&mark_term(mark)))];
            Box::new(BooleanQuery::new(parts)) as Box<dyn Query>
        })
    }

    /// Says that a rebuild made the document.
    pub(super) fn mark(&self, document: &mut TantivyDocument, mark: u64) {
        document.add_bytes(self.terms, &mark_term(mark));
    }

    fn add_text(&self, document: &mut TantivyDocument, column: Column, text: &str) {
        let Some(ordinal) = ordinal(column) else { return };
        document.add_text(self.columns[ordinal], text);
        if has_terms(column) {
            document.add_bytes(self.terms, &text_term(column, text));
        }
    }

    fn add_number(&self, document: &mut TantivyDocument, column: Column, number: u64) {
        let Some(ordinal) = ordinal(column) else { return };
        document.add_u64(self.columns[ordinal], number);
        document.add_bytes(self.terms, &number_term(column, number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_lie_within_the_bounds_of_their_texts() {
        let column = Column::Text(3);
        let mut texts: Vec<String> = ["", "a", "ab", "ß", "\u{10ffff}", "component 1"].map(str::to_owned).to_vec();
        for base in ["component 123456", "ßßßßßßßßßßßß", "\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}"]
        {
            texts.push(base.to_owned());
            texts.extend([format!("{base}xxxxxxx"), format!("{base}xxxxxxxy"), format!("{base}y")]);
        }
        let mut terms = std::collections::HashSet::new();
        for text in &texts {
            let term = text_term(column, text);
            assert!(terms.insert(term.clone()));
            for other in &texts {
                if text >= other {
                    assert!(term >= lower_bound(column, other), "{text} {other}");
                }
                if text <= other {
                    assert!(term < upper_bound(column, other), "{text} {other}");
                }
                let within = prefix_bounds(column, other).iter().any(|(low, high)| (low..high).contains(&&term));
                if text.starts_with(other) {
                    assert!(within, "{text} {other}");
                } else if is_literal(text) {
                    assert!(!within, "{text} {other}");
                }
            }
            assert!(term > lower_bound(Column::Text(2), text) && term < lower_bound(Column::Text(4), ""));
        }
    }

    #[test]
    fn every_column_has_its_own_number_and_name() {
        let mut names = std::collections::HashSet::new();
        for at in 0..COLUMNS {
            assert_eq!(ordinal(column(at)), Some(at));
            assert!(names.insert(field_name(column(at))));
        }
        assert_eq!(ordinal(Column::Text(SLOTS)), None);
        assert!(COLUMNS < usize::from(TOUCH));
    }
}
