//! JSON Patch (RFC 6902) within bounds: `copy` doubles, and every step can nest deeper.

use json_patch::{CopyOperation, MoveOperation, PatchOperation};
use serde_json::Value;

use super::Error;
use crate::resource::document::DEPTH;

/// Most that all `copy` operations of a patch add together: bytes of texts, and eight for every value.
const COPIED_MOST: usize = 16 << 20;

/// Applies all operations. After an error `value` is half patched and to be thrown away.
pub(super) fn apply(value: &mut Value, patch: &[PatchOperation]) -> Result<(), Error> {
    let mut copied = 0;
    for (at, operation) in patch.iter().enumerate() {
        let placed = match operation {
            PatchOperation::Copy(CopyOperation { from, .. }) => {
                let source = value.pointer(from.as_str());
                copied += source.map_or(0, size);
                if copied > COPIED_MOST {
                    return Err(Error::TooLarge(format!("operation {at} of the patch copies too much")));
                }
                source
            }
            PatchOperation::Move(MoveOperation { from, .. }) => value.pointer(from.as_str()),
            PatchOperation::Add(add) => Some(&add.value),
            PatchOperation::Replace(replace) => Some(&replace.value),
            PatchOperation::Remove(_) | PatchOperation::Test(_) => None,
        };
        if placed.is_some_and(|placed| operation.path().count() + depth(placed) > DEPTH) {
            return Err(Error::bad_request(format!("operation {at} of the patch nests deeper than {DEPTH} levels")));
        }
        json_patch::patch(value, std::slice::from_ref(operation)).map_err(|error| {
            Error::Conflict(format!("operation {at} of the patch, at {:?}: {}", error.path.as_str(), error.kind))
        })?;
    }
    Ok(())
}

fn size(value: &Value) -> usize {
    8 + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.iter().map(|(key, value)| key.len() + size(value)).sum(),
    }
}

/// How many collections are in one another. Bounded, as every document's is.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(value: Value, operations: Value) -> Result<Value, Error> {
        let mut value = value;
        apply(&mut value, &serde_json::from_value::<json_patch::Patch>(operations).unwrap())?;
        Ok(value)
    }

    #[test]
    fn copies_are_bounded_together() {
        let double = json!({ "op": "copy", "from": "/a", "path": "/a/-" });
        let few = patched(json!({ "a": [] }), Value::Array(vec![double.clone(); 10])).unwrap();
        assert_eq!(few["a"].as_array().map(Vec::len), Some(10));
        let wide = json!({ "a": vec!["x".repeat(1_000); 1_000] });
        let many = json!({ "op": "copy", "from": "/a", "path": "/b" });
        assert!(matches!(patched(wide, Value::Array(vec![many; 100])), Err(Error::TooLarge(_))));
        assert!(matches!(patched(json!({ "a": [1] }), Value::Array(vec![double; 100])), Err(Error::BadRequest { .. })));
    }

    #[test]
    fn no_step_nests_too_deep() {
        let wrap = [
            json!({ "op": "add", "path": "/w", "value": {} }),
            json!({ "op": "move", "from": "/a", "path": "/w/a" }),
            json!({ "op": "move", "from": "/w", "path": "/a" }),
        ];
        let steps = |times: usize| Value::Array(std::iter::repeat_n(wrap.clone(), times).flatten().collect());
        assert!(patched(json!({ "a": 1 }), steps(60)).is_ok());
        assert!(matches!(patched(json!({ "a": 1 }), steps(70)), Err(Error::BadRequest { .. })));
    }
}
