//! Indexed fields: where their values come from and how they are encoded.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use crate::base::clock;
use crate::resource::key::DocumentId;
use crate::resource::kind::pattern::Captures;
use crate::resource::kind::pointer::Pointer;
use crate::resource::query::Filter;
use crate::resource::row::{
    Column, Moment, Value, decode_date, decode_number, encode_boolean, encode_date, encode_number, encode_text,
    encode_version,
};

/// What a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    Keyword,
    /// Filtered and sorted as a keyword; written for people.
    Text,
    Number,
    Date,
    Boolean,
    Version,
}

impl FieldType {
    pub const ALL: [FieldType; 6] = [
        FieldType::Keyword,
        FieldType::Text,
        FieldType::Number,
        FieldType::Date,
        FieldType::Boolean,
        FieldType::Version,
    ];

    /// As kind.yaml spells it.
    pub fn name(self) -> &'static str {
        match self {
            FieldType::Keyword => "keyword",
            FieldType::Text => "text",
            FieldType::Number => "number",
            FieldType::Date => "date",
            FieldType::Boolean => "boolean",
            FieldType::Version => "version",
        }
    }

    /// Reverses [`FieldType::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Whether values are kept in [`Column::Number`] slots.
    pub fn is_number(self) -> bool {
        matches!(self, FieldType::Number | FieldType::Date | FieldType::Boolean)
    }

    /// A document's value, when it is of this type. Keywords and versions take any scalar but null.
    fn encode_json(self, value: &Json) -> Option<Value> {
        match self {
            FieldType::Number => value.as_f64().map(|n| Value::Number(encode_number(n))),
            FieldType::Boolean => value.as_bool().map(|b| Value::Number(encode_boolean(b))),
            FieldType::Date => {
                value.as_str().and_then(parse_date).map(|t| Value::Number(encode_date(t.as_microsecond())))
            }
            FieldType::Keyword | FieldType::Text => scalar_text(value).map(|t| Value::Text(encode_text(&t))),
            FieldType::Version => scalar_text(value).map(|t| Value::Text(encode_version(&t))),
        }
    }

    /// A value in a query.
    fn encode_text(self, text: &str) -> Option<Value> {
        match self {
            FieldType::Number => {
                text.trim().parse().ok().filter(|n: &f64| n.is_finite()).map(|n| Value::Number(encode_number(n)))
            }
            FieldType::Boolean => match text.trim().to_ascii_lowercase().as_str() {
                "true" => Some(Value::Number(encode_boolean(true))),
                "false" => Some(Value::Number(encode_boolean(false))),
                _ => None,
            },
            FieldType::Date => parse_date(text).map(|t| Value::Number(encode_date(t.as_microsecond()))),
            FieldType::Keyword | FieldType::Text => Some(Value::Text(encode_text(text))),
            FieldType::Version => Some(Value::Text(encode_version(text.trim()))),
        }
    }

    /// What a query value of this type must be.
    fn wanted(self) -> &'static str {
        match self {
            FieldType::Number => "a number",
            FieldType::Date => "a date such as 2026-11-21 or 2026-11-21T18:00:00Z",
            FieldType::Boolean => "true or false",
            FieldType::Keyword | FieldType::Text | FieldType::Version => "a text",
        }
    }
}

/// RFC 3339, a plain date, or Python's isoformat without zone, which is taken as UTC.
fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let civil: DateTime = text.parse().ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// The text of a string, number or boolean.
pub(super) fn scalar_text(value: &Json) -> Option<Cow<'_, str>> {
    match value {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Number(number) => Some(Cow::Owned(number.to_string())),
        Json::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Where a field's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Every row has it.
    BuiltIn,
    /// The id, captured from the path (true) or derived (false).
    Id { given: bool },
    /// A capture of the kind's pattern with the field's name.
    Capture,
    /// Places in the document; the first that holds a value of the type wins.
    Pointers(Vec<Pointer>),
}

/// Something that rows can be filtered and sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: Arc<str>,
    pub field_type: FieldType,
    pub column: Column,
    pub source: Source,
}

impl Field {
    /// The fields that every kind has.
    pub(super) fn built_in(id_is_given: bool) -> Vec<Field> {
        let field = |name: &str, field_type, column| Field {
            name: name.into(),
            field_type,
            column,
            source: if column == Column::Id { Source::Id { given: id_is_given } } else { Source::BuiltIn },
        };
        vec![
            field("id", FieldType::Keyword, Column::Id),
            field("workspace", FieldType::Keyword, Column::Workspace),
            field("path", FieldType::Keyword, Column::Path),
            field("etag", FieldType::Keyword, Column::Etag),
            field("created_at", FieldType::Date, Column::Created),
            field("updated_at", FieldType::Date, Column::Updated),
            field("violations", FieldType::Number, Column::Violations),
        ]
    }

    /// Encodes a value as a query gives it.
    ///
    /// # Errors
    ///
    /// [`EncodeError::WrongType`] when the text is no value of the field's type.
    pub fn encode(&self, text: &str) -> Result<Encoded, EncodeError> {
        let wrong = |wanted| EncodeError::WrongType { field: self.name.clone(), value: text.to_owned(), wanted };
        match (self.column, &self.source) {
            (Column::Created | Column::Updated, _) => {
                let at = parse_date(text).ok_or_else(|| wrong(self.field_type.wanted()))?;
                let seconds = at.as_microsecond().div_euclid(1_000_000);
                Ok(Encoded::Within(Moment::start_of(seconds), Moment { seconds, generation: u32::MAX }.encoded()))
            }
            (Column::Violations, _) => {
                text.trim().parse().map(|n| Encoded::Exactly(Value::Number(n))).map_err(|_| wrong("a whole number"))
            }
            (Column::Etag, _) => Ok(Encoded::Exactly(Value::Text(text.to_ascii_lowercase().into()))),
            (_, Source::Id { given }) => Ok(Encoded::Exactly(Value::Text(stored_id(*given, text)))),
            (_, Source::BuiltIn) => Ok(Encoded::Exactly(Value::Text(text.into()))),
            (_, Source::Capture | Source::Pointers(_)) => {
                self.field_type.encode_text(text).map(Encoded::Exactly).ok_or_else(|| wrong(self.field_type.wanted()))
            }
        }
    }

    /// A value in another document that is meant to equal this field's.
    pub(super) fn encode_json(&self, value: &Json) -> Option<Value> {
        match &self.source {
            Source::Id { given } => scalar_text(value).map(|text| Value::Text(stored_id(*given, &text))),
            Source::BuiltIn => match self.encode(&scalar_text(value)?) {
                Ok(Encoded::Exactly(value)) => Some(value),
                Ok(Encoded::Within(..)) | Err(_) => None,
            },
            Source::Capture | Source::Pointers(_) => self.field_type.encode_json(value),
        }
    }

    /// The values of a document, each once, in document order. Empty for built-ins.
    pub(super) fn values(&self, captures: &Captures, content: &Json) -> Vec<Value> {
        match &self.source {
            Source::BuiltIn | Source::Id { .. } => Vec::new(),
            Source::Capture => {
                captures.get(&self.name).and_then(|text| self.field_type.encode_text(text)).into_iter().collect()
            }
            Source::Pointers(pointers) => pointers
                .iter()
                .map(|pointer| {
                    let mut found = Vec::new();
                    pointer.walk(content, &mut |_, hit| found.extend(self.field_type.encode_json(hit)));
                    found
                })
                .find(|found| !found.is_empty())
                .map(distinct)
                .unwrap_or_default(),
        }
    }

    /// The rows with a value that starts with this text; `None` where values have no prefixes.
    pub fn prefix(&self, prefix: &str) -> Option<Filter> {
        let prefix = match (&self.source, self.field_type) {
            (Source::Id { given: true }, _) => format!("t{prefix}"),
            (Source::BuiltIn | Source::Capture | Source::Pointers(_), FieldType::Keyword | FieldType::Text) => {
                prefix.to_owned()
            }
            _ => return None,
        };
        Some(Filter::Prefix(self.column, prefix))
    }

    /// An encoded value as JSON spells it.
    pub fn decode(&self, value: &Value) -> Json {
        match (value, self.field_type) {
            (Value::Text(text), _) if self.column == Column::Id => DocumentId::from_stored(text).to_string().into(),
            (Value::Text(text), FieldType::Version) => text.rsplit('\0').next().unwrap_or(text).into(),
            (Value::Text(text), _) => text.split('\0').next().unwrap_or(text).into(),
            (Value::Number(n), FieldType::Date) if matches!(self.column, Column::Created | Column::Updated) => {
                clock::rfc3339(Moment::from_encoded(*n).seconds).into()
            }
            (Value::Number(n), FieldType::Date) => decode_date(*n).into(),
            (Value::Number(n), FieldType::Boolean) => (*n != 0).into(),
            (Value::Number(n), _) if self.column == Column::Violations => (*n).into(),
            (Value::Number(n), _) => {
                let number = decode_number(*n);
                if number.fract() == 0.0 && number.abs() < 9e15 { (number as i64).into() } else { number.into() }
            }
        }
    }

    /// The value in a document, as the document has it.
    pub fn json(&self, content: &Json) -> Option<Json> {
        match &self.source {
            Source::BuiltIn | Source::Id { .. } | Source::Capture => None,
            Source::Pointers(pointers) => pointers.iter().find_map(|pointer| {
                let mut found = Vec::new();
                pointer.walk(content, &mut |_, hit| found.push(hit.clone()));
                if found.len() > 1 { Some(Json::Array(found)) } else { found.pop() }
            }),
        }
    }

    /// The first value of a document as people write it.
    pub(super) fn text<'v>(&self, captures: Option<&'v Captures>, content: &'v Json) -> Option<Cow<'v, str>> {
        match &self.source {
            Source::BuiltIn | Source::Id { .. } => None,
            Source::Capture => captures.and_then(|captures| captures.get(&self.name)).map(Cow::Borrowed),
            Source::Pointers(pointers) => {
                pointers.iter().find_map(|pointer| pointer.first(content).and_then(scalar_text))
            }
        }
    }
}

fn distinct(values: Vec<Value>) -> Vec<Value> {
    if values.len() < 2 {
        return values;
    }
    let mut seen = HashSet::with_capacity(values.len());
    values.into_iter().filter(|value| seen.insert(value.clone())).collect()
}

fn stored_id(given: bool, text: &str) -> Arc<str> {
    match text.parse() {
        Ok(number) if !given => DocumentId::Number(number).stored(),
        _ => DocumentId::Text(text.into()).stored(),
    }
}

/// A query's value, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoded {
    Exactly(Value),
    /// A second, in a column whose values also hold a place within the second; both included.
    Within(u64, u64),
}

impl Encoded {
    /// The lower bound for `>=`; `>` starts after [`Encoded::high`].
    pub fn low(&self) -> Value {
        match self {
            Encoded::Exactly(value) => value.clone(),
            Encoded::Within(low, _) => Value::Number(*low),
        }
    }

    /// The upper bound for `<=`; `<` ends before [`Encoded::low`].
    pub fn high(&self) -> Value {
        match self {
            Encoded::Exactly(value) => value.clone(),
            Encoded::Within(_, high) => Value::Number(*high),
        }
    }

    /// The rows that have this value.
    pub fn filter(&self, column: Column) -> Filter {
        match self {
            Encoded::Exactly(value) => Filter::In(column, vec![value.clone()]),
            Encoded::Within(..) => Filter::Between(column, Some(self.low()), Some(self.high())),
        }
    }
}

/// Why a query's field or value makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("unknown field {field:?}; known are {}", known.join(", "))]
    UnknownField { field: String, known: Vec<String> },
    #[error("{field}: {value:?} is not {wanted}")]
    WrongType { field: Arc<str>, value: String, wanted: &'static str },
}
