//! Reading a workspace's objects: through caches first, then libgit2.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bytes::Bytes;
use git2::{ErrorCode, ObjectType, Odb, Oid};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::error::Error;
use super::tree;
use crate::resource::etag::Etag;
use crate::resource::key::WorkspaceName;

/// Of packs so many bytes at once are mapped, in windows of this size. What is mapped counts as
/// this process's memory, and libgit2 by itself maps whole packs.
const MAPPED: usize = 32 << 20;
const WINDOW: usize = 1 << 20;
/// Packs that are open at once: there may be a hundred in each workspace.
const OPEN_PACKS: usize = 256;

/// Sets what libgit2 does for the whole process; before anything is read.
pub(super) fn bound_libgit2() -> Result<(), Error> {
    static DONE: OnceLock<Result<(), Error>> = OnceLock::new();
    let bound = || {
        // Hashing each object that is read again would take half the time of a walk through
        // history; zlib's checksum finds what disks do to packs.
        git2::opts::strict_hash_verification(false);
        // What is worth keeping is in caches of our own, which are bounded.
        git2::opts::enable_caching(false);
        #[expect(unsafe_code, reason = "git2 has no other way to bound what is mapped")]
        // SAFETY: these words are read where a pack is opened or mapped. Every pack is opened
        // through a store, and every store is opened past this point, where one thread at a time is.
        unsafe {
            git2::opts::set_mwindow_size(WINDOW)?;
            git2::opts::set_mwindow_mapped_limit(MAPPED)?;
            git2::opts::set_mwindow_file_limit(OPEN_PACKS)
        }
    };
    DONE.get_or_init(|| bound().map_err(Error::git("set up libgit2"))).clone()
}

/// Workspace and object: one workspace's cache never answers for another.
type CacheKey = (u32, Etag);

#[derive(Clone)]
struct ByLength;

impl Weighter<CacheKey, Bytes> for ByLength {
    fn weight(&self, _: &CacheKey, value: &Bytes) -> u64 {
        value.len() as u64 + 100
    }
}

/// Objects read or written lately, of all workspaces.
pub(super) struct Caches {
    blobs: Cache<CacheKey, Bytes, ByLength>,
    trees: Cache<CacheKey, Bytes, ByLength>,
}

impl Caches {
    pub(super) fn new(bytes: u64) -> Self {
        let half = bytes / 2;
        let items = (half / 1500) as usize;
        Caches {
            blobs: Cache::with_weighter(items, half, ByLength),
            trees: Cache::with_weighter(items, half, ByLength),
        }
    }
}

/// One workspace's objects. libgit2's object database locks for itself, so one handle serves all
/// threads; it looks for new packs when it misses an object.
pub(super) struct Objects {
    workspace: WorkspaceName,
    serial: u32,
    caches: Arc<Caches>,
    folders: Vec<PathBuf>,
    odb: RwLock<Option<Arc<Odb<'static>>>>,
    used: AtomicBool,
}

impl Objects {
    pub(super) fn new(workspace: WorkspaceName, serial: u32, caches: Arc<Caches>, git_dir: &Path) -> Self {
        Objects {
            workspace,
            serial,
            caches,
            folders: vec![git_dir.join("objects")],
            odb: RwLock::new(None),
            used: AtomicBool::new(false),
        }
    }

    /// These objects and those of one more folder, which only this handle sees.
    pub(super) fn with(&self, folder: &Path) -> Self {
        Objects {
            workspace: self.workspace.clone(),
            // Nothing that it reads may be kept: the folder may go again.
            serial: u32::MAX,
            caches: self.caches.clone(),
            folders: std::iter::once(folder.to_owned()).chain(self.folders.iter().cloned()).collect(),
            odb: RwLock::new(None),
            used: AtomicBool::new(false),
        }
    }

    /// A file's bytes, not kept.
    pub(super) fn blob_uncached(&self, id: Etag) -> Result<Bytes, Error> {
        self.read(id, ObjectType::Blob)
    }

    /// A file's bytes.
    pub(super) fn blob(&self, id: Etag) -> Result<Bytes, Error> {
        if let Some(found) = self.caches.blobs.get(&(self.serial, id)) {
            return Ok(found);
        }
        let bytes = self.read(id, ObjectType::Blob)?;
        self.keep_blob(id, bytes.clone());
        Ok(bytes)
    }

    /// A tree's bytes, sound.
    pub(super) fn tree(&self, id: Etag) -> Result<Bytes, Error> {
        if id == tree::EMPTY_TREE {
            return Ok(Bytes::new());
        }
        if let Some(found) = self.caches.trees.get(&(self.serial, id)) {
            return Ok(found);
        }
        let bytes = self.tree_uncached(id)?;
        self.keep_tree(id, bytes.clone());
        Ok(bytes)
    }

    /// The same for a walk through history, which would only push the newest trees out.
    pub(super) fn tree_uncached(&self, id: Etag) -> Result<Bytes, Error> {
        if id == tree::EMPTY_TREE {
            return Ok(Bytes::new());
        }
        let bytes = self.read(id, ObjectType::Tree)?;
        if tree::check(&bytes) { Ok(bytes) } else { Err(Error::damaged("read a folder")) }
    }

    pub(super) fn commit(&self, id: Etag) -> Result<Bytes, Error> {
        self.read(id, ObjectType::Commit)
    }

    /// A blob's size in bytes, without reading all of it.
    pub(super) fn size(&self, id: Etag) -> Result<u64, Error> {
        if let Some(found) = self.caches.blobs.peek(&(self.serial, id)) {
            return Ok(found.len() as u64);
        }
        self.with_odb(id, |odb, oid| odb.read_header(oid).map(|(size, _)| size as u64))
    }

    /// Whether the object is there, whatever it is.
    pub(super) fn exists(&self, id: Etag) -> bool {
        self.with_odb(id, |odb, oid| odb.read_header(oid)).is_ok()
    }

    pub(super) fn keep_blob(&self, id: Etag, bytes: Bytes) {
        self.caches.blobs.insert((self.serial, id), bytes);
    }

    pub(super) fn keep_tree(&self, id: Etag, bytes: Bytes) {
        self.caches.trees.insert((self.serial, id), bytes);
    }

    /// Forgets a tree that is of the past now.
    pub(super) fn drop_tree(&self, id: Etag) {
        self.caches.trees.remove(&(self.serial, id));
    }

    /// Lets go of pack files that are gone by now; the next read opens those that are there.
    pub(super) fn reopen(&self) {
        *self.odb.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Closes the handle when nothing was read since the last call.
    pub(super) fn rest(&self) {
        if !self.used.swap(false, Ordering::Relaxed) {
            self.reopen();
        }
    }

    fn read(&self, id: Etag, kind: ObjectType) -> Result<Bytes, Error> {
        let found = self.with_odb(id, |odb, oid| {
            let object = odb.read(oid)?;
            Ok((object.kind() == kind).then(|| Bytes::copy_from_slice(object.data())))
        })?;
        found.ok_or_else(|| Error::NoObject(self.workspace.clone(), id))
    }

    fn with_odb<T>(&self, id: Etag, read: impl Fn(&Odb, Oid) -> Result<T, git2::Error>) -> Result<T, Error> {
        let oid = Oid::from_bytes(&id.0).map_err(Error::git("read an object"))?;
        let first = read(&*self.odb()?, oid);
        let result = match first {
            Ok(value) => return Ok(value),
            // A pack may have been merged away under the handle.
            Err(_) => {
                self.reopen();
                read(&*self.odb()?, oid)
            }
        };
        result.map_err(|error| match error.code() {
            ErrorCode::NotFound => Error::NoObject(self.workspace.clone(), id),
            _ => Error::git("read an object")(error),
        })
    }

    fn odb(&self) -> Result<Arc<Odb<'static>>, Error> {
        self.used.store(true, Ordering::Relaxed);
        if let Some(odb) = &*self.odb.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(odb.clone());
        }
        let open = || {
            let odb = Odb::new()?;
            for folder in &self.folders {
                let folder = folder.to_str().ok_or_else(|| git2::Error::from_str("the data directory is not UTF-8"))?;
                odb.add_disk_alternate(folder)?;
            }
            Ok(Arc::new(odb))
        };
        let odb = open().map_err(Error::git("open the objects"))?;
        *self.odb.write().unwrap_or_else(PoisonError::into_inner) = Some(odb.clone());
        Ok(odb)
    }
}
