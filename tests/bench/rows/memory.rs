//! Memory after a mix of lists, single reads and searches.

use anyhow::Result;

use super::Bench;
use crate::client::get;
use crate::data;
use crate::load::{self, CONNECTIONS};
use crate::report::{Goal, Line, Samples};

pub(super) async fn measure(bench: &mut Bench) -> Result<()> {
    let data = bench.hundred_thousand().await?;
    let server = bench.serve(&data)?;
    let fresh = server.memory()?;
    // Over all documents and all groups, so that caches fill.
    let mut targets = Vec::new();
    for n in 0..20_000 {
        let item = n * 7_919 % data.fill.documents;
        targets.push(get(&match n % 4 {
            0 => format!("/api/v1/items?where=group:g{}&sort=-rank,title&limit=50", n % data.fill.groups()),
            1 => format!("/api/v1/items?q=firewall%20{item}&limit=10"),
            _ => format!("/api/v1/items/{}", data::id(item)),
        }));
    }
    let mut resident = Vec::new();
    let mut last = fresh;
    for _ in 0..bench.rounds() {
        load::run(&server, CONNECTIONS, bench.round(), 200, load::cycle(targets.clone())).await?;
        last = server.memory()?;
        resident.push(last.rss);
    }
    // What it grew to, not the middle of its growth.
    let most = resident.iter().copied().fold(f64::NAN, f64::max);
    bench.report.add(Line {
        row: "memory",
        what: format!("resident after lists, reads and searches, {} documents", data.fill.documents),
        measured: Samples::new(vec![most]),
        unit: "MB",
        goal: Goal::AtMost(300.0),
        note: format!(
            "anonymous {:.0} MB; just started {:.0}, anonymous {:.0}",
            last.anonymous, fresh.rss, fresh.anonymous
        ),
    });
    server.stop()
}
