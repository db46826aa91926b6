//! Content that is hostile or merely odd: taken as it is or refused, never mistaken.

use serde_json::{Value, json};

use super::own_kind::with_gadgets;
use crate::support::{Client, raw, typed, yaml};

const GADGETS: &str = "/api/v1/gadgets?workspace=ann/lab&room=a";

/// The status and the first words of what is wrong.
async fn verdict(client: &Client, body: crate::support::Body) -> String {
    let started = std::time::Instant::now();
    let answer = client.post(&format!("{GADGETS}&path=gadgets/a/odd.yml"), body).await;
    assert!(started.elapsed().as_secs() < 20, "too slow: {:?}", started.elapsed());
    match answer.status {
        201 => {
            let content = answer.inner()["content"].to_string();
            client.at("*").delete(answer.header("location")).await.expect(204);
            format!("201 {content}")
        }
        status => format!("{status} {}", answer.json()["message"].as_str().expect("a message")),
    }
}

#[tokio::test]
async fn bombs_are_refused_soon() {
    let app = with_gadgets().await;
    let ann = app.as_user("ann");
    let head = app.head("ann/lab");
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for at in 1..20 {
        laughs += &format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 10].join(", "));
    }
    let scalar = format!("name: &a \"{}\"\ntags: [{}]\n", "x".repeat(32_000), vec!["*a"; 4_000].join(", "));
    // Much harmless text, so that limits in proportion to the size are wide.
    let padding = "# padding\n".repeat(40_000);
    let padded = format!("{padding}{laughs}");
    let own = "name: &a [*a]\n";
    let merged = "name: &a { <<: *a }\n";
    let deep = |open: &str, close: &str| format!("name: {}{}\n", open.repeat(100_000), close.repeat(100_000));
    let blocks: String = (0..2_000).map(|at| format!("{}a:\n", " ".repeat(at))).collect();
    for (what, text) in [
        ("laughs", laughs),
        ("scalar", scalar),
        ("padded", padded),
        ("own", own.into()),
        ("merged", merged.into()),
        ("flow", deep("[", "]")),
        ("maps", deep("{a: ", "}")),
        ("open", "[".repeat(1_000_000)),
        ("dashes", format!("name:\n{}x", "- ".repeat(100_000))),
        ("blocks", blocks),
    ] {
        let started = std::time::Instant::now();
        let answer = ann.post(GADGETS, yaml(text)).await;
        assert_eq!(answer.status, 400, "{what}: {:.300}", answer.text());
        assert!(answer.body.len() < 2_000, "{what}: {:.300}", answer.text());
        assert!(answer.json()["payload"]["line"].is_u64(), "{what}: {}", answer.text());
        assert!(started.elapsed().as_secs() < 10, "{what}: {:?}", started.elapsed());
    }
    for (what, text) in [("arrays", "[".repeat(100_000) + &"]".repeat(100_000)), ("objects", "{\"a\":".repeat(100_000))]
    {
        for (method, path) in
            [("POST", GADGETS), ("POST", "/api/v1/workspaces"), ("POST", "/api/v1/workspaces/ann/lab/commits")]
        {
            let answer = ann.send(method, path, typed("application/json", text.clone())).await;
            assert_eq!(answer.status, 400, "{what} {path}: {:.300}", answer.text());
        }
    }
    assert_eq!(app.head("ann/lab"), head);
    app.finish().await;
}

#[tokio::test]
async fn odd_yaml_has_one_meaning() {
    let app = with_gadgets().await;
    let ann = app.as_user("ann");
    let mut shown = String::new();
    for text in [
        "name: a\nname: b\n",
        "name: a\n---\nname: b\n",
        "---\nname: a\n...\n",
        "%YAML 1.2\n---\nname: a\n",
        "name: !!python/object/apply:os.system [x]\n",
        "name: !custom a\n",
        "name: !!str 1\n",
        "name: no\n",
        "name: NO\nnotes: yes\n",
        "name: \"no\"\n",
        "name: 1.10\n",
        "name: '1.10'\n",
        "name: 010\n",
        "name: 1e3\n",
        "name: 2024-01-01\n",
        "name: ~\n",
        "name:\n",
        "name: null\n",
        "weight: 340282366920938463463374607431768211456\nname: a\n",
        "weight: 18446744073709551616\nname: a\n",
        "weight: .nan\nname: a\n",
        "weight: .inf\nname: a\n",
        "weight: -0\nname: a\n",
        "weight: -0.0\nname: a\n",
        "weight: 1e999\nname: a\n",
        "weight: 0x1F\nname: a\n",
        "weight: 1_000\nname: a\n",
        "weight: 0.1\nname: a\n",
        "1: x\nname: a\n",
        "true: x\nname: a\n",
        "[1]: x\nname: a\n",
        "? {a: b}\n: x\nname: a\n",
        "__proto__: x\nname: a\n",
        "a/b~c.d: x\nname: a\n",
        "\tname: a\n",
        "name:\ta\n",
        "name: a\tb\n",
        "name: \"a\\u0000b\"\n",
        "name: \"\\uD800\"\n",
        "name: a\u{7}\n",
        "name: a\u{85}b\n",
        "\u{feff}name: a\n",
        "name: \u{feff}a\n",
        "name: &x a\nnotes: *x\n",
        "name: *x\n",
        "x: &x {colour: red}\nname: a\n",
        "<<: {colour: red}\nname: a\n",
        "",
        "# nothing\n",
        "just text\n",
        "- a\n",
        "name: |\n  two\n  lines\n",
        "name: @a\n",
        "name: a: b\n",
        "name: [a, b\n",
        "name: 'a\n",
        "name: {a: 1, a: 2}\n",
        "name: >2\n  x\n",
    ] {
        shown += &format!("{:60} {}\n", text.escape_default().to_string(), verdict(&ann, yaml(text)).await);
    }
    insta::assert_snapshot!(shown, @r#"
    name: a\nname: b\n                                           400 the document cannot be read: the key "name" is there twice, line 2, column 1
    name: a\n---\nname: b\n                                      400 the document cannot be read: the file holds more than one document: keep one per file, line 2, column 1
    ---\nname: a\n...\n                                          201 {"name":"a"}
    %YAML 1.2\n---\nname: a\n                                    201 {"name":"a"}
    name: !!python/object/apply:os.system [x]\n                  400 the document cannot be read: the tag "!!python/object/apply:os.system" is not supported (only those of the core schema are): remove it, or quote text that starts with !, line 1, column 7
    name: !custom a\n                                            400 the document cannot be read: the tag "!custom" is not supported (only those of the core schema are): remove it, or quote text that starts with !, line 1, column 7
    name: !!str 1\n                                              201 {"name":"1"}
    name: no\n                                                   201 {"name":"no"}
    name: NO\nnotes: yes\n                                       201 {"name":"NO","notes":"yes"}
    name: \"no\"\n                                               201 {"name":"no"}
    name: 1.10\n                                                 422 the document breaks its kind: name: must be a string, found 1.1
    name: \'1.10\'\n                                             201 {"name":"1.10"}
    name: 010\n                                                  201 {"name":"010"}
    name: 1e3\n                                                  422 the document breaks its kind: name: must be a string, found 1000.0
    name: 2024-01-01\n                                           201 {"name":"2024-01-01"}
    name: ~\n                                                    422 the document breaks its kind: name: must be a string, found null
    name:\n                                                      422 the document breaks its kind: name: must be a string, found null
    name: null\n                                                 422 the document breaks its kind: name: must be a string, found null
    weight: 340282366920938463463374607431768211456\nname: a\n   400 the document cannot be read: the integer 340282366920938463463374607431768211456 does not fit into 64 bits: quote it to keep it as text, line 1, column 9
    weight: 18446744073709551616\nname: a\n                      400 the document cannot be read: the integer 18446744073709551616 does not fit into 64 bits: quote it to keep it as text, line 1, column 9
    weight: .nan\nname: a\n                                      400 the document cannot be read: JSON has no .nan: quote it to keep it as text, line 1, column 9
    weight: .inf\nname: a\n                                      400 the document cannot be read: JSON has no .inf: quote it to keep it as text, line 1, column 9
    weight: -0\nname: a\n                                        201 {"weight":0,"name":"a"}
    weight: -0.0\nname: a\n                                      201 {"weight":-0.0,"name":"a"}
    weight: 1e999\nname: a\n                                     422 the document breaks its kind: weight: must be a number, found "1e999"
    weight: 0x1F\nname: a\n                                      201 {"weight":31,"name":"a"}
    weight: 1_000\nname: a\n                                     422 the document breaks its kind: weight: must be a number, found "1_000"
    weight: 0.1\nname: a\n                                       201 {"weight":0.1,"name":"a"}
    1: x\nname: a\n                                              422 the document breaks its kind: "1" is not allowed here; allowed: name, colour, weight, made, spare, release, tags, sizes, parts, box, notes
    true: x\nname: a\n                                           422 the document breaks its kind: "true" is not allowed here; allowed: name, colour, weight, made, spare, release, tags, sizes, parts, box, notes
    [1]: x\nname: a\n                                            400 the document cannot be read: a key must be text, not a collection, line 1, column 1
    ? {a: b}\n: x\nname: a\n                                     400 the document cannot be read: a key must be text, not a collection, line 1, column 3
    __proto__: x\nname: a\n                                      422 the document breaks its kind: "__proto__" is not allowed here; allowed: name, colour, weight, made, spare, release, tags, sizes, parts, box, notes
    a/b~c.d: x\nname: a\n                                        422 the document breaks its kind: "a/b~c.d" is not allowed here; allowed: name, colour, weight, made, spare, release, tags, sizes, parts, box, notes
    \tname: a\n                                                  400 the document cannot be read: a tab is used for indentation: use spaces, line 1, column 2
    name:\ta\n                                                   201 {"name":"a"}
    name: a\tb\n                                                 201 {"name":"a\tb"}
    name: \"a\\u0000b\"\n                                        201 {"name":"a\u0000b"}
    name: \"\\uD800\"\n                                          400 the document cannot be read: the escape names no character, line 1, column 8
    name: a\u{7}\n                                               400 the document cannot be read: the control character 0x07 is not allowed in YAML, line 1, column 8
    name: a\u{85}b\n                                             201 {"name":"ab"}
    \u{feff}name: a\n                                            201 {"name":"a"}
    name: \u{feff}a\n                                            400 the document cannot be read: a byte order mark stands inside the text: write it as "\uFEFF", line 1, column 7
    name: &x a\nnotes: *x\n                                      201 {"name":"a","notes":"a"}
    name: *x\n                                                   400 the document cannot be read: the alias *x refers to no anchor above it, line 1, column 7
    x: &x {colour: red}\nname: a\n                               422 the document breaks its kind: "x" is not allowed here; allowed: name, colour, weight, made, spare, release, tags, sizes, parts, box, notes
    <<: {colour: red}\nname: a\n                                 422 the document breaks its kind: "<<" is not allowed here; allowed: name, colour, weight, made, spare, release, tags, sizes, parts, box, notes
                                                                 422 the document breaks its kind: must be a mapping, found null
    # nothing\n                                                  422 the document breaks its kind: must be a mapping, found null
    just text\n                                                  422 the document breaks its kind: must be a mapping, found "just text"
    - a\n                                                        422 the document breaks its kind: must be a mapping, found a list
    name: |\n  two\n  lines\n                                    201 {"name":"two\nlines\n"}
    name: @a\n                                                   400 the document cannot be read: text cannot start with @: quote it, line 1, column 7
    name: a: b\n                                                 400 the document cannot be read: a mapping or a list cannot start here: start it on its own line, or quote text with ': ' in it, line 1, column 7
    name: [a, b\n                                                400 the document cannot be read: the closing bracket of this [ is missing, line 1, column 7
    name: \'a\n                                                  400 the document cannot be read: the closing quote of this text is missing, line 1, column 7
    name: {a: 1, a: 2}\n                                         400 the document cannot be read: the key "a" is there twice, line 1, column 14
    name: >2\n  x\n                                              201 {"name":"x\n"}
    "#);
    // Not UTF-8.
    let utf16: Vec<u8> = "\u{feff}name: a\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, what) in [
        (utf16, "UTF-16"),
        (b"name: \xff\n".to_vec(), "a wrong byte"),
        (b"name: \xc0\xae\n".to_vec(), "an overlong dot"),
        (b"name: \xed\xa0\x80\n".to_vec(), "a surrogate"),
    ] {
        let said = verdict(&ann, yaml(bytes)).await;
        assert!(said.starts_with("400 "), "{what}: {said}");
    }
    app.finish().await;
}

#[tokio::test]
async fn odd_json_has_one_meaning() {
    let app = with_gadgets().await;
    let ann = app.as_user("ann");
    let mut shown = String::new();
    for text in [
        r#"{"name": "a", "name": "b"}"#,
        r#"{"name": "a", "weight": 1e999}"#,
        r#"{"name": "a", "weight": NaN}"#,
        r#"{"name": "a", "weight": -0}"#,
        r#"{"name": "a", "weight": -0.0}"#,
        r#"{"name": "a", "weight": 340282366920938463463374607431768211456}"#,
        r#"{"name": "a", "weight": 18446744073709551615}"#,
        r#"{"name": "a", "weight": 1.0}"#,
        r#"{"name": "a", "weight": 0.1e1}"#,
        r#"{"name": "a\u0000b"}"#,
        r#"{"name": "\ud83d\ude00"}"#,
        r#"{"name": "\ud800"}"#,
        "{\"name\": \"a\tb\"}",
        "\u{feff}{\"name\": \"a\"}",
        r#"{"name": "a"} x"#,
        r#"{"name": 'a'}"#,
        r#"{"name": "a",}"#,
        "// x\n{\"name\": \"a\"}",
        r#"{"name": "no"}"#,
        r#"{"name": "1.10"}"#,
        r#"{"name": " a "}"#,
        r#"{"name": "a: b # c"}"#,
        r#"{"name": "a\nb\n"}"#,
        r#"{"name": ""}"#,
        r#"{"name": "- a"}"#,
        r#"{"name": "*a"}"#,
        r#"{"name": "\u2028\u0085"}"#,
        r#"{"__proto__": 1, "name": "a"}"#,
        r#"{"a/b~c": 1, "name": "a"}"#,
    ] {
        shown += &format!(
            "{:60} {}\n",
            text.escape_debug().to_string(),
            verdict(&ann, typed("application/json", text)).await
        );
    }
    insta::assert_snapshot!(shown, @r#"
    {\"name\": \"a\", \"name\": \"b\"}                           400 the body is not JSON: the key "name" is there twice, line 1, column 15
    {\"name\": \"a\", \"weight\": 1e999}                         400 the body is not JSON: the number 1e999 does not fit into 64 bits: quote it to keep it as text, line 1, column 25
    {\"name\": \"a\", \"weight\": NaN}                           400 the body is not JSON: expected a JSON value here, line 1, column 25
    {\"name\": \"a\", \"weight\": -0}                            201 {"name":"a","weight":-0.0}
    {\"name\": \"a\", \"weight\": -0.0}                          201 {"name":"a","weight":-0.0}
    {\"name\": \"a\", \"weight\": 340282366920938463463374607431768211456} 400 the body is not JSON: the number 340282366920938463463374607431768211456 does not fit into 64 bits: quote it to keep it as text, line 1, column 25
    {\"name\": \"a\", \"weight\": 18446744073709551615}          201 {"name":"a","weight":18446744073709551615}
    {\"name\": \"a\", \"weight\": 1.0}                           201 {"name":"a","weight":1.0}
    {\"name\": \"a\", \"weight\": 0.1e1}                         201 {"name":"a","weight":1.0}
    {\"name\": \"a\\u0000b\"}                                    201 {"name":"a\u0000b"}
    {\"name\": \"\\ud83d\\ude00\"}                               201 {"name":"😀"}
    {\"name\": \"\\ud800\"}                                      400 the body is not JSON: the escape names no character, line 1, column 11
    {\"name\": \"a\tb\"}                                         400 the body is not JSON: the control character 0x09 must be escaped, line 1, column 12
    \u{feff}{\"name\": \"a\"}                                    201 {"name":"a"}
    {\"name\": \"a\"} x                                          400 the body is not JSON: unexpected text behind the document's value, line 1, column 15
    {\"name\": \'a\'}                                            400 the body is not JSON: expected a JSON value here, line 1, column 10
    {\"name\": \"a\",}                                           400 the body is not JSON: expected a key in double quotes here, line 1, column 14
    // x\n{\"name\": \"a\"}                                      400 the body is not JSON: expected a JSON value here, line 1, column 1
    {\"name\": \"no\"}                                           201 {"name":"no"}
    {\"name\": \"1.10\"}                                         201 {"name":"1.10"}
    {\"name\": \" a \"}                                          201 {"name":" a "}
    {\"name\": \"a: b # c\"}                                     201 {"name":"a: b # c"}
    {\"name\": \"a\\nb\\n\"}                                     201 {"name":"a\nb\n"}
    {\"name\": \"\"}                                             201 {"name":""}
    {\"name\": \"- a\"}                                          201 {"name":"- a"}
    {\"name\": \"*a\"}                                           201 {"name":"*a"}
    {\"name\": \"\\u2028\\u0085\"}                               201 {"name":" "}
    {\"__proto__\": 1, \"name\": \"a\"}                          422 the document breaks its kind: "__proto__" is not allowed here; allowed: name, colour, weight, made, spare, release, tags, sizes, parts, box, notes
    {\"a/b~c\": 1, \"name\": \"a\"}                              422 the document breaks its kind: "a/b~c" is not allowed here; allowed: name, colour, weight, made, spare, release, tags, sizes, parts, box, notes
    "#);
    app.finish().await;
}

#[tokio::test]
async fn texts_come_back_byte_by_byte() {
    let app = with_gadgets().await;
    let ann = app.as_user("ann");
    for text in [
        "name: 'no'\r\nrelease: \"1.10\"  # x\r\nnotes: |\r\n  010\r\n",
        "name: a",
        "name: a\n\n\n# end",
        "\u{feff}name: a\n",
        "{ name: a, notes: \"1e3\" }\n",
        "# 語\nname: 'ünï'\n",
        "---\nname: a\n...\n",
        "name: a   \nnotes:   'x'\n",
        "{\"name\": \"a\", \"weight\": 1.50}",
    ] {
        let made = ann.post(GADGETS, yaml(text)).await.expect(201);
        let read = ann.header("accept", "application/yaml").get(made.header("location")).await.expect(200);
        assert_eq!(read.body, text.as_bytes(), "{text:?}");
        let path = made.inner()["path"].as_str().expect("a path").to_owned();
        assert_eq!(std::fs::read(app.tree("ann/lab").join(&path)).expect("it is on disk"), text.as_bytes());
        // A change elsewhere leaves all of it alone.
        let patched = ann.at(&made.etag()).patch(made.header("location"), json!({ "colour": "red" })).await.expect(200);
        let content = patched.inner()["content"].clone();
        let mut before = made.inner()["content"].clone();
        before["colour"] = json!("red");
        assert_eq!(content, before, "{text:?}");
        let back = ann.at("*").patch(made.header("location"), json!({ "colour": null })).await.expect(200);
        assert_eq!(back.inner()["content"], made.inner()["content"], "{text:?}");
        ann.at("*").delete(made.header("location")).await.expect(204);
    }
    app.finish().await;
}

#[tokio::test]
async fn large_documents_are_bounded() {
    let app = with_gadgets().await;
    let ann = app.as_user("ann");
    let file = "/api/v1/workspaces/ann/lab/files/gadgets/a/large.yml";
    let started = std::time::Instant::now();
    // One line, as large as a body may be; many lines; many keys.
    let most = 10 << 20;
    let line = format!("name: large\nnotes: {}\n", "word ".repeat((most - 100) / 5).trim_end());
    let lines = format!("name: large\nnotes: |\n{}", "  word word word\n".repeat(60_000));
    for (client, text) in [(ann.clone(), line), (ann.at("*"), lines)] {
        assert!(text.len() <= most);
        let put = client.put(file, raw(text.clone())).await;
        assert!(matches!(put.status, 200 | 201), "{:.300}", put.text());
        let read = ann.header("accept", "application/yaml").get("/api/v1/gadgets/large").await.expect(200);
        assert_eq!(read.body.len(), text.len());
        assert_eq!(ann.get("/api/v1/gadgets?q=word&fields=name").await.expect(200).json()["_meta"]["count"], 1);
    }
    let large = ann.get("/api/v1/gadgets?fields=name").await.expect(200);
    assert!(large.body.len() < 500);
    ann.at("*").patch("/api/v1/gadgets/large", json!({ "colour": "red" })).await.expect(200);
    let keys: String = (0..20_000).map(|at| format!("k{at}: {at}\n")).collect();
    let refused = ann.at("*").put(file, raw(keys)).await;
    assert!(matches!(refused.status, 400 | 413 | 422), "{:.300}", refused.text());
    assert!(refused.body.len() < 100_000, "{} bytes of violations", refused.body.len());
    ann.at("*").put(file, raw(vec![b'x'; most + 1])).await.expect(413);
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
    app.finish().await;
}

#[tokio::test]
async fn a_pattern_that_backtracks_does_not() {
    let app = with_gadgets().await;
    let ann = app.as_user("ann");
    let started = std::time::Instant::now();
    ann.post(GADGETS, json!({ "name": "a", "notes": "a".repeat(50_000) + "!" })).await.expect(201);
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    app.finish().await;
}

#[tokio::test]
async fn patches_that_want_too_much() {
    let app = with_gadgets().await;
    let ann = app.as_user("ann");
    let made = ann.post(GADGETS, json!({ "name": "a", "parts": [[1]] })).await.expect(201);
    let address = made.header("location").to_owned();
    let head = app.head("ann/lab");
    // Doubles with each step.
    let doubling: Vec<Value> = (0..60).map(|_| json!({ "op": "copy", "from": "/parts", "path": "/parts/-" })).collect();
    let mut deep = json!(null);
    for _ in 0..100 {
        deep = json!({ "a": deep });
    }
    let nested: Vec<Value> = (0..5_000)
        .map(|at| json!({ "op": "add", "path": format!("/parts/0{}", "/0".repeat(at + 1)), "value": [1] }))
        .collect();
    for (operations, what) in [(Value::Array(doubling), "doubling"), (Value::Array(nested), "nested")] {
        let started = std::time::Instant::now();
        let answer = ann.at("*").patch(&address, typed("application/json-patch+json", operations.to_string())).await;
        assert!(matches!(answer.status, 400 | 409 | 413 | 422), "{what}: {} {:.200}", answer.status, answer.text());
        assert!(started.elapsed().as_secs() < 10, "{what}: {:?}", started.elapsed());
    }
    ann.at("*").patch(&address, json!({ "box": deep })).await.expect(400);
    assert_eq!(app.head("ann/lab"), head);
    app.finish().await;
}
