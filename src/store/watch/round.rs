//! The thread's round: what it does with its mail, and what it starts.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Eye, Outcome, Work, work};
use crate::store::hands::Claims;
use crate::store::trouble::Trouble;
use crate::store::workspace::Workspace;

/// Between two looks when nothing happens.
const IDLE: Duration = Duration::from_secs(5);
/// Comparisons in turn take at most one part in so many of the time of one core.
const SHARE: u32 = 4;
/// How long the end waits for what is under way.
const PATIENCE: Duration = Duration::from_secs(20);
/// After so many tries, some four seconds, a half-done command is not of the moment.
const TRIES: u32 = 4;
/// Most lines about files that stay out of git.
const TOLD_MOST: usize = 10_000;

impl Eye {
    pub(super) fn run(mut self) {
        self.scan();
        self.compare_all();
        loop {
            let mail = self.inbox.wait(self.idle());
            if mail.stop {
                break;
            }
            for outcome in mail.done {
                self.finish(outcome);
            }
            for (path, sign) in mail.signs {
                self.hear(&path, sign);
            }
            if mail.overflowed {
                tracing::warn!("more changed on disk than could be followed: comparing workspaces with their files");
                self.compare_all();
            }
            let now = Instant::now();
            if self.scan_at.is_some_and(|at| at <= now) {
                self.scan();
            }
            self.start_due(now);
            self.compare_next(now);
        }
        self.leave();
    }

    /// Waits for work under way: it holds workspaces, and somebody waits for their end.
    fn leave(mut self) {
        let until = Instant::now() + PATIENCE;
        while (self.greeting > 0 || self.known.values().any(|known| known.busy)) && Instant::now() < until {
            // The stop stays in the inbox, so that this only takes what is there.
            let mail = self.inbox.wait(Duration::from_millis(10));
            if mail.done.is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
            for outcome in mail.done {
                match outcome.name.and_then(|name| self.known.get_mut(&name)) {
                    Some(known) => known.busy = false,
                    None => self.greeting = self.greeting.saturating_sub(1),
                }
            }
        }
    }

    /// How long nothing has to be done, as far as is known.
    fn idle(&self) -> Duration {
        let now = Instant::now();
        let pending = self.known.values().filter(|known| !known.busy).filter_map(|k| k.pending.due(self.options.quiet));
        let waits = self.in_turn.is_none() && !self.turn.is_empty();
        let turn = waits.then_some(self.rest_until);
        let polls = self.known.values().filter(|known| known.polled && !known.queued && !known.busy);
        let polls = polls.map(|known| known.last_compared.map_or(now, |last| last + self.options.poll));
        let candidates = self.candidates.values().map(|(at, _)| *at);
        let next = pending.chain(turn).chain(self.scan_at).chain(polls).chain(candidates).min();
        next.map_or(IDLE, |next| next.saturating_duration_since(now)).clamp(Duration::from_millis(2), IDLE)
    }

    /// Starts what has come to rest.
    fn start_due(&mut self, now: Instant) {
        let quiet = self.options.quiet;
        let ready = self.known.values_mut().filter(|known| !known.busy && !known.pending.is_empty());
        let mut due = Vec::new();
        for known in ready {
            if let Some(work) = known.pending.take(quiet, now) {
                due.push((known.workspace.name().to_arc(), work));
            }
        }
        for (name, work) in due {
            self.start(&name, work, false);
        }
    }

    fn start(&mut self, name: &Arc<str>, work: Work, is_comparison: bool) {
        let quiet = self.options.quiet;
        let Some(known) = self.known.get_mut(name) else { return };
        known.busy = true;
        let (workspace, inbox) = (known.workspace.clone(), self.inbox.clone());
        self.runtime.spawn(async move {
            let outcome = work::work(workspace, work, is_comparison, quiet).await;
            inbox.done(outcome);
        });
    }

    /// Work has ended.
    fn finish(&mut self, outcome: Outcome) {
        let now = Instant::now();
        let Some(name) = outcome.name else {
            self.greeting = self.greeting.saturating_sub(1);
            self.scan_at = Some(now);
            return;
        };
        if outcome.is_comparison {
            self.in_turn = None;
            self.rest_until = now + outcome.took * (SHARE - 1);
        }
        if outcome.gone {
            self.scan_at = Some(now);
        }
        for (path, why) in outcome.skipped {
            let Some(known) = self.known.get(&name) else { continue };
            if self.told.len() < TOLD_MOST && self.told.insert((known.workspace.dir().join(&path), why.clone())) {
                tracing::warn!(workspace.name = &*name, path, why, "a file on disk stays out of git");
            }
        }
        let Some(known) = self.known.get_mut(&name) else { return };
        known.busy = false;
        match outcome.left {
            Some(left) => {
                known.pending.again(left, now);
                if known.pending.tries > TRIES {
                    hold_back(&known.workspace);
                }
            }
            None => known.pending.tries = 0,
        }
        if outcome.is_comparison {
            known.last_compared = Some(now);
            if self.turn.is_empty() && !self.known.values().any(|known| known.queued) {
                self.compared.store(true, Ordering::Release);
            }
        }
    }

    /// Queues a comparison of every workspace: first those where something just happened, then
    /// those that changed last.
    pub(super) fn compare_all(&mut self) {
        let mut all: Vec<_> = self
            .known
            .values()
            .map(|k| (k.last_sign, k.workspace.tip().seconds, k.workspace.name().to_arc()))
            .collect();
        all.sort_by(|a, b| b.cmp(a));
        self.turn.clear();
        for (_, _, name) in all {
            if let Some(known) = self.known.get_mut(&name) {
                known.queued = true;
            }
            self.turn.push_back(name);
        }
        if self.turn.is_empty() {
            self.compared.store(true, Ordering::Release);
        }
    }

    pub(super) fn compare_soon(&mut self, name: &Arc<str>) {
        if let Some(known) = self.known.get_mut(name)
            && !std::mem::replace(&mut known.queued, true)
        {
            self.turn.push_back(name.clone());
        }
    }

    /// Starts the next comparison, one at a time.
    fn compare_next(&mut self, now: Instant) {
        let poll = self.options.poll;
        let due = |last: Option<Instant>| last.is_none_or(|last| last + poll <= now);
        let polled: Vec<_> = self
            .known
            .values()
            .filter(|known| known.polled && !known.queued && !known.busy && due(known.last_compared))
            .map(|known| known.workspace.name().to_arc())
            .collect();
        for name in polled {
            self.compare_soon(&name);
        }
        if self.in_turn.is_some() || self.rest_until > now {
            return;
        }
        // One that is busy comes later.
        for _ in 0..self.turn.len() {
            let Some(name) = self.turn.pop_front() else { return };
            let Some(known) = self.known.get_mut(&name) else { continue };
            if known.busy {
                self.turn.push_back(name);
                continue;
            }
            known.queued = false;
            // Folders that were made while signs were lost.
            let root = known.workspace.dir().to_owned();
            if !known.polled {
                self.enter(&name, &root, false);
            }
            self.in_turn = Some(name.clone());
            self.start(&name, Work { whole: true, ..Work::default() }, true);
            return;
        }
        if !self.turn.is_empty() {
            self.rest_until = now + Duration::from_millis(20);
        }
    }
}

/// Says that edits wait for somebody, if it is that.
fn hold_back(workspace: &Workspace) {
    if let Some(why) = Claims::of(workspace).ok().and_then(|claims| claims.reason()) {
        workspace.note_trouble(Trouble::HalfDone, &format!("edits on disk wait: {why}; finish, abort or remove it"));
    }
}
