//! Repositories inside a folder that becomes a workspace: what the original editor backend made of
//! each project (decisions.md 27). Their history is taken over, and they are set aside.
//!
//! Nothing of such a repository's configuration or hooks is ever run: its refs are read as text,
//! its objects are read by way of a repository of ours that borrows them.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::Error;
use super::gitcommand;
use super::layout::{self, Settings};
use super::reffiles;
use super::workspace::Workspace;
use crate::base::random;

/// The folder whose folders may be repositories of their own.
const PROJECTS: &str = "projects";
/// Says that a folder is becoming a workspace: what is inside is not all taken over yet.
const MARK: &str = "workleaf-adopting";

/// A repository that was inside a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its folder in the workspace.
    pub folder: String,
    place: PathBuf,
}

/// Whether a repository at this place in a work tree is one that is taken over.
pub(super) fn is_project(work_tree: &Path, folder: &Path) -> bool {
    folder.parent() == Some(&work_tree.join(PROJECTS))
}

/// Marks a repository in the making.
pub(super) fn mark(git_dir: &Path) -> Result<(), Error> {
    let path = git_dir.join(MARK);
    fs::write(&path, "").map_err(Error::at("write", &path))
}

impl Workspace {
    /// Whether it was a folder without a repository until now, and is not settled yet.
    pub fn is_adopting(&self) -> bool {
        self.git_dir.join(MARK).exists()
    }

    /// Everything inside was taken over.
    pub fn adopted(&self) -> Result<(), Error> {
        let path = self.git_dir.join(MARK);
        fs::remove_file(&path).map_err(Error::at("remove", &path))
    }

    /// Moves the repositories of projects out of the work tree; names all that were moved, also
    /// earlier.
    pub fn set_aside(&self) -> Result<Vec<SetAside>, Error> {
        let aside = self.core.layout.aside(self.name());
        for (name, git_dir) in folders(&self.dir.join(PROJECTS)).map(|(name, folder)| (name, folder.join(".git"))) {
            // A file leads to a repository elsewhere, which is not ours to take.
            if fs::symlink_metadata(&git_dir).is_ok_and(|found| found.is_dir()) {
                let mut private = fs::DirBuilder::new();
                private.recursive(true).mode(0o700).create(&aside).map_err(Error::at("make", &aside))?;
                fs::rename(&git_dir, aside.join(&name)).map_err(Error::at("set aside", &git_dir))?;
            }
        }
        let all = folders(&aside).map(|(name, place)| SetAside { folder: format!("{PROJECTS}/{name}"), place });
        Ok(all.collect())
    }

    /// Takes over the history of a repository that was set aside, as what the project of this id
    /// has published: `main` is what it had checked out, other branches are `heads/...`, tags
    /// `tags/...`, all below `refs/projects/ID`. Says how many refs those are.
    pub fn take_over(&self, aside: &SetAside, id: &str) -> Result<usize, Error> {
        let refuse = |what: &str| Err(Error::Git { doing: "take a repository over".into(), what: what.to_owned() });
        for (file, what) in [("objects/info/alternates", "it borrows objects"), ("shallow", "its history is cut off")] {
            if aside.place.join(file).exists() {
                return refuse(what);
            }
        }
        let head = fs::read_to_string(aside.place.join("HEAD")).unwrap_or_default();
        let head = head.strip_prefix("ref: ").map(str::trim_end).unwrap_or("refs/heads/master").to_owned();
        let mut packed = String::new();
        let mut count = 0;
        for (name, target) in reffiles::read_all(&aside.place)? {
            let new = match name.strip_prefix("refs/") {
                _ if name == head => "main",
                Some(kept) if kept.starts_with("heads/") || kept.starts_with("tags/") => kept,
                _ => continue,
            };
            packed.push_str(&format!("{} refs/import/{new}\n", target.id));
            count += 1;
        }
        if count == 0 {
            return Ok(0);
        }
        let layout = &self.core.layout;
        let between = layout.nursery().join(random::uuid());
        let made = || {
            layout::init(&between, Settings::default(), &layout.hooks())?;
            let git_dir = between.join(".git");
            let objects = aside.place.join("objects");
            let write = |name: &str, text: &str| {
                let path = git_dir.join(name);
                fs::write(&path, text).map_err(Error::at("write", &path))
            };
            write("objects/info/alternates", &format!("{}\n", objects.display()))?;
            write("packed-refs", &packed)?;
            let from = git_dir.to_string_lossy().into_owned();
            let refs = format!("+refs/import/*:refs/projects/{id}/*");
            // What was committed long ago may break rules that hold for pushes.
            let setting = "transfer.fsckObjects=false";
            let fetch =
                ["-c", setting, "fetch", "--quiet", "--no-auto-gc", "--no-write-fetch-head", "--no-tags", &from, &refs];
            gitcommand::run(&self.git_dir, &fetch, || self.is_removed()).map(drop)
        };
        let made = made();
        if between.exists() {
            fs::remove_dir_all(&between).map_err(Error::at("remove", &between))?;
        }
        made?;
        self.packs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).forget();
        self.objects.reopen();
        self.core.journal.sync_all().map_err(Error::io("sync what was taken over"))?;
        Ok(count)
    }

    /// The only document that lies directly in a folder, as far as `is_document` says.
    pub fn document_in(
        self: &Arc<Self>,
        folder: &str,
        is_document: impl Fn(&str) -> bool,
    ) -> Result<Option<Arc<str>>, Error> {
        let files = self.snapshot(None)?.files(folder, false)?;
        let mut documents = files.into_iter().map(|file| file.path).filter(|path| is_document(path));
        Ok(documents.next().filter(|_| documents.next().is_none()))
    }
}

/// The folders in a folder, by name; none where there is no such folder.
fn folders(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let items = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = items.filter(|item| item.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.filter_map(|item| Some((item.file_name().into_string().ok()?, item.path())))
}
