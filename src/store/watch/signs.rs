//! What a sign from the disk means.

use std::fs;
use std::path::{Component, Path};
use std::sync::Arc;
use std::time::Instant;

use super::folders::Refusal;
use super::inbox::Sign;
use super::{Eye, is_scratch};
use crate::store::heads;
use crate::store::workspace::Workspace;

/// Folders of a work tree that are entered; one with more is compared as a whole.
const DEPTH_MOST: usize = 40;

impl Eye {
    /// Judges one sign; cheap, for there are many.
    pub(super) fn hear(&mut self, path: &Path, sign: Sign) {
        let now = Instant::now();
        let Ok(inside) = path.strip_prefix(self.store.core().layout.root()) else { return };
        let parts: Option<Vec<&str>> = inside
            .components()
            .map(|part| if let Component::Normal(name) = part { name.to_str() } else { None })
            .collect();
        // No name that is not UTF-8 can be served.
        let Some(parts) = parts else { return };
        let (owner, name, rest) = match parts[..] {
            [] | [crate::store::layout::STATE, ..] => return,
            [_] | [_, _] => {
                if sign == Sign::Gone {
                    self.folders.remove(path);
                    // Should they be back already, they are watched again.
                    let below = self.known.values().filter(|known| known.workspace.dir().starts_with(path));
                    for name in below.map(|known| known.workspace.name().to_arc()).collect::<Vec<_>>() {
                        self.compare_soon(&name);
                    }
                }
                self.scan_soon(now);
                return;
            }
            [owner, name, ref rest @ ..] => (owner, name, rest),
        };
        let Some(known) = self.known.get_mut(&*format!("{owner}/{name}")) else { return };
        known.last_sign = Some(now);
        match rest {
            [".git"] => self.scan_soon(now),
            [".git", "packed-refs"] | [".git", "refs", "heads", "main"] => known.pending.refs(now),
            // Another branch was there: what was not looked at meanwhile is looked at now.
            [".git", "HEAD"] => {
                known.pending.refs(now);
                if heads::is_on_main(&known.workspace.git_dir) {
                    known.pending.whole(now);
                }
            }
            // The end of an operation that was waited for.
            [".git", ..] => {
                if sign == Sign::Gone {
                    known.pending.nudge();
                }
            }
            // Another repository inside.
            _ if rest.contains(&".git") => {}
            _ => {
                let (workspace, rest) = (known.workspace.clone(), rest.join("/"));
                self.changed(&workspace, path, rest, sign, now);
            }
        }
    }

    fn changed(&mut self, workspace: &Arc<Workspace>, path: &Path, rest: String, sign: Sign, now: Instant) {
        let name = workspace.name().to_arc();
        match sign {
            Sign::Arrived if fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) => {
                self.enter(&name, path, true);
                return;
            }
            Sign::Gone if self.folders.remove(path) => {
                // What was in it went without a sign where the folder was renamed.
                let files = workspace.snapshot(None).and_then(|snapshot| snapshot.files(&rest, true));
                if let (Ok(files), Some(known)) = (files, self.known.get_mut(&name)) {
                    files.into_iter().for_each(|file| known.pending.path(file.path.as_ref().to_owned(), false, now));
                }
                return;
            }
            _ => {}
        }
        // Committed ones are looked at nevertheless, when they are compared.
        if is_scratch(&rest) && sign != Sign::Gone && !is_committed(workspace, &rest) {
            return;
        }
        workspace.writing.note(&rest, sign == Sign::Open);
        if let Some(known) = self.known.get_mut(&name) {
            known.pending.path(rest, sign == Sign::Open, now);
        }
    }

    /// Watches a folder and all below. `pend`: what is in them counts as changed, for it may have
    /// come before the watch.
    pub(super) fn enter(&mut self, name: &Arc<str>, folder: &Path, pend: bool) {
        let now = Instant::now();
        let Some(known) = self.known.get(name) else { return };
        let (workspace, mut is_full) = (known.workspace.clone(), known.polled);
        let root = workspace.dir().to_owned();
        let mut folders = vec![folder.to_owned()];
        if folder == root {
            folders.extend([".git", ".git/refs/heads"].map(|inside| root.join(inside)));
        }
        let ignores = std::cell::LazyCell::new(|| git2::Repository::open(&root).ok());
        while let Some(folder) = folders.pop() {
            let Ok(inside) = folder.strip_prefix(&root) else { continue };
            let is_git = inside.components().next().is_some_and(|first| first.as_os_str() == ".git");
            let is_ignored =
                || ignores.as_ref().is_some_and(|git| git.is_path_ignored(inside.join("")).unwrap_or(false));
            if !is_git && inside != Path::new("") && !self.folders.has(&folder) && is_ignored() {
                let is_tracked = inside.to_str().is_some_and(|path| is_committed(&workspace, path));
                if !is_tracked {
                    continue;
                }
            }
            if !is_full {
                match self.folders.add(&folder) {
                    Ok(()) => {}
                    Err(Refusal::Gone) => continue,
                    Err(Refusal::Full) => is_full = true,
                    Err(Refusal::Failed(error)) => {
                        tracing::warn!(workspace.name = &**name, error, "a folder cannot be watched");
                        is_full = true;
                    }
                }
            }
            if is_git || inside.components().count() > DEPTH_MOST {
                continue;
            }
            let Ok(items) = fs::read_dir(&folder) else { continue };
            for item in items.flatten() {
                let is_repository = item.file_name() == ".git";
                match item.file_type() {
                    _ if is_repository => {}
                    Ok(kind) if kind.is_dir() => folders.push(item.path()),
                    Ok(_) if pend => {
                        let path = item.path();
                        let Some(path) = path.strip_prefix(&root).ok().and_then(Path::to_str) else { continue };
                        if let Some(known) = self.known.get_mut(name) {
                            known.pending.path(path.to_owned(), false, now);
                        }
                    }
                    _ => {}
                }
            }
        }
        if is_full {
            self.poll(name);
        }
    }

    /// From now on a workspace is compared in turn; its watches serve others.
    fn poll(&mut self, name: &Arc<str>) {
        let Some(known) = self.known.get_mut(name) else { return };
        if std::mem::replace(&mut known.polled, true) {
            return;
        }
        let dir = known.workspace.dir().to_owned();
        self.folders.remove(&dir);
        self.remark();
    }

    /// Says how many workspaces are compared instead of watched: once in the log, and as a note.
    pub(super) fn remark(&mut self) {
        let polled = self.known.values().filter(|known| known.polled).count();
        let mut note = self.note.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if polled == 0 {
            *note = None;
            return;
        }
        let text = format!(
            "{polled} of {} workspaces are compared with the disk in turn instead of watched: the system's limit of \
             watches (fs.inotify.max_user_watches) or watch.folders is reached",
            self.known.len()
        );
        if note.is_none() {
            tracing::warn!("{text}");
        }
        *note = Some(text);
    }
}

/// Whether the newest commit has something at this path.
fn is_committed(workspace: &Arc<Workspace>, path: &str) -> bool {
    workspace.snapshot(None).and_then(|snapshot| snapshot.entry(path)).is_ok_and(|entry| entry.is_some())
}
