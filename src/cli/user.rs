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
    /// Change a password; without --password-stdin a random one is made and shown once.
    Passwd {
        name: String,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
    },
}

impl User {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let command = match self {
            User::Create { name, email, admin, password_stdin } => {
                Command::CreateUser { name, email, password: chosen(password_stdin)?, admin }
            }
            User::List => Command::ListUsers,
            User::Delete { name } => Command::DeleteUser { name },
            User::Passwd { name, password_stdin } => Command::SetPassword { name, password: chosen(password_stdin)? },
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
            Report::PasswordSet { name, password } => {
                say(match password {
                    Some(password) => format!("{name} has the password {password} now (shown only now)"),
                    None => format!("{name} has the new password now"),
                });
            }
            Report::Done(text) => say(text),
            _ => bail!("the server answered something else: is it of another version?"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The password that is given; `None`: one is to be made.
fn chosen(is_on_stdin: bool) -> Result<Option<String>> {
    is_on_stdin.then(password).transpose()
}
