//! What waits for the watcher's thread: signs from the disk and finished work.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, CreateKind, Event, EventKind, ModifyKind, RenameMode};

use super::Outcome;

/// Most signs that wait; with more, all are forgotten and the disk is compared instead.
const WAITING_MOST: usize = 50_000;
/// Signs come in bursts: one round serves so much of one.
const GATHER: Duration = Duration::from_millis(20);

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Somebody has the file open for writing.
    Open,
    /// Somebody has written and closed it.
    Closed,
    /// A file or a folder is there that was elsewhere, or a new folder.
    Arrived,
    Gone,
}

/// Everything since the last look.
#[derive(Default)]
pub(super) struct Mail {
    pub(super) signs: Vec<(PathBuf, Sign)>,
    /// Signs were lost.
    pub(super) overflowed: bool,
    pub(super) done: Vec<Outcome>,
    pub(super) stop: bool,
}

impl Mail {
    fn is_empty(&self) -> bool {
        self.signs.is_empty() && self.done.is_empty() && !self.overflowed && !self.stop
    }
}

#[derive(Default)]
pub(super) struct Inbox {
    mail: Mutex<Mail>,
    rang: Condvar,
}

impl Inbox {
    /// Hears of an event, in notify's own thread: quick, and without a call back into notify.
    pub(super) fn hear(&self, event: notify::Result<Event>) {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, "signs from the disk were lost");
                return self.overflow();
            }
        };
        if event.need_rescan() {
            return self.overflow();
        }
        let sign = match event.kind {
            EventKind::Create(CreateKind::Folder) | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
                Sign::Arrived
            }
            EventKind::Create(_) | EventKind::Modify(ModifyKind::Data(_)) => Sign::Open,
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => Sign::Closed,
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Sign::Gone,
            _ => return,
        };
        let Some(path) = event.paths.into_iter().next() else { return };
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        if mail.signs.len() >= WAITING_MOST {
            mail.signs = Vec::new();
            mail.overflowed = true;
        }
        mail.signs.push((path, sign));
        // Whoever is being written to signs again and again: the thread looks soon anyway.
        if mail.signs.len() == 1 {
            self.rang.notify_one();
        }
    }

    pub(super) fn overflow(&self) {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner).overflowed = true;
        self.rang.notify_one();
    }

    pub(super) fn done(&self, outcome: Outcome) {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner).done.push(outcome);
        self.rang.notify_one();
    }

    pub(super) fn stop(&self) {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.rang.notify_one();
    }

    /// Waits for mail, but not longer than `most`.
    pub(super) fn wait(&self, most: Duration) -> Mail {
        let mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        let (mail, _) =
            self.rang.wait_timeout_while(mail, most, |mail| mail.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let is_urgent = mail.stop || mail.signs.is_empty();
        drop(mail);
        if !is_urgent {
            std::thread::sleep(GATHER);
        }
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        let stop = mail.stop;
        let taken = std::mem::take(&mut *mail);
        mail.stop = stop;
        taken
    }
}
