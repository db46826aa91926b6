//! A push: its commands, its pack, a look at both, and the answer.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{ChildStdin, Command};

use super::advertise::Service;
use super::commands::{Commands, MOVES_MOST};
use super::input::InputError;
use super::packet::Packets;
use super::process::{self, Git, Running};
use super::turns::{Turn, Who};
use crate::base::blocking;
use crate::engine::{Engine, Error};
use crate::http::fault::{Fault, internal};
use crate::store::{Incoming, MAIN, Move, Workspace};

/// How much may be pushed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of one pack.
    pub(super) pack: u64,
    /// Bytes of one file.
    pub(super) file: u64,
}

/// What became of a pack.
enum Unpacked {
    Taken(Incoming),
    Refused(String),
}

/// Answers one push. Nothing is changed until all of it is there and was looked at; a client that
/// goes before that leaves nothing.
pub(super) async fn receive_pack(
    engine: &Arc<Engine>,
    git: &Git,
    who: Who,
    workspace: &Arc<Workspace>,
    mut packets: Packets,
    limits: Limits,
) -> Result<Body, Fault> {
    let commands = Commands::read(&mut packets).await?;
    if commands.moves.is_empty() {
        // Git asks so whether it may, before it sends much.
        return Ok(Body::empty());
    }
    let answer = |lines: &[String], unpacked: Result<(), &str>, outcome: &[Result<(), String>]| {
        Body::from(commands.answer(lines, unpacked, outcome))
    };
    let refusals = if commands.moves.len() > MOVES_MOST {
        let why = format!("a push may move {MOVES_MOST} refs at most: push fewer at once");
        vec![Some(why); commands.moves.len()]
    } else {
        let (workspace, moves) = (workspace.clone(), commands.moves.clone());
        blocking::run(move || workspace.refusals(&moves)).await.map_err(Error::from)?
    };
    let (wanted, _): (Vec<&Move>, Vec<_>) =
        commands.moves.iter().zip(&refusals).filter(|(_, refusal)| refusal.is_none()).unzip();
    let moves: Vec<Move> = wanted.into_iter().cloned().collect();
    // What became of those that are left, between the refused ones.
    let whole = |outcome: Vec<Result<(), String>>| {
        let mut outcome = outcome.into_iter();
        let one = |refusal: &Option<String>| match refusal {
            Some(why) => Err(why.clone()),
            None => outcome.next().unwrap_or_else(|| Err("it was not looked at".into())),
        };
        refusals.iter().map(one).collect::<Vec<_>>()
    };
    let nothing = |why: &str| whole(moves.iter().map(|_| Err(why.to_owned())).collect());
    if moves.is_empty() {
        // Clients look at the answer only when they have sent everything.
        feed(None, &mut packets, limits.pack).await?;
        return Ok(answer(&[], Ok(()), &nothing("")));
    }
    let pushed = Pushed { git, who, workspace, moves: moves.clone(), limits };
    match pushed.receive(engine, &mut packets).await {
        Ok(Received::Done(lines, outcome)) => Ok(answer(&lines, Ok(()), &whole(outcome))),
        // Told as git tells it, since the client waits for that.
        _ if workspace.is_removed() => Ok(answer(&[], Ok(()), &nothing("the workspace was deleted meanwhile"))),
        Ok(Received::Unreadable(why)) => Ok(answer(&[], Err(&why), &nothing("the pack was refused"))),
        Ok(Received::Refused(lines, why)) => Ok(answer(&lines, Ok(()), &nothing(&why))),
        Err(fault) => Err(fault),
    }
}

/// What became of a push.
enum Received {
    /// The pack, and why.
    Unreadable(String),
    /// Lines for the terminal, and why.
    Refused(Vec<String>, String),
    /// Lines for the terminal, and what became of each ref.
    Done(Vec<String>, Vec<Result<(), String>>),
}

/// A push whose names are in order.
struct Pushed<'a> {
    git: &'a Git,
    who: Who,
    workspace: &'a Arc<Workspace>,
    moves: Vec<Move>,
    limits: Limits,
}

impl Pushed<'_> {
    async fn receive(self, engine: &Arc<Engine>, packets: &mut Packets) -> Result<Received, Fault> {
        let Pushed { git, who, workspace, moves, limits } = self;
        let mut incoming = None;
        let mut search = None;
        if moves.iter().any(|wanted| wanted.new.is_some()) {
            let turn = git.turn(Service::ReceivePack, who).await?;
            match unpack(workspace, packets, limits, turn.clone()).await? {
                Unpacked::Taken(taken) => {
                    search = Some(search_gaps(workspace, &taken, turn)?);
                    incoming = Some(taken);
                }
                Unpacked::Refused(why) => return Ok(Received::Unreadable(why)),
            }
        }
        let connected = async {
            match search {
                Some(search) => is_connected(search, &moves).await,
                None => Ok(true),
            }
        };
        // The two look at the same at the same time.
        let check = engine.check_push(workspace, incoming, &moves, limits.file);
        let (connected, checked) = tokio::join!(connected, check);
        if !connected? {
            let why = "objects are missing: fetch first, and push from a clone with its whole history";
            return Ok(Received::Refused(Vec::new(), why.to_owned()));
        }
        let mut checked = checked?;
        let mut lines = std::mem::take(&mut checked.lines);
        if let Some(why) = checked.refused {
            lines.push(format!("refused: {why}"));
            return Ok(Received::Refused(lines, why));
        }
        let summary = checked.summary.take();
        let outcome = match engine.accept_push(workspace, checked, moves.clone()).await {
            Ok(outcome) => outcome,
            Err(Error::Busy(why) | Error::Conflict(why)) => return Ok(Received::Refused(Vec::new(), why)),
            Err(Error::Full) => return Ok(Received::Refused(Vec::new(), "the server's disk is full".to_owned())),
            Err(error) => return Err(error.into()),
        };
        let main_moved = outcome.iter().zip(&moves).any(|(done, wanted)| done.is_ok() && wanted.name == MAIN);
        // What was looked at is not what is there when somebody else was quicker.
        let lines = if main_moved { lines.into_iter().chain(summary).collect() } else { Vec::new() };
        tracing::info!(
            workspace.name = %workspace.name(),
            refs = outcome.len(),
            refused = outcome.iter().filter(|done| done.is_err()).count(),
            "a push"
        );
        Ok(Received::Done(lines, outcome))
    }
}

/// A git command that sees what was pushed beside what is there.
fn beside(workspace: &Workspace, incoming: &Incoming, arguments: &[&str]) -> Command {
    let mut command = process::command(arguments);
    command
        .env("GIT_DIR", workspace.git_dir())
        .env("GIT_OBJECT_DIRECTORY", incoming.folder())
        .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted(&workspace.git_dir().join("objects")));
    command
}

/// A path as an entry of a list that colons divide.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\""))
}

/// Reads the pack into a folder of its own.
async fn unpack(
    workspace: &Arc<Workspace>,
    packets: &mut Packets,
    limits: Limits,
    turn: Arc<Turn>,
) -> Result<Unpacked, Fault> {
    let place = workspace.clone();
    let incoming = blocking::run(move || place.incoming()).await.map_err(Error::from)?;
    let most = format!("--max-input-size={}", limits.pack);
    let command = beside(workspace, &incoming, &["index-pack", "--stdin", "--fix-thin", "--strict", &most]);
    let mut running = Running::start(command, turn)?.bound_memory();
    let (stdin, stdout) = running.take_pipes();
    let fed = feed(stdin, packets, limits.pack).await?;
    // It ends in a line that nobody needs, and in an error where nobody takes it.
    let ended = running.end().await;
    drop(stdout);
    if fed.is_too_large {
        return Ok(Unpacked::Refused(format!("the push is larger than {} bytes", limits.pack)));
    }
    if ended.success {
        return Ok(Unpacked::Taken(incoming));
    }
    tracing::info!(workspace.name = %workspace.name(), said = ended.complaints, "a pack was refused");
    let places = [incoming.folder(), workspace.git_dir()];
    let mut said = ended.complaints;
    for place in places {
        said = said.replace(&*place.to_string_lossy(), "...");
    }
    let told = said.lines().map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: ").trim());
    let told: Vec<&str> = told.filter(|line| !line.is_empty()).take(3).collect();
    let why = if told.is_empty() { "the pack cannot be read".to_owned() } else { told.join("; ") };
    Ok(Unpacked::Refused(why.chars().take(500).collect()))
}

struct Fed {
    is_too_large: bool,
}

/// Gives git the pack. Where git stops reading, the rest is read all the same, within the limit:
/// clients look at the answer only when they have sent everything.
async fn feed(stdin: Option<ChildStdin>, packets: &mut Packets, most: u64) -> Result<Fed, Fault> {
    let mut stdin = stdin;
    let mut bytes = 0u64;
    loop {
        match packets.rest().await {
            Ok(Some(chunk)) => {
                bytes += chunk.len() as u64;
                if bytes > most {
                    stdin = None;
                }
                if let Some(open) = &mut stdin
                    && open.write_all(&chunk).await.is_err()
                {
                    stdin = None;
                }
            }
            Ok(None) => return Ok(Fed { is_too_large: bytes > most }),
            Err(InputError::TooLarge(_)) => return Ok(Fed { is_too_large: true }),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Starts to look whether anything is missing below what is pushed.
fn search_gaps(workspace: &Workspace, incoming: &Incoming, turn: Arc<Turn>) -> Result<Running, Fault> {
    let arguments = ["rev-list", "--objects", "--stdin", "--not", "--all", "--quiet"];
    Ok(Running::start(beside(workspace, incoming, &arguments), turn)?.bound_memory())
}

async fn is_connected(mut search: Running, moves: &[Move]) -> Result<bool, Fault> {
    let (stdin, stdout) = search.take_pipes();
    let tips: String = moves.iter().filter_map(|wanted| wanted.new).map(|id| format!("{id}\n")).collect();
    if let Some(mut stdin) = stdin
        && stdin.write_all(tips.as_bytes()).await.is_err()
    {
        tracing::info!("git rev-list ended early");
    }
    let ended = search.end().await;
    drop(stdout);
    if !ended.success {
        if ended.complaints.is_empty() {
            tracing::error!("git rev-list was killed");
            return Err(internal());
        }
        tracing::info!(said = ended.complaints, "a push is not complete");
    }
    Ok(ended.success)
}
