//! `workleaf workspace`.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::terminal::say;
use crate::config::Config;
use crate::control::{self, Command, Report};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Workspace {
    /// Change who may read a workspace without being a member, and what pushes may do. Without an
    /// option it says how it is.
    Set {
        #[arg(value_name = "OWNER/NAME")]
        workspace: String,
        /// Everybody may read it.
        #[arg(long, value_name = "BOOL")]
        public: Option<bool>,
        /// Whether pushes may add violations.
        #[arg(long, value_parser = ["free", "strict"])]
        push: Option<String>,
        /// Whether pushes may take commits off main.
        #[arg(long, value_name = "BOOL")]
        force_push: Option<bool>,
    },
}

impl Workspace {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let Workspace::Set { workspace, public, push, force_push } = self;
        let command = Command::SetWorkspace { workspace, public, push, force_push };
        match control::run(config, command, Vec::new(), &|_, _| {}).await? {
            Report::Done(text) => say(text),
            _ => bail!("the server answered something else: is it of another version?"),
        }
        Ok(ExitCode::SUCCESS)
    }
}
