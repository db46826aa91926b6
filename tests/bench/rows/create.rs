//! Creates, one durable commit each.

use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use crate::data::{self, Data, Fill};
use crate::load::{self, CONNECTIONS, Requests};
use crate::report::{Goal, Line, Samples, tell};
use crate::server::git;

/// Bytes of a new document.
const SIZE: usize = 1_000;

pub(super) async fn measure(bench: &mut Bench) -> Result<()> {
    for (name, workspaces, goal) in [("create-one", 1, 2_000.0), ("create-sixteen", 16, 1_000.0)] {
        let fill =
            Fill { documents: bench.scaled(10_000), workspaces, per_commit: bench.scaled(10_000) / 16, size: SIZE };
        let data = bench.data(name, fill).await?;
        let commits = count(&data)?;
        let server = bench.serve(&data)?;
        let mut done = 0;
        let mut rates = Vec::new();
        let mut tails = Vec::new();
        let mut halves = Vec::new();
        let mut costs = Vec::new();
        for round in 0..=bench.rounds() {
            let from = fill.documents + done;
            // Each client keeps to one workspace.
            let requests: Requests = Rc::new(move |client, n, out: &mut Vec<u8>| {
                let n = (from + n) * CONNECTIONS + client;
                data::create(n, fill, out);
            });
            let seen = load::run(&server, CONNECTIONS, bench.round(), 201, requests).await?;
            done += seen.answered;
            if round > 0 {
                rates.push(seen.per_second);
                tails.push(seen.p99);
                halves.push(seen.p50);
                costs.push(seen.cpu);
            }
        }
        server.stop()?;
        verify(&data, commits + done)?;
        bench.report.add(Line {
            row: "create",
            what: format!(
                "creates, {CONNECTIONS} clients, {workspaces} workspaces, {} documents before",
                fill.documents
            ),
            measured: Samples::new(rates),
            unit: "commits/s",
            goal: Goal::AtLeast(goal),
            note: format!(
                "p50 {:.1} ms, p99 {:.1} ms; server CPU {:.0} us each; {done} commits counted, fsck and status clean",
                Samples::new(halves).median(),
                Samples::new(tails).median(),
                Samples::new(costs).median()
            ),
        });
    }
    Ok(())
}

fn folders(data: &Data) -> impl Iterator<Item = std::path::PathBuf> {
    (0..data.fill.workspaces).map(|n| data.folder.join(data::workspace(n)))
}

/// Commits of all workspaces.
fn count(data: &Data) -> Result<usize> {
    let count = |folder: std::path::PathBuf| -> Result<usize> {
        git(&folder, &["rev-list", "--count", "HEAD"])?.parse().context("git counts no number")
    };
    folders(data).map(count).sum()
}

/// Every acknowledged create is one commit of a repository that git finds nothing wrong with.
fn verify(data: &Data, commits: usize) -> Result<()> {
    tell("counting commits, git fsck, git status");
    let found = count(data)?;
    ensure!(found == commits, "{commits} commits were acknowledged, {found} are there");
    for folder in folders(data) {
        let complaints = git(&folder, &["fsck", "--strict", "--no-progress", "--no-dangling"])?;
        ensure!(complaints.is_empty(), "git fsck: {complaints}");
        let status = git(&folder, &["status", "--porcelain"])?;
        ensure!(status.is_empty(), "git status: {}", status.lines().next().unwrap_or_default());
    }
    Ok(())
}
