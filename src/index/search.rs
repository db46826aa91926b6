//! Answers queries from what is committed and what is recent, in one order.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use tantivy::query::{Bm25StatisticsProvider, EnableScoring, Weight};
use tantivy::schema::Field;
use tantivy::{Searcher, Term};

use super::collect::{After, Collector, Hit, Key, SegmentOrder};
use super::handle::Page;
use super::plan::Plan;
use super::recent::Hidden;
use super::segment::{Part, RowCache, View};
use super::writer::Shared;
use super::{Error, text};
use crate::resource::query::{Query, SortKey};
use crate::resource::row::{Column, Row, Value};

/// A consistent moment of the index.
struct Snapshot {
    view: Arc<View>,
    hidden: Arc<Hidden>,
    /// The recent rows that fulfil the filter.
    recent: Vec<Arc<Row>>,
}

/// Answers a query.
pub(super) fn search(shared: &Shared, query: &Query) -> Result<Page, Error> {
    match &query.text {
        None => {
            let snapshot = {
                let live = shared.read();
                Snapshot {
                    view: live.view.clone(),
                    hidden: live.hidden.clone(),
                    recent: live.recent.matching(&query.filter),
                }
            };
            answer(&snapshot, query, None, &shared.rows)
        }
        Some(words) => {
            // Relevance needs the whole corpus. What comes after this moment may wait.
            if !shared.read().recent.is_empty() {
                shared.flush()?;
            }
            let (view, hidden) = {
                let live = shared.read();
                (live.view.clone(), live.unfinished.clone())
            };
            let words = text::query(words, shared.fields.words);
            let corpus = Corpus { searcher: &view.searcher, rows: view.rows };
            let weight = words.weight(EnableScoring::enabled_from_statistics_provider(&corpus, &view.searcher))?;
            let snapshot = Snapshot { view: view.clone(), hidden, recent: Vec::new() };
            answer(&snapshot, query, Some(&*weight), &shared.rows)
        }
    }
}

fn answer(snapshot: &Snapshot, query: &Query, words: Option<&dyn Weight>, rows: &RowCache) -> Result<Page, Error> {
    let by_score = words.is_some() && query.sort.is_empty();
    let order = if by_score {
        [Column::Id, Column::Workspace, Column::Path].map(SortKey::ascending).to_vec()
    } else {
        query.order()
    };
    // One more than asked for tells whether more follow.
    let limit = if query.limit == 0 { 0 } else { query.offset.saturating_add(query.limit).saturating_add(1) };
    let mut totals = vec![HashMap::new(); query.facets.len()];
    let mut count = 0;
    let mut sources = Vec::with_capacity(snapshot.view.parts.len() + 1);
    for (at, part) in snapshot.view.parts.iter().enumerate() {
        let segment = &part.segment;
        let segment_order = SegmentOrder::new(&order, by_score, segment)?;
        let after = match &query.after {
            Some(place) if !by_score => Some(After::new(place, &order, segment)?),
            _ => None,
        };
        let hidden = snapshot.hidden.part(at);
        let mut collector = Collector::new(part, hidden, segment_order, after, limit, &query.facets)?;
        match words {
            None => collector.run(&Plan::new(&query.filter, segment)?)?,
            Some(weight) => {
                let test = Plan::test_only(&query.filter, segment)?;
                let reader = snapshot.view.searcher.segment_reader(at as u32);
                weight.for_each(reader, &mut |document, score| collector.offer(document, score, &test))?;
            }
        }
        let (hits, found) = collector.finish(&mut totals)?;
        count += found;
        if !hits.is_empty() {
            sources.push(Source::Segment { part, hits: hits.into_iter() });
        }
    }
    count += snapshot.recent.len();
    count_recent(&snapshot.recent, &query.facets, &mut totals);
    if limit > 0 && !snapshot.recent.is_empty() {
        sources.push(Source::Recent(first_recent(&snapshot.recent, &order, query, limit).into_iter()));
    }
    let mut page = merge(sources, &order, query, rows)?;
    page.count = count;
    page.facets = totals.into_iter().map(by_frequency).collect();
    if by_score {
        page.next = None;
    }
    Ok(page)
}

/// The first of the recent rows, in order.
fn first_recent(recent: &[Arc<Row>], order: &[SortKey], query: &Query, limit: usize) -> Vec<Arc<Row>> {
    let mut rows: Vec<Arc<Row>> = recent
        .iter()
        .filter(|row| {
            query.after.as_ref().is_none_or(|after| Query::compare(order, &Query::place(order, row), after).is_gt())
        })
        .cloned()
        .collect();
    if rows.len() > limit {
        rows.select_nth_unstable_by(limit - 1, |a, b| compare(order, a, b));
        rows.truncate(limit);
    }
    rows.sort_unstable_by(|a, b| compare(order, a, b));
    rows
}

fn count_recent(recent: &[Arc<Row>], facets: &[Column], totals: &mut [HashMap<Value, usize>]) {
    for (column, totals) in facets.iter().zip(totals) {
        for row in recent {
            let mut values = Vec::new();
            row.any_value(*column, |value| {
                values.push(value.to_owned());
                false
            });
            values.sort_unstable();
            values.dedup();
            for value in values {
                *totals.entry(value).or_default() += 1;
            }
        }
    }
}

fn by_frequency(totals: HashMap<Value, usize>) -> Vec<(Value, usize)> {
    let mut counts: Vec<_> = totals.into_iter().collect();
    counts.sort_unstable_by(|(value, count), (other, others)| others.cmp(count).then_with(|| value.cmp(other)));
    counts
}

/// Hits in order, to be merged with others.
enum Source<'a> {
    Segment { part: &'a Part, hits: std::vec::IntoIter<Hit> },
    Recent(std::vec::IntoIter<Arc<Row>>),
}

impl Source<'_> {
    fn len(&self) -> usize {
        match self {
            Source::Segment { hits, .. } => hits.len(),
            Source::Recent(rows) => rows.len(),
        }
    }

    fn next(&mut self, rows: &RowCache) -> Result<Option<(Key, Arc<Row>)>, Error> {
        match self {
            Source::Segment { part, hits } => match hits.next() {
                Some(hit) => Ok(Some((hit.key, part.segment.row(hit.document, rows)?))),
                None => Ok(None),
            },
            Source::Recent(rows) => Ok(rows.next().map(|row| ((false, 0), row))),
        }
    }

    /// Leaves out the first hits.
    fn skip(&mut self, count: usize) {
        match self {
            Source::Segment { hits, .. } => drop(hits.by_ref().take(count).count()),
            Source::Recent(rows) => drop(rows.by_ref().take(count).count()),
        }
    }
}

/// The asked-for page of the merged hits. Rows are loaded only once they are next in line.
fn merge(mut sources: Vec<Source>, order: &[SortKey], query: &Query, cache: &RowCache) -> Result<Page, Error> {
    let total: usize = sources.iter().map(Source::len).sum();
    let wanted = query.limit.min(total.saturating_sub(query.offset));
    let mut rows = Vec::with_capacity(wanted);
    if wanted == 0 {
        return Ok(Page { rows, count: 0, facets: Vec::new(), next: None });
    }
    let by_score = query.text.is_some() && query.sort.is_empty();
    let mut skip = query.offset;
    if let [only] = sources.as_mut_slice() {
        only.skip(skip);
        skip = 0;
    }
    let mut heads = Vec::with_capacity(sources.len());
    for mut source in sources {
        if let Some(head) = source.next(cache)? {
            heads.push((head, source));
        }
    }
    while rows.len() < wanted && !heads.is_empty() {
        let mut first = 0;
        for at in 1..heads.len() {
            let ((key, row), (other_key, other)) = (&heads[at].0, &heads[first].0);
            let scores = if by_score { key.cmp(other_key) } else { Ordering::Equal };
            if scores.then_with(|| compare(order, row, other)).is_lt() {
                first = at;
            }
        }
        let (head, source) = &mut heads[first];
        let row = match source.next(cache)? {
            Some(next) => std::mem::replace(head, next).1,
            None => heads.swap_remove(first).0.1,
        };
        if skip > 0 {
            skip -= 1;
        } else {
            rows.push(row);
        }
    }
    let more = total > query.offset + wanted;
    let next = rows.last().filter(|_| more).map(|last| Query::place(order, last));
    Ok(Page { rows, count: 0, facets: Vec::new(), next })
}

/// Compares rows as [`Query::compare`] compares their places.
fn compare(order: &[SortKey], a: &Row, b: &Row) -> Ordering {
    for key in order {
        let ascending = match key.column {
            Column::Kind => a.kind.cmp(&b.kind),
            Column::Workspace => a.workspace.cmp(&b.workspace),
            Column::Path => a.path.cmp(&b.path),
            Column::Id => a.id.cmp(&b.id),
            Column::Etag => a.etag.cmp(&b.etag),
            Column::Created => a.created.encoded().cmp(&b.created.encoded()),
            Column::Updated => a.updated.encoded().cmp(&b.updated.encoded()),
            Column::Violations => a.violations.cmp(&b.violations),
            Column::Text(slot) => missing_last(first(&a.texts, slot), first(&b.texts, slot)),
            Column::Number(slot) => missing_last(first(&a.numbers, slot), first(&b.numbers, slot)),
        };
        let decided = if key.descending { ascending.reverse() } else { ascending };
        if decided != Ordering::Equal {
            return decided;
        }
    }
    Ordering::Equal
}

fn first<T>(values: &[(u8, T)], slot: u8) -> Option<&T> {
    values.iter().find(|(at, _)| *at == slot).map(|(_, value)| value)
}

fn missing_last<T: Ord>(a: Option<T>, b: Option<T>) -> Ordering {
    match (a, b) {
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (a, b) => a.cmp(&b),
    }
}

/// What relevance is computed from. Touches are documents too, but do not count.
struct Corpus<'a> {
    searcher: &'a Searcher,
    rows: u64,
}

impl Bm25StatisticsProvider for Corpus<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        self.searcher.total_num_tokens(field)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.rows)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        self.searcher.doc_freq(term)
    }
}
