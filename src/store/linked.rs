//! The published history of a folder that is linked to a repository elsewhere: commits whose root
//! is the folder, under refs of the server's own. The workspace's history of every save is beside
//! it and goes nowhere.

use std::path::Path;

use bytes::Bytes;
use git2::{
    Delta, Diff, DiffFindOptions, DiffFormat, DiffOptions, DiffStatsFormat, ErrorCode, Oid, Reference, Repository,
};

use super::commit::{self, Intent};
use super::error::Error;
use super::history;
use super::incoming::Incoming;
use super::pack::{self, Builder, Kind};
use super::packfile::{self, Found};
use super::push::Move;
use super::snapshot::Snapshot;
use super::staging;
use super::tree::{self, Entry, FileMode};
use super::workspace::Workspace;
use crate::base::clock;
use crate::resource::etag::Etag;

/// Most bytes of a difference as text.
const TEXT_MOST: usize = 2 << 20;
/// Files beyond this size are only named in a difference.
const SHOWN_MOST: i64 = 4 << 20;

/// Where the published history of one folder is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// Set once somebody linked the folder, though nothing may be published yet.
    pub linked: Option<Etag>,
    /// The newest published commit.
    pub head: Option<Etag>,
    /// What the repository elsewhere was last seen at.
    pub remote: Option<Etag>,
}

/// Which of a linked folder's refs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkRef {
    Linked,
    Head,
    Remote,
}

impl LinkRef {
    fn of(self, id: &str) -> String {
        let name = match self {
            LinkRef::Linked => "linked",
            LinkRef::Head => "main",
            LinkRef::Remote => "remote",
        };
        format!("refs/projects/{id}/{name}")
    }
}

/// What happened to a file between two trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    New,
    Modified,
    Deleted,
    Renamed,
}

/// A file that two trees have differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub verb: Verb,
    pub path: String,
    /// Where it was, when it was renamed.
    pub from: Option<String>,
}

/// What two trees have differently, and how git shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    pub differences: Vec<Difference>,
    /// Unified text, with a last line that says so where there is more.
    pub unified: String,
    /// `N files changed, ...` and what was made and removed.
    pub summary: String,
}

impl Snapshot {
    /// The tree of a folder; `None` where there is none.
    pub fn tree_of(&self, folder: &str) -> Result<Option<Etag>, Error> {
        let load = |id| self.workspace().objects.tree(id);
        let found = staging::find_below(&load, self.root(), folder)?;
        Ok(found.filter(|entry| entry.mode == FileMode::Folder).map(|entry| entry.etag))
    }
}

impl Workspace {
    pub(super) fn repository(&self) -> Result<Repository, Error> {
        Repository::open(&self.dir).map_err(Error::git("open the repository"))
    }

    /// The refs of a linked folder, by the id of its document.
    pub fn published(&self, id: &str) -> Result<Published, Error> {
        let repository = self.repository()?;
        let read = |which: LinkRef| match repository.refname_to_id(&which.of(id)) {
            Ok(found) => etag(found).map(Some),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(Error::git("read a ref")(error)),
        };
        Ok(Published { linked: read(LinkRef::Linked)?, head: read(LinkRef::Head)?, remote: read(LinkRef::Remote)? })
    }

    /// Moves a ref of a linked folder, durably; false when it was not at `old`.
    pub fn move_published(
        &self,
        id: &str,
        which: LinkRef,
        old: Option<Etag>,
        new: Option<Etag>,
    ) -> Result<bool, Error> {
        let name = which.of(id);
        if !Reference::is_valid_name(&name) {
            return Err(Error::Git { doing: "link a folder".into(), what: "its document's id makes no ref".into() });
        }
        if old == new {
            return Ok(true);
        }
        let moved = self.move_refs(&[&Move { name, old, new }])?;
        self.core.journal.sync_all().map_err(Error::io("sync a ref"))?;
        Ok(moved.iter().all(Result::is_ok))
    }

    /// The tree of a commit.
    pub fn root_of(&self, commit: Etag) -> Result<Etag, Error> {
        let raw = self.read_commit(commit)?;
        Ok(commit::parse(&raw).ok_or_else(|| Error::damaged("read a commit"))?.tree)
    }

    /// Makes a commit of a tree that is there. Durable when it returns; nothing leads to it yet.
    pub fn publish(&self, tree: Etag, parents: &[Etag], intent: &Intent) -> Result<Etag, Error> {
        let raw = commit::encode(tree, parents, self.after(parents)?, intent);
        let id = pack::commit_id(&raw)?;
        let mut builder = Builder::new();
        builder.add(Kind::Commit, id, &raw, None)?;
        self.keep_built(&mut builder)?;
        Ok(id)
    }

    /// The time of a commit, not before its parents'; a date of another century does not count.
    pub(super) fn after(&self, parents: &[Etag]) -> Result<i64, Error> {
        const DAY: i64 = 86_400;
        let now = clock::now();
        let mut at = now;
        for parent in parents {
            let raw = self.read_commit(*parent)?;
            let seconds = commit::parse(&raw).map_or(0, |parsed| parsed.seconds);
            at = at.max(seconds.min(now + DAY));
        }
        Ok(at)
    }

    pub(super) fn keep_built(&self, builder: &mut Builder) -> Result<(), Error> {
        let built = builder.finish();
        packfile::write_synced(&packfile::folder(&self.git_dir), &built)?;
        self.note_found(Found { name: built.name, bytes: built.pack.len() as u64 }, None);
        Ok(())
    }

    /// Puts what was fetched and looked at into the repository, synced.
    pub fn keep_fetched(&self, incoming: &Incoming) -> Result<(), Error> {
        for pack in incoming.keep(true)? {
            self.note_found(pack, None);
        }
        Ok(())
    }

    /// How many commits the one has that the other has not, and the other way round.
    pub fn ahead_behind(&self, one: Etag, other: Etag) -> Result<(usize, usize), Error> {
        let repository = self.repository()?;
        let count = || repository.graph_ahead_behind(oid(one)?, oid(other)?);
        count().map_err(Error::git("compare two histories"))
    }

    /// Compares two trees; `None` is one without files.
    pub fn compare_trees(&self, old: Option<Etag>, new: Option<Etag>) -> Result<Compared, Error> {
        if old == new {
            return Ok(Compared::default());
        }
        let repository = self.repository()?;
        let compared = || -> Result<Compared, git2::Error> {
            let tree = |id: Option<Etag>| match id.filter(|id| *id != tree::EMPTY_TREE) {
                Some(id) => repository.find_tree(oid(id)?).map(Some),
                None => Ok(None),
            };
            let mut options = DiffOptions::new();
            options.max_size(SHOWN_MOST);
            let (old, new) = (tree(old)?, tree(new)?);
            let mut diff = repository.diff_tree_to_tree(old.as_ref(), new.as_ref(), Some(&mut options))?;
            diff.find_similar(Some(DiffFindOptions::new().renames(true)))?;
            let format = DiffStatsFormat::SHORT | DiffStatsFormat::INCLUDE_SUMMARY;
            let summary = diff.stats()?.to_buf(format, 80)?;
            Ok(Compared {
                differences: differences(&diff),
                unified: unified(&diff)?,
                summary: String::from_utf8_lossy(&summary).into_owned(),
            })
        };
        compared().map_err(Error::git("compare two folders"))
    }

    /// The files that two trees have differently, by path; a folder `at` stands before each.
    pub fn changes_between(&self, old: Option<Etag>, new: Option<Etag>) -> Result<Vec<FileChange>, Error> {
        let mut found = Vec::new();
        let mut load = |id| self.objects.tree_uncached(id);
        history::compare(&mut load, old, new, &mut |path, old, new| found.push(FileChange { path, old, new }))?;
        found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// A stored file's bytes, not kept in memory.
    pub fn stored(&self, id: Etag) -> Result<Bytes, Error> {
        self.objects.blob_uncached(id)
    }
}

/// A file that two trees have differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    pub path: String,
    pub old: Option<Entry>,
    pub new: Option<Entry>,
}

pub(super) fn oid(id: Etag) -> Result<Oid, git2::Error> {
    Oid::from_bytes(&id.0)
}

pub(super) fn etag(id: Oid) -> Result<Etag, Error> {
    id.as_bytes().try_into().map(Etag).map_err(|_| Error::damaged("read an id"))
}

fn differences(diff: &Diff<'_>) -> Vec<Difference> {
    let text = |path: Option<&Path>| path.map(|path| path.to_string_lossy().into_owned());
    let one = |delta: git2::DiffDelta<'_>| {
        let (old, new) = (text(delta.old_file().path()), text(delta.new_file().path()));
        let verb = match delta.status() {
            Delta::Added | Delta::Copied => Verb::New,
            Delta::Deleted => Verb::Deleted,
            Delta::Renamed => Verb::Renamed,
            _ => Verb::Modified,
        };
        let from = (verb == Verb::Renamed).then(|| old.clone()).flatten();
        Some(Difference { verb, path: new.or(old)?, from })
    };
    diff.deltas().filter_map(one).collect()
}

fn unified(diff: &Diff<'_>) -> Result<String, git2::Error> {
    let mut out = Vec::new();
    let mut is_cut = false;
    let printed = diff.print(DiffFormat::Patch, |_, _, line| {
        if matches!(line.origin(), '+' | '-' | ' ') {
            out.push(line.origin() as u8);
        }
        out.extend_from_slice(line.content());
        is_cut = out.len() > TEXT_MOST;
        !is_cut
    });
    if !is_cut {
        printed?;
    }
    let mut text = String::from_utf8_lossy(&out).into_owned();
    if is_cut {
        text.push_str("\n... and more than can be shown here\n");
    }
    Ok(text)
}
