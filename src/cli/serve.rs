//! `workleaf serve`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::terminal::say;
use crate::app::{self, App};
use crate::auth::{By, NewUser};
use crate::config::Config;
use crate::control;
use crate::server;

#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// Address and port; port 0 picks a free one.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
}

impl Serve {
    pub(super) fn adjust(&self, config: &mut Config) {
        if let Some(listen) = &self.listen {
            config.listen = listen.clone();
        }
    }
}

pub(super) async fn serve(config: Config) -> Result<ExitCode> {
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let data = config.workspaces_location.clone();
    let lock = app::lock(&data)?;
    // Before anything else, so that a stop during start-up is not lost.
    let asked = stops([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]);
    let times = |times: usize| {
        let mut asked = asked.clone();
        // The sender is never dropped before the process ends.
        async move { drop(asked.wait_for(|count| *count >= times).await) }
    };
    let hangup = signal(SignalKind::hangup())?;
    let listener =
        TcpListener::bind(&config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    let app = App::open(config, lock).await?;
    first_account(&app).await?;
    if let Err(why) = app.git.ready().await {
        tracing::warn!("nobody can clone or push: {why}");
    }
    let commands = control::listen(app.clone(), &app::socket(&data))?;
    let reloads = tokio::spawn(reload(app.clone(), hangup));
    let upkeep = tokio::spawn(app.clone().keep_figures_small());
    say(format!("listening on http://{}", listener.local_addr()?));
    app.watch()?;
    let first = times(1);
    let stop = async {
        first.await;
        tracing::info!("stopping: finishing what was accepted");
    };
    server::serve(listener, app.router(), stop, times(2)).await?;
    reloads.abort();
    upkeep.abort();
    commands.finish(times(2)).await;
    let _ = std::fs::remove_file(app::socket(&data));
    app.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// Counts how often the server was asked to stop; the second time there is a hurry.
fn stops([mut terminate, mut interrupt]: [Signal; 2]) -> watch::Receiver<usize> {
    let (count, counted) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            count.send_modify(|count| *count += 1);
        }
    });
    counted
}

/// Nobody could log in to a server without accounts.
async fn first_account(app: &Arc<App>) -> Result<()> {
    if !app.state.accounts().await?.is_empty() {
        return Ok(());
    }
    let new = NewUser { name: "admin".into(), email: None, password: None, is_admin: true };
    let made = app.accounts().create(&By::default(), new).await;
    let (_, password) = made.map_err(|error| anyhow::anyhow!("cannot make the first account: {error:?}"))?;
    let password = password.unwrap_or_default();
    say(format!("created the account admin with the password {password} (shown only now)"));
    Ok(())
}

/// SIGHUP: the kinds' folders are read again.
async fn reload(app: Arc<App>, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        match app.reload().await {
            Ok(()) => tracing::info!("the kinds were read again"),
            Err(error) => tracing::error!("the kinds stay as they were: {error:#}"),
        }
    }
}
