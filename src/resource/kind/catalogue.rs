//! All kinds together, checked against each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::base::hex;
use crate::resource::kind::draft::Draft;
use crate::resource::kind::error::KindError;
use crate::resource::kind::fields::Field;
use crate::resource::kind::links::Link;
use crate::resource::kind::model::Kind;
use crate::resource::kind::pattern::Captures;

/// Plurals that are routes of the server (decisions.md 11).
pub const RESERVED_PLURALS: [&str; 10] =
    ["kinds", "workspaces", "tokens", "session", "audit", "users", "groups", "tasks", "changes", "search"];

/// Changes when rows are made differently from the same declarations.
const ROW_FORMAT: &str = "1";

/// One folder of kinds: its name and its files by name.
#[derive(Debug, Clone, Default)]
pub struct KindSource {
    pub folder: String,
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The kinds that a server knows.
#[derive(Debug)]
pub struct Kinds {
    by_name: BTreeMap<Arc<str>, Arc<Kind>>,
    by_plural: BTreeMap<Arc<str>, Arc<Kind>>,
    fingerprint: String,
}

impl Kinds {
    /// Reads every folder and joins the kinds. Of several folders that declare one kind the last
    /// one counts, so that a user's folder overrides a built-in one.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, and where.
    pub fn build(sources: Vec<KindSource>) -> Result<Kinds, KindError> {
        let mut drafts: BTreeMap<String, Draft> = BTreeMap::new();
        for source in sources {
            let draft = Draft::read(&source)?;
            drafts.insert(draft.declaration.kind.clone(), draft);
        }
        let mut hash = Sha256::new();
        hash.update(ROW_FORMAT);
        for draft in drafts.values() {
            hash.update(&draft.declaration.essence);
            hash.update([0]);
            for schema in &draft.kind.schemas {
                hash.update(schema.json.to_string());
                hash.update([0]);
            }
        }
        let targets: BTreeMap<String, Vec<Field>> =
            drafts.iter().map(|(name, draft)| (name.clone(), draft.kind.fields.clone())).collect();
        let mut kinds =
            Kinds { by_name: BTreeMap::new(), by_plural: BTreeMap::new(), fingerprint: hex::encode(&hash.finalize()) };
        for (_, mut draft) in drafts {
            draft.join(&targets)?;
            kinds.add(draft.kind)?;
        }
        Ok(kinds)
    }

    fn add(&mut self, kind: Kind) -> Result<(), KindError> {
        let conflict = |other: &Kind, problem: String| KindError::Conflict {
            first: other.name.to_string(),
            second: kind.name.to_string(),
            problem,
        };
        if let Some(other) = self.by_plural.get(&kind.plural) {
            return Err(conflict(other, format!("have one plural, {}", kind.plural)));
        }
        for other in self.by_name.values() {
            for theirs in &other.patterns {
                let tie = kind
                    .patterns
                    .iter()
                    .find(|ours| ours.literalness() == theirs.literalness() && ours.overlaps(theirs));
                if let Some(ours) = tie {
                    let problem = format!("claim the same paths: {theirs} and {ours} are equally literal");
                    return Err(conflict(other, problem));
                }
            }
        }
        let kind = Arc::new(kind);
        self.by_plural.insert(kind.plural.clone(), kind.clone());
        self.by_name.insert(kind.name.clone(), kind);
        Ok(())
    }

    pub fn by_name(&self, name: &str) -> Option<&Arc<Kind>> {
        self.by_name.get(name)
    }

    pub fn by_plural(&self, plural: &str) -> Option<&Arc<Kind>> {
        self.by_plural.get(plural)
    }

    /// All kinds by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.by_name.values()
    }

    /// The kind whose most literal pattern matches the path.
    pub fn claim(&self, path: &str) -> Option<(&Arc<Kind>, Captures)> {
        self.by_name
            .values()
            .filter_map(|kind| kind.claim(path).map(|(pattern, captures)| (pattern.literalness(), kind, captures)))
            .max_by_key(|(literalness, _, _)| *literalness)
            .map(|(_, kind, captures)| (kind, captures))
    }

    /// Hex over everything that changes what is indexed or judged: another fingerprint means that
    /// the index must be rebuilt.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    /// Every link that points at documents of this kind, with the kind that declares it.
    pub fn referrers_of(&self, kind: &str) -> impl Iterator<Item = (&Arc<Kind>, &Link)> {
        self.by_name
            .values()
            .flat_map(move |from| from.links.iter().filter(move |link| *link.to == *kind).map(move |link| (from, link)))
    }
}
