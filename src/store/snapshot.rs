//! Reading: a workspace's files as one commit has them.

use std::sync::Arc;

use bytes::Bytes;

use super::commit;
use super::error::Error;
use super::staging;
use super::tree::{Entries, Entry, FileMode};
use super::workspace::Workspace;
use crate::resource::actor::Author;
use crate::resource::etag::Etag;

/// The files of one commit. Cheap to clone; stays as it is while the workspace moves on.
#[derive(Debug, Clone)]
pub struct Snapshot {
    workspace: Arc<Workspace>,
    commit: Etag,
    root: Etag,
}

/// A file in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    pub path: Arc<str>,
    pub etag: Etag,
    /// [`FileMode::Folder`] only where folders are listed; then `etag` is the tree's id.
    pub mode: FileMode,
}

impl FileEntry {
    pub fn entry(&self) -> Entry {
        Entry { etag: self.etag, mode: self.mode }
    }
}

/// A commit by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    pub id: Etag,
    pub parents: Vec<Etag>,
    pub author: Author,
    /// The committer's date, in seconds since 1970.
    pub seconds: i64,
    pub message: String,
}

impl CommitInfo {
    pub(super) fn of(id: Etag, raw: &[u8]) -> Option<Self> {
        let parsed = commit::parse(raw)?;
        Some(CommitInfo {
            id,
            message: String::from_utf8_lossy(parsed.message).into_owned(),
            parents: parsed.parents,
            author: parsed.author,
            seconds: parsed.seconds,
        })
    }
}

impl Snapshot {
    pub(super) fn new(workspace: Arc<Workspace>, commit: Etag, root: Etag) -> Self {
        Snapshot { workspace, commit, root }
    }

    pub fn workspace(&self) -> &Arc<Workspace> {
        &self.workspace
    }

    pub fn commit(&self) -> Etag {
        self.commit
    }

    /// The top folder's tree.
    pub(super) fn root(&self) -> Etag {
        self.root
    }

    fn tree(&self, id: Etag) -> Result<Bytes, Error> {
        self.workspace.objects.tree(id)
    }

    /// The file at a path; `None` also for a folder.
    pub fn entry(&self, path: &str) -> Result<Option<Entry>, Error> {
        let entry = staging::find_below(&|id| self.tree(id), self.root, path)?;
        Ok(entry.filter(|entry| entry.mode.is_blob()))
    }

    /// A file's bytes, by its etag.
    pub fn blob(&self, etag: Etag) -> Result<Bytes, Error> {
        self.workspace.objects.blob(etag)
    }

    /// The bytes of many files, in the order asked for.
    pub fn blobs(&self, etags: &[Etag]) -> Result<Vec<Bytes>, Error> {
        etags.iter().map(|etag| self.blob(*etag)).collect()
    }

    /// A file's size in bytes, by its etag.
    pub fn size(&self, etag: Etag) -> Result<u64, Error> {
        self.workspace.objects.size(etag)
    }

    /// The files in a folder ("" for the top): with all below it, or only the folder's own entries,
    /// then with its folders. Empty where there is no such folder.
    pub fn files(&self, folder: &str, recursive: bool) -> Result<Vec<FileEntry>, Error> {
        let load = |id| self.tree(id);
        let mut found = Vec::new();
        let tree = if folder.is_empty() {
            self.root
        } else {
            match staging::find_below(&load, self.root, folder)? {
                Some(entry) if entry.mode == FileMode::Folder => entry.etag,
                _ => return Ok(found),
            }
        };
        let mut add = |path: String, entry: Entry| {
            found.push(FileEntry { path: path.into(), etag: entry.etag, mode: entry.mode });
        };
        if recursive {
            staging::list_below(&load, tree, folder, &mut add)?;
        } else {
            for item in Entries(&self.tree(tree)?) {
                let Ok(name) = std::str::from_utf8(item.name) else { continue };
                add(if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }, item.entry);
            }
        }
        Ok(found)
    }
}
