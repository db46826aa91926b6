//! One workspace: its newest commit, its writer's queue, what is known of its disk.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use super::ancestry;
use super::commit::{self, Committed, Intent};
use super::discover;
use super::error::{Error, WriteError};
use super::gitindex::GitIndex;
use super::hands::{Resets, Writing};
use super::heads;
use super::history;
use super::layout::{self, Settings};
use super::objects::Objects;
use super::snapshot::{CommitInfo, Snapshot};
use super::tip::Tip;
use super::trouble::Noted;
use super::upkeep::Packs;
use super::workspaces::Core;
use super::worktree::WorkTree;
use super::writer::{self, Item, Job, Queue};
use crate::resource::etag::Etag;
use crate::resource::key::{self, FilePath, WorkspaceName};

/// The newest commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) commit: Etag,
    pub(super) root: Etag,
    pub(super) generation: u32,
    /// The committer's date.
    pub(super) seconds: i64,
}

/// One workspace. Shared by all who read it; writes go through its one writer.
pub struct Workspace {
    pub(super) core: Arc<Core>,
    name: WorkspaceName,
    id: u64,
    first: WorkspaceName,
    root: Etag,
    created: OnceLock<(i64, SystemTime)>,
    pub(super) dir: PathBuf,
    pub(super) git_dir: PathBuf,
    pub(super) objects: Objects,
    pub(super) work_tree: WorkTree,
    pub(super) index: GitIndex,
    pub(super) packs: Mutex<Packs>,
    pub(super) merging: Mutex<()>,
    pub(super) queue: Mutex<Queue>,
    head: RwLock<Head>,
    settings: RwLock<Settings>,
    /// Paths whose file could not be written: what the disk has there is old, not an edit.
    stale: Mutex<HashSet<FilePath>>,
    /// Counts pushes beside `main`.
    pub(super) refs_moved: AtomicU32,
    pub(super) writing: Writing,
    pub(super) resets: Resets,
    pub(super) trouble: Noted,
    pub(super) removed: AtomicBool,
    /// Which folder `.git` was when it was opened.
    pub(super) identity: Option<(u64, u64)>,
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace").field("name", &self.name).field("head", &self.head()).finish_non_exhaustive()
    }
}

impl Workspace {
    /// Opens a repository that is in order: its journal was replayed.
    pub(super) fn open(core: Arc<Core>, name: WorkspaceName, serial: u32) -> Result<Self, Error> {
        let dir = core.layout.workspace(&name);
        let git_dir = dir.join(".git");
        let settings = layout::open_config(&git_dir, &core.layout.hooks())?;
        let objects = Objects::new(name.clone(), serial, core.caches.clone(), &git_dir);
        let main = heads::read_main(&git_dir)?
            .ok_or_else(|| Error::Git { doing: "open the repository".into(), what: "it has no branch main".into() })?;
        let known = history::read_hint(&git_dir);
        let raw = objects.commit(main)?;
        let parsed = commit::parse(&raw).ok_or_else(|| Error::damaged("read a commit"))?;
        let facts = history::facts(&objects, main, known)?;
        let first = layout::first_name(&git_dir, &name);
        let id = key::workspace_id(&first, &facts.root.to_string());
        let head = Head { commit: main, root: parsed.tree, generation: facts.generation, seconds: parsed.seconds };
        history::write_hint(&git_dir, &facts, main, known);
        let resets = Resets::default();
        resets.note(&git_dir);
        Ok(Workspace {
            id,
            first,
            root: facts.root,
            created: OnceLock::new(),
            work_tree: WorkTree::new(&dir),
            index: GitIndex::new(&git_dir),
            packs: Mutex::new(Packs::default()),
            merging: Mutex::new(()),
            queue: Mutex::new(Queue::default()),
            head: RwLock::new(head),
            settings: RwLock::new(settings),
            stale: Mutex::new(HashSet::new()),
            refs_moved: AtomicU32::new(0),
            writing: Writing::default(),
            resets,
            trouble: Noted::default(),
            removed: AtomicBool::new(false),
            identity: discover::identity(&git_dir),
            core,
            name,
            dir,
            git_dir,
            objects,
        })
    }

    pub fn name(&self) -> &WorkspaceName {
        &self.name
    }

    /// The workspace's number ([`key::workspace_id`]).
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The name that it had first.
    pub fn first_name(&self) -> &WorkspaceName {
        &self.first
    }

    /// The first commit.
    pub fn root(&self) -> Etag {
        self.root
    }

    /// When it was made: the first commit's date, and what orders workspaces made within the same
    /// second, as long as their files are not copied.
    pub fn created(&self) -> Result<(i64, SystemTime), Error> {
        if let Some(created) = self.created.get() {
            return Ok(*created);
        }
        let made = std::fs::metadata(self.git_dir.join("HEAD")).and_then(|head| head.modified());
        let created = (self.commit(self.root)?.seconds, made.unwrap_or(SystemTime::UNIX_EPOCH));
        Ok(*self.created.get_or_init(|| created))
    }

    /// Where its files are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its `.git`, for git's own programs.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The newest commit: durable, and published.
    pub fn head(&self) -> Etag {
        self.tip().commit
    }

    /// The newest commit's generation: 0 for a root, else one more than its highest parent's.
    pub fn generation(&self) -> u32 {
        self.tip().generation
    }

    pub(super) fn tip(&self) -> Head {
        *self.head.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_tip(&self, head: Head) {
        *self.head.write().unwrap_or_else(PoisonError::into_inner) = head;
    }

    pub fn settings(&self) -> Settings {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores new settings, synced.
    pub fn set_settings(&self, settings: Settings) -> Result<(), Error> {
        let mut now = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        layout::set_settings(&self.git_dir, settings)?;
        let config = self.git_dir.join("config");
        std::fs::File::open(&config).and_then(|file| file.sync_all()).map_err(Error::io("sync .git/config"))?;
        *now = settings;
        Ok(())
    }

    /// The state at a commit, the newest one for `None`. Fails for what is not a commit here.
    pub fn snapshot(self: &Arc<Self>, at: Option<Etag>) -> Result<Snapshot, Error> {
        let head = self.tip();
        let (commit, root) = match at {
            Some(commit) if commit != head.commit => {
                let raw = self.read_commit(commit)?;
                (commit, commit::parse(&raw).ok_or_else(|| Error::damaged("read a commit"))?.tree)
            }
            _ => (head.commit, head.root),
        };
        Ok(Snapshot::new(self.clone(), commit, root))
    }

    /// A commit by its id.
    pub fn commit(&self, id: Etag) -> Result<CommitInfo, Error> {
        let raw = self.read_commit(id)?;
        CommitInfo::of(id, &raw).ok_or_else(|| Error::damaged("read a commit"))
    }

    pub(super) fn read_commit(&self, id: Etag) -> Result<bytes::Bytes, Error> {
        self.objects.commit(id).map_err(|error| match error {
            Error::NoObject(name, id) => Error::NoCommit(name, id),
            error => error,
        })
    }

    /// A commit's generation; quick for the newest commit and its ancestors in a straight line,
    /// a walk through history for others.
    pub fn generation_of(&self, commit: Etag) -> Result<u32, Error> {
        let head = self.tip();
        ancestry::generation(&self.objects, commit, Some((head.commit, head.generation)))
    }

    /// Whether `ancestor` is `commit` or one of its ancestors.
    pub fn contains(&self, commit: Etag, ancestor: Etag) -> Result<bool, Error> {
        ancestry::contains(&self.objects, commit, ancestor)
    }

    /// Queues a job for the workspace's writer. Call it inside a tokio runtime.
    pub fn submit(self: &Arc<Self>, job: Box<dyn Job>) {
        writer::enqueue(self, Item::Job(job));
    }

    /// Runs `work` on the newest state, in the writer, and commits what it staged when it returns
    /// an intent. Completes when the commit is durable, `main` is moved and the commit published.
    /// The answer has the commit, or `None` where there was nothing to commit.
    pub async fn write<T, E, F>(self: &Arc<Self>, work: F) -> Result<(T, Option<Arc<Committed>>), WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut Tip<'_>) -> Result<(T, Option<Intent>), E> + Send + 'static,
    {
        writer::write(self, false, work).await
    }

    /// As [`Workspace::write`], after every earlier write was published.
    pub async fn write_after_all<T, E, F>(
        self: &Arc<Self>,
        work: F,
    ) -> Result<(T, Option<Arc<Committed>>), WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut Tip<'_>) -> Result<(T, Option<Intent>), E> + Send + 'static,
    {
        writer::write(self, true, work).await
    }

    /// Runs `work` with the writer stopped: every earlier write is published, later ones wait, and
    /// neither `main` nor the index is locked, so that a git process may move `main` meanwhile.
    /// What it moved is taken in before later writes. Fails only where the disk does.
    pub async fn exclusive<T, F>(self: &Arc<Self>, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Arc<Workspace>) -> T + Send + 'static,
    {
        writer::exclusive(self, true, work).await
    }

    /// Takes in what a git command did to `main` without the server. Cheap when that is nothing.
    pub async fn refresh(self: &Arc<Self>) -> Result<(), Error> {
        writer::exclusive(self, false, |_| ()).await
    }

    /// Whether something waits for the writer, or it is at work.
    pub fn is_writing(&self) -> bool {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).is_running()
    }

    pub(super) fn is_stale(&self, path: &FilePath) -> bool {
        let stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        !stale.is_empty() && stale.contains(path)
    }

    pub(super) fn set_stale(&self, path: &FilePath, is_stale: bool) {
        let mut stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        if is_stale {
            stale.insert(path.clone());
        } else {
            stale.remove(path);
        }
    }

    /// The disk may be ahead of `main` at these paths: that is nobody's edit.
    pub(super) fn set_all_stale(&self, paths: &[String]) {
        for path in paths.iter().filter_map(|path| FilePath::parse(path).ok()) {
            self.set_stale(&path, true);
        }
    }

    /// Whether it was deleted since somebody got hold of it.
    pub fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    /// Brings git's index up to date.
    pub(super) fn flush_index(self: &Arc<Self>) -> Result<(), Error> {
        self.index.flush(|| {
            let snapshot = self.snapshot(None)?;
            Ok(snapshot.files("", true)?.into_iter().map(|f| (f.path.as_ref().to_owned(), f.entry())).collect())
        })
    }
}
