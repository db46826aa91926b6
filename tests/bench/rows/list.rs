//! where + sort + limit with count.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::Bench;
use crate::client::{Client, get};
use crate::data::{Fill, HITS};
use crate::load::{self, CONNECTIONS, Requests};
use crate::report::{Goal, Line, Samples, tell};
use crate::server::Server;

/// Groups that are asked for, so that both sizes of data answer the same queries.
const GROUPS: usize = 50;

/// A list with as many hits as the targets speak of, of each of these groups.
pub(super) fn lists(groups: usize) -> Requests {
    let target = |group| format!("/api/v1/items?where=group:g{group}&sort=rank&limit=20");
    load::cycle((0..groups).map(|group| get(&target(group))).collect())
}

/// The list answers what it is measured for.
pub(super) async fn judge(server: &Server) -> Result<()> {
    let mut client = Client::connect(&server.address).await?;
    let found = client.json(&get("/api/v1/items?where=group:g1&sort=rank&limit=20")).await?;
    let items = found["items"].as_array().into_iter().flatten();
    let ranks: Vec<f64> = items.filter_map(|item| item["content"]["rank"].as_f64()).collect();
    ensure!(found["_meta"]["count"] == HITS, "the list counts {}", found["_meta"]["count"]);
    ensure!(ranks.len() == 20 && ranks.is_sorted(), "the list is not sorted: {ranks:?}");
    Ok(())
}

pub(super) async fn measure(bench: &mut Bench) -> Result<()> {
    let data = bench.ten_thousand().await?;
    let server = bench.serve(&data)?;
    judge(&server).await?;
    let requests = lists(data.fill.groups().min(GROUPS));
    let mut rates = Vec::new();
    let mut halves = Vec::new();
    let mut costs = Vec::new();
    load::run(&server, CONNECTIONS, Duration::from_secs(1), 200, requests.clone()).await?;
    for _ in 0..bench.rounds() {
        let seen = load::run(&server, CONNECTIONS, bench.round(), 200, requests.clone()).await?;
        rates.push(seen.per_second);
        halves.push(seen.p50);
        costs.push(seen.cpu);
    }
    let alone = load::run(&server, 1, bench.round(), 200, requests).await?;
    bench.report.add(Line {
        row: "list",
        what: format!("list of {HITS} hits, sorted, limit 20, count, {} documents", data.fill.documents),
        measured: Samples::new(rates),
        unit: "req/s",
        goal: Goal::AtLeast(5_000.0),
        note: format!(
            "p50 {:.2} ms; one connection {:.2} ms; server CPU {:.0} us each",
            Samples::new(halves).median(),
            alone.p50,
            Samples::new(costs).median()
        ),
    });
    server.stop()
}

pub(super) async fn measure_million(bench: &mut Bench) -> Result<()> {
    let small = bench.ten_thousand().await?;
    let documents = bench.scaled(1_000_000);
    let fill = Fill { documents, workspaces: 10, per_commit: 5_000, size: 300 };
    let large = bench.data("million", fill).await?;
    let servers = [bench.serve(&large)?, bench.serve(&small)?];
    for server in &servers {
        judge(server).await?;
    }
    tell(&format!("a start over {documents} documents takes {:.2} s", servers[0].started.as_secs_f64()));
    let requests = lists(small.fill.groups().min(GROUPS));
    let mut halves = [Vec::new(), Vec::new()];
    for round in 0..=bench.rounds() {
        for (halves, server) in halves.iter_mut().zip(&servers) {
            let seen = load::run(server, CONNECTIONS, bench.round(), 200, requests.clone()).await?;
            if round > 0 {
                halves.push(seen.p50);
            }
        }
    }
    let everywhere = lists(fill.groups());
    load::run(&servers[0], CONNECTIONS, bench.round(), 200, everywhere.clone()).await?;
    let spread = load::run(&servers[0], CONNECTIONS, bench.round(), 200, everywhere).await?;
    let [large_halves, small_halves] = halves;
    bench.report.add(Line {
        row: "list-million",
        what: format!("p50 of the same list, {documents} documents"),
        measured: Samples::new(large_halves),
        unit: "ms",
        goal: Goal::TimesOf(Samples::new(small_halves), "that of 10,000", 2.0),
        note: format!(
            "{:.2} ms over all {} groups in turn; memory {:.0} MB",
            spread.p50,
            fill.groups(),
            servers[0].memory()?.rss
        ),
    });
    servers.into_iter().try_for_each(Server::stop)
}
