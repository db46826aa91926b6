//! Giving a workspace another name.

use std::fs;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::discover;
use super::error::Error;
use super::layout;
use super::workspace::Workspace;
use super::workspaces::Store;
use crate::resource::key::WorkspaceName;

impl Store {
    /// Moves a workspace's folder and opens it there, with the same number. Call it in the writer's
    /// turn ([`Workspace::exclusive`]); what waits for the writer finds the workspace gone. One step
    /// on disk: a stop in between leaves it under the old name or under the new one.
    pub fn rename(&self, workspace: &Arc<Workspace>, to: &WorkspaceName) -> Result<Arc<Workspace>, Error> {
        // Nobody merges its packs meanwhile. First, as upkeep asks for the list with this held.
        let _quiet = workspace.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let from = workspace.name();
        if !self.named(from.as_str()).is_some_and(|now| Arc::ptr_eq(&now, workspace)) {
            return Err(Error::NoWorkspace(from.clone()));
        }
        let place = self.core().layout.workspace(to);
        let is_other = self.named(to.as_str()).is_some_and(|other| !Arc::ptr_eq(&other, workspace));
        // On a file system that does not tell case apart the place is the workspace's own.
        let is_taken =
            discover::identity(&place).is_some_and(|there| Some(there) != discover::identity(&workspace.dir));
        if is_other || is_taken {
            return Err(Error::Exists(to.clone()));
        }
        if let Some(owner) = place.parent() {
            fs::create_dir_all(owner).map_err(Error::at("make", owner))?;
        }
        // Later groups see it.
        workspace.removed.store(true, Ordering::Release);
        let moved = || {
            // The journal's records name it as it was.
            self.core().journal.checkpoint()?;
            layout::note_name(&workspace.git_dir, from, to)?;
            fs::rename(&workspace.dir, &place).map_err(Error::at("rename", &workspace.dir))?;
            self.open_workspace(to, None).inspect_err(|_| {
                if let Err(error) = fs::rename(&place, &workspace.dir) {
                    tracing::error!(workspace.name = %to, %error, "a renamed workspace cannot be opened");
                }
            })
        };
        let renamed = match moved() {
            Ok(renamed) => renamed,
            Err(error) => {
                workspace.removed.store(false, Ordering::Release);
                return Err(error);
            }
        };
        self.shared.unregister(from);
        self.register(renamed.clone())?;
        self.core().journal.sync_all().map_err(Error::io("sync a renamed workspace"))?;
        Ok(renamed)
    }
}
