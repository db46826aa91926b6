//! Kinds as wholes: claims, values, fingerprints, and what is refused.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::resource::key::shard;
use crate::resource::query::Filter;
use crate::resource::row::{self, Column, encode_date, encode_number, encode_text, encode_version};

pub(super) fn source(folder: &str, declaration: &str) -> KindSource {
    source_with(folder, declaration, "{}")
}

fn source_with(folder: &str, declaration: &str, schema: &str) -> KindSource {
    let files = BTreeMap::from([
        ("kind.yaml".to_owned(), declaration.as_bytes().to_vec()),
        ("schema.json".to_owned(), schema.as_bytes().to_vec()),
    ]);
    KindSource { folder: folder.into(), files }
}

pub(super) fn build(declarations: &[&str]) -> Result<Kinds, KindError> {
    Kinds::build(declarations.iter().map(|text| source("test", text)).collect())
}

fn refused(declarations: &[&str]) -> String {
    build(declarations).expect_err("these kinds must be refused").to_string()
}

fn tiny(kind: &str, file: &str, rest: &str) -> String {
    format!("kind: {kind}\nplural: {kind}s\nfile: {file:?}\nschema: schema.json\n{rest}\n")
}

pub(super) const SERVICE: &str = r#"
kind: service
plural: services
title: Network service descriptor
file: ["projects/{project}/sources/nsd/*.yml", "services/*.yml"]
schema: schema.json
index:
  name: keyword
  vendor: [/vendor, /package/vendor]
  version: version
  size: { type: number, at: /package/size }
  tags: { type: keyword, at: /tags }
  vnfs: [/network_functions/*/vnf_name]
  released: date
  public: boolean
  created_at: date
unique: [[project, vendor, name, version]]
label: "{vendor}/{name} {version}"
links:
  functions: { to: function, within: project, each: network_functions, match: { vendor: vnf_vendor, name: vnf_name, version: vnf_version } }
"#;

pub(super) const FUNCTION: &str = r#"
kind: function
plural: functions
file: "projects/{project}/sources/vnf/*/*.yml"
schema: schema.json
index: { name: keyword, vendor: keyword, version: version }
"#;

fn columns(kind: &Kind, content: &Value, path: &str) -> Vec<String> {
    let captures = kind.captures_of(path).expect("the path is the kind's");
    let values = kind.values(&captures, content);
    let name = |column| kind.fields.iter().find(|f| f.column == column).map_or("link".into(), |f| f.name.to_string());
    let texts = values.texts.iter().map(|(slot, text)| format!("{}={text:?}", name(Column::Text(*slot))));
    texts.chain(values.numbers.iter().map(|(slot, n)| format!("{}={n}", name(Column::Number(*slot))))).collect()
}

#[test]
fn values_follow_the_declared_types() {
    let kinds = build(&[SERVICE, FUNCTION]).expect("kinds");
    let service = kinds.by_name("service").expect("service");
    let content = json!({
        "name": "x", "package": {"vendor": "v", "size": 3}, "version": "1.10", "tags": ["a", "b", "a", 7, {"no": 1}],
        "network_functions": [
            {"vnf_vendor": "v", "vnf_name": "fw", "vnf_version": ">= 0.2"},
            {"vnf_vendor": "v", "vnf_name": "incomplete"},
            {"vnf_vendor": "v", "vnf_name": "fw", "vnf_version": "9"},
        ],
        "released": "2024-02-03T04:05:06.7", "public": "yes",
    });
    assert_eq!(
        columns(service, &content, "projects/p 1/sources/nsd/a.yml"),
        [
            "project=\"p 1\"".to_owned(),
            "name=\"x\"".into(),
            "vendor=\"v\"".into(),
            format!("version={:?}", encode_version("1.10")),
            "tags=\"a\"".into(),
            "tags=\"b\"".into(),
            "tags=\"7\"".into(),
            "vnfs=\"fw\"".into(),
            "vnfs=\"incomplete\"".into(),
            format!("link={:?}", "v\u{1f}fw"),
            format!("size={}", encode_number(3.0)),
            format!("released={}", encode_date(1_706_933_106_700_000)),
        ]
    );
    // A wrongly typed document indexes what it can.
    let wrong = json!({"name": {"a": 1}, "vendor": null, "package": {"vendor": "w", "size": "big"}, "tags": 5});
    assert_eq!(columns(service, &wrong, "services/a.yml"), ["vendor=\"w\"", "tags=\"5\""]);
    assert!(columns(service, &json!([1, 2]), "services/a.yml").is_empty());
}

#[test]
fn built_in_fields_come_first_and_cannot_be_redeclared() {
    let kinds = build(&[SERVICE, FUNCTION]).expect("kinds");
    let service = kinds.by_plural("services").expect("services");
    assert_eq!(service.field_names()[..8].join(" "), "id workspace path etag created_at updated_at violations project");
    assert_eq!(service.field("created_at").map(|f| f.column), Some(Column::Created));
    assert_eq!(service.field("name").map(|f| f.column), Some(Column::Text(1)));
    assert_eq!(service.field("size").map(|f| f.column), Some(Column::Number(0)));
    assert!(service.field("nothing").is_none());
}

#[test]
fn the_more_literal_pattern_claims() {
    let kinds = build(&[
        &tiny("any", "**/*.yml", ""),
        &tiny("project", "projects/{project}/project.yml", ""),
        &tiny("source", "projects/{project}/**/*.yml", ""),
        &tiny("dmp", "dmps/{shard}/{id}.json", ""),
    ])
    .expect("kinds");
    let claim = |path: &str| kinds.claim(path).map(|(kind, captures)| (kind.name.to_string(), captures));
    let name = |path: &str| claim(path).map(|(name, _)| name).unwrap_or_default();
    assert_eq!(name("a.yml"), "any");
    assert_eq!(name("projects/p/project.yml"), "project");
    assert_eq!(name("projects/p/other.yml"), "source");
    assert_eq!(name("projects/p/a/b/c/d.yml"), "source");
    assert_eq!(name("projects/p/.github/d.yml"), "");
    assert_eq!(name(".hidden.yml"), "");
    assert_eq!(name("a.yaml"), "");
    let id = "1f2e";
    let (kind, captures) = claim(&format!("dmps/{}/{id}.json", shard(id))).expect("claimed");
    assert_eq!((kind.as_str(), captures.get("id")), ("dmp", Some(id)));
    assert_eq!(name("dmps/zz/1f2e.json"), "", "the shard must be the id's");
    assert!(kinds.by_name("dmp").is_some_and(|kind| kind.has_given_id()));
}

#[test]
fn ties_are_refused_only_where_both_can_match() {
    let tie = |a: &str, b: &str| build(&[&tiny("a", a, ""), &tiny("b", b, "")]).is_err();
    assert!(tie("x/*.yml", "x/{name}.yml"));
    assert!(tie("x/a*.yml", "x/*b.yml"));
    assert!(tie("{a}/x/*.yml", "y/{b}/*.yml"));
    assert!(tie("**/a/*.yml", "b/**/*.yml"));
    assert!(!tie("x/*.yml", "y/*.yml"));
    assert!(!tie("x/*.yml", "x/*.yaml"));
    assert!(!tie("x/a*.yml", "x/b*.yml"));
    assert!(!tie("x/*.yml", "x/**/*.yml"), "fewer wildcards decide");
    assert!(!tie(".a/*.yml", "{b}/c*.yml"), "wildcards do not match a leading dot");
    let message = refused(&[&tiny("a", "x/*.yml", ""), &tiny("b", "x/{name}.yml", "")]);
    assert_eq!(message, "kinds a and b claim the same paths: x/*.yml and x/{name}.yml are equally literal");
}

#[test]
fn a_later_folder_overrides_an_earlier_one() {
    let kinds = build(&[&tiny("a", "a/*.yml", "title: old"), &tiny("a", "b/*.yml", "title: new")]).expect("kinds");
    assert_eq!(kinds.iter().count(), 1);
    assert_eq!(kinds.by_name("a").and_then(|kind| kind.title.clone()).as_deref(), Some("new"));
    assert!(kinds.claim("a/x.yml").is_none() && kinds.claim("b/x.yml").is_some());
}

#[test]
fn bad_declarations_are_refused_with_what_to_do() {
    let one = |file: &str, rest: &str| refused(&[&tiny("a", file, rest)]).replace("kind folder test: kind.yaml: ", "");
    for (file, rest, message) in [
        ("a/*.yml", "titel: x", "titel: is not a known key; did you mean title?"),
        (
            "a/*.yml",
            "index: { x: keywrd }",
            "index.x: \"keywrd\" is not a type (keyword, text, number, date, boolean, version); did you mean keyword?",
        ),
        ("a/*.yml", "index: { x: { type: date, att: /x } }", "index.x.att: is not a known key; did you mean at?"),
        ("a/*.yml", "index: { x: [] }", "index.x: at least one pointer is needed"),
        ("a/*.yml", "index: { x: [a/b] }", "index.x: \"a/b\" is not a pointer: start it with a slash"),
        (
            "a/*.yml",
            "index: { 'x y': keyword }",
            "index.x y: a field's name is made of a-z, 0-9 and _, starting with a letter",
        ),
        (
            "a/*.yml",
            "unique: [nam]\nindex: { name: keyword }",
            "unique: \"nam\" is not an indexed field; did you mean name?",
        ),
        ("a/*.yml", "unique: [etag]", "unique: etag is not part of the document"),
        (
            "a/*.yml",
            "label: '{name}'",
            "label: \"name\" is not an indexed field; there are id, workspace, path, etag, created_at, updated_at, violations",
        ),
        ("a/*.yml", "links: { l: { to: b, match: { id: x } } }", "links.l.to: there is no kind \"b\""),
        (
            "a/*.yml",
            "links: { l: { to: a, match: { x: y } } }",
            "links.l.match, kind a: \"x\" is not an indexed field; there are id, workspace, path, etag, created_at, updated_at, violations",
        ),
        (
            "a/*.yml",
            "links: { l: { to: a, match: { path: y } } }",
            "links.l.match: path cannot be matched; use id or an indexed field",
        ),
        (
            "a/*.yml",
            "links: { l: { to: a, match: { id: x }, on_delete: cascad } }",
            "links.l.on_delete: \"cascad\" is neither refuse nor cascade",
        ),
        (
            "a/*.yml",
            "index: { v: version }\nlinks: { l: { to: a, match: { v: x } } }",
            "links.l.match: needs a field besides versions, which are only compared",
        ),
        ("a/*.yml", "schemas: [{ name: x, file: schema.json }]", "schema and schemas: give one of them"),
        ("a/{b}/*.yml", "index: { b: keyword }", "index.b: the path's {b} is a field already"),
        ("a/{path}/*.yml", "", "file: {path} is the name of a built-in field; choose another"),
        ("a/*.txt", "", "file: the pattern \"a/*.txt\" must end in .yml, .yaml or .json"),
        ("a/{shard}/*.yml", "", "file: the pattern \"a/{shard}/*.yml\" has {shard} without {id}, of which it is made"),
        ("a/{x}*.yml", "", "file: the pattern \"a/{x}*.yml\" has two wildcards side by side"),
        ("a/{x}/{x}.yml", "", "file: the pattern \"a/{x}/{x}.yml\" captures {x} twice"),
        (
            "a/{X}.yml",
            "",
            "file: the pattern \"a/{X}.yml\" has a capture whose name is not of a-z, 0-9 and _, starting with a letter",
        ),
        ("/a.yml", "", "file: the pattern \"/a.yml\" has an empty segment: no leading, trailing or double slash"),
        (
            "../a.yml",
            "",
            "file: the pattern \"../a.yml\" matches no path: the path \"../a.yml\" has a '.' or '..' segment",
        ),
    ] {
        assert_eq!(one(file, rest), message);
    }
    let plural = "kind: a\nplural: tasks\nfile: a.yml\nschema: schema.json";
    assert!(refused(&[plural]).ends_with("plural: \"tasks\" is a route of the server; choose another word"));
    assert!(refused(&["kind: a\nplural: b\nfile: a.yml"]).ends_with("schema: is missing"));
    assert!(refused(&["[]"]).ends_with("must be a mapping"));
    let mixed = "kind: a\nplural: b\nfile: ['a/{id}.yml', 'b/*.yml']\nschema: schema.json";
    assert!(refused(&[mixed]).ends_with("either every pattern captures {id} or none does"));
    let twins = [
        "kind: a\nplural: x\nfile: a.yml\nschema: schema.json",
        "kind: b\nplural: x\nfile: b.yml\nschema: schema.json",
    ];
    assert_eq!(refused(&twins), "kinds a and b have one plural, x");
    let many: String = (0..33).map(|n| format!("  f{n}: keyword\n")).collect();
    assert!(one("a/*.yml", &format!("index:\n{many}")).ends_with("more than 32 texts, captures and links"));
}

#[test]
fn bad_files_are_refused() {
    let with = |schema: &str| {
        let error = Kinds::build(vec![source_with("f", &tiny("a", "a/*.yml", ""), schema)]).expect_err("refused");
        error.to_string().replace("kind folder f: schema.json: ", "")
    };
    assert!(
        with(r##"{"properties": {"a": {"$ref": "https://example.org/x.json"}}}"##).starts_with("/properties/a/$ref")
    );
    assert!(with(r##"{"allOf": [{"$ref": "file:///etc/passwd"}]}"##).contains("only references inside the schema"));
    assert!(with(r##"{"$ref": "#/definitions/gone"}"##).starts_with("is not a valid JSON Schema"));
    assert!(with(r#"{"type": "strng"}"#).starts_with("is not a valid JSON Schema at /type"));
    assert!(with("[]").contains("must be an object"));
    assert!(with("{").starts_with("kind folder f: cannot read schema.json"));
    let folder = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        Kinds::build(vec![KindSource { folder: "f".into(), files }])
    };
    let message = |files| folder(files).expect_err("refused").to_string();
    assert_eq!(message(&[]), "kind folder f: kind.yaml is missing");
    let declaration = tiny("a", "a/*.yml", "");
    assert_eq!(message(&[("kind.yaml", &declaration)]), "kind folder f: schema.json is missing");
    let kinds =
        folder(&[("kind.yaml", &declaration), ("schema.json", "{}"), ("starter.yaml", "a: 1 # one\n")]).expect("kinds");
    assert_eq!(kinds.by_name("a").map(|kind| kind.starter.as_str()), Some("a: 1 # one\n"));
}

#[test]
fn a_workspace_selects_the_generation() {
    let declaration = "kind: a\nplural: b\nfile: a/*.yml\nschemas: [{ name: upb, file: schema.json }, { name: master, file: schema.json }]\n\
                       select: { file: workspace.yml, key: schema_index, default: master }";
    let kinds = build(&[declaration]).expect("kinds");
    let kind = kinds.by_name("a").expect("a");
    let generation = |value: Value| kind.schema_for(Some(&json!({"schema_index": value})));
    assert_eq!(kind.schema_for(None), 1);
    assert_eq!(generation(json!(0)), 0);
    assert_eq!(generation(json!("upb")), 0);
    assert_eq!(generation(json!("0")), 0);
    assert_eq!(generation(json!(7)), 1);
    assert_eq!(kind.schema_for(Some(&json!([]))), 1);
    assert_eq!(kind.schema_json(1), &json!({}));
    assert!(refused(&[&declaration.replace("default: master", "default: 2")]).contains("select.default: 2 is none of"));
}

#[test]
fn the_fingerprint_follows_what_is_indexed_and_judged() {
    let print = |rest: &str, schema: &str| {
        Kinds::build(vec![source_with("f", &tiny("a", "a/*.yml", rest), schema)]).expect("kinds").fingerprint()
    };
    let base = print("index: { x: keyword }", "{}");
    assert_eq!(base, print("index: { x: keyword }\ntitle: T\ndescription: D\nlabel: '{x}'", "{ }"));
    assert_ne!(base, print("index: { x: version }", "{}"));
    assert_ne!(base, print("index: { x: [/y] }", "{}"));
    assert_ne!(base, print("index: { x: keyword }", r#"{"type": "object"}"#));
    assert_eq!(base.len(), 64);
}

#[test]
fn queries_are_encoded_by_type() {
    let kinds = build(&[SERVICE, FUNCTION, &tiny("dmp", "dmps/{shard}/{id}.json", "")]).expect("kinds");
    let service = kinds.by_name("service").expect("service");
    let exactly = |field: &str, text: &str| match service.encode(field, text) {
        Ok((_, Encoded::Exactly(value))) => value,
        other => panic!("{field} {text}: {other:?}"),
    };
    assert_eq!(exactly("size", "1.5"), row::Value::Number(encode_number(1.5)));
    assert_eq!(exactly("public", "True"), row::Value::Number(1));
    assert_eq!(exactly("violations", "2"), row::Value::Number(2));
    assert_eq!(exactly("version", "1.10"), row::Value::Text(encode_version("1.10")));
    assert_eq!(exactly("name", "x*"), row::Value::Text(encode_text("x*")));
    assert_eq!(exactly("id", "12"), row::Value::Text("n0000000000000012".into()));
    let dmp = kinds.by_name("dmp").expect("dmp");
    assert_eq!(dmp.encode("id", "12").map(|(_, e)| e.low()), Ok(row::Value::Text("t12".into())));
    let day = exactly("released", "2024-02-03");
    for same in
        ["2024-02-03T00:00:00Z", "2024-02-03T00:00:00", "2024-02-03T02:00:00+02:00", "2024-02-03 00:00:00.000000"]
    {
        assert_eq!(exactly("released", same), day, "{same}");
    }
    let (column, second) = service.encode("created_at", "2024-02-03T00:00:00Z").expect("a second");
    let moment = |seconds, generation| row::Value::Number(row::Moment { seconds, generation }.encoded());
    assert_eq!(column, Column::Created);
    assert!(second.low() == moment(1_706_918_400, 0) && second.high() >= moment(1_706_918_400, 1 << 20));
    assert!(second.high() < moment(1_706_918_401, 0) && matches!(second.filter(column), Filter::Between(..)));
    for (field, text, message) in [
        ("size", "big", "size: \"big\" is not a number"),
        ("public", "1", "public: \"1\" is not true or false"),
        ("released", "soon", "released: \"soon\" is not a date such as 2026-11-21 or 2026-11-21T18:00:00Z"),
        ("violations", "-1", "violations: \"-1\" is not a whole number"),
    ] {
        assert_eq!(service.encode(field, text).expect_err("refused").to_string(), message);
    }
    let unknown = dmp.encode("nam", "x").expect_err("unknown").to_string();
    assert_eq!(
        unknown,
        "unknown field \"nam\"; known are id, workspace, path, etag, created_at, updated_at, violations"
    );
}

#[test]
fn labels_and_full_text() {
    let kinds = build(&[SERVICE, FUNCTION]).expect("kinds");
    let service = kinds.by_name("service").expect("service");
    assert_eq!(service.label(&json!({"vendor": "v", "name": "n", "version": 1}), "7"), "v/n 1");
    assert_eq!(service.label(&json!({"name": "n\nm"}), "7"), "n m");
    assert_eq!(service.label(&json!({"vendor": "v"}), "7"), "7");
    assert_eq!(service.full_text(&json!({"k": ["a b", 1.5, true, {"x": "ü"}]})), "a b\n1.5\nü\n");
    let long = service.full_text(&json!(["ü".repeat(600_000), "later"]));
    assert!(long.len() <= 1 << 20 && long.len() > (1 << 20) - 8);
}
