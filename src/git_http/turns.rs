//! Who may start programs, and when: so many at once, nobody all of them, and some for pushes alone.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::advertise::Service;
use crate::resource::actor::Actor;

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whom a turn is counted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    Account(i64),
    Address(Option<IpAddr>),
}

impl Who {
    /// Accounts by themselves; nobody by where it is, of IPv6 the network that one customer has.
    pub(super) fn of(actor: &Actor, address: Option<IpAddr>) -> Self {
        match actor {
            Actor::Account(account, _) => Who::Account(account.id),
            Actor::Anonymous | Actor::System => Who::Address(address.map(|address| match address {
                IpAddr::V4(_) => address,
                IpAddr::V6(v6) => {
                    let [a, b, c, d, ..] = v6.segments();
                    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
                }
            })),
        }
    }
}

/// A turn to start programs: one for each request, however many those are.
pub(super) struct Turn {
    _shared: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
}

pub(super) struct Turns {
    /// For whoever comes, and for pushes alone.
    any: Arc<Semaphore>,
    pushes: Arc<Semaphore>,
    /// Most turns of one caller.
    each: usize,
    own: Mutex<HashMap<Who, Weak<Semaphore>>>,
}

impl Turns {
    /// `most` at once: a quarter is for pushes, and one caller gets a quarter, at least two.
    pub(super) fn new(most: usize) -> Self {
        let pushes = (most / 4).max(1);
        Turns {
            any: Arc::new(Semaphore::new(most.saturating_sub(pushes).max(1))),
            pushes: Arc::new(Semaphore::new(pushes)),
            each: (most / 4).max(2),
            own: Mutex::default(),
        }
    }

    /// Waits for a turn; `None` when none comes in time.
    pub(super) async fn wait(&self, service: Service, who: Who) -> Option<Turn> {
        let turn = async {
            // First, so that nobody waits for others with more than is theirs.
            let own = self.own(who).acquire_owned().await.ok()?;
            let shared = match service {
                Service::UploadPack => self.any.clone().acquire_owned().await,
                Service::ReceivePack => tokio::select! {
                    biased;
                    permit = self.pushes.clone().acquire_owned() => permit,
                    permit = self.any.clone().acquire_owned() => permit,
                },
            };
            Some(Turn { _shared: shared.ok()?, _own: own })
        };
        tokio::time::timeout(PATIENCE, turn).await.ok().flatten()
    }

    fn own(&self, who: Who) -> Arc<Semaphore> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = own.get(&who).and_then(Weak::upgrade) {
            return known;
        }
        own.retain(|_, semaphore| semaphore.strong_count() > 0);
        let made = Arc::new(Semaphore::new(self.each));
        own.insert(who, Arc::downgrade(&made));
        made
    }
}
