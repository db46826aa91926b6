//! What the commands do, on an open application.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};

use super::import::{self, Incoming};
use super::protocol::{Command, ListedUser, Report};
use crate::app::App;
use crate::auth;
use crate::state::accounts::NewAccount;

/// Runs a command. `progress` hears how many of how many files are done.
pub(super) async fn execute(
    app: &Arc<App>,
    command: Command,
    files: Vec<Incoming>,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Report> {
    match command {
        Command::Import { workspace, kind } => import::import(app, &workspace, kind.as_deref(), files, progress).await,
        Command::Reindex => {
            app.engine.reindex().await.map_err(|error| anyhow!("the index could not be rebuilt: {error:?}"))?;
            Ok(Report::Reindexed { workspaces: app.engine.workspace_count() })
        }
        Command::CreateUser { name, email, password, admin } => {
            let (shown, hash) = password_hash(password).await;
            let new = NewAccount { name: &name, email: email.as_deref(), password: Some(&hash), is_admin: admin };
            app.state.create_account(new).await?;
            Ok(Report::UserCreated { name, password: shown })
        }
        Command::ListUsers => {
            let accounts = app.state.accounts().await?;
            let listed = accounts.into_iter().map(|a| ListedUser { name: a.name, email: a.email, admin: a.is_admin });
            Ok(Report::Users(listed.collect()))
        }
        Command::DeleteUser { name } => {
            app.state.delete_account(&name).await?;
            app.authenticator.forget();
            Ok(Report::UserDeleted { name })
        }
        Command::SetPassword { name, password } => {
            let (shown, hash) = password_hash(password).await;
            app.state.set_password(&name, &hash).await.context("the password was not changed")?;
            app.authenticator.forget();
            Ok(Report::PasswordSet { name, password: shown })
        }
    }
}

/// The hash of a password or of one that is made now, which is then the first.
async fn password_hash(given: Option<String>) -> (Option<String>, String) {
    match given {
        Some(given) => (None, auth::hash(given).await),
        None => {
            let made = auth::random();
            (Some(made.clone()), auth::hash(made).await)
        }
    }
}
