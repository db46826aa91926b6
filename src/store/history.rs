//! History: commits oldest first with what each changed, and generations.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::ancestry::{fill, generation, parents};
use super::commit::{self, Change, Committed};
use super::error::Error;
use super::objects::Objects;
use super::tree::{self, Entries, Entry, FileMode};
use super::workspace::Workspace;
use crate::resource::etag::Etag;
use crate::resource::key;
use crate::resource::row::Moment;

/// Bytes of folders kept while walking.
const TREES_KEPT: usize = 32 << 20;
/// Commits whose root is remembered while walking.
const ROOTS_KEPT: usize = 4096;

/// What a start needs to know of a whole history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// The first commit, of the first parents' line.
    pub(super) root: Etag,
    pub(super) generation: u32,
}

/// Facts about a commit, kept beside the repository: they are history and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hint {
    commit: Etag,
    facts: Facts,
}

const HINT: &str = "workleaf-facts";

pub(super) fn read_hint(git_dir: &Path) -> Option<Hint> {
    let text = fs::read_to_string(git_dir.join(HINT)).ok()?;
    let mut words = text.split_ascii_whitespace();
    let commit = Etag::parse(words.next()?)?;
    let root = Etag::parse(words.next()?)?;
    let generation = words.next()?.parse().ok()?;
    // A torn file lacks the last word.
    (words.next() == Some(".")).then_some(Hint { commit, facts: Facts { root, generation } })
}

/// Keeps the facts for the next start; not worth an error.
pub(super) fn write_hint(git_dir: &Path, facts: &Facts, commit: Etag, known: Option<Hint>) {
    if known.is_none_or(|known| known.commit != commit) {
        let text = format!("{commit} {} {} .\n", facts.root, facts.generation);
        let unfinished = git_dir.join("workleaf-facts.new");
        let written = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, git_dir.join(HINT)));
        if let Err(error) = written {
            tracing::debug!(%error, "cannot keep a commit's generation");
        }
    }
}

/// Root and generation of a commit.
pub(super) fn facts(objects: &Objects, commit: Etag, known: Option<Hint>) -> Result<Facts, Error> {
    let mut root = commit;
    loop {
        if let Some(known) = known
            && known.commit == root
        {
            root = known.facts.root;
            break;
        }
        match parents(objects, root)?.first() {
            Some(parent) => root = *parent,
            None => break,
        }
    }
    let generation = generation(objects, commit, known.map(|k| (k.commit, k.facts.generation)))?;
    Ok(Facts { root, generation })
}

/// Hands out the commits that `to` has and `from` has not, oldest first: by generation, then date,
/// then id, so that parents come before children and the order is always the same.
pub fn walk<E: From<Error>>(
    workspace: &Arc<Workspace>,
    from: Option<Etag>,
    to: Etag,
    mut each: impl FnMut(Committed) -> Result<(), E>,
) -> Result<(), E> {
    let objects = &workspace.objects;
    let mut found = collect(objects, from, to)?;
    let mut generations = HashMap::new();
    let head = workspace.tip();
    if let Some(from) = from {
        let straight = found.iter().all(|c| c.parents.len() == 1);
        let near = if head.commit == from || head.commit == to || !straight {
            Some((head.commit, head.generation))
        } else {
            None
        };
        generations.insert(from, generation(objects, from, near)?);
    }
    let places: HashMap<Etag, usize> = found.iter().enumerate().map(|(at, commit)| (commit.id, at)).collect();
    let known = |id| match places.get(&id) {
        Some(at) => Ok(found[*at].parents.clone()),
        None => parents(objects, id),
    };
    // Oldest last: fewer steps down for each.
    let counted: Vec<u32> =
        found.iter().rev().map(|commit| fill(known, commit.id, &mut generations)).collect::<Result<_, _>>()?;
    drop((places, generations));
    for (commit, generation) in found.iter_mut().rev().zip(counted) {
        commit.generation = generation;
    }
    found.sort_unstable_by_key(|c| (c.generation, c.seconds, c.id));
    let mut walker = Walker { objects, trees: HashMap::new(), kept: 0, roots: HashMap::new(), repository: None };
    for commit in found {
        each(walker.step(workspace, &commit)?)?;
    }
    Ok(())
}

pub(super) struct Found {
    pub(super) id: Etag,
    pub(super) parents: Vec<Etag>,
    seconds: i64,
    generation: u32,
}

/// The commits from `to` down to, without, `from` and its ancestors; children before parents in a
/// straight line.
pub(super) fn collect(objects: &Objects, from: Option<Etag>, to: Etag) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([to]);
    let mut waiting = vec![to];
    let mut reached_other_end = false;
    while let Some(id) = waiting.pop() {
        if Some(id) == from {
            continue;
        }
        let raw = objects.commit(id)?;
        let parsed = commit::parse(&raw).ok_or_else(|| Error::damaged("read a commit"))?;
        reached_other_end |= parsed.parents.is_empty();
        waiting.extend(parsed.parents.iter().filter(|p| seen.insert(**p)));
        found.push(Found { id, parents: parsed.parents, seconds: parsed.seconds, generation: 0 });
    }
    // Past a merge the walk went around `from` and found its ancestors too.
    if let Some(from) = from
        && reached_other_end
    {
        let mut old = HashSet::from([from]);
        let mut waiting = vec![from];
        while let Some(id) = waiting.pop() {
            waiting.extend(parents(objects, id)?.into_iter().filter(|p| old.insert(*p)));
        }
        found.retain(|c| !old.contains(&c.id));
    }
    Ok(found)
}

struct Walker<'a> {
    objects: &'a Objects,
    /// Folders as commits left them, until a later commit changes them; and their bytes.
    trees: HashMap<Etag, Bytes>,
    kept: usize,
    /// Root trees of commits whose children may come next.
    roots: HashMap<Etag, Etag>,
    repository: Option<git2::Repository>,
}

impl Walker<'_> {
    fn tree(&mut self, id: Etag) -> Result<Bytes, Error> {
        // Asked for the second time it is what a commit replaced, and of the past from then on.
        if let Some(found) = self.trees.remove(&id) {
            self.kept -= found.len();
            return Ok(found);
        }
        let raw = self.objects.tree_uncached(id)?;
        self.kept += raw.len();
        if self.kept > TREES_KEPT {
            self.trees.clear();
            self.kept = raw.len();
        }
        self.trees.insert(id, raw.clone());
        Ok(raw)
    }

    fn root(&mut self, commit: Etag) -> Result<Etag, Error> {
        match self.roots.get(&commit) {
            Some(root) => Ok(*root),
            None => {
                let raw = self.objects.commit(commit)?;
                Ok(commit::parse(&raw).ok_or_else(|| Error::damaged("read a commit"))?.tree)
            }
        }
    }

    fn step(&mut self, workspace: &Workspace, found: &Found) -> Result<Committed, Error> {
        let raw = self.objects.commit(found.id)?;
        let parsed = commit::parse(&raw).ok_or_else(|| Error::damaged("read a commit"))?;
        let parent = found.parents.first().copied();
        let old = parent.map(|parent| self.root(parent)).transpose()?;
        if self.roots.len() > ROOTS_KEPT {
            self.roots.clear();
        }
        self.roots.insert(found.id, parsed.tree);
        let mut changes = Vec::new();
        compare(&mut |id| self.tree(id), old, Some(parsed.tree), &mut |path, old, new| {
            changes.push(Change {
                path: path.into(),
                old: old.map(|e| e.etag),
                new: new.map(|e| e.etag),
                moved_from: None,
            });
        })?;
        changes.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let message = String::from_utf8_lossy(parsed.message);
        commit::mark_moves(&mut changes, &message);
        if !commit::tells_all_moves(&message) {
            self.find_renames(workspace, &mut changes, old, parsed.tree)?;
        }
        Ok(Committed {
            commit: found.id,
            parent,
            at: Moment { seconds: found.seconds, generation: found.generation },
            author: parsed.author,
            message: message.into(),
            changes,
        })
    }

    /// Finds moves that no trailer tells of: equal content first, then git's measure of likeness.
    fn find_renames(
        &mut self,
        workspace: &Workspace,
        changes: &mut [Change],
        old: Option<Etag>,
        new: Etag,
    ) -> Result<(), Error> {
        let taken: HashSet<Arc<str>> = changes.iter().filter_map(|c| c.moved_from.clone()).collect();
        let mut gone: HashMap<Etag, Vec<Arc<str>>> = HashMap::new();
        for change in changes.iter().rev().filter(|c| c.new.is_none() && !taken.contains(&c.path)) {
            if let Some(old) = change.old {
                gone.entry(old).or_default().push(change.path.clone());
            }
        }
        let is_open = |c: &Change| c.old.is_none() && c.moved_from.is_none();
        if gone.is_empty() {
            return Ok(());
        }
        for change in changes.iter_mut().filter(|c| is_open(c)) {
            if let Some(paths) = change.new.and_then(|new| gone.get_mut(&new)) {
                change.moved_from = paths.pop();
            }
        }
        let left: HashSet<Arc<str>> = gone.into_values().flatten().collect();
        let Some(old) = old else { return Ok(()) };
        if left.is_empty() || !changes.iter().any(is_open) {
            return Ok(());
        }
        let alike = self.alike(workspace, old, new).map_err(Error::git("look for renames"))?;
        for change in changes.iter_mut().filter(|c| is_open(c)) {
            if let Some(from) = alike.get(&*change.path).and_then(|from| left.get(&**from)) {
                change.moved_from = Some(from.clone());
            }
        }
        Ok(())
    }

    fn alike(&mut self, workspace: &Workspace, old: Etag, new: Etag) -> Result<HashMap<String, String>, git2::Error> {
        if self.repository.is_none() {
            self.repository = Some(git2::Repository::open(&workspace.git_dir)?);
        }
        let Some(repository) = &self.repository else { return Ok(HashMap::new()) };
        let tree = |id: Etag| repository.find_tree(git2::Oid::from_bytes(&id.0)?);
        let mut diff = repository.diff_tree_to_tree(Some(&tree(old)?), Some(&tree(new)?), None)?;
        let mut options = git2::DiffFindOptions::new();
        diff.find_similar(Some(options.renames(true).rename_limit(400)))?;
        let renamed = diff.deltas().filter(|d| d.status() == git2::Delta::Renamed);
        Ok(renamed
            .filter_map(|d| {
                let path = |file: git2::DiffFile<'_>| Some(file.path()?.to_str()?.to_owned());
                Some((path(d.new_file())?, path(d.old_file())?))
            })
            .collect())
    }
}

/// Walks two trees side by side and hands out the files that differ, passing over equal folders.
pub(super) fn compare(
    load: &mut dyn FnMut(Etag) -> Result<Bytes, Error>,
    old: Option<Etag>,
    new: Option<Etag>,
    each: &mut dyn FnMut(String, Option<Entry>, Option<Entry>),
) -> Result<(), Error> {
    let mut waiting = vec![(String::new(), old, new)];
    while let Some((at, old, new)) = waiting.pop() {
        if old == new || at.len() > key::PATH_BYTES {
            continue;
        }
        let a = old.map(&mut *load).transpose()?.unwrap_or_default();
        let b = new.map(&mut *load).transpose()?.unwrap_or_default();
        let (mut a, mut b) = (Entries(&a), Entries(&b));
        loop {
            use std::cmp::Ordering::{Equal, Greater, Less};
            a.skip_common(&mut b);
            let (mut after_a, mut after_b) = (Entries(a.0), Entries(b.0));
            let (x, y) = (after_a.next(), after_b.next());
            let turn = match (&x, &y) {
                (None, None) => break,
                (Some(_), None) => Less,
                (None, Some(_)) => Greater,
                (Some(x), Some(y)) => {
                    let folder = |entry: &Entry| entry.mode == FileMode::Folder;
                    tree::order(x.name, folder(&x.entry), y.name, folder(&y.entry))
                }
            };
            let (x, y) = (x.filter(|_| turn != Greater), y.filter(|_| turn != Less));
            if x.is_some() {
                a = after_a;
            }
            if y.is_some() {
                b = after_b;
            }
            debug_assert!(turn != Equal || x.is_some() && y.is_some());
            let Some(name) = x.or(y).and_then(|e| std::str::from_utf8(e.name).ok()) else { continue };
            let (x, y) = (x.map(|e| e.entry), y.map(|e| e.entry));
            if x == y {
                continue;
            }
            let path = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
            let is_folder = |e: &Entry| e.mode == FileMode::Folder;
            if x.as_ref().is_some_and(is_folder) || y.as_ref().is_some_and(is_folder) {
                waiting.push((path, x.map(|e| e.etag), y.map(|e| e.etag)));
            } else {
                let (x, y) = (x.filter(|e| e.mode.is_blob()), y.filter(|e| e.mode.is_blob()));
                // Not where a submodule moved on.
                if x.is_some() || y.is_some() {
                    each(path, x, y);
                }
            }
        }
    }
    Ok(())
}
