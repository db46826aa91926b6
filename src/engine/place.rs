//! Which generation of a kind's schema holds in a workspace.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use super::Engine;
use super::content;
use crate::resource::document;
use crate::resource::kind::Kind;
use crate::store::Workspace;

/// What each selecting file says.
type ByFile = HashMap<String, Arc<Value>>;

/// What the selecting files say, by workspace and file; filled at first use.
#[derive(Default)]
pub(super) struct Selections {
    known: RwLock<HashMap<Arc<str>, ByFile>>,
}

impl Selections {
    pub(super) fn forget(&self, workspace: &str) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(workspace);
    }

    fn get(&self, workspace: &str, file: &str) -> Option<Arc<Value>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(workspace)?.get(file).cloned()
    }

    fn set(&self, workspace: Arc<str>, file: &str, value: Arc<Value>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(workspace).or_default().insert(file.to_owned(), value);
    }
}

impl Engine {
    /// The generation that holds at the workspace's head.
    pub(super) fn generation(&self, workspace: &Arc<Workspace>, kind: &Kind) -> usize {
        let Some(select) = &kind.select else { return 0 };
        let name = workspace.name();
        let value = self.selections.get(name.as_str(), select.file.as_str()).unwrap_or_else(|| {
            let head = workspace.head();
            let read = || {
                let snapshot = workspace.snapshot(None).ok()?;
                snapshot.blob(snapshot.entry(select.file.as_str()).ok()??.etag).ok()
            };
            let bytes = read();
            let value = Arc::new(bytes.map_or(Value::Null, |bytes| parsed(select.file.as_str(), &bytes)));
            // What a later commit says must not be hidden by what was read before it.
            if workspace.head() == head {
                self.selections.set(name.to_arc(), select.file.as_str(), value.clone());
            }
            value
        });
        kind.schema_for(Some(&value))
    }

    /// As [`Engine::generation`], where that needs no reading.
    pub(super) fn known_generation(&self, workspace: &Workspace, kind: &Kind) -> Option<usize> {
        let Some(select) = &kind.select else { return Some(0) };
        let value = self.selections.get(workspace.name().as_str(), select.file.as_str())?;
        Some(kind.schema_for(Some(&value)))
    }
}

/// The generation that a selecting file with these bytes selects.
pub(super) fn selected(kind: &Kind, bytes: Option<&[u8]>) -> usize {
    let Some(select) = &kind.select else { return 0 };
    let value = bytes.map_or(Value::Null, |bytes| parsed(select.file.as_str(), bytes));
    kind.schema_for(Some(&value))
}

/// An unreadable selecting file selects the default.
fn parsed(file: &str, bytes: &[u8]) -> Value {
    document::parse(content::format(file), bytes).unwrap_or_default()
}
