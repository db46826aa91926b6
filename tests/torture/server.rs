//! The real binary on a folder of its own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::http::Http;

/// Who owns both workspaces.
pub(crate) const OWNER: &str = "torture";
/// The workspace that everybody but git's clients writes to.
pub(crate) const LAB: &str = "torture/lab";
/// The workspace of git's clients, which would never be first among the others.
pub(crate) const BY_GIT: &str = "torture/by git";
pub(crate) const WORKSPACES: [&str; 2] = [LAB, BY_GIT];

/// A document with a number in it.
const COUNTER: &str = "kind: counter\nplural: counters\ntitle: Counter\ndescription: A number that grows.\n\
    file: counters/{id}.yml\nschema: schema.json\nstarter: starter.yml\nindex: { n: number }\n";
/// A document that is moved about.
const NOTE: &str = "kind: note\nplural: notes\ntitle: Note\ndescription: A text that moves.\n\
    file: [\"notes/*.yml\", \"notes/**/*.yml\"]\nschema: schema.json\nstarter: starter.yml\nindex: { n: number }\n";
const SCHEMA: &str = r#"{ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } }"#;

/// Folders, account and token, which outlive every server.
pub(crate) struct World {
    binary: PathBuf,
    folder: Option<TempDir>,
    is_kept: bool,
    pub(crate) token: String,
}

pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl World {
    pub(crate) fn new(binary: &Path, dir: &Path, keep: bool) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("torture-").tempdir_in(dir)?;
        for (kind, text) in [("counter", COUNTER), ("note", NOTE)] {
            let at = folder.path().join("kinds").join(kind);
            fs::create_dir_all(&at)?;
            fs::write(at.join("kind.yaml"), text)?;
            fs::write(at.join("schema.json"), SCHEMA)?;
            fs::write(at.join("starter.yml"), "n: 0\n")?;
        }
        fs::write(folder.path().join("config.yaml"), "templates: [kinds]\nworkspaces-location: data\n")?;
        let mut world = World { binary: binary.to_owned(), folder: Some(folder), is_kept: keep, token: String::new() };
        let mut create = world.command(&["user", "create", OWNER, "--password-stdin"]);
        let mut child = create.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        {
            use std::io::Write as _;
            child.stdin.take().context("the command has an input")?.write_all(b"a password for nobody\n")?;
        }
        ensure!(child.wait()?.success(), "no account was made");
        let made = world.command(&["token", "create", OWNER, "--name", "torture"]).output()?;
        ensure!(made.status.success(), "no token was made: {}", String::from_utf8_lossy(&made.stderr));
        world.token = String::from_utf8(made.stdout)?.trim().to_owned();
        Ok(world)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new(""), TempDir::path)
    }

    /// The work tree of a workspace.
    pub(crate) fn tree(&self, workspace: &str) -> PathBuf {
        self.path().join("data").join(workspace)
    }

    pub(crate) fn keep(&mut self) {
        self.is_kept = true;
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(self.path()).env_clear();
        command
    }

    pub(crate) fn start(&self) -> Result<Server> {
        let log = File::options().create(true).append(true).open(self.path().join("log"))?;
        let mut serve = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("the server has an output")?).lines();
        for line in lines.by_ref() {
            if let Some(address) = line?.strip_prefix("listening on http://") {
                return Ok(Server { address: address.to_owned(), child });
            }
        }
        bail!("the server does not start: see {}", self.path().join("log").display())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(folder) = self.folder.take().filter(|_| self.is_kept) {
            drop(folder.keep());
        }
    }
}

impl Server {
    pub(crate) fn connect(&self, world: &World) -> Result<Http> {
        Http::connect(&self.address, &world.token)
    }

    /// Ends it without warning.
    pub(crate) fn kill(&self) -> Result<()> {
        self.signal(Signal::KILL)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = Pid::from_raw(i32::try_from(self.child.id())?).context("the process has an id")?;
        Ok(kill_process(id, signal)?)
    }

    /// Waits until it is gone.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// Asks it to end and waits.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let status = self.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, unless something else failed.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// git in a folder, without the settings of whoever runs this.
pub(crate) fn git_command(at: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=Hand", "-c", "user.email=hand@example.org"])
        .current_dir(at)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
        .env("HOME", at)
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0");
    command
}
