//! What keeps a workspace from its work until somebody at the server sees to it.

use std::sync::{Mutex, PoisonError};

use super::hands::Claims;
use super::heads;
use super::workspace::Workspace;
use super::workspaces::Store;

/// What somebody at the server has to see to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// `main` was renamed or deleted by hand.
    NoMain,
    /// Edits on disk wait for a git command that is half done.
    HalfDone,
}

/// What was noted last of a workspace.
#[derive(Default)]
pub(super) struct Noted(Mutex<Option<Trouble>>);

impl Workspace {
    /// Notes what keeps the workspace from its work, and says so once in the log.
    pub(super) fn note_trouble(&self, trouble: Trouble, why: &str) {
        let before = self.trouble.0.lock().unwrap_or_else(PoisonError::into_inner).replace(trouble);
        if before != Some(trouble) {
            tracing::warn!(workspace.name = %self.name(), why, "somebody has to see to this on the server");
        }
    }

    /// What was noted, if it still is so.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let mut noted = self.trouble.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = match (*noted)? {
            Trouble::NoMain => matches!(heads::read_main(&self.git_dir), Ok(Some(_))),
            Trouble::HalfDone => Claims::of(self).is_ok_and(|claims| claims.reason().is_none()),
        };
        noted.take_if(|_| is_over);
        *noted
    }
}

impl Store {
    /// What somebody at the server has to see to. Names are in the log alone: anybody may ask.
    pub fn notes(&self) -> Vec<String> {
        let troubles: Vec<Trouble> = self.shared.workspaces().iter().filter_map(|w| w.trouble()).collect();
        let count = |trouble| troubles.iter().filter(|other| **other == trouble).count();
        let mut passed_over = self.passed_over.lock().unwrap_or_else(PoisonError::into_inner);
        passed_over.retain(|name| self.named(name).is_none() && self.core().layout.root().join(name).exists());
        [
            (count(Trouble::NoMain), "the branch main is gone, so that nothing can be written"),
            (count(Trouble::HalfDone), "edits on disk wait for a git command that is half done"),
            (passed_over.len(), "the repository cannot be opened, so that it is not served"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("in {count} of the workspaces {what}: see the log"))
        .collect()
    }
}
