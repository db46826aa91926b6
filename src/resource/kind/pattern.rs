//! Where a kind's files live: `projects/{project}/sources/nsd/*.yml`.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use crate::resource::key::{FilePath, shard};
use crate::resource::kind::spelling::is_slug;

/// A pattern over paths. `{name}` captures one or more characters of a segment, `*` stands for
/// any characters of a segment, a whole segment `**` for any number of folders. As in a shell,
/// a name that starts with a dot is only matched by a pattern that spells the dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Arc<str>,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    AnyDepth,
    Parts(Vec<Part>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    Capture(Arc<str>),
    Star,
}

/// What a pattern's captures stand for in one path, in the pattern's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captures(pub(super) Vec<(Arc<str>, Arc<str>)>);

impl Captures {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| **n == *name).map(|(_, value)| &**value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// Captures that are no fields: they are the id or follow from other things.
pub(super) const DERIVED_CAPTURES: [&str; 3] = ["id", "shard", "slug"];

impl Pattern {
    /// Reads a pattern or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = |why: &str| Err(format!("the pattern {text:?} {why}"));
        let mut segments = Vec::new();
        for segment in text.split('/') {
            if segment == "**" {
                segments.push(Segment::AnyDepth);
                continue;
            }
            match parts_of(segment) {
                Ok(parts) => segments.push(Segment::Parts(parts)),
                Err(why) => return bad(why),
            }
        }
        let pattern = Pattern { text: text.into(), segments };
        let names: Vec<_> = pattern.capture_names().collect();
        if let Some(twice) = names.iter().enumerate().find_map(|(at, name)| names[..at].contains(name).then_some(name))
        {
            return bad(&format!("captures {{{twice}}} twice"));
        }
        if names.contains(&"shard") && !names.contains(&"id") {
            return bad("has {shard} without {id}, of which it is made");
        }
        let typed = match pattern.segments.last() {
            Some(Segment::Parts(parts)) => match parts.last() {
                Some(Part::Literal(end)) => [".yml", ".yaml", ".json"].iter().any(|known| end.ends_with(known)),
                _ => false,
            },
            _ => false,
        };
        if !typed {
            return bad("must end in .yml, .yaml or .json");
        }
        // The literals must be able to stand in a path.
        let example = pattern.fill(&mut |_, _| "x".into());
        if let Err(error) = FilePath::parse(&example) {
            return bad(&format!("matches no path: {error}"));
        }
        Ok(pattern)
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn capture_names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flat_map(|segment| {
            let parts: &[Part] = match segment {
                Segment::AnyDepth => &[],
                Segment::Parts(parts) => parts,
            };
            parts.iter().filter_map(|part| match part {
                Part::Capture(name) => Some(&**name),
                Part::Literal(_) | Part::Star => None,
            })
        })
    }

    /// What the captures stand for, when the path matches; `{shard}` must be the id's.
    pub fn captures(&self, path: &str) -> Option<Captures> {
        if let Some(Segment::Parts(parts)) = self.segments.last()
            && let Some(Part::Literal(end)) = parts.last()
            && !path.ends_with(end.as_str())
        {
            return None;
        }
        let names: Vec<&str> = path.split('/').collect();
        let mut captured = Vec::new();
        if !match_path(&self.segments, &names, &mut captured) {
            return None;
        }
        let captures = Captures(captured);
        let sharded = captures.get("shard").is_none_or(|given| captures.get("id").is_some_and(|id| shard(id) == given));
        let slugged = captures.get("slug").is_none_or(is_slug);
        (sharded && slugged).then_some(captures)
    }

    /// What decides between two patterns that match one path: more literal characters, then more
    /// folders named one by one, then fewer wildcards.
    pub(super) fn literalness(&self) -> (usize, usize, Reverse<usize>, Reverse<usize>) {
        let (mut literal, mut plain, mut deep, mut wild) = (0, 0, 0, 0);
        for segment in &self.segments {
            match segment {
                Segment::AnyDepth => deep += 1,
                Segment::Parts(parts) => {
                    plain += 1;
                    for part in parts {
                        match part {
                            Part::Literal(text) => literal += text.len(),
                            Part::Capture(_) | Part::Star => wild += 1,
                        }
                    }
                }
            }
        }
        (literal, plain, Reverse(deep), Reverse(wild))
    }

    /// Whether some path matches both, `{shard}` and `{slug}` taken as any text.
    pub(super) fn overlaps(&self, other: &Pattern) -> bool {
        overlap(
            &self.segments,
            &other.segments,
            |segment| matches!(segment, Segment::AnyDepth),
            |a, b| match (a, b) {
                (Segment::Parts(a), Segment::Parts(b)) => segments_overlap(a, b),
                (Segment::AnyDepth, Segment::Parts(parts)) | (Segment::Parts(parts), Segment::AnyDepth) => {
                    !starts_with_dot(parts)
                }
                (Segment::AnyDepth, Segment::AnyDepth) => true,
            },
        )
    }

    /// Builds a path: `wildcard` gives the text of each capture or star and is told whether it
    /// stands in the file's name. `**` becomes no folder.
    pub(super) fn fill(&self, wildcard: &mut dyn FnMut(&Part, bool) -> String) -> String {
        let mut out = String::new();
        let last = self.segments.len() - 1;
        for (at, segment) in self.segments.iter().enumerate() {
            let Segment::Parts(parts) = segment else { continue };
            if !out.is_empty() {
                out.push('/');
            }
            for part in parts {
                match part {
                    Part::Literal(text) => out.push_str(text),
                    Part::Capture(_) | Part::Star => out.push_str(&wildcard(part, at == last)),
                }
            }
        }
        out
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parts_of(segment: &str) -> Result<Vec<Part>, &'static str> {
    if segment.is_empty() {
        return Err("has an empty segment: no leading, trailing or double slash");
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = segment;
    while let Some(first) = rest.chars().next() {
        let (part, used) = match first {
            '*' => (Part::Star, 1),
            '{' => {
                let end = rest.find('}').ok_or("has a { without }")?;
                let name = &rest[1..end];
                let ok = name.starts_with(|c: char| c.is_ascii_lowercase())
                    && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
                if !ok {
                    return Err("has a capture whose name is not of a-z, 0-9 and _, starting with a letter");
                }
                (Part::Capture(name.into()), end + 1)
            }
            '}' => return Err("has a } without {"),
            _ => {
                let end = rest.find(['*', '{', '}']).unwrap_or(rest.len());
                (Part::Literal(rest[..end].into()), end)
            }
        };
        if !matches!(part, Part::Literal(_)) && parts.last().is_some_and(|last| !matches!(last, Part::Literal(_))) {
            return Err("has two wildcards side by side");
        }
        parts.push(part);
        rest = &rest[used..];
    }
    Ok(parts)
}

fn starts_with_dot(parts: &[Part]) -> bool {
    matches!(parts.first(), Some(Part::Literal(text)) if text.starts_with('.'))
}

fn match_path(segments: &[Segment], names: &[&str], captured: &mut Vec<(Arc<str>, Arc<str>)>) -> bool {
    match (segments.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((Segment::AnyDepth, rest)), _) => {
            let visible = names.iter().take_while(|name| !name.starts_with('.')).count();
            (0..=visible).any(|skip| match_path(rest, &names[skip..], captured))
        }
        (Some((Segment::Parts(parts), rest)), Some((name, names))) => {
            if name.starts_with('.') && !starts_with_dot(parts) {
                return false;
            }
            let before = captured.len();
            let matched = match_name(parts, name, captured) && match_path(rest, names, captured);
            if !matched {
                captured.truncate(before);
            }
            matched
        }
        (None, Some(_)) | (Some((Segment::Parts(_), _)), None) => false,
    }
}

/// Shortest first, so that `{name}-{rest}` splits at the first dash.
fn match_name(parts: &[Part], name: &str, captured: &mut Vec<(Arc<str>, Arc<str>)>) -> bool {
    let Some((part, rest)) = parts.split_first() else { return name.is_empty() };
    let (shortest, capture) = match part {
        Part::Literal(text) => {
            return name.strip_prefix(text.as_str()).is_some_and(|name| match_name(rest, name, captured));
        }
        Part::Capture(capture) => (1, Some(capture)),
        Part::Star => (0, None),
    };
    let before = captured.len();
    for end in (shortest..=name.len()).filter(|end| name.is_char_boundary(*end)) {
        if let Some(capture) = capture {
            captured.push((capture.clone(), name[..end].into()));
        }
        if match_name(rest, &name[end..], captured) {
            return true;
        }
        captured.truncate(before);
    }
    false
}

/// One character of a segment's pattern.
#[derive(Clone, Copy)]
enum Unit {
    Char(char),
    /// Any one.
    One,
    /// Any number.
    Many,
}

fn segments_overlap(a: &[Part], b: &[Part]) -> bool {
    // A leading dot is matched by a spelt dot alone.
    if starts_with_dot(a) != starts_with_dot(b) {
        return false;
    }
    overlap(
        &units(a),
        &units(b),
        |unit| matches!(unit, Unit::Many),
        |a, b| match (a, b) {
            (Unit::Char(a), Unit::Char(b)) => a == b,
            _ => true,
        },
    )
}

fn units(parts: &[Part]) -> Vec<Unit> {
    parts
        .iter()
        .flat_map(|part| match part {
            Part::Literal(text) => text.chars().map(Unit::Char).collect(),
            Part::Capture(_) => vec![Unit::One, Unit::Many],
            Part::Star => vec![Unit::Many],
        })
        .collect()
}

/// Whether two sequences with repeatable items have a member in common: the usual table over
/// what is left of both, filled from the ends.
fn overlap<T>(a: &[T], b: &[T], repeats: impl Fn(&T) -> bool, meets: impl Fn(&T, &T) -> bool) -> bool {
    let mut next = vec![false; b.len() + 1];
    for i in (0..=a.len()).rev() {
        let mut row = vec![false; b.len() + 1];
        for j in (0..=b.len()).rev() {
            row[j] = match (a.get(i), b.get(j)) {
                (None, None) => true,
                (Some(x), None) => repeats(x) && next[j],
                (None, Some(y)) => repeats(y) && row[j + 1],
                (Some(x), Some(y)) => match (repeats(x), repeats(y)) {
                    (false, false) => meets(x, y) && next[j + 1],
                    (true, true) => next[j] || row[j + 1],
                    // The repeatable one stands for nothing, or takes one item more.
                    (true, false) => next[j] || (meets(x, y) && row[j + 1]),
                    (false, true) => row[j + 1] || (meets(x, y) && next[j]),
                },
            };
        }
        next = row;
    }
    next[0]
}
