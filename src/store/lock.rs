//! Git's own lock files, so that a git command and the server exclude each other.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::resource::etag::Etag;

/// First word of every lock file that this server makes.
const MARK: &str = "workleaf ";

/// A lock file that is ours; dropped, it goes away.
#[derive(Debug)]
pub(super) struct LockFile {
    path: PathBuf,
    file: File,
    spent: bool,
}

impl LockFile {
    /// Makes the lock file, waiting for at most `patience` while somebody else has it (`None`).
    /// `state` is the commit that what is locked is at.
    pub(super) fn acquire(path: &Path, patience: Duration, state: Etag) -> io::Result<Option<Self>> {
        let made = wait(patience, || OpenOptions::new().write(true).create_new(true).open(path))?;
        let Some(file) = made else { return Ok(None) };
        let lock = LockFile { path: path.to_owned(), file, spent: false };
        lock.note(state)?;
        Ok(Some(lock))
    }

    /// The same by a hard link to a file that stays (`inode`): making and removing files over and
    /// over is dear on ext4, which looks past every inode that was freed lately.
    pub(super) fn link(path: &Path, inode: &Path, patience: Duration, state: Etag) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(inode)?;
        let mut lock = LockFile { path: path.to_owned(), file, spent: true };
        lock.note(state)?;
        match wait(patience, || fs::hard_link(inode, path)) {
            Ok(None) => Ok(None),
            Ok(Some(())) => {
                lock.spent = false;
                Ok(Some(lock))
            }
            // A file system without links.
            Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
                Self::acquire(path, patience, state)
            }
            Err(error) => Err(error),
        }
    }

    /// Says which commit what is locked is at by now.
    pub(super) fn note(&self, state: Etag) -> io::Result<()> {
        self.file.write_all_at(format!("{MARK}{state} {}\n", std::process::id()).as_bytes(), 0)
    }

    /// Writes the content over the mark.
    pub(super) fn fill(&self, content: &[u8]) -> io::Result<()> {
        self.file.write_all_at(content, 0)?;
        self.file.set_len(content.len() as u64)
    }

    /// Renames the lock over its target.
    pub(super) fn replace(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.spent = true;
        Ok(())
    }
}

/// Tries until the lock file is not there any more, but not longer than `patience`.
fn wait<T>(patience: Duration, make: impl Fn() -> io::Result<T>) -> io::Result<Option<T>> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match make() {
            Ok(made) => return Ok(Some(made)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if start.elapsed() >= patience {
                    return Ok(None);
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
            Err(error) => return Err(error),
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        if !self.spent
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, "cannot remove a lock file");
        }
    }
}

/// The commit that a lock file of a killed server names; `None` for anybody else's lock, and for
/// none.
pub(super) fn left_behind(path: &Path) -> Option<Etag> {
    let content = fs::read_to_string(path).ok()?;
    Etag::parse(content.strip_prefix(MARK)?.split_ascii_whitespace().next()?)
}
