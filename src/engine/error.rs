//! What went wrong, sorted by what the caller can do about it.

use crate::resource::check::Violation;
use crate::resource::document::ParseError;
use crate::resource::etag::Etag;
use crate::resource::key::NameError;
use crate::{index, store};

/// A document that an error points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub kind: String,
    pub id: String,
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
    /// A file is at this path already.
    Exists(String),
    /// It contradicts what is there; the text says how and what to do.
    Conflict(String),
    /// A name that several documents carry.
    Ambiguous { name: String, candidates: Vec<Candidate> },
    /// Others link to it.
    Referenced(Vec<Candidate>),
    /// The document would break its kind.
    Invalid(Vec<Violation>),
    /// The document cannot be read at all.
    Unreadable(ParseError),
    /// The request itself is wrong; `particulars` lists for example the valid names.
    BadRequest { message: String, particulars: Option<(String, serde_json::Value)> },
    /// The write names no state of the document that it starts from.
    Unconditional,
    /// The document changed since the caller read it (`None`: it is not there).
    Stale(Option<Etag>),
    TooLarge(String),
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

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Error::Unreadable(error)
    }
}
