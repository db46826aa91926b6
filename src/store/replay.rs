//! After a crash: writes again what the journal says was acknowledged.
//!
//! Only a power cut needs it; after `kill -9` the kernel still has every write and all of this
//! finds things in order. A ref is never moved off a commit that somebody put there since.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::consolidate;
use super::error::Error;
use super::heads;
use super::journal::Leftover;
use super::layout::Layout;
use super::lock;
use super::objects::{Caches, Objects};
use super::packfile;
use super::record::Record;
use crate::resource::etag::Etag;
use crate::resource::key::WorkspaceName;

/// Seconds by which clocks of disk and journal may differ.
const SLACK: i64 = 5;

/// Applies what is left in a journal. For each workspace: the commit that its first record started
/// from, since which nothing on its disk is sure.
pub(super) fn replay(
    layout: &Layout,
    leftover: &Leftover,
    caches: &Arc<Caches>,
) -> Result<HashMap<String, Etag>, Error> {
    let mut by_workspace: HashMap<&str, Vec<&Record>> = HashMap::new();
    for record in &leftover.records {
        by_workspace.entry(&record.workspace).or_default().push(record);
    }
    let mut first = HashMap::new();
    for (name, records) in by_workspace {
        let Ok(parsed) = WorkspaceName::parse(name) else { continue };
        let git_dir = layout.workspace(&parsed).join(".git");
        if !git_dir.is_dir() {
            continue;
        }
        tracing::info!(workspace.name = name, records = records.len(), "replaying the journal");
        let objects = Objects::new(parsed, u32::MAX, caches.clone(), &git_dir);
        mend(&git_dir, &records, leftover.since, &objects)?;
        if let Some(record) = records.first() {
            first.insert(name.to_owned(), record.old);
        }
    }
    Ok(first)
}

fn mend(git_dir: &Path, records: &[&Record], since: i64, objects: &Objects) -> Result<(), Error> {
    let folder = packfile::folder(git_dir);
    fs::create_dir_all(&folder).map_err(Error::at("make", &folder))?;
    remove_torn(&folder, since)?;
    let mut packs = Vec::new();
    for record in records.iter().filter(|r| !r.pack.is_empty()) {
        let listed =
            packfile::parse_index(&record.index).ok_or_else(|| Error::damaged("read a pack's index in the journal"))?;
        packs.push((record.pack.clone(), listed));
    }
    if !packs.is_empty() {
        packfile::write_synced(&folder, &consolidate::merge(&packs)?)?;
    }
    let Some(last) = records.last() else { return Ok(()) };
    let main_lock = heads::main_lock_path(git_dir);
    let is_known = |id: Etag| records.iter().any(|r| r.old == id || r.new == id);
    // Killed between writing the new value and the rename, our lock looks like git's.
    let written = fs::read_to_string(&main_lock).ok().and_then(|text| Etag::parse(text.trim_end()));
    let is_empty = fs::metadata(&main_lock).is_ok_and(|m| m.len() == 0);
    if written.is_some_and(is_known) || is_empty || lock::left_behind(&main_lock).is_some() {
        fs::remove_file(&main_lock).map_err(Error::at("remove", &main_lock))?;
    }
    let now = heads::read_main(git_dir)?;
    let is_behind = match now {
        None => true,
        Some(now) => now != last.new && (is_known(now) || !objects.exists(now)),
    };
    if is_behind {
        let path = git_dir.join("refs/heads");
        fs::create_dir_all(&path).map_err(Error::at("make", &path))?;
        let unfinished = git_dir.join("workleaf-main");
        let write = || {
            fs::write(&unfinished, format!("{}\n", last.new))?;
            fs::File::open(&unfinished)?.sync_all()?;
            fs::rename(&unfinished, git_dir.join(heads::MAIN))
        };
        write().map_err(Error::io("mend refs/heads/main"))?;
    }
    Ok(())
}

/// Packs that were written since the last checkpoint may lack what was never synced. All that they
/// hold is in the journal, or was synced before it was merged into them.
fn remove_torn(folder: &Path, since: i64) -> Result<(), Error> {
    for item in fs::read_dir(folder).map_err(Error::at("list", folder))? {
        let item = item.map_err(Error::at("list", folder))?;
        let modified = item.metadata().and_then(|m| m.modified()).ok();
        let seconds = modified.and_then(|m| m.duration_since(UNIX_EPOCH).ok()).map_or(i64::MAX, |d| d.as_secs() as i64);
        let file = item.file_name();
        let name = file.to_str().and_then(|f| f.strip_prefix("pack-")?.strip_suffix(".idx")).and_then(Etag::parse);
        if let Some(name) = name
            && seconds >= since - SLACK
            && !packfile::is_whole(folder, name)
        {
            tracing::warn!(pack = %name, "removing a pack that was cut off");
            packfile::remove(folder, name);
        }
    }
    Ok(())
}
