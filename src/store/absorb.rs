//! Takes in edits made with an editor on the server's disk.

use std::collections::BTreeSet;
use std::sync::Arc;

use git2::{Repository, Status, StatusOptions};

use super::commit::Committed;
use super::error::{Error, TipError, WriteError};
use super::tip::disk_intent;
use super::workspace::Workspace;
use crate::resource::key::FilePath;

/// What became of edits on disk.
#[derive(Debug, Default)]
pub struct Absorbed {
    /// The commit that took them in, if there were any.
    pub committed: Option<Arc<Committed>>,
    /// Paths that stay as they are on disk and out of git, and why.
    pub skipped: Vec<(String, String)>,
}

impl Workspace {
    /// Commits what differs on disk at these paths, as the workspace's owner; for `None` git is
    /// asked for all that differs. Ignored files are left out. What equals the newest commit (the
    /// server's own writes) makes no commit.
    pub async fn absorb_disk(self: &Arc<Self>, paths: Option<Vec<FilePath>>) -> Result<Absorbed, Error> {
        let mut skipped = Vec::new();
        let candidates = match paths {
            Some(paths) => paths,
            None => {
                // git compares with its index, which the writer brings up to date first.
                let listed = super::writer::exclusive(self, false, |workspace| {
                    workspace.flush_index()?;
                    changed_on_disk(workspace)
                });
                let mut candidates = Vec::new();
                for path in listed.await?? {
                    match FilePath::parse(&path) {
                        Ok(path) => candidates.push(path),
                        Err(error) => skipped.push((path, error.to_string())),
                    }
                }
                candidates
            }
        };
        if candidates.is_empty() {
            return Ok(Absorbed { committed: None, skipped });
        }
        let workspace = self.clone();
        let written = self.write::<_, Error, _>(move |tip| {
            let repository = open(&workspace)?;
            let mut refused = Vec::new();
            let mut edited = Vec::new();
            for path in candidates {
                let is_known = tip.committed_entry(&path)?.is_some();
                if !is_known && repository.is_path_ignored(path.as_str()).unwrap_or(false) {
                    continue;
                }
                match tip.stage_disk(&path) {
                    Ok(true) => edited.push(path),
                    Ok(false) => {}
                    Err(TipError::Store(error)) => return Err(*error),
                    Err(refusal) => refused.push((path.to_string(), refusal.to_string())),
                }
            }
            let intent = (!edited.is_empty()).then(|| disk_intent(&workspace, &edited));
            Ok((refused, intent))
        });
        match written.await {
            Ok((refused, committed)) => {
                skipped.extend(refused);
                Ok(Absorbed { committed, skipped })
            }
            Err(WriteError::Refused(error) | WriteError::Store(error)) => Err(error),
        }
    }
}

fn open(workspace: &Workspace) -> Result<Repository, Error> {
    Repository::open(&workspace.dir).map_err(Error::git("open the repository"))
}

/// Every path whose file on disk is not what `main` has, as git's status sees it.
fn changed_on_disk(workspace: &Workspace) -> Result<BTreeSet<String>, Error> {
    let repository = open(workspace)?;
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).include_ignored(false).exclude_submodules(true);
    let statuses = repository.statuses(Some(&mut options)).map_err(Error::git("compare the disk"))?;
    let changed = statuses.iter().filter(|s| s.status() != Status::CURRENT);
    Ok(changed.filter_map(|s| s.path().ok().map(str::to_owned)).filter(|path| !path.ends_with('/')).collect())
}
