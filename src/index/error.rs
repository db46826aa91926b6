//! What can go wrong in the index. All of it is the server's business, none the caller's.

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the index cannot be opened")]
    Open(#[source] Source),
    #[error("the index is in use by another process")]
    Locked,
    #[error("reading the index failed")]
    Read(#[source] Source),
    /// The text is that of the commit's error, which several waiters share.
    #[error("committing to the index failed: {0}")]
    Commit(String),
    #[error("the index is shut down")]
    Closed,
}

impl From<tantivy::TantivyError> for Error {
    fn from(error: tantivy::TantivyError) -> Self {
        Error::Read(error.into())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::Read(error.into())
    }
}
