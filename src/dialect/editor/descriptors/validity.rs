//! What is stored through this dialect breaks its schema nowhere (decisions.md 8).

use std::sync::Arc;

use serde_json::Value;

use super::shelf::Sort;
use crate::base::blocking;
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::gate::InWorkspace;
use crate::engine::Reader;
use crate::resource::check::First;

/// Refuses content that breaks the workspace's schema, as the original says it (contracts/editor.md
/// 1.1, 7.3).
pub(super) async fn checked(at: &InWorkspace, sort: Sort, descriptor: Arc<Value>) -> Result<(), EditorFault> {
    let at = at.clone();
    blocking::run(move || check(&at.reader(), &at, sort, &descriptor)).await
}

/// As [`checked`], where one may block.
pub(super) fn check(reader: &Reader, at: &InWorkspace, sort: Sort, descriptor: &Value) -> Result<(), EditorFault> {
    match reader.first_violation(&at.name, &*at.kind(sort.kind())?, descriptor)? {
        Some(First { path, message }) => {
            Err(EditorFault::bad(format!("Validation failed: <br/> Path: {path} <br/> Error: {message}")))
        }
        None => Ok(()),
    }
}
