//! Documents made from documents and from schemas, to compare two validators with.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::kinds::built::compile;

/// Pointers of a document's values, itself first.
pub(super) fn pointers(content: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    walk(inner, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            Value::Array(items) => {
                for (index, inner) in items.iter().enumerate() {
                    walk(inner, &format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(content, "", &mut found);
    found
}

/// Calls `each` with the document and with everything that differs from it in one place: a value
/// of another type, a text or number that rules often refuse, a key less or more, a list emptied,
/// shortened, or with its first item twice. `each` is told what was done.
pub(super) fn variants(content: &mut Value, each: &mut dyn FnMut(&str, &Value)) {
    each("as it is", content);
    for pointer in pointers(content) {
        let kept = content.pointer(&pointer).cloned().unwrap_or_default();
        let mut try_with = |value: Value, what: &str| {
            if value != kept {
                *content.pointer_mut(&pointer).expect("nothing else was changed") = value;
                each(&format!("{pointer} {what}"), content);
            }
        };
        for value in [
            Value::Null,
            json!(true),
            json!(false),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(1),
            json!(""),
            json!("x"),
            json!("A b"),
            json!("1.0"),
            json!([]),
            json!({}),
            json!(["x"]),
        ] {
            try_with(value.clone(), &format!("as {value}"));
        }
        match &kept {
            Value::Object(map) => {
                let mut more = map.clone();
                more.insert("unknown-key".into(), json!("x"));
                try_with(more.into(), "with an unknown key");
                for key in map.keys() {
                    let mut less = map.clone();
                    less.shift_remove(key);
                    try_with(less.into(), &format!("without {key}"));
                }
            }
            Value::Array(items) => {
                if let Some(first) = items.first() {
                    try_with(items.iter().chain([first]).cloned().collect(), "with its first item twice");
                    try_with(items[1..].to_vec().into(), "without its first item");
                }
            }
            _ => {}
        }
        *content.pointer_mut(&pointer).expect("nothing else was changed") = kept;
    }
}

/// Every text that some enumeration of a schema lists.
pub(super) fn codes(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            let listed = map.get("enum").and_then(Value::as_array);
            found.extend(listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
            map.values().for_each(|inner| codes(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| codes(inner, found)),
        _ => {}
    }
}

/// Calls `each` with what differs from the document in one code, for every place that has one
/// and every code there is.
pub(super) fn recoded(content: &mut Value, codes: &BTreeSet<String>, each: &mut dyn FnMut(&str, &Value)) {
    for pointer in pointers(content) {
        let Some(kept) = content.pointer(&pointer).and_then(Value::as_str).map(str::to_owned) else { continue };
        if !codes.contains(&kept) {
            continue;
        }
        for code in codes.iter().chain([&kept]) {
            *content.pointer_mut(&pointer).expect("nothing else was changed") = code.as_str().into();
            each(&format!("{pointer} as {code:?}"), content);
        }
    }
}

/// Documents that have every key of a schema: one per way to choose among alternatives.
pub(super) fn complete(schema: &Value) -> Vec<Value> {
    (0..3).map(|choice| Sample { root: schema, choice }.of(schema)).collect()
}

struct Sample<'s> {
    root: &'s Value,
    /// Which alternative to take, counted round.
    choice: usize,
}

impl Sample<'_> {
    fn of(&self, schema: &Value) -> Value {
        if let Some(target) = schema["$ref"].as_str() {
            let target = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return self.of(target.expect("references stay in the schema"));
        }
        for keyword in ["oneOf", "anyOf", "enum"] {
            if let Some(choices) = schema[keyword].as_array() {
                let chosen = &choices[self.choice % choices.len()];
                return if keyword == "enum" { chosen.clone() } else { self.of(chosen) };
            }
        }
        match schema["type"].as_str() {
            Some("array") => self.list(schema).into(),
            Some("string") => self.text(schema),
            Some("integer" | "number") => json!(self.choice + 1),
            Some("boolean") => json!(self.choice == 0),
            _ => match schema["properties"].as_object() {
                Some(properties) => Value::Object(
                    properties.iter().map(|(key, inner)| (key.clone(), self.of(inner))).collect::<Map<_, _>>(),
                ),
                None => json!("anything"),
            },
        }
    }

    /// One item of each alternative.
    fn list(&self, schema: &Value) -> Vec<Value> {
        let items = &schema["items"];
        if let Some(places) = items.as_array() {
            return places.iter().map(|place| self.of(place)).collect();
        }
        let alternatives = ["oneOf", "anyOf"].iter().find_map(|keyword| items[keyword].as_array());
        match alternatives {
            Some(alternatives) => alternatives.iter().map(|alternative| self.of(alternative)).collect(),
            None => vec![self.of(items)],
        }
    }

    /// The first of some texts that the schema takes.
    fn text(&self, schema: &Value) -> Value {
        let validator = compile(schema);
        let texts = [
            "sample",
            "1.0",
            "0123456789abcdef0123456789abcdef",
            "2026-01-02",
            "2026-01-02T03:04:05Z",
            "ann@example.org",
            "https://example.org/",
        ];
        texts.iter().map(|text| json!(text)).find(|text| validator.is_valid(text)).expect("one of the texts fits")
    }
}
