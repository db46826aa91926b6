//! Children: the real server, and the bare handler.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::client::{ACCOUNT, PASSWORD};

/// Longest start that is waited for: a rebuild of a million documents among other work.
const START: Duration = Duration::from_secs(600);
const STOP: Duration = Duration::from_secs(120);

/// A child process that listens; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// From exec to the line that says where it listens.
    pub(crate) started: Duration,
}

/// Memory of a process in MB (10^6 bytes), by proc(5).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// All that is resident, file pages too.
    pub(crate) rss: f64,
    /// Of it, what no file backs.
    pub(crate) anonymous: f64,
}

impl Server {
    /// Starts `workleaf serve`; its log goes to a file beside the data.
    pub(crate) fn serve(binary: &Path, config: &Path, data: &Path) -> Result<Self> {
        let log = File::create(data.with_extension("log"))?;
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0"]).arg("--config").arg(config).arg("--data").arg(data);
        command.env_clear().stderr(log);
        Self::start(command)
    }

    /// Starts this program as the bare handler.
    pub(crate) fn bare(recorded: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--bare").arg(recorded);
        Self::start(command)
    }

    fn start(mut command: Command) -> Result<Self> {
        let begun = Instant::now();
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start the server")?;
        let stdout = child.stdout.take().context("the server has no stdout")?;
        // Reads on until the end, so that the server never writes into a broken pipe.
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("listening on http://") {
                    let _ = sender.send((address.to_owned(), begun.elapsed()));
                }
            }
        });
        match receiver.recv_timeout(START) {
            Ok((address, started)) => Ok(Server { child, address, started }),
            Err(_) => {
                let _ = child.kill();
                bail!("the server did not start: {:?}", child.wait()?)
            }
        }
    }

    /// Asks it to stop and waits until everything is on disk.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        let begun = Instant::now();
        while begun.elapsed() < STOP {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the server ended with {status}");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("the server does not stop")
    }

    /// CPU time of all its threads so far: what a request costs also where others load the machine.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Fields 14 and 15 of proc(5), in ticks of 10 ms; the name before them may hold blanks.
        let (_, fields) = stat.rsplit_once(") ").context("no fields in stat")?;
        let ticks = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>();
        Ok(Duration::from_millis(ticks * 10))
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.trim().strip_suffix(" kB")?.parse::<f64>().ok()
        };
        let megabytes =
            |name| field(name).map(|kib| kib * 1024.0 / 1e6).with_context(|| format!("no {name} in status"));
        Ok(Memory { rss: megabytes("VmRSS:")?, anonymous: megabytes("RssAnon:")? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended after `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes the ordinary account in a data directory.
pub(crate) fn create_account(binary: &Path, config: &Path, data: &Path) -> Result<()> {
    let mut child = Command::new(binary)
        .args(["user", "create", ACCOUNT, "--password-stdin"])
        .arg("--config")
        .arg(config)
        .arg("--data")
        .arg(data)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    child.stdin.take().context("no stdin")?.write_all(PASSWORD.as_bytes())?;
    ensure!(child.wait()?.success(), "the account could not be made");
    Ok(())
}

/// Runs git in a workspace, without any configuration but the workspace's own.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .context("cannot run git")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    ensure!(output.status.success(), "git {arguments:?}: {}", text(&output.stderr));
    Ok(text(&output.stdout) + &text(&output.stderr))
}
