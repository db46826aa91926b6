//! Workspaces that come and go.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Eye, Known, Outcome, Pending, Seen};
use crate::resource::key::WorkspaceName;
use crate::store::discover::Newcomer;
use crate::store::workspace::Workspace;

/// What is copied here has to rest for so long before it is opened.
const REST: Duration = Duration::from_millis(1_500);
/// How often a folder that is no workspace yet is looked at.
const AGAIN: Duration = Duration::from_millis(500);
const AGAIN_MOST: Duration = Duration::from_secs(60);
/// Without a sign, which may have been lost or never come.
const EVERY: Duration = Duration::from_secs(30);

impl Eye {
    /// Compares the folders on disk with the workspaces that are open.
    pub(super) fn scan(&mut self) {
        let now = Instant::now();
        self.scan_at = Some(now + EVERY);
        let root = self.store.core().layout.root().to_owned();
        // Watched before they are listed, so that nothing falls in between.
        let mut watched = self.folders.add(&root).is_ok();
        let listed = self.store.folders();
        let Ok((owners, found)) = listed.inspect_err(|error| tracing::warn!(%error, "cannot look for workspaces"))
        else {
            return;
        };
        let mut is_new = false;
        for owner in &owners {
            let folder = root.join(owner);
            is_new |= !self.folders.has(&folder);
            watched &= self.folders.add(&folder).is_ok();
        }
        if is_new && watched {
            // What came to a new owner before the watch.
            self.scan_at = Some(now);
        } else if !watched {
            self.scan_at = Some(now + AGAIN * 4);
        }
        for workspace in self.store.workspaces() {
            if !self.store.is_at_home(&workspace) {
                self.say_goodbye(&workspace);
            }
        }
        let open: Vec<Arc<Workspace>> = self.store.workspaces();
        let names: HashSet<Arc<str>> = open.iter().map(|workspace| workspace.name().to_arc()).collect();
        let gone: Vec<_> = self
            .known
            .iter()
            .filter(|(name, known)| !names.contains(*name) || known.workspace.is_removed())
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            if let Some(known) = self.known.remove(&name) {
                self.folders.remove(known.workspace.dir());
                self.told.retain(|(path, _)| !path.starts_with(known.workspace.dir()));
            }
            self.remark();
        }
        for workspace in open {
            self.meet(workspace);
        }
        self.watch_again(now);
        self.judge(&found, now);
    }

    /// Tries to watch those that are compared in turn: when others went, and from time to time, as
    /// the system's limit may have been raised.
    fn watch_again(&mut self, now: Instant) {
        if !self.folders.take_freed() && now < self.again_at {
            return;
        }
        self.again_at = now + EVERY;
        let polled: Vec<_> =
            self.known.iter().filter(|(_, known)| known.polled).map(|(name, _)| name.clone()).collect();
        for name in polled {
            let Some(known) = self.known.get_mut(&name) else { continue };
            known.polled = false;
            let root = known.workspace.dir().to_owned();
            self.enter(&name, &root, false);
            if self.known.get(&name).is_some_and(|known| known.polled) {
                break;
            }
            // What happened before the watch.
            self.compare_soon(&name);
        }
        // What the last one gave back is not news.
        self.folders.take_freed();
        self.remark();
    }

    /// Something came or went: looks once it rests.
    pub(super) fn scan_soon(&mut self, now: Instant) {
        let at = now + self.options.quiet;
        self.scan_at = Some(self.scan_at.map_or(at, |planned| planned.min(at)));
    }

    /// Watches a workspace from now on.
    fn meet(&mut self, workspace: Arc<Workspace>) {
        let name = workspace.name().to_arc();
        if self.known.contains_key(&name) {
            return;
        }
        let root = workspace.dir().to_owned();
        let known = Known {
            workspace,
            pending: Pending::default(),
            busy: false,
            polled: false,
            queued: false,
            last_sign: None,
            last_compared: None,
        };
        self.known.insert(name.clone(), known);
        self.enter(&name, &root, false);
        self.compare_soon(&name);
    }

    fn judge(&mut self, found: &[WorkspaceName], now: Instant) {
        self.candidates.retain(|name, _| found.binary_search(name).is_ok());
        for name in found {
            if self.store.named(name.as_str()).is_some() {
                self.candidates.remove(name);
                continue;
            }
            let (at, times) = *self.candidates.entry(name.clone()).or_insert((now, 0));
            if at > now {
                continue;
            }
            let next = now + (AGAIN * (times + 1)).min(AGAIN_MOST);
            self.candidates.insert(name.clone(), (next, times + 1));
            match self.store.judge(name, REST) {
                Newcomer::NotYet => {}
                Newcomer::Files => self.tell(Seen::Adoptable(name.clone())),
                Newcomer::Repository => match self.store.welcome(name) {
                    Ok(workspace) => {
                        tracing::info!(workspace.name = %name, "a workspace appeared on disk");
                        self.candidates.remove(name);
                        self.meet(workspace.clone());
                        self.tell(Seen::Appeared(workspace));
                    }
                    Err(error) => {
                        if self.told.insert((name.as_str().into(), error.to_string())) {
                            tracing::warn!(workspace.name = %name, %error, "a folder cannot be opened as a workspace");
                        }
                    }
                },
            }
        }
        if let Some(next) = self.candidates.values().map(|(at, _)| *at).min() {
            self.scan_at = self.scan_at.map(|at| at.min(next));
        }
    }

    fn say_goodbye(&mut self, workspace: &Arc<Workspace>) {
        match self.store.let_go(workspace) {
            Ok(true) => {
                tracing::info!(workspace.name = %workspace.name(), "a workspace went from disk");
                self.tell(Seen::Vanished(workspace.clone()));
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(workspace.name = %workspace.name(), %error, "cannot let go of a workspace"),
        }
    }

    fn tell(&mut self, seen: Seen) {
        self.greeting += 1;
        let (told, inbox) = ((self.tell)(seen), self.inbox.clone());
        self.runtime.spawn(async move {
            told.await;
            inbox.done(Outcome {
                name: None,
                left: None,
                is_comparison: false,
                took: Duration::ZERO,
                gone: false,
                skipped: Vec::new(),
            });
        });
    }
}
