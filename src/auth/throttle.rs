//! Slows down guessing: failed logins are counted per account and per address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures that cost nothing.
const FREE: u32 = 5;
/// Longest wait after many failures.
const LONGEST: Duration = Duration::from_secs(300);
/// Failures are forgotten after this much quiet.
const MEMORY: Duration = Duration::from_secs(900);
const ENTRIES_MOST: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    Account(String),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// Counts of failed logins.
#[derive(Default)]
pub(super) struct Throttle {
    failures: Mutex<HashMap<Subject, Failures>>,
}

impl Throttle {
    /// How long this account or address has to wait before the next try is looked at. A bare token
    /// names no account.
    pub(super) fn wait(&self, account: Option<&str>, address: Option<IpAddr>) -> Option<Duration> {
        let now = Instant::now();
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        subjects(account, address)
            .filter_map(|subject| {
                let seen = failures.get(&subject)?;
                let over = seen.count.checked_sub(FREE)?;
                let pause = Duration::from_secs(1 << over.min(16)).min(LONGEST);
                (seen.last + pause).checked_duration_since(now).filter(|left| !left.is_zero())
            })
            .max()
    }

    /// Counts a failure.
    pub(super) fn failed(&self, account: Option<&str>, address: Option<IpAddr>) {
        let now = Instant::now();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= ENTRIES_MOST {
            failures.retain(|_, seen| now.duration_since(seen.last) < MEMORY);
            if failures.len() >= ENTRIES_MOST {
                return;
            }
        }
        for subject in subjects(account, address) {
            let seen = failures.entry(subject).or_insert(Failures { count: 0, last: now });
            if now.duration_since(seen.last) > MEMORY {
                seen.count = 0;
            }
            seen.count = seen.count.saturating_add(1);
            seen.last = now;
        }
    }

    /// Forgets an account's failures after a success.
    pub(super) fn succeeded(&self, account: &str) {
        let subject = Subject::Account(account.to_ascii_lowercase());
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&subject);
    }
}

/// A customer has a whole network of IPv6 addresses (RFC 6177), so it counts as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::from((u128::from(address) >> 64 << 64).to_be_bytes()),
    }
}

fn subjects(account: Option<&str>, address: Option<IpAddr>) -> impl Iterator<Item = Subject> {
    let account = account.map(|account| Subject::Account(account.to_ascii_lowercase()));
    [account, address.map(network).map(Subject::Address)].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_failures_are_free_and_then_each_doubles_the_wait() {
        let throttle = Throttle::default();
        let here = Some(IpAddr::from([127, 0, 0, 1]));
        for _ in 0..FREE - 1 {
            throttle.failed(Some("ann"), here);
        }
        assert_eq!(throttle.wait(Some("ann"), here), None);
        throttle.failed(Some("ann"), here);
        let first = throttle.wait(Some("Ann"), None).expect("the account waits");
        assert!(first <= Duration::from_secs(1));
        throttle.failed(Some("ann"), here);
        assert!(throttle.wait(Some("other"), here).expect("the address waits") > first);
        throttle.succeeded("ann");
        assert_eq!(throttle.wait(Some("ann"), None), None);
        // Tokens without a name have nothing in common but where they come from.
        (0..100).for_each(|_| throttle.failed(None, None));
        assert_eq!(throttle.wait(None, None), None);
    }
}
