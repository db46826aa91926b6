//! The folders that are watched, each by itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{Config, ErrorKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::inbox::Inbox;

/// Why a folder is not watched.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There are as many watches as there may be.
    Full,
    /// It went meanwhile.
    Gone,
    Failed(String),
}

pub(super) struct Folders {
    /// `None` when the system has no more watchers for us.
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    most: usize,
    /// Some were let go of since anybody asked.
    is_freed: bool,
}

impl Folders {
    /// At most `most` folders are watched; 0: as many as the system allows.
    pub(super) fn new(inbox: &Arc<Inbox>, most: usize) -> Self {
        let inbox = inbox.clone();
        let config = Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(move |event| inbox.hear(event), config);
        let watcher = watcher.inspect_err(|error| tracing::warn!(%error, "the disk cannot be watched")).ok();
        Folders { watcher, watched: BTreeSet::new(), most: if most == 0 { usize::MAX } else { most }, is_freed: false }
    }

    pub(super) fn has(&self, folder: &Path) -> bool {
        self.watched.contains(folder)
    }

    pub(super) fn add(&mut self, folder: &Path) -> Result<(), Refusal> {
        if self.watched.contains(folder) {
            return Ok(());
        }
        let Some(watcher) = &mut self.watcher else { return Err(Refusal::Full) };
        if self.watched.len() >= self.most {
            return Err(Refusal::Full);
        }
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(folder.to_owned());
                Ok(())
            }
            Err(error) => Err(match error.kind {
                ErrorKind::MaxFilesWatch => Refusal::Full,
                ErrorKind::PathNotFound => Refusal::Gone,
                ErrorKind::Io(ref io) if io.kind() == std::io::ErrorKind::NotFound => Refusal::Gone,
                _ => Refusal::Failed(error.to_string()),
            }),
        }
    }

    /// Whether there may be room that there was not; once.
    pub(super) fn take_freed(&mut self) -> bool {
        std::mem::take(&mut self.is_freed)
    }

    /// Forgets a folder and all below; says whether it was watched.
    pub(super) fn remove(&mut self, folder: &Path) -> bool {
        let was = self.watched.contains(folder);
        let below = self.watched.range(folder.to_owned()..).take_while(|path| path.starts_with(folder));
        for path in below.cloned().collect::<Vec<_>>() {
            self.watched.remove(&path);
            self.is_freed = true;
            if let Some(watcher) = &mut self.watcher {
                // It may have gone by itself.
                drop(watcher.unwatch(&path));
            }
        }
        was
    }
}
