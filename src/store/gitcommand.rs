//! The installed git, for what libgit2 cannot do.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::error::Error;

/// Most bytes of what git says that an error repeats.
const SAID_MOST: u64 = 2_000;
const LOOK: Duration = Duration::from_millis(20);

/// Where git and what it starts are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What holds for every repository, whatever its own configuration says, which may come from
/// anywhere: none of it starts a program.
const SETTINGS: [(&str, &str); 18] = [
    ("safe.directory", "*"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.sshCommand", "false"),
    ("core.gitProxy", "false"),
    ("core.askPass", "false"),
    ("core.alternateRefsCommand", "false"),
    ("core.useReplaceRefs", "false"),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("credential.helper", ""),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    // The store's packs have none.
    ("pack.writeReverseIndex", "false"),
    ("pack.threads", "2"),
    ("pack.windowMemory", "64m"),
    ("pack.deltaCacheSize", "32m"),
    ("protocol.allow", "never"),
];

/// git in an environment of nothing: no settings of the machine or of whoever started the server,
/// no hook, no prompt, no remote. `more` settings win over those that hold for all, and both over
/// what a repository's own configuration says.
pub fn git(more: &[(&str, &str)]) -> Command {
    bare(Command::new("git"), more)
}

fn bare(mut command: Command, more: &[(&str, &str)]) -> Command {
    command
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .current_dir("/");
    let mut count = 0;
    for (key, value) in SETTINGS.iter().chain(more) {
        command.env(format!("GIT_CONFIG_KEY_{count}"), key).env(format!("GIT_CONFIG_VALUE_{count}"), value);
        count += 1;
    }
    command.env("GIT_CONFIG_COUNT", count.to_string());
    command
}

/// A git command on a repository, at the lowest priority.
fn command(git_dir: &Path, arguments: &[&str]) -> Command {
    let mut idle = Command::new("nice");
    idle.args(["-n", "19", "git"]);
    let mut command = bare(idle, &[]);
    command
        .arg("--git-dir")
        .arg(git_dir)
        .args(arguments)
        // Only what reads a bundle needs one.
        .env("GIT_ALLOW_PROTOCOL", if arguments.contains(&"fetch") { "file" } else { "none" })
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Runs a git command to its end, or until `stop` says so: then it is ended, and false.
pub(super) fn run(git_dir: &Path, arguments: &[&str], stop: impl Fn() -> bool) -> Result<bool, Error> {
    let mut child = command(git_dir, arguments).spawn().map_err(Error::io("start git"))?;
    let said = child.stderr.take();
    // Read beside, so that git never waits for a reader.
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut said) = said {
            drop((&mut said).take(SAID_MOST).read_to_string(&mut text));
            drop(std::io::copy(&mut said, &mut std::io::sink()));
        }
        text
    });
    let status = loop {
        if let Some(status) = child.try_wait().map_err(Error::io("wait for git"))? {
            break status;
        }
        if stop() {
            // So that it removes its lock files.
            let _ = kill_process(Pid::from_child(&child), Signal::TERM);
            drop(child.wait());
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    };
    let said = reader.join().unwrap_or_default();
    if status.success() {
        return Ok(true);
    }
    let name = arguments.iter().find(|argument| !argument.starts_with('-') && !argument.contains('='));
    let doing = format!("run git {}", name.copied().unwrap_or_default());
    Err(Error::Git { doing, what: said.trim().to_owned() })
}
