//! `workleaf token`.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::terminal::say;
use crate::base::clock;
use crate::config::Config;
use crate::control::{self, Command, ListedToken, Report};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Token {
    /// Make an access token for scripts and git; it is shown once.
    Create {
        user: String,
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it is good for: read, write or admin.
        #[arg(long, default_value = "write", value_parser = ["read", "write", "admin"])]
        scope: String,
        /// How long it is good, for example 90d, 12h or 30m; by default until it is deleted.
        #[arg(long, value_name = "TIME", value_parser = seconds)]
        expires: Option<i64>,
    },
    /// List an account's tokens.
    List { user: String },
    /// Revoke a token.
    Delete { user: String, id: i64 },
}

impl Token {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let command = match self {
            Token::Create { user, name, scope, expires } => {
                let expires_at = expires.map(|seconds| clock::now().saturating_add(seconds));
                Command::CreateToken { user, name, scope, expires_at }
            }
            Token::List { user } => Command::ListTokens { user },
            Token::Delete { user, id } => Command::DeleteToken { user, id },
        };
        match control::run(config, command, Vec::new(), &|_, _| {}).await? {
            // Alone on its line, for $(...).
            Report::TokenCreated { token } => say(token),
            Report::Tokens(tokens) => tokens.iter().for_each(|token| say(line(token))),
            Report::Done(text) => say(text),
            _ => bail!("the server answered something else: is it of another version?"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn line(token: &ListedToken) -> String {
    let until = token.expires_at.map_or("for ever".to_owned(), |at| format!("until {}", clock::rfc3339(at)));
    let used = token.used_at.map_or("never used".to_owned(), |at| format!("used {}", clock::rfc3339(at)));
    format!("{} {} ({}, {until}, {used})", token.id, token.name, token.scope)
}

/// Reads `90d`, `12h`, `30m` or `45s`.
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is no time: write for example 90d, 12h, 30m or 45s");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i64 = text.strip_suffix(unit).ok_or_else(wrong)?.parse().map_err(|_| wrong())?;
    let factor = match unit {
        'd' => 24 * 60 * 60,
        'h' => 60 * 60,
        'm' => 60,
        's' => 1,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).filter(|seconds| *seconds > 0).ok_or_else(wrong)
}
