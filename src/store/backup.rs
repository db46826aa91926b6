//! Copies of workspaces as git bundles, and workspaces made of them.

use std::fs;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use super::error::Error;
use super::gitcommand;
use super::heads;
use super::layout::{self, Settings};
use super::reconcile;
use super::workspace::Workspace;
use super::workspaces::Store;
use crate::resource::key::WorkspaceName;

impl Workspace {
    /// Writes all branches, tags and other refs with their history to a file, as they are at one
    /// moment. Blocking; writes may go on.
    pub fn bundle(&self, file: &Path) -> Result<(), Error> {
        let file = file.to_str().ok_or_else(|| Error::Git {
            doing: "write a bundle".into(),
            what: "the folder's name is not UTF-8".into(),
        })?;
        gitcommand::run(&self.git_dir, &["bundle", "create", "--quiet", file, "--all"], || self.is_removed())?;
        if self.is_removed() {
            return Err(Error::NoWorkspace(self.name().clone()));
        }
        Ok(())
    }
}

impl Store {
    /// Makes a workspace of a bundle, with its files on disk; `first` is the name that it had first.
    /// Durable when it returns.
    pub fn restore(
        &self,
        name: &WorkspaceName,
        first: &WorkspaceName,
        settings: Settings,
        bundle: &Path,
    ) -> Result<Arc<Workspace>, Error> {
        let workspace = {
            let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
            let layout = &self.core().layout;
            let (unfinished, place) = (layout.nursery().join(name.name()), layout.workspace(name));
            if self.workspace(name).is_ok() || place.exists() {
                return Err(Error::Exists(name.clone()));
            }
            drop(fs::remove_dir_all(&unfinished));
            layout::init(&unfinished, settings, &layout.hooks())?;
            let git_dir = unfinished.join(".git");
            let bundle = bundle.to_str().ok_or_else(|| Error::Git {
                doing: "read a bundle".into(),
                what: "the folder's name is not UTF-8".into(),
            })?;
            // What was committed by hand may break rules that hold for pushes.
            let fetch = [
                "-c",
                "transfer.fsckObjects=false",
                "fetch",
                "--quiet",
                "--no-auto-gc",
                "--no-write-fetch-head",
                "--update-head-ok",
                "--no-tags",
                bundle,
                "+refs/*:refs/*",
            ];
            gitcommand::run(&git_dir, &fetch, || false)?;
            if heads::read_main(&git_dir)?.is_none() {
                return Err(Error::Git { doing: "read a bundle".into(), what: format!("{name} has no branch main") });
            }
            if first != name {
                layout::note_name(&git_dir, first, name)?;
            }
            let owner = layout.root().join(name.owner());
            fs::create_dir_all(&owner).map_err(Error::at("make", &owner))?;
            fs::rename(&unfinished, &place).map_err(Error::at("make", &place))?;
            let workspace = self.open_workspace(name, None)?;
            self.register(workspace.clone())?;
            workspace
        };
        reconcile::check_out(&workspace)?;
        self.core().journal.sync_all().map_err(Error::io("sync a restored workspace"))?;
        Ok(workspace)
    }
}
