//! What the commands do, on an open application.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};

use super::backup;
use super::import::{self, Incoming};
use super::protocol::{Command, ListedToken, ListedUser, Report};
use crate::app::App;
use crate::auth::{By, NewUser};
use crate::engine::{Error, SettingsChange};
use crate::http::fault::Fault;
use crate::resource::actor::{Actor, Role, Scope};
use crate::resource::key::WorkspaceName;
use crate::store::PushPolicy;

/// Runs a command. `progress` hears how many of how many files are done.
pub(super) async fn execute(
    app: &Arc<App>,
    command: Command,
    files: Vec<Incoming>,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Report> {
    // Whoever may use the data directory.
    let by = By { name: Some("the command line".into()), address: None };
    match command {
        Command::Import { workspace, kind } => import::import(app, &workspace, kind.as_deref(), files, progress).await,
        Command::Reindex => {
            app.engine.reindex().await.map_err(|error| anyhow!("the index could not be rebuilt: {error:?}"))?;
            Ok(Report::Reindexed { workspaces: app.engine.workspace_count() })
        }
        Command::Backup { to } => {
            let count = backup::backup(app, Path::new(&to), progress).await?;
            Ok(Report::Done(format!("copied {count} workspaces, accounts and the secret to {to}")))
        }
        Command::CreateUser { name, email, password, admin } => {
            let new = NewUser { name, email, password, is_admin: admin };
            let (account, password) = app.accounts().create(&by, new).await.map_err(words)?;
            Ok(Report::UserCreated { name: account.name, password })
        }
        Command::ListUsers => {
            let accounts = app.state.accounts().await?;
            let listed = accounts.into_iter().map(|a| ListedUser { name: a.name, email: a.email, admin: a.is_admin });
            Ok(Report::Users(listed.collect()))
        }
        Command::DeleteUser { name } => {
            app.accounts().delete(&by, &name).await.map_err(words)?;
            Ok(Report::Done(format!("deleted {name}")))
        }
        Command::SetPassword { name, password } => {
            let password = app.accounts().set_password(&by, &name, password, None).await.map_err(words)?;
            Ok(Report::PasswordSet { name, password })
        }
        Command::CreateToken { user, name, scope, expires_at } => {
            let account = app.accounts().account(&user).await.map_err(words)?;
            let scope = Scope::parse(&scope).ok_or_else(|| anyhow!("the scope is read, write or admin"))?;
            let made = app.accounts().create_token(&by, &account, &name, scope, expires_at).await.map_err(words)?;
            Ok(Report::TokenCreated { token: made.1 })
        }
        Command::ListTokens { user } => {
            let account = app.accounts().account(&user).await.map_err(words)?;
            let tokens = app.accounts().tokens(&account).await.map_err(words)?;
            Ok(Report::Tokens(tokens.into_iter().map(ListedToken::from).collect()))
        }
        Command::DeleteToken { user, id } => {
            let account = app.accounts().account(&user).await.map_err(words)?;
            app.accounts().delete_token(&by, &account, id).await.map_err(words)?;
            Ok(Report::Done(format!("deleted the token {id} of {user}")))
        }
        Command::CreateGroup { name, description } => {
            app.accounts().create_group(&by, &name, &description).await.map_err(words)?;
            Ok(Report::Done(format!("created the project {name}")))
        }
        Command::DeleteGroup { name } => {
            app.accounts().delete_group(&by, &name).await.map_err(words)?;
            Ok(Report::Done(format!("deleted the project {name}")))
        }
        Command::JoinGroup { group, user } => {
            app.accounts().join_group(&by, &group, &user).await.map_err(words)?;
            Ok(Report::Done(format!("{user} belongs to {group}")))
        }
        Command::LeaveGroup { group, user } => {
            app.accounts().leave_group(&by, &group, &user).await.map_err(words)?;
            Ok(Report::Done(format!("{user} does not belong to {group} any more")))
        }
        Command::SetMember { workspace, who, role } => {
            let name = WorkspaceName::parse(&workspace)?;
            let detail = match &role {
                Some(role) => {
                    let role = Role::parse(role).ok_or_else(|| anyhow!("the role is reader, writer or admin"))?;
                    app.accounts().grant(&by, &Actor::System, &name, &who, role).await.map_err(words)?;
                    format!("{who}: {}", role.name())
                }
                None => {
                    app.accounts().revoke(&by, &Actor::System, &name, &who).await.map_err(words)?;
                    format!("{who}: nothing")
                }
            };
            Ok(Report::Done(format!("{name}: {detail}")))
        }
        Command::ListMembers { workspace } => {
            let members =
                app.engine.members(&Actor::System, &WorkspaceName::parse(&workspace)?).await.map_err(words)?;
            Ok(Report::Members(members.iter().map(|member| (member.who(), member.role.name().to_owned())).collect()))
        }
        Command::SetWorkspace { workspace, public, push, force_push } => {
            let name = WorkspaceName::parse(&workspace)?;
            let parse = |push: String| PushPolicy::parse(&push).ok_or_else(|| anyhow!("push is free or strict"));
            let change = SettingsChange { public, push: push.map(parse).transpose()?, force_push };
            let overview = app.engine.change_settings(&Actor::System, &name, change, false).await.map_err(words)?;
            let detail = overview.settings.describe();
            if change != SettingsChange::default() {
                app.accounts().note(&by, "workspace.changed", Some(overview.name.as_str()), Some(&detail)).await;
            }
            Ok(Report::Done(format!("{name}: {detail}")))
        }
        Command::CreateTables => Ok(Report::Done("the tables are there".into())),
        Command::DropTables => {
            app.accounts().reset(&by).await.map_err(words)?;
            Ok(Report::Done("all accounts, projects, tokens and sessions were deleted".into()))
        }
    }
}

/// An engine's error for the person at the terminal.
pub(super) fn words(error: Error) -> anyhow::Error {
    anyhow!(Fault::from(error).message)
}
