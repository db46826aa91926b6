//! `workspace.yml` (contracts/editor.md 2.2): which schemas hold, which catalogues and platforms
//! there are.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::gate::InWorkspace;
use crate::resource::document::{self, Format};
use crate::resource::etag::Etag;
use crate::resource::key::{FilePath, entry_id};
use crate::resource::kind::Kind;

/// Its place in the workspace.
pub(in crate::dialect::editor) const FILE: &str = "workspace.yml";

/// The generation of the schemas where the file says nothing (decisions.md 11).
const DEFAULT_INDEX: usize = 1;

/// Where an entry keeps its number once its name does not tell it any more.
pub(super) const ID: &str = "workleaf_id";

/// What a workspace has several of, each with a name and an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect::editor) enum Sort {
    Catalogue,
    Platform,
}

/// A catalogue or a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::editor) struct Entry {
    pub(in crate::dialect::editor) id: u64,
    pub(in crate::dialect::editor) name: String,
    pub(in crate::dialect::editor) url: String,
    /// All that the file says of it.
    pub(in crate::dialect::editor) more: Map<String, Value>,
}

/// The file as it was read, or what holds without one.
#[derive(Debug, Clone)]
pub(in crate::dialect::editor) struct WorkspaceFile {
    pub(super) workspace: u64,
    /// What it says; an empty object when there is none or it cannot be read.
    pub(super) value: Value,
    /// Where it cannot be read, why.
    pub(super) unreadable: Option<String>,
    pub(super) stored: Option<(Etag, Bytes)>,
}

impl Sort {
    /// Its name in messages.
    fn word(self) -> &'static str {
        match self {
            Sort::Catalogue => "catalogue",
            Sort::Platform => "Platform",
        }
    }

    pub(super) fn exists(self, name: &str) -> EditorFault {
        EditorFault::conflict(format!("{} with name {name} already exists", self.word()))
    }

    /// What a new entry says besides its name and address.
    pub(super) fn fresh(self) -> Map<String, Value> {
        match self {
            Sort::Catalogue => Map::from_iter([("url".to_owned(), json!("")), ("publish".to_owned(), json!(true))]),
            Sort::Platform => Map::from_iter([
                ("url".to_owned(), json!("")),
                ("credentials".to_owned(), json!({ "token_file": "empty" })),
            ]),
        }
    }

    pub(super) fn key(self) -> &'static str {
        match self {
            Sort::Catalogue => "catalogue_servers",
            Sort::Platform => "service_platforms",
        }
    }

    /// The number of an entry that had this name first; `nth` tells apart those of one name.
    pub(super) fn number(self, workspace: u64, name: &str, nth: usize) -> u64 {
        let sort = match self {
            Sort::Catalogue => "catalogue",
            Sort::Platform => "platform",
        };
        entry_id(workspace, sort, name, nth)
    }
}

impl Entry {
    /// As it is shown (contracts/editor.md 1.5).
    pub(in crate::dialect::editor) fn shown(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "url": self.url })
    }
}

impl WorkspaceFile {
    pub(in crate::dialect::editor) async fn read(at: &InWorkspace) -> Result<Self, EditorFault> {
        let stored = at.file(&path()?).await?;
        Ok(WorkspaceFile::of(at.id, stored))
    }

    pub(in crate::dialect::editor) fn of(workspace: u64, stored: Option<(Etag, Bytes)>) -> Self {
        let parsed = stored.as_ref().map(|(_, bytes)| document::parse(Format::Yaml, bytes));
        let (value, unreadable) = match parsed {
            Some(Ok(value)) if value.is_object() => (value, None),
            Some(Ok(Value::Null)) | None => (json!({}), None),
            Some(Ok(_)) => (json!({}), Some("it is not a mapping".to_owned())),
            Some(Err(error)) => {
                let why = format!("{}, line {}, column {}", error.message, error.line, error.column);
                (json!({}), Some(why))
            }
        };
        WorkspaceFile { workspace, value, unreadable, stored }
    }

    pub(in crate::dialect::editor) fn etag(&self) -> Option<Etag> {
        self.stored.as_ref().map(|(etag, _)| *etag)
    }

    /// Which of the configured schemas holds.
    pub(in crate::dialect::editor) fn schema_index(&self) -> usize {
        let index = match &self.value["schema_index"] {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        index.and_then(|index| usize::try_from(index).ok()).unwrap_or(DEFAULT_INDEX)
    }

    /// Which of a kind's schemas the documents of the workspace are held against.
    pub(in crate::dialect::editor) fn generation(&self, kind: &Kind) -> usize {
        kind.schema_for(Some(&self.value))
    }

    /// The entry with this number.
    pub(in crate::dialect::editor) fn entry(&self, sort: Sort, id: u64) -> Result<Entry, EditorFault> {
        let missing = || EditorFault::not_found(format!("{} with id {id} could not be found", sort.word()));
        self.entries(sort).into_iter().find(|entry| entry.id == id).ok_or_else(missing)
    }

    /// The entries in the file's order, which is that of their making.
    pub(in crate::dialect::editor) fn entries(&self, sort: Sort) -> Vec<Entry> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let raw: Vec<(String, Map<String, Value>)> = match &self.value[sort.key()] {
            Value::Array(items) => {
                let named = |item: &Value| Some((text(&item["id"])?, item.as_object()?.clone()));
                items.iter().filter_map(named).collect()
            }
            Value::Object(members) => {
                let named =
                    |(name, item): (&String, &Value)| (name.clone(), item.as_object().cloned().unwrap_or_default());
                members.iter().map(named).collect()
            }
            _ => Vec::new(),
        };
        let kept = |more: &Map<String, Value>| more.get(ID).and_then(Value::as_u64);
        let mut taken: HashSet<u64> = raw.iter().filter_map(|(_, more)| kept(more)).collect();
        // Where the search for a name's next number goes on: a pushed file may hold a name very often.
        let mut next: HashMap<String, usize> = HashMap::new();
        let mut number = |name: &str, more: &Map<String, Value>| {
            kept(more).unwrap_or_else(|| {
                let nth = next.entry(name.to_owned()).or_default();
                loop {
                    let id = sort.number(self.workspace, name, *nth);
                    *nth += 1;
                    if taken.insert(id) {
                        return id;
                    }
                }
            })
        };
        let entry = |(name, more): (String, Map<String, Value>)| {
            let id = number(&name, &more);
            let url = more.get("url").and_then(text).unwrap_or_default();
            Entry { id, name, url, more }
        };
        raw.into_iter().map(entry).collect()
    }
}

/// The first number for this name that no other entry has.
pub(super) fn free(workspace: u64, sort: Sort, name: &str, taken: &[u64]) -> u64 {
    let mut numbers = (0..).map(|nth| sort.number(workspace, name, nth));
    numbers.find(|id| !taken.contains(id)).unwrap_or_default()
}

pub(in crate::dialect::editor) fn path() -> Result<FilePath, EditorFault> {
    Ok(FilePath::parse(FILE)?)
}
