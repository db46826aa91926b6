use serde_json::{Value, json};

use crate::resource::document::{Format, parse, positions};

fn yaml(text: &str) -> Value {
    parse(Format::Yaml, text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Reads the same as serde_yaml.
fn agrees(text: &str) -> Value {
    let ours = yaml(text);
    let theirs: Value = serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(ours, theirs, "{text}");
    ours
}

#[test]
fn formats_by_ending() {
    assert_eq!(Format::of("a/b.YML"), Some(Format::Yaml));
    assert_eq!(Format::of("b.yaml"), Some(Format::Yaml));
    assert_eq!(Format::of("x.y/b.Json"), Some(Format::Json));
    for path in ["a.yml/b", "yml", "a.toml", "", "a."] {
        assert_eq!(Format::of(path), None, "{path}");
    }
}

#[test]
fn plain_scalars_resolve_as_in_serde_yaml() {
    for text in [
        "",
        "~",
        "null",
        "Null",
        "NULL",
        "nUll",
        "true",
        "True",
        "TRUE",
        "tRUE",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "y",
        "0",
        "-0",
        "+0",
        "00",
        "007",
        "-007",
        "0777",
        "0o17",
        "0x1F",
        "-0x1f",
        "+0x1f",
        "0b101",
        "0b2",
        "0x",
        "0xg",
        "1_000",
        "12",
        "-12",
        "+12",
        "+-1",
        "--1",
        "18446744073709551615",
        "-9223372036854775808",
        "1.10",
        "1.",
        ".5",
        "-.5",
        "+.5",
        ".",
        "..",
        "1e3",
        "1E3",
        "1e+3",
        "1.5e-3",
        "1e",
        "e3",
        "1e400",
        "1e-400",
        "2024-01-01",
        "12:30:00",
        "1.2.3",
        "1.10.0",
        "inf",
        "nan",
        "infinity",
        "0.1",
        "-0.0",
        "=",
        "<<",
        "a:b",
        "http://x/y#z",
        "a#b",
        "-a",
        "?a",
        ":a",
        "a,b",
        "[",
        "é",
        "日本",
        "0e0",
        "1__0",
        "0.0.0",
        "+",
        "+a",
    ] {
        if text == "[" {
            continue;
        }
        agrees(&format!("k: {text}\n"));
    }
}

#[test]
fn documents_of_all_shapes() {
    for text in [
        "a: 1\nb:\n  c: [1, 2, {d: e}]\n  f: {g: h, i: }\n",
        "a:\n- 1\n- b: 2\n  c: 3\n-\n  - 4\n- - 5\n  - 6\n",
        "# top\n---\n# in\na: 1 # one\n\n# end\n...\n# behind\n",
        "%YAML 1.2\n---\na: b\n",
        "a: |\n  x\n   y\n\n  z\nb: >-\n  x\n  y\n\n  z\n   w\nc: |+\n  k\n\nd: >\n  q\n",
        "a: |2\n    x\n  y\n- b".split("\n- b").next().unwrap(),
        "a: 'it''s'\nb: \"x\\ty\\u00e9\\n\"\nc: \"one\n  two\n\n  three\"\nd: 'one\n  two'\n",
        "a: one\n  two\n\n  three\nb: x\n",
        "? a\n: 1\n? b\n? |\n  long\n: 2\n",
        "{a: 1, b: [x, y,], 'c': \"d\", e}\n",
        "[a, b: c, {d: e}]\n",
        "base: &b {x: 1}\nuse: *b\nlist: [*b, &c y, *c]\n<<: *b\n",
        "&k a: &v\n  b: *k\nc:\n  *k : 1\n",
        "1: a\ntrue: b\n1.50: c\n~: d\n",
        "a: !!str 12\nb: !!int \"3\"\nc: !!float 1\nd: !!seq [1]\ne: !!map {x: y}\nf: !!null ''\n"
            .split("f:")
            .next()
            .unwrap(),
        "a:\r\n  - b\r\n  - |\r\n    x\r\n    y\r\nc: \"d\r\n  e\"\r\n",
        "a:\tb\nc: [\t1,\n\t2]\n",
        "just text\n",
        "- a\n-\n- c",
        "\"quoted root\"",
        "key with spaces: v\n\"q: k\": v\n'#x': v\n",
        "a: - b\n".replace("- b", "'- b'").as_str(),
        "a: \"\\\n  joined\\\n  \\ text\"\n",
        "long:\n    four:\n        eight: 1\n    nine:\n    -   a: 1\n        b: 2\n",
    ] {
        agrees(text);
    }
    assert_eq!(yaml(""), Value::Null);
    assert_eq!(yaml("# nothing\n"), Value::Null);
    assert_eq!(yaml("\u{feff}a: 1"), json!({"a": 1}));
}

#[test]
fn json_documents() {
    let text = "\u{feff}{\"a\": [1, -2, 1.5, 1e3, -0, true, null, \"x\\u00e9\\ud83d\\ude00\\/\"],\r\n\t\"b\": {}}\n";
    assert_eq!(
        parse(Format::Json, text.as_bytes()),
        Ok(serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap())
    );
    for (text, line, column) in [
        ("", 1, 1),
        ("{\"a\": 1,}", 1, 9),
        ("[1 2]", 1, 4),
        ("{\n  \"é\": tru\n}", 2, 8),
        ("[01]", 1, 2),
        ("[1.]", 1, 4),
        ("[\"a\tb\"]", 1, 4),
        ("[\"\\x\"]", 1, 3),
        ("[\"\\ud800\"]", 1, 3),
        ("{\"a\": 1, \"a\": 2}", 1, 10),
        ("{a: 1}", 1, 2),
        ("[1] x", 1, 5),
        ("[18446744073709551616]", 1, 2),
        ("[1e400]", 1, 2),
        ("[NaN]", 1, 2),
        ("{\"a\": [", 1, 8),
    ] {
        let error = parse(Format::Json, text.as_bytes()).expect_err(text);
        assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
    }
}

#[test]
fn positions_name_the_key_or_the_item() {
    let text = "\u{feff}# top\nname: é\nlist:\n  - a: 1\n    b: 2\n  - c\nflow: {ü: [1, {x: 2}]}\n\"a/b\": ~\nnone:\n";
    let found = positions(Format::Yaml, text);
    for (pointer, at) in [
        ("", (2, 1)),
        ("/name", (2, 1)),
        ("/list", (3, 1)),
        ("/list/0", (4, 5)),
        ("/list/0/b", (5, 5)),
        ("/list/1", (6, 5)),
        ("/list/7", (3, 1)),
        ("/list/0/missing/deep", (4, 5)),
        ("/flow/ü", (7, 8)),
        ("/flow/ü/1", (7, 15)),
        ("/flow/ü/1/x", (7, 16)),
        ("/a~1b", (8, 1)),
        ("/none", (9, 1)),
        ("/missing", (2, 1)),
    ] {
        assert_eq!(found.locate(pointer), at, "{pointer}");
    }
    let found = positions(Format::Json, "{\n  \"ä\": [1,\n    {\"b\": 2}]\n}");
    assert_eq!(found.locate("/ä/1/b"), (3, 6));
    assert_eq!(positions(Format::Yaml, "a: [").locate("/a"), (1, 1));
}
