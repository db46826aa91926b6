//! Each rule of each schema, by documents of ours.
//!
//! A file of `tests/fixtures/kinds/` holds one valid document with every key of its format, and
//! says what may be done to it. Everything is tried in both directions: each key is removed, each
//! object gets an unknown key, each list is emptied and gets its first item twice, each value
//! becomes one of another type. What the file lists as refused must be refused at the place named,
//! everything else must be taken. At the end every assertion of the schema must have refused
//! something, so that no rule is without a fixture.
//!
//! | key | places |
//! |---|---|
//! | `required` | keys that may not be removed; but those in `optional` may |
//! | `closed` | objects that take no unknown key |
//! | `unique`, `filled` | lists whose items differ; lists that may not be empty |
//! | `integers` | numbers that may have no fraction |
//! | `any` | values that may be of several types |
//! | `refused`, `accepted` | by place: values that are wrong or right there |
//! | `too_long` | by place: the least length that is too much |
//!
//! Places are JSON pointers; `*` stands for one segment, a leading `**` for any number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Value, json};
use workleaf::resource::check::check;
use workleaf::resource::document::Format;
use workleaf::resource::kind::Kind;

use crate::kinds::built::{compile, kinds};
use crate::kinds::variants::pointers;
use crate::reference;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    kind: String,
    #[serde(default)]
    generation: usize,
    valid: Value,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    optional: Vec<String>,
    #[serde(default)]
    closed: Vec<String>,
    #[serde(default)]
    unique: Vec<String>,
    #[serde(default)]
    filled: Vec<String>,
    #[serde(default)]
    integers: Vec<String>,
    #[serde(default)]
    any: Vec<String>,
    #[serde(default)]
    refused: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    accepted: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    too_long: BTreeMap<String, usize>,
}

#[test]
fn every_rule_has_a_fixture_and_holds() {
    let kinds = kinds();
    let mut fired: BTreeMap<(String, usize), BTreeSet<String>> = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kinds");
    for file in reference::files(&folder, &|_| true) {
        let fixture: Fixture = serde_json::from_value(reference::load(&file))
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let kind = kinds.by_name(&fixture.kind).expect("the fixture names a kind");
        let mut trial = Trial {
            name: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            kind,
            generation: fixture.generation,
            validator: compile(kind.schema_json(fixture.generation)),
            fired: fired.entry((fixture.kind.clone(), fixture.generation)).or_default(),
        };
        trial.run(&fixture);
    }
    for kind in kinds.iter() {
        for generation in 0..kind.schemas.len() {
            let mut silent = BTreeSet::new();
            assertions(kind.schema_json(generation), &mut String::new(), &mut silent);
            let fired = fired.get(&(kind.name.to_string(), generation));
            silent.retain(|rule| fired.is_none_or(|fired| !fired.contains(rule)));
            assert!(silent.is_empty(), "{} {generation}: no fixture breaks {silent:#?}", kind.name);
        }
    }
}

struct Trial<'f> {
    name: String,
    kind: &'f Kind,
    generation: usize,
    /// Of the same schema; it says which assertion refused.
    validator: Validator,
    /// Schema paths of the assertions that have refused something.
    fired: &'f mut BTreeSet<String>,
}

impl Trial<'_> {
    fn run(&mut self, fixture: &Fixture) {
        let valid = &fixture.valid;
        self.expect(valid, None, "the document itself");
        for pointer in pointers(valid) {
            let listed = |places: &[String]| places.iter().any(|place| matches(place, &pointer));
            let value = valid.pointer(&pointer).expect("the pointer was found in the document");
            if !listed(&fixture.any) {
                let other = if value.is_number() || value.is_boolean() { json!("7") } else { json!(7) };
                for wrong in [other, Value::Null] {
                    let what = format!("{pointer} as {wrong}");
                    self.expect(&with(valid, &pointer, wrong), Some(&pointer), &what);
                }
            }
            match value {
                Value::Object(map) => {
                    let mut changed = map.clone();
                    changed.insert("unknown-key".into(), json!("x"));
                    let at = listed(&fixture.closed).then_some(pointer.as_str());
                    self.expect(&with(valid, &pointer, changed.into()), at, &format!("an unknown key in {pointer:?}"));
                }
                Value::Array(items) => {
                    if let Some(first) = items.first() {
                        let twice = items.iter().chain([first]).cloned().collect();
                        let at = listed(&fixture.unique).then_some(pointer.as_str());
                        self.expect(&with(valid, &pointer, twice), at, &format!("{pointer} with one item twice"));
                    }
                    let at = listed(&fixture.filled).then_some(pointer.as_str());
                    self.expect(&with(valid, &pointer, json!([])), at, &format!("{pointer} empty"));
                }
                Value::Number(_) => {
                    let at = listed(&fixture.integers).then_some(pointer.as_str());
                    self.expect(&with(valid, &pointer, json!(1.5)), at, &format!("{pointer} as 1.5"));
                }
                Value::String(_) | Value::Bool(_) | Value::Null => {}
            }
            if let Some((parent, key)) = pointer.rsplit_once('/')
                && let Some(Value::Object(map)) = valid.pointer(parent)
            {
                let mut changed = map.clone();
                changed.remove(key);
                let at = (listed(&fixture.required) && !listed(&fixture.optional)).then_some(parent);
                self.expect(&with(valid, parent, changed.into()), at, &format!("without {pointer}"));
            }
        }
        for (pointer, values) in &fixture.refused {
            for value in values {
                let what = format!("{pointer} as {value}");
                self.expect(&with(valid, pointer, value.clone()), Some(pointer), &what);
            }
        }
        for (pointer, values) in &fixture.accepted {
            for value in values {
                self.expect(&with(valid, pointer, value.clone()), None, &format!("{pointer} as {value}"));
            }
        }
        for (pointer, length) in &fixture.too_long {
            for (length, at) in [(*length, Some(pointer.as_str())), (length - 1, None)] {
                let what = format!("{pointer} with {length} characters");
                self.expect(&with(valid, pointer, "ä".repeat(length).into()), at, &what);
            }
        }
    }

    /// Refused at this place or below it, or (`None`) taken.
    fn expect(&mut self, content: &Value, at: Option<&str>, what: &str) {
        let text = content.to_string();
        let violations = check(self.kind, self.generation, Format::Json, &text, content);
        let found: Vec<String> =
            violations.iter().map(|found| format!("{}: {}", found.pointer, found.message)).collect();
        match at {
            None => assert!(found.is_empty(), "{}: {what} is refused: {found:#?}", self.name),
            Some(at) => {
                let there = violations.iter().any(|found| {
                    found.pointer.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                });
                assert!(there, "{}: {what} is not refused at {at:?} but {found:#?}", self.name);
            }
        }
        self.fired.extend(self.validator.iter_errors(content).map(|error| error.schema_path().as_str().to_owned()));
    }
}

fn with(content: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = content.clone();
    *changed.pointer_mut(pointer).unwrap_or_else(|| panic!("the fixture has no {pointer}")) = value;
    changed
}

/// Whether a pointer is one of those that `place` stands for.
fn matches(place: &str, pointer: &str) -> bool {
    fn same(place: &[&str], pointer: &[&str]) -> bool {
        place.len() == pointer.len() && place.iter().zip(pointer).all(|(want, have)| *want == "*" || want == have)
    }
    let split = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (place, pointer) = (split(place), split(pointer));
    let (place, pointer): (Vec<&str>, Vec<&str>) =
        (place.iter().map(String::as_str).collect(), pointer.iter().map(String::as_str).collect());
    match place.split_first() {
        Some((&"**", tail)) => pointer.len() >= tail.len() && same(tail, &pointer[pointer.len() - tail.len()..]),
        _ => same(&place, &pointer),
    }
}

#[test]
fn places_match_pointers() {
    assert!(matches("", "") && matches("/a/*/b", "/a/0/b") && matches("**/b", "/a/0/b") && matches("**/*/b", "/a/b"));
    assert!(!matches("/a", "") && !matches("/a/*", "/a") && !matches("**/b", "/a/0/bb") && !matches("/a/*", "/a/b/c"));
}

/// The schema paths of everything in a schema that can refuse.
fn assertions(schema: &Value, at: &mut String, found: &mut BTreeSet<String>) {
    const ASSERTIONS: [&str; 15] = [
        "type",
        "enum",
        "const",
        "pattern",
        "format",
        "required",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minItems",
        "maxItems",
        "uniqueItems",
    ];
    match schema {
        Value::Bool(false) => {
            found.insert(at.clone());
        }
        Value::Object(map) => {
            for (keyword, value) in map {
                let here = at.len();
                at.push('/');
                at.push_str(keyword);
                match keyword.as_str() {
                    // An enum without type, or a type in an enum's company, refuses the same values.
                    "type" if map.contains_key("enum") => {}
                    keyword if ASSERTIONS.contains(&keyword) => {
                        found.insert(at.clone());
                    }
                    "additionalProperties" if *value == json!(false) => {
                        found.insert(at.clone());
                    }
                    "properties" | "$defs" => each(value, at, found),
                    "items" | "then" | "else" | "not" => assertions(value, at, found),
                    "allOf" | "anyOf" | "oneOf" | "prefixItems" => each(value, at, found),
                    // Of these, none refuses.
                    "$schema" | "$ref" | "title" | "description" | "default" | "if" | "additionalProperties" => {}
                    other => panic!("{at}: what does {other} assert?"),
                }
                at.truncate(here);
            }
        }
        _ => {}
    }
}

fn each(schemas: &Value, at: &mut String, found: &mut BTreeSet<String>) {
    let here = at.len();
    let entries: Vec<(String, &Value)> = match schemas {
        Value::Object(map) => map.iter().map(|(key, schema)| (key.clone(), schema)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, schema)| (index.to_string(), schema)).collect(),
        _ => Vec::new(),
    };
    for (name, schema) in entries {
        at.push('/');
        at.push_str(&name);
        assertions(schema, at, found);
        at.truncate(here);
    }
}
