//! What a git client waits for: ours against nginx, fcgiwrap and `git http-backend` with the same
//! repository, in turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;

use super::Bench;
use crate::client::{self, ACCOUNT, Client, post};
use crate::data::Fill;
use crate::peer::Peer;
use crate::report::{Goal, Line, Samples, tell};
use crate::server::{self, Server, git};

const FILES: usize = 1_000;
const FOLDERS: usize = 50;
/// How often each is done in a round, on each side.
const TIMES: usize = 4;

/// Where a repository is served.
struct Side {
    url: String,
    folder: PathBuf,
    clone: Vec<f64>,
    first_push: Vec<f64>,
    push: Vec<f64>,
    fetch: Vec<f64>,
}

impl Side {
    fn new(name: &str, address: &str, folder: &Path) -> Result<Self> {
        let folder = folder.join(name);
        fs::create_dir_all(&folder)?;
        let url = format!("http://{address}/git/{ACCOUNT}");
        Ok(Side { url, folder, clone: Vec::new(), first_push: Vec::new(), push: Vec::new(), fetch: Vec::new() })
    }

    /// Runs git with the credentials of both; the seconds it took.
    fn timed(folder: &Path, arguments: &[&str]) -> Result<f64> {
        let header = format!("http.extraHeader={}", client::authorization());
        let who = ["-c", &header, "-c", "user.name=bench", "-c", "user.email=bench@example.org"];
        let begun = Instant::now();
        git(folder, &[&who[..], arguments].concat())?;
        Ok(begun.elapsed().as_secs_f64())
    }

    fn clone_of(&self, repository: &str, to: &str) -> Result<f64> {
        Self::timed(&self.folder, &["clone", "-q", &format!("{}/{repository}.git", self.url), to])
    }

    /// A clone of a repository without files, and the push of a thousand.
    fn push_all(&self, repository: &str, to: &str) -> Result<f64> {
        self.clone_of(repository, to)?;
        let clone = self.folder.join(to);
        for n in 0..FILES {
            let file = clone.join(path(n));
            fs::create_dir_all(file.parent().unwrap_or(&clone))?;
            fs::write(file, service(n, 0))?;
        }
        Self::timed(&clone, &["add", "-A"])?;
        Self::timed(&clone, &["commit", "-q", "-m", "all"])?;
        Self::timed(&clone, &["push", "-q", "origin", "main"])
    }

    /// Each of the four things once.
    fn round(&mut self, at: usize) -> Result<()> {
        let taken = self.push_all(&format!("fresh{at}"), &format!("fresh{at}"))?;
        self.first_push.push(taken);
        let work = self.folder.join("work");
        for n in 0..TIMES {
            let name = format!("clone{at}-{n}");
            let taken = self.clone_of("whole", &name)?;
            self.clone.push(taken);
            fs::remove_dir_all(self.folder.join(name))?;
            self.fetch.push(Self::timed(&work, &["fetch", "-q", "origin"])?);
            let one = work.join(path(n));
            fs::write(one, service(n, at * TIMES + n + 1))?;
            Self::timed(&work, &["commit", "-q", "-a", "-m", "one"])?;
            self.push.push(Self::timed(&work, &["push", "-q", "origin", "main"])?);
        }
        Ok(())
    }
}

fn path(n: usize) -> String {
    format!("projects/p{}/sources/nsd/{n}.yml", n % FOLDERS)
}

/// A service of about a kilobyte.
fn service(n: usize, version: usize) -> String {
    let words = "network service function catalogue workspace descriptor ".repeat(15);
    format!(
        "descriptor_version: \"1.0\"\nvendor: org.example\nname: service-{n}\nversion: \"1.{version}\"\n\
         author: bench\ndescription: \"{words}{}\"\n",
        n * 7_919
    )
}

pub(super) async fn measure(bench: &mut Bench) -> Result<()> {
    let folder = bench.folder.path().join("git");
    let data = folder.join("data");
    fs::create_dir_all(&folder)?;
    let peer = match Peer::start(folder.join("peer")) {
        Ok(peer) => peer,
        Err(error) => {
            tell(&format!("git is not measured: {error:#}"));
            return Ok(());
        }
    };
    server::create_account(&bench.options.server, &bench.config, &data)?;
    let server = Server::serve(&bench.options.server, &bench.config, &data)?;
    let rounds = bench.rounds() as usize;
    let names: Vec<String> = (0..rounds).map(|n| format!("fresh{n}")).chain(["whole".into()]).collect();
    let mut client = Client::connect(&server.address).await?;
    for name in &names {
        client.json(&post("/api/v1/workspaces", &json!({ "name": name }))).await?;
        peer.create(name)?;
    }
    let mut ours = Side::new("ours", &server.address, &folder)?;
    let mut theirs = Side::new("theirs", &peer.address, &folder)?;
    for side in [&ours, &theirs] {
        side.push_all("whole", "work")?;
    }
    for at in 0..rounds {
        // Each goes first in turn.
        let (first, second) = if at % 2 == 0 { (&mut ours, &mut theirs) } else { (&mut theirs, &mut ours) };
        first.round(at)?;
        second.round(at)?;
    }
    let mut client = Client::connect(&server.address).await?;
    let found = client.json(&client::get("/api/v1/services?limit=0")).await?;
    ensure!(found["_meta"]["count"] == FILES * (rounds + 1), "the list counts {}", found["_meta"]["count"]);
    server.stop()?;
    for (what, ours, theirs) in [
        ("clone of 1,000 YAML files", ours.clone, theirs.clone),
        ("first push of 1,000 files", ours.first_push, theirs.first_push),
        ("push of one changed file", ours.push, theirs.push),
        ("fetch of nothing new", ours.fetch, theirs.fetch),
    ] {
        bench.report.add(Line {
            row: "git",
            what: what.to_owned(),
            measured: Samples::new(ours),
            unit: "s",
            goal: Goal::TimesOf(Samples::new(theirs), "nginx + git http-backend", 1.2),
            note: "with the client's own time; ours checks and indexes".to_owned(),
        });
    }
    Ok(())
}

/// A long history of small commits as it was written, against the same in one fresh pack.
pub(super) async fn measure_history(bench: &mut Bench) -> Result<()> {
    let bulk = bench.hundred_thousand().await?;
    let data = bench.data("hundred-thousand-commits", Fill { per_commit: 1, ..bulk.fill }).await?;
    let folder = bench.folder.path().join("git-history");
    fs::create_dir_all(&folder)?;
    let packed = folder.join("packed");
    let copied = std::process::Command::new("cp").arg("-r").arg(&data.folder).arg(&packed).status()?;
    ensure!(copied.success(), "the data cannot be copied");
    tell("packing the copy anew");
    git(&packed.join(crate::data::workspace(0)), &["repack", "-q", "-a", "-d", "-f"])?;
    let servers = [
        Server::serve(&bench.options.server, &bench.config, &data.folder)?,
        Server::serve(&bench.options.server, &bench.config, &packed)?,
    ];
    let mut took = [Vec::new(), Vec::new()];
    for round in 0..bench.rounds() as usize {
        for turn in 0..2 {
            let at = (round + turn) % 2;
            let url = format!("http://{}/git/{}.git", servers[at].address, crate::data::workspace(0));
            took[at].push(Side::timed(&folder, &["clone", "-q", "--bare", &url, "clone"])?);
            fs::remove_dir_all(folder.join("clone"))?;
        }
    }
    for server in servers {
        server.stop()?;
    }
    let [ours, packed] = took;
    bench.report.add(Line {
        row: "git-history",
        what: format!("clone of {} commits of one document", data.fill.documents),
        measured: Samples::new(ours),
        unit: "s",
        goal: Goal::TimesOf(Samples::new(packed), "the same freshly packed", 2.0),
        note: String::new(),
    });
    Ok(())
}
