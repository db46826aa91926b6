//! Where the socket is, for the system calls: their paths hold some hundred bytes, a data
//! directory's may be longer.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

/// What the path of a socket's address holds on every system (`sun_path`, unix(7)).
const MOST: usize = 100;

/// A path that reaches the socket for as long as this lives.
pub(super) struct Address {
    path: PathBuf,
    /// Open, because a long path goes by its number.
    _folder: Option<File>,
}

impl Address {
    pub(super) fn of(socket: &Path) -> io::Result<Self> {
        match (socket.parent(), socket.file_name()) {
            (Some(folder), Some(name)) if socket.as_os_str().len() > MOST => {
                let folder = File::open(folder)?;
                let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
                Ok(Address { path, _folder: Some(folder) })
            }
            _ => Ok(Address { path: socket.to_owned(), _folder: None }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
