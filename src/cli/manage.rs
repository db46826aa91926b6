//! `workleaf manage`: the commands that the DMP tool's manage.py had, with its prompts
//! (contracts/dmp.md, section 3). What is not given as a flag is asked for.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use super::serve;
use super::terminal::{ask, ask_password, complain, confirm, password, say};
use crate::config::Config;
use crate::control::{self, Command, Report};

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Manage {
    #[command(flatten)]
    help: Help,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
#[command(rename_all = "snake_case")]
enum Task {
    /// Make the tables; they are made with the data directory too, so this only checks.
    CreateTables(Help),
    /// Delete all accounts, projects, tokens and sessions; workspaces stay.
    DropTables(DropTables),
    /// Make an account.
    CreateUser(NewUser),
    /// Make an account that may manage the server.
    CreateAdmin(NewUser),
    /// Delete an account; its workspaces stay.
    DeleteUser(OneUser),
    /// Make a project: a group of accounts.
    CreateProject(NewProject),
    /// Delete a project.
    DeleteProject(OneProject),
    /// Put an account into a project.
    CreateRelation(Relation),
    /// Take an account out of a project.
    DeleteRelation(Relation),
    /// Serve on this machine only.
    #[command(name = "runserver")]
    RunServer(RunServer),
    /// Serve on all addresses.
    #[command(name = "runprodserver")]
    RunProdServer(RunProdServer),
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
struct Help {
    /// Print help.
    #[arg(short = '?', long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
struct DropTables {
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    help: Help,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
struct NewUser {
    #[arg(long)]
    username: Option<String>,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
    #[arg(long)]
    email: Option<String>,
    #[command(flatten)]
    help: Help,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
struct OneUser {
    #[arg(long)]
    username: Option<String>,
    #[command(flatten)]
    help: Help,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
struct NewProject {
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    help: Help,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
struct OneProject {
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    help: Help,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
struct Relation {
    #[arg(long)]
    username: Option<String>,
    #[arg(long)]
    project: Option<String>,
    #[command(flatten)]
    help: Help,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
struct RunServer {
    #[arg(short = 'h', long, default_value = "127.0.0.1")]
    host: String,
    #[arg(short, long, default_value_t = 5000)]
    port: u16,
    /// Taken for old scripts' sake: every request has its own task anyway.
    #[arg(long)]
    threaded: bool,
    /// Taken for old scripts' sake: one process uses all cores.
    #[arg(long, value_name = "N")]
    processes: Option<u32>,
    /// Taken for old scripts' sake.
    #[arg(long)]
    passthrough_errors: bool,
    /// Taken for old scripts' sake: there is no debugger.
    #[arg(short = 'd', long, overrides_with = "no_debug")]
    debug: bool,
    /// Taken for old scripts' sake.
    #[arg(short = 'D', long)]
    no_debug: bool,
    /// Taken for old scripts' sake: nothing reloads.
    #[arg(short = 'r', long, overrides_with = "no_reload")]
    reload: bool,
    /// Taken for old scripts' sake.
    #[arg(short = 'R', long)]
    no_reload: bool,
    /// Not served here: put a proxy with the certificate in front.
    #[arg(long, value_name = "FILE")]
    ssl_crt: Option<String>,
    /// Not served here: put a proxy with the certificate in front.
    #[arg(long, value_name = "FILE")]
    ssl_key: Option<String>,
    #[command(flatten)]
    help: Help,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
struct RunProdServer {
    #[arg(short = 'h', long, default_value = "0.0.0.0")]
    host: String,
    #[arg(short, long, default_value_t = 5000)]
    port: u16,
    #[command(flatten)]
    help: Help,
}

impl Manage {
    /// Where this command listens, when it serves.
    pub(super) fn listen(&self) -> Option<String> {
        match &self.task {
            Task::RunServer(RunServer { host, port, .. }) | Task::RunProdServer(RunProdServer { host, port, .. }) => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                Some(format!("{host}:{port}"))
            }
            _ => None,
        }
    }

    /// Exits 1 when it fails, with one line.
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        match self.done(config).await {
            Ok(code) => Ok(code),
            Err(error) => {
                complain(&error);
                Ok(ExitCode::FAILURE)
            }
        }
    }

    async fn done(self, config: Config) -> Result<ExitCode> {
        let command = match self.task {
            Task::RunServer(RunServer { ssl_crt: Some(_), .. } | RunServer { ssl_key: Some(_), .. }) => {
                bail!("TLS is not served here: put a reverse proxy with the certificate in front")
            }
            Task::RunServer(_) | Task::RunProdServer(_) => return serve::serve(config).await,
            Task::CreateTables(_) => Command::CreateTables,
            Task::DropTables(drop) => {
                if !drop.yes && !confirm("Are you sure you want to lose all your data")? {
                    say("nothing was deleted");
                    return Ok(ExitCode::SUCCESS);
                }
                Command::DropTables
            }
            Task::CreateUser(new) => new.command(false)?,
            Task::CreateAdmin(new) => new.command(true)?,
            Task::DeleteUser(one) => Command::DeleteUser { name: given(one.username, "Username")? },
            Task::CreateProject(new) => Command::CreateGroup {
                name: given(new.name, "Name")?,
                description: given(new.description, "Description")?,
            },
            Task::DeleteProject(one) => Command::DeleteGroup { name: given(one.name, "Project Name")? },
            Task::CreateRelation(relation) => {
                let (user, group) = relation.pair()?;
                Command::JoinGroup { group, user }
            }
            Task::DeleteRelation(relation) => {
                let (user, group) = relation.pair()?;
                Command::LeaveGroup { group, user }
            }
        };
        match control::run(config, command, Vec::new(), &|_, _| {}).await? {
            Report::UserCreated { name, .. } => say(format!("created {name}")),
            Report::Done(text) => say(text),
            _ => bail!("the server answered something else: is it of another version?"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl NewUser {
    fn command(self, admin: bool) -> Result<Command> {
        let is_scripted = self.username.is_some() && self.password_stdin;
        let name = given(self.username, "Username")?;
        let password = if self.password_stdin { password()? } else { ask_password("Password")? };
        // A script that gives everything else means none.
        let email = if is_scripted { self.email } else { Some(given(self.email, "Email")?) };
        Ok(Command::CreateUser {
            name,
            email: email.filter(|email| !email.is_empty()),
            password: Some(password),
            admin,
        })
    }
}

impl Relation {
    fn pair(self) -> Result<(String, String)> {
        Ok((given(self.username, "Username")?, given(self.project, "Project Name")?))
    }
}

/// What a flag says, or somebody who is asked.
fn given(flag: Option<String>, label: &str) -> Result<String> {
    flag.map_or_else(|| ask(label), Ok)
}
