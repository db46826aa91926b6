//! `workleaf reindex`.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::terminal::say;
use crate::config::Config;
use crate::control::{self, Command, Report};

pub(super) async fn run(config: Config) -> Result<ExitCode> {
    match control::run(config, Command::Reindex, Vec::new(), &|_, _| {}).await? {
        Report::Reindexed { workspaces } => {
            say(format!("the index of {workspaces} workspaces is built anew"));
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("the server answered something else: {other:?}"),
    }
}
