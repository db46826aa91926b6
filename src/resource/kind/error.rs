//! Why a set of kinds cannot be used.

/// What is wrong in which kind's folder; the text says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KindError {
    #[error("kind folder {folder}: {file} is missing")]
    Missing { folder: String, file: String },
    #[error("kind folder {folder}: cannot read {file}: {reason}")]
    Unreadable { folder: String, file: String, reason: String },
    #[error("kind folder {folder}: kind.yaml: {problem}")]
    Declaration { folder: String, problem: String },
    #[error("kind folder {folder}: {file}: {problem}")]
    Schema { folder: String, file: String, problem: String },
    /// Two kinds that cannot both exist, in the order of their names.
    #[error("kinds {first} and {second} {problem}")]
    Conflict { first: String, second: String, problem: String },
}
