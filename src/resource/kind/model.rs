//! One kind, and what it makes of a document.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::resource::document::Format;
use crate::resource::kind::fields::{EncodeError, Encoded, Field, scalar_text};
use crate::resource::kind::links::Link;
use crate::resource::kind::pattern::{Captures, Pattern};
use crate::resource::kind::schema::{Schema, Select, generation};
use crate::resource::query::Filter;
use crate::resource::row::{self, Column};

/// A type of document.
#[derive(Debug)]
pub struct Kind {
    pub name: Arc<str>,
    pub plural: Arc<str>,
    pub title: Option<String>,
    /// Markdown.
    pub description: Option<String>,
    /// Where its files live; new ones go to the first that fits.
    pub patterns: Vec<Pattern>,
    /// Generations of its schema, at least one.
    pub schemas: Vec<Schema>,
    pub select: Option<Select>,
    /// What a new document starts from, as text.
    pub starter: String,
    pub starter_format: Format,
    /// Built-in fields first, then captures, then those of `index:` in their order.
    pub fields: Vec<Field>,
    pub links: Vec<Link>,
    /// Fields, alone or together, whose values no two documents of a workspace share.
    pub unique: Vec<Unique>,
    /// The member of a document's content that names the repository which the document's folder is
    /// linked to; only kinds that say it have linked folders.
    pub repository: Option<String>,
    pub(super) label: Vec<LabelPart>,
    pub(super) given_id: bool,
}

/// Fields that are unique together in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LabelPart {
    Literal(String),
    /// The document's id.
    Id,
    Field(Field),
}

/// What goes into a [`row::Row`] besides its address and times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values {
    pub texts: Vec<(u8, Arc<str>)>,
    pub numbers: Vec<(u8, u64)>,
}

/// Longest result of [`Kind::full_text`], in bytes.
const FULL_TEXT_BYTES: usize = 1 << 20;

/// Longest label, in characters.
const LABEL_CHARS: usize = 100;

impl Kind {
    /// A field by name, the built-in ones included.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| *field.name == *name)
    }

    /// The names of all fields, built-in ones first.
    pub fn field_names(&self) -> Vec<&str> {
        self.fields.iter().map(|field| &*field.name).collect()
    }

    pub fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| *link.name == *name)
    }

    /// What the path's captures stand for, when one of the kind's patterns matches. Of several,
    /// the most literal one counts.
    pub fn captures_of(&self, path: &str) -> Option<Captures> {
        self.claim(path).map(|(_, captures)| captures)
    }

    pub(super) fn claim(&self, path: &str) -> Option<(&Pattern, Captures)> {
        let mut best: Option<(&Pattern, Captures)> = None;
        for pattern in &self.patterns {
            if best.as_ref().is_none_or(|(best, _)| pattern.literalness() > best.literalness())
                && let Some(captures) = pattern.captures(path)
            {
                best = Some((pattern, captures));
            }
        }
        best
    }

    /// Whether a document's id is part of its path.
    pub fn has_given_id(&self) -> bool {
        self.given_id
    }

    /// The index values of a document. Values of another type than declared are left out.
    pub fn values(&self, captures: &Captures, content: &Value) -> Values {
        let mut values = Values::default();
        for field in &self.fields {
            for value in field.values(captures, content) {
                values.push(field.column, value);
            }
        }
        for link in &self.links {
            let mut seen: Vec<Arc<str>> = Vec::new();
            for key in link.keys(captures, content) {
                seen.push(Link::slot_value(&key));
            }
            seen.sort_unstable();
            seen.dedup();
            for joined in seen {
                values.push(link.column, row::Value::Text(joined));
            }
        }
        values
    }

    /// Every text and number of a document, one per line, keys left out; cut at 1 MiB.
    pub fn full_text(&self, content: &Value) -> String {
        let mut out = String::new();
        push_text(content, &mut out);
        out
    }

    /// A query's value for one of the fields.
    ///
    /// # Errors
    ///
    /// An unknown field, with the known ones; a text that is no value of the field's type.
    pub fn encode(&self, field: &str, text: &str) -> Result<(Column, Encoded), EncodeError> {
        let known = self.field(field).ok_or_else(|| EncodeError::UnknownField {
            field: field.to_owned(),
            known: self.fields.iter().map(|field| field.name.to_string()).collect(),
        })?;
        Ok((known.column, known.encode(text)?))
    }

    /// What a commit message calls a document: the declared label, else its name, else its id.
    pub fn label(&self, content: &Value, id: &str) -> String {
        let mut declared = String::new();
        let mut complete = !self.label.is_empty();
        for part in &self.label {
            match part {
                LabelPart::Literal(text) => declared.push_str(text),
                LabelPart::Id => declared.push_str(id),
                LabelPart::Field(field) => match field.text(None, content) {
                    Some(text) => declared.push_str(&text),
                    None => complete = false,
                },
            }
        }
        let label =
            if complete { Cow::Owned(declared) } else { self.text_of("name", content).unwrap_or(Cow::Borrowed(id)) };
        let one_line: String = label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let one_line = one_line.trim();
        if one_line.is_empty() { id.to_owned() } else { one_line.chars().take(LABEL_CHARS).collect() }
    }

    /// The text of an indexed field, or of the top-level key of that name.
    pub(super) fn text_of<'v>(&self, name: &str, content: &'v Value) -> Option<Cow<'v, str>> {
        let indexed = self.field(name).and_then(|field| field.text(None, content));
        indexed.or_else(|| content.get(name).and_then(scalar_text)).filter(|text| !text.trim().is_empty())
    }

    /// Which generation of the schema applies, from the parsed file that [`Kind::select`] names
    /// (`None`: there is none).
    pub fn schema_for(&self, selector: Option<&Value>) -> usize {
        let Some(select) = &self.select else { return 0 };
        let names: Vec<&str> = self.schemas.iter().map(|schema| schema.name.as_str()).collect();
        selector
            .and_then(|content| select.key.first(content))
            .and_then(|value| generation(&names, value))
            .unwrap_or(select.default)
    }

    /// The schema of a generation; the last one when there are fewer.
    pub fn schema(&self, generation: usize) -> &Schema {
        &self.schemas[generation.min(self.schemas.len() - 1)]
    }

    /// The schema of a generation as written.
    pub fn schema_json(&self, generation: usize) -> &Value {
        &self.schema(generation).json
    }

    /// The rows that share the values that must be unique; `None` when a value is absent, which
    /// clashes with nothing.
    pub fn twin_filter(&self, unique: &Unique, captures: &Captures, content: &Value) -> Option<Filter> {
        let mut parts = vec![Filter::In(Column::Kind, vec![row::Value::Text(self.name.clone())])];
        for field in &unique.fields {
            let values = field.values(captures, content);
            if values.is_empty() {
                return None;
            }
            parts.push(Filter::In(field.column, values));
        }
        Some(Filter::All(parts))
    }
}

impl Values {
    fn push(&mut self, column: Column, value: row::Value) {
        match (column, value) {
            (Column::Text(slot), row::Value::Text(text)) => self.texts.push((slot, text)),
            (Column::Number(slot), row::Value::Number(number)) => self.numbers.push((slot, number)),
            // Built-in columns are filled by whoever knows the commit.
            _ => {}
        }
    }
}

fn push_text(value: &Value, out: &mut String) {
    let mut push = |text: &str| {
        let room = FULL_TEXT_BYTES.saturating_sub(out.len() + 1);
        if room > 0 {
            out.push_str(&text[..text.floor_char_boundary(room)]);
            out.push('\n');
        }
    };
    match value {
        Value::String(text) => push(text),
        Value::Number(number) => push(&number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| push_text(item, out)),
        Value::Object(map) => map.values().for_each(|inner| push_text(inner, out)),
        Value::Null | Value::Bool(_) => {}
    }
}
