//! `workleaf member`.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::terminal::say;
use crate::config::Config;
use crate::control::{self, Command, Report};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Member {
    /// List who else may do what in a workspace.
    List {
        #[arg(value_name = "OWNER/NAME")]
        workspace: String,
    },
    /// Give an account, or a group as group:NAME, a role.
    Set {
        #[arg(value_name = "OWNER/NAME")]
        workspace: String,
        who: String,
        #[arg(value_parser = ["reader", "writer", "admin"])]
        role: String,
    },
    /// Take the role of an account, or of a group as group:NAME, away.
    Remove {
        #[arg(value_name = "OWNER/NAME")]
        workspace: String,
        who: String,
    },
}

impl Member {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let command = match self {
            Member::List { workspace } => Command::ListMembers { workspace },
            Member::Set { workspace, who, role } => Command::SetMember { workspace, who, role: Some(role) },
            Member::Remove { workspace, who } => Command::SetMember { workspace, who, role: None },
        };
        match control::run(config, command, Vec::new(), &|_, _| {}).await? {
            Report::Members(members) => members.iter().for_each(|(who, role)| say(format!("{who} {role}"))),
            Report::Done(text) => say(text),
            _ => bail!("the server answered something else: is it of another version?"),
        }
        Ok(ExitCode::SUCCESS)
    }
}
