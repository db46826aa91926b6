//! Edits on the server's disk: heard of, left alone until they rest, then taken in.
//!
//! One thread hears all signs and decides; the work itself runs on the runtime, at most once per
//! workspace at a time. There is one notify instance with one watch per folder; of `.git` only what
//! says that `main` or `HEAD` moved. Where the system has no watch left, and where signs were lost,
//! workspaces are compared with the disk in turn.

mod editors;
mod folders;
mod inbox;
mod pending;
mod round;
mod scan;
mod signs;
mod work;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::error::Error;
use super::workspace::Workspace;
use super::workspaces::Store;
use crate::resource::key::WorkspaceName;

pub(super) use editors::is_scratch;
use folders::Folders;
use inbox::Inbox;
use pending::{Pending, Work};

/// How to watch.
#[derive(Debug, Clone, Copy)]
pub struct WatchOptions {
    /// A file is taken in when nothing happened to it for so long.
    pub quiet: Duration,
    /// Most folders to watch; 0: as many as the system allows.
    pub folders: usize,
    /// Between two comparisons of a workspace that cannot be watched, at least.
    pub poll: Duration,
}

impl Default for WatchOptions {
    fn default() -> Self {
        WatchOptions { quiet: Duration::from_millis(300), folders: 0, poll: Duration::from_secs(2) }
    }
}

/// A workspace that came or went on the disk.
pub enum Seen {
    /// It is open, and in no index yet.
    Appeared(Arc<Workspace>),
    /// It is closed.
    Vanished(Arc<Workspace>),
    /// Files without a repository.
    Adoptable(WorkspaceName),
}

/// Told of what came and went.
type Tell = dyn Fn(Seen) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// The thread that watches; it ends when this is dropped.
pub struct Watcher {
    inbox: Arc<Inbox>,
    note: Arc<Mutex<Option<String>>>,
    compared: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// What the operator should know of it.
    pub fn note(&self) -> Option<String> {
        self.note.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether every workspace was compared with the disk since the start.
    pub fn is_settled(&self) -> bool {
        self.compared.load(Ordering::Acquire)
    }

    /// As if the system's queue of signs had overflowed.
    pub fn lose_signs(&self) {
        self.inbox.overflow();
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.inbox.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that watches the disk panicked");
        }
    }
}

impl Store {
    /// Watches the disk until the watcher is dropped. Work runs on the caller's runtime.
    pub fn watch(
        self: &Arc<Self>,
        options: WatchOptions,
        tell: impl Fn(Seen) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync + 'static,
    ) -> Result<Watcher, Error> {
        let inbox = Arc::new(Inbox::default());
        let note = Arc::new(Mutex::new(None));
        let compared = Arc::new(AtomicBool::new(false));
        let eye = Eye {
            folders: Folders::new(&inbox, options.folders),
            store: self.clone(),
            options,
            inbox: inbox.clone(),
            runtime: Handle::current(),
            tell: Arc::new(tell),
            note: note.clone(),
            compared: compared.clone(),
            known: HashMap::new(),
            turn: VecDeque::new(),
            in_turn: None,
            rest_until: Instant::now(),
            scan_at: Some(Instant::now()),
            again_at: Instant::now(),
            candidates: HashMap::new(),
            told: HashSet::new(),
            greeting: 0,
        };
        let thread = std::thread::Builder::new().name("watch".into()).spawn(move || eye.run());
        Ok(Watcher { inbox, note, compared, thread: Some(thread.map_err(Error::io("start the watching thread"))?) })
    }
}

/// What is known of one workspace.
struct Known {
    workspace: Arc<Workspace>,
    pending: Pending,
    /// Work for it is under way.
    busy: bool,
    /// Its folders cannot all be watched: it is compared in turn.
    polled: bool,
    /// A comparison waits in the queue.
    queued: bool,
    last_sign: Option<Instant>,
    last_compared: Option<Instant>,
}

/// A piece of work that ended.
struct Outcome {
    /// `None`: somebody was told of what came or went.
    name: Option<Arc<str>>,
    /// What is left to do.
    left: Option<Work>,
    is_comparison: bool,
    took: Duration,
    /// The workspace is not there any more.
    gone: bool,
    skipped: Vec<(String, String)>,
}

/// The thread's own state.
struct Eye {
    store: Arc<Store>,
    options: WatchOptions,
    inbox: Arc<Inbox>,
    folders: Folders,
    runtime: Handle,
    tell: Arc<Tell>,
    note: Arc<Mutex<Option<String>>>,
    compared: Arc<AtomicBool>,
    known: HashMap<Arc<str>, Known>,
    /// Workspaces to be compared with the disk, and the one that is.
    turn: VecDeque<Arc<str>>,
    in_turn: Option<Arc<str>>,
    rest_until: Instant,
    /// When to look for workspaces that came or went.
    scan_at: Option<Instant>,
    /// When to try to watch what could not be watched.
    again_at: Instant,
    /// Folders that may become workspaces: when to look again, and how often that was done.
    candidates: HashMap<WorkspaceName, (Instant, u32)>,
    /// What was said in the log once.
    told: HashSet<(PathBuf, String)>,
    /// How many are being told of what came or went.
    greeting: usize,
}
