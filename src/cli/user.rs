//! `workleaf user`.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::terminal::{password, say};
use crate::config::Config;
use crate::control::{self, Command, Report};

#[derive(Debug, clap::Subcommand)]
pub(super) enum User {
    /// Make an account; without --password-stdin a random password is made and shown once.
    Create {
        name: String,
        /// For commits.
        #[arg(long)]
        email: Option<String>,
        /// May manage the server and everybody's workspaces.
        #[arg(long)]
        admin: bool,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all accounts.
    List,
    /// Delete an account; its workspaces stay on disk.
    Delete { name: String },
    /// Change a password.
    Passwd {
        name: String,
        /// Read the password from the first line of standard input (the only way).
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

impl User {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let command = match self {
            User::Create { name, email, admin, password_stdin } => {
                let password = if password_stdin { Some(password()?) } else { None };
                Command::CreateUser { name, email, password, admin }
            }
            User::List => Command::ListUsers,
            User::Delete { name } => Command::DeleteUser { name },
            User::Passwd { name, password_stdin: _ } => Command::SetPassword { name, password: password()? },
        };
        match control::run(config, command, Vec::new(), &|_, _| {}).await? {
            Report::UserCreated { name, password } => {
                say(match password {
                    Some(password) => format!("created {name} with the password {password} (shown only now)"),
                    None => format!("created {name}"),
                });
            }
            Report::Users(users) => {
                for user in users {
                    let email = user.email.map(|email| format!(" <{email}>")).unwrap_or_default();
                    say(format!("{}{email}{}", user.name, if user.admin { " (admin)" } else { "" }));
                }
            }
            Report::Changed => say("done"),
            other => bail!("the server answered something else: {other:?}"),
        }
        Ok(ExitCode::SUCCESS)
    }
}
