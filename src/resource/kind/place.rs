//! Where a new document goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::resource::key::{FilePath, NameError, shard};
use crate::resource::kind::model::Kind;
use crate::resource::kind::pattern::{Captures, Part, Pattern};
use crate::resource::kind::spelling::{slug, stem};

/// Why a new document has no path; the text says what to give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    #[error("cannot tell where the new {kind} goes: {} missing (its files are {pattern})", missing.join(", "))]
    Missing { kind: Arc<str>, pattern: String, missing: Vec<String> },
    #[error("{name}: {value:?} cannot be part of a path: it must not be empty or hold a slash")]
    Value { name: String, value: String },
    #[error(transparent)]
    Path(#[from] NameError),
    /// Captures run into each other or into the pattern's literals.
    #[error("the path {path} would be read back differently: choose other values for {}", names.join(", "))]
    Ambiguous { path: FilePath, names: Vec<String> },
}

/// What a place may be told besides captures: the file's name without extension, for `*`.
const FILE: &str = "file";

impl Kind {
    /// What [`Kind::place`] understands in `given`.
    pub fn place_keys(&self) -> Vec<&str> {
        let mut keys = Vec::new();
        for name in self.patterns.iter().flat_map(Pattern::capture_names) {
            if !matches!(name, "shard" | "slug") && !keys.contains(&name) {
                keys.push(name);
            }
        }
        if !keys.contains(&FILE) {
            keys.push(FILE);
        }
        keys
    }

    /// The path of a new document.
    ///
    /// Captures come from `given`; `{id}` from there or from `new_id`; `{shard}` and `{slug}` follow
    /// from id and name. A `*` in the file's name is the given `file` or made of vendor, name and
    /// version, name, or title; in a folder's name it is the document's name. The first pattern
    /// that has all captures that were given and can be filled wins. Other keys are ignored.
    ///
    /// # Errors
    ///
    /// What is missing, or why the path would be bad.
    pub fn place(
        &self,
        given: &BTreeMap<String, String>,
        content: &Value,
        new_id: impl FnOnce() -> String,
    ) -> Result<FilePath, PlaceError> {
        for (name, value) in given {
            if self.place_keys().contains(&name.as_str()) && (value.is_empty() || value.contains('/')) {
                return Err(PlaceError::Value { name: name.clone(), value: value.clone() });
            }
        }
        let name = self.text_of("name", content);
        let id = self.has_given_id().then(|| given.get("id").cloned().unwrap_or_else(new_id));
        let parts = Parts {
            given,
            shard: id.as_deref().map(shard),
            id,
            slug: name.as_deref().map(slug),
            folder: name.as_deref().map(stem).filter(|stem| !stem.is_empty()),
            file: given.get(FILE).cloned().or_else(|| self.file_stem(content)),
        };
        let has_all_given = |pattern: &&Pattern| {
            let named = |name: &String| name == FILE || pattern.capture_names().any(|known| known == name);
            given.keys().filter(|name| self.place_keys().contains(&name.as_str())).all(named)
        };
        let mut candidates: Vec<&Pattern> = self.patterns.iter().filter(has_all_given).collect();
        if candidates.is_empty() {
            candidates = self.patterns.iter().collect();
        }
        let mut least: Option<(&Pattern, Vec<String>)> = None;
        for pattern in candidates {
            let missing = parts.missing(pattern);
            if missing.is_empty() {
                return self.path_from(pattern, &parts);
            }
            if least.as_ref().is_none_or(|(_, fewest)| missing.len() < fewest.len()) {
                least = Some((pattern, missing));
            }
        }
        let (pattern, missing) = least.map(|(pattern, missing)| (pattern.to_string(), missing)).unwrap_or_default();
        Err(PlaceError::Missing { kind: self.name.clone(), pattern, missing })
    }

    /// Fills the pattern and makes sure that the path means what it was made of.
    fn path_from(&self, pattern: &Pattern, parts: &Parts<'_>) -> Result<FilePath, PlaceError> {
        let path = FilePath::parse(&pattern.fill(&mut |part, in_file| parts.text(part, in_file).unwrap_or_default()))?;
        let meant: Vec<(Arc<str>, Arc<str>)> = pattern
            .capture_names()
            .map(|name| {
                let name: Arc<str> = name.into();
                let text = parts.text(&Part::Capture(name.clone()), false).unwrap_or_default();
                (name, text.into())
            })
            .collect();
        if self.captures_of(path.as_str()) == Some(Captures(meant)) {
            return Ok(path);
        }
        let names = pattern.capture_names().map(str::to_owned).collect();
        Err(PlaceError::Ambiguous { path, names })
    }

    /// `vendor-name-version` as far as the document has them, or its title.
    fn file_stem(&self, content: &Value) -> Option<String> {
        let triple = ["vendor", "name", "version"].map(|field| self.text_of(field, content));
        let text = match triple {
            [Some(vendor), Some(name), Some(version)] => format!("{vendor}-{name}-{version}"),
            [_, Some(name), _] => name.into_owned(),
            _ => self.text_of("title", content)?.into_owned(),
        };
        Some(stem(&text)).filter(|stem| !stem.is_empty())
    }
}

/// What a pattern may be filled with.
struct Parts<'g> {
    given: &'g BTreeMap<String, String>,
    id: Option<String>,
    shard: Option<String>,
    slug: Option<String>,
    folder: Option<String>,
    file: Option<String>,
}

impl Parts<'_> {
    fn text(&self, part: &Part, in_file: bool) -> Option<String> {
        match part {
            Part::Literal(text) => Some(text.clone()),
            Part::Star if in_file => self.file.clone(),
            Part::Star => self.folder.clone(),
            Part::Capture(name) => match &**name {
                "id" => self.id.clone(),
                "shard" => self.shard.clone(),
                "slug" => self.slug.clone(),
                name => self.given.get(name).cloned(),
            },
        }
    }

    /// What must be given for this pattern.
    fn missing(&self, pattern: &Pattern) -> Vec<String> {
        let mut missing = Vec::new();
        pattern.fill(&mut |part, in_file| {
            if self.text(part, in_file).is_none() {
                missing.push(match part {
                    Part::Star if in_file => FILE.to_owned(),
                    Part::Capture(name) if &**name != "slug" => name.to_string(),
                    Part::Capture(_) | Part::Star | Part::Literal(_) => "a name in the document".to_owned(),
                });
            }
            String::new()
        });
        missing
    }
}
