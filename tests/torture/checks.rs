//! What has to hold after every restart, with nobody writing.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::clients::read;
use crate::http::Http;
use crate::ledger::Ledger;
use crate::server::{Server, WORKSPACES, World, git_command};

/// The message of a commit of two counters.
pub(crate) const BATCH: &str = "two at once";

/// Longest that the comparison with the disk may take after a start.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks at everything; what is wrong goes into the ledger.
pub(crate) fn after_restart(world: &World, server: &Server, ledger: &Ledger) -> Result<()> {
    let mut http = server.connect(world)?;
    for (counter, value) in ledger.counters() {
        let (found, _) = read(&mut http, &counter)?;
        if found < value {
            ledger.complain(format!("lost: {counter} is {found}, {value} was acknowledged"));
        }
    }
    // An edit on disk is somebody's text, seen by the server or not.
    let until = Instant::now() + PATIENCE;
    for (counter, value) in ledger.on_disk() {
        while read(&mut http, &counter)?.0 < value {
            if Instant::now() > until {
                ledger.complain(format!("lost: {counter} was written as {value} on disk and is not"));
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    for (id, allowed) in ledger.notes() {
        let answer = http.get(&format!("/api/v1/notes/{id}"))?;
        let path = match answer.status {
            200 => answer.json()?["note"]["path"].as_str().map(str::to_owned),
            404 => None,
            status => bail!("a note was answered {status}: {}", answer.body),
        };
        if !allowed.contains(&path) {
            ledger.complain(format!("note {id} is at {path:?}, which is none of {allowed:?}"));
        }
        ledger.settle(&id, path);
    }
    let listed = listed(&mut http)?;
    for workspace in WORKSPACES {
        let tree = world.tree(workspace);
        clean(&tree, ledger)?;
        whole(&tree, ledger)?;
        same_lists(&listed, workspace, &tree, ledger)?;
        grew_by_one(&tree, ledger)?;
    }
    Ok(())
}

/// With no server running.
pub(crate) fn at_rest(world: &World) -> Result<()> {
    for tree in WORKSPACES.map(|workspace| world.tree(workspace)) {
        git(&tree, &["fsck", "--full", "--strict"])?;
        let status = git(&tree, &["status", "--porcelain", "--untracked-files=all"])?;
        if !status.is_empty() {
            bail!("after the server ended the work tree is not clean:\n{status}");
        }
    }
    Ok(())
}

/// The work tree comes to equal HEAD.
fn clean(tree: &Path, ledger: &Ledger) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let status = git(tree, &["--no-optional-locks", "status", "--porcelain", "--untracked-files=all"])?;
        if status.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            ledger.complain(format!("the work tree is not what HEAD says:\n{status}"));
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Nothing is torn. git does not expect packs to be merged while it looks, which the server does: a
/// look that this disturbed is taken again.
fn whole(tree: &Path, ledger: &Ledger) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        match git(tree, &["fsck", "--full", "--strict"]) {
            Ok(_) => return Ok(()),
            Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(100)),
            Err(error) => {
                ledger.complain(format!("{error:#}"));
                return Ok(());
            }
        }
    }
}

/// Workspace, path and etag of a document.
type Place = (String, String, String);

/// Everything that the index lists.
fn listed(http: &mut Http) -> Result<BTreeSet<Place>> {
    let mut listed = BTreeSet::new();
    for plural in ["counters", "notes"] {
        let mut after = String::new();
        loop {
            let page = http.get(&format!("/api/v1/{plural}?limit=1000&sort=created_at{after}"));
            let page = page?.json()?;
            let documents = page[plural].as_array().with_context(|| format!("a list of {plural}: {page}"))?;
            for document in documents {
                let text = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
                listed.insert((text("workspace"), text("path"), text("etag")));
            }
            match page["_meta"]["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
    }
    Ok(listed)
}

/// What the index lists is what the newest commit holds.
fn same_lists(listed: &BTreeSet<Place>, workspace: &str, tree: &Path, ledger: &Ledger) -> Result<()> {
    let held = git(tree, &["ls-tree", "-r", "main", "counters", "notes"])?;
    let place = |(about, path): (&str, &str)| {
        (workspace.to_owned(), path.to_owned(), about.rsplit(' ').next().unwrap_or_default().to_owned())
    };
    let held: BTreeSet<Place> = held.lines().filter_map(|line| line.split_once('\t')).map(place).collect();
    let listed: BTreeSet<Place> = listed.iter().filter(|place| place.0 == workspace).cloned().collect();
    for (_, path, etag) in held.difference(&listed) {
        ledger.complain(format!("the index does not list {workspace}/{path} {etag}"));
    }
    for (_, path, etag) in listed.difference(&held) {
        ledger.complain(format!("the index lists {workspace}/{path} {etag}, which is not there"));
    }
    Ok(())
}

/// Values of the counters at the commit that was looked at last.
#[derive(Default)]
struct Seen {
    commit: Option<String>,
    values: HashMap<String, u64>,
}

/// Every commit since the last look changes counters by one, and a batch both of its counters.
fn grew_by_one(tree: &Path, ledger: &Ledger) -> Result<()> {
    thread_local!(static SEEN: RefCell<HashMap<PathBuf, Seen>> = RefCell::default());
    SEEN.with_borrow_mut(|seen| {
        let seen = seen.entry(tree.to_owned()).or_default();
        let range = seen.commit.as_ref().map_or_else(|| "main".to_owned(), |commit| format!("{commit}..main"));
        let arguments = ["log", "--reverse", "--raw", "--no-abbrev", "--no-renames", "--format=commit %H %s", &range];
        let log = git(tree, &[&arguments[..], &["--", "counters"]].concat())?;
        let blobs: Vec<&str> = changes(&log).map(|(blob, _)| blob).collect();
        let mut values = blobs_of(tree, &blobs)?.into_iter();
        let mut batch = None;
        for line in log.lines() {
            if let Some(commit) = line.strip_prefix("commit ") {
                if batch.take().is_some_and(|changed: u32| changed != 2) {
                    ledger.complain(format!("half a batch, before {commit}"));
                }
                batch = commit.ends_with(BATCH).then_some(0);
                seen.commit = commit.split(' ').next().map(str::to_owned);
            } else if let Some((_, path)) = change(line) {
                let value = values.next().context("a value for each change")?;
                let before = seen.values.insert(path.to_owned(), value);
                if before.is_some_and(|before| value != before + 1) {
                    ledger.complain(format!("{path} went from {before:?} to {value} in {:?}", seen.commit));
                }
                batch = batch.map(|changed| changed + 1);
            }
        }
        if batch.is_some_and(|changed| changed != 2) {
            ledger.complain("the last batch is half".to_owned());
        }
        Ok(())
    })
}

fn changes(log: &str) -> impl Iterator<Item = (&str, &str)> {
    log.lines().filter_map(change)
}

/// New blob and path of a line such as `:100644 100644 OLD NEW M<tab>path`.
fn change(line: &str) -> Option<(&str, &str)> {
    let (about, path) = line.strip_prefix(':')?.split_once('\t')?;
    Some((about.split(' ').nth(3)?, path))
}

/// The numbers in these blobs.
fn blobs_of(tree: &Path, blobs: &[&str]) -> Result<Vec<u64>> {
    let mut command = git_command(tree);
    let mut child = command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("git reads")?;
    let asked = blobs.iter().map(|blob| format!("{blob}\n")).collect::<String>();
    let writer = std::thread::spawn(move || input.write_all(asked.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().ok().context("the writer ends")??;
    let text = String::from_utf8(output.stdout)?;
    let numbers = text.lines().filter_map(|line| {
        let value = line.strip_prefix("n:")?.trim();
        value.parse().ok()
    });
    let numbers: Vec<u64> = numbers.collect();
    if numbers.len() != blobs.len() {
        bail!("{} of {} counters can be read", numbers.len(), blobs.len());
    }
    Ok(numbers)
}

fn git(tree: &Path, arguments: &[&str]) -> Result<String> {
    let output = git_command(tree).args(arguments).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}
