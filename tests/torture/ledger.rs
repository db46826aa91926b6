//! What was acknowledged, what may have happened, and what is wrong with it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shared by all clients and rounds.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    /// Per counter the values that somebody was told are stored.
    counters: HashMap<String, HashSet<u64>>,
    /// Per counter that is edited on disk the value that was written there.
    on_disk: HashMap<String, u64>,
    /// Per note, by id, the paths that it may have; none when it may be gone.
    notes: HashMap<String, Vec<Option<String>>>,
    by_sort: BTreeMap<&'static str, u64>,
    complaints: Vec<String>,
}

impl Ledger {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A counter's new value was acknowledged, which happens to each value once.
    pub(crate) fn counted(&self, sort: &'static str, counter: &str, value: u64) {
        let mut entries = self.entries();
        *entries.by_sort.entry(sort).or_default() += 1;
        if !entries.counters.entry(counter.to_owned()).or_default().insert(value) {
            entries.complaints.push(format!("lost update: {counter} was told to be {value} twice, at last by {sort}"));
        }
    }

    /// Somebody wrote a counter's file; it may be taken in later, but it must be.
    pub(crate) fn written_on_disk(&self, counter: &str, value: u64) {
        self.entries().on_disk.insert(counter.to_owned(), value);
    }

    /// What may be at the end of an operation on a note that is about to begin.
    pub(crate) fn maybe(&self, id: &str, path: Option<&str>) {
        self.entries().notes.entry(id.to_owned()).or_default().push(path.map(str::to_owned));
    }

    /// The operation on a note was acknowledged.
    pub(crate) fn surely(&self, sort: &'static str, id: &str, path: Option<&str>) {
        let mut entries = self.entries();
        *entries.by_sort.entry(sort).or_default() += 1;
        entries.notes.insert(id.to_owned(), vec![path.map(str::to_owned)]);
    }

    pub(crate) fn complain(&self, complaint: String) {
        self.entries().complaints.push(complaint);
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.entries().complaints.clone()
    }

    /// Per counter the largest acknowledged value.
    pub(crate) fn counters(&self) -> Vec<(String, u64)> {
        let entries = self.entries();
        entries
            .counters
            .iter()
            .map(|(name, values)| (name.clone(), values.iter().copied().max().unwrap_or(0)))
            .collect()
    }

    pub(crate) fn on_disk(&self) -> Vec<(String, u64)> {
        self.entries().on_disk.clone().into_iter().collect()
    }

    pub(crate) fn notes(&self) -> Vec<(String, Vec<Option<String>>)> {
        self.entries().notes.clone().into_iter().collect()
    }

    /// What was found of a note settles what may have happened to it.
    pub(crate) fn settle(&self, id: &str, path: Option<String>) {
        let mut entries = self.entries();
        match path {
            Some(path) => drop(entries.notes.insert(id.to_owned(), vec![Some(path)])),
            None => drop(entries.notes.remove(id)),
        }
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.entries().by_sort.values().sum()
    }

    pub(crate) fn by_sort(&self) -> String {
        let entries = self.entries();
        entries.by_sort.iter().map(|(sort, count)| format!("{sort} {count}")).collect::<Vec<_>>().join(", ")
    }
}
