//! Workspaces that come and go on the disk, beside those that the server makes and removes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use super::aside;
use super::error::Error;
use super::hands;
use super::heads;
use super::layout::STATE;
use super::workspace::Workspace;
use super::workspaces::Store;
use crate::resource::key::WorkspaceName;

/// Most entries that are looked at to find out whether a folder rests.
const LOOKED_AT: usize = 10_000;

/// What a folder `OWNER/NAME` that is no workspace of the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newcomer {
    /// A repository that can be opened.
    Repository,
    /// Files without `.git`.
    Files,
    /// Being copied or made; or nothing.
    NotYet,
}

/// Which file this is, whatever its name: device and inode.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|m| (m.dev(), m.ino()))
}

impl Store {
    /// Folders that could be workspaces but have no `.git`.
    pub fn adoptable(&self) -> Result<Vec<WorkspaceName>, Error> {
        let layout = &self.core().layout;
        let found = names(layout.root())?;
        Ok(found.into_iter().filter(|name| !layout.workspace(name).join(".git").exists()).collect())
    }

    /// Owners' folders, and the folders in them that can be workspaces by their names.
    pub(super) fn folders(&self) -> Result<(BTreeSet<String>, Vec<WorkspaceName>), Error> {
        let root = self.core().layout.root();
        let listed = |dir: &Path| -> Result<Vec<String>, Error> {
            let items = fs::read_dir(dir).map_err(Error::at("list", dir))?;
            let folders = items.flatten().filter(|item| item.file_type().is_ok_and(|kind| kind.is_dir()));
            Ok(folders.filter_map(|item| item.file_name().into_string().ok()).collect())
        };
        let mut owners = BTreeSet::new();
        let mut found = Vec::new();
        for owner in listed(root)?.into_iter().filter(|owner| owner != STATE) {
            // It may have gone since.
            let names = listed(&root.join(&owner)).unwrap_or_default();
            found.extend(names.iter().filter_map(|name| WorkspaceName::new(&owner, name).ok()));
            owners.insert(owner);
        }
        found.sort();
        Ok((owners, found))
    }

    /// Judges a folder that is no workspace yet. One that changed within `rest` may still be on
    /// its way here: nothing must be written into it.
    pub(super) fn judge(&self, name: &WorkspaceName, rest: Duration) -> Newcomer {
        let dir = self.core().layout.workspace(name);
        let git_dir = dir.join(".git");
        let before = SystemTime::now() - rest;
        let rests = |path: &Path| match fs::symlink_metadata(path).and_then(|m| m.modified()) {
            Ok(modified) => modified <= before,
            Err(_) => true,
        };
        if git_dir.exists() {
            let quiet =
                ["", "HEAD", "index", "refs/heads", "objects/pack"].iter().all(|part| rests(&git_dir.join(part)));
            let is_whole = matches!(heads::read_main(&git_dir), Ok(Some(_)));
            let is_ready = quiet && rests(&dir) && is_whole && !hands::is_at_work(&git_dir);
            return if is_ready { Newcomer::Repository } else { Newcomer::NotYet };
        }
        // A repository inside belongs to somebody; and one that just lost its `.git` is on its way out.
        let (mut files, mut looked_at) = (0, 0);
        let mut folders = vec![dir.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(items) = fs::read_dir(&folder) else { return Newcomer::NotYet };
            if !rests(&folder) {
                return Newcomer::NotYet;
            }
            for item in items.flatten() {
                looked_at += 1;
                // Of a project it is taken over.
                if item.file_name() == ".git" && aside::is_project(&dir, &folder) && rests(&item.path()) {
                    continue;
                }
                if item.file_name() == ".git" || !rests(&item.path()) {
                    return Newcomer::NotYet;
                }
                match item.file_type() {
                    Ok(kind) if kind.is_dir() && looked_at < LOOKED_AT => folders.push(item.path()),
                    Ok(kind) if kind.is_file() => files += 1,
                    _ => {}
                }
            }
        }
        if files > 0 { Newcomer::Files } else { Newcomer::NotYet }
    }

    /// Opens a repository that somebody put there.
    pub(super) fn welcome(&self, name: &WorkspaceName) -> Result<Arc<Workspace>, Error> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(other) = self.workspace(name) {
            return Err(Error::Exists(other.name().clone()));
        }
        let workspace = self.open_workspace(name, None)?;
        self.register(workspace.clone())?;
        Ok(workspace)
    }

    /// Whether a workspace's repository is where it was, and the same.
    pub(super) fn is_at_home(&self, workspace: &Workspace) -> bool {
        match fs::symlink_metadata(&workspace.git_dir) {
            Ok(found) => Some((found.dev(), found.ino())) == workspace.identity,
            // Anything but a clear answer changes nothing.
            Err(error) => error.kind() != std::io::ErrorKind::NotFound || !self.core().layout.root().exists(),
        }
    }

    /// Forgets a workspace that somebody took away; the disk stays as it is. Says whether it was
    /// there until now.
    pub(super) fn let_go(&self, workspace: &Arc<Workspace>) -> Result<bool, Error> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        // The server itself may have removed it meanwhile, and made another of its name.
        if !self.named(workspace.name().as_str()).is_some_and(|now| Arc::ptr_eq(&now, workspace)) {
            return Ok(false);
        }
        workspace.removed.store(true, Ordering::Release);
        // Waits for a group that is being applied; nothing of it is to be mended later.
        self.core().journal.checkpoint()?;
        self.shared.unregister(workspace.name());
        Ok(true)
    }
}

/// Owners and workspaces of a data directory.
pub(super) fn names(dir: &Path) -> Result<Vec<WorkspaceName>, Error> {
    let mut found = Vec::new();
    let folders = |dir: &Path| -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for item in fs::read_dir(dir).map_err(Error::at("list", dir))? {
            let item = item.map_err(Error::at("list", dir))?;
            // A link may lead out of the data directory.
            if item.file_type().is_ok_and(|kind| kind.is_dir())
                && let Ok(name) = item.file_name().into_string()
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    };
    for owner in folders(dir)?.into_iter().filter(|owner| owner != STATE) {
        for name in folders(&dir.join(&owner))? {
            match WorkspaceName::new(&owner, &name) {
                Ok(workspace) => found.push(workspace),
                Err(error) => tracing::warn!(%error, "passing over a folder"),
            }
        }
    }
    Ok(found)
}
