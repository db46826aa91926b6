//! What is measured, in the order of the table, over data that are made once per run.

mod create;
mod get;
mod git;
mod list;
mod memory;
mod start;
mod writes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use tempfile::TempDir;

use crate::Options;
use crate::data::{self, Data, Fill};
use crate::machine;
use crate::report::Report;
use crate::server::Server;

/// One row of the table of targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Row {
    /// GET one document of 3 kB against a bare axum handler that answers the same bytes.
    Get,
    /// where (200 hits) + sort + limit 20 with count, over 10,000 documents.
    List,
    /// The same list over 1,000,000 documents (minutes of loading).
    ListMillion,
    /// The same list over 10,000 documents while 100 writes/s go on.
    Writes,
    /// Create, one durable commit each, 16 clients on one workspace and on 16.
    Create,
    /// Start with an intact index over 100,000 documents.
    Start,
    /// Rebuild the index of 100,000 documents from git.
    Rebuild,
    /// Memory while serving 100,000 documents.
    Memory,
    /// Clone, push and fetch against nginx + fcgiwrap + git http-backend, where those are installed.
    Git,
    /// Clone of 100,000 commits of one document against the same freshly packed.
    GitHistory,
}

/// A run: what to measure, how, and what was measured so far.
pub(crate) struct Bench {
    options: Options,
    config: PathBuf,
    folder: TempDir,
    report: Report,
    data: BTreeMap<&'static str, Rc<Data>>,
}

impl Bench {
    pub(crate) fn new(options: Options) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(&options.dir)
            .with_context(|| format!("cannot make a folder in {}", options.dir.display()))?;
        let config = data::configuration(folder.path())?;
        let report = Report::new(machine::describe(folder.path()), options.quick);
        Ok(Bench { options, config, folder, report, data: BTreeMap::new() })
    }

    pub(crate) async fn run(mut self) -> Result<()> {
        let mut rows = self.options.rows.clone();
        if rows.is_empty() {
            rows = Row::value_variants().to_vec();
            rows.retain(|row| *row != Row::ListMillion || !self.options.quick);
        }
        rows.sort_unstable();
        rows.dedup();
        for row in rows {
            match row {
                Row::Get => get::measure(&mut self).await?,
                Row::List => list::measure(&mut self).await?,
                Row::ListMillion => list::measure_million(&mut self).await?,
                Row::Writes => writes::measure(&mut self).await?,
                Row::Create => create::measure(&mut self).await?,
                Row::Start => start::measure(&mut self).await?,
                Row::Rebuild => start::measure_rebuild(&mut self).await?,
                Row::Memory => memory::measure(&mut self).await?,
                Row::Git => git::measure(&mut self).await?,
                Row::GitHistory => git::measure_history(&mut self).await?,
            }
        }
        if let Some(file) = &self.options.json {
            let text = serde_json::to_string_pretty(&self.report.json())? + "\n";
            std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    fn round(&self) -> Duration {
        Duration::from_secs(self.options.seconds.unwrap_or(if self.options.quick { 1 } else { 4 }))
    }

    fn rounds(&self) -> u64 {
        self.options.rounds.unwrap_or(if self.options.quick { 3 } else { 5 })
    }

    /// A count as the targets have it, or a tenth of it.
    fn scaled(&self, count: usize) -> usize {
        if self.options.quick { count / 10 } else { count }
    }

    /// The data of a name, made at first use.
    async fn data(&mut self, name: &'static str, fill: Fill) -> Result<Rc<Data>> {
        if let Some(data) = self.data.get(name) {
            return Ok(data.clone());
        }
        let folder = self.folder.path().join(name);
        let data = Rc::new(data::prepare(&self.options.server, &self.config, folder, fill).await?);
        self.data.insert(name, data.clone());
        Ok(data)
    }

    /// 10,000 documents of about 300 bytes in one workspace.
    async fn ten_thousand(&mut self) -> Result<Rc<Data>> {
        let documents = self.scaled(10_000);
        self.data("ten-thousand", Fill { documents, workspaces: 1, per_commit: 1_000, size: 300 }).await
    }

    /// 100,000 documents of about 300 bytes in one workspace, 1,000 per commit.
    async fn hundred_thousand(&mut self) -> Result<Rc<Data>> {
        let documents = self.scaled(100_000);
        self.data("hundred-thousand", Fill { documents, workspaces: 1, per_commit: 1_000, size: 300 }).await
    }

    fn serve(&self, data: &Data) -> Result<Server> {
        Server::serve(&self.options.server, &self.config, &data.folder)
    }
}
