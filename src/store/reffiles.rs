//! Refs as git keeps them (gitrepository-layout(5)): files below `refs`, and `packed-refs`.
//!
//! Read as text, not by libgit2, which looks every tag up: a hundred thousand refs are read as fast
//! as their names.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::error::Error;
use crate::resource::etag::Etag;

/// Folders below `refs`, and links from one ref to another, that are followed.
const DEPTH_MOST: usize = 32;
const LINKS_MOST: usize = 5;

/// Where a ref leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) id: Etag,
    /// What an annotated tag is of, where `packed-refs` says so; the outer `None`: not known.
    pub(super) peeled: Option<Option<Etag>>,
}

/// Every ref below `refs` by its name. One that is broken is nobody's.
pub(super) fn read_all(git_dir: &Path) -> Result<BTreeMap<String, Target>, Error> {
    let mut loose = Vec::new();
    // Loose ones first: one that is packed meanwhile is found there.
    walk(&git_dir.join("refs"), "refs", 0, &mut |name, text| loose.push((name, text)));
    let mut all = read_packed(git_dir)?;
    let mut links = Vec::new();
    for (name, text) in loose {
        match text.strip_prefix("ref: ") {
            Some(to) => links.push((name, to.trim_end().to_owned())),
            None => match text.split_ascii_whitespace().next().and_then(Etag::parse) {
                Some(id) => drop(all.insert(name, Target { id, peeled: None })),
                None => drop(all.remove(&name)),
            },
        }
    }
    for _ in 0..LINKS_MOST {
        links.retain(|(name, to)| match all.get(to).copied() {
            Some(target) => {
                all.insert(name.clone(), target);
                false
            }
            None => true,
        });
    }
    Ok(all)
}

/// How many refs are files of their own; no more than `most` are counted.
pub(super) fn count_loose(git_dir: &Path, most: usize) -> usize {
    let mut count = 0;
    let mut folders = vec![git_dir.join("refs")];
    while let Some(folder) = folders.pop() {
        let Ok(items) = fs::read_dir(&folder) else { continue };
        for item in items.flatten() {
            match item.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(item.path()),
                Ok(_) => count += 1,
                Err(_) => {}
            }
            if count >= most {
                return count;
            }
        }
    }
    count
}

fn walk(folder: &Path, name: &str, depth: usize, each: &mut impl FnMut(String, String)) {
    let Ok(items) = fs::read_dir(folder) else { return };
    for item in items.flatten() {
        let Ok(last) = item.file_name().into_string() else { continue };
        let name = format!("{name}/{last}");
        match item.file_type() {
            Ok(kind) if kind.is_dir() && depth < DEPTH_MOST => walk(&item.path(), &name, depth + 1, each),
            Ok(kind) if kind.is_file() && git2::Reference::is_valid_name(&name) => {
                if let Ok(text) = fs::read_to_string(item.path()) {
                    each(name, text);
                }
            }
            _ => {}
        }
    }
}

fn read_packed(git_dir: &Path) -> Result<BTreeMap<String, Target>, Error> {
    let text = match fs::read_to_string(git_dir.join("packed-refs")) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
            return Ok(BTreeMap::new());
        }
        Err(error) => return Err(Error::io("read packed-refs")(error)),
    };
    let is_peeled = text.lines().next().is_some_and(|line| line.starts_with('#') && line.contains(" fully-peeled"));
    // Sorted by git: the map is filled from its end.
    let mut all: Vec<(String, Target)> = Vec::new();
    for line in text.lines() {
        if let Some(id) = line.strip_prefix('^') {
            if let (Some((_, last)), Some(id)) = (all.last_mut(), Etag::parse(id)) {
                last.peeled = Some(Some(id));
            }
        } else if let Some((id, name)) = line.split_once(' ')
            && let Some(id) = Etag::parse(id)
            && name.starts_with("refs/")
        {
            all.push((name.to_owned(), Target { id, peeled: is_peeled.then_some(None) }));
        }
    }
    Ok(all.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_refs_win_over_packed_ones() {
        let dir = tempfile::tempdir().unwrap();
        let refs = dir.path().join("refs/heads/deep");
        fs::create_dir_all(&refs).unwrap();
        let id = |n: u8| Etag([n; 20]);
        let packed = format!(
            "# pack-refs with: peeled fully-peeled sorted \n{} refs/heads/a\n{} refs/heads/deep/b\n{} refs/tags/t\n^{}\n",
            id(1),
            id(2),
            id(3),
            id(4)
        );
        fs::write(dir.path().join("packed-refs"), packed).unwrap();
        fs::write(refs.join("b"), format!("{}\n", id(5))).unwrap();
        fs::write(refs.join("b.lock"), "").unwrap();
        fs::write(refs.join("link"), "ref: refs/heads/a\n").unwrap();
        fs::write(refs.join("lost"), "ref: refs/heads/none\n").unwrap();
        let all = read_all(dir.path()).unwrap();
        let found: Vec<_> = all.iter().map(|(name, target)| (name.as_str(), target.id)).collect();
        assert_eq!(
            found,
            [
                ("refs/heads/a", id(1)),
                ("refs/heads/deep/b", id(5)),
                ("refs/heads/deep/link", id(1)),
                ("refs/tags/t", id(3))
            ]
        );
        assert_eq!(all["refs/tags/t"].peeled, Some(Some(id(4))));
        assert_eq!((all["refs/heads/a"].peeled, all["refs/heads/deep/b"].peeled), (Some(None), None));
        assert_eq!((count_loose(dir.path(), 100), count_loose(dir.path(), 2)), (4, 2));
    }
}
