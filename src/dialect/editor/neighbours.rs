//! The descriptors that a service asks for: in its project, else in the workspace's private
//! catalogue.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::check::Neighbour;
use super::descriptors::shelf::{Descriptor, Shelf, Sort, published};
use super::fault::EditorFault;
use super::gate::InProject;
use super::topology::{self, Wanted};
use crate::engine::Reader;
use crate::resource::kind::version_fits;
use crate::resource::row::encode_version;

/// A descriptor that was asked for.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) descriptor: Descriptor,
    /// Whether it is of the project.
    pub(super) is_local: bool,
}

/// Finds descriptors by what services ask for, each list once. Blocking.
pub(super) struct Neighbours<'r> {
    reader: &'r Reader,
    at: &'r InProject,
    known: HashMap<(topology::Sort, bool), Named>,
}

/// Descriptors by vendor and name.
type Named = HashMap<(String, String), Vec<Descriptor>>;

/// Most bytes of the descriptors that a service names; one that it names twice counts twice.
const FOUND_MOST: usize = 64 << 20;

/// Most services that a search for circles looks at.
const VISITED: usize = 1_000;

impl<'r> Neighbours<'r> {
    pub(super) fn new(reader: &'r Reader, at: &'r InProject) -> Self {
        Neighbours { reader, at, known: HashMap::new() }
    }

    /// What a service asks for, in the order of [`topology::wanted`].
    pub(super) fn of(&mut self, service: &Value) -> Result<Vec<Option<Found>>, EditorFault> {
        let mut room = FOUND_MOST;
        let mut found = Vec::new();
        for (sort, wanted) in topology::wanted(service) {
            let one = self.find(sort, &wanted)?;
            let size = one.as_ref().map_or(0, |one| one.descriptor.content.json.len());
            room = room.checked_sub(size).ok_or_else(|| {
                EditorFault::bad("the service names descriptors of more than 64 MiB in all: let it name fewer")
            })?;
            found.push(one);
        }
        Ok(found)
    }

    /// The newest version that fits, of the project if it has one.
    pub(super) fn find(&mut self, sort: topology::Sort, wanted: &Wanted) -> Result<Option<Found>, EditorFault> {
        for is_local in [true, false] {
            let named = self.all(sort, is_local)?.get(&(wanted.vendor.clone(), wanted.name.clone()));
            let version = |one: &&Descriptor| one.triple.as_ref().map(|triple| triple.version.clone());
            let fits = named.into_iter().flatten().filter(|one| {
                let version = version(one);
                version.is_some_and(|version| version_fits(&wanted.version, &version))
            });
            let newest = fits.max_by_key(|one| version(one).map(|version| encode_version(&version)));
            if let Some(descriptor) = newest {
                return Ok(Some(Found { descriptor: descriptor.clone(), is_local }));
            }
        }
        Ok(None)
    }

    fn all(&mut self, sort: topology::Sort, is_local: bool) -> Result<&Named, EditorFault> {
        match self.known.entry((sort, is_local)) {
            std::collections::hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => {
                let shelf = match sort {
                    topology::Sort::Function => Sort::Function,
                    topology::Sort::Service => Sort::Service,
                };
                let all = if is_local {
                    Shelf::new(self.reader, self.at, shelf)?.all()?
                } else {
                    published(self.reader, &self.at.workspace, shelf, None)?
                };
                let mut named = Named::new();
                for one in all {
                    if let Some(triple) = &one.triple {
                        named.entry((triple.vendor.clone(), triple.name.clone())).or_default().push(one);
                    }
                }
                Ok(place.insert(named))
            }
        }
    }

    /// As [`Neighbours::of`], with what [`super::check`] wants to know of each.
    pub(super) fn judged(&mut self, service: &Descriptor) -> Result<Vec<Option<Neighbour>>, EditorFault> {
        let found = self.of(&service.value)?;
        let own = uid(service);
        let mut neighbours = Vec::with_capacity(found.len());
        for (found, (sort, _)) in found.into_iter().zip(topology::wanted(&service.value)) {
            let Some(Found { descriptor, is_local }) = found else {
                neighbours.push(None);
                continue;
            };
            let mut way = vec![own.clone()];
            let circle = match sort {
                topology::Sort::Service => self.circle(&descriptor, &mut way, &mut HashSet::new())?,
                topology::Sort::Function => None,
            };
            neighbours.push(Some(Neighbour {
                uid: uid(&descriptor),
                violations: descriptor.content.violations.len(),
                descriptor: descriptor.value,
                is_local,
                circle,
            }));
        }
        Ok(neighbours)
    }

    /// From a service over those it contains to one that is on the way already.
    fn circle(
        &mut self,
        service: &Descriptor,
        way: &mut Vec<String>,
        done: &mut HashSet<String>,
    ) -> Result<Option<Vec<String>>, EditorFault> {
        let own = uid(service);
        if let Some(at) = way.iter().position(|known| *known == own) {
            return Ok(Some(way[at..].iter().cloned().chain([own]).collect()));
        }
        // Services nest a few levels deep; whoever nests them by the hundred is told of it elsewhere.
        if way.len() > 64 || done.len() > VISITED || !done.insert(own.clone()) {
            return Ok(None);
        }
        way.push(own);
        for (sort, wanted) in topology::wanted(&service.value) {
            if sort == topology::Sort::Service
                && let Some(found) = self.find(sort, &wanted)?
                && let Some(circle) = self.circle(&found.descriptor, way, done)?
            {
                return Ok(Some(circle));
            }
        }
        way.pop();
        Ok(None)
    }
}

/// `vendor:name:version`.
pub(super) fn uid(descriptor: &Descriptor) -> String {
    descriptor.triple.as_ref().map_or_else(|| descriptor.found.row.path.to_string(), ToString::to_string)
}
