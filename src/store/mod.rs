//! Files in git: the only layer that says git2.
//!
//! A data directory holds one plain, non-bare repository per workspace. Every write goes through
//! its workspace's one writer ([`Workspace::write`]), which turns whatever waits into commits, one
//! pack and one journal record; the record's sync is what makes a write durable ([`journal`]).
//! Packs, refs, work trees and git's index files are written without syncs after that, and mended
//! from the journal after a power cut ([`replay`]).
//!
//! Nothing here knows kinds, accounts or indexes. Blocking throughout; only [`Workspace::write`]
//! and its like are futures.

mod absorb;
mod ancestry;
mod apply;
mod aside;
mod backup;
mod commit;
mod consolidate;
mod delta;
mod diff;
mod discover;
mod error;
mod gitcommand;
mod gitindex;
mod hands;
mod heads;
mod history;
mod incoming;
mod indexfile;
mod journal;
mod layout;
mod linked;
mod lock;
mod maintain;
mod merge;
mod objects;
mod pack;
mod packfile;
mod push;
mod reconcile;
mod record;
mod reffiles;
mod refs;
mod remote;
mod rename;
mod replay;
mod snapshot;
mod staging;
mod tip;
mod tree;
mod trouble;
mod upkeep;
mod watch;
mod workspace;
mod workspaces;
mod worktree;
mod writer;

#[cfg(test)]
mod tests;

pub use absorb::Absorbed;
pub use aside::SetAside;
pub use backup::Unbundled;
pub use commit::{Change, Committed, Intent, MOVED_TRAILER, RENAMES_TRAILER};
pub use diff::unified;
pub use error::{Error, TipError, WriteError};
pub use gitcommand::git;
pub use history::walk;
pub use incoming::{Changed, Incoming, Measured, Refused};
pub use layout::{PushPolicy, Settings};
pub use linked::{Compared, Difference, FileChange, LinkRef, Published, Verb};
pub use merge::Merged;
pub use pack::blob_id;
pub use push::Move;
pub use refs::{MAIN, Ref, is_hidden};
pub use remote::{Advertised, FIRST_BRANCH, Remote, RemoteError};
pub use snapshot::{CommitInfo, FileEntry, Snapshot};
pub use tip::Tip;
pub use tree::{Entry, FileMode};
pub use watch::{Seen, WatchOptions, Watcher};
pub use workspace::Workspace;
pub use workspaces::{Options, Store};
pub use writer::Job;
