//! From exec to the line that says where the server listens.

use std::fs;
use std::rc::Rc;

use anyhow::{Result, ensure};

use super::Bench;
use crate::client::{Client, get};
use crate::data::{Data, Fill};
use crate::report::{Goal, Line, Samples, tell};

/// The same documents twice: few large commits, and one commit each.
async fn both(bench: &mut Bench) -> Result<[(&'static str, Rc<Data>); 2]> {
    let bulk = bench.hundred_thousand().await?;
    let single = Fill { per_commit: 1, ..bulk.fill };
    let single = bench.data("hundred-thousand-commits", single).await?;
    Ok([("1,000 per commit", bulk), ("one per commit", single)])
}

pub(super) async fn measure(bench: &mut Bench) -> Result<()> {
    for (name, data) in both(bench).await? {
        let mut starts = Vec::new();
        for _ in 0..bench.rounds() {
            starts.push(start(bench, &data).await?);
        }
        bench.report.add(Line {
            row: "start",
            what: format!("start, intact index, {} documents, {name}", data.fill.documents),
            measured: Samples::new(starts),
            unit: "s",
            goal: Goal::AtMost(1.0),
            note: String::new(),
        });
    }
    Ok(())
}

pub(super) async fn measure_rebuild(bench: &mut Bench) -> Result<()> {
    for (name, data) in both(bench).await? {
        let mut starts = Vec::new();
        for _ in 0..bench.rounds().min(3) {
            let index = data.folder.join(".state/index");
            ensure!(index.is_dir(), "the index is not in .state/index");
            fs::remove_dir_all(index)?;
            starts.push(start(bench, &data).await?);
        }
        bench.report.add(Line {
            row: "rebuild",
            what: format!("rebuild from git, {} documents, {name}", data.fill.documents),
            measured: Samples::new(starts),
            unit: "s",
            goal: Goal::AtMost(20.0),
            note: String::new(),
        });
    }
    Ok(())
}

/// Seconds of one start, after which everything is there.
async fn start(bench: &Bench, data: &Data) -> Result<f64> {
    let server = bench.serve(data)?;
    let taken = server.started.as_secs_f64();
    tell(&format!("started in {taken:.2} s"));
    let found = Client::connect(&server.address).await?.json(&get("/api/v1/items?limit=0")).await?;
    ensure!(found["_meta"]["count"] == data.fill.documents, "the list counts {}", found["_meta"]["count"]);
    server.stop()?;
    Ok(taken)
}
