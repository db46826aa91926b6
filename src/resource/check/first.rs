//! The violation that Python's jsonschema 2.6 would have raised, in its words: it stops at the
//! first one, and clients of that time show what it says.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Rule};
use jsonschema::paths::LocationSegment;
use serde_json::Value;

use super::message;
use super::violation::MOST_SEEN;
use crate::resource::kind::Kind;

/// One violation; see [`first`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct First {
    /// Where, as Python writes a list: `['virtual_deployment_units', 0]`, `[]` at the top.
    pub path: String,
    /// What, as in `'vendor' is a required property`.
    pub message: String,
}

/// Longest value that a message repeats, in characters.
const SHOWN: usize = 300;

/// Deepest chain of references and alternatives that is looked through for a key's place.
const CHAIN_MOST: usize = 16;

/// The first violation: what is inside an object before what the object lacks before what it has
/// too much, keys in the schema's order. `None` when there is none.
pub fn first(kind: &Kind, generation: usize, content: &Value) -> Option<First> {
    let schema = kind.schema(generation);
    let validator = schema.validator();
    if validator.is_valid(content) {
        return None;
    }
    let errors = validator.iter_errors(content).take(MOST_SEEN);
    let placed = errors.map(|error| (place(&error, &schema.json), error));
    let (_, error) = placed.min_by(|(a, _), (b, _)| a.cmp(b))?;
    let path: Vec<String> = error
        .instance_path()
        .iter()
        .map(|segment| match segment {
            LocationSegment::Property(key) => text(&key),
            LocationSegment::Index(at) => at.to_string(),
        })
        .collect();
    Some(First { path: format!("[{}]", path.join(", ")), message: said(&error) })
}

/// Where an error stands in the order of the walk: a step into a member comes before the rules of
/// the value itself.
fn place(error: &ValidationError<'_>, root: &Value) -> Vec<(bool, usize)> {
    let mut schemas = vec![root];
    let mut place = Vec::new();
    for segment in error.instance_path().iter() {
        let (at, below) = match segment {
            LocationSegment::Property(key) => member(root, &schemas, &key),
            LocationSegment::Index(at) => (at, items(root, &schemas, at)),
        };
        place.push((false, at));
        schemas = below;
    }
    let rank = match error.kind() {
        Rule::Type { .. } => 0,
        Rule::Required { .. } => 2,
        Rule::AdditionalProperties { .. } | Rule::UnevaluatedProperties { .. } => 3,
        _ => 1,
    };
    place.push((true, rank));
    place
}

/// The schemas that hold beside these for the same value.
fn spread<'s>(root: &'s Value, schemas: &[&'s Value]) -> Vec<&'s Value> {
    let mut all: Vec<&Value> = schemas.to_vec();
    let mut from = 0;
    for _ in 0..CHAIN_MOST {
        let mut more = Vec::new();
        for schema in &all[from..] {
            let target = schema["$ref"].as_str().and_then(|target| root.pointer(target.strip_prefix('#')?));
            more.extend(target);
            more.extend(["then", "else"].iter().filter_map(|key| schema.get(key)));
            let lists = ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| schema[key].as_array());
            more.extend(lists.flatten());
        }
        if more.is_empty() {
            break;
        }
        from = all.len();
        all.extend(more);
    }
    all
}

fn member<'s>(root: &'s Value, schemas: &[&'s Value], key: &str) -> (usize, Vec<&'s Value>) {
    let (mut at, mut below) = (usize::MAX, Vec::new());
    for schema in spread(root, schemas) {
        let known = schema["properties"].as_object();
        if let Some((position, (_, inner))) =
            known.and_then(|known| known.iter().enumerate().find(|(_, (name, _))| *name == key))
        {
            at = at.min(position);
            below.push(inner);
        }
    }
    (at, below)
}

fn items<'s>(root: &'s Value, schemas: &[&'s Value], at: usize) -> Vec<&'s Value> {
    let of_one = |schema: &'s Value| match &schema["items"] {
        Value::Array(each) => each.get(at),
        Value::Object(_) if schema["prefixItems"].get(at).is_none() => schema.get("items"),
        _ => schema["prefixItems"].get(at),
    };
    spread(root, schemas).into_iter().filter_map(of_one).collect()
}

fn said(error: &ValidationError<'_>) -> String {
    let value = shown(error.instance());
    match error.kind() {
        Rule::Required { property } => format!("{} is a required property", shown(property)),
        Rule::AdditionalProperties { unexpected } | Rule::UnevaluatedProperties { unexpected } => {
            let names: Vec<String> = unexpected.iter().take(20).map(|key| text(key)).collect();
            let verb = if unexpected.len() == 1 { "was" } else { "were" };
            format!("Additional properties are not allowed ({} {verb} unexpected)", names.join(", "))
        }
        Rule::Pattern { pattern } => format!("{value} does not match {}", text(pattern)),
        Rule::Type { kind } => {
            let names: Vec<String> = match kind {
                TypeKind::Single(one) => vec![one.to_string()],
                TypeKind::Multiple(several) => several.iter().map(|one| one.to_string()).collect(),
            };
            let names: Vec<String> = names.iter().map(|name| text(name)).collect();
            format!("{value} is not of type {}", names.join(", "))
        }
        Rule::Enum { options } => format!("{value} is not one of {}", shown(options)),
        Rule::Constant { expected_value } => format!("{} was expected", shown(expected_value)),
        Rule::Minimum { limit } => format!("{value} is less than the minimum of {}", shown(limit)),
        Rule::ExclusiveMinimum { limit } => {
            format!("{value} is less than or equal to the minimum of {}", shown(limit))
        }
        Rule::Maximum { limit } => format!("{value} is greater than the maximum of {}", shown(limit)),
        Rule::ExclusiveMaximum { limit } => {
            format!("{value} is greater than or equal to the maximum of {}", shown(limit))
        }
        Rule::MultipleOf { multiple_of } => format!("{value} is not a multiple of {multiple_of}"),
        Rule::MinItems { .. } | Rule::MinLength { .. } => format!("{value} is too short"),
        Rule::MaxItems { .. } | Rule::MaxLength { .. } => format!("{value} is too long"),
        Rule::MinProperties { .. } => format!("{value} does not have enough properties"),
        Rule::MaxProperties { .. } => format!("{value} has too many properties"),
        Rule::UniqueItems => format!("{value} has non-unique elements"),
        Rule::AnyOf { .. } | Rule::OneOfNotValid { .. } => {
            format!("{value} is not valid under any of the given schemas")
        }
        Rule::OneOfMultipleValid { .. } => format!("{value} is valid under each of several of the given schemas"),
        Rule::Format { format } => format!("{value} is not a {}", text(format)),
        other => format!("{value} {}", message::sentence(other, error.instance())),
    }
}

/// A value as Python writes it, shortened.
fn shown(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    match out.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &out[..end]),
        None => out,
    }
}

fn text(text: &str) -> String {
    let mut out = String::new();
    write_text(text, &mut out);
    out
}

/// Stops where enough is written.
fn write(value: &Value, out: &mut String) {
    if out.len() > 4 * SHOWN {
        return;
    }
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().take(SHOWN).enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (at, (key, item)) in members.iter().take(SHOWN).enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write_text(key, out);
                out.push_str(": ");
                write(item, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars().take(SHOWN) {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource::kind::{Kinds, built_in};

    fn judged(kind: &str, content: Value) -> Option<(String, String)> {
        let kinds = Kinds::build(built_in()).expect("the built-in kinds are whole");
        let kind = kinds.by_name(kind).expect("a built-in kind");
        first(kind, 0, &content).map(|first| (first.path, first.message))
    }

    fn function() -> Value {
        json!({
            "descriptor_version": "1", "vendor": "v", "name": "n", "version": "1",
            "virtual_deployment_units": [{
                "id": "1",
                "resource_requirements": { "cpu": { "vcpus": 1 }, "memory": { "size": 1 } },
            }],
        })
    }

    #[track_caller]
    fn expect(change: impl FnOnce(&mut Value), path: &str, message: &str) {
        let mut content = function();
        change(&mut content);
        assert_eq!(judged("function", content), Some((path.to_owned(), message.to_owned())));
    }

    #[test]
    fn words_and_order_are_those_of_the_original() {
        assert_eq!(judged("function", function()), None);
        expect(|f| f["name"] = json!("My name"), "['name']", "'My name' does not match '^[a-z0-9_.-]+$'");
        expect(|f| f["virtual_deployment_units"] = json!([]), "['virtual_deployment_units']", "[] is too short");
        expect(
            |f| f["virtual_deployment_units"][0]["resource_requirements"]["cpu"]["vcpus"] = json!(0),
            "['virtual_deployment_units', 0, 'resource_requirements', 'cpu', 'vcpus']",
            "0 is less than or equal to the minimum of 0",
        );
        expect(|f| f["author"] = json!(["it's"]), "['author']", "[\"it's\"] is not of type 'string'");
        expect(|f| f["x"] = json!(null), "[]", "Additional properties are not allowed ('x' was unexpected)");
        expect(
            |f| f["connection_points"] = json!([{ "id": "a", "type": "b\\" }]),
            "['connection_points', 0, 'type']",
            "'b\\\\' is not one of ['interface']",
        );
        // Members come before what is missing, what is missing before what is too much, all in the
        // schema's order.
        let mut content = function();
        content["x"] = json!(1);
        content["virtual_deployment_units"] = json!([{ "id": 5, "more": true }]);
        content.as_object_mut().expect("an object").remove("vendor");
        let at = |path: &str, message: &str| Some((path.to_owned(), message.to_owned()));
        assert_eq!(
            judged("function", content.clone()),
            at("['virtual_deployment_units', 0, 'id']", "5 is not of type 'string'")
        );
        content["virtual_deployment_units"][0]["id"] = json!("5");
        assert_eq!(
            judged("function", content.clone()),
            at("['virtual_deployment_units', 0]", "'resource_requirements' is a required property")
        );
        content["virtual_deployment_units"] = function()["virtual_deployment_units"].clone();
        assert_eq!(judged("function", content.clone()), at("[]", "'vendor' is a required property"));
        content["version"] = json!("x");
        content["name"] = json!("X");
        assert_eq!(judged("function", content), at("['name']", "'X' does not match '^[a-z0-9_.-]+$'"));
        assert_eq!(
            judged("function", json!([1.5, null, true])).map(|found| found.1),
            Some("[1.5, None, True] is not of type 'object'".into())
        );
    }

    #[test]
    fn long_values_are_cut() {
        let mut content = function();
        content["author"] = json!(vec!["x".repeat(1000); 1000]);
        let (_, message) = judged("function", content).expect("a violation");
        assert!(message.len() < 2 * SHOWN && message.contains('…'), "{message}");
    }
}
