//! JSON Schemas of draft 2020-12 as draft 4, which is what the editor's form generator reads
//! (contracts/editor.md 7).

use serde_json::{Map, Value, json};

/// The same schema in the older draft's words, as far as kinds use the newer ones.
pub(super) fn draft4(schema: &Value) -> Value {
    let mut schema = translated(schema);
    if let Some(members) = schema.as_object_mut() {
        members.insert("$schema".into(), json!("http://json-schema.org/draft-04/schema#"));
    }
    schema
}

fn translated(schema: &Value) -> Value {
    let members = match schema {
        Value::Bool(true) => return json!({}),
        Value::Bool(false) => return json!({ "not": {} }),
        Value::Object(members) => members,
        other => return other.clone(),
    };
    let mut out = Map::new();
    for (key, value) in members {
        match key.as_str() {
            "$defs" => {
                out.insert("definitions".into(), each_member(value));
            }
            "properties" | "patternProperties" | "definitions" => {
                out.insert(key.clone(), each_member(value));
            }
            "$ref" => {
                let target = value.as_str().unwrap_or_default().replacen("#/$defs/", "#/definitions/", 1);
                out.insert(key.clone(), json!(target));
            }
            "const" => {
                out.insert("enum".into(), json!([value]));
            }
            "exclusiveMinimum" | "exclusiveMaximum" if value.is_number() => {
                let bound = if key == "exclusiveMinimum" { "minimum" } else { "maximum" };
                out.insert(bound.into(), value.clone());
                out.insert(key.clone(), json!(true));
            }
            "prefixItems" => {
                out.insert("items".into(), each_item(value));
            }
            "items" if members.contains_key("prefixItems") => {
                out.insert("additionalItems".into(), additional(value));
            }
            "additionalProperties" | "additionalItems" => {
                out.insert(key.clone(), additional(value));
            }
            "items" | "not" => {
                out.insert(key.clone(), translated(value));
            }
            "allOf" | "anyOf" | "oneOf" => {
                out.insert(key.clone(), each_item(value));
            }
            // Joined below.
            "if" | "then" | "else" => {}
            _ => {
                out.insert(key.clone(), value.clone());
            }
        }
    }
    if let Some(condition) = members.get("if").map(translated) {
        let branch = |key: &str| members.get(key).map_or_else(|| json!({}), translated);
        let branches = json!([
            { "allOf": [condition, branch("then")] },
            { "allOf": [{ "not": condition }, branch("else")] },
        ]);
        join(&mut out, json!({ "oneOf": branches }));
    }
    beside_reference(out)
}

fn each_member(value: &Value) -> Value {
    let members = value.as_object().into_iter().flatten();
    Value::Object(members.map(|(name, schema)| (name.clone(), translated(schema))).collect())
}

fn each_item(value: &Value) -> Value {
    value.as_array().into_iter().flatten().map(translated).collect()
}

/// Where draft 4 has truth values too.
fn additional(value: &Value) -> Value {
    if value.is_boolean() { value.clone() } else { translated(value) }
}

/// One more condition.
fn join(out: &mut Map<String, Value>, condition: Value) {
    match out.entry("allOf").or_insert_with(|| json!([])) {
        Value::Array(all) => all.push(condition),
        other => *other = json!([condition]),
    }
}

/// In draft 4 nothing holds beside a reference.
fn beside_reference(mut out: Map<String, Value>) -> Value {
    let is_note = |key: &str| matches!(key, "$ref" | "title" | "description" | "default" | "$schema");
    if out.contains_key("$ref") && !out.keys().all(|key| is_note(key)) {
        let target = out.shift_remove("$ref").unwrap_or_default();
        join(&mut out, json!({ "$ref": target }));
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::kind::{Kinds, built_in};

    #[test]
    fn both_drafts_say_the_same() {
        let old = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": { "positive": { "type": "integer", "exclusiveMinimum": 0 } },
            "type": "object",
            "properties": {
                "n": { "$ref": "#/$defs/positive", "multipleOf": 2, "description": "even" },
                "pair": { "prefixItems": [{ "const": "a" }, true], "items": false },
                "kind": { "enum": ["plain", "rich"] },
                "url": { "type": "string" },
                "never": false,
            },
            "if": { "properties": { "kind": { "const": "rich" } }, "required": ["kind"] },
            "then": { "required": ["url"] },
            "else": { "properties": { "url": false } },
        });
        let new = draft4(&old);
        let (one, other) = (jsonschema::validator_for(&old), jsonschema::draft4::new(&new));
        let (one, other) = (one.expect("a schema"), other.expect("a schema of draft 4"));
        for (document, is_valid) in [
            (json!({}), true),
            (json!({ "n": 2 }), true),
            (json!({ "n": 0 }), false),
            (json!({ "n": 3 }), false),
            (json!({ "pair": ["a", 7] }), true),
            (json!({ "pair": ["b"] }), false),
            (json!({ "pair": ["a", 1, 2] }), false),
            (json!({ "kind": "rich" }), false),
            (json!({ "kind": "rich", "url": "x" }), true),
            (json!({ "kind": "plain", "url": "x" }), false),
            (json!({ "never": 1 }), false),
        ] {
            assert_eq!((one.is_valid(&document), other.is_valid(&document)), (is_valid, is_valid), "{document}");
        }
    }

    #[test]
    fn the_built_in_generations_are_draft_4() {
        let kinds = Kinds::build(built_in()).expect("the built-in kinds fit");
        for name in ["function", "service"] {
            let kind = kinds.by_name(name).expect("the kind");
            for generation in 0..2 {
                let schema = draft4(kind.schema_json(generation));
                jsonschema::draft4::meta::validate(&schema).expect("draft 4");
                let text = schema.to_string();
                for word in ["$defs", "prefixItems", "\"if\"", "\"const\""] {
                    assert!(!text.contains(word), "{name} {generation} says {word}");
                }
            }
        }
    }
}
