//! Builds JSON values, within limits.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::build::{Build, Key, Place, Scalar, Style};

/// What aliases may add to a document: (values, bytes of text).
const REPEATED: Budget = Budget { nodes: 100_000, bytes: 1 << 20 };
/// What may stand under anchors, each level of nested anchors counted again.
const ANCHORED: Budget = Budget { nodes: 400_000, bytes: 8 << 20 };

/// Most values of one document, those that aliases repeat included: each takes much more memory
/// than its text, and judging it more time.
pub(super) const VALUES: usize = 500_000;

#[derive(Debug, Clone, Copy)]
struct Budget {
    nodes: usize,
    bytes: usize,
}

impl Budget {
    fn spend(&mut self, cost: Budget) -> Option<()> {
        self.nodes = self.nodes.checked_sub(cost.nodes)?;
        self.bytes = self.bytes.checked_sub(cost.bytes)?;
        Some(())
    }
}

/// The builder behind [`super::parse`].
pub(super) struct Values {
    anchors: HashMap<usize, (Value, Budget)>,
    repeated: Budget,
    anchored: Budget,
    /// How many more values there may be.
    room: usize,
}

impl Default for Values {
    fn default() -> Self {
        Values { anchors: HashMap::new(), repeated: REPEATED, anchored: ANCHORED, room: VALUES }
    }
}

impl Values {
    fn done(&mut self, place: &Place, value: Value) -> Result<Value, String> {
        self.count(1)?;
        if place.anchor != 0 {
            let cost = cost(&value);
            self.anchored.spend(cost).ok_or("there is too much under anchors")?;
            self.anchors.insert(place.anchor, (value.clone(), cost));
        }
        Ok(value)
    }

    fn count(&mut self, values: usize) -> Result<(), String> {
        let left = self.room.checked_sub(values);
        self.room = left.ok_or_else(|| format!("the document has more than {VALUES} values: split it up"))?;
        Ok(())
    }

    fn repeat(&mut self, cost: Budget) -> Result<(), String> {
        self.repeated.spend(cost).ok_or_else(|| "aliases repeat too much: write the values out".to_owned())
    }
}

impl Build for Values {
    type Node = Value;
    type Map = Map<String, Value>;

    fn scalar(&mut self, place: &Place, _: Style, scalar: Scalar<'_>) -> Result<Value, String> {
        let value = match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Number(value) => Value::Number(value),
            Scalar::Text(text) => Value::String(text.into_owned()),
        };
        self.done(place, value)
    }

    fn sequence(&mut self, place: &Place, _: bool, items: Vec<Value>) -> Result<Value, String> {
        self.done(place, Value::Array(items))
    }

    fn insert(&mut self, map: &mut Self::Map, key: Key<'_>, value: Value) -> Result<(), String> {
        match map.entry(key.name) {
            serde_json::map::Entry::Vacant(entry) => {
                entry.insert(value);
                Ok(())
            }
            serde_json::map::Entry::Occupied(entry) => {
                Err(format!("the key {} is there twice", super::text::quoted(entry.key())))
            }
        }
    }

    fn mapping(&mut self, place: &Place, _: bool, map: Self::Map) -> Result<Value, String> {
        self.done(place, Value::Object(map))
    }

    fn alias(&mut self, _: &Place, anchor: usize) -> Result<Value, String> {
        let Some((_, cost)) = self.anchors.get(&anchor) else {
            return Err("an alias stands inside the value it refers to".to_owned());
        };
        let cost = *cost;
        self.repeat(cost)?;
        self.count(cost.nodes)?;
        Ok(self.anchors[&anchor].0.clone())
    }

    fn alias_key(&mut self, bytes: usize) -> Result<(), String> {
        self.repeat(Budget { nodes: 1, bytes })
    }
}

/// Values and bytes of text inside a value, itself included. Depth is bounded by the parser.
fn cost(value: &Value) -> Budget {
    let mut total = Budget { nodes: 1, bytes: 0 };
    let mut add = |bytes: usize, inner: &Value| {
        let inner = cost(inner);
        total.nodes += inner.nodes;
        total.bytes += inner.bytes + bytes;
    };
    match value {
        Value::String(text) => total.bytes = text.len(),
        Value::Array(items) => items.iter().for_each(|item| add(0, item)),
        Value::Object(map) => map.iter().for_each(|(key, item)| add(key.len(), item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    total
}
