//! Load in a closed loop: each connection sends its next request when the last one is answered.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::client::Client;
use crate::server::Server;

/// Connections that the targets speak of.
pub(crate) const CONNECTIONS: usize = 16;

/// Writes the request number `n` (counted over all connections) of a connection into the buffer.
pub(crate) type Requests = Rc<dyn Fn(usize, usize, &mut Vec<u8>)>;

/// What one round of load saw.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) answered: usize,
    pub(crate) per_second: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// The server's CPU time in microseconds per request.
    pub(crate) cpu: f64,
}

/// Sends requests for this long and finishes those begun. Any other status than `wanted` is an
/// error: a server that refuses fast is not fast.
pub(crate) async fn run(
    server: &Server,
    connections: usize,
    time: Duration,
    wanted: u16,
    requests: Requests,
) -> Result<Round> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::connect(&server.address).await?);
    }
    let used = server.cpu()?;
    let next = Rc::new(std::cell::Cell::new(0));
    let begun = Instant::now();
    let tasks = LocalSet::new();
    let running: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(at, mut client)| {
            let (next, requests) = (next.clone(), requests.clone());
            tasks.spawn_local(async move {
                let mut taken = Vec::new();
                let mut request = Vec::new();
                loop {
                    let sent = Instant::now();
                    if sent - begun >= time {
                        return Ok::<_, anyhow::Error>(taken);
                    }
                    request.clear();
                    requests(at, next.replace(next.get() + 1), &mut request);
                    let status = client.send(&request).await?;
                    ensure!(
                        status == wanted,
                        "answered {status} instead of {wanted}: {}",
                        String::from_utf8_lossy(&request).lines().next().unwrap_or_default()
                    );
                    taken.push(sent.elapsed());
                }
            })
        })
        .collect();
    let all = async {
        tasks.await;
        let mut taken = Vec::new();
        for task in running {
            taken.extend(task.await??);
        }
        Ok::<_, anyhow::Error>(taken)
    };
    let mut taken = timeout(time + Duration::from_secs(60), all).await.context("the server does not answer")??;
    let elapsed = begun.elapsed();
    let used = server.cpu()?.saturating_sub(used);
    ensure!(!taken.is_empty(), "nothing was answered");
    taken.sort_unstable();
    let at = |part: f64| taken[((taken.len() - 1) as f64 * part) as usize].as_secs_f64() * 1_000.0;
    Ok(Round {
        answered: taken.len(),
        per_second: taken.len() as f64 / elapsed.as_secs_f64(),
        p50: at(0.5),
        p99: at(0.99),
        cpu: used.as_secs_f64() * 1e6 / taken.len() as f64,
    })
}

/// Requests that are known beforehand, in turn.
pub(crate) fn cycle(prepared: Vec<Vec<u8>>) -> Requests {
    Rc::new(move |_, n, out| out.extend_from_slice(&prepared[n % prepared.len()]))
}
