//! Git's tree objects as bytes: reading entries, looking one up, writing a changed one.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use bytes::Bytes;

use crate::resource::etag::Etag;

/// The id of the tree without entries.
pub(super) const EMPTY_TREE: Etag = Etag([
    0x4b, 0x82, 0x5d, 0xc6, 0x42, 0xcb, 0x6e, 0xb9, 0xa0, 0x60, 0xe5, 0x4b, 0xf8, 0xd6, 0x92, 0x88, 0xfb, 0xee, 0x49,
    0x04,
]);

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileMode {
    File,
    Executable,
    /// A symbolic link; checked out as a plain file that holds the target's name.
    Link,
    /// Another repository's commit.
    Submodule,
    Folder,
}

impl FileMode {
    fn parse(octal: &[u8]) -> Option<Self> {
        Some(match octal {
            b"40000" | b"040000" => FileMode::Folder,
            b"100755" => FileMode::Executable,
            b"120000" => FileMode::Link,
            b"160000" => FileMode::Submodule,
            // 100664 and the like, which old gits wrote.
            octal if octal.starts_with(b"100") => FileMode::File,
            _ => return None,
        })
    }

    fn octal(self) -> &'static [u8] {
        match self {
            FileMode::File => b"100644",
            FileMode::Executable => b"100755",
            FileMode::Link => b"120000",
            FileMode::Submodule => b"160000",
            FileMode::Folder => b"40000",
        }
    }

    /// As git's index has it.
    pub(super) fn bits(self) -> u32 {
        match self {
            FileMode::File => 0o100644,
            FileMode::Executable => 0o100755,
            FileMode::Link => 0o120000,
            FileMode::Submodule => 0o160000,
            FileMode::Folder => 0o040000,
        }
    }

    /// Has stored bytes: a file, an executable file or a link's target.
    pub fn is_blob(self) -> bool {
        matches!(self, FileMode::File | FileMode::Executable | FileMode::Link)
    }
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    pub etag: Etag,
    pub mode: FileMode,
}

/// One entry of a raw tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawEntry<'a> {
    pub(super) name: &'a [u8],
    pub(super) entry: Entry,
}

/// Walks a raw tree's entries in stored order; ends early at damage, which [`check`] reports.
pub(super) struct Entries<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = RawEntry<'a>;

    fn next(&mut self) -> Option<RawEntry<'a>> {
        let bytes = self.0;
        let (mode, rest) = if let Some(rest) = bytes.strip_prefix(b"100644 ") {
            (FileMode::File, rest)
        } else if let Some(rest) = bytes.strip_prefix(b"40000 ") {
            (FileMode::Folder, rest)
        } else {
            // Modes are five or six digits.
            let blank = bytes.iter().take(8).position(|b| *b == b' ')?;
            (FileMode::parse(&bytes[..blank])?, &bytes[blank + 1..])
        };
        let end = memchr::memchr(0, rest)?;
        let id = rest.get(end + 1..end + 21)?;
        let mut etag = Etag([0; 20]);
        etag.0.copy_from_slice(id);
        self.0 = &rest[end + 21..];
        Some(RawEntry { name: &rest[..end], entry: Entry { etag, mode } })
    }
}

impl Entries<'_> {
    /// Passes over entries that both have next, if not over all of them.
    pub(super) fn skip_common(&mut self, other: &mut Self) {
        const STEP: usize = 32;
        if self.0 == other.0 {
            (self.0, other.0) = (&[], &[]);
            return;
        }
        let steps = self.0.chunks_exact(STEP).zip(other.0.chunks_exact(STEP));
        let common = steps.take_while(|(a, b)| a == b).count() * STEP;
        let mut start = 0;
        while let Some(end) = memchr::memchr(0, &self.0[start..common]).map(|at| start + at + 21)
            && end <= common
        {
            start = end;
        }
        (self.0, other.0) = (&self.0[start..], &other.0[start..]);
    }
}

/// Whether every byte belongs to an entry.
pub(super) fn check(raw: &[u8]) -> bool {
    let mut entries = Entries(raw);
    while entries.next().is_some() {}
    entries.0.is_empty()
}

/// Whether some entry's mode is not spelt as git spells it today.
pub(super) fn has_odd_modes(raw: &[u8]) -> bool {
    let mut entries = Entries(raw);
    loop {
        let at = entries.0;
        let Some(item) = entries.next() else { return !at.is_empty() };
        if !at.strip_prefix(item.entry.mode.octal()).is_some_and(|rest| rest.starts_with(b" ")) {
            return true;
        }
    }
}

/// The entry of this name.
pub(super) fn find(raw: &[u8], name: &str) -> Option<Entry> {
    Entries(raw).find(|e| e.name == name.as_bytes()).map(|e| e.entry)
}

/// Git's order: folders sort as if their names ended in a slash.
pub(super) fn order(a: &[u8], a_folder: bool, b: &[u8], b_folder: bool) -> Ordering {
    let common = a.len().min(b.len());
    a[..common].cmp(&b[..common]).then_with(|| {
        let after = |name: &[u8], folder: bool| match name.get(common) {
            Some(byte) => u16::from(*byte),
            None if folder => u16::from(b'/'),
            None => 0,
        };
        // A folder "a" and a file "a" tie, which cannot be in one tree.
        after(a, a_folder).cmp(&after(b, b_folder))
    })
}

fn push(out: &mut Vec<u8>, name: &[u8], entry: Entry) {
    out.extend_from_slice(entry.mode.octal());
    out.push(b' ');
    out.extend_from_slice(name);
    out.push(0);
    out.extend_from_slice(&entry.etag.0);
}

/// Writes a tree again with some entries set or, where `None`, taken out.
pub(super) fn edited(raw: &[u8], edits: &BTreeMap<&str, Option<Entry>>) -> Bytes {
    let mut added: Vec<(&str, Entry)> = edits.iter().filter_map(|(name, e)| e.map(|e| (*name, e))).collect();
    added.sort_by(|(a, x), (b, y)| {
        order(a.as_bytes(), x.mode == FileMode::Folder, b.as_bytes(), y.mode == FileMode::Folder)
    });
    let mut added = added.into_iter().peekable();
    let mut out = Vec::with_capacity(raw.len() + 64 * edits.len());
    let mut entries = Entries(raw);
    // Untouched stretches are copied whole.
    let mut kept_from = 0;
    loop {
        let at = raw.len() - entries.0.len();
        let Some(old) = entries.next() else { break };
        let next = raw.len() - entries.0.len();
        let old_folder = old.entry.mode == FileMode::Folder;
        while let Some((name, entry)) = added.peek() {
            let folder = entry.mode == FileMode::Folder;
            if order(name.as_bytes(), folder, old.name, old_folder) == Ordering::Greater {
                break;
            }
            out.extend_from_slice(&raw[kept_from..at]);
            kept_from = at;
            push(&mut out, name.as_bytes(), *entry);
            added.next();
        }
        if std::str::from_utf8(old.name).is_ok_and(|name| edits.contains_key(name)) {
            out.extend_from_slice(&raw[kept_from..at]);
            kept_from = next;
        }
    }
    out.extend_from_slice(&raw[kept_from..]);
    for (name, entry) in added {
        push(&mut out, name.as_bytes(), entry);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> Etag {
        Etag([n; 20])
    }

    fn file(n: u8) -> Option<Entry> {
        Some(Entry { etag: id(n), mode: FileMode::File })
    }

    fn folder(n: u8) -> Option<Entry> {
        Some(Entry { etag: id(n), mode: FileMode::Folder })
    }

    fn names(raw: &[u8]) -> Vec<String> {
        assert!(check(raw));
        Entries(raw).map(|e| String::from_utf8_lossy(e.name).into_owned()).collect()
    }

    #[test]
    fn entries_keep_gits_order() {
        let raw = edited(b"", &BTreeMap::from([("a", folder(1)), ("a.b", file(2)), ("a-b", file(3)), ("a0", file(4))]));
        assert_eq!(names(&raw), ["a-b", "a.b", "a", "a0"]);
        // The file becomes a folder and moves.
        let raw = edited(&raw, &BTreeMap::from([("a-b", None), ("a", file(9)), ("z", file(5))]));
        assert_eq!(names(&raw), ["a", "a.b", "a0", "z"]);
        assert_eq!(find(&raw, "a"), file(9));
        let same = edited(&raw, &BTreeMap::from([("a", file(9))]));
        assert_eq!(same, raw);
    }

    #[test]
    fn common_entries_are_passed_over() {
        let names: Vec<String> = (0..40).map(|n| format!("name-{n:02}")).collect();
        let raw = edited(b"", &names.iter().map(|name| (name.as_str(), file(7))).collect());
        let left = |a: &[u8], b: &[u8]| {
            let (mut a, mut b) = (Entries(a), Entries(b));
            a.skip_common(&mut b);
            (a.count(), b.count())
        };
        assert_eq!(left(&raw, &raw), (0, 0));
        for (n, name) in names.iter().enumerate() {
            let changed = left(&raw, &edited(&raw, &BTreeMap::from([(name.as_str(), file(8))])));
            assert!((40 - n..=41 - n).contains(&changed.0) && changed.0 == changed.1, "{n}: {changed:?}");
            let gone = left(&raw, &edited(&raw, &BTreeMap::from([(name.as_str(), None)])));
            assert!((40 - n..=41 - n).contains(&gone.0) && gone.0 == gone.1 + 1, "{n}: {gone:?}");
        }
    }

    #[test]
    fn damage_is_seen() {
        let raw = edited(b"", &BTreeMap::from([("a", file(1))]));
        assert!(check(&raw) && !check(&raw[..raw.len() - 1]) && !check(b"100644 x"));
    }
}
