//! Copies of workspaces as git bundles, and workspaces made of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use git2::{Oid, Repository};

use super::error::Error;
use super::gitcommand;
use super::heads;
use super::layout::{self, Settings};
use super::reconcile;
use super::refs::MAIN;
use super::workspace::Workspace;
use super::workspaces::Store;
use crate::base::random;
use crate::resource::key::WorkspaceName;

/// Holds `main` in a bundle of a workspace whose branch was renamed or deleted by hand.
const SPARE: &str = "refs/internal/main";

fn utf8(file: &Path) -> Result<&str, Error> {
    let what = || Error::Git { doing: "copy a workspace".into(), what: "the folder's name is not UTF-8".into() };
    file.to_str().ok_or_else(what)
}

impl Workspace {
    /// Writes all branches, tags and other refs with their history to a file, as they are at one
    /// moment. Blocking; writes may go on.
    pub fn bundle(&self, file: &Path) -> Result<(), Error> {
        let spare = match heads::read_main(&self.git_dir)? {
            Some(_) => None,
            None => {
                let repository = Repository::open(&self.git_dir).map_err(Error::git("copy a workspace"))?;
                let head = Oid::from_bytes(&self.head().0).map_err(Error::git("read an id"))?;
                repository.reference(SPARE, head, true, "backup").map_err(Error::git("copy a workspace"))?;
                Some(repository)
            }
        };
        let bundle = ["bundle", "create", "--quiet", utf8(file)?, "--all"];
        let made = gitcommand::run(&self.git_dir, &bundle, || self.is_removed());
        if let Some(mut spare) = spare.as_ref().and_then(|repository| repository.find_reference(SPARE).ok()) {
            spare.delete().map_err(Error::git("copy a workspace"))?;
        }
        made?;
        if self.is_removed() {
            return Err(Error::NoWorkspace(self.name().clone()));
        }
        Ok(())
    }
}

/// A repository made of a bundle, whole and not yet in its place. Dropped, it goes.
pub struct Unbundled(PathBuf);

impl Drop for Unbundled {
    fn drop(&mut self) {
        if self.0.exists()
            && let Err(error) = fs::remove_dir_all(&self.0)
        {
            tracing::warn!(%error, "what was made of a bundle stays on the disk until the next start");
        }
    }
}

impl Store {
    /// Makes a repository of a bundle. Every object is looked at on the way, and whether any is
    /// missing: what succeeds was a good copy.
    pub fn unbundle(&self, settings: Settings, bundle: &Path) -> Result<Unbundled, Error> {
        let layout = &self.core().layout;
        let unfinished = Unbundled(layout.nursery().join(random::uuid()));
        layout::init(&unfinished.0, settings, &layout.hooks())?;
        let git_dir = unfinished.0.join(".git");
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
            utf8(bundle)?,
            "+refs/*:refs/*",
        ];
        gitcommand::run(&git_dir, &fetch, || self.core().stopping.load(Ordering::Acquire))?;
        let repository = Repository::open(&git_dir).map_err(Error::git("read a bundle"))?;
        if let Ok(mut spare) = repository.find_reference(SPARE) {
            if let (Some(id), None) = (spare.target(), heads::read_main(&git_dir)?) {
                repository.reference(MAIN, id, false, "restore").map_err(Error::git("read a bundle"))?;
            }
            spare.delete().map_err(Error::git("read a bundle"))?;
        }
        if heads::read_main(&git_dir)?.is_none() {
            return Err(Error::Git { doing: "read a bundle".into(), what: "it has no branch main".into() });
        }
        Ok(unfinished)
    }

    /// Puts a repository into its place as a workspace, with its files on disk. Durable when it
    /// returns; `first` is the name that it had first.
    pub fn place(
        &self,
        name: &WorkspaceName,
        first: &WorkspaceName,
        unbundled: &Unbundled,
    ) -> Result<Arc<Workspace>, Error> {
        let workspace = {
            let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
            let layout = &self.core().layout;
            let place = layout.workspace(name);
            if self.workspace(name).is_ok() || place.exists() {
                return Err(Error::Exists(name.clone()));
            }
            if first != name {
                layout::note_name(&unbundled.0.join(".git"), first, name)?;
            }
            let owner = layout.root().join(name.owner());
            fs::create_dir_all(&owner).map_err(Error::at("make", &owner))?;
            fs::rename(&unbundled.0, &place).map_err(Error::at("make", &place))?;
            let workspace = self.open_workspace(name, None)?;
            self.register(workspace.clone())?;
            workspace
        };
        reconcile::check_out(&workspace)?;
        self.core().journal.sync_all().map_err(Error::io("sync a restored workspace"))?;
        Ok(workspace)
    }
}
