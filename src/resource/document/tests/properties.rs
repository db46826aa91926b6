use proptest::prelude::*;
use serde_json::{Map, Number, Value};

use crate::resource::document::{Format, edit, parse, positions, render, same};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,6}",
        2 => "[ -~]{0,12}",
        1 => "[a-zé\u{85}\u{2028}\u{feff}😀\\n\\t :#'\"\\\\-]{0,12}",
        1 => "([a-z ]{0,8}\\n){1,4}",
        1 => "([a-z ]{0,8}\\n){1,3}[a-z]{1,3}",
        1 => prop::sample::select(vec![
            "yes", "no", "null", "~", "1.10", "010", "1e3", "0x1f", "2024-01-01", "12:30", "- a", "? b", "a: b", "a #b",
            "---", "...", "|", ">", "&a", "*a", "!t", "<<", "=", "", " ", ".inf", "99999999999999999999999",
        ]).prop_map(str::to_owned),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-9i64..9).prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |float| Number::from_f64(float).map(Value::Number)),
        text().prop_map(Value::String),
        text().prop_map(Value::String),
        text().prop_map(Value::String),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((text(), inner.clone()), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            ("[a-c]", prop::collection::vec(("[a-d]", inner), 0..4)).prop_map(|(id, members)| {
                let mut map: Map<_, _> = members.into_iter().collect();
                map.insert("id".into(), id.into());
                Value::Object(map)
            }),
        ]
    })
}

/// A value and one that differs in places.
fn versions() -> impl Strategy<Value = (Value, Value)> {
    value().prop_flat_map(|old| (Just(old.clone()), changed(old)))
}

fn changed(old: Value) -> BoxedStrategy<Value> {
    let inner = match old.clone() {
        Value::Array(items) => {
            let kept = items.into_iter().map(|item| {
                prop_oneof![3 => Just(vec![item.clone()]), 1 => Just(vec![]), 1 => changed(item.clone()).prop_map(|i| vec![i]),
                    1 => scalar().prop_map(move |new| vec![new, item.clone()])]
            });
            (kept.collect::<Vec<_>>(), prop::collection::vec(value(), 0..2), any::<bool>())
                .prop_map(|(kept, more, turn)| {
                    let mut items: Vec<_> = kept.into_iter().flatten().chain(more).collect();
                    if turn && items.len() > 1 {
                        items.rotate_left(1);
                    }
                    Value::Array(items)
                })
                .boxed()
        }
        Value::Object(map) => {
            let kept = map.into_iter().map(|(key, item)| {
                prop_oneof![3 => Just(Some((key.clone(), item.clone()))), 1 => Just(None),
                    1 => changed(item).prop_map(move |item| Some((key.clone(), item)))]
            });
            (kept.collect::<Vec<_>>(), prop::collection::vec((text(), value()), 0..2))
                .prop_map(|(kept, more)| Value::Object(more.into_iter().chain(kept.into_iter().flatten()).collect()))
                .boxed()
        }
        _ => value().boxed(),
    };
    prop_oneof![6 => inner, 1 => value()].boxed()
}

/// Rendered text with comments, blank lines, other quotes and line ends: what people make of it.
fn dressed(value: &Value, seed: u64) -> String {
    let text = render(Format::Yaml, value);
    let mut out = String::new();
    let mut bits = seed;
    let mut next = |of: u64| {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (bits >> 33) % of
    };
    let mut in_block: Option<usize> = None;
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if in_block.is_some_and(|column| indent > column || line.trim().is_empty()) {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        in_block = None;
        match next(5) {
            0 => out.push_str(&format!("{}# comment {number}\n", " ".repeat(indent))),
            1 => out.push('\n'),
            _ => {}
        }
        out.push_str(line);
        let content = line.trim_end_matches(['+', '-']).trim_end_matches(|c: char| c.is_ascii_digit());
        let block = content.ends_with(" |") || content == "|";
        if block {
            in_block = Some(line.len() - line.trim_start_matches([' ', '-', '?']).len().min(line.len()));
            in_block = in_block.map(|column| column.min(indent));
        } else if next(4) == 0 {
            out.push_str(&format!("  # note {number}"));
        }
        out.push('\n');
    }
    match next(4) {
        0 => out.replace('\n', "\r\n"),
        1 => out.trim_end_matches('\n').to_owned(),
        _ => out,
    }
}

fn comments(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| line.starts_with("# comment")).collect()
}

proptest! {
    #[test]
    fn parse_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in [Format::Yaml, Format::Json] {
            let _ = parse(format, &bytes);
        }
    }

    #[test]
    fn nothing_panics_on_what_looks_like_yaml(text in "[-a\n :?&*!|>'\"%@\\[\\]{},#0\\\\\té.]{0,60}", new in value()) {
        for format in [Format::Yaml, Format::Json] {
            let found = positions(format, &text);
            found.locate("/a/0");
            if let Ok(old) = parse(format, text.as_bytes()) {
                prop_assert_eq!(&edit(format, &text, &old).unwrap(), &text);
                let edited = edit(format, &text, &new).unwrap();
                prop_assert!(same(&parse(format, edited.as_bytes()).unwrap(), &new), "{:?}\n{:?}", text, edited);
            }
        }
    }

    /// Wherever both take a text, they read the same.
    #[test]
    fn agrees_with_serde_yaml(text in "([-a?&x:*]{1,2}[\n ]{1,2}|[a-c]: |- |\n  |\n|'a'|\"b\"|\\[|\\]|\\{|\\}|, |# c\n|1\\.10|~|d: >\n|d: \\|\n){0,14}") {
        let ours = parse(Format::Yaml, text.as_bytes());
        let theirs = serde_yaml::from_str::<Value>(&text);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours, theirs, "{:?}", text);
        }
    }

    #[test]
    fn what_is_rendered_reads_back(value in value()) {
        for format in [Format::Yaml, Format::Json] {
            let text = render(format, &value);
            prop_assert_eq!(&parse(format, text.as_bytes()).unwrap(), &value, "{}", text);
        }
        let text = render(Format::Yaml, &value);
        let theirs = serde_yaml::from_str::<Value>(&text);
        prop_assert_eq!(theirs.as_ref().ok(), Some(&value), "{}\n{:?}", text, theirs);
    }

    #[test]
    fn edits_are_right((old, new) in versions(), seed in any::<u64>()) {
        let text = dressed(&old, seed);
        let read = parse(Format::Yaml, text.as_bytes());
        prop_assume!(read.as_ref() == Ok(&old));
        prop_assert_eq!(&edit(Format::Yaml, &text, &old).unwrap(), &text);
        let edited = edit(Format::Yaml, &text, &new).unwrap();
        let again = parse(Format::Yaml, edited.as_bytes()).unwrap();
        prop_assert!(same(&again, &new), "{}\n---\n{}", text, edited);
        let text = if seed % 2 == 0 { render(Format::Json, &old) } else { old.to_string() };
        let edited = edit(Format::Json, &text, &new).unwrap();
        prop_assert!(same(&parse(Format::Json, edited.as_bytes()).unwrap(), &new), "{}\n---\n{}", text, edited);
    }

    /// A changed scalar or a new member leaves every comment where it is.
    #[test]
    fn comments_survive(old in prop::collection::vec(("[a-e]{1,3}", value()), 1..5), seed in any::<u64>(), new in "[a-z]{1,5}") {
        let old: Map<String, Value> = old.into_iter().collect();
        let text = dressed(&Value::Object(old.clone()), seed);
        prop_assume!(parse(Format::Yaml, text.as_bytes()) == Ok(Value::Object(old.clone())));
        let mut value = Value::Object(old);
        value["zz_new"] = new.clone().into();
        let edited = edit(Format::Yaml, &text, &value).unwrap();
        prop_assert_eq!(comments(&edited), comments(&text), "{}\n---\n{}", text, edited);
        prop_assert!(edited.starts_with(text.trim_end()), "{}\n---\n{}", text, edited);
        let first = value.as_object().unwrap().iter().find(|(_, v)| !v.is_object() && !v.is_array()).map(|(k, _)| k.clone());
        if let Some(first) = first {
            value[first] = new.into();
            let twice = edit(Format::Yaml, &edited, &value).unwrap();
            prop_assert_eq!(comments(&twice), comments(&text), "{}\n---\n{}", edited, twice);
        }
    }
}
