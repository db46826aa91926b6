//! A filter on one segment: which documents to look at, and how to test them.
//!
//! The tests read columns and are exact. The candidates come from the postings of the rarest
//! condition, so that the cost follows the number of hits rather than that of documents.

use std::sync::Arc;

use tantivy::DocId;
use tantivy::postings::TermInfo;

use super::Error;
use super::drive::{Driver, drive};
use super::segment::{Segment, Values};
use crate::resource::query::Filter;
use crate::resource::row::{Column, Value};

/// A condition on a document of one segment.
pub(super) enum Test {
    Always,
    Never,
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    /// Some value is this.
    Is(Arc<Values>, u64),
    /// Some value is one of these, sorted.
    OneOf(Arc<Values>, Vec<u64>),
    /// Some value lies within, both included.
    Within(Arc<Values>, u64, u64),
}

impl Test {
    pub(super) fn holds(&self, document: DocId) -> bool {
        match self {
            Test::Always => true,
            Test::Never => false,
            Test::All(parts) => parts.iter().all(|part| part.holds(document)),
            Test::Any(parts) => parts.iter().any(|part| part.holds(document)),
            Test::Not(part) => !part.holds(document),
            Test::Is(values, wanted) => values.numbers.values_for_doc(document).any(|value| value == *wanted),
            Test::OneOf(values, wanted) => {
                values.numbers.values_for_doc(document).any(|value| wanted.binary_search(&value).is_ok())
            }
            Test::Within(values, low, high) => {
                values.numbers.values_for_doc(document).any(|value| (*low..=*high).contains(&value))
            }
        }
    }

    /// The column and the bounds of a test that is nothing else.
    fn range(&self) -> Option<(Arc<Values>, u64, u64)> {
        match self {
            Test::Is(values, wanted) => Some((values.clone(), *wanted, *wanted)),
            Test::Within(values, low, high) => Some((values.clone(), *low, *high)),
            _ => None,
        }
    }

    /// Whether some value lies within, both included. Bounds are cut to the values there are:
    /// columnar's own search takes a range below all of them for the least one.
    fn within(values: Arc<Values>, low: u64, high: u64) -> Test {
        let (least, greatest) = (values.numbers.min_value(), values.numbers.max_value());
        let (low, high) = (low.max(least), high.min(greatest));
        if low > high {
            Test::Never
        } else if (low, high) == (least, greatest) && values.numbers.get_cardinality().is_full() {
            Test::Always
        } else if low == high {
            Test::Is(values, low)
        } else {
            Test::Within(values, low, high)
        }
    }

    fn all(parts: Vec<Test>) -> Test {
        let mut parts: Vec<Test> = parts.into_iter().filter(|part| !matches!(part, Test::Always)).collect();
        if parts.iter().any(|part| matches!(part, Test::Never)) {
            return Test::Never;
        }
        match parts.len() {
            0 => Test::Always,
            1 => parts.swap_remove(0),
            _ => Test::All(parts),
        }
    }

    fn any(parts: Vec<Test>) -> Test {
        let mut parts: Vec<Test> = parts.into_iter().filter(|part| !matches!(part, Test::Never)).collect();
        if parts.iter().any(|part| matches!(part, Test::Always)) {
            return Test::Always;
        }
        match parts.len() {
            0 => Test::Never,
            1 => parts.swap_remove(0),
            _ => Test::Any(parts),
        }
    }
}

/// Where hits may be.
pub(super) enum Candidates {
    /// In these postings only.
    Postings(Vec<TermInfo>),
    /// Where some value of this column lies within, both included.
    Within(Arc<Values>, u64, u64),
    /// Anywhere.
    Everything,
}

/// How to answer a filter on one segment.
pub(super) struct Plan {
    pub(super) candidates: Candidates,
    /// What a candidate has to fulfil; implies that it is a row and no touch.
    pub(super) test: Test,
}

impl Plan {
    pub(super) fn new(filter: &Filter, segment: &Segment) -> Result<Plan, Error> {
        let mut parts = Vec::new();
        flatten(filter, &mut parts);
        let mut tests = Vec::with_capacity(parts.len() + 1);
        for part in &parts {
            tests.push(compile(part, segment)?);
            if matches!(tests.last(), Some(Test::Never)) {
                return Ok(Plan { candidates: Candidates::Postings(Vec::new()), test: Test::Never });
            }
        }
        let mut best: Option<(usize, Driver)> = None;
        let mut bound = u64::from(segment.documents);
        // Single terms first: they are cheap to look up and bound the search among ranges.
        for ranges in [false, true] {
            for (at, part) in parts.iter().enumerate() {
                if let Some(driver) = drive(part, segment, bound, ranges)?
                    && best.as_ref().is_none_or(|(_, best)| driver.cost < best.cost)
                {
                    bound = driver.cost;
                    best = Some((at, driver));
                }
            }
        }
        let candidates = match best {
            // Many terms that cover much of the segment are slower to merge than it is to scan.
            Some((at, driver)) if driver.infos.len() == 1 || driver.cost < u64::from(segment.documents / 4) => {
                if driver.exact {
                    tests[at] = Test::Always;
                }
                Candidates::Postings(driver.infos)
            }
            _ => match tests.iter().enumerate().find_map(|(at, test)| Some((at, test.range()?))) {
                Some((at, (values, low, high))) => {
                    tests[at] = Test::Always;
                    Candidates::Within(values, low, high)
                }
                None => {
                    tests.push(row_test(segment)?);
                    Candidates::Everything
                }
            },
        };
        Ok(Plan { candidates, test: Test::all(tests) })
    }

    /// A plan whose candidates come from elsewhere.
    pub(super) fn test_only(filter: &Filter, segment: &Segment) -> Result<Test, Error> {
        Ok(Test::all(vec![compile(filter, segment)?, row_test(segment)?]))
    }
}

/// Tells rows from touches: only rows have a kind.
fn row_test(segment: &Segment) -> Result<Test, Error> {
    Ok(match segment.values(Column::Kind)? {
        None => Test::Never,
        Some(kinds) => Test::within(kinds, 0, u64::MAX),
    })
}

fn flatten<'a>(filter: &'a Filter, parts: &mut Vec<&'a Filter>) {
    match filter {
        Filter::All(all) => all.iter().for_each(|part| flatten(part, parts)),
        part => parts.push(part),
    }
}

/// The test of a filter; on touches its result means nothing.
fn compile(filter: &Filter, segment: &Segment) -> Result<Test, Error> {
    Ok(match filter {
        Filter::All(parts) => Test::all(parts.iter().map(|part| compile(part, segment)).collect::<Result<_, _>>()?),
        Filter::Any(parts) => Test::any(parts.iter().map(|part| compile(part, segment)).collect::<Result<_, _>>()?),
        Filter::Not(part) => match compile(part, segment)? {
            Test::Always => Test::Never,
            Test::Never => Test::Always,
            test => Test::Not(Box::new(test)),
        },
        Filter::In(column, wanted) => {
            let Some(values) = segment.values(*column)? else { return Ok(Test::Never) };
            let mut numbers = Vec::with_capacity(wanted.len());
            for value in wanted {
                match value {
                    Value::Number(number) if column.is_number() => numbers.push(*number),
                    Value::Text(text) if !column.is_number() => {
                        let standing = segment.standing(*column, text)?;
                        if standing.exact {
                            numbers.push(standing.ordinal);
                        }
                    }
                    _ => {}
                }
            }
            numbers.sort_unstable();
            numbers.dedup();
            match numbers.as_slice() {
                [] => Test::Never,
                [one] => Test::within(values, *one, *one),
                _ => Test::OneOf(values, numbers),
            }
        }
        Filter::Prefix(column, prefix) => {
            let Some(values) = segment.values(*column)? else { return Ok(Test::Never) };
            if column.is_number() {
                return Ok(Test::Never);
            }
            let low = segment.standing(*column, prefix)?.ordinal;
            // No text is greater than all that start with this but does not itself.
            let high = match successor(prefix) {
                Some(end) => segment.standing(*column, &end)?.ordinal,
                None => u64::MAX,
            };
            ordinals(values, low, high)
        }
        Filter::Between(column, low, high) => {
            let Some(values) = segment.values(*column)? else { return Ok(Test::Never) };
            let Some((low, high)) = bounds(*column, low, high) else { return Ok(Test::Never) };
            if column.is_number() {
                let number = |value: Option<&Value>, default| match value {
                    Some(Value::Number(number)) => *number,
                    _ => default,
                };
                let (low, high) = (number(low, 0), number(high, u64::MAX));
                return Ok(Test::within(values, low, high));
            }
            let low = match low {
                Some(Value::Text(text)) => segment.standing(*column, text)?.ordinal,
                _ => 0,
            };
            let high = match high {
                Some(Value::Text(text)) => {
                    let standing = segment.standing(*column, text)?;
                    standing.ordinal.saturating_add(u64::from(standing.exact))
                }
                _ => u64::MAX,
            };
            ordinals(values, low, high)
        }
    })
}

/// Whether the ordinal of some value lies from `low` up to `high`, not included.
fn ordinals(values: Arc<Values>, low: u64, high: u64) -> Test {
    if low < high { Test::within(values, low, high - 1) } else { Test::Never }
}

/// The bounds that can decide: numbers are less than texts, so a bound of the other sort holds
/// always or never (`None`).
pub(super) type Bounds<'a> = (Option<&'a Value>, Option<&'a Value>);

pub(super) fn bounds<'a>(column: Column, low: &'a Option<Value>, high: &'a Option<Value>) -> Option<Bounds<'a>> {
    let number = |value: &Value| matches!(value, Value::Number(_));
    let low = low.as_ref().filter(|low| number(low) == column.is_number() || column.is_number());
    let high = high.as_ref().filter(|high| number(high) == column.is_number() || !column.is_number());
    if low.is_some_and(|low| number(low) != column.is_number())
        || high.is_some_and(|high| number(high) != column.is_number())
    {
        return None;
    }
    Some((low, high))
}

/// The least text greater than all that start with `prefix`.
fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(last as u32 + 1) };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_ends_a_prefix() {
        assert_eq!(successor("ab").as_deref(), Some("ac"));
        assert_eq!(successor("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(successor("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(successor(""), None);
        assert_eq!(successor("\u{10ffff}"), None);
    }
}
