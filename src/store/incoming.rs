//! What a push brings, in a folder of its own until it is accepted: nobody else sees it, and it goes
//! without a trace when it is refused.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use git2::{ObjectType, Odb};

use super::ancestry;
use super::commit;
use super::error::Error;
use super::history;
use super::layout::Layout;
use super::objects::Objects;
use super::pack::Pack;
use super::packfile;
use super::staging;
use super::tree::{self, Entries, Entry, FileMode};
use super::workspace::Workspace;
use crate::base::random;
use crate::resource::etag::Etag;
use crate::resource::key::{self, FilePath};

/// Most objects of one push, and bytes of one that is no file. A tree of that size has some 400,000
/// entries.
const OBJECTS_MOST: usize = 2_000_000;
const TREE_BYTES: usize = 16 << 20;
const TEXT_BYTES: usize = 1 << 20;
/// A pack of so many bytes goes through the journal, whose one sync costs less than those of its
/// files.
const JOURNALED_MOST: u64 = 1 << 20;
/// Most commits that one push adds to `main`, and most files and folders that they change together:
/// nine objects can say ten million paths.
const COMMITS_MOST: usize = 100_000;
const ENTRIES_MOST: usize = 500_000;

/// Why a push is refused.
#[derive(Debug)]
pub enum Refused {
    /// In words for the one who pushes.
    Because(String),
    Store(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused::Store(error)
    }
}

fn because<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Because(why.into()))
}

/// A file that a push changes in `main`.
#[derive(Debug, Clone)]
pub struct Changed {
    pub path: FilePath,
    pub old: Option<Etag>,
    pub new: Option<Etag>,
}

/// How much a push brings.
#[derive(Debug)]
pub struct Measured {
    pub objects: usize,
    /// The largest file's bytes and id.
    pub largest: Option<(u64, String)>,
}

/// The objects of one push.
pub struct Incoming {
    workspace: Arc<Workspace>,
    folder: PathBuf,
    pub(super) objects: Objects,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if fs::remove_dir_all(&self.folder).is_ok() {
            return;
        }
        // A git that was just killed may write its last there.
        let folder = std::mem::take(&mut self.folder);
        std::thread::spawn(move || {
            let is_gone = || {
                std::thread::sleep(Duration::from_millis(20));
                fs::remove_dir_all(&folder).is_ok() || !folder.exists()
            };
            if !(0..100).any(|_| is_gone()) {
                tracing::warn!("what a push brought stays on the disk until the next start");
            }
        });
    }
}

/// Forgets pushes that a crash cut off.
pub(super) fn clear(layout: &Layout) -> Result<(), Error> {
    match fs::remove_dir_all(layout.incoming()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("clear unfinished pushes")(error)),
        _ => Ok(()),
    }
}

impl Workspace {
    /// A place for what a push brings.
    pub fn incoming(self: &Arc<Self>) -> Result<Incoming, Error> {
        let folder = self.core.layout.incoming().join(random::uuid());
        let pack = folder.join("pack");
        fs::create_dir_all(&pack).map_err(Error::at("make", &pack))?;
        let objects = self.objects.with(&folder);
        Ok(Incoming { workspace: self.clone(), folder, objects })
    }
}

impl Incoming {
    /// Where the objects go; those of the workspace are beside it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Looks at the size of every object before any is read. Files are only measured: those of
    /// `main` are refused by their path.
    pub fn measure(&self) -> Result<Measured, Refused> {
        let doing = "look at what was pushed";
        let own = Odb::new().map_err(Error::git(doing))?;
        let folder = self.folder.to_str().ok_or_else(|| Error::damaged(doing))?;
        own.add_disk_alternate(folder).map_err(Error::git(doing))?;
        let mut ids = Vec::new();
        let listed = own.foreach(|id| {
            ids.push(*id);
            ids.len() <= OBJECTS_MOST
        });
        if ids.len() > OBJECTS_MOST {
            return because(format!("the push has more than {OBJECTS_MOST} objects"));
        }
        listed.map_err(Error::git(doing))?;
        let mut largest = None;
        for id in &ids {
            let (bytes, kind) = own.read_header(*id).map_err(Error::git(doing))?;
            let (what, most) = match kind {
                ObjectType::Blob => {
                    largest = largest.max(Some((bytes as u64, id.to_string())));
                    continue;
                }
                ObjectType::Tree => ("folder", TREE_BYTES),
                _ => ("commit or tag", TEXT_BYTES),
            };
            if bytes > most {
                return because(format!("the {what} {id} is too large: {bytes} bytes, at most {most} are stored"));
            }
        }
        Ok(Measured { objects: ids.len(), largest })
    }

    /// Whether this is a commit, and not for example a tag.
    pub fn is_commit(&self, id: Etag) -> bool {
        self.objects.commit(id).is_ok_and(|raw| commit::parse(&raw).is_some())
    }

    /// Whether the object is there, whatever it is.
    pub fn has(&self, id: Etag) -> bool {
        self.objects.exists(id)
    }

    /// Whether `ancestor` is `commit` or one of its ancestors.
    pub fn contains(&self, commit: Etag, ancestor: Etag) -> Result<bool, Error> {
        ancestry::contains(&self.objects, commit, ancestor)
    }

    /// The first commit of a history, by first parents.
    pub fn first_commit(&self, commit: Etag) -> Result<Etag, Error> {
        let mut at = commit;
        while let Some(parent) = ancestry::parents(&self.objects, at)?.first() {
            at = *parent;
        }
        Ok(at)
    }

    /// A file's bytes.
    pub fn blob(&self, id: Etag) -> Result<Bytes, Error> {
        self.objects.blob_uncached(id)
    }

    /// The file at a path in a commit.
    pub fn file(&self, commit: Etag, path: &FilePath) -> Result<Option<Etag>, Error> {
        let root = self.root(commit)?;
        let found = staging::find_below(&|id| self.objects.tree_uncached(id), root, path.as_str())?;
        Ok(found.filter(|entry| entry.mode.is_blob()).map(|entry| entry.etag))
    }

    fn root(&self, commit: Etag) -> Result<Etag, Error> {
        let raw = self.objects.commit(commit)?;
        Ok(commit::parse(&raw).ok_or_else(|| Error::damaged("read a commit"))?.tree)
    }

    /// Looks at what each commit changes that `new` has and `old` has not: only changed entries are
    /// visited, and every one is held against the rules that REST writes obey.
    pub fn check_history(&self, old: Etag, new: Etag, file_bytes: u64) -> Result<(), Refused> {
        let found = history::collect(&self.objects, Some(old), new)?;
        if found.len() > COMMITS_MOST {
            return because(format!("the push has more than {COMMITS_MOST} commits"));
        }
        let mut left = ENTRIES_MOST;
        let mut sizes = HashMap::new();
        for commit in found {
            let before = commit.parents.first().map(|parent| self.root(*parent)).transpose()?;
            self.check_tree(before, self.root(commit.id)?, file_bytes, &mut left, &mut sizes)?;
        }
        Ok(())
    }

    /// Looks at everything that a commit of somebody else's holds, by the same rules, and at the
    /// size of all that came with it.
    pub fn check_fetched(&self, commit: Etag, file_bytes: u64) -> Result<(), Refused> {
        let measured = self.measure()?;
        if let Some((bytes, id)) = measured.largest.filter(|(bytes, _)| *bytes > file_bytes) {
            return because(format!("the file {id} is too large: {bytes} bytes, at most {file_bytes} are stored"));
        }
        if !self.is_commit(commit) {
            return because("the branch is no commit");
        }
        let mut left = ENTRIES_MOST;
        self.check_tree(None, self.root(commit)?, file_bytes, &mut left, &mut HashMap::new())
    }

    fn check_tree(
        &self,
        old: Option<Etag>,
        new: Etag,
        file_bytes: u64,
        left: &mut usize,
        sizes: &mut HashMap<Etag, u64>,
    ) -> Result<(), Refused> {
        let mut waiting = vec![(String::new(), old, new)];
        while let Some((at, old, new)) = waiting.pop() {
            if old == Some(new) {
                continue;
            }
            let before = old.map(|old| self.objects.tree_uncached(old)).transpose()?.unwrap_or_default();
            let after = self.objects.tree_uncached(new)?;
            if tree::has_odd_modes(&after) {
                return because(format!("{}: an entry's mode is none that is stored", shown(&at)));
            }
            let known: HashMap<&[u8], Entry> = Entries(&before).map(|e| (e.name, e.entry)).collect();
            let mut is_longer = false;
            for item in Entries(&after) {
                let was = known.get(item.name).copied();
                if was == Some(item.entry) {
                    continue;
                }
                *left = left.saturating_sub(1);
                if *left == 0 {
                    return because(format!("the push changes more than {ENTRIES_MOST} files and folders"));
                }
                is_longer |= was.is_none();
                let path = path_of(&at, item.name)?;
                match item.entry.mode {
                    FileMode::Link => return because(format!("{path}: is a symbolic link; links are not stored")),
                    FileMode::Submodule => {
                        return because(format!("{path}: is a submodule; other repositories are not stored"));
                    }
                    FileMode::Folder => {
                        let was = was.filter(|was| was.mode == FileMode::Folder).map(|was| was.etag);
                        waiting.push((path.as_str().to_owned(), was, item.entry.etag));
                    }
                    FileMode::File | FileMode::Executable => {
                        let size = match sizes.get(&item.entry.etag) {
                            Some(size) => *size,
                            None => self.objects.size(item.entry.etag)?,
                        };
                        sizes.insert(item.entry.etag, size);
                        if size > file_bytes {
                            return because(format!(
                                "{path}: is too large: {size} bytes, at most {file_bytes} are stored"
                            ));
                        }
                    }
                }
            }
            if is_longer {
                refuse_twins(&at, &after)?;
            }
        }
        Ok(())
    }

    /// The files that differ between two commits, by path.
    pub fn changes(&self, old: Etag, new: Etag) -> Result<Vec<Changed>, Refused> {
        let (old, new) = (self.root(old)?, self.root(new)?);
        let mut found = Vec::new();
        let mut load = |id| self.objects.tree_uncached(id);
        history::compare(&mut load, Some(old), Some(new), &mut |path, old, new| {
            // What goes may have had any name.
            if let Ok(path) = FilePath::parse(&path) {
                found.push(Changed { path, old: old.map(|e| e.etag), new: new.map(|e| e.etag) });
            }
        })?;
        found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// A stored file's size.
    pub fn size(&self, id: Etag) -> Result<u64, Error> {
        self.objects.size(id)
    }

    /// The one pack, when it is small enough to be made durable by the journal.
    pub(super) fn small_pack(&self) -> Result<Option<Pack>, Error> {
        let folder = self.folder.join("pack");
        let found = packfile::list(&folder)?;
        let [only] = &found[..] else { return Ok(None) };
        if only.bytes > JOURNALED_MOST {
            return Ok(None);
        }
        let read = |extension| {
            let path = packfile::path(&folder, only.name, extension);
            fs::read(&path).map_err(Error::at("read", &path))
        };
        Ok(Some(Pack { name: only.name, pack: read("pack")?, index: read("idx")? }))
    }

    /// Puts the objects into the repository. `synced`: so that they survive whatever comes.
    pub(super) fn keep(&self, synced: bool) -> Result<Vec<packfile::Found>, Error> {
        let from = self.folder.join("pack");
        let to = packfile::folder(&self.workspace.git_dir);
        fs::create_dir_all(&to).map_err(Error::at("make", &to))?;
        let sync = |path: &Path| fs::File::open(path).and_then(|file| file.sync_all()).map_err(Error::at("sync", path));
        let found = packfile::list(&from)?;
        for pack in &found {
            // Without its index a pack is nothing to git.
            for extension in ["pack", "idx"] {
                let source = packfile::path(&from, pack.name, extension);
                if synced {
                    sync(&source)?;
                }
                let target = packfile::path(&to, pack.name, extension);
                fs::rename(&source, &target).map_err(Error::at("keep", &source))?;
            }
        }
        if synced {
            sync(&to)?;
        }
        Ok(found)
    }
}

fn shown(folder: &str) -> &str {
    if folder.is_empty() { "the top folder" } else { folder }
}

/// The path of an entry, when it is one that is stored.
fn path_of(folder: &str, name: &[u8]) -> Result<FilePath, Refused> {
    let Ok(text) = std::str::from_utf8(name) else {
        return because(format!("{:?} in {}: the name is not UTF-8", String::from_utf8_lossy(name), shown(folder)));
    };
    if text.contains('/') {
        return because(format!("{text:?} in {}: a name cannot hold a slash", shown(folder)));
    }
    let path = if folder.is_empty() { text.to_owned() } else { format!("{folder}/{text}") };
    FilePath::parse(&path).map_err(|error| Refused::Because(error.to_string()))
}

/// Refuses names of one folder that some file systems take for one.
fn refuse_twins(folder: &str, raw: &[u8]) -> Result<(), Refused> {
    let mut seen = HashSet::new();
    for item in Entries(raw) {
        let Ok(name) = std::str::from_utf8(item.name) else { continue };
        if !seen.insert(key::folded(name)) {
            let folded = key::folded(name);
            let is_twin = |other: &&str| *other != name && key::folded(other) == folded;
            let other = Entries(raw).filter_map(|e| std::str::from_utf8(e.name).ok()).find(is_twin).unwrap_or(name);
            return because(format!(
                "{name:?} and {other:?} in {}: the names differ only in case or Unicode spelling",
                shown(folder)
            ));
        }
    }
    Ok(())
}
