//! Moves refs as a push asks, in the workspace's writer, so that no other write comes in between.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::ancestry;
use super::apply::take_back;
use super::commit;
use super::error::Error;
use super::hands::Claims;
use super::heads;
use super::history;
use super::incoming::Incoming;
use super::journal::Appended;
use super::pack::Pack;
use super::reconcile::{self, Behind};
use super::refs::{self, MAIN, MOVED};
use super::workspace::{Head, Workspace};
use super::worktree::OnDisk;
use super::writer;
use crate::base::blocking;
use crate::resource::etag::Etag;
use crate::resource::key::FilePath;

/// A ref to be moved: made where it has no old value, removed where it has no new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub name: String,
    pub old: Option<Etag>,
    pub new: Option<Etag>,
}

impl Move {
    /// Why nobody may move this ref so, whatever is pushed.
    pub fn refusal(&self) -> Option<&'static str> {
        if refs::is_hidden(&self.name) {
            return Some("this ref is the server's own");
        }
        if !(self.name.starts_with("refs/heads/") || self.name.starts_with("refs/tags/")) {
            return Some("only branches and tags can be pushed");
        }
        if !refs::is_sound(&self.name) {
            return Some("this name is not one that a ref can have here");
        }
        if self.name == MAIN && self.new.is_none() {
            return Some("main cannot be deleted");
        }
        if self.name != MAIN && self.name.eq_ignore_ascii_case(MAIN) {
            return Some("the name differs from main only in case");
        }
        None
    }
}

/// One answer for each move: done, or why not.
type Outcome = Vec<Result<(), String>>;

impl Workspace {
    /// Takes what was pushed and moves refs. Completes when that is durable and absorbed, also when
    /// nobody waits for it any more. What was moved meanwhile is refused, move by move.
    pub async fn accept(self: &Arc<Self>, incoming: Option<Incoming>, moves: Vec<Move>) -> Result<Outcome, Error> {
        let workspace = self.clone();
        let whole = tokio::spawn(async move {
            let take = move |workspace: &Arc<Workspace>| {
                let main = take(workspace, incoming.as_ref(), &moves)?;
                Ok::<_, Error>((main, moves))
            };
            let (main, moves) = writer::exclusive(&workspace, false, take).await??;
            // The others need no turn: each is locked for its own move.
            blocking::run(move || move_others(&workspace, main, &moves)).await
        });
        whole.await.unwrap_or(Err(Error::Panicked))
    }
}

/// Keeps the objects and moves `main`, if it is to be moved; says what became of that.
fn take(
    workspace: &Arc<Workspace>,
    incoming: Option<&Incoming>,
    moves: &[Move],
) -> Result<Option<Result<(), String>>, Error> {
    let head = workspace.head();
    let is_late = |wanted: &Move| wanted.name == MAIN && wanted.old != Some(head);
    let mut journaled = None;
    // A pack for nothing would stay for ever.
    if let Some(incoming) = incoming
        && !moves.iter().all(|wanted| is_late(wanted) || wanted.refusal().is_some())
    {
        // The journal knows main alone.
        if moves.len() == 1 && moves[0].name == MAIN {
            journaled = incoming.small_pack()?;
        }
        if journaled.is_none() {
            for pack in incoming.keep(true)? {
                workspace.note_found(pack, None);
            }
        }
    }
    let Some(wanted) = moves.iter().find(|wanted| wanted.name == MAIN) else { return Ok(None) };
    Ok(Some(match (wanted.refusal(), wanted.new) {
        (Some(why), _) => Err(why.to_owned()),
        (None, Some(new)) if !is_late(wanted) => {
            match move_main(workspace, head, new, journaled.as_ref().zip(incoming)) {
                // Other refs may be moved all the same.
                Err(error @ Error::Busy(_)) => Err(error.to_string()),
                moved => moved?,
            }
        }
        (None, _) => Err(MOVED.to_owned()),
    }))
}

/// Moves the refs beside `main`, and puts all answers into the order of the moves.
fn move_others(workspace: &Workspace, mut main: Option<Result<(), String>>, moves: &[Move]) -> Result<Outcome, Error> {
    let others: Vec<&Move> = moves.iter().filter(|wanted| wanted.name != MAIN && wanted.refusal().is_none()).collect();
    let moved = if others.is_empty() { Vec::new() } else { workspace.move_refs(&others)? };
    if moved.iter().any(Result::is_ok) {
        workspace.core.journal.sync_all().map_err(Error::io("sync refs"))?;
    }
    let mut moved = moved.into_iter();
    let answer = |wanted: &Move| match wanted.refusal() {
        Some(why) => Err(why.to_owned()),
        None if wanted.name == MAIN => main.take().unwrap_or_else(|| Err(MOVED.to_owned())),
        None => moved.next().unwrap_or_else(|| Err(MOVED.to_owned())),
    };
    Ok(moves.iter().map(answer).collect())
}

/// Why a push is refused that met an edit on disk in its last moments.
const EDITED: &str = "a file that it changes is being edited on the server: fetch first";

/// Why the push cannot be laid over the disk: it has something else at one of these files than the
/// newest commit and what is to come. That is an edit since the disk was last taken in, which would
/// undo what was pushed when it is taken in later; or something that nobody has finished.
fn edited(workspace: &Workspace, changes: &[Behind]) -> Result<Option<String>, Error> {
    let mut claims = None;
    let mut folders = workspace.work_tree.folders()?;
    for (path, olds, new) in changes {
        let Ok(path) = FilePath::parse(path) else { continue };
        if workspace.is_stale(&path) {
            continue;
        }
        let disk = match folders.look(&path, workspace.core.options.file_bytes) {
            Ok(OnDisk::File { etag, .. }) => Some(etag),
            Ok(OnDisk::Missing) => None,
            // What cannot be looked at stays.
            Err(_) => continue,
        };
        if olds.contains(&disk) || disk == new.map(|entry| entry.etag) {
            continue;
        }
        let claims = match &mut claims {
            Some(known) => known,
            none => none.insert(Claims::of(workspace)?),
        };
        match claims.on(path.as_str()) {
            Some(claim) => return Ok(Some(format!("{path}: on the server's disk {}", claim.words()))),
            // What git ignores may stand where something new comes; it stays too.
            None if olds.contains(&None) => {}
            None => return Ok(Some(EDITED.to_owned())),
        }
    }
    Ok(None)
}

/// As a group of commits is applied. The objects are there already, or come with the record that
/// makes the move durable.
fn move_main(
    workspace: &Arc<Workspace>,
    old: Etag,
    new: Etag,
    journaled: Option<(&Pack, &Incoming)>,
) -> Result<Result<(), String>, Error> {
    if old == new {
        return Ok(Ok(()));
    }
    let busy = || Error::Busy(workspace.name().clone());
    let before = workspace.tip();
    let objects = journaled.map_or(&workspace.objects, |(_, incoming)| &incoming.objects);
    let raw = objects.commit(new)?;
    let parsed = commit::parse(&raw).ok_or_else(|| Error::damaged("read a commit"))?;
    let generation = ancestry::generation(objects, new, Some((old, before.generation)))?;
    let head = Head { commit: new, root: parsed.tree, generation, seconds: parsed.seconds };
    // Index first, as git does. From here to the end no git command moves main.
    let hold = workspace.index.hold(old)?.ok_or_else(busy)?;
    let main = heads::lock_main(&workspace.git_dir, old)?.ok_or_else(busy)?;
    if heads::read_main(&workspace.git_dir)? != Some(old) {
        return Ok(Err(MOVED.to_owned()));
    }
    let mut changes: Vec<Behind> = Vec::new();
    if heads::is_on_main(&workspace.git_dir) {
        let mut load = |id| objects.tree_uncached(id);
        history::compare(&mut load, Some(before.root), Some(head.root), &mut |path, old, new| {
            changes.push((path, vec![old.map(|e| e.etag)], new));
        })?;
    }
    if let Some(why) = edited(workspace, &changes)? {
        return Ok(Err(why));
    }
    let journal = &workspace.core.journal;
    let guard = loop {
        let guard = journal.enter();
        if workspace.is_removed() {
            return Err(Error::NoWorkspace(workspace.name().clone()));
        }
        let name = workspace.name().as_str();
        let appended = match journaled {
            Some((pack, _)) => journal.append(name, old, new, pack)?,
            None => journal.append_move(name, old, new)?,
        };
        match appended {
            Appended::Durable => break guard,
            Appended::Full(epoch) => {
                drop(guard);
                journal.checkpoint_after(epoch)?;
            }
            Appended::TooLarge => return Err(Error::damaged("write a push to the journal")),
        }
    };
    let give_up = |guard, error| {
        drop(guard);
        take_back(workspace, old);
        Err(error)
    };
    if let Some((_, incoming)) = journaled {
        match incoming.keep(false) {
            Ok(kept) => kept.into_iter().for_each(|pack| workspace.note_found(pack, Some(journal.epoch()))),
            Err(error) => return give_up(guard, error),
        }
    }
    if let Err(error) = heads::prepare_move(&main, new) {
        return give_up(guard, error);
    }
    if !changes.is_empty() {
        let paths: Vec<String> = changes.iter().map(|(path, _, _)| path.clone()).collect();
        match reconcile::catch_up(workspace, changes, false) {
            Ok(notes) => workspace.index.note(notes, new),
            Err(error) => {
                workspace.set_all_stale(&paths);
                return give_up(guard, error);
            }
        }
        if workspace.index.is_written_first(workspace.core.options.index_entries)
            && let Err(error) = workspace.flush_index()
        {
            tracing::warn!(workspace.name = %workspace.name(), %error, "git's index lags behind");
        }
    }
    workspace.index.before_move();
    if let Err(error) = heads::move_main(&workspace.git_dir, main) {
        return give_up(guard, error);
    }
    workspace.set_tip(head);
    drop(guard);
    drop(hold);
    let absorb = || (workspace.core.absorber())(workspace, old, new);
    if catch_unwind(AssertUnwindSafe(absorb)).is_err() {
        tracing::error!(workspace.name = %workspace.name(), "the absorber panicked");
    }
    Ok(Ok(()))
}
