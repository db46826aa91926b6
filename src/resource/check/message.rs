//! What a violation says: short, in our words, with what to do where that can be told.

use jsonschema::error::{TypeKind, ValidationErrorKind as Rule};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::violation::MOST_SEEN;
use crate::base::nearest::nearest;
use crate::resource::kind::escape;

/// Longest value, pattern or list that a message repeats, in characters.
const SHOWN: usize = 80;

/// Unexpected keys of one object that get a hint.
const HINTS_MOST: usize = 50;

/// Adds pointer and message of an error that is no alternative.
pub(super) fn describe(error: &ValidationError<'_>, schema: &Value, out: &mut Vec<(String, String)>) {
    let at = error.instance_path().as_str();
    let name = name_of(error.instance_path());
    match error.kind() {
        Rule::AdditionalProperties { unexpected } | Rule::UnevaluatedProperties { unexpected } => {
            let known = known_keys(error, schema);
            for (nth, key) in unexpected.iter().take(MOST_SEEN).enumerate() {
                // Looking for what was meant costs as much as all the rest; a few hints are plenty.
                let known = if nth < HINTS_MOST { &known[..] } else { &[] };
                let message = format!("{name}{} is not allowed here{}", quoted(key), hint(key, known));
                out.push((format!("{at}/{}", escape(key)), message));
            }
        }
        Rule::PropertyNames { error: inner } => {
            let key = inner.instance().as_str().unwrap_or_default();
            let message = sentence(inner.kind(), inner.instance());
            out.push((format!("{at}/{}", escape(key)), format!("{name}the key {}: {message}", quoted(key))));
        }
        rule => out.push((at.to_owned(), format!("{name}{}", sentence(rule, error.instance())))),
    }
}

pub(super) fn sentence(rule: &Rule, value: &Value) -> String {
    match rule {
        Rule::Required { property } => format!("missing {}", shown(property)),
        Rule::Type { kind } => format!("must be {}, found {}", choice(&type_names(kind)), found(value)),
        Rule::Enum { options } => {
            let options: Vec<&Value> = options.as_array().into_iter().flatten().collect();
            let texts = options.iter().filter_map(|option| option.as_str());
            match value.as_str().and_then(|given| nearest(given, texts)) {
                Some(meant) => format!(
                    "{} is not one of {}; did you mean {}?",
                    shown(value),
                    list(options.iter().map(|option| shown(option))),
                    quoted(meant)
                ),
                None => {
                    format!(
                        "must be one of {}, found {}",
                        list(options.iter().map(|option| shown(option))),
                        found(value)
                    )
                }
            }
        }
        Rule::Constant { expected_value } => format!("must be {}, found {}", shown(expected_value), found(value)),
        Rule::Pattern { pattern } => format!("{} does not match {}", shown(value), shortened(pattern)),
        Rule::Format { format } => format!("{} is not {}", shown(value), format_name(format)),
        Rule::MinLength { limit: 1 } => "must not be empty".into(),
        Rule::MinLength { limit } => format!("must have at least {limit} characters, has {}", characters(value)),
        Rule::MaxLength { limit } => format!("must have at most {limit} characters, has {}", characters(value)),
        Rule::Minimum { limit } => format!("must be at least {limit}, found {}", found(value)),
        Rule::Maximum { limit } => format!("must be at most {limit}, found {}", found(value)),
        Rule::ExclusiveMinimum { limit } => format!("must be more than {limit}, found {}", found(value)),
        Rule::ExclusiveMaximum { limit } => format!("must be less than {limit}, found {}", found(value)),
        Rule::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}, found {}", found(value)),
        Rule::MinItems { limit: 1 } => "must have at least one item".into(),
        Rule::MinItems { limit } => format!("must have at least {limit} items, has {}", size(value)),
        Rule::MaxItems { limit } => format!("must have at most {limit} items, has {}", size(value)),
        Rule::AdditionalItems { limit } => format!("must have at most {limit} items, has {}", size(value)),
        Rule::UnevaluatedItems { .. } => "has items that are not allowed here".into(),
        Rule::MinProperties { limit: 1 } => "must have at least one key".into(),
        Rule::MinProperties { limit } => format!("must have at least {limit} keys, has {}", size(value)),
        Rule::MaxProperties { limit } => format!("must have at most {limit} keys, has {}", size(value)),
        Rule::UniqueItems => repeated(value),
        Rule::Contains => "has no item of the required form".into(),
        Rule::FalseSchema => "is not allowed here".into(),
        Rule::Not { .. } => format!("must not be {}", found(value)),
        Rule::OneOfMultipleValid { context } => {
            let fits: Vec<String> =
                context.iter().enumerate().filter(|(_, e)| e.is_empty()).map(|(at, _)| (at + 1).to_string()).collect();
            let which = if fits.is_empty() { String::new() } else { format!(" ({})", fits.join(", ")) };
            format!("fits several alternatives{which}, must fit exactly one")
        }
        Rule::AnyOf { .. } | Rule::OneOfNotValid { .. } => "fits none of the allowed forms".into(),
        Rule::ContentEncoding { content_encoding } => format!("is not encoded as {content_encoding}"),
        Rule::ContentMediaType { content_media_type } => format!("does not hold {content_media_type}"),
        Rule::FromUtf8 { .. } => "does not hold encoded UTF-8".into(),
        Rule::BacktrackLimitExceeded { .. } | Rule::RegexEngineFailure { .. } => {
            "takes too long to compare with its pattern".into()
        }
        Rule::Custom { message, .. } => message.clone(),
        Rule::Referencing(_) => "cannot be judged: its schema refers to something that is not there".into(),
        Rule::AdditionalProperties { .. } | Rule::UnevaluatedProperties { .. } | Rule::PropertyNames { .. } => {
            "has keys that are not allowed here".into()
        }
    }
}

/// `network_functions[0]: `, from the last key and what follows it; empty at the top.
pub(super) fn name_of(location: &Location) -> String {
    let mut name = String::new();
    for segment in location.iter() {
        match segment {
            LocationSegment::Property(key) => name = key.into_owned(),
            LocationSegment::Index(at) => name.push_str(&format!("[{at}]")),
        }
    }
    if name.is_empty() { name } else { format!("{}: ", shortened(&name)) }
}

/// The keys that the schema names where it refused others.
fn known_keys<'s>(error: &ValidationError<'_>, schema: &'s Value) -> Vec<&'s str> {
    let path = error.schema_path().as_str();
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let keys = schema.pointer(parent).and_then(|s| s.get("properties")).and_then(Value::as_object);
    keys.into_iter().flat_map(|keys| keys.keys().map(String::as_str)).collect()
}

fn hint(key: &str, known: &[&str]) -> String {
    if let Some(meant) = nearest(key, known.iter().copied()) {
        return format!("; did you mean {}?", quoted(meant));
    }
    if known.is_empty() { String::new() } else { format!("; allowed: {}", list(known.iter().map(|k| (*k).to_owned()))) }
}

pub(super) fn type_names(kind: &TypeKind) -> Vec<String> {
    let types: Vec<JsonType> = match kind {
        TypeKind::Single(one) => vec![*one],
        TypeKind::Multiple(several) => several.iter().collect(),
    };
    let name = |json_type| match json_type {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "a mapping",
        JsonType::String => "a string",
    };
    types.into_iter().map(|json_type| name(json_type).to_owned()).collect()
}

/// What stands there: scalars as written, lists and mappings by name.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a mapping".into(),
        scalar => shown(scalar),
    }
}

/// A value as JSON, shortened.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => shortened(&other.to_string()),
    }
}

fn quoted(text: &str) -> String {
    Value::from(shortened(text)).to_string()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// `a, b or c`.
pub(super) fn choice(options: &[String]) -> String {
    let mut distinct: Vec<&str> = Vec::new();
    for option in options {
        if !distinct.contains(&option.as_str()) {
            distinct.push(option);
        }
    }
    match distinct.as_slice() {
        [] => "something else".into(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// `a, b, c`, with an ellipsis instead of what would make it long.
fn list(items: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    for item in items {
        if out.chars().count() > 2 * SHOWN {
            out.push_str(", …");
            break;
        }
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(&item);
    }
    out
}

fn characters(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    }
}

fn repeated(value: &Value) -> String {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let twice = items
        .iter()
        .enumerate()
        .take(1000)
        .find_map(|(at, item)| items[..at].iter().position(|earlier| earlier == item).map(|first| (first, at)));
    match twice {
        Some((first, second)) => format!("items {first} and {second} are equal, must all differ"),
        None => "has equal items, must all differ".into(),
    }
}

fn format_name(format: &str) -> String {
    match format {
        "date" => "a date such as 2026-11-21".into(),
        "date-time" => "a time such as 2026-11-21T18:00:00Z".into(),
        "email" => "an e-mail address".into(),
        "uri" => "a URI such as https://example.org/x".into(),
        other => format!("a valid {}", shortened(other)),
    }
}
