//! Pack files in a repository: their names, writing one, reading what is needed to merge them.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};

use super::error::Error;
use super::pack::{Listed, Pack};
use crate::resource::etag::Etag;

/// `objects/pack` of a repository.
pub(super) fn folder(git_dir: &Path) -> PathBuf {
    git_dir.join("objects/pack")
}

pub(super) fn path(folder: &Path, name: Etag, extension: &str) -> PathBuf {
    folder.join(format!("pack-{name}.{extension}"))
}

/// Puts a pack and its index in place, without syncing. A pack without index is nothing to git, so
/// only the index needs the rename.
pub(super) fn write(folder: &Path, pack: &Pack) -> Result<(), Error> {
    let pack_path = path(folder, pack.name, "pack");
    put(&pack_path, &pack.pack)?;
    let index_path = path(folder, pack.name, "idx");
    let unfinished = folder.join(format!("tmp_idx_{}", pack.name));
    put(&unfinished, &pack.index)?;
    fs::rename(&unfinished, &index_path).map_err(Error::at("rename", &index_path))
}

/// The same, synced before the index gets its name.
pub(super) fn write_synced(folder: &Path, pack: &Pack) -> Result<(), Error> {
    let sync = |path: &Path| fs::File::open(path).and_then(|file| file.sync_all()).map_err(Error::at("sync", path));
    let pack_path = path(folder, pack.name, "pack");
    put(&pack_path, &pack.pack)?;
    sync(&pack_path)?;
    let index_path = path(folder, pack.name, "idx");
    let unfinished = folder.join(format!("tmp_idx_{}", pack.name));
    put(&unfinished, &pack.index)?;
    sync(&unfinished)?;
    fs::rename(&unfinished, &index_path).map_err(Error::at("rename", &index_path))?;
    sync(folder)
}

fn put(path: &Path, content: &[u8]) -> Result<(), Error> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(path)
        .map_err(Error::at("write", path))?;
    file.write_all(content).map_err(|error| {
        // Half a pack only takes space that is short already.
        drop(fs::remove_file(path));
        Error::at("write", path)(error)
    })
}

/// Takes a pack away; its index first, so that no reader finds half of it.
pub(super) fn remove(folder: &Path, name: Etag) {
    for extension in ["idx", "rev", "bitmap", "mtimes", "pack"] {
        let path = path(folder, name, extension);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "cannot remove a merged pack");
        }
    }
}

/// A pack that upkeep may merge: its name and size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: Etag,
    pub(super) bytes: u64,
}

/// Packs with an index and nothing that says to leave them alone.
pub(super) fn list(folder: &Path) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).map_err(Error::at("list", folder))? {
        let item = item.map_err(Error::at("list", folder))?;
        let file = item.file_name();
        let Some(name) =
            file.to_str().and_then(|f| f.strip_prefix("pack-")?.strip_suffix(".pack")).and_then(Etag::parse)
        else {
            continue;
        };
        let beside = |extension| path(folder, name, extension).exists();
        if beside("idx") && !beside("keep") && !beside("promisor") && !beside("mtimes") {
            let bytes = item.metadata().map_err(Error::at("look at", &item.path()))?.len();
            found.push(Found { name, bytes });
        }
    }
    Ok(found)
}

/// Reads a pack's bytes and its index's entries, in the pack's order.
pub(super) fn read(folder: &Path, name: Etag) -> Result<(Vec<u8>, Vec<Listed>), Error> {
    let pack_path = path(folder, name, "pack");
    let pack = fs::read(&pack_path).map_err(Error::at("read", &pack_path))?;
    let index_path = path(folder, name, "idx");
    let index = fs::read(&index_path).map_err(Error::at("read", &index_path))?;
    let listed = parse_index(&index).ok_or_else(|| Error::damaged("read a pack's index"))?;
    if pack.len() < 32 || !pack.starts_with(b"PACK\0\0\0\x02") {
        return Err(Error::damaged("read a pack"));
    }
    Ok((pack, listed))
}

/// The entries of an index, in the pack's order.
pub(super) fn parse_index(index: &[u8]) -> Option<Vec<Listed>> {
    let body = index.strip_prefix(b"\xfftOc\0\0\0\x02")?;
    let word = |at: usize| -> Option<u32> { Some(u32::from_be_bytes(body.get(at..at + 4)?.try_into().ok()?)) };
    let count = word(255 * 4)? as usize;
    let ids = 1024;
    let crcs = ids + count * 20;
    let offsets = crcs + count * 4;
    let mut listed = Vec::with_capacity(count.min(body.len()));
    for n in 0..count {
        let id = Etag(body.get(ids + n * 20..ids + n * 20 + 20)?.try_into().ok()?);
        let offset = word(offsets + n * 4)?;
        // Long offsets belong to packs that are never merged here.
        if offset & 0x8000_0000 != 0 {
            return None;
        }
        listed.push(Listed { id, crc: word(crcs + n * 4)?, offset: u64::from(offset) });
    }
    listed.sort_unstable_by_key(|l| l.offset);
    Some(listed)
}

/// Whether both files are whole: each ends in its own checksum, and the index names the pack's.
pub(super) fn is_whole(folder: &Path, name: Etag) -> bool {
    let ends_in_its_sum = |content: &[u8]| {
        content.len() > 20 && {
            let (body, sum) = content.split_at(content.len() - 20);
            Sha1::digest(body)[..] == *sum
        }
    };
    let (Ok(pack), Ok(index)) = (fs::read(path(folder, name, "pack")), fs::read(path(folder, name, "idx"))) else {
        return false;
    };
    ends_in_its_sum(&pack)
        && ends_in_its_sum(&index)
        && index.len() > 40
        && pack[pack.len() - 20..] == index[index.len() - 40..index.len() - 20]
}
