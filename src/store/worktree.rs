//! The files on disk beside `.git`: compared before a write, refreshed after it.
//!
//! Folders are entered one by one and never through a link, so nothing here can leave the
//! workspace whatever stands on the disk. A file is replaced by renaming a finished one over it,
//! and only while it still is what it was when it was compared.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use super::error::{Error, TipError};
use super::pack;
use super::tree::{Entry, FileMode};
use crate::resource::etag::Etag;
use crate::resource::key::FilePath;

/// Most files whose state is remembered; with more, all are forgotten before the next round.
const SEEN_MOST: usize = 50_000;

/// What tells that a file was not touched since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    modified: (i64, i64),
    changed: (i64, i64),
    size: i64,
    inode: u64,
    etag: Etag,
}

/// A file's state for git's index.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileStat {
    pub(super) modified: (i64, i64),
    pub(super) changed: (i64, i64),
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
}

#[expect(clippy::unnecessary_cast, reason = "the fields' types differ between platforms")]
impl FileStat {
    fn of(stat: &Stat) -> Self {
        FileStat {
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            uid: stat.st_uid as u32,
            gid: stat.st_gid as u32,
            size: stat.st_size as u64,
        }
    }

    fn seen(&self, etag: Etag) -> Seen {
        Seen { modified: self.modified, changed: self.changed, size: self.size as i64, inode: self.inode, etag }
    }
}

/// A workspace's files on disk.
pub(super) struct WorkTree {
    root: PathBuf,
    seen: Mutex<HashMap<Arc<str>, Seen>>,
    unfinished: AtomicU64,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OnDisk {
    Missing,
    /// A file with this id; its bytes where they had to be read.
    File {
        etag: Etag,
        content: Option<Bytes>,
        executable: bool,
    },
}

/// Folders opened for one round of work, so that each is entered once.
pub(super) struct Folders<'a> {
    tree: &'a WorkTree,
    root: Arc<OwnedFd>,
    open: HashMap<String, Arc<OwnedFd>>,
}

const FOLDER_FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl WorkTree {
    pub(super) fn new(root: &Path) -> Self {
        WorkTree { root: root.to_owned(), seen: Mutex::new(HashMap::new()), unfinished: AtomicU64::new(0) }
    }

    /// Where files are finished before they get their place; inside `.git`, so that a file left
    /// behind by a killed server is nobody's edit.
    fn workshop(&self) -> PathBuf {
        self.root.join(".git/workleaf")
    }

    /// Makes the workshop, empty.
    pub(super) fn prepare(&self) -> Result<(), Error> {
        let workshop = self.workshop();
        match fs::remove_dir_all(&workshop) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::at("clear", &workshop)(error)),
            _ => fs::create_dir(&workshop).map_err(Error::at("make", &workshop)),
        }
    }

    pub(super) fn folders(&self) -> Result<Folders<'_>, Error> {
        // Never in the middle of a round, which compares with what it saw at its start.
        let mut seen = self.seen();
        if seen.len() > SEEN_MOST {
            seen.clear();
        }
        drop(seen);
        self.peek()
    }

    /// The same beside a round.
    pub(super) fn peek(&self) -> Result<Folders<'_>, Error> {
        let root = rustix::fs::open(&self.root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(Error::sys("open the work tree"))?;
        Ok(Folders { tree: self, root: Arc::new(root), open: HashMap::new() })
    }

    /// The folder above a path that has a `.git` of its own: what is in there is another
    /// repository's, as for git.
    pub(super) fn repository_above<'p>(&self, path: &'p FilePath) -> Option<&'p str> {
        let above = path.as_str().match_indices('/').map(|(end, _)| &path.as_str()[..end]);
        above.into_iter().find(|folder| fs::symlink_metadata(self.root.join(folder).join(".git")).is_ok())
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, path: &FilePath, seen: Seen) {
        self.seen().insert(path.to_arc(), seen);
    }
}

impl Folders<'_> {
    /// The open folder of a path: `None` where it is missing and is not to be made.
    fn folder(&mut self, path: &FilePath, make: bool) -> Result<Option<Arc<OwnedFd>>, TipError> {
        let folder = path.folder();
        if let Some(open) = self.open.get(folder) {
            return Ok(Some(open.clone()));
        }
        let mut at = self.root.clone();
        let mut end = 0;
        for name in folder.split('/').filter(|name| !name.is_empty()) {
            end += name.len();
            let here = &folder[..end];
            end += 1;
            if let Some(open) = self.open.get(here) {
                at = open.clone();
                continue;
            }
            let open = |at: &OwnedFd| rustix::fs::openat(at, name, FOLDER_FLAGS, Mode::empty());
            let next = match open(&at) {
                Err(Errno::NOENT) if !make => return Ok(None),
                Err(Errno::NOENT) => {
                    match rustix::fs::mkdirat(&*at, name, Mode::from_raw_mode(0o777)) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(error) => return Err(Error::sys(format!("make the folder {here}"))(error).into()),
                    }
                    open(&at)
                }
                next => next,
            };
            at = match next {
                Ok(next) => Arc::new(next),
                Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {
                    let what = format!("{here} is not a folder");
                    return Err(TipError::Disk { path: path.clone(), what });
                }
                Err(error) => return Err(Error::sys(format!("open the folder {here}"))(error).into()),
            };
            self.open.insert(here.to_owned(), at.clone());
        }
        self.open.insert(folder.to_owned(), at.clone());
        Ok(Some(at))
    }

    /// What stands at a path, with its bytes if it is a file.
    pub(super) fn read(&mut self, path: &FilePath, most: u64) -> Result<OnDisk, TipError> {
        self.tree.seen().remove(path.as_str());
        self.look(path, most)
    }

    /// What stands at a path. Reads the file only when it may have changed since it was last seen.
    pub(super) fn look(&mut self, path: &FilePath, most: u64) -> Result<OnDisk, TipError> {
        let folder = match self.folder(path, false) {
            Ok(Some(folder)) => folder,
            Ok(None) => return Ok(OnDisk::Missing),
            Err(error) => return Err(error),
        };
        let name = path.file_name();
        let stat = match rustix::fs::statat(&*folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(OnDisk::Missing),
            Err(error) => return Err(Error::sys(format!("look at {path}"))(error).into()),
        };
        let refuse = |what: &str| Err(TipError::Disk { path: path.clone(), what: what.to_owned() });
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Symlink => return refuse("it is a symbolic link"),
            FileType::Directory => {
                // An empty folder is nothing to git.
                self.open.remove(path.as_str());
                return match rustix::fs::unlinkat(&*folder, name, AtFlags::REMOVEDIR) {
                    Ok(()) | Err(Errno::NOENT) => Ok(OnDisk::Missing),
                    Err(_) => refuse("it is a folder"),
                };
            }
            _ => return refuse("it is neither a file nor a folder"),
        }
        let executable = stat.st_mode & 0o100 != 0;
        let now = FileStat::of(&stat);
        if let Some(seen) = self.tree.seen().get(path.as_str())
            && *seen == now.seen(seen.etag)
        {
            return Ok(OnDisk::File { etag: seen.etag, content: None, executable });
        }
        if now.size > most {
            return Err(TipError::TooLarge { path: path.clone(), bytes: now.size, most });
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&*folder, name, flags, Mode::empty());
        let mut content = Vec::with_capacity(now.size as usize + 1);
        let read = file.map_err(std::io::Error::from).and_then(|file| {
            let mut file = File::from(file);
            (&mut file).take(most + 1).read_to_end(&mut content)?;
            Ok(FileStat::of(&rustix::fs::fstat(&file)?))
        });
        let now = read.map_err(Error::io(format!("read {path}")))?;
        let etag = pack::blob_id(&content)?;
        self.tree.remember(path, now.seen(etag));
        Ok(OnDisk::File { etag, content: Some(content.into()), executable })
    }

    /// Puts a file in place, unless the disk no longer has what it had (`before`): then an edit is
    /// there that nobody has taken in yet, and it stays. Says what the index should note.
    pub(super) fn write(
        &mut self,
        path: &FilePath,
        entry: Entry,
        content: &[u8],
        before: Option<Etag>,
    ) -> Result<Option<FileStat>, TipError> {
        let folder = self.folder(path, true)?.ok_or_else(|| Error::damaged("make a folder"))?;
        let name = path.file_name();
        let number = self.tree.unfinished.fetch_add(1, Ordering::Relaxed);
        let unfinished = format!(".git/workleaf/{number}");
        let bits = if entry.mode == FileMode::Executable { 0o777 } else { 0o666 };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&*self.root, &unfinished, flags, Mode::from_raw_mode(bits))
            .map_err(Error::sys(format!("write {path}")))?;
        let mut file = File::from(file);
        let place = || -> std::io::Result<bool> {
            file.write_all(content)?;
            match before {
                Some(etag) => {
                    if !self.is_still(&folder, path, etag) {
                        return Ok(false);
                    }
                    rustix::fs::renameat(&*self.root, &unfinished, &*folder, name)?;
                    Ok(true)
                }
                None => rename_new(self.root.as_fd(), &unfinished, folder.as_fd(), name),
            }
        };
        let placed = { place }();
        if !matches!(placed, Ok(true)) {
            // Left behind, it goes at the next start.
            rustix::fs::unlinkat(&*self.root, &unfinished, AtFlags::empty()).ok();
        }
        if !placed.map_err(Error::io(format!("write {path}")))? {
            return Ok(None);
        }
        let stat = rustix::fs::fstat(&file).map_err(Error::sys(format!("look at {path}")))?;
        let stat = FileStat::of(&stat);
        self.tree.remember(path, stat.seen(entry.etag));
        Ok(Some(stat))
    }

    /// Takes a file away that is still what it was, and the folders that this leaves empty.
    pub(super) fn remove(&mut self, path: &FilePath, before: Etag) -> Result<(), TipError> {
        let Some(folder) = self.folder(path, false)? else { return Ok(()) };
        if !self.is_still(&folder, path, before) {
            return Ok(());
        }
        match rustix::fs::unlinkat(&*folder, path.file_name(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(Error::sys(format!("remove {path}"))(error).into()),
        }
        self.tree.seen().remove(path.as_str());
        let mut empty = path.folder();
        while !empty.is_empty() {
            let (above, name) = empty.rsplit_once('/').unwrap_or(("", empty));
            let parent =
                if above.is_empty() { Some(self.root.as_fd()) } else { self.open.get(above).map(|fd| fd.as_fd()) };
            let Some(parent) = parent else { break };
            if rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR).is_err() {
                break;
            }
            self.open.remove(empty);
            empty = above;
        }
        Ok(())
    }

    /// The stat of a file that holds what the index should say of it.
    pub(super) fn stat(&mut self, path: &FilePath, etag: Etag) -> Option<FileStat> {
        let folder = self.folder(path, false).ok()??;
        let stat = rustix::fs::statat(&*folder, path.file_name(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let stat = FileStat::of(&stat);
        let seen = self.tree.seen().get(path.as_str()).copied()?;
        (seen == stat.seen(etag)).then_some(stat)
    }

    fn is_still(&self, folder: &OwnedFd, path: &FilePath, etag: Etag) -> bool {
        let Ok(stat) = rustix::fs::statat(folder, path.file_name(), AtFlags::SYMLINK_NOFOLLOW) else { return false };
        self.tree.seen().get(path.as_str()).is_some_and(|seen| *seen == FileStat::of(&stat).seen(etag))
    }
}

/// Renames to a name that is still free; says whether it was.
fn rename_new(
    from: std::os::fd::BorrowedFd<'_>,
    old: &str,
    to: std::os::fd::BorrowedFd<'_>,
    new: &str,
) -> std::io::Result<bool> {
    match rustix::fs::renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST | Errno::ISDIR) => Ok(false),
        // File systems without it: look first.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            match rustix::fs::statat(to, new, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => {
                    rustix::fs::renameat(from, old, to, new)?;
                    Ok(true)
                }
                Ok(_) => Ok(false),
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}
