//! The newest state of a workspace, as the writer's jobs see and change it.

mod disk;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use super::commit::{self, Change, Committed, DISK_TRAILER, Intent};
use super::error::{Error, TipError};
use super::objects::Objects;
use super::pack::{self, Builder, Kind, Pack};
use super::staging::{self, Staging};
use super::tree::{Entry, FileMode};
use super::workspace::{Head, Workspace};
use super::worktree::Folders;
use crate::base::clock;
use crate::resource::actor::Author;
use crate::resource::etag::Etag;
use crate::resource::key::FilePath;
use crate::resource::row::Moment;

/// The state that the next commit of a group builds on, with the job's own changes on top.
///
/// The first look at a path compares the file on disk with it: an edit made there is committed
/// first, as the owner's, so that no write overwrites it unseen.
pub struct Tip<'a> {
    workspace: &'a Arc<Workspace>,
    head: Head,
    builder: &'a mut Builder,
    /// Trees and blobs of this group's commits, which no reader has yet.
    trees: HashMap<Etag, Bytes>,
    blobs: HashMap<Etag, Bytes>,
    /// Trees that this group's commits changed.
    past: HashSet<Etag>,
    staging: Staging,
    /// What the running job has put.
    fresh: HashMap<Etag, Bytes>,
    committed: Vec<Arc<Committed>>,
    /// Every path that a commit changed, and what it has now.
    changed: BTreeMap<FilePath, Option<Entry>>,
    /// `None` when another branch is checked out: then the disk is not ours.
    folders: Option<Folders<'a>>,
    /// What the disk has at the paths that were compared.
    on_disk: HashMap<FilePath, Option<Etag>>,
    /// Part of what the job staged was lost: it must not be committed.
    torn: bool,
    /// While the running job commits nothing: the paths it has looked at.
    rehearsed: Option<HashSet<FilePath>>,
}

/// A group's outcome, for the writer.
pub(super) struct Group<'a> {
    pub(super) head: Head,
    pub(super) pack: Pack,
    pub(super) committed: Vec<Arc<Committed>>,
    pub(super) trees: HashMap<Etag, Bytes>,
    pub(super) past: HashSet<Etag>,
    pub(super) blobs: HashMap<Etag, Bytes>,
    pub(super) folders: Option<Folders<'a>>,
    pub(super) on_disk: HashMap<FilePath, Option<Etag>>,
    /// Every changed path and what it has now.
    pub(super) changed: BTreeMap<FilePath, Option<Entry>>,
}

fn loader<'b>(
    trees: &'b HashMap<Etag, Bytes>,
    objects: &'b Objects,
) -> impl Fn(Etag) -> Result<Bytes, Error> + use<'b> {
    move |id| trees.get(&id).map_or_else(|| objects.tree(id), |found| Ok(found.clone()))
}

impl<'a> Tip<'a> {
    pub(super) fn new(
        workspace: &'a Arc<Workspace>,
        head: Head,
        builder: &'a mut Builder,
        folders: Option<Folders<'a>>,
    ) -> Result<Self, Error> {
        builder.clear();
        let staging = Staging::new(head.root, &|id| workspace.objects.tree(id))?;
        Ok(Tip {
            workspace,
            head,
            builder,
            trees: HashMap::new(),
            blobs: HashMap::new(),
            past: HashSet::new(),
            staging,
            fresh: HashMap::new(),
            committed: Vec::new(),
            changed: BTreeMap::new(),
            folders,
            on_disk: HashMap::new(),
            torn: false,
            rehearsed: None,
        })
    }

    pub fn workspace(&self) -> &Arc<Workspace> {
        self.workspace
    }

    /// The newest commit, which this job's commit will have as its parent.
    pub fn head(&self) -> Etag {
        self.head.commit
    }

    /// The newest commit's generation: 0 for the root, else one more than its highest parent's.
    pub fn generation(&self) -> u32 {
        self.head.generation
    }

    /// From here on the job only looks at what would be: an edit on disk is seen, and not
    /// committed. It must not ask for a commit.
    pub fn rehearse(&mut self) {
        self.rehearsed.get_or_insert_default();
    }

    /// The file at a path; `None` also for a folder.
    pub fn entry(&mut self, path: &FilePath) -> Result<Option<Entry>, TipError> {
        self.compare(path)?;
        Ok(self.staged_entry(path)?)
    }

    fn staged_entry(&self, path: &FilePath) -> Result<Option<Entry>, Error> {
        self.staging.find(&loader(&self.trees, &self.workspace.objects), path.as_str())
    }

    /// The file at a path without a look at the disk.
    pub(super) fn committed_entry(&self, path: &FilePath) -> Result<Option<Entry>, Error> {
        self.staged_entry(path)
    }

    /// The file at a path with its bytes.
    pub fn blob(&mut self, path: &FilePath) -> Result<Option<(Etag, Bytes)>, TipError> {
        match self.entry(path)? {
            Some(entry) if entry.mode.is_blob() => Ok(Some((entry.etag, self.read_blob(entry.etag)?))),
            _ => Ok(None),
        }
    }

    /// A file's bytes by its etag; what this group has put is there too.
    pub fn read_blob(&self, etag: Etag) -> Result<Bytes, Error> {
        match self.fresh.get(&etag).or_else(|| self.blobs.get(&etag)) {
            Some(found) => Ok(found.clone()),
            None => self.workspace.objects.blob(etag),
        }
    }

    /// All files in a folder and below, "" for all there are, in no promised order.
    pub fn list(&self, folder: &str) -> Result<Vec<(String, Entry)>, Error> {
        self.staging.list(&loader(&self.trees, &self.workspace.objects), folder)
    }

    /// Sets a file's bytes; an executable file stays one.
    pub fn put(&mut self, path: &FilePath, content: Bytes) -> Result<Etag, TipError> {
        let (bytes, most) = (content.len() as u64, self.workspace.core.options.file_bytes);
        if bytes > most {
            return Err(TipError::TooLarge { path: path.clone(), bytes, most });
        }
        let mode = match self.entry(path)? {
            Some(Entry { mode: FileMode::Executable, .. }) => FileMode::Executable,
            _ => FileMode::File,
        };
        let etag = pack::blob_id(&content)?;
        self.staging.put(&loader(&self.trees, &self.workspace.objects), path, Entry { etag, mode })?;
        self.fresh.insert(etag, content);
        Ok(etag)
    }

    /// Sets a file to an object that the workspace has, with its mode.
    pub fn place(&mut self, path: &FilePath, entry: Entry) -> Result<(), TipError> {
        self.compare(path)?;
        self.staging.put(&loader(&self.trees, &self.workspace.objects), path, entry)
    }

    /// Takes a file out; says whether there was one.
    pub fn remove(&mut self, path: &FilePath) -> Result<bool, TipError> {
        self.compare(path)?;
        Ok(self.staging.remove(&loader(&self.trees, &self.workspace.objects), path)?)
    }

    /// Moves a file over whatever file is at `to`. Say so in a [`super::MOVED_TRAILER`].
    pub fn rename(&mut self, from: &FilePath, to: &FilePath) -> Result<(), TipError> {
        self.compare(to)?;
        let entry = self.entry(from)?.ok_or_else(|| TipError::Missing { path: from.clone() })?;
        let load = loader(&self.trees, &self.workspace.objects);
        self.staging.remove(&load, from)?;
        if let Err(error) = self.staging.put(&load, to, entry) {
            self.staging.put(&load, from, entry)?;
            return Err(error);
        }
        Ok(())
    }

    /// Drops what the job has staged.
    pub(super) fn discard(&mut self) -> Result<(), Error> {
        self.fresh.clear();
        self.torn = false;
        self.rehearsed = None;
        self.staging = Staging::new(self.head.root, &loader(&self.trees, &self.workspace.objects))?;
        Ok(())
    }

    /// How much the group will write so far.
    pub(super) fn bytes(&self) -> usize {
        self.builder.len()
    }

    /// Commits what is staged; nothing when that is nothing new.
    pub(super) fn commit(&mut self, intent: &Intent) -> Result<Option<Arc<Committed>>, Error> {
        if self.torn || self.rehearsed.is_some() {
            return Err(Error::damaged("commit what must not be"));
        }
        let load = loader(&self.trees, &self.workspace.objects);
        let mut changes = Vec::with_capacity(self.staging.changes().len());
        for (path, new) in self.staging.changes() {
            let old = staging::find_below(&load, self.head.root, path.as_str())?.filter(|e| e.mode != FileMode::Folder);
            if old == *new {
                continue;
            }
            if let Some(new) = new
                && let Some(content) = self.fresh.get(&new.etag)
            {
                self.builder.add(Kind::Blob, new.etag, content, None)?;
                self.blobs.insert(new.etag, content.clone());
            }
            self.changed.insert(path.clone(), *new);
            let (old, new) = (old.map(|e| e.etag), new.map(|e| e.etag));
            changes.push(Change { path: path.to_arc(), old, new, moved_from: None });
        }
        drop(load);
        if changes.is_empty() {
            self.discard()?;
            return Ok(None);
        }
        let mut written = Vec::new();
        let (builder, past) = (&mut *self.builder, &mut self.past);
        let root = self.staging.write(&mut |id, raw, base| {
            builder.add(Kind::Tree, id, &raw, base)?;
            past.extend(base.map(|(base, _)| base));
            past.remove(&id);
            written.push((id, raw));
            Ok(())
        })?;
        if root == super::tree::EMPTY_TREE {
            builder.add(Kind::Tree, root, b"", None)?;
        }
        self.trees.extend(written);
        commit::mark_moves(&mut changes, &intent.message);
        let seconds = clock::now().max(self.head.seconds);
        let raw = commit::encode(root, &[self.head.commit], seconds, intent);
        let id = pack::commit_id(&raw)?;
        self.builder.add(Kind::Commit, id, &raw, None)?;
        let parsed = commit::parse(&raw).ok_or_else(|| Error::damaged("write a commit"))?;
        let generation = self.head.generation + 1;
        let committed = Arc::new(Committed {
            commit: id,
            parent: Some(self.head.commit),
            at: Moment { seconds, generation },
            author: parsed.author,
            message: String::from_utf8_lossy(parsed.message).into(),
            changes,
        });
        self.head = Head { commit: id, root, generation, seconds };
        self.committed.push(committed.clone());
        self.discard()?;
        Ok(Some(committed))
    }

    /// Ends the group; `None` when it made no commit.
    pub(super) fn finish(self) -> Option<Group<'a>> {
        if self.committed.is_empty() {
            return None;
        }
        Some(Group {
            head: self.head,
            pack: self.builder.finish(),
            committed: self.committed,
            trees: self.trees,
            past: self.past,
            blobs: self.blobs,
            folders: self.folders,
            on_disk: self.on_disk,
            changed: self.changed,
        })
    }
}

/// The commit of edits on disk: the owner's, with a trailer for each path.
pub(super) fn disk_intent(workspace: &Workspace, paths: &[FilePath]) -> Intent {
    let owner = workspace.name().owner();
    let author = Author { name: owner.to_owned(), email: format!("{owner}@workleaf.invalid") };
    let what = match paths {
        [path] => path.to_string(),
        paths => format!("{} files", paths.len()),
    };
    let trailers: String = paths.iter().map(|path| format!("{DISK_TRAILER}: {path}\n")).collect();
    Intent { author, message: format!("Edit {what} on the server's disk\n\n{trailers}") }
}
