//! Changes to a tree before they are one: folders are loaded as paths reach into them, and only
//! those are written again.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use super::error::{Error, TipError};
use super::tree::{self, Entries, Entry, FileMode};
use crate::resource::etag::Etag;
use crate::resource::key::{self, FilePath};

/// Reads a tree by its id.
pub(super) type Load<'a> = &'a dyn Fn(Etag) -> Result<Bytes, Error>;

/// Takes a tree that was written: its id, its bytes, and what it was before.
pub(super) type Emit<'a> = &'a mut dyn FnMut(Etag, Bytes, Option<(Etag, &Bytes)>) -> Result<(), Error>;

/// After this many changes in one folder its names are kept in a map.
const MANY: usize = 16;

/// Changes on top of one tree.
#[derive(Debug)]
pub(super) struct Staging {
    root: Dir,
    /// The same changes, one per path.
    flat: BTreeMap<FilePath, Option<Entry>>,
}

#[derive(Debug, Default)]
struct Dir {
    base_id: Option<Etag>,
    base: Bytes,
    edits: BTreeMap<String, Edit>,
    /// Folded name to spellings that are or were there; made once there are many edits.
    names: Option<HashMap<String, Vec<String>>>,
}

#[derive(Debug)]
enum Edit {
    Gone,
    File(Entry),
    Dir(Dir),
}

/// What a name in a folder leads to.
enum Child {
    Nothing,
    File(Entry),
    Folder,
}

impl Staging {
    pub(super) fn new(root: Etag, load: Load<'_>) -> Result<Self, Error> {
        Ok(Staging { root: Dir { base_id: Some(root), base: load(root)?, ..Dir::default() }, flat: BTreeMap::new() })
    }

    /// The changes, by path.
    pub(super) fn changes(&self) -> &BTreeMap<FilePath, Option<Entry>> {
        &self.flat
    }

    /// The file at a path; `None` also for a folder.
    pub(super) fn find(&self, load: Load<'_>, path: &str) -> Result<Option<Entry>, Error> {
        Ok(match self.lookup(load, path)? {
            Child::File(entry) => Some(entry),
            Child::Folder | Child::Nothing => None,
        })
    }

    fn lookup(&self, load: Load<'_>, path: &str) -> Result<Child, Error> {
        let mut dir = &self.root;
        let mut rest = path;
        loop {
            let (name, below) = rest.split_once('/').map_or((rest, None), |(name, below)| (name, Some(below)));
            let Some(below) = below else { return Ok(dir.child(name)) };
            match dir.edits.get(name) {
                Some(Edit::Dir(inner)) => dir = inner,
                Some(_) => return Ok(Child::Nothing),
                None => {
                    return Ok(match tree::find(&dir.base, name) {
                        Some(entry) if entry.mode == FileMode::Folder => match find_below(load, entry.etag, below)? {
                            Some(entry) if entry.mode == FileMode::Folder => Child::Folder,
                            Some(entry) => Child::File(entry),
                            None => Child::Nothing,
                        },
                        _ => Child::Nothing,
                    });
                }
            }
            rest = below;
        }
    }

    /// Sets a file.
    pub(super) fn put(&mut self, load: Load<'_>, path: &FilePath, entry: Entry) -> Result<(), TipError> {
        let mut dir = &mut self.root;
        let mut depth = 0;
        let text = path.as_str();
        while let Some(end) = text[depth..].find('/') {
            let name = &text[depth..depth + end];
            match dir.child(name) {
                Child::File(_) => {
                    return Err(TipError::UnderFile { path: path.clone(), file: text[..depth + end].to_owned() });
                }
                Child::Nothing => dir.refuse_twin(path, name)?,
                Child::Folder => {}
            }
            dir = dir.enter(load, name)?;
            depth += end + 1;
        }
        let name = &text[depth..];
        match dir.child(name) {
            Child::Folder => return Err(TipError::IsFolder { path: path.clone() }),
            Child::File(old) if old.mode == FileMode::Submodule => {
                return Err(TipError::IsFolder { path: path.clone() });
            }
            Child::File(_) => {}
            Child::Nothing => dir.refuse_twin(path, name)?,
        }
        dir.set(name, Edit::File(entry));
        self.flat.insert(path.clone(), Some(entry));
        Ok(())
    }

    /// Takes a file out; says whether there was one.
    pub(super) fn remove(&mut self, load: Load<'_>, path: &FilePath) -> Result<bool, Error> {
        if self.find(load, path.as_str())?.is_none() {
            return Ok(false);
        }
        let mut dir = &mut self.root;
        let folder = path.folder();
        for name in folder.split('/').filter(|name| !name.is_empty()) {
            dir = dir.enter(load, name)?;
        }
        dir.set(path.file_name(), Edit::Gone);
        self.flat.insert(path.clone(), None);
        Ok(true)
    }

    /// All files whose folder is `folder` or below; all files for "".
    pub(super) fn list(&self, load: Load<'_>, folder: &str) -> Result<Vec<(String, Entry)>, Error> {
        let mut found = Vec::new();
        let mut dir = Some(&self.root);
        let mut at = String::new();
        for name in folder.split('/').filter(|name| !name.is_empty()) {
            let Some(here) = dir else { break };
            at.push_str(name);
            at.push('/');
            dir = match here.edits.get(name) {
                Some(Edit::Dir(inner)) => Some(inner),
                Some(_) => return Ok(found),
                None => {
                    let rest = folder.get(at.len()..).unwrap_or_default();
                    if let Some(entry) = tree::find(&here.base, name)
                        && entry.mode == FileMode::Folder
                        && let Some(below) =
                            if rest.is_empty() { Some(entry) } else { find_below(load, entry.etag, rest)? }
                        && below.mode == FileMode::Folder
                    {
                        list_below(load, below.etag, folder, &mut |path, entry| found.push((path, entry)))?;
                    }
                    return Ok(found);
                }
            };
        }
        if let Some(dir) = dir {
            dir.list(load, &at, &mut found)?;
        }
        Ok(found)
    }

    /// Writes the folders that changed and returns the new root.
    pub(super) fn write(&self, emit: Emit<'_>) -> Result<Etag, Error> {
        Ok(self.root.write(emit)?.unwrap_or(tree::EMPTY_TREE))
    }
}

impl Dir {
    fn child(&self, name: &str) -> Child {
        match self.edits.get(name) {
            Some(Edit::Gone) => Child::Nothing,
            Some(Edit::File(entry)) => Child::File(*entry),
            Some(Edit::Dir(dir)) => {
                if dir.is_empty() {
                    Child::Nothing
                } else {
                    Child::Folder
                }
            }
            None => {
                if let Some(names) = &self.names
                    && !names.contains_key(&key::folded(name))
                {
                    return Child::Nothing;
                }
                match tree::find(&self.base, name) {
                    None => Child::Nothing,
                    Some(entry) if entry.mode == FileMode::Folder => Child::Folder,
                    Some(entry) => Child::File(entry),
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        let kept = self.edits.values().any(|edit| match edit {
            Edit::Gone => false,
            Edit::File(_) => true,
            Edit::Dir(dir) => !dir.is_empty(),
        });
        !kept && Entries(&self.base).all(|e| std::str::from_utf8(e.name).is_ok_and(|n| self.edits.contains_key(n)))
    }

    fn set(&mut self, name: &str, edit: Edit) {
        if let Some(names) = &mut self.names {
            let spellings = names.entry(key::folded(name)).or_default();
            if !spellings.iter().any(|s| s == name) {
                spellings.push(name.to_owned());
            }
        }
        self.edits.insert(name.to_owned(), edit);
        if self.names.is_none() && self.edits.len() > MANY {
            let mut names: HashMap<String, Vec<String>> = HashMap::new();
            let stored = Entries(&self.base).filter_map(|e| std::str::from_utf8(e.name).ok());
            for name in stored.chain(self.edits.keys().map(String::as_str)) {
                names.entry(key::folded(name)).or_default().push(name.to_owned());
            }
            self.names = Some(names);
        }
    }

    /// The folder of this name, loaded or made.
    fn enter(&mut self, load: Load<'_>, name: &str) -> Result<&mut Dir, Error> {
        if !matches!(self.edits.get(name), Some(Edit::Dir(_))) {
            let dir = match self.child(name) {
                Child::Folder => {
                    let id = tree::find(&self.base, name).map_or(tree::EMPTY_TREE, |entry| entry.etag);
                    Dir { base_id: Some(id), base: load(id)?, ..Dir::default() }
                }
                Child::File(_) | Child::Nothing => Dir::default(),
            };
            self.set(name, Edit::Dir(dir));
        }
        match self.edits.get_mut(name) {
            Some(Edit::Dir(dir)) => Ok(dir),
            _ => Err(Error::damaged("change a folder")),
        }
    }

    fn refuse_twin(&self, path: &FilePath, name: &str) -> Result<(), TipError> {
        let is_there = |other: &str| other != name && !matches!(self.child(other), Child::Nothing);
        let twin = if let Some(names) = &self.names {
            names.get(&key::folded(name)).and_then(|n| n.iter().find(|n| is_there(n))).cloned()
        } else {
            let ascii = name.is_ascii();
            let folded = key::folded(name);
            let same = |other: &str| {
                if ascii && other.is_ascii() { other.eq_ignore_ascii_case(name) } else { key::folded(other) == folded }
            };
            Entries(&self.base)
                .filter_map(|e| std::str::from_utf8(e.name).ok())
                .chain(self.edits.keys().map(String::as_str))
                .find(|other| same(other) && is_there(other))
                .map(str::to_owned)
        };
        match twin {
            Some(twin) => Err(TipError::Twin { path: path.clone(), twin }),
            None => Ok(()),
        }
    }

    fn list(&self, load: Load<'_>, at: &str, found: &mut Vec<(String, Entry)>) -> Result<(), Error> {
        for raw in Entries(&self.base) {
            let Ok(name) = std::str::from_utf8(raw.name) else { continue };
            if self.edits.contains_key(name) {
                continue;
            }
            if raw.entry.mode == FileMode::Folder {
                list_below(load, raw.entry.etag, &format!("{at}{name}"), &mut |path, e| found.push((path, e)))?;
            } else {
                found.push((format!("{at}{name}"), raw.entry));
            }
        }
        for (name, edit) in &self.edits {
            match edit {
                Edit::Gone => {}
                Edit::File(entry) => found.push((format!("{at}{name}"), *entry)),
                // As deep as paths are, which have at most 32 folders.
                Edit::Dir(dir) => dir.list(load, &format!("{at}{name}/"), found)?,
            }
        }
        Ok(())
    }

    /// The folder's id after its edits; `None` when it is empty, which git does not store.
    fn write(&self, emit: Emit<'_>) -> Result<Option<Etag>, Error> {
        let mut edits: BTreeMap<&str, Option<Entry>> = BTreeMap::new();
        for (name, edit) in &self.edits {
            let entry = match edit {
                Edit::Gone => None,
                Edit::File(entry) => Some(*entry),
                Edit::Dir(dir) => dir.write(emit)?.map(|etag| Entry { etag, mode: FileMode::Folder }),
            };
            edits.insert(name, entry);
        }
        let raw = tree::edited(&self.base, &edits);
        if raw.is_empty() {
            return Ok(None);
        }
        if let Some(base) = self.base_id
            && raw == self.base
        {
            return Ok(Some(base));
        }
        let id = super::pack::tree_id(&raw);
        emit(id, raw, self.base_id.map(|base| (base, &self.base)))?;
        Ok(Some(id))
    }
}

/// What a path below a stored tree leads to.
pub(super) fn find_below(load: Load<'_>, tree: Etag, path: &str) -> Result<Option<Entry>, Error> {
    let mut at = tree;
    let mut rest = path;
    loop {
        let (name, below) = rest.split_once('/').map_or((rest, None), |(name, below)| (name, Some(below)));
        let Some(entry) = tree::find(&load(at)?, name) else { return Ok(None) };
        match below {
            None => return Ok(Some(entry)),
            Some(_) if entry.mode != FileMode::Folder => return Ok(None),
            Some(below) => {
                at = entry.etag;
                rest = below;
            }
        }
    }
}

/// Every file below a stored tree, in git's order. Names that are not UTF-8 are passed over: no
/// path can say them.
pub(super) fn list_below(
    load: Load<'_>,
    tree: Etag,
    folder: &str,
    each: &mut dyn FnMut(String, Entry),
) -> Result<(), Error> {
    // Pushed trees may be nested deeper than a thread's stack.
    let mut waiting = vec![(folder.to_owned(), load(tree)?, 0)];
    while let Some((at, raw, from)) = waiting.pop() {
        let mut entries = Entries(&raw[from..]);
        while let Some(item) = entries.next() {
            let Ok(name) = std::str::from_utf8(item.name) else { continue };
            let path = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
            // A tree bomb names the same trees over and over; no stored path is that long.
            if path.len() > key::PATH_BYTES {
                continue;
            }
            if item.entry.mode == FileMode::Folder {
                let next = raw.len() - entries.0.len();
                let below = load(item.entry.etag)?;
                waiting.push((at, raw.clone(), next));
                waiting.push((path, below, 0));
                break;
            }
            each(path, item.entry);
        }
    }
    Ok(())
}
