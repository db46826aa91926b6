//! The descriptors of one sort in a project, and those in the workspace's private catalogue.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::triple::Triple;
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::gate::{InProject, InWorkspace};
use crate::engine::{Content, Error, Found, Reader};
use crate::http::fault::{id_json, violations_json};
use crate::resource::etag::Etag;
use crate::resource::key::{DocumentId, FilePath, folded};
use crate::resource::kind::Kind;
use crate::resource::query::Filter;
use crate::resource::row::{Column, Row};

/// Functions or services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect::editor) enum Sort {
    Function,
    Service,
}

impl Sort {
    /// The kind's name.
    pub(in crate::dialect::editor) fn kind(self) -> &'static str {
        match self {
            Sort::Function => "function",
            Sort::Service => "service",
        }
    }

    /// The trees of the private catalogue, below which are `<vendor>/<name>/<version>/descriptor.yml`:
    /// where to publish, then where the original did, which is only read.
    pub(super) fn trees(self) -> [&'static str; 2] {
        match self {
            Sort::Function => ["catalogues/vnf_catalogue", "vnf"],
            Sort::Service => ["catalogues/ns_catalogue", "ns"],
        }
    }
}

/// A descriptor as it is stored, however broken.
#[derive(Debug, Clone)]
pub(in crate::dialect::editor) struct Descriptor {
    pub(in crate::dialect::editor) found: Found,
    pub(in crate::dialect::editor) content: Arc<Content>,
    /// An object; an empty one where the file holds nothing of the sort.
    pub(in crate::dialect::editor) value: Value,
    pub(in crate::dialect::editor) triple: Option<Triple>,
}

impl Descriptor {
    pub(super) fn of(found: Found, content: Arc<Content>) -> Self {
        let value = content.value().filter(Value::is_object).unwrap_or_else(|| json!({}));
        Descriptor { triple: Triple::of(&value), found, content, value }
    }

    pub(super) fn read(reader: &Reader, kind: &Arc<Kind>, row: Arc<Row>) -> Result<Self, Error> {
        let content = reader.content(&row)?;
        Ok(Descriptor::of(Found { kind: kind.clone(), row }, content))
    }

    pub(super) fn path(&self) -> Result<FilePath, EditorFault> {
        Ok(FilePath::parse(&self.found.row.path)?)
    }

    pub(in crate::dialect::editor) fn etag(&self) -> Etag {
        self.found.row.etag
    }

    fn part(&self, key: &str) -> String {
        match &self.value[key] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        }
    }

    /// `vendor:name:version`; what the file does not say is empty.
    pub(super) fn uid(&self) -> String {
        format!("{}:{}:{}", self.part("vendor"), self.part("name"), self.part("version"))
    }

    /// `{"id", "uid", "name", "vendor", "version", "descriptor"}`, and `violations` where there are
    /// some: those of a file that came by another road.
    pub(in crate::dialect::editor) fn object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("id".into(), id_json(&DocumentId::from_stored(&self.found.row.id)));
        object.insert("uid".into(), json!(self.uid()));
        for key in ["name", "vendor", "version"] {
            object.insert(key.into(), json!(self.part(key)));
        }
        object.insert("descriptor".into(), self.value.clone());
        if !self.content.violations.is_empty() {
            object.insert("violations".into(), violations_json(&self.content.violations));
        }
        object
    }
}

/// Where the descriptors of one sort in one project are found. Blocking.
pub(in crate::dialect::editor) struct Shelf<'r> {
    reader: &'r Reader,
    at: &'r InProject,
    sort: Sort,
    pub(super) kind: Arc<Kind>,
}

impl<'r> Shelf<'r> {
    pub(in crate::dialect::editor) fn new(
        reader: &'r Reader,
        at: &'r InProject,
        sort: Sort,
    ) -> Result<Self, EditorFault> {
        Ok(Shelf { reader, at, sort, kind: at.workspace.kind(sort.kind())? })
    }

    /// All in the order of creation.
    pub(in crate::dialect::editor) fn all(&self) -> Result<Vec<Descriptor>, EditorFault> {
        self.among(Vec::new())
    }

    /// Those of the project that fulfil all conditions.
    fn among(&self, mut conditions: Vec<Filter>) -> Result<Vec<Descriptor>, EditorFault> {
        conditions.push(Filter::in_workspace(self.at.workspace.name.to_arc()));
        conditions.extend(equal(&self.kind, "project", &self.at.folder));
        let rows = self.reader.every(&self.kind, Filter::All(conditions))?;
        let here = rows.into_iter().filter(|row| self.is_here(row));
        Ok(here.map(|row| Descriptor::read(self.reader, &self.kind, row)).collect::<Result<_, _>>()?)
    }

    fn is_here(&self, row: &Row) -> bool {
        self.kind.captures_of(&row.path).is_some_and(|captures| captures.get("project") == Some(&self.at.folder))
    }

    /// One by its number; `None` where it is not one of this project.
    pub(in crate::dialect::editor) fn by_id(&self, id: u64) -> Result<Option<Descriptor>, EditorFault> {
        match self.reader.numbered(&self.kind, id, &self.at.workspace.name) {
            Ok(found) if self.is_here(&found.row) => Ok(Some(Descriptor::read(self.reader, &self.kind, found.row)?)),
            Ok(_) | Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Those with this identity: more than one where files came by another road.
    pub(in crate::dialect::editor) fn with(&self, triple: &Triple) -> Result<Vec<Descriptor>, EditorFault> {
        let named = self.among(equal(&self.kind, "name", &triple.name).into_iter().collect())?;
        Ok(named.into_iter().filter(|found| found.triple.as_ref() == Some(triple)).collect())
    }

    /// Versions of the others with this one's vendor and name.
    pub(super) fn other_versions(&self, one: &Descriptor) -> Result<Vec<String>, EditorFault> {
        let Some(triple) = &one.triple else { return Ok(Vec::new()) };
        let named = self.among(equal(&self.kind, "name", &triple.name).into_iter().collect())?;
        let others = named.into_iter().filter(|other| other.found.row.path != one.found.row.path);
        let same = others.filter_map(|other| other.triple);
        let same = same.filter(|other| other.vendor == triple.vendor && other.name == triple.name);
        Ok(same.map(|other| other.version).collect())
    }

    /// The services of the project whose links lead to this descriptor.
    pub(super) fn linked(&self, one: &Descriptor) -> Result<Vec<Descriptor>, EditorFault> {
        let services = Shelf::new(self.reader, self.at, Sort::Service)?;
        let mut rows = self.reader.referrers(&one.found)?;
        rows.retain(|row| *row.kind == *services.kind.name && services.is_here(row));
        let linked = rows.into_iter().map(|row| Descriptor::read(self.reader, &services.kind, row));
        Ok(linked.collect::<Result<_, _>>()?)
    }

    /// Those that [`Shelf::linked`] gives and, for a function, the services that only name it as a
    /// dependency.
    pub(super) fn referrers(&self, one: &Descriptor) -> Result<Vec<Descriptor>, EditorFault> {
        let mut found = self.linked(one)?;
        let services = Shelf::new(self.reader, self.at, Sort::Service)?;
        if self.sort == Sort::Function && one.triple.is_some() {
            let uid = one.uid();
            for service in services.among(equal(&services.kind, "depends_on", &uid).into_iter().collect())? {
                let dependencies = service.value["vnf_depedency"].as_array();
                let is_named = dependencies.is_some_and(|all| all.iter().any(|one| *one == *uid));
                if is_named && !found.iter().any(|known| known.found.row.path == service.found.row.path) {
                    found.push(service);
                }
            }
        }
        Ok(found)
    }

    /// Where a descriptor with this identity goes; `own` is where it is now, if anywhere. The
    /// original's name for it, or a longer one where that is another descriptor's. A folder that is
    /// only spelt differently stays: no work tree needs to hold both.
    pub(super) fn place(&self, triple: &Triple, own: Option<&FilePath>) -> Result<FilePath, EditorFault> {
        let now = own.and_then(|own| own.folder().rsplit('/').next());
        let folder = now.filter(|now| folded(now) == folded(&triple.name)).unwrap_or(&triple.name);
        for stem in [triple.stem(), triple.longer_stem()] {
            let inside = match self.sort {
                Sort::Function => format!("sources/vnf/{folder}/{stem}.yml"),
                Sort::Service => format!("sources/nsd/{stem}.yml"),
            };
            let path = self.at.path(&inside)?;
            let is_free = || match self.reader.file(&self.at.workspace.name, &path) {
                Ok(_) => Ok(false),
                Err(Error::NotFound(_)) => Ok(true),
                Err(error) => Err(error),
            };
            if own == Some(&path) || is_free()? {
                return Ok(path);
            }
        }
        Err(EditorFault::conflict(format!("the files that {triple} could be in hold other descriptors: rename those")))
    }
}

/// The private catalogue's descriptors of one sort in the order of creation. Blocking.
pub(in crate::dialect::editor) fn published(
    reader: &Reader,
    at: &InWorkspace,
    sort: Sort,
    name: Option<&str>,
) -> Result<Vec<Descriptor>, EditorFault> {
    let kind = at.kind(sort.kind())?;
    let trees = sort.trees().map(|tree| Filter::Prefix(Column::Path, format!("{tree}/")));
    let mut conditions = vec![Filter::in_workspace(at.name.to_arc()), Filter::Any(trees.into())];
    conditions.extend(name.and_then(|name| equal(&kind, "name", name)));
    let rows = reader.every(&kind, Filter::All(conditions))?;
    Ok(rows.into_iter().map(|row| Descriptor::read(reader, &kind, row)).collect::<Result<_, _>>()?)
}

/// That a field has a value; `None` where the kind does not index it, so that nothing is left out.
fn equal(kind: &Kind, field: &str, value: &str) -> Option<Filter> {
    let (column, encoded) = kind.encode(field, value).ok()?;
    Some(encoded.filter(column))
}
