//! What a descriptor is known by: vendor, name and version (contracts/editor.md 1.7, 2.1).

use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::base::hex;
use crate::dialect::editor::fault::EditorFault;

/// The identity of a descriptor; shown as `vendor:name:version`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::editor) struct Triple {
    pub(in crate::dialect::editor) vendor: String,
    pub(in crate::dialect::editor) name: String,
    pub(in crate::dialect::editor) version: String,
}

impl fmt::Display for Triple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.vendor, self.name, self.version)
    }
}

impl Triple {
    /// Of a descriptor as it is stored; `None` when it has no identity that anything could name. A
    /// number is a version that nobody quoted.
    pub(super) fn of(descriptor: &Value) -> Option<Self> {
        let text = |key: &str| match &descriptor[key] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Some(Triple { vendor: text("vendor")?, name: text("name")?, version: text("version")? })
    }

    /// Refuses a descriptor that lacks one of the three; `what` as in `function`.
    pub(super) fn required(descriptor: &Value, what: &str) -> Result<(), EditorFault> {
        let Some(members) = descriptor.as_object() else {
            return Err(EditorFault::bad("'descriptor' must be a JSON object"));
        };
        match ["name", "vendor", "version"].into_iter().find(|key| !members.contains_key(*key)) {
            Some(key) => Err(EditorFault::bad(format!("Missing key '{key}' in {what} data"))),
            None => Ok(()),
        }
    }

    /// Of a descriptor that is valid, and so has the three as texts. A name of dots is one that
    /// only paths have.
    pub(super) fn of_valid(descriptor: &Value) -> Result<Self, EditorFault> {
        let triple =
            Triple::of(descriptor).ok_or_else(|| EditorFault::bad("vendor, name and version must be texts"))?;
        for (key, text) in [("vendor", &triple.vendor), ("name", &triple.name), ("version", &triple.version)] {
            if text.bytes().all(|b| b == b'.') {
                return Err(EditorFault::bad(format!(
                    "{key} {text:?} cannot be: folders and files are named by it, so it needs more than dots"
                )));
            }
        }
        Ok(triple)
    }

    /// The name of the descriptor's file without its ending.
    pub(super) fn stem(&self) -> String {
        format!("{}-{}-{}", self.vendor, self.name, self.version)
    }

    /// As [`Triple::stem`], where another descriptor has that name: dashes may stand inside the
    /// three, so that `a-b:c:1` and `a:b-c:1` are called alike.
    pub(super) fn longer_stem(&self) -> String {
        let digest = hex::encode(&Sha256::digest(self.to_string().as_bytes()));
        format!("{}-{}", self.stem(), &digest[..8])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn triple(vendor: &str, name: &str, version: &str) -> Triple {
        Triple { vendor: vendor.into(), name: name.into(), version: version.into() }
    }

    #[test]
    fn identities() {
        let descriptor = json!({ "vendor": "a", "name": "b-c", "version": "1" });
        assert_eq!(Triple::of(&descriptor), Some(triple("a", "b-c", "1")));
        assert_eq!(triple("a", "b-c", "1").to_string(), "a:b-c:1");
        let (one, other) = (triple("a", "b-c", "1"), triple("a-b", "c", "1"));
        assert_eq!(one.stem(), other.stem());
        assert_ne!(one.longer_stem(), other.longer_stem());
        for broken in [json!({}), json!(null), json!([1]), json!({ "vendor": "a", "name": "b" })] {
            assert_eq!(Triple::of(&broken), None, "{broken}");
        }
        let unquoted = json!({ "vendor": "a", "name": "b", "version": 1.1 });
        assert_eq!(Triple::of(&unquoted), Some(triple("a", "b", "1.1")));
        for dots in [
            json!({ "vendor": "a", "name": "..", "version": "1" }),
            json!({ "vendor": ".", "name": "b", "version": "1" }),
        ] {
            assert!(Triple::of_valid(&dots).is_err(), "{dots}");
        }
    }
}
