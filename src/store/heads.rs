//! Refs as files: where `main` points, and whether it is checked out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Error;
use super::lock::LockFile;
use crate::resource::etag::Etag;

pub(super) const MAIN: &str = "refs/heads/main";

/// How long to wait for a git command that moves `main`; such a command holds the lock for
/// milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn main_lock_path(git_dir: &Path) -> PathBuf {
    git_dir.join("refs/heads/main.lock")
}

/// The commit that `main` names; `None` where it is missing or unreadable.
pub(super) fn read_main(git_dir: &Path) -> Result<Option<Etag>, Error> {
    match fs::read_to_string(git_dir.join(MAIN)) {
        Ok(text) => Ok(text.split_ascii_whitespace().next().and_then(Etag::parse)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => packed_main(git_dir),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(Error::io("read refs/heads/main")(error)),
    }
}

fn packed_main(git_dir: &Path) -> Result<Option<Etag>, Error> {
    match fs::read_to_string(git_dir.join("packed-refs")) {
        Ok(text) => Ok(text.lines().find_map(|line| {
            let (id, name) = line.split_once(' ')?;
            if name == MAIN { Etag::parse(id) } else { None }
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read packed-refs")(error)),
    }
}

/// Whether the work tree shows `main`.
pub(super) fn is_on_main(git_dir: &Path) -> bool {
    fs::read_to_string(git_dir.join("HEAD")).is_ok_and(|head| head.trim_end() == "ref: refs/heads/main")
}

/// Keeps git from moving `main`; `None` when git does not let go of it.
pub(super) fn lock_main(git_dir: &Path, now: Etag) -> Result<Option<LockFile>, Error> {
    let path = main_lock_path(git_dir);
    let made = match LockFile::acquire(&path, PATIENCE, now) {
        // git pack-refs takes empty folders away.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(git_dir.join("refs/heads")).map_err(Error::io("make refs/heads"))?;
            LockFile::acquire(&path, PATIENCE, now)
        }
        made => made,
    };
    made.map_err(Error::io("lock refs/heads/main"))
}

/// Gives `main` a file of its own again after all refs were packed: it is read with every write,
/// and among many others that takes long.
pub(super) fn keep_loose(git_dir: &Path) -> Result<(), Error> {
    let Some(now) = packed_main(git_dir)? else { return Ok(()) };
    let Some(lock) = lock_main(git_dir, now)? else { return Ok(()) };
    // Nobody moves it from here on.
    match (git_dir.join(MAIN).exists(), packed_main(git_dir)?) {
        (false, Some(now)) => {
            prepare_move(&lock, now)?;
            move_main(git_dir, lock)
        }
        _ => Ok(()),
    }
}

/// Writes down where `main` goes: what is left to do takes no space on the disk.
pub(super) fn prepare_move(lock: &LockFile, to: Etag) -> Result<(), Error> {
    lock.fill(format!("{to}\n").as_bytes()).map_err(Error::io("move refs/heads/main"))
}

/// Moves `main` as prepared and lets go of the lock.
pub(super) fn move_main(git_dir: &Path, lock: LockFile) -> Result<(), Error> {
    lock.replace(&git_dir.join(MAIN)).map_err(Error::io("move refs/heads/main"))
}
