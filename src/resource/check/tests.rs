//! What is said about broken documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Violation, check};
use crate::resource::document::{Format, parse};
use crate::resource::kind::{Kind, KindSource, Kinds};

fn kind(schema: &str) -> Arc<Kind> {
    let declaration = "kind: a\nplural: b\nfile: a/*.yml\nschema: schema.yaml";
    let files = BTreeMap::from([
        ("kind.yaml".to_owned(), declaration.as_bytes().to_vec()),
        ("schema.yaml".to_owned(), schema.as_bytes().to_vec()),
    ]);
    let kinds = Kinds::build(vec![KindSource { folder: "f".into(), files }]).expect("a kind");
    kinds.by_name("a").expect("the kind").clone()
}

fn violations(schema: &str, text: &str) -> Vec<Violation> {
    let content = parse(Format::Yaml, text.as_bytes()).expect("a document");
    check(&kind(schema), 0, Format::Yaml, text, &content)
}

fn messages(schema: &str, text: &str) -> Vec<String> {
    violations(schema, text).into_iter().map(|violation| violation.message).collect()
}

const DESCRIPTOR: &str = r##"
$schema: "http://json-schema.org/draft-04/schema#"
type: object
required: [vendor, name]
additionalProperties: false
properties:
  vendor: { type: string, pattern: '^[a-z0-9\-_.]+$' }
  name: { type: string, minLength: 1 }
  network_functions: { type: array, minItems: 1, items: { $ref: "#/definitions/function" } }
  mail: { type: string, format: email }
definitions:
  function:
    type: object
    required: [vnf_name]
    additionalProperties: false
    properties:
      vnf_name: { type: string }
      vnf_version: { type: string, pattern: '^[0-9\-_.]+$' }
"##;

#[test]
fn a_document_that_keeps_to_its_kind_has_none() {
    let text = "vendor: eu.v\nname: n\nnetwork_functions: [{vnf_name: x, vnf_version: '0.1'}]\nmail: a@example.org\n";
    assert_eq!(violations(DESCRIPTOR, text), []);
}

#[test]
fn violations_come_in_order_with_place_and_advice() {
    let text = "vendr: EU\nname: ''\nnetwork_functions:\n  - vnf_name: 3\n    vnf_version: latest\n  - vnf_nam: x\n    zone: 1\nmail: nobody\n";
    let shown: Vec<String> = violations(DESCRIPTOR, text)
        .iter()
        .map(|v| format!("{}:{} {} | {}", v.line, v.column, v.pointer, v.message))
        .collect();
    assert_eq!(
        shown,
        [
            "1:1  | missing \"vendor\"",
            "1:1 /vendr | \"vendr\" is not allowed here; did you mean \"vendor\"?",
            "2:1 /name | name: must not be empty",
            "4:5 /network_functions/0/vnf_name | vnf_name: must be a string, found 3",
            "5:5 /network_functions/0/vnf_version | vnf_version: \"latest\" does not match ^[0-9\\-_.]+$",
            "6:5 /network_functions/1 | network_functions[1]: missing \"vnf_name\"",
            "6:5 /network_functions/1/vnf_nam | network_functions[1]: \"vnf_nam\" is not allowed here; did you mean \"vnf_name\"?",
            "7:5 /network_functions/1/zone | network_functions[1]: \"zone\" is not allowed here; allowed: vnf_name, vnf_version",
            "8:1 /mail | mail: \"nobody\" is not an e-mail address",
        ]
    );
}

#[test]
fn every_rule_has_its_words() {
    for (rule, value, message) in [
        ("type: [string, 'null']", "[1]", "x: must be null or a string, found a list"),
        ("type: object", "1.5", "x: must be a mapping, found 1.5"),
        ("type: integer", "true", "x: must be a whole number, found true"),
        ("enum: [tcp, udp]", "tpc", "x: \"tpc\" is not one of \"tcp\", \"udp\"; did you mean \"tcp\"?"),
        ("enum: [tcp, 7]", "{a: 1}", "x: must be one of \"tcp\", 7, found a mapping"),
        ("const: 1", "2", "x: must be 1, found 2"),
        ("minimum: 1", "0", "x: must be at least 1, found 0"),
        ("maximum: 1", "2", "x: must be at most 1, found 2"),
        ("exclusiveMinimum: 0", "0", "x: must be more than 0, found 0"),
        ("exclusiveMaximum: 0", "0", "x: must be less than 0, found 0"),
        ("multipleOf: 2", "3", "x: must be a multiple of 2, found 3"),
        ("minLength: 3", "ab", "x: must have at least 3 characters, has 2"),
        ("maxLength: 1", "äö", "x: must have at most 1 characters, has 2"),
        ("minItems: 1", "[]", "x: must have at least one item"),
        ("maxItems: 1", "[1, 2]", "x: must have at most 1 items, has 2"),
        ("uniqueItems: true", "[1, 2, 1]", "x: items 0 and 2 are equal, must all differ"),
        ("minProperties: 1", "{}", "x: must have at least one key"),
        ("maxProperties: 1", "{a: 1, b: 2}", "x: must have at most 1 keys, has 2"),
        ("propertyNames: { maxLength: 2 }", "{abc: 1}", "x: the key \"abc\": must have at most 2 characters, has 3"),
        ("not: { type: string }", "a", "x: must not be \"a\""),
        ("contains: { type: string }", "[1]", "x: has no item of the required form"),
        ("false", "1", "x: is not allowed here"),
        ("format: date", "2024-02-30", "x: \"2024-02-30\" is not a date such as 2026-11-21"),
        ("format: date-time", "soon", "x: \"soon\" is not a time such as 2026-11-21T18:00:00Z"),
        ("format: uri", "no uri", "x: \"no uri\" is not a URI such as https://example.org/x"),
        ("oneOf: [{minimum: 0}, {maximum: 9}]", "5", "x: fits several alternatives (1, 2), must fit exactly one"),
        ("dependentRequired: { a: [b] }", "{a: 1}", "x: missing \"b\""),
        ("unevaluatedProperties: false", "{a: 1}", "x: \"a\" is not allowed here"),
    ] {
        let rule = if rule == "false" { "false".into() } else { format!("{{ {rule} }}") };
        let schema = format!("properties:\n  x: {rule}\n");
        assert_eq!(messages(&schema, &format!("x: {value}\n")), [message], "{rule}");
    }
}

#[test]
fn of_alternatives_the_best_fit_is_explained() {
    let links = "
properties:
  links:
    items:
      oneOf:
        - { type: object, required: [vl_group, vl_name, vl_version], additionalProperties: false,
            properties: { vl_group: {type: string}, vl_name: {type: string}, vl_version: {type: string} } }
        - { type: object, required: [id, connectivity_type], additionalProperties: false,
            properties: { id: {type: string}, connectivity_type: { enum: [E-Line, E-LAN] } } }
";
    assert_eq!(
        messages(links, "links: [{id: a, connectivity_type: E-Lan2}]"),
        ["connectivity_type: \"E-Lan2\" is not one of \"E-Line\", \"E-LAN\"; did you mean \"E-LAN\"?"]
    );
    assert_eq!(messages(links, "links: [{vl_group: a, vl_name: b}]"), ["links[0]: missing \"vl_version\""]);
    assert_eq!(messages(links, "links: [7]"), ["links[0]: must be a mapping, found 7"]);
    let told = "
properties:
  x:
    anyOf:
      - { required: [b], properties: { t: { const: one } } }
      - { required: [c], properties: { t: { const: two } } }
";
    assert_eq!(messages(told, "x: {t: two}"), ["x: missing \"c\""]);
    let alike =
        |rules: &str, value: &str| messages(&format!("properties: {{x: {{anyOf: {rules}}}}}"), &format!("x: {value}"));
    assert_eq!(alike("[{type: string}, {type: array}]", "3"), ["x: must be a string or a list, found 3"]);
    assert_eq!(alike("[{const: a}, {enum: [b, c]}]", "d"), ["x: must be \"a\", \"b\" or \"c\", found \"d\""]);
    assert_eq!(alike("[{required: [a]}, {required: [b]}]", "{}"), ["x: missing \"a\" or \"b\""]);
}

#[test]
fn long_values_are_shortened_and_many_violations_cut() {
    let long = messages("properties: {x: {maxLength: 1, pattern: '^y'}}", &format!("x: {}\n", "z".repeat(5000)));
    assert!(long.iter().all(|message| message.chars().count() < 200), "{long:?}");
    let many: String = (0..5000).map(|n| format!("- {n}\n")).collect();
    let found = violations("items: { type: string }", &many);
    assert_eq!((found.len(), found[0].line, found[99].line), (101, 1, 100));
    assert!(found[100].is_more() && found[100].message.contains("only the first 100"), "{:?}", found[100]);
    let few: String = (0..100).map(|n| format!("- {n}\n")).collect();
    assert!(violations("items: { type: string }", &few).iter().all(|found| !found.is_more()));
}

#[test]
fn patterns_cannot_run_away() {
    let text = format!("x: {}!\n", "a".repeat(30_000));
    for pattern in ["^(a+)+$", "^(a|aa)+$", "^(?=(a+)+$).*$"] {
        let started = std::time::Instant::now();
        let found = messages(&format!("properties: {{x: {{pattern: '{pattern}'}}}}"), &text);
        assert_eq!(found.len(), 1, "{pattern}");
        assert!(started.elapsed().as_secs() < 20, "{pattern} took {:?}", started.elapsed());
    }
}

#[test]
fn drafts_follow_the_schema() {
    // In draft 4 exclusiveMinimum is a boolean, in draft 7 `if` exists, in 2020-12 prefixItems.
    let draft4 =
        "$schema: http://json-schema.org/draft-04/schema#\nproperties: {x: {minimum: 1, exclusiveMinimum: true}}";
    assert_eq!(messages(draft4, "x: 1"), ["x: must be more than 1, found 1"]);
    let draft7 = "$schema: http://json-schema.org/draft-07/schema#\nif: {required: [a]}\nthen: {required: [b]}";
    assert_eq!(messages(draft7, "a: 1"), ["missing \"b\""]);
    let newest = "$schema: https://json-schema.org/draft/2020-12/schema\nprefixItems: [{type: string}]";
    assert_eq!(messages(newest, "[1]"), ["[0]: must be a string, found 1"]);
}

#[test]
fn a_root_of_the_wrong_type_is_named() {
    assert_eq!(messages("type: object", "[]"), ["must be a mapping, found a list"]);
    let null: Value = parse(Format::Yaml, b"").expect("null");
    let found = check(&kind("type: object"), 0, Format::Yaml, "", &null);
    assert_eq!(found[0].message, "must be a mapping, found null");
}
