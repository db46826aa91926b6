//! How descriptors are written that have no text yet.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::resource::document::{self, Format};

/// YAML in block style with keys in alphabetical order.
pub(in crate::dialect::editor) fn yaml(value: &Value) -> Bytes {
    document::render(Format::Yaml, &sorted(value)).into()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut entries: Vec<(&String, &Value)> = members.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            Value::Object(Map::from_iter(entries.into_iter().map(|(key, inner)| (key.clone(), sorted(inner)))))
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn descriptors_are_sorted_blocks() {
        let descriptor = json!({ "version": "0.1", "name": "a", "list": [{ "b": 1, "a": [] }] });
        assert_eq!(yaml(&descriptor), "list:\n  - a: []\n    b: 1\nname: a\nversion: \"0.1\"\n");
    }
}
