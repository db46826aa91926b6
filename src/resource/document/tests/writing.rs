use serde_json::{Value, json};

use crate::resource::document::{Format, parse, render};

#[test]
fn yaml_looks_like_written_by_hand() {
    let value = json!({
        "descriptor_version": "1.0",
        "name": "fw-vnf",
        "version": "0.10",
        "release": "1.2.3",
        "url": "http://example.org/a?b#c",
        "empty": {"map": {}, "list": [], "text": "", "null": null},
        "ports": [{"id": "eth0", "tags": ["a", "b"]}, {"id": "eth1", "nested": [[1, 2], []]}],
        "text": "first\n  second\n",
        "indented": "  a\nb",
        "answer": "no",
        "when": "2024-01-01",
        "time": "12:30",
        "key: odd": "a: b",
        "-": "- x",
        "escape": "tab\tbell\u{7}",
        "quote": "say \"hi\"",
        "number": 1.0,
        "flag": true,
    });
    let text = render(Format::Yaml, &value);
    insta::assert_snapshot!(text);
    assert_eq!(parse(Format::Yaml, text.as_bytes()), Ok(value.clone()));
    let theirs: Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(theirs, value);
    let json = render(Format::Json, &value);
    assert!(json.starts_with("{\n  \"descriptor_version\": \"1.0\",\n") && json.ends_with("\n}\n"));
    assert_eq!(json, serde_json::to_string_pretty(&value).unwrap() + "\n");
}

#[test]
fn every_root_and_long_keys() {
    for value in [
        json!(null),
        json!("a\nb\n"),
        json!("  a\nb\n\n"),
        json!([]),
        json!({}),
        json!([[["x"]], {"a": {"b": [1]}}]),
        json!({"k".repeat(3000): {"a": 1}, "l": [{"m".repeat(2000): "x\ny"}]}),
        json!({"": {"": [""]}}),
        json!({"__proto__": 1, "a.b": 1, "a/b": 1, "~": 1, "1": 1, "true": 1, "<<": 1}),
        json!([u64::MAX, i64::MIN, 1e300, -0.0, 0.1, 1e16]),
    ] {
        for format in [Format::Yaml, Format::Json] {
            let text = render(format, &value);
            assert_eq!(parse(format, text.as_bytes()).as_ref(), Ok(&value), "{text}");
            assert!(text.ends_with('\n'));
        }
        let text = render(Format::Yaml, &value);
        assert_eq!(serde_yaml::from_str::<Value>(&text).as_ref().ok(), Some(&value), "{text}");
    }
}
