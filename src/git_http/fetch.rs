//! What somebody fetches: refs are listed here, packs are made by git and passed on as they come.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::Frame;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::advertise::{LsRefs, Service};
use super::input::{InputError, Pace};
use super::packet::{Packet, Packets};
use super::process::{self, Git, Running};
use super::turns::Who;
use crate::base::blocking;
use crate::engine::Error;
use crate::http::fault::Fault;
use crate::store::Workspace;

/// Bytes that are read from git at once; a few of these wait for a slow client.
const CHUNK: usize = 64 << 10;
const CHUNKS: usize = 4;
/// Bytes of what a client wants that are read before git is started.
const GATHERED: usize = 256 << 10;
/// Packets of one request for refs.
const ARGUMENTS_MOST: usize = 10_000;

/// Answers one request of protocol 2, or hands one of an older protocol to git.
pub(super) async fn upload_pack(
    git: &Git,
    who: Who,
    workspace: &Arc<Workspace>,
    version: u8,
    body: Packets,
    idle: Duration,
) -> Result<Body, Fault> {
    let mut packets = body.remember();
    let first = packets.next().await?;
    if first.is_none() || first == Some(Packet::Flush) {
        // Git asks so whether it may, before it sends much.
        return Ok(Body::empty());
    }
    if version == 2 && matches!(&first, Some(Packet::Line(line)) if line.trim_ascii_end() == b"command=ls-refs") {
        return ls_refs(workspace, packets).await;
    }
    // Whoever says slowly what they want keeps nobody from their turn.
    packets.gather(GATHERED).await?;
    let mut command = process::command(&["upload-pack", "--strict", "--stateless-rpc", "--end-of-options"]);
    command.arg(workspace.git_dir());
    if version > 0 {
        command.env("GIT_PROTOCOL", format!("version={version}"));
    }
    let running = Running::start(command, git.turn(Service::UploadPack, who).await?)?;
    let (sender, receiver) = mpsc::channel(CHUNKS);
    tokio::spawn(pass_on(running, packets, sender, idle));
    Ok(Body::new(Output(receiver)))
}

async fn ls_refs(workspace: &Arc<Workspace>, mut packets: Packets) -> Result<Body, Fault> {
    let mut asked = LsRefs::default();
    let mut count = 0;
    while let Some(packet) = packets.next().await? {
        count += 1;
        if packet == Packet::Flush || count > ARGUMENTS_MOST {
            break;
        }
        asked.take(&packet);
    }
    if count > ARGUMENTS_MOST {
        return Err(InputError::Malformed("it has too many arguments").into());
    }
    let workspace = workspace.clone();
    let answer = blocking::run(move || {
        let head = workspace.head();
        workspace.refs().map(|refs| asked.answer(&refs, head))
    });
    Ok(Body::from(answer.await.map_err(Error::from)?))
}

/// The refs and capabilities of the older protocols, as git tells them.
pub(super) async fn advertisement(
    git: &Git,
    who: Who,
    workspace: &Arc<Workspace>,
    version: u8,
) -> Result<Vec<u8>, Fault> {
    let arguments = ["upload-pack", "--strict", "--stateless-rpc", "--http-backend-info-refs", "--end-of-options"];
    let mut command = process::command(&arguments);
    command.arg(workspace.git_dir());
    if version > 0 {
        command.env("GIT_PROTOCOL", format!("version={version}"));
    }
    let mut running = Running::start(command, git.turn(Service::UploadPack, who).await?)?;
    let (_, stdout) = running.take_pipes();
    let mut out = Vec::new();
    if let Some(mut stdout) = stdout
        && let Err(error) = stdout.read_to_end(&mut out).await
    {
        tracing::warn!(%error, "git's refs cannot be read");
    }
    let ended = running.end().await;
    if ended.success {
        return Ok(out);
    }
    tracing::error!(workspace.name = %workspace.name(), said = ended.complaints, "git does not tell its refs");
    Err(crate::http::fault::internal())
}

/// Moves bytes both ways until git ends, the client goes, or nothing moves any more.
async fn pass_on(
    mut running: Running,
    mut packets: Packets,
    sender: mpsc::Sender<Result<Bytes, std::io::Error>>,
    idle: Duration,
) {
    let (stdin, stdout) = running.take_pipes();
    let feed = async {
        let Some(mut stdin) = stdin else { return Ok(()) };
        while let Some(chunk) = packets.rest().await? {
            // It may know enough before the end.
            if stdin.write_all(&chunk).await.is_err() {
                break;
            }
        }
        Ok::<_, InputError>(())
    };
    let drain = async {
        let Some(mut stdout) = stdout else { return (false, false) };
        let mut pace = Pace::new(idle);
        let mut is_told = None;
        loop {
            let mut chunk = bytes::BytesMut::with_capacity(CHUNK);
            match stdout.read_buf(&mut chunk).await {
                Ok(0) => return (true, is_told.unwrap_or(false)),
                Ok(length) => {
                    // git's own words for the client, instead of what it wanted.
                    is_told.get_or_insert(chunk.get(4..8) == Some(b"ERR "));
                    let sent = pace.wait(sender.send(Ok(chunk.freeze())), |_| length).await;
                    if !matches!(sent, Some(Ok(()))) {
                        return (false, false);
                    }
                }
                Err(_) => return (false, false),
            }
        }
    };
    let both = async {
        let (fed, (drained, is_told)) = tokio::join!(feed, drain);
        (fed.is_ok() && drained, is_told)
    };
    let (whole, is_told) = tokio::select! {
        whole = both => whole,
        () = sender.closed() => (false, false),
    };
    // Dropped, it is killed.
    let success = if whole {
        let ended = running.end().await;
        if !ended.success {
            tracing::info!(said = ended.complaints, "git upload-pack ended early");
        }
        ended.success || is_told
    } else {
        false
    };
    if !success {
        // So that the client does not take what it has for the whole.
        let _ = sender.try_send(Err(std::io::Error::other("git ended early")));
    }
}

/// What git says, as an answer's body.
struct Output(mpsc::Receiver<Result<Bytes, std::io::Error>>);

impl hyper::body::Body for Output {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0.poll_recv(task).map(|next| next.map(|chunk| chunk.map(Frame::data)))
    }
}
