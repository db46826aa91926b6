//! Credentials that were verified a short while ago, so that the next request with them costs
//! microseconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::base::random;
use crate::resource::actor::{Account, Scope};

/// How long a verified credential is believed. Changes of accounts are seen at once all the same:
/// whoever makes one calls [`Remembered::forget`].
const BELIEVED: Duration = Duration::from_secs(300);
const ENTRIES_MOST: usize = 10_000;

/// SHA-256 over this process's key and a credential.
pub(super) type Mark = [u8; 32];

/// Who a credential is.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) account: Arc<Account>,
    pub(super) scope: Scope,
}

pub(super) struct Remembered {
    /// Random for this process, so that marks are worth nothing outside it.
    key: [u8; 32],
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    known: HashMap<Mark, (Known, Instant)>,
    /// Counts [`Remembered::forget`].
    era: u64,
}

impl Remembered {
    pub(super) fn new() -> Self {
        Remembered { key: random::bytes(), entries: Mutex::default() }
    }

    /// The mark of a credential's parts.
    pub(super) fn mark(&self, parts: &[&[u8]]) -> Mark {
        let mut hash = Sha256::new();
        hash.update(self.key);
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    pub(super) fn get(&self, mark: &Mark) -> Option<Known> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, until) = entries.known.get(mark)?;
        (*until > Instant::now()).then(|| known.clone())
    }

    /// To be asked before a credential is looked up, for [`Remembered::put`].
    pub(super) fn era(&self) -> u64 {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).era
    }

    /// Believes a credential, for at most `seconds`, unless something was forgotten since `era`:
    /// what was looked up may be out of date then.
    pub(super) fn put(&self, mark: Mark, known: Known, seconds: Option<i64>, era: u64) {
        let most = seconds.map_or(BELIEVED, |left| BELIEVED.min(Duration::from_secs(left.max(0) as u64)));
        let now = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.era != era {
            return;
        }
        if entries.known.len() >= ENTRIES_MOST {
            entries.known.retain(|_, (_, until)| *until > now);
            if entries.known.len() >= ENTRIES_MOST {
                entries.known.clear();
            }
        }
        entries.known.insert(mark, (known, now + most));
    }

    /// One credential ended. Lookups that are under way are not kept: one may be of it.
    pub(super) fn forget_one(&self, mark: &Mark) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.known.remove(mark);
        entries.era += 1;
    }

    /// An account's credentials changed.
    pub(super) fn forget_account(&self, id: i64) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.known.retain(|_, (known, _)| known.account.id != id);
        entries.era += 1;
    }

    /// Some account or credential changed: everything is verified afresh.
    pub(super) fn forget(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.known.clear();
        entries.era += 1;
    }
}
