//! GET one document against the bare handler.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::Bench;
use crate::client::{Client, get, post};
use crate::data::workspace;
use crate::load::{self, CONNECTIONS};
use crate::report::{Goal, Line, Samples};
use crate::server::Server;

pub(super) async fn measure(bench: &mut Bench) -> Result<()> {
    let data = bench.ten_thousand().await?;
    let server = bench.serve(&data)?;
    let mut client = Client::connect(&server.address).await?;
    let place = format!("/api/v1/services?workspace={}&path=projects/bench/sources/nsd/bench.yml", workspace(0));
    let made = client.json(&post(&place, &service())).await?;
    let target = format!("/api/v1/services/{}", made["service"]["id"]);
    let answer = client.ask(&get(&target)).await?;
    ensure!(answer.status == 200, "answered {}: {}", answer.status, answer.body);
    ensure!((2_900..3_400).contains(&answer.body.len()), "the document has {} bytes", answer.body.len());
    let recorded = bench.folder.path().join("recorded.json");
    fs::write(&recorded, serde_json::to_vec(&answer)?)?;
    let bare = Server::bare(&recorded)?;
    let same = Client::connect(&bare.address).await?.ask(&get(&target)).await?;
    ensure!(same.body == answer.body, "the bare handler answers something else");

    let requests = load::cycle(vec![get(&target)]);
    let mut rates = [Vec::new(), Vec::new()];
    let mut halves = [Vec::new(), Vec::new()];
    let mut costs = [Vec::new(), Vec::new()];
    for round in 0..=bench.rounds() {
        // The first round warms both up.
        let time = if round == 0 { Duration::from_secs(1) } else { bench.round() };
        for (at, server) in [&server, &bare].into_iter().enumerate() {
            let seen = load::run(server, CONNECTIONS, time, 200, requests.clone()).await?;
            if round > 0 {
                rates[at].push(seen.per_second);
                halves[at].push(seen.p50);
                costs[at].push(seen.cpu);
            }
        }
    }
    let [rates, bare_rates] = rates;
    let [cost, bare_cost] = costs.map(|costs| Samples::new(costs).median());
    let [half, bare_half] = halves.map(|halves| Samples::new(halves).median());
    bench.report.add(Line {
        row: "get",
        what: format!("GET one document, {} bytes, {CONNECTIONS} connections", answer.body.len()),
        measured: Samples::new(rates),
        unit: "req/s",
        goal: Goal::ShareOf(Samples::new(bare_rates), "bare axum handler", 0.5),
        note: format!("p50 {half:.2} ms, bare {bare_half:.2} ms; server CPU {cost:.0} us each, bare {bare_cost:.0} us"),
    });
    server.stop()
}

/// A network service of 3 kB as the server answers it.
fn service() -> serde_json::Value {
    let function = |n: usize| json!({ "vnf_id": format!("vnf_{n}"), "vnf_vendor": "eu.sonata-nfv", "vnf_name": format!("firewall-{n}"), "vnf_version": "0.2" });
    let point = |n: usize| json!({ "id": format!("ns:{n}"), "interface": "ipv4", "type": "external" });
    let link = |n: usize| {
        json!({
            "id": format!("link-{n}"),
            "connectivity_type": "E-Line",
            "connection_points_reference": [format!("vnf_{n}:output"), format!("vnf_{}:input", n + 1)],
        })
    };
    json!({
        "descriptor_version": "1.0",
        "vendor": "eu.sonata-nfv.service-descriptor",
        "name": "bench-service",
        "version": "0.3.1",
        "author": "workleaf",
        "description": "A chain of firewalls as large as an ordinary network service descriptor.",
        "network_functions": (0..11).map(function).collect::<Vec<_>>(),
        "connection_points": (0..6).map(point).collect::<Vec<_>>(),
        "virtual_links": (0..10).map(link).collect::<Vec<_>>(),
    })
}
