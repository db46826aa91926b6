//! What was fetched, merged three-way into a linked folder's published history and into the folder.

use std::sync::Arc;

use git2::{Index, MergeOptions, ObjectType, Odb, Repository, RepositoryInitOptions, Tree};

use super::ancestry;
use super::commit::{self, Intent};
use super::error::Error;
use super::linked::{etag, oid};
use super::pack::{self, Builder, Kind};
use super::workspace::Workspace;
use crate::resource::etag::Etag;

/// What a merge came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// Both sides changed these files, each in its own way; nothing was kept.
    Conflicts(Vec<String>),
    /// The two histories have no commit in common.
    Unrelated,
    /// The published history with what was fetched, and the folder with it. All objects are kept,
    /// synced; nothing leads to them yet.
    Clean { head: Etag, folder: Etag },
}

impl Workspace {
    /// Merges `theirs` into the published history, whose newest commit is `published`, and what
    /// that changes into the folder as it is now. A merge commit is made as `intent` says where
    /// both histories went on.
    pub fn merge_fetched(
        self: &Arc<Self>,
        published: Option<Etag>,
        theirs: Etag,
        folder: Option<Etag>,
        intent: &Intent,
    ) -> Result<Merged, Error> {
        let place = self.incoming()?;
        let doing = "merge two histories";
        let scratch = place.folder().join("merge");
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        let repository = Repository::init_opts(&scratch, &options).map_err(Error::git(doing))?;
        let borrowed = self.git_dir.join("objects");
        let borrowed = borrowed.to_str().ok_or_else(|| Error::damaged(doing))?;
        repository.odb().and_then(|odb| odb.add_disk_alternate(borrowed)).map_err(Error::git(doing))?;
        let merge = Merge { workspace: self, repository: &repository };
        let head = match published {
            None => theirs,
            Some(published) if ancestry::contains(&self.objects, published, theirs)? => published,
            Some(published) if ancestry::contains(&self.objects, theirs, published)? => theirs,
            Some(published) => match merge.histories(published, theirs, intent)? {
                Ok(head) => head,
                Err(merged) => return Ok(merged),
            },
        };
        let base = published.map(|id| self.root_of(id)).transpose()?;
        let root = merge.root_of(head)?;
        let folder = match merge.trees(base, folder, root).map_err(Error::git(doing))? {
            Ok(folder) => folder,
            Err(conflicts) => return Ok(Merged::Conflicts(conflicts)),
        };
        self.keep_loose(&scratch.join("objects"))?;
        Ok(Merged::Clean { head, folder: etag(folder)? })
    }

    /// Puts the loose objects of a folder into the repository as one synced pack.
    fn keep_loose(&self, folder: &std::path::Path) -> Result<(), Error> {
        let doing = "keep what was merged";
        let folder = folder.to_str().ok_or_else(|| Error::damaged(doing))?;
        let own = Odb::new().map_err(Error::git(doing))?;
        own.add_disk_alternate(folder).map_err(Error::git(doing))?;
        let mut ids = Vec::new();
        own.foreach(|id| {
            ids.push(*id);
            true
        })
        .map_err(Error::git(doing))?;
        let mut builder = Builder::new();
        for id in &ids {
            let object = own.read(*id).map_err(Error::git(doing))?;
            let kind = match object.kind() {
                ObjectType::Commit => Kind::Commit,
                ObjectType::Tree => Kind::Tree,
                ObjectType::Blob => Kind::Blob,
                _ => continue,
            };
            builder.add(kind, etag(*id)?, object.data(), None)?;
        }
        if ids.is_empty() { Ok(()) } else { self.keep_built(&mut builder) }
    }
}

/// A merge in a repository of its own, which borrows the workspace's objects.
struct Merge<'a> {
    workspace: &'a Arc<Workspace>,
    repository: &'a Repository,
}

impl Merge<'_> {
    /// A merge commit of two published histories.
    fn histories(&self, ours: Etag, theirs: Etag, intent: &Intent) -> Result<Result<Etag, Merged>, Error> {
        let repository = self.repository;
        let merged = || {
            let (one, other) = (oid(ours)?, oid(theirs)?);
            if repository.merge_base(one, other).is_err() {
                return Ok(Err(Merged::Unrelated));
            }
            let (one, other) = (repository.find_commit(one)?, repository.find_commit(other)?);
            let mut index = repository.merge_commits(&one, &other, Some(&MergeOptions::new()))?;
            Ok(written(repository, &mut index)?.map_err(Merged::Conflicts))
        };
        let tree = match merged().map_err(Error::git("merge two histories"))? {
            Ok(tree) => etag(tree)?,
            Err(merged) => return Ok(Err(merged)),
        };
        let parents = [ours, theirs];
        let raw = commit::encode(tree, &parents, self.workspace.after(&parents)?, intent);
        let write = || repository.odb()?.write(ObjectType::Commit, &raw);
        write().map_err(Error::git("merge two histories"))?;
        pack::commit_id(&raw).map(Ok)
    }

    fn root_of(&self, head: Etag) -> Result<Etag, Error> {
        let find = || Ok(self.repository.find_commit(oid(head)?)?.tree_id());
        etag(find().map_err(Error::git("read a commit"))?)
    }

    /// The three-way merge of trees, of which two may not be there.
    fn trees(
        &self,
        base: Option<Etag>,
        ours: Option<Etag>,
        theirs: Etag,
    ) -> Result<Result<git2::Oid, Vec<String>>, git2::Error> {
        let (base, ours, theirs) = (self.tree(base)?, self.tree(ours)?, self.tree(Some(theirs))?);
        let mut index = self.repository.merge_trees(&base, &ours, &theirs, Some(&MergeOptions::new()))?;
        written(self.repository, &mut index)
    }

    fn tree(&self, id: Option<Etag>) -> Result<Tree<'_>, git2::Error> {
        let id = match id.filter(|id| *id != super::tree::EMPTY_TREE) {
            Some(id) => oid(id)?,
            None => self.repository.treebuilder(None)?.write()?,
        };
        self.repository.find_tree(id)
    }
}

/// The tree of a merge, or the files that are in its way.
fn written(repository: &Repository, index: &mut Index) -> Result<Result<git2::Oid, Vec<String>>, git2::Error> {
    if !index.has_conflicts() {
        return index.write_tree_to(repository).map(Ok);
    }
    let mut paths = Vec::new();
    for conflict in index.conflicts()? {
        let conflict = conflict?;
        let entry = conflict.our.or(conflict.their).or(conflict.ancestor);
        paths.extend(entry.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()));
    }
    paths.sort_unstable();
    paths.dedup();
    Ok(Err(paths))
}
