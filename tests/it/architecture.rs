//! Laws about the tree itself: who may import whom, which layer alone says which library, that the
//! map names only what is there.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, inner rings first. A layer uses itself and every ring before its own, never a
/// neighbour in its ring.
const RINGS: &[&[&str]] = &[
    &["base"],
    &["resource"],
    &["config"],
    &["outside"],
    &["store", "index", "state"],
    &["engine"],
    &["auth", "github"],
    &["http"],
    &["dialect/dci", "dialect/dmp", "dialect/editor", "dialect/rest", "git_http", "kinds"],
    &["server"],
    &["app"],
    &["control"],
    &["cli"],
];

/// Libraries that one place alone may name.
const CONFINED: &[(&str, &str)] =
    &[("git2", "store"), ("notify", "store"), ("tantivy", "index"), ("std::env", "config"), ("oauth2", "github")];

const LINES_MOST: usize = 400;

#[test]
fn imports_point_inwards() {
    let mut wrong = String::new();
    for file in sources() {
        let Some(layer) = file.layer() else { continue };
        let Some(ring) = ring_of(&layer) else {
            let _ = writeln!(wrong, "{}: the layer {layer:?} is in no ring", file.name);
            continue;
        };
        for (line, target) in file.imports() {
            let allowed = target == layer || ring_of(&target).is_some_and(|of_target| of_target < ring);
            if !allowed {
                let _ = writeln!(wrong, "{}:{line}: {layer} may not use {target}", file.name);
            }
        }
        for line in file.climbs_out() {
            let _ = writeln!(wrong, "{}:{line}: leaves its layer by super::, write crate::", file.name);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_ring_member_is_there() {
    let missing: Vec<&str> = RINGS
        .iter()
        .flat_map(|ring| ring.iter().copied())
        .filter(|layer| !root().join("src").join(layer).is_dir() && !root().join(format!("src/{layer}.rs")).is_file())
        .collect();
    assert!(missing.is_empty(), "rings without a layer: {missing:?}");
}

#[test]
fn libraries_are_named_in_one_layer_only() {
    let mut wrong = String::new();
    for file in sources() {
        for (line, text) in file.code() {
            for (library, home) in CONFINED {
                let is_home = file.name.strip_prefix("src/").is_some_and(|rest| {
                    rest.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                });
                // Tests have settings of their own, such as where reference data lie.
                let is_excused = *library == "std::env" && file.is_test();
                if !is_home && !is_excused && says(text, library) {
                    let _ = writeln!(wrong, "{}:{line}: only src/{home} says {library}", file.name);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn files_are_short() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|file| (file.text.lines().count(), file.name))
        .filter(|(lines, _)| *lines > LINES_MOST)
        .map(|(lines, name)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "longer than {LINES_MOST} lines: {long:#?}");
}

#[test]
fn nothing_unwraps_outside_tests() {
    let mut wrong = String::new();
    for file in sources().into_iter().filter(|file| !file.is_test()) {
        for (line, text) in file.code_without_tests() {
            if text.contains(".unwrap()") {
                let _ = writeln!(wrong, "{}:{line}: unwrap()", file.name);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_map_names_only_what_is_there() {
    let map = fs::read_to_string(root().join("src/ARCHITECTURE.md")).expect("src/ARCHITECTURE.md is there");
    let named = [named_in_text(&map), named_in_trees(&map)].concat();
    assert!(named.len() > 10, "the map names hardly anything: {named:?}");
    let absent: Vec<&String> =
        named.iter().filter(|path| !root().join(path).exists() && !root().join("src").join(path).exists()).collect();
    assert!(absent.is_empty(), "src/ARCHITECTURE.md names what is not there: {absent:#?}");
}

#[test]
fn the_top_level_is_as_agreed() {
    const AGREED: [&str; 12] = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "config.yaml",
        "deploy",
        "scripts",
        "src",
        "templates",
        "tests",
        "workspaces",
    ];
    let mut found: Vec<String> = fs::read_dir(root())
        .expect("the repository can be read")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        // cargo's own folder is ignored by git.
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    found.sort();
    assert_eq!(found, AGREED);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn ring_of(layer: &str) -> Option<usize> {
    RINGS.iter().position(|ring| ring.contains(&layer))
}

struct Source {
    /// From the repository's root, as in `src/engine/read.rs`.
    name: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let mut found = crate::reference::files(&root().join("src"), &|path: &Path| {
        path.extension().is_some_and(|extension| extension == "rs")
    });
    found.sort();
    let name = |path: &PathBuf| path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
    found
        .iter()
        .map(|path| Source { name: name(path), text: fs::read_to_string(path).expect("a source can be read") })
        .collect()
}

impl Source {
    /// `engine`, `dialect/rest`; none for `lib.rs`, `main.rs` and the list of dialects.
    fn layer(&self) -> Option<String> {
        let path = self.name.strip_prefix("src/")?.strip_suffix(".rs")?;
        let mut parts = path.split('/');
        let first = parts.next()?;
        match (first, parts.next()) {
            ("lib" | "main", None) | ("dialect", Some("mod")) => None,
            ("dialect", Some(dialect)) => Some(format!("dialect/{dialect}")),
            _ => Some(first.to_owned()),
        }
    }

    /// Lines without comments, numbered from 1.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(at, line)| (at + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// As [`Source::code`] up to the inline tests, which end a file.
    fn code_without_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let end = lines
            .windows(2)
            .position(|pair| pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{'));
        self.code().take_while(move |(line, _)| end.is_none_or(|end| *line <= end))
    }

    fn is_test(&self) -> bool {
        self.name.ends_with("tests.rs") || self.name.contains("/tests/")
    }

    /// What `crate::` leads to, with lines: `engine`, `dialect/rest`.
    fn imports(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let code: Vec<(usize, &str)> = self.code().collect();
        for (at, (line, text)) in code.iter().enumerate() {
            for (start, _) in text.match_indices("crate::") {
                let follows: String = text[start + "crate::".len()..].to_owned();
                let rest = code[at + 1..].iter().take(20).fold(follows, |rest, (_, next)| rest + next);
                for first in heads(&rest) {
                    let target = match first.strip_prefix("dialect::") {
                        Some(below) => {
                            heads(below).into_iter().map(|dialect| format!("dialect/{}", word(&dialect))).collect()
                        }
                        None => vec![word(&first).to_owned()],
                    };
                    found.extend(target.into_iter().map(|target| (*line, target)));
                }
            }
        }
        found
    }

    /// Lines whose `super::`s climb to the crate, where any layer could be named.
    fn climbs_out(&self) -> Vec<usize> {
        let path = self.name.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        let depth = path.split('/').count();
        let reaches = "super::".repeat(depth);
        let is_climbing = |text: &str| text.contains(&reaches);
        self.code_without_tests().filter(|(_, text)| is_climbing(text)).map(|(line, _)| line).collect()
    }
}

/// The paths of a use tree: of `{a::b, c}` `a::b` and `c`, of `a::b;` the one.
fn heads(tree: &str) -> Vec<String> {
    let Some(inner) = tree.strip_prefix('{') else { return vec![tree.to_owned()] };
    let mut depth = 1;
    let mut parts = vec![String::new()];
    for c in inner.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Whether a line names a library: `git2::`, `use git2;`, not `my_git2`.
fn says(line: &str, library: &str) -> bool {
    line.match_indices(library).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = &line[at + library.len()..];
        let is_word = before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '"'));
        is_word && (after.starts_with("::") || (line.trim_start().starts_with("use ") && after.starts_with([';', ' '])))
    })
}

/// What looks like a path of this repository in `code` and [links](to/files).
fn named_in_text(map: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_fenced = false;
    for line in map.lines() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
            continue;
        }
        if is_fenced {
            continue;
        }
        let code = line.split('`').skip(1).step_by(2);
        let links = line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
        found.extend(code.chain(links).filter(|token| is_path(token)).map(str::to_owned));
    }
    found
}

fn is_path(token: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if token.starts_with(['/', '.']) || !token.chars().all(plain) {
        return false;
    }
    let first = token.split('/').next().unwrap_or_default();
    let is_below = token.contains('/') && (root().join(first).is_dir() || root().join("src").join(first).is_dir());
    is_below || token.ends_with(".rs") || (token.ends_with('/') && !token.starts_with("workspaces/"))
}

/// The entries of indented trees in fenced blocks that begin with `src/`.
fn named_in_trees(map: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in map.split("```").skip(1).step_by(2) {
        let mut lines = block.lines().skip(1).filter(|line| !line.trim().is_empty()).peekable();
        if lines.peek().is_none_or(|first| !first.starts_with("src/")) {
            continue;
        }
        let mut above: Vec<(usize, String)> = Vec::new();
        for line in lines {
            let indent = line.len() - line.trim_start().len();
            above.retain(|(column, _)| *column < indent);
            let base: String = above.iter().map(|(_, name)| name.as_str()).collect();
            let is_entry = |token: &&str| token.ends_with('/') || token.ends_with(".rs") || token.ends_with(".md");
            for token in line.split_whitespace().take_while(is_entry) {
                found.push(format!("{base}{token}"));
                if token.ends_with('/') {
                    above.retain(|(column, _)| *column < indent);
                    above.push((indent, token.to_owned()));
                }
            }
        }
    }
    found
}
