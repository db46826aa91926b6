//! A query as every dialect means it, and its meaning on one row in memory.
//!
//! Dialects parse their own syntax into this; the index answers it. [`Filter::matches`] and
//! [`Query::compare`] are the definition: tantivy's answers must equal them.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::resource::row::{Column, Row, Value, ValueRef};

/// A condition on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of these; an empty list holds always.
    All(Vec<Filter>),
    /// At least one of these; an empty list holds never.
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// Some value of the column is one of these.
    In(Column, Vec<Value>),
    /// Some value of the text column starts with this.
    Prefix(Column, String),
    /// Some value of the column lies within these bounds, both included.
    Between(Column, Option<Value>, Option<Value>),
}

impl Filter {
    /// Everything in one workspace.
    pub fn in_workspace(name: Arc<str>) -> Self {
        Filter::In(Column::Workspace, vec![Value::Text(name)])
    }

    /// Whether `row` fulfils the condition.
    pub fn matches(&self, row: &Row) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.matches(row)),
            Filter::Any(parts) => parts.iter().any(|part| part.matches(row)),
            Filter::Not(part) => !part.matches(row),
            Filter::In(column, values) => {
                row.any_value(*column, |value| values.iter().any(|wanted| borrowed(wanted) == value))
            }
            Filter::Prefix(column, prefix) => row.any_value(*column, |value| match value {
                ValueRef::Text(text) => text.starts_with(prefix.as_str()),
                ValueRef::Number(_) => false,
            }),
            Filter::Between(column, low, high) => row.any_value(*column, |value| {
                low.as_ref().is_none_or(|low| borrowed(low) <= value)
                    && high.as_ref().is_none_or(|high| value <= borrowed(high))
            }),
        }
    }
}

fn borrowed(value: &Value) -> ValueRef<'_> {
    match value {
        Value::Number(n) => ValueRef::Number(*n),
        Value::Text(t) => ValueRef::Text(t),
    }
}

/// One key to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey {
    pub column: Column,
    pub descending: bool,
}

impl SortKey {
    pub fn ascending(column: Column) -> Self {
        SortKey { column, descending: false }
    }
}

/// What a list is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub filter: Filter,
    /// Full text: every word must occur; results are ordered by relevance when `sort` is empty.
    pub text: Option<String>,
    /// Most significant first. Rows without a value come last ascending and first descending.
    /// [`Query::order`] appends what makes the order total.
    pub sort: Vec<SortKey>,
    pub limit: usize,
    pub offset: usize,
    /// Only rows after this place in the order. Not together with ordering by relevance.
    pub after: Option<Place>,
    /// Columns whose values are to be counted over all hits.
    pub facets: Vec<Column>,
}

impl Default for Query {
    fn default() -> Self {
        Query {
            filter: Filter::All(Vec::new()),
            text: None,
            sort: Vec::new(),
            limit: 20,
            offset: 0,
            after: None,
            facets: Vec::new(),
        }
    }
}

/// A place in an order: the values of [`Query::order`]'s columns for some row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(pub Vec<Option<Value>>);

impl Query {
    /// The whole order: `sort` (by default creation), then creation's tie-breaks, then the id, then
    /// the address, so that no two rows are equal.
    pub fn order(&self) -> Vec<SortKey> {
        let mut order = self.sort.clone();
        if order.is_empty() {
            order.push(SortKey::ascending(Column::Created));
        }
        // Equal creation times are ordered by position in history (part of the encoded time), then
        // path (decisions.md 6).
        if let Some(at) = order.iter().position(|key| key.column == Column::Created) {
            order.insert(at + 1, SortKey { column: Column::Path, descending: order[at].descending });
        }
        for column in [Column::Id, Column::Workspace, Column::Path] {
            order.push(SortKey::ascending(column));
        }
        let mut seen = Vec::new();
        order.retain(|key| {
            !seen.contains(&key.column) && {
                seen.push(key.column);
                true
            }
        });
        order
    }

    /// Where a row stands in the order.
    pub fn place(order: &[SortKey], row: &Row) -> Place {
        Place(order.iter().map(|key| row.sort_value(key.column)).collect())
    }

    /// Compares two places of one order.
    pub fn compare(order: &[SortKey], a: &Place, b: &Place) -> Ordering {
        for ((key, a), b) in order.iter().zip(&a.0).zip(&b.0) {
            let ascending = match (a, b) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(a), Some(b)) => a.cmp(b),
            };
            let decided = if key.descending { ascending.reverse() } else { ascending };
            if decided != Ordering::Equal {
                return decided;
            }
        }
        Ordering::Equal
    }
}
