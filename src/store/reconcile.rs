//! Brings disk and git's index from one commit to another, without touching what somebody edited.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;

use super::ancestry;
use super::commit;
use super::error::{Error, TipError};
use super::gitindex::Note;
use super::hands::{Claim, Claims};
use super::heads;
use super::history;
use super::tree::Entry;
use super::trouble::Trouble;
use super::workspace::{Head, Workspace};
use super::worktree::{Folders, OnDisk};
use crate::resource::etag::Etag;
use crate::resource::key::FilePath;

/// Writes a group's files to the disk; `on_disk` is what each path has there. The commits are
/// durable whatever happens here: a file that cannot be written is remembered as stale.
pub(super) fn refresh(
    workspace: &Workspace,
    folders: &mut Folders<'_>,
    changed: &BTreeMap<FilePath, Option<Entry>>,
    on_disk: &HashMap<FilePath, Option<Etag>>,
    blobs: &HashMap<Etag, Bytes>,
) -> Vec<(Arc<str>, Note)> {
    let mut notes = Vec::with_capacity(changed.len());
    // Files that go make room for folders of their name, and the other way round.
    let removals = changed.iter().filter(|(_, new)| new.is_none());
    for (path, new) in removals.chain(changed.iter().filter(|(_, new)| new.is_some())) {
        let disk = on_disk.get(path).copied().flatten();
        let result = place(workspace, folders, path, *new, disk, blobs);
        workspace.set_stale(path, result.is_err());
        let note = result.unwrap_or_else(|error| {
            tracing::error!(workspace.name = %workspace.name(), %path, %error, "a file on disk lags behind its commit");
            new.map(|entry| (entry, None))
        });
        notes.push((path.to_arc(), note));
    }
    notes
}

/// Makes the disk have `new` where it has `disk`.
fn place(
    workspace: &Workspace,
    folders: &mut Folders<'_>,
    path: &FilePath,
    new: Option<Entry>,
    disk: Option<Etag>,
    blobs: &HashMap<Etag, Bytes>,
) -> Result<Note, TipError> {
    match (new, disk) {
        (None, None) => Ok(None),
        (None, Some(old)) => folders.remove(path, old).map(|()| None),
        (Some(entry), Some(old)) if old == entry.etag => Ok(Some((entry, folders.stat(path, entry.etag)))),
        (Some(entry), old) => {
            let content = match blobs.get(&entry.etag) {
                Some(content) => content.clone(),
                None => workspace.objects.blob(entry.etag)?,
            };
            Ok(Some((entry, folders.write(path, entry, &content, old)?)))
        }
    }
}

/// Takes in a `main` that somebody else moved: the caller holds its lock and the index's.
///
/// `by_server`: a process of the server's moved it, which leaves disk and index to us. A git
/// command in the work tree sees to those itself; it answers with paths that it dropped because
/// its index lagged.
pub(super) fn take_in(workspace: &Arc<Workspace>, on_main: bool, by_server: bool) -> Result<Vec<FilePath>, Error> {
    let old = workspace.tip();
    let Some(main) = heads::read_main(&workspace.git_dir)? else {
        let error = Error::NoMain(workspace.name().clone());
        workspace.note_trouble(Trouble::NoMain, &error.to_string());
        return Err(error);
    };
    if main == old.commit {
        return Ok(Vec::new());
    }
    // From now on the journal must not move main on from what it recorded, and what comes next stands
    // on what git may not have synced: a checkpoint of an empty journal syncs nothing.
    workspace.core.journal.sync_all().map_err(Error::io("sync what git wrote"))?;
    workspace.core.journal.checkpoint()?;
    let raw = workspace.read_commit(main)?;
    let parsed = commit::parse(&raw).ok_or_else(|| Error::damaged("read a commit"))?;
    let generation = ancestry::generation(&workspace.objects, main, Some((old.commit, old.generation)))?;
    let head = Head { commit: main, root: parsed.tree, generation, seconds: parsed.seconds };
    let mut dropped = Vec::new();
    if on_main {
        let mut changes = Vec::new();
        let mut load = |id| workspace.objects.tree(id);
        history::compare(&mut load, Some(old.root), Some(head.root), &mut |path, old, new| {
            changes.push((path, vec![old.map(|e| e.etag)], new));
        })?;
        if by_server {
            let notes = catch_up(workspace, changes, false)?;
            workspace.index.note(notes, main);
            workspace.flush_index()?;
        } else {
            let mut folders = workspace.work_tree.folders()?;
            let lagged = changes.into_iter().filter(|(path, _, _)| workspace.index.lagged(path));
            for (path, olds, _) in lagged {
                let Ok(path) = FilePath::parse(&path) else { continue };
                if let Ok(OnDisk::File { etag, .. }) = folders.look(&path, workspace.core.options.file_bytes)
                    && olds.contains(&Some(etag))
                {
                    dropped.push(path);
                }
            }
        }
    }
    workspace.set_tip(head);
    workspace.resets.note(&workspace.git_dir);
    let absorb = || (workspace.core.absorber())(workspace, old.commit, main);
    if catch_unwind(AssertUnwindSafe(absorb)).is_err() {
        tracing::error!(workspace.name = %workspace.name(), "the absorber panicked");
    }
    Ok(dropped)
}

/// A path, what the server may have left there, and what should be there.
pub(super) type Behind = (String, Vec<Option<Etag>>, Option<Entry>);

/// Moves files on that are what the server left (or already what they should be); others were
/// edited and stay. After a power cut files that were never synced may be empty or zeros (`torn`):
/// those are nobody's edit.
pub(super) fn catch_up(
    workspace: &Workspace,
    mut changes: Vec<Behind>,
    torn: bool,
) -> Result<Vec<(Arc<str>, Note)>, Error> {
    let mut notes: Vec<(Arc<str>, Note)> = Vec::with_capacity(changes.len());
    let mut folders = workspace.work_tree.folders()?;
    // Files that go first.
    changes.sort_by_key(|(_, _, new)| new.is_some());
    for (path, olds, new) in changes {
        let Ok(path) = FilePath::parse(&path) else {
            // A name that no write here may use never gets to the disk.
            notes.push((path.into(), new.map(|entry| (entry, None))));
            continue;
        };
        let result = catch_up_one(workspace, &mut folders, &path, &olds, new, torn);
        workspace.set_stale(&path, result.is_err());
        let note = result.unwrap_or_else(|error| {
            tracing::warn!(workspace.name = %workspace.name(), %path, %error, "a file on disk stays as it is");
            new.map(|entry| (entry, None))
        });
        notes.push((path.to_arc(), note));
    }
    Ok(notes)
}

fn catch_up_one(
    workspace: &Workspace,
    folders: &mut Folders<'_>,
    path: &FilePath,
    olds: &[Option<Etag>],
    new: Option<Entry>,
    torn: bool,
) -> Result<Note, TipError> {
    let mut disk = None;
    let mut is_ours = false;
    if let OnDisk::File { etag, content, .. } = folders.look(path, workspace.core.options.file_bytes)? {
        if torn && new.map(|e| e.etag) != Some(etag) && content.is_some_and(|c| c.iter().all(|b| *b == 0)) {
            folders.remove(path, etag)?;
            is_ours = true;
        } else {
            disk = Some(etag);
        }
    }
    if is_ours || olds.contains(&disk) || disk == new.map(|e| e.etag) {
        place(workspace, folders, path, new, disk, &HashMap::new())
    } else {
        Ok(new.map(|entry| (entry, None)))
    }
}

/// Brings files back that a git command took away or put back without getting to move `main`
/// ([`super::hands::Claim::PutBack`]).
pub(super) fn bring_back(workspace: &Arc<Workspace>, paths: &[FilePath]) -> Result<(), Error> {
    let head = workspace.head();
    let busy = || Error::Busy(workspace.name().clone());
    let _hold = workspace.index.hold(head)?.ok_or_else(busy)?;
    if !heads::is_on_main(&workspace.git_dir) || heads::read_main(&workspace.git_dir)? != Some(head) {
        return Err(busy());
    }
    let claims = Claims::of(workspace)?;
    let snapshot = workspace.snapshot(None)?;
    let mut changes = Vec::with_capacity(paths.len());
    let mut folders = workspace.work_tree.folders()?;
    for path in paths {
        let disk = match folders.look(path, workspace.core.options.file_bytes) {
            Ok(OnDisk::File { etag, .. }) => Some(etag),
            Ok(OnDisk::Missing) => None,
            Err(_) => continue,
        };
        // It may have become somebody's edit since.
        if matches!(claims.on_differing(path, disk)?, Some(Claim::PutBack { .. })) {
            changes.push((path.to_string(), vec![disk], snapshot.entry(path.as_str())?));
        }
    }
    drop(folders);
    tracing::warn!(
        workspace.name = %workspace.name(),
        files = changes.len(),
        "a git command ended before it could move main: its files are as in main again"
    );
    let notes = catch_up(workspace, changes, false)?;
    workspace.index.note(notes, head);
    workspace.flush_index()
}

/// After a crash: brings disk and index from where they may have been (`bases`: the commit that the
/// index was at, the first one that the journal knew) to `main`.
pub(super) fn recover(workspace: &Arc<Workspace>, bases: &[Etag], torn: bool) -> Result<(), Error> {
    let head = workspace.head();
    let _hold = workspace.index.hold(head)?.ok_or_else(|| Error::Busy(workspace.name().clone()))?;
    if !heads::is_on_main(&workspace.git_dir) {
        return Ok(());
    }
    let mut versions: BTreeMap<Arc<str>, Vec<Option<Etag>>> = BTreeMap::new();
    for base in bases {
        history::walk::<Error>(workspace, Some(*base), head, |committed| {
            for change in committed.changes {
                versions.entry(change.path).or_default().extend([change.old, change.new]);
            }
            Ok(())
        })?;
    }
    let snapshot = workspace.snapshot(None)?;
    let mut changes = Vec::with_capacity(versions.len());
    for (path, olds) in versions {
        let new = snapshot.entry(&path)?;
        changes.push((path.as_ref().to_owned(), olds, new));
    }
    let notes = catch_up(workspace, changes, torn)?;
    workspace.index.note(notes, head);
    workspace.flush_index()
}

/// Writes every file of `main` where the disk has none.
pub(super) fn check_out(workspace: &Arc<Workspace>) -> Result<(), Error> {
    let head = workspace.head();
    let _hold = workspace.index.hold(head)?.ok_or_else(|| Error::Busy(workspace.name().clone()))?;
    let files = workspace.snapshot(None)?.files("", true)?;
    let changes = files.iter().map(|file| (file.path.as_ref().to_owned(), vec![None], Some(file.entry()))).collect();
    let notes = catch_up(workspace, changes, false)?;
    workspace.index.note(notes, head);
    workspace.flush_index()
}
