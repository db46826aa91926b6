//! Sixteen clients of all sorts; each writes until the connection breaks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::Random;
use crate::http::Http;
use crate::ledger::Ledger;
use crate::server::{BY_GIT, LAB, OWNER, Server, WORKSPACES, World};

/// Counters that everybody counts up.
const SHARED: u64 = 20;
/// Counters that git's clients count up.
const BY_PUSH: u64 = 5;
/// Longest that an edit on disk may take to be seen.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// One counter after the other, with `If-Match`.
    Counting,
    /// Two counters in one commit.
    Batching,
    /// By git.
    Pushing,
    /// With an editor on the server.
    OnDisk,
    Moving,
    Deleting,
}

impl Sort {
    pub(crate) fn all() -> impl Iterator<Item = Sort> {
        use Sort::{Batching, Counting, Deleting, Moving, OnDisk, Pushing};
        [(Counting, 6), (Batching, 3), (Pushing, 2), (OnDisk, 1), (Moving, 2), (Deleting, 2)]
            .into_iter()
            .flat_map(|(sort, count)| std::iter::repeat_n(sort, count))
    }
}

/// What a client of one round works with.
pub(crate) struct Round<'r> {
    pub(crate) world: &'r World,
    pub(crate) server: &'r Server,
    pub(crate) ledger: &'r Ledger,
    /// The server is about to be killed: from now on nothing that fails is a fault.
    pub(crate) over: &'r AtomicBool,
}

/// Makes the workspace, its counters and the clones.
pub(crate) fn prepare(world: &World, server: &Server) -> Result<()> {
    let mut http = server.connect(world)?;
    let put = |name: String| json!({ "op": "put", "path": path_of(&name), "absent": true, "content": { "n": 0 } });
    let names = (0..SHARED).map(shared).chain((0..16).map(|number| format!("disk{number}")));
    let in_lab: Vec<Value> = names.map(put).collect();
    let by_git: Vec<Value> = (0..BY_PUSH).map(pushed).map(put).collect();
    for (workspace, changes) in WORKSPACES.into_iter().zip([in_lab, by_git]) {
        let name = workspace.split('/').next_back();
        http.ask("POST", "/api/v1/workspaces", "", Some(&json!({ "name": name })))?;
        let made = http.ask("POST", &commits(workspace), "", Some(&json!({ "changes": changes })))?;
        if made.status != 201 {
            bail!("the counters were not made: {} {}", made.status, made.body);
        }
    }
    for (number, _) in Sort::all().enumerate().filter(|(_, sort)| *sort == Sort::Pushing) {
        let at = clone_of(world, number);
        git(world, world.path(), &["clone", "-q", &remote(server), &at.to_string_lossy()])?;
    }
    Ok(())
}

/// Works until something breaks; complains when it breaks too early.
pub(crate) fn work(sort: Sort, number: usize, round: &Round<'_>, mut random: Random) {
    let mut worked = || -> Result<()> {
        let mut http = round.server.connect(round.world)?;
        while !round.over.load(Ordering::SeqCst) {
            match sort {
                Sort::Counting => count(round, &mut http, &mut random)?,
                Sort::Batching => batch(round, &mut http, &mut random)?,
                Sort::Pushing => push(round, number, &mut random)?,
                Sort::OnDisk => edit(round, number, &mut http, &mut random)?,
                Sort::Moving => wander(round, number, &mut http, &mut random)?,
                Sort::Deleting => come_and_go(round, number, &mut http, &mut random)?,
            }
        }
        Ok(())
    };
    if let Err(error) = worked()
        && !round.over.load(Ordering::SeqCst)
    {
        round.ledger.complain(format!("client {number}, {sort:?}: {error:#}"));
    }
}

fn shared(number: u64) -> String {
    format!("shared{number}")
}

fn pushed(number: u64) -> String {
    format!("pushed{number}")
}

fn commits(workspace: &str) -> String {
    format!("/api/v1/workspaces/{}/commits", workspace.replace(' ', "%20"))
}

fn path_of(counter: &str) -> String {
    format!("counters/{counter}.yml")
}

/// A counter's value and etag.
pub(crate) fn read(http: &mut Http, counter: &str) -> Result<(u64, String)> {
    let answer = http.get(&format!("/api/v1/counters/{counter}"))?;
    let found = answer.json()?;
    let found = &found["counter"];
    let value =
        found["content"]["n"].as_u64().with_context(|| format!("{counter}: {} {}", answer.status, answer.body))?;
    Ok((value, found["etag"].as_str().context("an etag")?.to_owned()))
}

fn count(round: &Round<'_>, http: &mut Http, random: &mut Random) -> Result<()> {
    let counter = shared(random.below(SHARED));
    let (value, etag) = read(http, &counter)?;
    let body = json!({ "n": value + 1 });
    let answer =
        http.ask("PUT", &format!("/api/v1/counters/{counter}"), &format!("If-Match: \"{etag}\"\r\n"), Some(&body))?;
    match answer.status {
        200 => round.ledger.counted("counting", &counter, value + 1),
        412 => {}
        status => bail!("a write was answered {status}: {}", answer.body),
    }
    Ok(())
}

fn batch(round: &Round<'_>, http: &mut Http, random: &mut Random) -> Result<()> {
    let first = random.below(SHARED);
    let both = [shared(first), shared((first + 1 + random.below(SHARED - 1)) % SHARED)];
    let mut changes = Vec::new();
    let mut values = Vec::new();
    for counter in &both {
        let (value, etag) = read(http, counter)?;
        changes.push(json!({ "op": "put", "path": path_of(counter), "etag": etag, "content": { "n": value + 1 } }));
        values.push(value + 1);
    }
    let body = json!({ "message": crate::checks::BATCH, "changes": changes });
    let answer = http.ask("POST", &commits(LAB), "", Some(&body))?;
    match answer.status {
        200 | 201 => {
            both.iter().zip(values).for_each(|(counter, value)| round.ledger.counted("batching", counter, value))
        }
        412 => {}
        status => bail!("a batch was answered {status}: {}", answer.body),
    }
    Ok(())
}

fn push(round: &Round<'_>, number: usize, random: &mut Random) -> Result<()> {
    let at = clone_of(round.world, number);
    let counter = pushed(random.below(BY_PUSH));
    git(round.world, &at, &["fetch", "-q", &remote(round.server), "main"])?;
    git(round.world, &at, &["reset", "-q", "--hard", "FETCH_HEAD"])?;
    let file = at.join(path_of(&counter));
    let text = fs::read_to_string(&file)?;
    let value: u64 = text.trim().strip_prefix("n:").context("a counter's text")?.trim().parse()?;
    fs::write(&file, format!("n: {}\n", value + 1))?;
    // Two clients that make the very same commit are both right.
    git(round.world, &at, &["commit", "-q", "-a", "-m", &format!("by git of client {number}")])?;
    match git(round.world, &at, &["push", "-q", &remote(round.server), "HEAD:main"]) {
        Ok(()) => round.ledger.counted("pushing", &counter, value + 1),
        // Somebody else was faster.
        Err(error) if error.to_string().contains("rejected") => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

fn edit(round: &Round<'_>, number: usize, http: &mut Http, random: &mut Random) -> Result<()> {
    let counter = format!("disk{number}");
    let (value, _) = read(http, &counter)?;
    let file = round.world.tree(LAB).join(path_of(&counter));
    round.ledger.written_on_disk(&counter, value + 1);
    let text = format!("n: {}\n", value + 1);
    if random.below(2) == 0 {
        fs::write(&file, text)?;
    } else {
        // As many editors do.
        let beside = file.with_extension("yml~");
        fs::write(&beside, text)?;
        fs::rename(&beside, &file)?;
    }
    let until = Instant::now() + PATIENCE;
    while read(http, &counter)?.0 != value + 1 {
        if Instant::now() > until {
            bail!("an edit on disk was not seen within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    round.ledger.counted("on disk", &counter, value + 1);
    Ok(())
}

/// Makes a note and moves it about.
fn wander(round: &Round<'_>, number: usize, http: &mut Http, random: &mut Random) -> Result<()> {
    let stem = format!("{number}-{}", random.next());
    let mut path = format!("notes/{stem}.yml");
    let id = create(round, http, &path)?;
    for step in 0..random.below(6) {
        let to = format!("notes/{}/{stem}-{step}.yml", random.below(5));
        round.ledger.maybe(&id, Some(&to));
        let answer = http.ask("POST", &format!("/api/v1/notes/{id}/move"), "", Some(&json!({ "path": to })))?;
        if answer.status != 200 {
            bail!("moving {path} to {to} was answered {}: {}", answer.status, answer.body);
        }
        round.ledger.surely("moving", &id, Some(&to));
        path = to;
    }
    remove(round, http, &id)
}

fn come_and_go(round: &Round<'_>, number: usize, http: &mut Http, random: &mut Random) -> Result<()> {
    let id = create(round, http, &format!("notes/gone/{number}-{}.yml", random.next()))?;
    remove(round, http, &id)
}

fn create(round: &Round<'_>, http: &mut Http, path: &str) -> Result<String> {
    let body = json!({ "n": 1 });
    let answer = http.ask("POST", &format!("/api/v1/notes?workspace={LAB}&path={path}"), "", Some(&body))?;
    if answer.status != 201 {
        bail!("creating {path} was answered {}: {}", answer.status, answer.body);
    }
    let id = answer.json()?["note"]["id"].to_string();
    round.ledger.surely("creating", &id, Some(path));
    Ok(id)
}

fn remove(round: &Round<'_>, http: &mut Http, id: &str) -> Result<()> {
    round.ledger.maybe(id, None);
    let answer = http.ask("DELETE", &format!("/api/v1/notes/{id}"), "If-Match: *\r\n", None)?;
    if answer.status != 204 {
        bail!("deleting was answered {}: {}", answer.status, answer.body);
    }
    round.ledger.surely("deleting", id, None);
    Ok(())
}

fn clone_of(world: &World, number: usize) -> PathBuf {
    world.path().join(format!("clone{number}"))
}

fn remote(server: &Server) -> String {
    format!("http://{}/git/{}.git", server.address, BY_GIT.replace(' ', "%20"))
}

/// Runs the git client to its end.
fn git(world: &World, at: &Path, arguments: &[&str]) -> Result<()> {
    use base64::Engine as _;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{OWNER}:{}", world.token));
    let output = crate::server::git_command(at)
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "http.extraHeader")
        .env("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {basic}"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        bail!("git {}: {}", arguments[0], String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
