//! Names that cannot be wrong: workspaces, paths inside them, ids of documents.

mod spelling;

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use unicode_normalization::is_nfc;

pub use spelling::folded;
use spelling::{forbidden, is_device, is_git_lookalike};

/// Owners that belong to the server, not to an account (decisions.md 4).
pub const RESERVED_OWNERS: [&str; 3] = ["catalogue", "vdc", "system"];

/// Why a name was refused; the text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(String);

impl NameError {
    fn new(text: impl Into<String>) -> Self {
        NameError(text.into())
    }

    /// The name belongs to the server.
    pub fn reserved(name: &str) -> Self {
        NameError(format!("{name:?} is reserved for the server: choose another name"))
    }
}

/// `<owner>/<name>`, spelt as its creator spelt it. Two names that differ in case are the same
/// workspace: compare [`WorkspaceName::folded`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkspaceName {
    text: Arc<str>,
    slash: usize,
}

impl WorkspaceName {
    /// Takes `owner` and `name` apart at the first slash.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (owner, name) = text
            .split_once('/')
            .ok_or_else(|| NameError::new(format!("{text:?} is not a workspace: write OWNER/NAME")))?;
        Self::new(owner, name)
    }

    /// Checks both halves.
    pub fn new(owner: &str, name: &str) -> Result<Self, NameError> {
        account_name(owner)?;
        let ok = (1..=39).contains(&name.len())
            && name
                .bytes()
                .enumerate()
                .all(|(at, b)| b.is_ascii_alphanumeric() || (at > 0 && matches!(b, b'.' | b'_' | b'-' | b' ')))
            && !name.ends_with([' ', '.'])
            && !name.to_ascii_lowercase().ends_with(".git");
        if !ok {
            return Err(NameError::new(format!(
                "{name:?} is not a workspace name: use 1 to 39 of A-Z a-z 0-9 . _ - and blanks, \
                 starting with a letter or digit, not ending in a blank, a dot or .git"
            )));
        }
        Ok(WorkspaceName { text: format!("{owner}/{name}").into(), slash: owner.len() })
    }

    pub fn owner(&self) -> &str {
        &self.text[..self.slash]
    }

    pub fn name(&self) -> &str {
        &self.text[self.slash + 1..]
    }

    /// `owner/name`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same text, shared.
    pub fn to_arc(&self) -> Arc<str> {
        self.text.clone()
    }

    /// What two spellings of one workspace have in common.
    pub fn folded(&self) -> String {
        self.text.to_ascii_lowercase()
    }
}

impl fmt::Display for WorkspaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for WorkspaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

/// Checks an account's name: `[A-Za-z0-9][A-Za-z0-9._-]{0,38}` (decisions.md 4).
pub fn account_name(name: &str) -> Result<(), NameError> {
    let ok = (1..=39).contains(&name.len())
        && name
            .bytes()
            .enumerate()
            .all(|(at, b)| b.is_ascii_alphanumeric() || (at > 0 && matches!(b, b'.' | b'_' | b'-')))
        && !name.ends_with('.');
    if ok {
        Ok(())
    } else {
        Err(NameError::new(format!(
            "{name:?} is not an account name: use 1 to 39 of A-Z a-z 0-9 . _ -, \
             starting with a letter or digit, not ending in a dot"
        )))
    }
}

/// A file's path inside a workspace: relative, normalised, unable to leave it.
///
/// Cheap to clone. Ordered bytewise.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FilePath(Arc<str>);

/// Longest path in bytes.
pub const PATH_BYTES: usize = 1024;
/// Deepest nesting of folders.
pub const PATH_DEPTH: usize = 32;

impl FilePath {
    /// Parses a path or says what is wrong with it.
    ///
    /// Refused: absolute and empty paths, empty, `.` and `..` segments, control, bidirectional and
    /// zero-width characters, backslash and colon, text that is not Unicode NFC, segments over 255
    /// bytes, a leading dash, a trailing dot or blank, device names of Windows, `.git` in any
    /// spelling that some file system takes for it, and git's own control files.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let bad = |why: &str| Err(NameError::new(format!("the path {:?} {why}", shorten(text))));
        if text.is_empty() {
            return Err(NameError::new("the path is empty"));
        }
        if text.len() > PATH_BYTES {
            return bad("is longer than 1024 bytes");
        }
        if !is_nfc(text) {
            return bad("is not in Unicode normalisation form C: normalise it first");
        }
        if text.split('/').count() > PATH_DEPTH {
            return bad("is nested deeper than 32 folders");
        }
        for segment in text.split('/') {
            if segment.is_empty() {
                return bad("has an empty segment: no leading, trailing or double slash");
            }
            if segment == "." || segment == ".." {
                return bad("has a '.' or '..' segment");
            }
            if segment.len() > 255 {
                return bad("has a segment longer than 255 bytes");
            }
            if let Some(c) = segment.chars().find(|c| forbidden(*c)) {
                return bad(&format!("holds the character U+{:04X}, which is not allowed", c as u32));
            }
            if segment.starts_with('-') {
                return bad("has a segment that starts with a dash");
            }
            if segment.starts_with(' ') || segment.ends_with(['.', ' ']) {
                return bad("has a segment that starts with a blank or ends in a dot or a blank");
            }
            if is_git_lookalike(segment) {
                return bad("has a segment that git or a file system takes for its own");
            }
            if is_device(segment) {
                return bad("has a segment that is a device name on Windows");
            }
        }
        Ok(FilePath(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text, shared.
    pub fn to_arc(&self) -> Arc<str> {
        self.0.clone()
    }

    /// The folders and the file name, outermost first.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder, without a trailing slash; empty at the top.
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

fn shorten(text: &str) -> String {
    let mut out: String = text.chars().take(80).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

/// A document's id (decisions.md 5): what the kind's pattern captured, or a number derived from
/// where and when the file was made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DocumentId {
    /// 53 bits, so that every JSON reader holds it exactly.
    Number(u64),
    Text(Arc<str>),
}

impl DocumentId {
    /// The id of a file that `commit` (hex) created at `path` in the workspace with this id.
    pub fn derive(workspace: u64, commit: &str, path: &str) -> Self {
        DocumentId::Number(first_53_bits(&[&workspace.to_be_bytes(), commit.as_bytes(), path.as_bytes()]))
    }

    /// The form that the index stores: sorts numbers by value and keeps both sorts apart.
    pub fn stored(&self) -> Arc<str> {
        match self {
            DocumentId::Number(n) => format!("n{n:016}").into(),
            DocumentId::Text(t) => format!("t{t}").into(),
        }
    }

    /// Reverses [`DocumentId::stored`].
    pub fn from_stored(stored: &str) -> Self {
        match stored.strip_prefix('n').and_then(|digits| digits.parse().ok()) {
            Some(n) => DocumentId::Number(n),
            None => DocumentId::Text(stored.strip_prefix('t').unwrap_or(stored).into()),
        }
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DocumentId::Number(n) => write!(f, "{n}"),
            DocumentId::Text(t) => f.write_str(t),
        }
    }
}

/// A workspace's number: the first 53 bits over its first spelling and its root commit (hex).
pub fn workspace_id(name: &WorkspaceName, root_commit: &str) -> u64 {
    first_53_bits(&[name.folded().as_bytes(), root_commit.as_bytes()])
}

/// The number of something in a workspace that is no file of its own: the first 53 bits over what
/// it is, the name it had first, and which of that name it is.
pub fn entry_id(workspace: u64, sort: &str, name: &str, nth: usize) -> u64 {
    first_53_bits(&[&workspace.to_be_bytes(), sort.as_bytes(), name.as_bytes(), &(nth as u64).to_be_bytes()])
}

/// The folder that spreads documents of one kind: first two hex digits of SHA-256 of the id.
pub fn shard(id: &str) -> String {
    format!("{:02x}", Sha256::digest(id.as_bytes())[0])
}

/// First 53 bits of SHA-256 over the parts, each followed by a zero byte.
fn first_53_bits(parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first) >> 11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_escape_or_deceive_are_refused() {
        let long = "x".repeat(256);
        let deep = "a/".repeat(40) + "b";
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../x",
            "a/./b",
            "a//b",
            "a/",
            ".git/config",
            ".GIT/config",
            "git~1/config",
            ".git /x",
            ".git./x",
            ".git::$INDEX_ALLOCATION/x",
            ".g\u{200c}it/config",
            ".git\u{200b}/x",
            "a\\..\\b",
            "a\0b",
            "a\nb",
            "a\u{1b}b",
            "a\u{7f}b",
            "CON",
            "nul.yml",
            "nul .yml",
            "com1.txt",
            "com¹.txt",
            "LPT³",
            "a/Com².tar.gz",
            "a:b",
            "a.",
            "a ",
            "x\u{202e}lmy.yml",
            "-rf.yml",
            "--upload-pack=x",
            ".gitmodules",
            ".gitattributes",
            "e\u{301}.yml",
            &long,
            &deep,
        ] {
            assert!(FilePath::parse(path).is_err(), "{path:?} was taken");
        }
        for path in [
            "com⁴x.txt",
            "com¹0.txt",
            "common.txt",
            "a.yml",
            "a/b/c.yml",
            ".gitignore",
            "übung.yml",
            "a b.yml",
            "a-b_c.1.yml",
            "comma,.yml",
        ] {
            assert!(FilePath::parse(path).is_ok(), "{path:?} was refused");
        }
    }

    #[test]
    fn ids_keep_their_order_and_their_sort() {
        let small = DocumentId::Number(9);
        let large = DocumentId::Number(10);
        assert!(small.stored() < large.stored());
        for id in [small, large, DocumentId::Text("n0000000000000009".into()), DocumentId::Text("9".into())] {
            assert_eq!(DocumentId::from_stored(&id.stored()), id);
        }
    }

    #[test]
    fn workspace_names() {
        assert_eq!(WorkspaceName::parse("ann/My work").map(|n| n.folded()), Ok("ann/my work".to_owned()));
        for bad in ["ann", "ann/", "/x", "ann/.state", "ann/a.git", "ann/a/b", "a b/c", "ann/x "] {
            assert!(WorkspaceName::parse(bad).is_err(), "{bad:?} was taken");
        }
    }
}
