use serde_json::{Value, json};

use crate::resource::document::Format::{Json, Yaml};
use crate::resource::document::{EditError, Format, edit, parse, same};

/// Changes the value read from `text` by `change`; the result must be `expect`.
#[track_caller]
fn check(format: Format, text: &str, change: impl FnOnce(&mut Value), expect: &str) {
    let mut value = parse(format, text.as_bytes()).unwrap();
    assert_eq!(edit(format, text, &value).unwrap(), text);
    change(&mut value);
    let edited = edit(format, text, &value).unwrap();
    assert_eq!(edited, expect);
    assert!(same(&parse(format, edited.as_bytes()).unwrap(), &value));
}

fn remove(value: &mut Value, pointer: &str, key: &str) {
    value.pointer_mut(pointer).unwrap().as_object_mut().unwrap().shift_remove(key).unwrap();
}

const SERVICE: &str = "\
# A service of two functions.

descriptor_version: \"1.0\"   # the schema's, not ours
vendor: 'eu.example'
name: demo-nsd
version: 1.10

# Who wrote it.
author: Ann   # and Bob

network_functions:
  # the firewall
  - vnf_id: fw
    vnf_version: '0.10'   # pinned
    tags: [edge, \"fast\"]

  # the inspector
  - vnf_id: dpi
    vnf_version: \"0.2\"
    # deep
    options: {debug: false, level: 3}
description: >
  A folded text
  of two lines.
notes: |   # free text
    first
    second
# the end
";

#[test]
fn a_scalar_changes_alone() {
    check(Yaml, SERVICE, |v| v["vendor"] = "org.example".into(), &SERVICE.replace("'eu.example'", "'org.example'"));
    check(Yaml, SERVICE, |v| v["author"] = "no".into(), &SERVICE.replace("Ann ", "'no' ").replace("'no'", "\"no\""));
    check(Yaml, SERVICE, |v| v["version"] = json!(1.2), &SERVICE.replace("1.10", "1.2"));
    check(Yaml, SERVICE, |v| v["version"] = "1.11".into(), &SERVICE.replace("1.10", "\"1.11\""));
    check(
        Yaml,
        SERVICE,
        |v| v["network_functions"][0]["vnf_version"] = "0.11".into(),
        &SERVICE.replace("'0.10'", "'0.11'"),
    );
    check(
        Yaml,
        SERVICE,
        |v| v["network_functions"][1]["options"]["level"] = "a, b".into(),
        &SERVICE.replace("level: 3", "level: \"a, b\""),
    );
    check(Yaml, SERVICE, |v| v["author"] = Value::Null, &SERVICE.replace("Ann", "null"));
    check(Yaml, "a:\nb: 1", |v| v["a"] = 5.into(), "a: 5\nb: 1");
    check(Yaml, "a: # why\nb: 1", |v| v["a"] = 5.into(), "a: 5 # why\nb: 1");
    check(Yaml, "- a\n-\n- c", |v| v[1] = "b".into(), "- a\n- b\n- c");
    check(Yaml, "a: 'x'\n", |v| v["a"] = "it's".into(), "a: 'it''s'\n");
    check(Yaml, "a: 'x'\n", |v| v["a"] = "bell\u{7}".into(), "a: \"bell\\x07\"\n");
    check(Yaml, "a: one\n  two\nb: 1\n", |v| v["a"] = "three".into(), "a: three\nb: 1\n");
    check(Yaml, "{a, b: }", |v| v["a"] = 1.into(), "{a: 1, b: }");
    check(Yaml, "{a, b: }", |v| v["b"] = 1.into(), "{a, b: 1 }");
    check(Yaml, "text", |v| *v = "other".into(), "other");
}

#[test]
fn numbers_keep_their_spelling() {
    let text = "version: 1.10\nratio: 1.0\ncount: 1e3\nhex: 0x10\n";
    let new = json!({"hex": 16, "version": 1.1, "ratio": 1, "count": 1000});
    assert_eq!(edit(Yaml, text, &new).unwrap(), text);
    check(Yaml, text, |v| v["hex"] = 17.into(), "version: 1.10\nratio: 1.0\ncount: 1e3\nhex: 17\n");
    assert!(!same(&json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992.0)));
    assert!(!same(&json!(u64::MAX), &json!(18_446_744_073_709_551_616.0)));
    assert!(same(&json!([-1, 0]), &json!([-1.0, -0.0])));
}

#[test]
fn members_come_and_go() {
    check(
        Yaml,
        SERVICE,
        |v| v["new"] = json!({"a": [1]}),
        &SERVICE.replace("second\n", "second\nnew:\n  a:\n    - 1\n"),
    );
    check(
        Yaml,
        SERVICE,
        |v| v["network_functions"][0]["x"] = "y".into(),
        &SERVICE.replace("\"fast\"]\n", "\"fast\"]\n    x: y\n"),
    );
    check(
        Yaml,
        SERVICE,
        |v| remove(v, "", "author"),
        &SERVICE.replace("# Who wrote it.\nauthor: Ann   # and Bob\n", ""),
    );
    check(
        Yaml,
        SERVICE,
        |v| remove(v, "/network_functions/1", "options"),
        &SERVICE.replace("    # deep\n    options: {debug: false, level: 3}\n", ""),
    );
    check(
        Yaml,
        SERVICE,
        |v| remove(v, "/network_functions/0", "vnf_id"),
        &SERVICE.replace("- vnf_id: fw\n    vnf_version", "- vnf_version"),
    );
    check(
        Yaml,
        SERVICE,
        |v| remove(v, "/network_functions/1/options", "debug"),
        &SERVICE.replace("debug: false, ", ""),
    );
    check(Yaml, SERVICE, |v| remove(v, "/network_functions/1/options", "level"), &SERVICE.replace(", level: 3", ""));
    check(
        Yaml,
        SERVICE,
        |v| v["network_functions"][1]["options"]["x"] = json!([1, "a b"]),
        &SERVICE.replace("level: 3", "level: 3, x: [1, a b]"),
    );
    // The top comment is the file's; nested and appended at once.
    check(Yaml, "# file\na: 1\nb:\n  c: 1\n  d: 2", |v| remove(v, "", "a"), "# file\nb:\n  c: 1\n  d: 2");
    check(
        Yaml,
        "b:\n  c: 1\n  d: 2\n",
        |v| {
            remove(v, "/b", "d");
            v["e"] = 1.into();
            v["b"]["f"] = 2.into();
        },
        "b:\n  c: 1\n  f: 2\ne: 1\n",
    );
    check(Yaml, "a: 1", |v| v["b"] = 2.into(), "a: 1\nb: 2");
    check(Yaml, "a: 1\r\nb: 2\r\n", |v| v["c"] = json!({"d": 1}), "a: 1\r\nb: 2\r\nc:\r\n  d: 1\r\n");
    check(Yaml, "a: 1\r\nb: 2\r\n", |v| remove(v, "", "a"), "b: 2\r\n");
    check(Yaml, "\u{feff}a: 1\n", |v| v["a"] = 2.into(), "\u{feff}a: 2\n");
}

#[test]
fn values_change_their_kind() {
    check(Yaml, "a: 1 # c\nb: 2\n", |v| v["a"] = json!({"x": 1, "y": 2}), "a: # c\n  x: 1\n  y: 2\nb: 2\n");
    check(Yaml, "a: # c\n  - 1\n  - 2\nb: 2\n", |v| v["a"] = "x".into(), "a: x # c\nb: 2\n");
    check(Yaml, "a:\n  x: 1\nb: 2\n", |v| v["a"] = json!([1]), "a:\n  - 1\nb: 2\n");
    check(Yaml, "a:\n  x: 1\nb: 2\n", |v| v["a"] = json!({}), "a: {}\nb: 2\n");
    check(Yaml, "a: {}\nb: 2\n", |v| v["a"] = json!({"x": 1}), "a:\n  x: 1\nb: 2\n");
    check(Yaml, "a:\n- x\n- y\n", |v| v["b"] = json!({"c": [1]}), "a:\n- x\n- y\nb:\n  c:\n  - 1\n");
    check(Yaml, "a: x # c\n", |v| v["a"] = "l1\nl2".into(), "a: |- # c\n  l1\n  l2\n");
    check(Yaml, "- a\n- b\n", |v| v[0] = json!({"x": 1, "y": 2}), "- x: 1\n  y: 2\n- b\n");
    check(Yaml, "- x: 1\n  y: 2\n- b\n", |v| v[0] = json!("s"), "- s\n- b\n");
    check(Yaml, "a: 1\n", |v| *v = json!([1]), "- 1\n");
    check(Yaml, "# only a comment", |v| *v = json!({"a": 1}), "# only a comment\na: 1\n");
    check(Yaml, "---\n", |v| *v = json!({"a": 1}), "---\na: 1\n");
}

#[test]
fn block_texts() {
    check(Yaml, SERVICE, |v| v["notes"] = "first\nthird\n".into(), &SERVICE.replace("second", "third"));
    check(
        Yaml,
        SERVICE,
        |v| v["notes"] = "one\ntwo".into(),
        &SERVICE.replace("|   #", "|-   #").replace("first\n    second", "one\n    two"),
    );
    check(
        Yaml,
        SERVICE,
        |v| v["notes"] = "short".into(),
        &SERVICE.replace("|   #", "short   #").replace("    first\n    second\n", ""),
    );
    check(
        Yaml,
        SERVICE,
        |v| v["description"] = "Another text\n".into(),
        &SERVICE.replace("A folded text\n  of two lines.", "Another text"),
    );
    check(Yaml, "a: |+\n  x\n\nb: 1\n", |v| v["c"] = 1.into(), "a: |+\n  x\n\nb: 1\nc: 1\n");
    check(Yaml, "b:\n  a: |+\n    x\n\n", |v| v["b"]["c"] = 1.into(), "b:\n  a: |+\n    x\n\n  c: 1\n");
}

#[test]
fn items_come_and_go() {
    let text = "l:\n  # one\n  - id: 1\n    x: a  # keep\n  # two\n  - id: 2\n    x: b\n  - id: 3\n    x: c\n";
    check(
        Yaml,
        text,
        |v| _ = v["l"].as_array_mut().unwrap().remove(1),
        &text.replace("  # two\n  - id: 2\n    x: b\n", ""),
    );
    check(
        Yaml,
        text,
        |v| v["l"].as_array_mut().unwrap().insert(0, json!({"id": 0})),
        &text.replace("  # one\n", "  - id: 0\n  # one\n"),
    );
    check(
        Yaml,
        text,
        |v| v["l"].as_array_mut().unwrap().insert(1, json!({"id": 9, "l": [1]})),
        &text.replace("  # two\n", "  - id: 9\n    l:\n      - 1\n  # two\n"),
    );
    check(Yaml, text, |v| v["l"].as_array_mut().unwrap().push(json!("z")), &format!("{text}  - z\n"));
    // Moved items take their lines and comments with them.
    check(
        Yaml,
        text,
        |v| {
            let items = v["l"].as_array_mut().unwrap();
            let first = items.remove(0);
            items.push(first);
        },
        "l:\n  # two\n  - id: 2\n    x: b\n  - id: 3\n    x: c\n  # one\n  - id: 1\n    x: a  # keep\n",
    );
    check(Yaml, "- - a\n  - b\n- c\n", |v| _ = v[0].as_array_mut().unwrap().remove(0), "- - b\n- c\n");
    check(
        Yaml,
        "- - a\n  - b\n- c\n",
        |v| v[0].as_array_mut().unwrap().insert(0, 1.into()),
        "- - 1\n  - a\n  - b\n- c\n",
    );
    check(Yaml, "a: [1, 2, 3] # c\n", |v| _ = v["a"].as_array_mut().unwrap().remove(1), "a: [1, 3] # c\n");
    check(Yaml, "a: [1, 2, 3] # c\n", |v| v["a"] = json!([0, 1, 2, 3, 4]), "a: [0, 1, 2, 3, 4] # c\n");
    check(Yaml, "a: [1, 2] # c\n", |v| v["a"] = json!([]), "a: [] # c\n");
    check(
        Yaml,
        "a: [\n  x, # ex\n  y, # why\n]\n",
        |v| v["a"] = json!(["x", "y", "z"]),
        "a: [\n  x, # ex\n  y,\n  z, # why\n]\n",
    );
    check(Yaml, "a: [\n  x, # ex\n  y, # why\n]\n", |v| v["a"] = json!(["y"]), "a: [\n  y, # why\n]\n");
}

#[test]
fn anchors_and_aliases() {
    let text = "base: &b\n  x: 1 # one\n  y: 2\none: *b\ntwo: {z: *b} # two\n";
    check(Yaml, text, |v| v["one"]["x"] = 5.into(), &text.replace("one: *b", "one:\n  x: 5\n  y: 2"));
    check(Yaml, text, |v| v["two"]["z"]["x"] = 5.into(), &text.replace("z: *b", "z: {x: 5, y: 2}"));
    // The base alone, and everywhere.
    check(
        Yaml,
        text,
        |v| v["base"]["x"] = 5.into(),
        "base: &b\n  x: 5 # one\n  y: 2\none:\n  x: 1\n  y: 2\ntwo: {z: {x: 1, y: 2}} # two\n",
    );
    check(
        Yaml,
        text,
        |v| {
            for pointer in ["/base/x", "/one/x", "/two/z/x"] {
                *v.pointer_mut(pointer).unwrap() = 5.into();
            }
        },
        &text.replace("x: 1", "x: 5"),
    );
    check(Yaml, text, |v| remove(v, "", "base"), "one:\n  x: 1\n  y: 2\ntwo: {z: {x: 1, y: 2}} # two\n");
    check(Yaml, "a: &x 1\nb: *x\nc: *x\n", |v| v["b"] = 2.into(), "a: &x 1\nb: 2\nc: *x\n");
    check(Yaml, "a: &x 1\nb: *x\n", |v| *v = json!({"a": 2, "b": 2}), "a: &x 2\nb: *x\n");
    check(Yaml, "a: &x 1\nb: *x\n", |v| v["a"] = json!([1]), "a:\n  - 1\nb: 1\n");
    check(Yaml, "a: !!str 1 # c\n", |v| v["a"] = "2".into(), "a: \"2\" # c\n");
}

#[test]
fn json_keeps_its_layout() {
    let pretty = "{\n\t\"a\": 1,\n\t\"b\": [1, 2],\n\t\"c\": {\n\t\t\"d\": null\n\t}\n}";
    check(Json, pretty, |v| v["a"] = "x\n".into(), &pretty.replace("\"a\": 1", "\"a\": \"x\\n\""));
    check(Json, pretty, |v| remove(v, "", "a"), &pretty.replace("\t\"a\": 1,\n", ""));
    check(Json, pretty, |v| remove(v, "", "c"), "{\n\t\"a\": 1,\n\t\"b\": [1, 2]\n}");
    check(Json, pretty, |v| v["b"] = json!([1, 2, {"x": 1}]), &pretty.replace("2]", "2, {\"x\": 1}]"));
    check(
        Json,
        pretty,
        |v| v["c"]["e"] = json!({"f": [true]}),
        &pretty.replace("null\n", "null,\n\t\t\"e\": {\n\t\t\t\"f\": [\n\t\t\t\ttrue\n\t\t\t]\n\t\t}\n"),
    );
    check(Json, pretty, |v| v["c"]["d"] = json!([1]), &pretty.replace("null", "[\n\t\t\t1\n\t\t]"));
    check(Json, "{\"a\":1,\"b\":[1]}", |v| v["c"] = json!({"d": [1, 2]}), "{\"a\":1,\"b\":[1],\"c\":{\"d\":[1,2]}}");
    check(Json, "{\"a\":1,\"b\":[1]}", |v| v["b"] = json!([0, 1]), "{\"a\":1,\"b\":[0,1]}");
    check(Json, "{}\n", |v| v["a"] = 1.into(), "{\n  \"a\": 1\n}\n");
    check(
        Json,
        "{\r\n  \"a\": 1\r\n}\r\n",
        |v| v["b"] = json!([1]),
        "{\r\n  \"a\": 1,\r\n  \"b\": [\r\n    1\r\n  ]\r\n}\r\n",
    );
}

#[test]
fn what_cannot_be_edited() {
    assert!(matches!(edit(Yaml, "a: [", &json!(1)), Err(EditError::Unreadable(_))));
    let deep = (0..70).fold(json!(1), |value, _| json!([value]));
    for format in [Yaml, Json] {
        assert!(matches!(edit(format, "{\"a\": 1}", &json!({"a": deep})), Err(EditError::Unwritable(_))));
    }
}
