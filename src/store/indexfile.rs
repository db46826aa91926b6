//! The format of git's index file, gitformat-index(5): read in versions 2 and 3, written likewise.
//! Other versions are read by libgit2. Extensions only cache and are left out.

use std::collections::BTreeMap;
use std::path::Path;

use git2::Index;
use sha1::{Digest, Sha1};

use super::tree::Entry;
use super::worktree::FileStat;

/// Flag of an entry with two more bytes of flags.
const EXTENDED: u16 = 0x4000;
const STAGE: u16 = 0x3000;
const NAME_LENGTH: u16 = 0x0fff;

/// An index in memory, by path and stage.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct IndexFile {
    entries: BTreeMap<(Vec<u8>, u16), Item>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Item {
    /// Times, device, inode, mode, owner, group, size: ten words.
    stat: [u8; 40],
    id: [u8; 20],
    /// Without the name's length.
    flags: u16,
    extended: u16,
}

impl IndexFile {
    /// Reads an index; `None` where it is torn or of a kind that nobody here knows.
    pub(super) fn read(path: &Path, content: &[u8]) -> Option<Self> {
        Self::parse(content).or_else(|| Self::read_other(path))
    }

    fn parse(content: &[u8]) -> Option<Self> {
        let (body, sum) = content.split_at_checked(content.len().checked_sub(20)?)?;
        // All zeros: git was told to skip the sum.
        if *sum != [0; 20] && Sha1::digest(body)[..] != *sum {
            return None;
        }
        let word = |at: usize| -> Option<u32> { Some(u32::from_be_bytes(body.get(at..at + 4)?.try_into().ok()?)) };
        if !body.starts_with(b"DIRC") || !matches!(word(4)?, 2 | 3) {
            return None;
        }
        let mut entries = BTreeMap::new();
        let mut at = 12;
        for _ in 0..word(8)? {
            let fixed = body.get(at..at + 62)?;
            let flags = u16::from_be_bytes([fixed[60], fixed[61]]);
            let mut name_at = at + 62;
            let mut extended = 0;
            if flags & EXTENDED != 0 {
                let more = body.get(name_at..name_at + 2)?;
                extended = u16::from_be_bytes([more[0], more[1]]);
                name_at += 2;
            }
            let length = body.get(name_at..)?.iter().position(|b| *b == 0)?;
            let name = body[name_at..name_at + length].to_vec();
            let item = Item {
                stat: fixed[..40].try_into().ok()?,
                id: fixed[40..60].try_into().ok()?,
                flags: flags & !NAME_LENGTH,
                extended,
            };
            entries.insert((name, flags & STAGE), item);
            at += (name_at - at + length + 8) & !7;
        }
        // A split index needs its other half: its name is in small letters, as all that must be
        // understood.
        let mut rest = body.get(at..)?;
        while rest.len() >= 8 {
            if !rest[0].is_ascii_uppercase() {
                return None;
            }
            let length = u32::from_be_bytes(rest[4..8].try_into().ok()?) as usize;
            rest = rest.get(8 + length..)?;
        }
        Some(IndexFile { entries })
    }

    fn read_other(path: &Path) -> Option<Self> {
        let index = Index::open(path).ok()?;
        let mut file = IndexFile::default();
        for entry in index.iter() {
            let words = [
                entry.ctime.seconds() as u32,
                entry.ctime.nanoseconds(),
                entry.mtime.seconds() as u32,
                entry.mtime.nanoseconds(),
                entry.dev,
                entry.ino,
                entry.mode,
                entry.uid,
                entry.gid,
                entry.file_size,
            ];
            let flags = (entry.flags & !NAME_LENGTH) & !EXTENDED;
            let item = Item { stat: join(words), id: entry.id.as_bytes().try_into().ok()?, flags, extended: 0 };
            file.entries.insert((entry.path, flags & STAGE), item);
        }
        Some(file)
    }

    /// Sets a path, without a stat so that git looks at the file itself. Files that stand where its
    /// folders should be go, and so does what is below it.
    #[expect(clippy::cast_possible_truncation, reason = "the format keeps the low 32 bits")]
    pub(super) fn set(&mut self, path: &str, entry: Entry, stat: Option<FileStat>) {
        self.remove(path);
        for (end, _) in path.match_indices('/') {
            self.remove(&path[..end]);
        }
        let below = (format!("{path}/").into_bytes(), 0)..(format!("{path}0").into_bytes(), 0);
        let gone: Vec<_> = self.entries.range(below).map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.entries.remove(&key);
        }
        let mut words = [0; 10];
        words[6] = entry.mode.bits();
        if let Some(stat) = stat {
            words[..6].copy_from_slice(&[
                stat.changed.0 as u32,
                stat.changed.1 as u32,
                stat.modified.0 as u32,
                stat.modified.1 as u32,
                stat.device as u32,
                stat.inode as u32,
            ]);
            words[7..].copy_from_slice(&[stat.uid, stat.gid, stat.size as u32]);
        }
        let item = Item { stat: join(words), id: entry.etag.0, flags: 0, extended: 0 };
        self.entries.insert((path.as_bytes().to_vec(), 0), item);
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes a path out, in all stages of a conflict.
    pub(super) fn remove(&mut self, path: &str) {
        let mut key = (path.as_bytes().to_vec(), 0);
        for stage in 0..4 {
            key.1 = stage << 12;
            self.entries.remove(&key);
        }
    }

    /// The file's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let version: u32 = if self.entries.values().any(|item| item.extended != 0) { 3 } else { 2 };
        let mut out = Vec::with_capacity(self.entries.len() * 128 + 64);
        out.extend_from_slice(b"DIRC");
        out.extend_from_slice(&version.to_be_bytes());
        out.extend_from_slice(&(self.entries.len() as u32).to_be_bytes());
        for ((name, _), item) in &self.entries {
            let start = out.len();
            out.extend_from_slice(&item.stat);
            out.extend_from_slice(&item.id);
            let extended = if item.extended == 0 { 0 } else { EXTENDED };
            let length = (name.len() as u16).min(NAME_LENGTH);
            out.extend_from_slice(&((item.flags & !EXTENDED) | extended | length).to_be_bytes());
            if extended != 0 {
                out.extend_from_slice(&item.extended.to_be_bytes());
            }
            out.extend_from_slice(name);
            // At least one zero, up to a multiple of eight.
            let padded = (out.len() - start + 8) & !7;
            out.resize(start + padded, 0);
        }
        let sum: [u8; 20] = Sha1::digest(&out).into();
        out.extend_from_slice(&sum);
        out
    }
}

fn join(words: [u32; 10]) -> [u8; 40] {
    let mut out = [0; 40];
    for (place, word) in out.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    out
}
