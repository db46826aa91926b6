//! Limits on requests per second, of an account and of an address.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::Limits;

/// Both limits; a missing one is off.
pub(super) struct Rates {
    accounts: Option<Rate<i64>>,
    addresses: Option<Rate<IpAddr>>,
}

struct Rate<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    asked: AtomicU32,
}

/// After so many requests, keys that rest are forgotten.
const SWEEP: u32 = 10_000;

impl Rates {
    pub(super) fn new(limits: &Limits) -> Self {
        Rates { accounts: Rate::new(limits.actor_rate), addresses: Rate::new(limits.address_rate) }
    }

    /// How long the account has to wait, if it has to.
    pub(super) fn account(&self, id: i64) -> Option<Duration> {
        self.accounts.as_ref()?.wait(&id)
    }

    /// How long the address has to wait, if it has to.
    pub(super) fn address(&self, address: IpAddr) -> Option<Duration> {
        self.addresses.as_ref()?.wait(&address)
    }
}

impl<K: Hash + Eq + Clone> Rate<K> {
    fn new(per_second: u32) -> Option<Self> {
        let quota = Quota::per_second(NonZeroU32::new(per_second)?);
        Some(Rate { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default(), asked: AtomicU32::new(0) })
    }

    fn wait(&self, key: &K) -> Option<Duration> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).err().map(|until| until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn each_key_has_its_own_limit_and_zero_is_none() {
        let mut limits = Config::of_text(None, "").unwrap().limits;
        assert!((0..1_000).all(|_| Rates::new(&limits).account(1).is_none()));
        limits.actor_rate = 3;
        let rates = Rates::new(&limits);
        assert!((0..3).all(|_| rates.account(1).is_none()));
        let wait = rates.account(1).expect("the fourth waits");
        assert!(wait <= Duration::from_millis(400), "{wait:?}");
        assert!(rates.account(2).is_none());
        assert!(rates.address(IpAddr::from([127, 0, 0, 1])).is_none());
    }
}
