//! JSON pointers (RFC 6901) that may cross arrays with a `*` segment.

use std::fmt;

use serde_json::Value;

/// Where in a document values are: `/name`, `/network_functions/*/vnf_name`.
///
/// An array at the end stands for its items.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pointer(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    Key(String),
    /// Every item of an array.
    Each,
}

/// One step of the way to a hit.
#[derive(Debug, Clone, Copy)]
enum Step<'v> {
    Key(&'v str),
    Item(usize),
}

/// The way from the value that was searched to a hit.
pub(super) struct Trail<'t, 'v>(&'t [Step<'v>]);

impl fmt::Display for Trail<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.0 {
            match step {
                Step::Key(key) => write!(f, "/{}", escape(key))?,
                Step::Item(at) => write!(f, "/{at}")?,
            }
        }
        Ok(())
    }
}

/// A key as a segment of a pointer.
pub(in crate::resource) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl Pointer {
    /// Reads `/a/b`; a bare word means the key of that name. The text says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a pointer must not be empty".into());
        }
        let Some(rest) = text.strip_prefix('/') else {
            if text.contains(['/', '~', '*']) {
                return Err(format!("{text:?} is not a pointer: start it with a slash"));
            }
            return Ok(Pointer(vec![Part::Key(text.into())]));
        };
        let parts = rest.split('/').map(|segment| match segment {
            "*" => Ok(Part::Each),
            _ if segment.replace("~0", "").replace("~1", "").contains('~') => {
                Err(format!("{text:?} is not a pointer: write ~ as ~0 and / as ~1"))
            }
            _ => Ok(Part::Key(segment.replace("~1", "/").replace("~0", "~"))),
        });
        parts.collect::<Result<_, _>>().map(Pointer)
    }

    /// Calls `hit` with every value that the pointer reaches, in document order.
    pub(super) fn walk<'v>(&self, value: &'v Value, hit: &mut dyn FnMut(Trail<'_, 'v>, &'v Value)) {
        let mut trail = Vec::with_capacity(self.0.len() + 1);
        step(&self.0, value, &mut trail, hit);
    }

    /// The first value that is reached.
    pub(super) fn first<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let mut found = None;
        self.walk(value, &mut |_, hit| {
            found.get_or_insert(hit);
        });
        found
    }
}

fn step<'v>(
    parts: &[Part],
    value: &'v Value,
    trail: &mut Vec<Step<'v>>,
    hit: &mut dyn FnMut(Trail<'_, 'v>, &'v Value),
) {
    match (parts.split_first(), value) {
        (None, Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                trail.push(Step::Item(at));
                hit(Trail(trail), item);
                trail.pop();
            }
        }
        (None, value) => hit(Trail(trail), value),
        (Some((Part::Each, rest)), Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                trail.push(Step::Item(at));
                step(rest, item, trail, hit);
                trail.pop();
            }
        }
        (Some((Part::Key(key), rest)), Value::Object(map)) => {
            if let Some((key, inner)) = map.get_key_value(key) {
                trail.push(Step::Key(key));
                step(rest, inner, trail, hit);
                trail.pop();
            }
        }
        (Some((Part::Key(key), rest)), Value::Array(items)) => {
            if let Some((at, inner)) = key.parse().ok().and_then(|at: usize| Some((at, items.get(at)?))) {
                trail.push(Step::Item(at));
                step(rest, inner, trail, hit);
                trail.pop();
            }
        }
        (Some(_), _) => {}
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Key(key) => write!(f, "/{}", escape(key))?,
                Part::Each => f.write_str("/*")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hits(pointer: &str, value: &Value) -> Vec<String> {
        let mut out = Vec::new();
        Pointer::parse(pointer).expect("a pointer").walk(value, &mut |trail, hit| out.push(format!("{trail}={hit}")));
        out
    }

    #[test]
    fn arrays_are_crossed_and_unfolded() {
        let value = json!({"a": [{"b": 1}, {"c": 2}, {"b": [3, 4]}], "t": ["x", "y"], "o": {"a/b": {"~": 5}}});
        assert_eq!(hits("/a/*/b", &value), ["/a/0/b=1", "/a/2/b/0=3", "/a/2/b/1=4"]);
        assert_eq!(hits("t", &value), ["/t/0=\"x\"", "/t/1=\"y\""]);
        assert_eq!(hits("/t/1", &value), ["/t/1=\"y\""]);
        assert_eq!(hits("/o/a~1b/~0", &value), ["/o/a~1b/~0=5"]);
        assert!(hits("/t/*/b", &value).is_empty() && hits("/o/*", &value).is_empty());
    }

    #[test]
    fn what_is_no_pointer() {
        for bad in ["", "a/b", "*", "/a~2"] {
            assert!(Pointer::parse(bad).is_err(), "{bad:?} was taken");
        }
        assert_eq!(Pointer::parse("name"), Pointer::parse("/name"));
    }
}
