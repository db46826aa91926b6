//! Edits on the server's disk: what somebody with an editor, a shell or git does there is in the
//! index soon, and nobody's text is lost.

mod bounds;
mod edits;
mod hands;
mod workspaces;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use workleaf::config::Config;

use crate::support::{TestApp, git};

const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than a file has to rest, by far: what is left alone would be taken in by then.
const LONG: Duration = Duration::from_millis(1_500);

/// A server that watches, with the workspace `ann/lab`.
async fn lab() -> TestApp {
    lab_with(|_, _| {}).await
}

async fn lab_with(configure: impl FnOnce(&Path, &mut Config)) -> TestApp {
    let app = TestApp::open_with(configure).await;
    app.workspace("ann/lab").await;
    watch(&app).await;
    app
}

/// Watches, and waits for the comparison at the start.
async fn watch(app: &TestApp) {
    app.app().watch().expect("the disk can be watched");
    until("everything was compared once", async || app.app().watcher(|w| w.is_settled()) == Some(true)).await;
}

/// Looks again and again.
#[track_caller]
fn until(what: &str, holds: impl AsyncFn() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let end = Instant::now() + PATIENCE;
        while !holds().await {
            assert!(Instant::now() < end, "never: {what} ({caller})");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn service(name: &str) -> String {
    format!("descriptor_version: \"1\"\nvendor: v\nname: {name} # by hand\nversion: \"1\"\n")
}

/// Writes a file in a workspace, with the folders above it.
fn write(app: &TestApp, workspace: &str, path: &str, text: &str) {
    let file = app.tree(workspace).join(path);
    fs::create_dir_all(file.parent().expect("in a folder")).expect("folders can be made");
    fs::write(file, text).expect("a file can be written");
}

/// The names of a workspace's services, sorted.
async fn names(app: &TestApp, workspace: &str) -> Vec<String> {
    let answer = app.as_user("root").get(&format!("/api/v1/services?where=workspace:{workspace}&limit=1000")).await;
    if answer.status == 404 {
        return Vec::new();
    }
    let answer = answer.expect(200).json();
    let name = |one: &serde_json::Value| one["content"]["name"].as_str().unwrap_or("?").to_owned();
    let mut names: Vec<_> = answer["services"].as_array().expect("a list").iter().map(name).collect();
    names.sort();
    names
}

#[track_caller]
fn until_names(app: &TestApp, workspace: &str, wanted: &[&str]) -> impl Future<Output = ()> {
    let what = format!("{workspace} has {wanted:?}");
    let caller = std::panic::Location::caller();
    async move {
        let end = Instant::now() + PATIENCE;
        loop {
            let now = names(app, workspace).await;
            if now == wanted {
                return;
            }
            assert!(Instant::now() < end, "never: {what}; it has {now:?} ({caller})");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Author and message of the newest commit.
fn newest(app: &TestApp, workspace: &str) -> String {
    git::run(&app.tree(workspace), &["log", "-1", "--format=%an: %B"])
}

fn commits(app: &TestApp, workspace: &str) -> usize {
    git::subjects(&app.tree(workspace)).len()
}
