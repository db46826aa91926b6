//! The real git against a real port: what a day with nothing but git asks for, and what hostile
//! clients try.

mod access;
mod client;
mod disconnect;
mod fetch;
mod hands;
mod hostile;
mod kill;
mod linked;
mod paths;
mod push;
mod races;

use std::time::Duration;

/// Looks again and again, for at most 20 seconds.
async fn until(mut holds: impl FnMut() -> bool, what: &str) {
    until_async(async || holds(), what).await;
}

async fn until_async(mut holds: impl AsyncFnMut() -> bool, what: &str) {
    for _ in 0..2_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
