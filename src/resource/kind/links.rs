//! Links: how a document names others by the values of their fields.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::resource::kind::fields::{Field, FieldType, scalar_text};
use crate::resource::kind::pattern::Captures;
use crate::resource::kind::pointer::Pointer;
use crate::resource::kind::requirement::Requirement;
use crate::resource::query::Filter;
use crate::resource::row::{Column, Row, Value, ValueRef, encode_text};

/// What happens to a document when one that it points at is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// The deletion is refused.
    Refuse,
    /// It goes too, in the same commit.
    Cascade,
}

/// A declared way of pointing at documents of another kind, or the same.
///
/// A link never leaves its workspace: whoever runs its filters narrows them to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub name: Arc<str>,
    /// The kind that declares the link.
    pub from: Arc<str>,
    /// The kind that is pointed at.
    pub to: Arc<str>,
    pub within: Option<Within>,
    /// The array whose items each are one occurrence; without it the document is the occurrence.
    pub each: Option<Pointer>,
    pub matches: Vec<LinkMatch>,
    pub on_delete: OnDelete,
    /// The slot of `from`'s rows that holds the joined values of every occurrence.
    pub column: Column,
}

/// A field of both kinds that must be equal, such as `project`; documents that both lack it are
/// together too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    pub source: Field,
    pub target: Field,
}

/// A field of the target and where the pointing document has its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkMatch {
    pub target: Field,
    /// Relative to the item of [`Link::each`].
    pub pointer: Pointer,
}

/// One occurrence of a link in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkKey {
    /// JSON pointer to the occurrence: the item, or the value where there are no items.
    pub pointer: String,
    /// What is matched as the document spells it, in the order of [`Link::matches`].
    pub values: Vec<String>,
    pub meaning: Meaning,
}

/// What an occurrence asks of its target: occurrences with the same meaning have the same target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Meaning {
    conditions: Vec<Condition>,
    within: Vec<Value>,
    joined: Arc<str>,
}

impl Meaning {
    /// What every target has among [`Link::joined_of`].
    pub fn joined(&self) -> &Arc<str> {
        &self.joined
    }
}

/// `eu.sonata/firewall/>= 0.2`.
impl fmt::Display for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.values.join("/"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Condition {
    Equals(Value),
    Version(Requirement),
}

/// Most occurrences of one link in one document, and most combinations of one target's values.
const MOST_KEYS: usize = 10_000;

const SEPARATOR: &str = "\u{1f}";

impl Link {
    /// What a document points at, in document order. An occurrence that lacks a matched value
    /// points at nothing.
    pub fn keys(&self, captures: &Captures, content: &Json) -> Vec<LinkKey> {
        let within = self.within.as_ref().map(|within| within.source.values(captures, content)).unwrap_or_default();
        let mut keys = Vec::new();
        match &self.each {
            None => self.push_keys(None, content, &within, &mut keys),
            Some(each) => each.walk(content, &mut |trail, item| {
                if item.is_object() {
                    self.push_keys(Some(trail.to_string()), item, &within, &mut keys);
                }
            }),
        }
        keys
    }

    fn push_keys(&self, item_at: Option<String>, item: &Json, within: &[Value], keys: &mut Vec<LinkKey>) {
        let mut choices = Vec::with_capacity(self.matches.len());
        for matched in &self.matches {
            let mut found = Vec::new();
            matched.pointer.walk(item, &mut |trail, value| {
                let spelt = scalar_text(value);
                let condition = if matched.target.field_type == FieldType::Version {
                    spelt.as_deref().map(|text| Condition::Version(Requirement::parse(text)))
                } else {
                    matched.target.encode_json(value).map(Condition::Equals)
                };
                if let (Some(spelt), Some(condition)) = (spelt, condition) {
                    found.push((trail.to_string(), spelt.into_owned(), condition));
                }
            });
            choices.push(found);
        }
        for chosen in combinations(&choices, MOST_KEYS.saturating_sub(keys.len())).into_iter().flatten() {
            let conditions: Vec<Condition> = chosen.iter().map(|(_, _, condition)| condition.clone()).collect();
            let equal = conditions.iter().filter_map(|condition| match condition {
                Condition::Equals(value) => Some(value),
                Condition::Version(_) => None,
            });
            keys.push(LinkKey {
                pointer: item_at.clone().or_else(|| chosen.first().map(|(at, _, _)| at.clone())).unwrap_or_default(),
                values: chosen.iter().map(|(_, spelt, _)| spelt.clone()).collect(),
                meaning: Meaning { joined: join(equal), within: within.to_vec(), conditions },
            });
        }
    }

    /// What the link's slot holds for one occurrence.
    pub(super) fn slot_value(key: &LinkKey) -> Arc<str> {
        key.meaning.joined.clone()
    }

    /// Finds the rows that an occurrence may mean; [`Link::admits`] decides.
    pub fn target_filter(&self, asked: &Meaning) -> Filter {
        let mut parts = vec![Filter::In(Column::Kind, vec![Value::Text(self.to.clone())])];
        for (matched, condition) in self.matches.iter().zip(&asked.conditions) {
            match condition {
                Condition::Equals(value) => parts.push(Filter::In(matched.target.column, vec![value.clone()])),
                Condition::Version(Requirement::Exactly(version)) => {
                    if let Ok(encoded) = matched.target.encode(version) {
                        parts.push(encoded.filter(matched.target.column));
                    }
                }
                Condition::Version(Requirement::Compared(..)) => {}
            }
        }
        parts.extend(self.within.as_ref().map(|within| same(within.target.column, &asked.within)));
        Filter::All(parts)
    }

    /// Whether an occurrence means this row of the target kind, operators of versions included.
    pub fn admits(&self, asked: &Meaning, row: &Row) -> bool {
        let matched = self.matches.iter().zip(&asked.conditions).all(|(matched, condition)| {
            row.any_value(matched.target.column, |value| match (condition, value) {
                (Condition::Equals(wanted), value) => *wanted == value.to_owned(),
                (Condition::Version(requirement), ValueRef::Text(version)) => requirement.admits(version),
                (Condition::Version(_), ValueRef::Number(_)) => false,
            })
        });
        matched
            && *row.kind == *self.to
            && self.within.as_ref().is_none_or(|within| same(within.target.column, &asked.within).matches(row))
    }

    /// Under what a target can be looked for, its version aside; `None`: under too much.
    pub fn joined_of(&self, target: &Row) -> Option<Vec<Arc<str>>> {
        let compared = self.matches.iter().filter(|matched| matched.target.field_type != FieldType::Version);
        let choices: Vec<Vec<Value>> = compared.map(|matched| values_of(target, matched.target.column)).collect();
        let all = combinations(&choices, MOST_KEYS)?;
        Some(all.iter().map(|chosen| join(chosen.iter().copied())).collect())
    }

    /// What a target is chosen by where several fit: the newest version, of those the oldest row.
    pub fn rank<'r>(&self, target: &'r Row) -> impl Ord + use<'r> {
        let compared = self.matches.iter().filter(|matched| matched.target.field_type == FieldType::Version);
        let versions: Vec<Option<Value>> =
            compared.map(|matched| values_of(target, matched.target.column).into_iter().max()).collect();
        (versions, Reverse((target.created.encoded(), &target.id, &target.path)))
    }

    /// Finds the rows that may point at `target`, a row of [`Link::to`]; their documents' keys
    /// and [`Link::admits`] decide.
    pub fn referrer_filter(&self, target: &Row) -> Filter {
        let mut parts = vec![Filter::In(Column::Kind, vec![Value::Text(self.from.clone())])];
        // With too many combinations every row with the link is a candidate.
        parts.push(match self.joined_of(target) {
            Some(all) => Filter::In(self.column, all.into_iter().map(Value::Text).collect()),
            None => Filter::Between(self.column, None, None),
        });
        parts.extend(
            self.within.as_ref().map(|within| same(within.source.column, &values_of(target, within.target.column))),
        );
        Filter::All(parts)
    }
}

fn values_of(row: &Row, column: Column) -> Vec<Value> {
    let mut values = Vec::new();
    row.any_value(column, |value| {
        values.push(value.to_owned());
        false
    });
    values
}

/// Rows with one of these values; with none, rows without a value.
fn same(column: Column, values: &[Value]) -> Filter {
    if values.is_empty() {
        Filter::Not(Box::new(Filter::Between(column, None, None)))
    } else {
        Filter::In(column, values.to_vec())
    }
}

/// Every way to choose one of each; `None` when there are more than `most`.
fn combinations<T>(choices: &[Vec<T>], most: usize) -> Option<Vec<Vec<&T>>> {
    let count = choices.iter().try_fold(1usize, |count, options| count.checked_mul(options.len()));
    if count.is_none_or(|count| count > most) {
        return None;
    }
    Some(choices.iter().fold(vec![Vec::new()], |chosen, options| {
        chosen
            .iter()
            .flat_map(|before: &Vec<&T>| {
                options.iter().map(move |option| {
                    let mut longer = before.clone();
                    longer.push(option);
                    longer
                })
            })
            .collect()
    }))
}

fn join<'v>(values: impl Iterator<Item = &'v Value>) -> Arc<str> {
    let texts: Vec<String> = values
        .map(|value| match value {
            Value::Text(text) => text.to_string(),
            Value::Number(number) => number.to_string(),
        })
        .collect();
    encode_text(&texts.join(SEPARATOR))
}
