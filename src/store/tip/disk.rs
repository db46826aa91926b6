//! The disk under a tip: what somebody edited there is committed before it could be overwritten.

use std::fs;
use std::path::Path;

use super::super::error::{Error, TipError};
use super::super::hands::{Claim, Claims};
use super::super::staging;
use super::super::tree::{Entry, FileMode};
use super::super::worktree::{Folders, OnDisk};
use super::{Tip, disk_intent, loader};
use crate::resource::etag::Etag;
use crate::resource::key::FilePath;

impl Tip<'_> {
    /// Compares the file on disk with the last commit, once per group, and commits it first if
    /// somebody edited it there.
    pub(super) fn compare(&mut self, path: &FilePath) -> Result<(), TipError> {
        let Some(folders) = &mut self.folders else { return Ok(()) };
        if self.on_disk.contains_key(path) {
            return Ok(());
        }
        if let Some(rehearsed) = &mut self.rehearsed
            && !rehearsed.insert(path.clone())
        {
            return Ok(());
        }
        let load = loader(&self.trees, &self.workspace.objects);
        let entry = staging::find_below(&load, self.head.root, path.as_str())?;
        if entry.is_some_and(|e| e.mode == FileMode::Folder) {
            // The folder on disk is that one.
            self.on_disk.insert(path.clone(), None);
            return Ok(());
        }
        let entry = entry.filter(|e| e.mode.is_blob());
        if entry.is_none()
            && let Some(folder) = self.workspace.work_tree.repository_above(path)
        {
            let what = format!("the folder {folder} is a repository of its own");
            return Err(TipError::Disk { path: path.clone(), what });
        }
        let most = self.workspace.core.options.file_bytes;
        let found = match folders.look(path, most) {
            Err(TipError::Disk { .. }) if is_under_file(&load, self.head.root, path)? => OnDisk::Missing,
            found => found?,
        };
        drop(load);
        let disk = match &found {
            OnDisk::Missing => None,
            OnDisk::File { etag, .. } => Some(*etag),
        };
        if disk == entry.map(|e| e.etag) || self.workspace.is_stale(path) {
            self.on_disk.insert(path.clone(), disk);
            return Ok(());
        }
        if let Some(claim) = Claims::of(self.workspace)?.on_differing(path, disk)? {
            return Err(TipError::Disk { path: path.clone(), what: claim.words().to_owned() });
        }
        let edit = with_content(folders, path, found, most)?;
        if self.rehearsed.is_some() {
            return self.stage(path, edit).map(|_| ());
        }
        let taken = self.absorb(path, edit);
        self.torn |= taken.is_err();
        taken
    }

    /// Commits what the disk has at a path beneath what the running job has staged.
    fn absorb(&mut self, path: &FilePath, edit: OnDisk) -> Result<(), TipError> {
        let kept = self.staging.changes().clone();
        let fresh = std::mem::take(&mut self.fresh);
        self.discard()?;
        let disk = self.stage(path, edit)?;
        self.commit(&disk_intent(self.workspace, std::slice::from_ref(path)))?;
        self.on_disk.insert(path.clone(), disk);
        self.fresh = fresh;
        let load = loader(&self.trees, &self.workspace.objects);
        for (path, entry) in kept {
            match entry {
                Some(entry) => self.staging.put(&load, &path, entry)?,
                None => drop(self.staging.remove(&load, &path)?),
            }
        }
        Ok(())
    }

    /// Stages an edit on disk; gives the file's etag.
    fn stage(&mut self, path: &FilePath, edit: OnDisk) -> Result<Option<Etag>, TipError> {
        let load = loader(&self.trees, &self.workspace.objects);
        match edit {
            OnDisk::Missing => {
                self.staging.remove(&load, path)?;
                Ok(None)
            }
            OnDisk::File { etag, content, executable } => {
                let mode = if executable { FileMode::Executable } else { FileMode::File };
                self.staging.put(&load, path, Entry { etag, mode })?;
                self.fresh.insert(etag, content.unwrap_or_default());
                Ok(Some(etag))
            }
        }
    }

    /// Why a file on disk is not to be taken in yet.
    pub(in crate::store) fn claim(&mut self, claims: &Claims<'_>, path: &FilePath) -> Result<Option<Claim>, Error> {
        if let Some(claim) = claims.on(path.as_str()) {
            return Ok(Some(claim));
        }
        let Some(folders) = &mut self.folders else { return Ok(None) };
        let disk = match folders.look(path, self.workspace.core.options.file_bytes) {
            Ok(OnDisk::File { etag, .. }) => Some(etag),
            Ok(OnDisk::Missing) => None,
            // Refused, when it is staged.
            Err(_) => return Ok(None),
        };
        if disk == self.committed_entry(path)?.map(|entry| entry.etag) {
            return Ok(None);
        }
        claims.on_differing(path, disk)
    }

    /// Stages what the disk has at a path; says whether that is an edit.
    pub(in crate::store) fn stage_disk(&mut self, path: &FilePath) -> Result<bool, TipError> {
        let Some(folders) = &mut self.folders else { return Ok(false) };
        let most = self.workspace.core.options.file_bytes;
        let load = loader(&self.trees, &self.workspace.objects);
        let entry = self.staging.find(&load, path.as_str())?.filter(|e| e.mode != FileMode::Folder);
        let found = match folders.look(path, most) {
            // A folder took the file's place, or a file that of a folder above it.
            Err(TipError::Disk { .. }) if entry.is_some() && !is_a_file(&self.workspace.dir, path) => OnDisk::Missing,
            found => found?,
        };
        let disk = match &found {
            OnDisk::Missing => None,
            OnDisk::File { etag, .. } => Some(*etag),
        };
        if disk == entry.map(|e| e.etag) || self.workspace.is_stale(path) {
            return Ok(false);
        }
        drop(load);
        let edit = with_content(folders, path, found, most)?;
        self.stage(path, edit)?;
        self.on_disk.insert(path.clone(), disk);
        Ok(true)
    }

    /// Commits files again that a commit by hand dropped; the disk still has them.
    pub(in crate::store) fn restore(&mut self, paths: &[FilePath]) -> Result<(), Error> {
        let mut staged = Vec::new();
        for path in paths {
            match self.stage_disk(path) {
                Ok(true) => staged.push(path.clone()),
                Ok(false) => {}
                Err(error) => tracing::warn!(%path, %error, "a file that was dropped stays on the disk"),
            }
        }
        self.commit(&disk_intent(self.workspace, &staged)).map(|_| ())
    }
}

/// Whether something other than a folder stands at a path.
fn is_a_file(dir: &Path, path: &FilePath) -> bool {
    fs::symlink_metadata(dir.join(path.as_str())).is_ok_and(|found| !found.is_dir())
}

/// The same, read again where only its id is known.
fn with_content(folders: &mut Folders<'_>, path: &FilePath, found: OnDisk, most: u64) -> Result<OnDisk, TipError> {
    match found {
        OnDisk::File { content: None, .. } => folders.read(path, most),
        found => Ok(found),
    }
}

/// Whether a folder of the path is a file in this tree, so that nothing can be there.
fn is_under_file(load: staging::Load<'_>, root: Etag, path: &FilePath) -> Result<bool, Error> {
    for (end, _) in path.as_str().match_indices('/') {
        if staging::find_below(load, root, &path.as_str()[..end])?.is_some_and(|e| e.mode.is_blob()) {
            return Ok(true);
        }
    }
    Ok(false)
}
