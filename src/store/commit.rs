//! Commit objects: what a writer asks for, what became of it, and git's text for it.

use std::collections::HashSet;
use std::sync::Arc;

use crate::resource::actor::Author;
use crate::resource::etag::Etag;
use crate::resource::row::Moment;

/// Trailer of a commit that moved a file: `Workleaf-Moved: old/path -> new/path`.
pub const MOVED_TRAILER: &str = "Workleaf-Moved";

/// `Workleaf-Renames: stated` in a commit's message says that there are no moves but those that its
/// [`MOVED_TRAILER`]s tell of, however alike a deleted and a new file are.
pub const RENAMES_TRAILER: &str = "Workleaf-Renames";
/// Trailer of a commit that takes in what was edited on the server's disk.
pub(super) const DISK_TRAILER: &str = "Workleaf-Disk-Edit";

/// The commit that a job wants for its changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Author and committer.
    pub author: Author,
    /// The whole message; trailers are its last paragraph.
    pub message: String,
}

/// One file that a commit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub path: Arc<str>,
    /// `None`: the commit created it.
    pub old: Option<Etag>,
    /// `None`: the commit deleted it.
    pub new: Option<Etag>,
    /// Where the file was before, when the commit moved it here; that path's own change (a
    /// deletion) is in the list too.
    pub moved_from: Option<Arc<str>>,
}

/// A commit and what it changed against its first parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    pub commit: Etag,
    /// The first parent; `None` for a root.
    pub parent: Option<Etag>,
    pub at: Moment,
    pub author: Author,
    pub message: Arc<str>,
    /// Ordered by path.
    pub changes: Vec<Change>,
}

/// A commit object, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parsed<'a> {
    pub(super) tree: Etag,
    pub(super) parents: Vec<Etag>,
    pub(super) author: Author,
    /// The committer's date.
    pub(super) seconds: i64,
    pub(super) message: &'a [u8],
}

/// Takes a commit apart. Times that are no number read as 0.
pub(super) fn parse(raw: &[u8]) -> Option<Parsed<'_>> {
    let mut rest = raw;
    let mut tree = None;
    let mut parents = Vec::new();
    let mut author = None;
    let mut seconds = 0;
    loop {
        let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() {
            break;
        }
        let (key, value) = match line.iter().position(|b| *b == b' ') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &line[line.len()..]),
        };
        match key {
            b"tree" => tree = Some(hex(value)?),
            b"parent" => parents.push(hex(value)?),
            b"author" if author.is_none() => author = Some(signature(value).0),
            b"committer" => seconds = signature(value).1,
            _ => {}
        }
    }
    let author = author.unwrap_or_else(|| Author { name: String::new(), email: String::new() });
    Some(Parsed { tree: tree?, parents, author, seconds, message: rest })
}

fn hex(value: &[u8]) -> Option<Etag> {
    std::str::from_utf8(value).ok().and_then(Etag::parse)
}

/// `Name <email> seconds zone`.
fn signature(value: &[u8]) -> (Author, i64) {
    let text = String::from_utf8_lossy(value);
    let (name, rest) = text.split_once('<').unwrap_or((&text, ""));
    let (email, rest) = rest.rsplit_once('>').unwrap_or((rest, ""));
    let seconds = rest.split_whitespace().next().and_then(|s| s.parse().ok()).unwrap_or(0);
    (Author { name: name.trim().to_owned(), email: email.to_owned() }, seconds)
}

/// Git's text of a commit whose author is its committer, in UTC.
pub(super) fn encode(tree: Etag, parents: &[Etag], seconds: i64, intent: &Intent) -> Vec<u8> {
    let name = plain(&intent.author.name);
    let email = plain(&intent.author.email);
    let who = format!("{} <{email}> {seconds} +0000", if name.is_empty() { "workleaf" } else { &name });
    let mut out = format!("tree {tree}\n");
    for parent in parents {
        out.push_str(&format!("parent {parent}\n"));
    }
    // A NUL would end the message for git.
    let message = intent.message.replace('\0', "");
    let message = message.trim_end();
    out.push_str(&format!("author {who}\ncommitter {who}\n\n{message}\n"));
    out.into_bytes()
}

/// Without what ends a name in git's text, as git itself strips it.
fn plain(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
    kept.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ',' | ':' | ';' | '"' | '\\' | '\'')).to_owned()
}

/// The pairs (old, new) of `Workleaf-Moved` trailers.
pub(super) fn moves(message: &str) -> impl Iterator<Item = (&str, &str)> {
    message
        .lines()
        .filter_map(|line| line.strip_prefix(MOVED_TRAILER)?.strip_prefix(": ")?.trim_end().split_once(" -> "))
}

/// Whether the message tells all moves of its commit: what merely looks like one is none.
pub(super) fn tells_all_moves(message: &str) -> bool {
    message.lines().any(|line| line.strip_prefix(RENAMES_TRAILER).is_some_and(|rest| rest.trim_end() == ": stated"))
}

/// Names the moves of the message in the changes they explain.
pub(super) fn mark_moves(changes: &mut [Change], message: &str) {
    if !message.contains(MOVED_TRAILER) {
        return;
    }
    // Moves of one commit follow each other: where each file was before the commit.
    let mut origins: Vec<(&str, &str)> = Vec::new();
    for (old, new) in moves(message) {
        let known = origins.iter().position(|(now, _)| *now == old);
        let origin = known.map_or(old, |at| origins.remove(at).1);
        origins.retain(|(now, _)| *now != new);
        origins.push((new, origin));
    }
    // The last word counts: nothing comes from one place twice.
    let mut taken = HashSet::new();
    for (new, old) in origins.into_iter().rev() {
        let Some(from) = changes.iter().find(|c| *c.path == *old && c.old.is_some()).map(|c| c.path.clone()) else {
            continue;
        };
        if old != new
            && let Some(change) = changes.iter_mut().find(|c| *c.path == *new && c.new.is_some())
            && taken.insert(from.clone())
        {
            change.moved_from = Some(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_follow_each_other_and_nothing_is_taken_twice() {
        let change = |path: &str, old: bool, new: bool| Change {
            path: path.into(),
            old: old.then_some(Etag([1; 20])),
            new: new.then_some(Etag([2; 20])),
            moved_from: None,
        };
        let marked = |mut changes: Vec<Change>, moves: &[&str]| {
            let lines: Vec<String> = moves.iter().map(|line| format!("{MOVED_TRAILER}: {line}")).collect();
            mark_moves(&mut changes, &format!("Subject\n\n{}", lines.join("\n")));
            let from = |c: &Change| format!("{}<{}", c.path, c.moved_from.as_deref().unwrap_or(""));
            changes.iter().map(from).collect::<Vec<_>>().join(" ")
        };
        let gone_and_new = || vec![change("a", true, false), change("b", false, true)];
        assert_eq!(marked(gone_and_new(), &["a -> b"]), "a< b<a");
        assert_eq!(marked(gone_and_new(), &["a -> x", "x -> b"]), "a< b<a");
        assert_eq!(marked(gone_and_new(), &["x -> b"]), "a< b<");
        let both = || vec![change("a", true, true), change("b", true, true)];
        assert_eq!(marked(both(), &["a -> t", "b -> a", "t -> b"]), "a<b b<a");
        assert_eq!(marked(both(), &["a -> t", "t -> a"]), "a< b<");
        // A new file in the old place.
        assert_eq!(marked(vec![change("a", true, true), change("b", false, true)], &["a -> b"]), "a< b<a");
        let three = vec![change("a", true, false), change("b", false, true), change("c", false, true)];
        assert_eq!(marked(three, &["a -> b", "a -> c"]), "a< b< c<a");
    }

    #[test]
    fn commits_round_trip() {
        let intent = Intent {
            author: Author { name: "Ann <x>\n Öl.".into(), email: "a@b\n>".into() },
            message: "Subject\n\nWorkleaf-Moved: a -> b c\n\n".into(),
        };
        let raw = encode(Etag([1; 20]), &[Etag([2; 20])], 1_700_000_000, &intent);
        let parsed = parse(&raw).unwrap();
        assert_eq!((parsed.tree, parsed.parents), (Etag([1; 20]), vec![Etag([2; 20])]));
        assert_eq!(parsed.author, Author { name: "Ann x Öl".into(), email: "a@b".into() });
        assert_eq!(parsed.seconds, 1_700_000_000);
        let message = std::str::from_utf8(parsed.message).unwrap();
        assert_eq!(moves(message).collect::<Vec<_>>(), [("a", "b c")]);
    }
}
