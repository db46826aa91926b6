//! The hits of one segment: how many, which come first, and how often each value occurs.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use tantivy::DocId;

use super::Error;
use super::plan::{Candidates, Plan, Test};
use super::segment::{Part, Segment, Values};
use crate::resource::query::{Place, SortKey};
use crate::resource::row::{Column, Value};

/// What a document sorts by, so that less comes first.
///
/// The flag is set for what comes last: a missing value when ascending, a present one when
/// descending.
pub(super) type Key = (bool, u64);

/// A document among the hits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    /// By its most significant column, or by its score.
    pub(super) key: Key,
    pub(super) document: DocId,
}

/// An order as one segment computes it; texts are compared by their ordinals.
pub(super) struct SegmentOrder {
    by_score: bool,
    columns: Vec<(Option<Arc<Values>>, bool)>,
}

impl SegmentOrder {
    pub(super) fn new(order: &[SortKey], by_score: bool, segment: &Segment) -> Result<Self, Error> {
        let columns =
            order.iter().map(|key| Ok((segment.values(key.column)?, key.descending))).collect::<Result<_, Error>>()?;
        Ok(SegmentOrder { by_score, columns })
    }

    fn hit(&self, document: DocId, score: f32) -> Hit {
        // The bits of positive floats order as the floats do.
        let key = if self.by_score { (false, !u64::from(score.to_bits())) } else { self.key(0, document) };
        Hit { key, document }
    }

    fn first(&self, at: usize, document: DocId) -> Option<u64> {
        self.columns[at].0.as_ref()?.numbers.first(document)
    }

    fn key(&self, at: usize, document: DocId) -> Key {
        match (self.first(at, document), self.columns[at].1) {
            (Some(value), false) => (false, value),
            (None, false) => (true, 0),
            (Some(value), true) => (true, !value),
            (None, true) => (false, 0),
        }
    }

    fn compare(&self, a: &Hit, b: &Hit) -> Ordering {
        a.key.cmp(&b.key).then_with(|| {
            let rest = if self.by_score { 0 } else { 1 };
            (rest..self.columns.len())
                .map(|at| self.key(at, a.document).cmp(&self.key(at, b.document)))
                .find(|ordering| ordering.is_ne())
                .unwrap_or(Ordering::Equal)
        })
    }
}

/// A value of a [`Place`] among the values of one segment.
enum Bound {
    Missing,
    At(u64),
    /// Right before this value, which may not exist.
    Before(u64),
    /// After every value.
    End,
}

/// Holds of the documents after a place.
pub(super) struct After(Vec<Bound>);

impl After {
    pub(super) fn new(place: &Place, order: &[SortKey], segment: &Segment) -> Result<Self, Error> {
        let bounds = order.iter().zip(&place.0).map(|(key, value)| bound(key.column, value.as_ref(), segment));
        Ok(After(bounds.collect::<Result<_, _>>()?))
    }

    fn holds(&self, order: &SegmentOrder, document: DocId) -> bool {
        for (at, bound) in self.0.iter().enumerate() {
            let ascending = match (order.first(at, document), bound) {
                (None, Bound::Missing) => Ordering::Equal,
                (None, _) => Ordering::Greater,
                (Some(_), Bound::Missing | Bound::End) => Ordering::Less,
                (Some(value), Bound::At(bound)) => value.cmp(bound),
                (Some(value), Bound::Before(bound)) if value < *bound => Ordering::Less,
                (Some(_), Bound::Before(_)) => Ordering::Greater,
            };
            let decided = if order.columns[at].1 { ascending.reverse() } else { ascending };
            if decided != Ordering::Equal {
                return decided == Ordering::Greater;
            }
        }
        false
    }
}

fn bound(column: Column, value: Option<&Value>, segment: &Segment) -> Result<Bound, Error> {
    Ok(match value {
        None => Bound::Missing,
        Some(Value::Number(number)) if column.is_number() => Bound::At(*number),
        // Numbers are less than texts.
        Some(Value::Number(_)) => Bound::Before(0),
        Some(Value::Text(_)) if column.is_number() => Bound::End,
        Some(Value::Text(text)) => {
            let standing = segment.standing(column, text)?;
            if standing.exact { Bound::At(standing.ordinal) } else { Bound::Before(standing.ordinal) }
        }
    })
}

/// The best hits so far.
struct Top {
    limit: usize,
    hits: Vec<Hit>,
    /// Once there are enough hits: the worst one that may still matter.
    threshold: Option<Hit>,
}

impl Top {
    fn push(&mut self, order: &SegmentOrder, hit: Hit) {
        if self.limit == 0 || self.threshold.is_some_and(|worst| order.compare(&hit, &worst).is_ge()) {
            return;
        }
        self.hits.push(hit);
        if self.hits.len() >= self.limit.saturating_mul(2).max(64) {
            self.cut(order);
        }
    }

    fn cut(&mut self, order: &SegmentOrder) {
        if self.hits.len() > self.limit {
            let (_, worst, _) = self.hits.select_nth_unstable_by(self.limit - 1, |a, b| order.compare(a, b));
            self.threshold = Some(*worst);
            self.hits.truncate(self.limit);
        }
    }

    fn sorted(mut self, order: &SegmentOrder) -> Vec<Hit> {
        self.cut(order);
        self.hits.sort_unstable_by(|a, b| order.compare(a, b));
        self.hits
    }
}

/// How often each value of a column occurs.
struct Facet {
    values: Option<Arc<Values>>,
    counts: Counts,
}

enum Counts {
    /// By value; for small dictionaries.
    Dense(Vec<u32>),
    Sparse(HashMap<u64, u32>),
}

/// Dictionaries up to this size are counted in an array.
const DENSE: usize = 1 << 14;

impl Facet {
    fn new(column: Column, segment: &Segment) -> Result<Self, Error> {
        let values = segment.values(column)?;
        let terms = values.as_ref().and_then(|values| Some(values.texts.as_ref()?.num_terms()));
        let counts = match terms {
            Some(terms) if terms <= DENSE => Counts::Dense(vec![0; terms]),
            _ => Counts::Sparse(HashMap::new()),
        };
        Ok(Facet { values, counts })
    }

    /// Counts a document once for each different value it has.
    fn count(&mut self, document: DocId) {
        let Some(values) = &self.values else { return };
        let column = &values.numbers;
        for (at, value) in column.values_for_doc(document).enumerate() {
            if at > 0 && column.values_for_doc(document).take(at).any(|earlier| earlier == value) {
                continue;
            }
            match &mut self.counts {
                Counts::Dense(counts) => {
                    if let Some(count) = counts.get_mut(value as usize) {
                        *count += 1;
                    }
                }
                Counts::Sparse(counts) => *counts.entry(value).or_default() += 1,
            }
        }
    }

    fn add_to(self, totals: &mut HashMap<Value, usize>) -> Result<(), Error> {
        let Some(values) = self.values else { return Ok(()) };
        let mut counts: Vec<(u64, u32)> = match self.counts {
            Counts::Dense(counts) => (0..).zip(counts).filter(|(_, count)| *count > 0).collect(),
            Counts::Sparse(counts) => counts.into_iter().collect(),
        };
        let Some(texts) = &values.texts else {
            for (number, count) in counts {
                *totals.entry(Value::Number(number)).or_default() += count as usize;
            }
            return Ok(());
        };
        counts.sort_unstable();
        let mut text = String::new();
        for (ordinal, count) in counts {
            texts.ord_to_str(ordinal, &mut text)?;
            *totals.entry(Value::Text(text.as_str().into())).or_default() += count as usize;
        }
        Ok(())
    }
}

/// So many documents of a column are looked at together.
const CHUNK: DocId = 16 << 10;

/// Gathers the hits of one segment.
pub(super) struct Collector<'a> {
    part: &'a Part,
    /// Documents that the recent layer hides, ascending.
    hidden: &'a [DocId],
    order: SegmentOrder,
    after: Option<After>,
    top: Top,
    facets: Vec<Facet>,
    count: usize,
}

impl<'a> Collector<'a> {
    pub(super) fn new(
        part: &'a Part,
        hidden: &'a [DocId],
        order: SegmentOrder,
        after: Option<After>,
        limit: usize,
        facets: &[Column],
    ) -> Result<Self, Error> {
        let facets = facets.iter().map(|column| Facet::new(*column, &part.segment)).collect::<Result<_, _>>()?;
        let top = Top { limit, hits: Vec::new(), threshold: None };
        Ok(Collector { part, hidden, order, after, top, facets, count: 0 })
    }

    /// Answers a plan.
    pub(super) fn run(&mut self, plan: &Plan) -> Result<(), Error> {
        match &plan.candidates {
            Candidates::Everything => {
                for document in 0..self.part.segment.documents {
                    self.offer(document, 0.0, &plan.test);
                }
            }
            Candidates::Within(values, low, high) => {
                let mut documents = Vec::new();
                for from in (0..self.part.segment.documents).step_by(CHUNK as usize) {
                    let chunk = from..self.part.segment.documents.min(from + CHUNK);
                    documents.clear();
                    values.numbers.get_docids_for_value_range(*low..=*high, chunk, &mut documents);
                    documents.dedup();
                    documents.iter().for_each(|document| self.offer(*document, 0.0, &plan.test));
                }
            }
            Candidates::Postings(infos) => match infos.as_slice() {
                [] => {}
                [one] => {
                    let segment = &self.part.segment;
                    segment.postings(one, |documents| {
                        documents.iter().for_each(|document| self.offer(*document, 0.0, &plan.test));
                    })?;
                }
                many => {
                    let mut all = Vec::new();
                    for info in many {
                        self.part.segment.postings(info, |documents| all.extend_from_slice(documents))?;
                    }
                    all.sort_unstable();
                    all.dedup();
                    all.iter().for_each(|document| self.offer(*document, 0.0, &plan.test));
                }
            },
        }
        Ok(())
    }

    /// Takes a candidate; candidates come in ascending order.
    pub(super) fn offer(&mut self, document: DocId, score: f32, test: &Test) {
        while let [first, rest @ ..] = self.hidden
            && *first <= document
        {
            if *first == document {
                return;
            }
            self.hidden = rest;
        }
        if !self.part.is_alive(document) || !test.holds(document) {
            return;
        }
        self.count += 1;
        for facet in &mut self.facets {
            facet.count(document);
        }
        if self.after.as_ref().is_none_or(|after| after.holds(&self.order, document)) {
            let hit = self.order.hit(document, score);
            self.top.push(&self.order, hit);
        }
    }

    /// The first hits in order and how many there are; adds to the totals of the facets.
    pub(super) fn finish(self, totals: &mut [HashMap<Value, usize>]) -> Result<(Vec<Hit>, usize), Error> {
        for (facet, totals) in self.facets.into_iter().zip(totals) {
            facet.add_to(totals)?;
        }
        Ok((self.top.sorted(&self.order), self.count))
    }
}
