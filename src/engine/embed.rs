//! Embeds: the documents that documents link to, in one batch per link.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Error, Found, Reader};
use crate::resource::kind::{Kind, Link, LinkKey, Meaning, OnDelete};
use crate::resource::query::{Filter, Query};
use crate::resource::row::Row;

/// Deepest nesting of embedded links.
const DEPTH_MOST: usize = 8;
/// Most documents that one answer embeds: each level multiplies them.
const EMBEDDED_MOST: usize = 20_000;

/// What one link of one document leads to: a target or nothing for each occurrence of the link.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// The link's name.
    pub name: String,
    /// The link stands in an array.
    pub many: bool,
    pub targets: Vec<Option<EmbeddedDocument>>,
}

/// A linked document and what it embeds itself.
#[derive(Debug, Clone)]
pub struct EmbeddedDocument {
    pub kind: Arc<Kind>,
    pub row: Arc<Row>,
    pub embedded: Vec<Embedded>,
}

impl Reader {
    /// Resolves links for all rows at once; `paths` are link names, nested with a dot. A missing
    /// target is `None`.
    pub fn embed(&self, kind: &Arc<Kind>, rows: &[Arc<Row>], paths: &[String]) -> Result<Vec<Vec<Embedded>>, Error> {
        if let Some(path) = paths.iter().find(|path| path.split('.').count() > DEPTH_MOST) {
            let first: String = path.chars().take(80).collect();
            return Err(Error::bad_request(format!("embed: {first:?} is nested deeper than {DEPTH_MOST} links")));
        }
        let mut out = vec![Vec::new(); rows.len()];
        // First names in order, each with what is nested below it.
        let mut firsts: Vec<(&str, Vec<String>)> = Vec::new();
        for path in paths {
            let (first, rest) = path.split_once('.').map_or((path.as_str(), None), |(first, rest)| (first, Some(rest)));
            let at = firsts.iter().position(|(name, _)| *name == first).unwrap_or_else(|| {
                firsts.push((first, Vec::new()));
                firsts.len() - 1
            });
            firsts[at].1.extend(rest.map(str::to_owned));
        }
        for (name, nested) in firsts {
            let link = kind.link(name).ok_or_else(|| unknown(kind, name))?;
            for (row, embedded) in self.resolve(kind, link, rows, &nested)?.into_iter().enumerate() {
                out[row].push(embedded);
            }
        }
        Ok(out)
    }

    fn resolve(
        &self,
        kind: &Arc<Kind>,
        link: &Link,
        rows: &[Arc<Row>],
        nested: &[String],
    ) -> Result<Vec<Embedded>, Error> {
        let kinds = self.engine.kinds();
        let target = kinds.by_name(&link.to).ok_or_else(|| Error::NotFound(format!("kind {}", link.to)))?;
        let keys = rows.iter().map(|row| self.link_keys(kind, link, row)).collect::<Result<Vec<_>, _>>()?;
        // What is asked for, once each, and for whom that was found to be which candidate.
        let mut asked: HashMap<(&str, &Meaning), Option<usize>> = HashMap::new();
        let mut wanted: Vec<Filter> = Vec::new();
        for (row, keys) in rows.iter().zip(&keys) {
            for key in keys {
                asked.entry((&row.workspace, &key.meaning)).or_insert_with(|| {
                    let here = Filter::in_workspace(row.workspace.clone());
                    wanted.push(Filter::All(vec![here, link.target_filter(&key.meaning)]));
                    None
                });
            }
        }
        let mut candidates = Vec::new();
        // Bounded clauses a query; all of a page of a thousand rows fit in a few.
        for some in wanted.chunks(500) {
            candidates.extend(self.all(self.narrowed(target, Filter::Any(some.to_vec())))?);
        }
        choose(link, &candidates, &mut asked);
        let below = if nested.is_empty() { Vec::new() } else { self.embed(target, &candidates, nested)? };
        let sizes: Vec<usize> = below.iter().map(|embedded| size(embedded)).collect();
        let mut all = 0;
        let mut find = |row: &Row, key: &LinkKey| {
            let Some(at) = asked.get(&(&*row.workspace, &key.meaning)).copied().flatten() else { return Ok(None) };
            all += 1 + sizes.get(at).copied().unwrap_or_default();
            if all > EMBEDDED_MOST {
                return Err(Error::bad_request(format!(
                    "embed: more than {EMBEDDED_MOST} documents would be embedded: ask for fewer at once"
                )));
            }
            let embedded = below.get(at).cloned().unwrap_or_default();
            Ok(Some(EmbeddedDocument { kind: target.clone(), row: candidates[at].clone(), embedded }))
        };
        rows.iter()
            .zip(&keys)
            .map(|(row, keys)| {
                Ok(Embedded {
                    name: link.name.to_string(),
                    many: link.each.is_some(),
                    targets: keys.iter().map(|key| find(row, key)).collect::<Result<_, Error>>()?,
                })
            })
            .collect()
    }

    /// What a document points at through a link.
    fn link_keys(&self, kind: &Arc<Kind>, link: &Link, row: &Row) -> Result<Vec<LinkKey>, Error> {
        let value = self.content(row)?.value().unwrap_or_default();
        let captures = kind.captures_of(&row.path).unwrap_or_default();
        Ok(link.keys(&captures, &value))
    }

    /// Who links to the document, with what their link does on its deletion; in order of path.
    /// Links never leave their workspace.
    pub(super) fn referring(&self, kind: &Arc<Kind>, target: &Row) -> Result<Vec<(Arc<Row>, OnDelete)>, Error> {
        let kinds = self.engine.kinds();
        let mut found: Vec<(Arc<Row>, OnDelete)> = Vec::new();
        for (source, link) in kinds.referrers_of(&kind.name) {
            let here = Filter::in_workspace(target.workspace.clone());
            let candidates = Filter::All(vec![here, link.referrer_filter(target)]);
            for row in self.all(self.narrowed(source, candidates))? {
                if row.path != target.path
                    && self.link_keys(source, link, &row)?.iter().any(|key| link.admits(&key.meaning, target))
                {
                    found.push((row, link.on_delete));
                }
            }
        }
        found.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
        found.dedup_by(|(a, _), (b, _)| a.path == b.path);
        Ok(found)
    }

    /// The documents that link to this one.
    pub fn referrers(&self, found: &Found) -> Result<Vec<Arc<Row>>, Error> {
        Ok(self.referring(&found.kind, &found.row)?.into_iter().map(|(row, _)| row).collect())
    }

    /// All documents of a kind that a filter finds and the actor may read, in order of creation.
    pub fn every(&self, kind: &Kind, filter: Filter) -> Result<Vec<Arc<Row>>, Error> {
        self.all(self.narrowed(kind, filter))
    }

    /// All rows that a filter finds.
    fn all(&self, filter: Filter) -> Result<Vec<Arc<Row>>, Error> {
        let mut query = Query { filter, limit: 1_000, ..Query::default() };
        let mut rows = Vec::new();
        loop {
            let page = self.engine.index.search(&query)?;
            rows.extend(page.rows);
            query.after = page.next;
            if query.after.is_none() {
                return Ok(rows);
            }
        }
    }
}

/// Finds the target of all that is asked for. Only candidates that have the asked values are
/// compared, so that the cost grows with the rows and not with their square.
fn choose(link: &Link, candidates: &[Arc<Row>], asked: &mut HashMap<(&str, &Meaning), Option<usize>>) {
    let mut found: HashMap<(&str, Arc<str>), Vec<usize>> = HashMap::new();
    let mut anywhere = Vec::new();
    for (at, row) in candidates.iter().enumerate() {
        match link.joined_of(row) {
            Some(all) => {
                all.into_iter().for_each(|joined| found.entry((&row.workspace, joined)).or_default().push(at));
            }
            None => anywhere.push(at),
        }
    }
    for ((workspace, meaning), chosen) in asked {
        let these = found.get(&(*workspace, meaning.joined().clone())).into_iter().flatten().chain(&anywhere);
        let fits = |at: &&usize| {
            let row = &candidates[**at];
            *row.workspace == **workspace && link.admits(meaning, row)
        };
        *chosen = these.filter(fits).copied().max_by_key(|at| link.rank(&candidates[*at]));
    }
}

/// How many documents these are, with all below them.
fn size(embedded: &[Embedded]) -> usize {
    embedded.iter().flat_map(|link| link.targets.iter().flatten()).map(|target| 1 + size(&target.embedded)).sum()
}

fn unknown(kind: &Kind, name: &str) -> Error {
    let valid = kind.links.iter().map(|link| link.name.to_string()).collect();
    Error::with_valid(format!("a {} has no link {name:?} to embed", kind.name), "valid_embeds", valid)
}
