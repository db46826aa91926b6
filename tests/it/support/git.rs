//! The git of this machine, without the settings of whoever runs the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs git in a folder; its standard output without the last line break. Fails with what it says.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Hand", "-c", "user.email=hand@example.org", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", path())
        .env("HOME", folder)
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .expect("git runs");
    assert!(
        output.status.success(),
        "git {arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
}

#[expect(clippy::disallowed_methods, reason = "where git is found, not the server's configuration")]
fn path() -> String {
    std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned())
}

/// Work trees of all workspaces of a data directory.
pub(crate) fn repositories(data: &Path) -> Vec<PathBuf> {
    let folders = |folder: &Path| {
        let entries = std::fs::read_dir(folder).expect("the folder can be read");
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        found.retain(|path| path.is_dir());
        found.sort();
        found
    };
    let owners = folders(data).into_iter().filter(|owner| !owner.ends_with(".state"));
    owners.flat_map(|owner| folders(&owner)).filter(|tree| tree.join(".git").is_dir()).collect()
}

/// Subjects of all commits, newest first.
pub(crate) fn subjects(tree: &Path) -> Vec<String> {
    run(tree, &["log", "--format=%s"]).lines().map(str::to_owned).collect()
}
