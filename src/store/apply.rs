//! A group of commits on its way: durable first, then visible.

use std::sync::Arc;

use super::commit::Committed;
use super::error::Error;
use super::heads;
use super::journal::Appended;
use super::lock::LockFile;
use super::packfile;
use super::reconcile;
use super::tip::Group;
use super::workspace::Workspace;
use crate::resource::etag::Etag;

/// Keeps a record from coming true at the next start: its writers are told that it failed.
pub(super) fn take_back(workspace: &Workspace, head: Etag) {
    let journal = &workspace.core.journal;
    let guard = journal.enter();
    let taken = journal.append_undo(workspace.name().as_str(), head);
    drop(guard);
    let taken = match taken {
        // A checkpoint forgets the record as well.
        Ok(Appended::Full(epoch)) => journal.checkpoint_after(epoch),
        other => other.map(|_| ()),
    };
    if let Err(error) = taken {
        tracing::warn!(workspace.name = %workspace.name(), %error, "cannot take a record back");
    }
}

/// Makes a group durable, then visible.
pub(super) fn apply(
    workspace: &Arc<Workspace>,
    main: LockFile,
    group: Group<'_>,
) -> Result<Vec<Arc<Committed>>, Error> {
    let journal = &workspace.core.journal;
    let name = workspace.name().as_str();
    let old = workspace.head();
    let packs = packfile::folder(&workspace.git_dir);
    let mut too_large = false;
    let guard = loop {
        let guard = journal.enter();
        // A removal waits for this guard: seen here or the files are still where they were.
        if workspace.is_removed() {
            return Err(Error::NoWorkspace(workspace.name().clone()));
        }
        match journal.append(name, old, group.head.commit, &group.pack)? {
            Appended::Durable => break guard,
            Appended::Full(epoch) => {
                drop(guard);
                journal.checkpoint_after(epoch)?;
            }
            Appended::TooLarge => {
                too_large = true;
                break guard;
            }
        }
    };
    let place = || {
        if too_large {
            packfile::write_synced(&packs, &group.pack)?;
        } else {
            packfile::write(&packs, &group.pack)?;
        }
        heads::prepare_move(&main, group.head.commit)
    };
    if let Err(error) = place() {
        drop(guard);
        if !too_large {
            take_back(workspace, old);
        }
        return Err(error);
    }
    workspace.note_pack(&group.pack, journal.epoch());
    if let Some(mut folders) = group.folders {
        let notes = reconcile::refresh(workspace, &mut folders, &group.changed, &group.on_disk, &group.blobs);
        workspace.index.note(notes, group.head.commit);
        if workspace.index.is_written_first(workspace.core.options.index_entries)
            && let Err(error) = workspace.flush_index()
        {
            tracing::warn!(workspace.name = %workspace.name(), %error, "git's index lags behind");
        }
    }
    workspace.index.before_move();
    if let Err(error) = heads::move_main(&workspace.git_dir, main) {
        // The disk is ahead of main: not an edit.
        for path in group.changed.keys() {
            workspace.set_stale(path, true);
        }
        drop(guard);
        take_back(workspace, old);
        return Err(error);
    }
    for (id, content) in &group.blobs {
        workspace.objects.keep_blob(*id, content.clone());
    }
    for id in &group.past {
        workspace.objects.drop_tree(*id);
    }
    for (id, content) in group.trees.iter().filter(|(id, _)| !group.past.contains(*id)) {
        workspace.objects.keep_tree(*id, content.clone());
    }
    workspace.set_tip(group.head);
    let committed = group.committed;
    drop(guard);
    if journal.is_half_full() {
        workspace.core.upkeep.wake();
    }
    if too_large {
        journal.sync_all().map_err(Error::io("sync the disk"))?;
    }
    Ok(committed)
}
