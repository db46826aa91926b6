//! Killed in the middle of pushes: what was acknowledged is there, and nothing is broken.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use crate::cli::process::{Place, wait_until};
use crate::support::git;

fn client(folder: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().expect("git runs").success()
}

#[test]
fn acknowledged_pushes_survive() {
    let place = Place::new();
    let mut server = place.serve();
    let password = server.admin_password();
    let who = ("admin", password.as_str());
    server.ask(who, "POST", "/api/v1/workspaces", r#"{"name": "lab"}"#).expect(201);
    let tree = place.data().join("admin/lab");
    for round in 0..3u64 {
        let url = format!("http://admin:{password}@{}/git/admin/lab.git", server.address);
        let acknowledged = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let (acknowledged, url, place) = (&acknowledged, &url, &place);
            let pushing = scope.spawn(move || {
                let name = format!("c{round}");
                assert!(client(place.path(), &["clone", "-q", url, &name]));
                let clone = place.path().join(name);
                for n in 0..1_000 {
                    std::fs::write(clone.join(format!("{round}-{n}.txt")), "x\n").expect("a file can be written");
                    assert!(client(&clone, &["add", "-A"]) && client(&clone, &["commit", "-q", "-m", "more"]));
                    if !client(&clone, &["push", "-q", "origin", "HEAD:main", "HEAD:refs/heads/side"]) {
                        return;
                    }
                    acknowledged.store(n + 1, Ordering::SeqCst);
                }
            });
            wait_until(|| acknowledged.load(Ordering::SeqCst) >= 4, "some pushes");
            std::thread::sleep(Duration::from_millis(7 * round));
            server.signal(Signal::KILL);
            assert_eq!(server.wait(), None);
            pushing.join().expect("the client ends");
        });
        server = place.serve();
        let files = git::run(&tree, &["ls-tree", "--name-only", "main"]);
        for n in 0..acknowledged.load(Ordering::SeqCst) {
            let name = format!("{round}-{n}.txt");
            assert!(files.lines().any(|line| line == name), "{name} was acknowledged");
        }
        git::run(&tree, &["fsck", "--strict", "--full"]);
        let status = || git::run(&tree, &["--no-optional-locks", "status", "--porcelain", "--untracked-files=all"]);
        wait_until(|| status().is_empty(), "the work tree is clean");
        let left = std::fs::read_dir(place.data().join(".state/incoming")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "unfinished pushes are forgotten at the start");
    }
    server.stop();
}
