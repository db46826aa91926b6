//! JSON Patch (RFC 6902) within bounds: a few `copy` operations could double a document for ever.

use json_patch::jsonptr::Pointer;
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use super::Error;
use crate::resource::document::DEPTH;

/// Bytes that all copies and moves of one patch may carry, roughly.
const CARRIED_MOST: usize = 16 << 20;

/// Applies a patch; on an error `value` is of no more use.
pub(super) fn apply(value: &mut Value, patch: &Patch) -> Result<(), Error> {
    let mut room = CARRIED_MOST;
    for (at, operation) in patch.0.iter().enumerate() {
        let (path, inserted) = match operation {
            PatchOperation::Add(add) => (&add.path, measure(&add.value)),
            PatchOperation::Replace(replace) => (&replace.path, measure(&replace.value)),
            PatchOperation::Copy(copy) => (&copy.path, carried(value, &copy.from, &mut room)?),
            PatchOperation::Move(moving) => (&moving.path, carried(value, &moving.from, &mut room)?),
            PatchOperation::Remove(remove) => (&remove.path, Measure::default()),
            PatchOperation::Test(test) => (&test.path, Measure::default()),
        };
        if path.tokens().count() + inserted.depth > DEPTH {
            return Err(Error::bad_request(format!("the patched document would nest deeper than {DEPTH} levels")));
        }
        json_patch::patch(value, std::slice::from_ref(operation)).map_err(|error| {
            let path = error.path.as_str();
            Error::Conflict(format!("the patch does not apply: operation {at} at {path:?}: {}", error.kind))
        })?;
    }
    Ok(())
}

/// What an operation takes from elsewhere in the document; a missing source is the patch's to refuse.
fn carried(value: &Value, from: &Pointer, room: &mut usize) -> Result<Measure, Error> {
    let measured = from.resolve(value).map(measure).unwrap_or_default();
    *room = room
        .checked_sub(measured.bytes)
        .ok_or_else(|| Error::TooLarge(format!("the patch copies and moves more than {CARRIED_MOST} bytes")))?;
    Ok(measured)
}

#[derive(Debug, Clone, Copy, Default)]
struct Measure {
    /// Roughly, as JSON text.
    bytes: usize,
    /// Levels of collections.
    depth: usize,
}

/// Bytes of a value, roughly, as JSON text.
pub(super) fn size(value: &Value) -> usize {
    measure(value).bytes
}

fn measure(value: &Value) -> Measure {
    let mut measured = Measure::default();
    let mut waiting = vec![(value, 0)];
    while let Some((value, depth)) = waiting.pop() {
        measured.depth = measured.depth.max(depth);
        measured.bytes += 8;
        match value {
            Value::Array(items) => waiting.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(map) => {
                measured.bytes += map.keys().map(String::len).sum::<usize>();
                waiting.extend(map.values().map(|inner| (inner, depth + 1)));
            }
            Value::String(text) => measured.bytes += text.len(),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    measured
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(operations: Value) -> Result<Value, Error> {
        let mut value = json!({ "a": [1, 2], "text": "x".repeat(1000) });
        apply(&mut value, &serde_json::from_value(operations).unwrap()).map(|()| value)
    }

    #[test]
    fn copies_that_double_are_refused() {
        let double: Vec<Value> =
            (0..60).map(|at| json!({ "op": "copy", "from": "/a", "path": format!("/a/{}", at % 2) })).collect();
        assert!(matches!(patched(json!(double)), Err(Error::TooLarge(_) | Error::BadRequest { .. })));
        let wide: Vec<Value> =
            (0..60).map(|at| json!({ "op": "copy", "from": "", "path": format!("/c{at}") })).collect();
        assert!(matches!(patched(json!(wide)), Err(Error::TooLarge(_))));
    }

    #[test]
    fn nesting_is_bounded_at_every_step() {
        let deeper: Vec<Value> = (0..500)
            .map(|at| json!({ "op": "add", "path": format!("/a{}", "/0".repeat(at + 1)), "value": [1] }))
            .collect();
        assert!(matches!(patched(json!(deeper)), Err(Error::BadRequest { .. })));
    }

    #[test]
    fn ordinary_patches_apply() {
        let patch = json!([
            { "op": "test", "path": "/a/0", "value": 1 },
            { "op": "copy", "from": "/a", "path": "/b" },
            { "op": "move", "from": "/a/1", "path": "/c" },
            { "op": "remove", "path": "/text" },
        ]);
        assert_eq!(patched(patch).unwrap(), json!({ "a": [1], "b": [1, 2], "c": 2 }));
        assert!(matches!(patched(json!([{ "op": "remove", "path": "/none" }])), Err(Error::Conflict(_))));
    }
}
