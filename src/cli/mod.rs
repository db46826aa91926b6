//! The command line: one file per command.

mod backup;
mod check;
mod config;
mod import;
mod manage;
mod member;
mod openapi;
mod reindex;
mod serve;
mod terminal;
mod token;
mod user;
mod workspace;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::config::{Config, LogFormat};

/// YAML and JSON documents in git workspaces, served over REST.
#[derive(Debug, Parser)]
#[command(name = "workleaf", version, about, max_term_width = 100)]
struct Arguments {
    /// Configuration file; by default config.yaml in the working directory, if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory; overrides workspaces-location of the configuration.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve HTTP until told to stop.
    Serve(serve::Serve),
    /// Put a folder or a file into a workspace as one commit.
    Import(import::Import),
    /// Judge files as the server would, offline; exits 1 when one breaks its kind.
    Check(check::Check),
    /// Build the index anew from git.
    Reindex,
    /// Copy all workspaces, accounts and the secret into a folder; a server may run meanwhile.
    Backup(backup::Backup),
    /// Make an empty data directory of such a copy.
    Restore(backup::Restore),
    /// Print the OpenAPI document.
    Openapi,
    /// Manage accounts.
    #[command(subcommand)]
    User(user::User),
    /// Manage access tokens.
    #[command(subcommand)]
    Token(token::Token),
    /// Manage who else may do what in a workspace.
    #[command(subcommand)]
    Member(member::Member),
    /// Manage workspaces.
    #[command(subcommand)]
    Workspace(workspace::Workspace),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(config::Settings),
    /// The commands of the DMP tool's manage.py.
    Manage(manage::Manage),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            terminal::complain(&error);
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut config = Config::load(arguments.config.as_deref())?;
    if let Some(data) = arguments.data {
        config.workspaces_location = data;
    }
    if let Command::Serve(serve) = &arguments.command {
        serve.adjust(&mut config);
    }
    if let Command::Manage(manage) = &arguments.command
        && let Some(listen) = manage.listen()
    {
        config.listen = listen;
    }
    log(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(async {
        match arguments.command {
            Command::Serve(_) => serve::serve(config).await,
            Command::Import(import) => import.run(config).await,
            Command::Check(check) => check.run(&config),
            Command::Reindex => reindex::run(config).await,
            Command::Backup(backup) => backup.run(config).await,
            Command::Restore(restore) => restore.run(config).await,
            Command::Openapi => openapi::run(&config),
            Command::User(user) => user.run(config).await,
            Command::Token(token) => token.run(config).await,
            Command::Member(member) => member.run(config).await,
            Command::Workspace(workspace) => workspace.run(config).await,
            Command::Config(settings) => settings.run(&config),
            Command::Manage(manage) => manage.run(config).await,
        }
    });
    // Nobody waits for what is left, such as deleting what was thrown away.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    code
}

/// Logs go to stderr, results to stdout.
fn log(config: &Config) -> Result<()> {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&config.log.filter)?;
    // Colours are for a terminal, not for a file or the journal.
    let colours = std::io::stderr().is_terminal();
    let base = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => base.init(),
        LogFormat::Json => base.json().flatten_event(true).init(),
    }
    Ok(())
}
