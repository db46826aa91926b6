//! What changed in one workspace and waits until it rests.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::store::hands::OPEN_REST;

#[derive(Clone, Copy)]
struct Rest {
    last: Instant,
    is_open: bool,
}

impl Rest {
    fn due(self, quiet: Duration) -> Instant {
        self.last + if self.is_open { OPEN_REST.max(quiet) } else { quiet }
    }
}

/// What has come to rest.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Paths in the work tree.
    pub(super) paths: Vec<String>,
    /// A ref or HEAD changed.
    pub(super) refs: bool,
    /// Everything is to be compared.
    pub(super) whole: bool,
}

#[derive(Default)]
pub(super) struct Pending {
    paths: HashMap<String, Rest>,
    refs: Option<Instant>,
    whole: Option<Instant>,
    /// Nothing before that: a hand operation is half done, or the last try failed.
    not_before: Option<Instant>,
    pub(super) tries: u32,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.refs.is_none() && self.whole.is_none()
    }

    pub(super) fn path(&mut self, path: String, is_open: bool, now: Instant) {
        self.paths.insert(path, Rest { last: now, is_open });
    }

    pub(super) fn refs(&mut self, now: Instant) {
        self.refs = Some(now);
    }

    pub(super) fn whole(&mut self, now: Instant) {
        self.whole = Some(now);
    }

    /// Tries again later, for longer each time.
    pub(super) fn again(&mut self, work: Work, now: Instant) {
        let wait = Duration::from_millis(250) * (1 << self.tries.min(4));
        self.tries += 1;
        self.not_before = Some(now + wait);
        for path in work.paths {
            self.paths.entry(path).or_insert(Rest { last: now, is_open: false });
        }
        if work.refs {
            self.refs.get_or_insert(now);
        }
        if work.whole {
            self.whole.get_or_insert(now);
        }
    }

    /// What it waited for may be over.
    pub(super) fn nudge(&mut self) {
        self.not_before = None;
    }

    /// When there may be something to do. One burst is one commit where that delays nothing by
    /// more than another `quiet`.
    pub(super) fn due(&self, quiet: Duration) -> Option<Instant> {
        let rests = self.paths.values().map(|rest| (rest.due(quiet), rest.is_open));
        let single = [self.refs, self.whole].into_iter().flatten().map(|last| (last + quiet, false));
        let (mut first, mut last): (Option<Instant>, Option<Instant>) = (None, None);
        for (due, is_open) in rests.chain(single) {
            first = Some(first.map_or(due, |first| first.min(due)));
            if !is_open {
                last = Some(last.map_or(due, |last| last.max(due)));
            }
        }
        let due = first.map(|first| last.map_or(first, |last| last.clamp(first, first + quiet)))?;
        Some(self.not_before.map_or(due, |not| due.max(not)))
    }

    /// Takes what rests by now; `None` when it is too early.
    pub(super) fn take(&mut self, quiet: Duration, now: Instant) -> Option<Work> {
        if self.due(quiet).is_none_or(|due| due > now) {
            return None;
        }
        let mut work = Work::default();
        self.paths.retain(|path, rest| {
            let rests = rest.due(quiet) <= now;
            if rests {
                work.paths.push(path.clone());
            }
            !rests
        });
        work.paths.sort_unstable();
        let ripe = |at: &mut Option<Instant>| at.take_if(|last| *last + quiet <= now).is_some();
        work.refs = ripe(&mut self.refs);
        work.whole = ripe(&mut self.whole);
        self.not_before = None;
        (work.refs || work.whole || !work.paths.is_empty()).then_some(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_millis(300);

    #[test]
    fn a_path_waits_until_it_rests() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pending = Pending::default();
        pending.path("a".into(), false, at(0));
        assert!(pending.take(QUIET, at(299)).is_none());
        pending.path("a".into(), false, at(250));
        assert!(pending.take(QUIET, at(400)).is_none());
        assert_eq!(pending.take(QUIET, at(550)).unwrap().paths, ["a"]);
        assert!(pending.is_empty());
    }

    #[test]
    fn an_open_file_keeps_no_other_from_being_taken() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pending = Pending::default();
        pending.path("open".into(), true, at(0));
        pending.path("a".into(), false, at(0));
        assert_eq!(pending.take(QUIET, at(300)).unwrap().paths, ["a"]);
        assert!(pending.take(QUIET, at(9_000)).is_none());
        assert_eq!(pending.take(QUIET, at(10_000)).unwrap().paths, ["open"]);
    }

    #[test]
    fn a_burst_is_one_piece_of_work_within_bounds() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pending = Pending::default();
        for n in 0..50 {
            pending.path(n.to_string(), false, at(n * 10));
        }
        assert!(pending.take(QUIET, at(500)).is_none());
        assert_eq!(pending.take(QUIET, at(600)).unwrap().paths.len(), 31);
        assert_eq!(pending.take(QUIET, at(790)).unwrap().paths.len(), 19);
    }
}
