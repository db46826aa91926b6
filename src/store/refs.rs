//! Branches and tags: which there are, and moving those beside `main`.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use git2::{ErrorCode, ObjectType, Oid, Reference, Repository};

use super::error::Error;
use super::heads;
use super::push::Move;
use super::reffiles::{self, Target};
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
        let mut all = reffiles::read_all(&self.git_dir)?;
        all.insert(MAIN.to_owned(), Target { id: self.head(), peeled: None });
        let mut repository = None;
        let mut found = Vec::with_capacity(all.len());
        for (name, Target { id, peeled }) in all.into_iter().filter(|(name, _)| !is_hidden(name)) {
            let peeled = match peeled {
                Some(peeled) => peeled,
                None if name.starts_with("refs/tags/") => {
                    let repository = match &mut repository {
                        Some(open) => open,
                        none => none.insert(open(self)?),
                    };
                    peel(repository, id)
                }
                None => None,
            };
            found.push(Ref { name, target: id, peeled });
        }
        Ok(found)
    }

    /// Why each of these moves is refused, whatever it brings.
    pub fn refusals(&self, moves: &[Move]) -> Result<Vec<Option<String>>, Error> {
        let mut known: HashMap<String, String> = HashMap::new();
        if moves.iter().any(|wanted| wanted.old.is_none() && wanted.name != MAIN) {
            for name in reffiles::read_all(&self.git_dir)?.into_keys() {
                note(&mut known, &name);
            }
        }
        let refusals = moves.iter().map(|wanted| {
            if let Some(why) = wanted.refusal() {
                return Some(why.to_owned());
            }
            if wanted.old.is_some() || wanted.new.is_none() {
                return None;
            }
            let twin =
                parts(&wanted.name).find_map(|part| known.get(&part.to_lowercase()).filter(|known| *known != part));
            if let Some(twin) = twin {
                return Some(format!("there is {twin}, whose name differs only in case"));
            }
            note(&mut known, &wanted.name);
            None
        });
        Ok(refusals.collect())
    }

    /// Makes, moves or removes refs beside `main`; says of each why not.
    pub(super) fn move_refs(&self, moves: &[&Move]) -> Result<Vec<Result<(), String>>, Error> {
        let repository = open(self)?;
        self.refs_moved.fetch_add(1, Ordering::Relaxed);
        moves.iter().map(|wanted| self.move_ref(&repository, wanted)).collect()
    }

    fn move_ref(&self, repository: &Repository, wanted: &Move) -> Result<Result<(), String>, Error> {
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

/// What an annotated tag is of in the end; `None` for anything else.
fn peel(repository: &Repository, id: Etag) -> Option<Etag> {
    let tag = repository.find_tag(Oid::from_bytes(&id.0).ok()?).ok()?;
    etag(tag.as_object().peel(ObjectType::Any).ok()?.id())
}

/// A ref's name and the folders above it.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(end, _)| &name[..end]).chain([name])
}

/// Notes how a ref's name and the folders above it are spelled.
fn note(known: &mut HashMap<String, String>, name: &str) {
    for part in parts(name) {
        known.entry(part.to_lowercase()).or_insert_with(|| part.to_owned());
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
