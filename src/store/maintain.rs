//! What git itself does best once a workspace rests: loose objects of commits made by hand become
//! a pack, and the commit graph is written, which spares walks through history.
//!
//! One workspace at a time, at the lowest priority, beside readers and writers: nothing that is in
//! use goes. Packs of the server's own are merged by [`super::upkeep`].

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::error::Error;
use super::gitcommand;
use super::hands;
use super::heads;
use super::reffiles;
use super::workspace::Workspace;
use super::workspaces::Shared;
use crate::resource::etag::Etag;

/// Between two looks; a workspace whose head did not move meanwhile rests.
const PAUSE: Duration = Duration::from_secs(2);
/// The graph is written anew after so many commits.
const GRAPH: u32 = 1_000;
/// Refs in files of their own that are put into one.
const REFS: usize = 500;

/// What is known of a workspace since the start.
#[derive(Default)]
struct Seen {
    head: Option<Etag>,
    refs_moved: u32,
    is_done: bool,
    /// Loose objects that no ref leads to, which stay.
    loose: usize,
    graph: Option<u32>,
}

/// The thread.
pub(super) fn run(shared: &Shared) {
    let mut seen: HashMap<u64, Seen> = HashMap::new();
    let stopping = || shared.core.stopping.load(Ordering::Acquire);
    while !stopping() {
        std::thread::park_timeout(PAUSE.min(shared.core.options.idle));
        let workspaces = shared.workspaces();
        seen.retain(|id, _| workspaces.iter().any(|workspace| workspace.id() == *id));
        for workspace in workspaces {
            if stopping() {
                return;
            }
            let seen = seen.entry(workspace.id()).or_default();
            let (head, refs_moved) = (Some(workspace.head()), workspace.refs_moved.load(Ordering::Relaxed));
            if (seen.head, seen.refs_moved) != (head, refs_moved) {
                *seen = Seen { head, refs_moved, is_done: false, ..*seen };
                continue;
            }
            if seen.is_done || workspace.is_writing() || hands::is_at_work(&workspace.git_dir) {
                continue;
            }
            seen.is_done = true;
            if let Err(error) = maintain(&workspace, seen, &stopping)
                && !workspace.is_removed()
            {
                tracing::warn!(workspace.name = %workspace.name(), %error, "upkeep by git failed");
            }
        }
    }
}

fn maintain(workspace: &Arc<Workspace>, seen: &mut Seen, stopping: &impl Fn() -> bool) -> Result<(), Error> {
    let stop = || stopping() || workspace.is_removed();
    let git_dir = &workspace.git_dir;
    let loose = loose_objects(git_dir);
    seen.loose = seen.loose.min(loose);
    if loose >= seen.loose + workspace.core.options.loose_most {
        // Not while packs are merged.
        let _one = workspace.merging.lock().unwrap_or_else(PoisonError::into_inner);
        gitcommand::run(git_dir, &["repack", "-d", "-q"], stop)?;
        workspace.packs.lock().unwrap_or_else(PoisonError::into_inner).forget();
        workspace.objects.reopen();
        seen.loose = loose_objects(git_dir);
        if seen.loose >= workspace.core.options.loose_most {
            // As `git gc` does: what nothing leads to goes when it is old.
            gitcommand::run(git_dir, &["prune", "--expire=2.weeks.ago"], stop)?;
            seen.loose = loose_objects(git_dir);
        }
    }
    if reffiles::count_loose(git_dir, REFS) >= REFS {
        gitcommand::run(git_dir, &["pack-refs", "--all", "--prune"], stop)?;
        heads::keep_loose(git_dir)?;
    }
    let generation = workspace.generation();
    let info = git_dir.join("objects/info");
    let is_there = info.join("commit-graphs/commit-graph-chain").exists() || info.join("commit-graph").exists();
    let written = seen.graph.unwrap_or(if is_there { generation } else { 0 });
    if generation.saturating_sub(written) >= GRAPH {
        gitcommand::run(git_dir, &["commit-graph", "write", "--reachable", "--split", "--no-progress"], stop)?;
        seen.graph = Some(generation);
    } else {
        seen.graph = Some(written);
    }
    Ok(())
}

fn loose_objects(git_dir: &Path) -> usize {
    let Ok(folders) = fs::read_dir(git_dir.join("objects")) else { return 0 };
    let is_loose = |folder: &fs::DirEntry| folder.file_name().len() == 2;
    folders.flatten().filter(is_loose).filter_map(|folder| fs::read_dir(folder.path()).ok()).map(Iterator::count).sum()
}
