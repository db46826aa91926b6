//! The data directory: which workspaces there are, making and removing them, start and end.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use super::commit::{self, Committed, Intent};
use super::discover;
use super::error::Error;
use super::heads;
use super::journal::Journal;
use super::layout::{self, Layout, Settings};
use super::lock;
use super::maintain;
use super::objects::{self, Caches};
use super::pack::{self, Builder, Kind};
use super::packfile;
use super::reconcile;
use super::replay;
use super::tree::EMPTY_TREE;
use super::upkeep::{self, Bell};
use super::workspace::Workspace;
use crate::base::{clock, random};
use crate::resource::actor::Author;
use crate::resource::etag::Etag;
use crate::resource::key::WorkspaceName;

/// Sizes in bytes, and times.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The journal's file, written when it is made; a group of commits must fit in.
    pub journal_bytes: u64,
    /// Memory for objects read or written lately.
    pub cache_bytes: u64,
    /// Largest file.
    pub file_bytes: u64,
    /// Most entries of a git index that is written with every group of commits; a larger one may
    /// lag behind while there are many. 0: any may.
    pub index_entries: usize,
    /// A journal that nobody wrote to for so long is checkpointed.
    pub idle: Duration,
    /// Loose objects, as commits by hand make them, that are packed.
    pub loose_most: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            journal_bytes: 64 << 20,
            cache_bytes: 96 << 20,
            file_bytes: 16 << 20,
            index_entries: 200,
            idle: Duration::from_secs(3),
            loose_most: 500,
        }
    }
}

type Publish = dyn Fn(&Arc<Workspace>, &[Arc<Committed>]) + Send + Sync;
type Absorb = dyn Fn(&Arc<Workspace>, Etag, Etag) + Send + Sync;

/// What all workspaces share.
pub(super) struct Core {
    pub(super) layout: Layout,
    pub(super) options: Options,
    pub(super) journal: Journal,
    pub(super) caches: Arc<Caches>,
    pub(super) upkeep: Bell,
    /// Compressors between groups; each takes half a megabyte.
    builders: Mutex<Vec<Builder>>,
    /// Ends what git does in the background.
    pub(super) stopping: AtomicBool,
    publisher: OnceLock<Box<Publish>>,
    absorber: OnceLock<Box<Absorb>>,
}

/// Most builders that wait for work.
const BUILDERS_MOST: usize = 8;

impl Core {
    pub(super) fn builder(&self) -> Builder {
        let kept = self.builders.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(Builder::new)
    }

    pub(super) fn return_builder(&self, builder: Builder) {
        let mut kept = self.builders.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < BUILDERS_MOST {
            kept.push(builder);
        }
    }

    pub(super) fn publisher(&self) -> &Publish {
        self.publisher.get().map_or(&|_: &Arc<Workspace>, _: &[Arc<Committed>]| {}, |publisher| &**publisher)
    }

    pub(super) fn absorber(&self) -> &Absorb {
        self.absorber.get().map_or(&|_: &Arc<Workspace>, _: Etag, _: Etag| {}, |absorber| &**absorber)
    }
}

/// What the upkeep thread sees.
pub(super) struct Shared {
    pub(super) core: Arc<Core>,
    /// By folded name.
    workspaces: RwLock<HashMap<String, Arc<Workspace>>>,
}

impl Shared {
    pub(super) fn workspaces(&self) -> Vec<Arc<Workspace>> {
        self.workspaces.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(super) fn unregister(&self, name: &WorkspaceName) {
        self.workspaces.write().unwrap_or_else(PoisonError::into_inner).remove(&name.folded());
    }
}

/// All workspaces of one data directory. One process at a time may open it: its caller sees to that.
pub struct Store {
    pub(super) shared: Arc<Shared>,
    /// Held while a workspace is made or removed.
    pub(super) changing: Mutex<()>,
    serials: AtomicU32,
    names: AtomicU64,
    /// Repositories that could not be opened at the start.
    pub(super) passed_over: Mutex<HashSet<String>>,
    upkeep: Vec<JoinHandle<()>>,
}

impl Store {
    /// Opens a data directory, made if it is not there, with default sizes.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_with(dir, Options::default())
    }

    /// Opens a data directory: mends what a crash left, and finds its workspaces. Folders that are
    /// no repositories, or none that can be served, are passed over with a warning.
    pub fn open_with(dir: &Path, options: Options) -> Result<Self, Error> {
        objects::bound_libgit2()?;
        fs::create_dir_all(dir).map_err(Error::at("make", dir))?;
        let dir = dir.canonicalize().map_err(Error::at("open", dir))?;
        let layout = Layout::new(&dir);
        for folder in [layout.hooks(), layout.trash(), layout.nursery()] {
            fs::create_dir_all(&folder).map_err(Error::at("make", &folder))?;
        }
        // What was in the making when the server was killed was acknowledged to nobody.
        fs::remove_dir_all(layout.nursery()).map_err(Error::io("clear unfinished workspaces"))?;
        fs::create_dir_all(layout.nursery()).map_err(Error::io("clear unfinished workspaces"))?;
        super::incoming::clear(&layout)?;
        let (journal, leftover) = Journal::open(&layout.journal(), options.journal_bytes)?;
        let caches = Arc::new(Caches::new(options.cache_bytes));
        let replayed = replay::replay(&layout, &leftover, &caches)?;
        // Syncs what was mended and forgets the records.
        journal.checkpoint()?;
        let core = Arc::new(Core {
            layout,
            options,
            journal,
            caches,
            upkeep: Bell::default(),
            builders: Mutex::new(Vec::new()),
            stopping: AtomicBool::new(false),
            publisher: OnceLock::new(),
            absorber: OnceLock::new(),
        });
        let shared = Arc::new(Shared { core, workspaces: RwLock::new(HashMap::new()) });
        let mut store = Store {
            shared,
            changing: Mutex::new(()),
            serials: AtomicU32::new(0),
            names: AtomicU64::new(0),
            passed_over: Mutex::default(),
            upkeep: Vec::new(),
        };
        for name in discover::names(&dir)? {
            if !store.core().layout.workspace(&name).join(".git").is_dir() {
                tracing::warn!(workspace.name = %name, "passing over a folder without .git");
                continue;
            }
            match store.open_workspace(&name, replayed.get(name.as_str()).copied()) {
                Ok(workspace) => store.register(workspace)?,
                Err(error) => {
                    tracing::warn!(workspace.name = %name, %error, "passing over a workspace");
                    store.passed_over.get_mut().unwrap_or_else(PoisonError::into_inner).insert(name.to_string());
                }
            }
        }
        for (name, run) in [("upkeep", upkeep::run as fn(&Shared)), ("maintain", maintain::run)] {
            let shared = store.shared.clone();
            let thread = std::thread::Builder::new().name(name.into()).spawn(move || run(&shared));
            store.upkeep.push(thread.map_err(Error::io("start an upkeep thread"))?);
        }
        Ok(store)
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.shared.core
    }

    pub(super) fn open_workspace(&self, name: &WorkspaceName, replayed: Option<Etag>) -> Result<Arc<Workspace>, Error> {
        let serial = self.serials.fetch_add(1, Ordering::Relaxed);
        let workspace = Arc::new(Workspace::open(self.core().clone(), name.clone(), serial)?);
        workspace.work_tree.prepare()?;
        let main_lock = heads::main_lock_path(&workspace.git_dir);
        if lock::left_behind(&main_lock).is_some() {
            fs::remove_file(&main_lock).map_err(Error::at("remove", &main_lock))?;
        }
        let index_lock = workspace.index.lock_path();
        let lagging = lock::left_behind(&index_lock);
        // After a power cut it may have lost its text.
        let emptied = replayed.is_some() && fs::metadata(&index_lock).is_ok_and(|m| m.len() == 0);
        if lagging.is_some() || emptied {
            fs::remove_file(&index_lock).map_err(Error::at("remove", &index_lock))?;
        }
        let bases: Vec<Etag> = [lagging, replayed].into_iter().flatten().collect();
        if !bases.is_empty()
            && let Err(error) = reconcile::recover(&workspace, &bases, replayed.is_some())
        {
            tracing::warn!(workspace.name = %name, %error, "disk and index may lag behind main");
        }
        Ok(workspace)
    }

    pub(super) fn register(&self, workspace: Arc<Workspace>) -> Result<(), Error> {
        let mut all = self.shared.workspaces.write().unwrap_or_else(PoisonError::into_inner);
        let folded = workspace.name().folded();
        if let Some(other) = all.get(&folded) {
            return Err(Error::Exists(other.name().clone()));
        }
        all.insert(folded, workspace);
        Ok(())
    }

    /// Called with each group of commits that this store made, in order per workspace, after they
    /// are durable and `main` is moved, before their writers are answered. May be set once.
    pub fn set_publisher(&self, publisher: impl Fn(&Arc<Workspace>, &[Arc<Committed>]) + Send + Sync + 'static) {
        drop(self.core().publisher.set(Box::new(publisher)));
    }

    /// Called when `main` was moved by somebody else, with the old and the new commit. Runs in the
    /// workspace's writer: no write comes in between. May be set once.
    pub fn set_absorber(&self, absorber: impl Fn(&Arc<Workspace>, Etag, Etag) + Send + Sync + 'static) {
        drop(self.core().absorber.set(Box::new(absorber)));
    }

    /// Every workspace, by name.
    pub fn workspaces(&self) -> Vec<Arc<Workspace>> {
        let mut all = self.shared.workspaces();
        all.sort_by(|a, b| a.name().cmp(b.name()));
        all
    }

    /// A workspace by its name, in any case.
    pub fn workspace(&self, name: &WorkspaceName) -> Result<Arc<Workspace>, Error> {
        self.named(name.as_str()).ok_or_else(|| Error::NoWorkspace(name.clone()))
    }

    /// The same by `OWNER/NAME`.
    pub fn named(&self, name: &str) -> Option<Arc<Workspace>> {
        let all = self.shared.workspaces.read().unwrap_or_else(PoisonError::into_inner);
        all.get(name).or_else(|| all.get(&name.to_ascii_lowercase())).cloned()
    }

    /// A workspace by its number ([`Workspace::id`]).
    pub fn numbered(&self, id: u64) -> Option<Arc<Workspace>> {
        let all = self.shared.workspaces.read().unwrap_or_else(PoisonError::into_inner);
        all.values().find(|workspace| workspace.id() == id).cloned()
    }

    /// Makes a workspace with one commit that has no files. Durable when it returns.
    pub fn create(&self, name: &WorkspaceName, settings: Settings, author: &Author) -> Result<Arc<Workspace>, Error> {
        self.make(name, settings, author, |unfinished, place| {
            if place.exists() {
                return Err(Error::Exists(name.clone()));
            }
            fs::rename(unfinished, place).map_err(Error::at("make", place))
        })
    }

    /// Makes a workspace of a folder that is there and has no `.git`. Its files are not committed
    /// yet: [`Workspace::absorb_disk`] does that.
    pub fn adopt(&self, name: &WorkspaceName, settings: Settings, author: &Author) -> Result<Arc<Workspace>, Error> {
        self.make(name, settings, author, |unfinished, place| {
            if !place.is_dir() {
                return Err(Error::NoWorkspace(name.clone()));
            }
            if place.join(".git").exists() {
                return Err(Error::Exists(name.clone()));
            }
            super::aside::mark(&unfinished.join(".git"))?;
            fs::rename(unfinished.join(".git"), place.join(".git")).map_err(Error::at("make", place))
        })
    }

    fn make(
        &self,
        name: &WorkspaceName,
        settings: Settings,
        author: &Author,
        put: impl FnOnce(&Path, &Path) -> Result<(), Error>,
    ) -> Result<Arc<Workspace>, Error> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(other) = self.workspace(name) {
            return Err(Error::Exists(other.name().clone()));
        }
        let layout = &self.core().layout;
        let unfinished = layout.nursery().join(self.names.fetch_add(1, Ordering::Relaxed).to_string());
        layout::init(&unfinished, settings, &layout.hooks())?;
        root_commit(&unfinished.join(".git"), author)?;
        let owner = layout.root().join(name.owner());
        fs::create_dir_all(&owner).map_err(Error::at("make", &owner))?;
        put(&unfinished, &layout.workspace(name))?;
        self.core().journal.sync_all().map_err(Error::io("sync the new workspace"))?;
        let workspace = self.open_workspace(name, None)?;
        self.register(workspace.clone())?;
        Ok(workspace)
    }

    /// Takes a workspace away at once; its files go in the background.
    pub fn remove(&self, name: &WorkspaceName) -> Result<(), Error> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let workspace = self.workspace(name)?;
        // Later groups see it; the checkpoint waits for the one that is being applied.
        workspace.removed.store(true, Ordering::Release);
        let away = || {
            self.core().journal.checkpoint()?;
            let number = self.names.fetch_add(1, Ordering::Relaxed);
            let trash = self.core().layout.trash().join(format!("{}-{number}-{}", clock::now(), std::process::id()));
            fs::rename(&workspace.dir, &trash).map_err(Error::at("remove", &workspace.dir))
        };
        if let Err(error) = away() {
            workspace.removed.store(false, Ordering::Release);
            return Err(error);
        }
        self.shared.unregister(name);
        self.core().journal.sync_all().map_err(Error::io("sync a removal"))?;
        self.core().upkeep.wake();
        Ok(())
    }

    /// Why nothing can be written any more, if that is so.
    pub fn failure(&self) -> Option<Error> {
        self.core().journal.failure().map(Error::Poisoned)
    }

    /// Syncs the whole file system and empties the journal.
    pub fn checkpoint(&self) -> Result<(), Error> {
        self.core().journal.checkpoint()
    }

    /// Brings git's index files up to date and checkpoints: nothing is left to mend at the next
    /// start. Writes may still come, and would need another one.
    pub fn settle(&self) {
        let workspaces = self.shared.workspaces();
        for workspace in &workspaces {
            if let Err(error) = workspace.flush_index() {
                tracing::warn!(workspace.name = %workspace.name(), %error, "git's index lags behind");
            }
        }
        upkeep::settle(&self.core().journal, &workspaces);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.core().stopping.store(true, Ordering::Release);
        self.core().upkeep.stop();
        for thread in self.upkeep.drain(..) {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("an upkeep thread panicked");
            }
        }
        self.settle();
    }
}

/// The first commit of a new repository: no files.
fn root_commit(git_dir: &Path, author: &Author) -> Result<(), Error> {
    // The first commit tells workspaces apart, also those of one name and one second.
    let message = format!("Create the workspace\n\nWorkleaf-Workspace: {}", random::uuid());
    let intent = Intent { author: author.clone(), message };
    let raw = commit::encode(EMPTY_TREE, &[], clock::now(), &intent);
    let id = pack::commit_id(&raw)?;
    let mut builder = Builder::new();
    builder.add(Kind::Tree, EMPTY_TREE, b"", None)?;
    builder.add(Kind::Commit, id, &raw, None)?;
    packfile::write(&packfile::folder(git_dir), &builder.finish())?;
    let main = git_dir.join(heads::MAIN);
    fs::write(&main, format!("{id}\n")).map_err(Error::at("write", &main))
}
