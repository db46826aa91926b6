//! The server's end of the socket.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::address::Address;
use super::execute::execute;
use super::import::Incoming;
use super::protocol::{Command, Report, Request, Status};
use crate::app::App;

/// How long the commands that were taken may go on once the server is asked to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// A socket that takes commands.
pub struct Commands {
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Commands {
    /// Takes no more and ends those that were taken.
    /// `hurry` cuts that short.
    pub async fn finish(mut self, hurry: impl Future<Output = ()>) {
        let _ = self.stop.send(());
        tokio::select! {
            ended = tokio::time::timeout(DRAIN, &mut self.serving) => if ended.is_err() {
                tracing::warn!("some commands did not end in time");
            },
            () = hurry => self.serving.abort(),
        }
    }
}

/// Takes commands at this path. Only the server's own user may connect.
pub fn listen(app: Arc<App>, path: &Path) -> Result<Commands> {
    // The lock is ours, so a socket that is there is a dead server's.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).context("cannot remove the old control socket");
        }
        _ => {}
    }
    let address = Address::of(path).context("cannot open the folder of the control socket")?;
    let listener = UnixListener::bind(address.path()).context("cannot make the control socket")?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .context("cannot protect the control socket")?;
    let (stop, asked) = oneshot::channel();
    Ok(Commands { stop, serving: tokio::spawn(serve(app, listener, asked)) })
}

async fn serve(app: Arc<App>, listener: UnixListener, mut asked: oneshot::Receiver<()>) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let app = app.clone();
                    running.spawn(async move {
                        if let Err(error) = answer(&app, stream).await {
                            tracing::debug!(%error, "a command ended early");
                        }
                    });
                }
                Err(error) => {
                    // Out of file descriptors: those in use are given back.
                    tracing::warn!(%error, "a command was not accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            },
            Some(_) = running.join_next() => {}
            _ = &mut asked => break,
        }
    }
    drop(listener);
    while running.join_next().await.is_some() {}
}

async fn answer(app: &Arc<App>, stream: UnixStream) -> Result<()> {
    let (read, mut write) = stream.into_split();
    let (command, files) = receive(BufReader::new(read)).await?;
    let (sender, mut said) = mpsc::unbounded_channel();
    let running = {
        let app = app.clone();
        tokio::spawn(async move {
            let steps = sender.clone();
            let progress = move |done, total| {
                let _ = steps.send(Status::Progress { done, total });
            };
            let outcome: Result<Report> = execute(&app, command, files, &progress).await;
            let last = match outcome {
                Ok(report) => Status::Done(report),
                Err(error) => Status::Failed(format!("{error:#}")),
            };
            let _ = sender.send(last);
        })
    };
    while let Some(status) = said.recv().await {
        let mut line = serde_json::to_vec(&status)?;
        line.push(b'\n');
        write.write_all(&line).await?;
    }
    running.await?;
    Ok(())
}

async fn receive(mut lines: BufReader<tokio::net::unix::OwnedReadHalf>) -> Result<(Command, Vec<Incoming>)> {
    let mut line = String::new();
    lines.read_line(&mut line).await?;
    let Request::Run(command) = serde_json::from_str(&line)? else { bail!("the first line is no command") };
    let mut files = Vec::new();
    if matches!(command, Command::Import { .. }) {
        loop {
            line.clear();
            if lines.read_line(&mut line).await? == 0 {
                bail!("the import broke off");
            }
            match serde_json::from_str(&line)? {
                Request::File { path, name, bytes } => {
                    let bytes = STANDARD.decode(bytes).map_err(|_| anyhow!("{name} arrived damaged"))?;
                    files.push(Incoming { path, name, bytes: bytes.into() });
                }
                Request::End => break,
                Request::Run(_) => bail!("a second command"),
            }
        }
    }
    Ok((command, files))
}
