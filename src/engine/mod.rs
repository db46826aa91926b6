//! The use cases: the only layer that joins store, index and rules.
//!
//! Reading goes through a [`Reader`], writing through a [`Writer`]; both exist only for an actor who
//! may. What already happened comes in through [`Engine::absorb`].

mod absorb;
mod access;
mod content;
mod embed;
mod error;
mod history;
mod judgement;
mod ledger;
mod linked;
mod members;
mod numbers;
mod patch;
mod place;
mod push;
mod read;
mod strict;
mod transaction;
mod watch;
mod workspaces;
mod write;

pub use access::CatalogueWriters;
pub use content::Content;
pub use embed::Embedded;
pub use error::{Candidate, Error};
pub use history::{HistoryPage, Revision};
pub use linked::{Abroad, Cloned, LinkStatus, Linked, Pulled, Revised};
pub use members::SettingsChange;
pub use numbers::Standing;
pub use push::Checked;
pub use read::{Files, Found, Listing, Reader};
pub use transaction::{Change, Operation, Payload};
pub use workspaces::{Engine, NewWorkspace, Overview};
pub use write::{Options, Refused, Writer, Written};
