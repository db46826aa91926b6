//! The command line's end: runs a command here or hands it to the server.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::UnixStream;

use super::address::Address;
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
    let stream = match way(&config.workspaces_location).await? {
        Way::Here(lock) => return here(config, lock, command, files, progress).await,
        Way::Server(stream) => stream,
    };
    hand_over(stream, command, files, progress).await
}

/// Who runs a command.
enum Way {
    Here(Lock),
    Server(UnixStream),
}

/// How long to wait for a server that is starting or stopping, or for another command.
const PATIENCE: Duration = Duration::from_secs(30);

async fn way(data: &Path) -> Result<Way> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(lock) = Lock::take(data)? {
            return Ok(Way::Here(lock));
        }
        let address = Address::of(&app::socket(data)).context("cannot open the folder of the control socket")?;
        match UnixStream::connect(address.path()).await {
            Ok(stream) => return Ok(Way::Server(stream)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                if Instant::now() > until {
                    bail!("another workleaf has the data directory {} and takes no commands", data.display());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => {
                return Err(error).context(format!(
                    "another workleaf has the data directory {} and cannot be asked: is it another user's?",
                    data.display()
                ));
            }
        }
    }
}

async fn here(
    config: Config,
    lock: Lock,
    command: Command,
    files: Vec<Source>,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Report> {
    let app = App::open(config, lock).await?;
    let files = files.into_iter().map(read).collect::<Result<_>>()?;
    let report = execute(&app, command, files, progress).await;
    app.close().await?;
    report
}

async fn hand_over(
    stream: UnixStream,
    command: Command,
    files: Vec<Source>,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Report> {
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
