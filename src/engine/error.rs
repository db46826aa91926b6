//! What went wrong, sorted by what the caller can do about it.

use crate::resource::check::Violation;
use crate::resource::document::ParseError;
use crate::resource::etag::Etag;
use crate::resource::key::{DocumentId, FilePath, NameError};
use crate::{index, state, store};

/// A document that an error points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub kind: String,
    pub id: DocumentId,
    pub workspace: String,
    pub path: String,
}

/// The errors of every use case.
#[derive(Debug)]
pub enum Error {
    /// Not there, or not for this caller to know of. What, as in `service "x"`.
    NotFound(String),
    /// Nobody is logged in and it needs somebody.
    LoginNeeded,
    /// The caller may see it but not do this. The text says what is missing.
    Denied(String),
    /// It is there already. What, as in `file a/b.yml`.
    Exists(String),
    /// It contradicts what is there; the text says how and what to do.
    Conflict(String),
    /// A name that several documents carry.
    Ambiguous {
        name: String,
        candidates: Vec<Candidate>,
    },
    /// Others link to it.
    Referenced(Vec<Candidate>),
    /// The document would break its kind.
    Invalid(Vec<Violation>),
    /// The document cannot be read at all.
    Unreadable(ParseError),
    /// The request itself is wrong; `particulars` lists for example the valid names.
    BadRequest {
        message: String,
        particulars: Option<(String, serde_json::Value)>,
    },
    /// The write names no state of the document that it starts from.
    Unconditional,
    /// The write was only to make a file, and there is one.
    Present(Etag),
    /// The document changed since the caller read it (`None`: it is not there).
    Stale(Option<Etag>),
    /// The write relies on a file that has gone meanwhile.
    Gone(FilePath),
    TooLarge(String),
    /// What was to be merged changed these files in other ways than they were changed here.
    Conflicts(Vec<String>),
    /// Another server refused, or did not answer as it should; in words for the caller.
    Elsewhere(String),
    /// Try again later.
    Busy(String),
    /// No space is left; nothing was changed.
    Full,
    /// Not the caller's business.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub fn bad_request(message: impl Into<String>) -> Self {
        Error::BadRequest { message: message.into(), particulars: None }
    }

    /// A bad request that lists what would have been right under `key`.
    pub fn with_valid(message: impl Into<String>, key: &str, valid: Vec<String>) -> Self {
        Error::BadRequest { message: message.into(), particulars: Some((key.to_owned(), valid.into())) }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Error::bad_request(error.to_string())
    }
}

impl From<index::Error> for Error {
    fn from(error: index::Error) -> Self {
        Error::Internal(Box::new(error))
    }
}

impl From<state::Error> for Error {
    fn from(error: state::Error) -> Self {
        match error {
            state::Error::Exists { what, name } => Error::Exists(format!("{what} {name:?}")),
            state::Error::NotFound { what, name } => Error::NotFound(format!("{what} {name:?}")),
            state::Error::Changed => Error::LoginNeeded,
            state::Error::Name(error) => error.into(),
            state::Error::Newer { .. } | state::Error::Sql { .. } => Error::Internal(Box::new(error)),
        }
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Error::Unreadable(error)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NoWorkspace(name) => Error::NotFound(format!("workspace {name}")),
            store::Error::Exists(name) => Error::Exists(format!("workspace {name}")),
            store::Error::NoCommit(name, commit) => Error::NotFound(format!("commit {commit} in {name}")),
            store::Error::NoMain(_) => Error::Conflict(error.to_string()),
            store::Error::Busy(_) => Error::Busy(error.to_string()),
            store::Error::DiskFull { .. } => Error::Full,
            store::Error::Tip(error) => error.into(),
            store::Error::NoObject(..)
            | store::Error::Poisoned(_)
            | store::Error::Io { .. }
            | store::Error::Git { .. }
            | store::Error::Damaged { .. }
            | store::Error::Panicked => Error::Internal(Box::new(error)),
        }
    }
}

impl From<store::TipError> for Error {
    fn from(error: store::TipError) -> Self {
        match error {
            store::TipError::Twin { .. }
            | store::TipError::IsFolder { .. }
            | store::TipError::UnderFile { .. }
            | store::TipError::Disk { .. } => Error::Conflict(error.to_string()),
            store::TipError::TooLarge { .. } => Error::TooLarge(error.to_string()),
            store::TipError::Missing { path } => Error::NotFound(format!("file {path}")),
            store::TipError::Store(error) => (*error).into(),
        }
    }
}
