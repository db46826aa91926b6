//! `workleaf backup` and `workleaf restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use super::terminal::say;
use crate::config::Config;
use crate::control::{self, Command, Report};

#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// A folder that is not there yet, or empty.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        // The server has a working directory of its own.
        let folder = std::path::absolute(&self.folder)?;
        let to = folder.to_str().context("the folder's name is not UTF-8")?.to_owned();
        match control::run(config, Command::Backup { to }, Vec::new(), &|_, _| {}).await? {
            Report::Done(text) => say(text),
            other => bail!("the server answered something else: {other:?}"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// A folder that `workleaf backup` wrote.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Restore {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let count = control::restore(&config, &self.folder, &|_, _| {}).await?;
        say(format!("restored {count} workspaces into {}", config.workspaces_location.display()));
        Ok(ExitCode::SUCCESS)
    }
}
