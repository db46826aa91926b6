//! `after=`: a place in an order, opaque to clients, bound to the order it was made for.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::resource::query::{Place, SortKey};
use crate::resource::row::Value;

/// Spells a place.
pub(super) fn encode(order: &[SortKey], place: &Place) -> String {
    let values: Vec<serde_json::Value> = place
        .0
        .iter()
        .map(|value| match value {
            None => serde_json::Value::Null,
            Some(Value::Number(n)) => (*n).into(),
            Some(Value::Text(t)) => (&**t).into(),
        })
        .collect();
    URL_SAFE_NO_PAD.encode(serde_json::json!([mark(order), values]).to_string())
}

/// Reads a place back; `None` when it was made for another order or is no cursor.
pub(super) fn decode(order: &[SortKey], text: &str) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (made_for, values): (u32, Vec<serde_json::Value>) = serde_json::from_slice(&bytes).ok()?;
    if made_for != mark(order) || values.len() != order.len() {
        return None;
    }
    let values = values.into_iter().zip(order).map(|(value, key)| match value {
        serde_json::Value::Null => Some(None),
        serde_json::Value::Number(n) if key.column.is_number() => n.as_u64().map(|n| Some(Value::Number(n))),
        serde_json::Value::String(t) if !key.column.is_number() => Some(Some(Value::Text(t.into()))),
        _ => None,
    });
    values.collect::<Option<_>>().map(Place)
}

fn mark(order: &[SortKey]) -> u32 {
    // Not for keeping: a cursor that a newer server does not take is answered with 400.
    let mut hasher = DefaultHasher::new();
    for key in order {
        (key.column, key.descending).hash(&mut hasher);
    }
    hasher.finish() as u32
}
