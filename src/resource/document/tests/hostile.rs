use std::time::{Duration, Instant};

use crate::resource::document::Format::{Json, Yaml};
use crate::resource::document::{Format, edit, parse, positions};

/// Refused with this message at this place.
fn refused(format: Format, text: impl AsRef<[u8]>, message: &str, line: u32, column: u32) {
    let text = text.as_ref();
    let shown = String::from_utf8_lossy(&text[..text.len().min(200)]).into_owned();
    let error = match parse(format, text) {
        Ok(_) => panic!("taken: {shown}"),
        Err(error) => error,
    };
    assert!(error.message.contains(message), "{error}\n{shown}");
    assert_eq!((error.line, error.column), (line, column), "{error}\n{shown}");
}

#[test]
fn encodings() {
    refused(Yaml, b"a: 1\nb: \xff\n", "0xff is not UTF-8", 2, 4);
    refused(Json, b"\"\xc3\"", "not UTF-8", 1, 2);
    refused(Yaml, b"\xff\xfea\0:\0", "UTF-16", 1, 1);
    refused(Yaml, b"\xfe\xff\0a", "UTF-16", 1, 1);
    refused(Yaml, b"a\0:\0 \0", "UTF-16", 1, 1);
    refused(Yaml, "a: x\0y", "control character 0x00", 1, 5);
    refused(Yaml, "a: x\x1b[31m", "control character 0x1b", 1, 5);
    refused(Yaml, "a: b\rc: d", "carriage return", 1, 5);
    refused(Yaml, "a: b\nc: \u{feff}d", "byte order mark", 2, 4);
}

#[test]
fn what_json_cannot_hold() {
    refused(Yaml, "a: .inf", "quote it", 1, 4);
    refused(Yaml, "a: [-.INF]", "quote it", 1, 5);
    refused(Yaml, "a: .nan", "quote it", 1, 4);
    refused(Yaml, "a: 18446744073709551616", "quote it", 1, 4);
    refused(Yaml, "a: -9223372036854775809", "quote it", 1, 4);
    refused(Yaml, "a: 0x1ffffffffffffffff", "quote it", 1, 4);
    refused(Yaml, format!("a: {}", "9".repeat(60)), "quote it", 1, 4);
    refused(Yaml, "? [a]\n: b", "key must be text", 1, 3);
    refused(Yaml, "{a: b}: c", "key must be text", 1, 1);
    refused(Yaml, "? - a\n: b", "key must be text", 1, 1);
    refused(Yaml, "a: &x [1]\n*x : 1", "key must be text", 2, 1);
}

#[test]
fn structure() {
    refused(Yaml, "a: 1\nb: 2\na: 3\n", "\"a\" is there twice", 3, 1);
    refused(Yaml, "x: {a: 1, 'a': 2}", "twice", 1, 11);
    refused(Yaml, "1: a\n'1': b", "twice", 2, 1);
    refused(Yaml, "a: 1\n---\nb: 2\n", "more than one document", 2, 1);
    refused(Yaml, "a: 1\n---\n", "more than one document", 2, 1);
    refused(Yaml, "a: 1\n...\nb: 2\n", "more than one document", 3, 1);
    refused(Yaml, "a: \"x\n---\n\"", "more than one document", 2, 1);
    refused(Yaml, "a: !!python/object/apply:os.system [ls]", "tag", 1, 4);
    refused(Yaml, "a: !Ref b", "tag", 1, 4);
    refused(Yaml, "- ! a", "tag", 1, 3);
    refused(Yaml, "- !!binary YQ==", "tag", 1, 3);
    refused(Yaml, "- !!int x", "not an integer", 1, 3);
    refused(Yaml, "%TAG ! tag:x:\n---\na", "tag directives", 1, 1);
    refused(Yaml, "a: *b", "refers to no anchor", 1, 4);
    refused(Yaml, "a: &b 1\n*b: 2", "put a blank before it", 2, 1);
    refused(Yaml, "a: &b [*b]", "inside the value", 1, 8);
    refused(Yaml, "a: &b &c d", "one anchor", 1, 7);
    refused(Yaml, "a:\n\tb: 1", "tab", 2, 2);
    refused(Yaml, "a: 1\n  b: 2", "': '", 2, 4);
    refused(Yaml, "a:\n  b: 1\n c: 2", "indentation", 3, 2);
    refused(Yaml, "a: b: c", "cannot start here", 1, 4);
    refused(Yaml, "a: - b", "cannot start here", 1, 4);
    refused(Yaml, "a: 'b' c", "unexpected text", 1, 8);
    refused(Yaml, "a: [b", "closing bracket", 1, 4);
    refused(Yaml, "a: [b c: d e\n", "closing bracket", 1, 4);
    refused(Yaml, "a: 'b", "closing quote", 1, 4);
    refused(Yaml, "a: \"\\q\"", "escape", 1, 5);
    refused(Yaml, "a: @b", "quote it", 1, 4);
    refused(Yaml, "a: %b", "quote it", 1, 4);
}

#[test]
fn depth() {
    let deep = 100_000;
    for (format, text) in [
        (Yaml, "[".repeat(deep)),
        (Yaml, "{a: ".repeat(deep)),
        (Yaml, "- ".repeat(deep)),
        (Yaml, "[".repeat(deep) + &"]".repeat(deep)),
        (Yaml, (0..3000).map(|at| " ".repeat(at) + "a:\n").collect()),
        (Json, "[".repeat(deep)),
        (Json, "{\"a\":".repeat(deep)),
    ] {
        let error = parse(format, text.as_bytes()).expect_err("deep");
        assert!(error.message.contains("deeper than 64"), "{error}");
        assert_eq!(positions(format, &text).locate("/a"), (1, 1));
    }
    assert!(parse(Yaml, "? ".repeat(deep).as_bytes()).is_err());
    for format in [Yaml, Json] {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parse(format, nested(64).as_bytes()).is_ok());
        assert!(parse(format, nested(65).as_bytes()).is_err());
    }
}

#[test]
fn aliases_have_a_budget() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let text = "x".repeat(32_000);
    for text in [
        laughs,
        format!("a: &a {text}\nb: [{}]", "*a, ".repeat(4000)),
        format!("a: &a {text}\nb: [{}]", "{*a : 1}, ".repeat(4000)),
        format!("p: [{}]\na: &a [{}]\nb: [{}]", "1, ".repeat(200_000), "1, ".repeat(500), "*a, ".repeat(40_000)),
        format!(
            "{}{}{}",
            (0..60).map(|at| format!("&a{at} [")).collect::<String>(),
            "1, ".repeat(50_000),
            "]".repeat(60)
        ),
    ] {
        let start = Instant::now();
        assert!(parse(Yaml, text.as_bytes()).is_err());
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    let honest = format!(
        "a: &a {{{}}}\nb: [{}]",
        (0..50).map(|at| format!("k{at}: v, ")).collect::<String>(),
        "*a, ".repeat(500)
    );
    assert!(parse(Yaml, honest.as_bytes()).is_ok());
}

#[test]
fn values_are_counted() {
    let message = "more than 500000 values";
    refused(Yaml, "-\n".repeat(500_000), message, 1, 1);
    refused(Json, format!("[{}1]", "1,".repeat(500_000)), message, 1, 1_000_002);
    refused(
        Yaml,
        format!("a: &a [{}]\nb: [{}]\nc: [{}]", "1, ".repeat(900), "*a, ".repeat(100), "1, ".repeat(420_000)),
        message,
        3,
        1_226_999,
    );
    assert!(parse(Yaml, "-\n".repeat(499_999).as_bytes()).is_ok());
}

/// Megabytes of one thing: the time must grow with the text. Unoptimised code is slow, so the
/// bound only tells linear from quadratic.
#[test]
fn large_files_take_linear_time() {
    let comments = "#x\n".repeat(1000);
    for (format, text) in [
        (Yaml, (0..50_000).map(|at| format!("key{at}: 1\n")).collect::<String>()),
        (Json, format!("{{{}\"z\":1}}", (0..50_000).map(|at| format!("\"key{at}\":1,")).collect::<String>())),
        (Yaml, format!("a: {}", "x".repeat(10_000_000))),
        (Yaml, format!("a: \"{}\"", " \n x".repeat(250_000))),
        (Yaml, format!("a: x{}", "\n\n\n#".repeat(250_000))),
        (Yaml, format!("a: x{}", "\n y".repeat(250_000))),
        (Yaml, format!("[{}1]", "1,".repeat(250_000))),
        (Json, format!("[{}1]", "1,".repeat(250_000))),
        (Yaml, format!("a: |\n{}", "  x\n".repeat(250_000))),
        (Yaml, format!("a: |\n{}b: 1", "\n".repeat(250_000))),
        (Yaml, "-\n".repeat(250_000)),
        (Yaml, format!("a: '{}'", "''".repeat(500_000))),
        (Yaml, (0..200).map(|at| format!("k{at}: v\n{comments}")).collect::<String>()),
        (Yaml, (0..30_000).map(|at| format!("- &a{at} x\n")).collect::<String>()),
    ] {
        let start = Instant::now();
        let read = parse(format, text.as_bytes());
        assert!(read.is_ok(), "{:?} {}", read.err(), &text[..50]);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?} {}", start.elapsed(), &text[..50]);
    }
}

#[test]
fn edits_of_large_files_take_linear_time() {
    let bump = |value: &mut serde_json::Value| match value {
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| item["x"] = 2.into()),
        _ => *value = 2.into(),
    };
    for (format, text) in [
        (Json, format!("[{}{{\"x\":1}}]", "{\"x\":1},".repeat(10_000))),
        (Yaml, format!("[{}{{x: 1}}]", "{x: 1}, ".repeat(10_000))),
        (Yaml, "- x: 1\n".repeat(10_000)),
        (Yaml, (0..10_000).map(|at| format!("- x: &a{at} 1\n")).collect::<String>() + "- x: *a0\n"),
        (Yaml, format!("{}- x: {}\n", "- x: {}\n".repeat(5_000), "text ".repeat(100_000))),
    ] {
        let mut new = parse(format, text.as_bytes()).unwrap();
        bump(&mut new);
        let start = Instant::now();
        let edited = edit(format, &text, &new).unwrap();
        assert_eq!(parse(format, edited.as_bytes()).unwrap(), new);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?} {}", start.elapsed(), &text[..50]);
    }
    // Lists that have nothing in common.
    let long = |item: &str| format!("[{}]", vec![item; 5_000].join(","));
    for (old, new) in [(long("1"), long("{\"a\":1}")), (long("{\"a\":[1]}"), long("{\"a\":[2]}"))] {
        let new = parse(Json, new.as_bytes()).unwrap();
        let start = Instant::now();
        assert!(edit(Json, &old, &new).is_ok());
        assert!(edit(Yaml, &old, &new).is_ok());
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
