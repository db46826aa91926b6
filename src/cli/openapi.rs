//! `workleaf openapi`.

use std::process::ExitCode;

use anyhow::Result;

use super::terminal::say;
use crate::config::Config;
use crate::{kinds, server};

pub(super) fn run(config: &Config) -> Result<ExitCode> {
    let kinds = kinds::load(&config.templates)?;
    say(serde_json::to_string_pretty(&server::document(&kinds))?);
    Ok(ExitCode::SUCCESS)
}
