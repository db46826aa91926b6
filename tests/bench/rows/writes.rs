//! The list while others write.

use std::cell::Cell;
use std::future::Future as _;
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::{Bench, list};
use crate::client::{Client, get, request};
use crate::data::{self, Data};
use crate::load::{self, CONNECTIONS};
use crate::report::{Goal, Line, Samples};

/// Writes per second, all writers together.
const PACE: u64 = 100;
/// Connections that write: a durable write may take longer than the pace allows one of them.
const WRITERS: u64 = 4;

/// What the writer did.
#[derive(Default)]
struct Seen {
    acknowledged: Cell<usize>,
    missed: Cell<usize>,
    /// The number of the next write.
    next: Cell<usize>,
}

pub(super) async fn measure(bench: &mut Bench) -> Result<()> {
    let data = bench.ten_thousand().await?;
    let server = bench.serve(&data)?;
    let requests = list::lists(data.fill.groups());
    let seen = Seen::default();
    let mut halves = [Vec::new(), Vec::new()];
    let mut tails = Vec::new();
    let mut rates = Vec::new();
    for round in 0..=bench.rounds() {
        let quiet = load::run(&server, CONNECTIONS, bench.round(), 200, requests.clone()).await?;
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            writers.push(Box::pin(write(Client::connect(&server.address).await?, &data, &seen)));
        }
        let writing = std::future::poll_fn(|context| {
            let mut ended = writers.iter_mut().map(|writer| writer.as_mut().poll(context));
            ended.find(Poll::is_ready).unwrap_or(Poll::Pending)
        });
        let reading = load::run(&server, CONNECTIONS, bench.round(), 200, requests.clone());
        let before = seen.acknowledged.get();
        let busy = tokio::select! {
            busy = reading => busy?,
            failed = writing => return Err(failed),
        };
        if round > 0 {
            halves[0].push(busy.p50);
            halves[1].push(quiet.p50);
            tails.push(busy.p99);
            rates.push((seen.acknowledged.get() - before) as f64 / bench.round().as_secs_f64());
        }
    }
    let [busy, quiet] = halves;
    bench.report.add(Line {
        row: "writes",
        what: format!("p50 of the same list while {PACE} writes/s go on"),
        measured: Samples::new(busy),
        unit: "ms",
        goal: Goal::TimesOf(Samples::new(quiet), "that without", 2.0),
        note: format!("p99 {:.1} ms, {:.0} writes/s", Samples::new(tails).median(), Samples::new(rates).median()),
    });
    bench.report.add(Line {
        row: "writes",
        what: format!("acknowledged writes that the next list misses, of {}", seen.acknowledged.get()),
        measured: Samples::new(vec![seen.missed.get() as f64]),
        unit: "writes",
        goal: Goal::AtMost(0.0),
        note: "creates and updates in turn".into(),
    });
    server.stop()
}

/// Creates and updates in turn, at a steady pace, each looked for as soon as it is acknowledged.
/// Returns only with an error.
async fn write(mut client: Client, data: &Data, seen: &Seen) -> anyhow::Error {
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 * WRITERS / PACE));
    // Late ones are made up for: the pace is a mean.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        ticks.tick().await;
        // The end of a round may fall between a write and its acknowledgement: never twice the same.
        let n = seen.next.replace(seen.next.get() + 1);
        match one(&mut client, data, n).await {
            Ok(found) => {
                seen.acknowledged.set(seen.acknowledged.get() + 1);
                seen.missed.set(seen.missed.get() + usize::from(!found));
            }
            Err(error) => return error.context("a write failed"),
        }
    }
}

/// Writes one document and tells whether the next list finds it.
async fn one(client: &mut Client, data: &Data, n: usize) -> Result<bool> {
    let groups = data.fill.groups();
    // A rank that no other document has.
    let rank = json!(2_000_000 + n);
    let is_new = n.is_multiple_of(2);
    let (id, mut content) = if is_new {
        // A new document; in a group of its own, so that the others keep their number of hits.
        let mut content = data::item(data.fill.documents + n, groups, data.fill.size);
        content["group"] = Value::from(format!("new{n}"));
        (format!("written-{}", n / 2), content)
    } else {
        // Another rank for one that is there, in the lists that are being read.
        let n = n * 31 % data.fill.documents;
        (data::id(n), data::item(n, groups, data.fill.size))
    };
    content["rank"] = rank.clone();
    let write = if is_new {
        let target = format!("/api/v1/items?workspace={}&id={id}", data::workspace(0));
        request("POST", &target, "", &content.to_string())
    } else {
        request("PUT", &format!("/api/v1/items/{id}"), "If-Match: *\r\n", &content.to_string())
    };
    client.json(&write).await.with_context(|| format!("writing {id}"))?;
    let found = client.json(&get(&format!("/api/v1/items?where=rank:{rank}"))).await?;
    Ok(found["_meta"]["count"] == 1)
}
