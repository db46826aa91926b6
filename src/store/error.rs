//! What can go wrong, sorted by what the caller can do about it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::resource::etag::Etag;
use crate::resource::key::{FilePath, WorkspaceName};

/// Why the store could not do something. Cheap to clone: a failed group tells each of its jobs.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("there is no workspace {0}")]
    NoWorkspace(WorkspaceName),
    #[error("there is already a workspace {0}")]
    Exists(WorkspaceName),
    #[error("workspace {0} has no commit {1}")]
    NoCommit(WorkspaceName, Etag),
    #[error("workspace {0} has no object {1}")]
    NoObject(WorkspaceName, Etag),
    #[error(
        "the branch main of workspace {0} was renamed or deleted on the server: make it again with `git branch main`"
    )]
    NoMain(WorkspaceName),
    #[error("a git command is running in workspace {0}: try again when it has finished")]
    Busy(WorkspaceName),
    /// The journal could not be made durable, or could not once before: nothing was written, and
    /// nothing will be until the store is opened again.
    #[error("the journal cannot be trusted any more, the server must be restarted: {0}")]
    Poisoned(Arc<io::Error>),
    #[error("the disk is full: {doing}")]
    DiskFull { doing: String },
    #[error("{doing}: {what}")]
    Io { doing: String, what: Arc<io::Error> },
    #[error("{doing}: {what}")]
    Git { doing: String, what: String },
    /// A pack, tree or commit that does not parse.
    #[error("{doing}: the object is damaged")]
    Damaged { doing: String },
    /// The job that a writer was asked to do panicked; nothing of it was written.
    #[error("the write panicked")]
    Panicked,
    #[error(transparent)]
    Tip(#[from] TipError),
}

impl Error {
    /// Names the step that met an I/O error. `what` it met it at is a short name, not a full path.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull { doing: doing.into() },
            _ => Error::Io { doing: doing.into(), what: Arc::new(error) },
        }
    }

    /// The same for rustix.
    pub(super) fn sys(doing: impl Into<String>) -> impl FnOnce(rustix::io::Errno) -> Error {
        move |error| Error::io(doing)(error.into())
    }

    /// The same with the last part of a path.
    pub(super) fn at(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Error::io(format!("{doing} {name}"))
    }

    pub(super) fn git(doing: impl Into<String>) -> impl FnOnce(git2::Error) -> Error {
        move |error| Error::Git { doing: doing.into(), what: error.message().to_owned() }
    }

    pub(super) fn damaged(doing: impl Into<String>) -> Error {
        Error::Damaged { doing: doing.into() }
    }
}

/// Why a change cannot be made to the newest state of a workspace.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TipError {
    /// Differs only in case or in how Unicode spells it; some file systems take both for one.
    #[error("{path} cannot be beside {twin}: the names differ only in case or Unicode spelling")]
    Twin { path: FilePath, twin: String },
    #[error("{path} cannot be a file: a folder has that name")]
    IsFolder { path: FilePath },
    #[error("{path} cannot be there: {file} is a file, not a folder")]
    UnderFile { path: FilePath, file: String },
    #[error("{path} is too large: {bytes} bytes, at most {most} are stored")]
    TooLarge { path: FilePath, bytes: u64, most: u64 },
    #[error("there is no file {path}")]
    Missing { path: FilePath },
    /// What stands on the server's disk cannot be taken in: a link, a device, a folder.
    #[error("{path} cannot be written: on the server's disk {what}")]
    Disk { path: FilePath, what: String },
    #[error(transparent)]
    Store(Box<Error>),
}

impl From<Error> for TipError {
    fn from(error: Error) -> Self {
        match error {
            Error::Tip(error) => error,
            error => TipError::Store(Box::new(error)),
        }
    }
}

/// What [`crate::store::Workspace::write`] answers when nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The job's own refusal.
    #[error("the write was refused")]
    Refused(E),
    #[error(transparent)]
    Store(Error),
}
