//! Real descriptors, when they are at hand.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::resource::document::{Format, edit, parse, positions, render, same};

#[expect(clippy::print_stdout, reason = "says why nothing is tested")]
fn files() -> Vec<PathBuf> {
    let Some(data) = std::env::var_os("WORKLEAF_REFERENCE_DATA") else {
        println!("skipped: WORKLEAF_REFERENCE_DATA is not set");
        return Vec::new();
    };
    let mut files = Vec::new();
    for folder in ["sonata/projects", "madmp/examples"] {
        walk(&Path::new(&data).join(folder), &mut files);
    }
    files.retain(|path| Format::of(&path.to_string_lossy()).is_some());
    assert!(files.len() > 30, "{data:?} holds {} documents", files.len());
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Calls `each` with every scalar and its pointer.
fn scalars(value: &Value, pointer: &str, each: &mut impl FnMut(&str)) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| scalars(item, &format!("{pointer}/{at}"), each));
        }
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            scalars(item, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), each);
        }),
        _ => each(pointer),
    }
}

#[test]
fn one_scalar_is_one_line() {
    for path in files() {
        let format = Format::of(&path.to_string_lossy()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let old = parse(format, text.as_bytes()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        if format == Format::Yaml {
            assert_eq!(old, serde_yaml::from_str::<Value>(&text).unwrap(), "{path:?}");
        } else {
            assert!(same(&old, &serde_json::from_str(&text).unwrap()), "{path:?}");
        }
        assert_eq!(parse(format, render(format, &old).as_bytes()).unwrap(), old, "{path:?}");
        assert_eq!(edit(format, &text, &old).unwrap(), text, "{path:?}");
        let found = positions(format, &text);
        let mut pointers = Vec::new();
        scalars(&old, "", &mut |pointer| pointers.push(pointer.to_owned()));
        for pointer in pointers {
            let mut new = old.clone();
            let value = new.pointer_mut(&pointer).unwrap();
            let long = value.as_str().is_some_and(|text| text.contains('\n') || text.len() > 60);
            *value = "changed".into();
            let edited = edit(format, &text, &new).unwrap();
            assert_eq!(parse(format, edited.as_bytes()).unwrap(), new, "{path:?} {pointer}");
            let (before, after): (Vec<_>, Vec<_>) = (text.lines().collect(), edited.lines().collect());
            if !long || before.len() == after.len() {
                let changed: Vec<_> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
                assert!(long || changed.len() == 1, "{path:?} {pointer}");
                assert_eq!(changed[0] + 1, found.locate(&pointer).0 as usize, "{path:?} {pointer}");
            } else {
                assert!(long, "{path:?} {pointer} changes more than one line");
            }
        }
    }
}
