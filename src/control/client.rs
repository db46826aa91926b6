//! The command line's end: runs a command here or hands it to the server.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::UnixStream;

use super::execute::execute;
use super::import::Incoming;
use super::protocol::{Command, Report, Request, Status};
use crate::app::{self, App, Lock};
use crate::config::Config;

/// A file to import: where it is, what it is called, where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub file: PathBuf,
    pub name: String,
    pub path: Option<String>,
}

/// Runs a command with these files to import.
pub async fn run(
    config: Config,
    command: Command,
    files: Vec<Source>,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Report> {
    let data = config.workspaces_location.clone();
    if let Some(lock) = Lock::take(&data)? {
        let app = App::open(config, lock).await?;
        let files = files.into_iter().map(read).collect::<Result<_>>()?;
        let report = execute(&app, command, files, progress).await;
        app.close().await?;
        return report;
    }
    let stream = UnixStream::connect(app::socket(&data)).await.context(
        "another workleaf has the data directory but does not take commands: is it starting or another user's?",
    )?;
    let (read_half, write_half) = stream.into_split();
    let mut out = BufWriter::new(write_half);
    send(&mut out, &Request::Run(command.clone())).await?;
    if matches!(command, Command::Import { .. }) {
        for source in files {
            let Incoming { path, name, bytes } = read(source)?;
            send(&mut out, &Request::File { path, name, bytes: STANDARD.encode(&bytes) }).await?;
        }
        send(&mut out, &Request::End).await?;
    }
    out.flush().await?;
    let mut lines = BufReader::new(read_half).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line)? {
            Status::Progress { done, total } => progress(done, total),
            Status::Done(report) => return Ok(report),
            Status::Failed(why) => bail!(why),
        }
    }
    bail!("the server ended before it was done")
}

async fn send(out: &mut BufWriter<tokio::net::unix::OwnedWriteHalf>, request: &Request) -> Result<()> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    out.write_all(&line).await.context("the server does not listen")?;
    Ok(())
}

fn read(source: Source) -> Result<Incoming> {
    let bytes = std::fs::read(&source.file).with_context(|| format!("cannot read {}", source.file.display()))?;
    Ok(Incoming { path: source.path, name: source.name, bytes: bytes.into() })
}
