//! Branches and tags: which there are, and moving those beside `main`.

use git2::{ErrorCode, ObjectType, Oid, Reference, Repository};

use super::error::Error;
use super::heads;
use super::push::Move;
use super::workspace::Workspace;
use crate::resource::etag::Etag;

/// The branch that everything else here speaks of.
pub const MAIN: &str = heads::MAIN;

/// The server's own refs, which nobody sees or pushes to.
const HIDDEN: [&str; 2] = ["refs/projects", "refs/internal"];

/// Whether a ref is the server's own.
pub fn is_hidden(name: &str) -> bool {
    HIDDEN.iter().any(|hidden| name.strip_prefix(hidden).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// A branch, a tag or what else somebody made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    pub name: String,
    pub target: Etag,
    /// What an annotated tag is of.
    pub peeled: Option<Etag>,
}

fn etag(id: Oid) -> Option<Etag> {
    Some(Etag(id.as_bytes().try_into().ok()?))
}

fn open(workspace: &Workspace) -> Result<Repository, Error> {
    Repository::open(&workspace.dir).map_err(Error::git("open the repository"))
}

impl Workspace {
    /// The refs that clients see, by name. `main` is where this server knows it to be.
    pub fn refs(&self) -> Result<Vec<Ref>, Error> {
        let doing = "list refs";
        let repository = open(self)?;
        let mut found = vec![Ref { name: MAIN.to_owned(), target: self.head(), peeled: None }];
        for reference in repository.references().map_err(Error::git(doing))? {
            // One that is broken is nobody's.
            let Ok(reference) = reference else { continue };
            let Ok(name) = reference.name() else { continue };
            if name == MAIN || is_hidden(name) || !name.starts_with("refs/") {
                continue;
            }
            let Some(target) = reference.resolve().ok().and_then(|resolved| etag(resolved.target()?)) else { continue };
            let is_tag = || reference.target().and_then(|id| repository.find_tag(id).ok()).is_some();
            let peel = || etag(reference.peel(ObjectType::Any).ok()?.id());
            let peeled = if name.starts_with("refs/tags/") && is_tag() { peel() } else { None };
            found.push(Ref { name: name.to_owned(), target, peeled });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Makes, moves or removes a ref beside `main`; the inner error says why not.
    pub(super) fn move_ref(&self, wanted: &Move) -> Result<Result<(), String>, Error> {
        let repository = open(self)?;
        let id = |etag: Etag| Oid::from_bytes(&etag.0).map_err(Error::git("read an id"));
        let moved = match (wanted.old, wanted.new) {
            (None, None) => return Ok(Ok(())),
            (None, Some(new)) => repository.reference(&wanted.name, id(new)?, false, "push").map(drop),
            (Some(old), Some(new)) => {
                repository.reference_matching(&wanted.name, id(new)?, true, id(old)?, "push").map(drop)
            }
            (Some(old), None) => match repository.find_reference(&wanted.name) {
                Ok(found) if found.target() != Some(id(old)?) => return Ok(Err(MOVED.into())),
                Ok(mut found) => found.delete(),
                Err(error) => Err(error),
            },
        };
        Ok(match moved {
            Ok(()) => Ok(()),
            Err(error) if matches!(error.code(), ErrorCode::Exists | ErrorCode::Modified) => Err(MOVED.into()),
            Err(error) if error.code() == ErrorCode::NotFound => Err("there is no such ref".into()),
            // Such as a branch `a` beside a branch `a/b`.
            Err(error) => {
                tracing::info!(workspace.name = %self.name(), error = error.message(), "a ref was not moved");
                Err("the name does not go with another ref's, or somebody else has it locked".into())
            }
        })
    }
}

/// What git's own server says when somebody was quicker.
pub(super) const MOVED: &str = "fetch first: it has moved meanwhile";

/// Whether git takes this for a ref's name, and no command line for an option.
pub(super) fn is_sound(name: &str) -> bool {
    let segments = name.split('/').skip(2);
    let is_plain = |segment: &str| !segment.starts_with('-') && segment != "HEAD" && segment.len() <= 255;
    name.len() <= 1024 && Reference::is_valid_name(name) && segments.into_iter().all(is_plain)
}
