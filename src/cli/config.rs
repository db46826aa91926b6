//! `workleaf config`.

use std::process::ExitCode;

use anyhow::Result;

use super::terminal::{say, warn};
use crate::config::Config;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Settings {
    /// Print the configuration as it is in effect, secrets masked, and warn of what is risky.
    Check,
}

impl Settings {
    pub(super) fn run(&self, config: &Config) -> Result<ExitCode> {
        let Settings::Check = self;
        say(serde_yaml::to_string(&config.masked())?.trim_end());
        config.warnings().iter().for_each(|warning| warn(warning));
        Ok(ExitCode::SUCCESS)
    }
}
