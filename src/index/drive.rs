//! Finds the postings that hold every hit of a condition, to look at few documents.

use tantivy::postings::TermInfo;

use super::Error;
use super::plan::bounds;
use super::schema::{self, has_ranges, has_terms};
use super::segment::Segment;
use crate::resource::query::Filter;
use crate::resource::row::Value;

/// Postings that hold every hit of a condition.
pub(super) struct Driver {
    pub(super) infos: Vec<TermInfo>,
    /// How many documents they hold, some perhaps several times.
    pub(super) cost: u64,
    /// They hold nothing else.
    pub(super) exact: bool,
}

impl Driver {
    fn new(infos: Vec<TermInfo>, exact: bool) -> Driver {
        let cost = infos.iter().map(|info| u64::from(info.doc_freq)).sum();
        Driver { infos, cost, exact }
    }
}

/// The postings of a condition, if there are any and few enough; `ranges` says whether to look for
/// ranges of terms or for single ones.
pub(super) fn drive(filter: &Filter, segment: &Segment, bound: u64, ranges: bool) -> Result<Option<Driver>, Error> {
    // More terms than this are slower to list than a column is to scan.
    let most = (bound.min(u64::from(segment.documents / 64)).clamp(16, 1024)) as usize;
    match filter {
        Filter::In(column, values) if has_terms(*column) && !ranges => {
            let mut infos = Vec::new();
            let mut exact = true;
            for value in values {
                let term = match value {
                    Value::Text(text) if !column.is_number() => {
                        exact &= schema::is_literal(text);
                        schema::text_term(*column, text)
                    }
                    Value::Number(number) if column.is_number() => schema::number_term(*column, *number),
                    _ => continue,
                };
                infos.extend(segment.term_info(&term)?);
            }
            // A value asked for twice is one term.
            infos.sort_unstable_by_key(|info| info.postings_range.start);
            infos.dedup();
            Ok(Some(Driver::new(infos, exact)))
        }
        Filter::Prefix(column, prefix) if ranges && !column.is_number() && has_ranges(*column) => {
            let mut infos = Vec::new();
            for (low, high) in schema::prefix_bounds(*column, prefix) {
                match segment.term_range(&low, &high, most - infos.len())? {
                    Some(found) => infos.extend(found),
                    None => return Ok(None),
                }
            }
            Ok(Some(Driver::new(infos, false)))
        }
        Filter::Between(column, low, high) if ranges && has_ranges(*column) => {
            let Some((low, high)) = bounds(*column, low, high) else { return Ok(None) };
            let low = match low {
                Some(Value::Text(text)) => schema::lower_bound(*column, text),
                Some(Value::Number(number)) => schema::number_term(*column, *number),
                None => schema::lower_bound(*column, ""),
            };
            let high = match high {
                Some(Value::Text(text)) => schema::upper_bound(*column, text),
                Some(Value::Number(number)) => {
                    // What follows a term directly is the term with a zero byte.
                    let mut bound = schema::number_term(*column, *number);
                    bound.push(0);
                    bound
                }
                None => schema::upper_bound(*column, ""),
            };
            if low >= high {
                return Ok(None);
            }
            Ok(segment.term_range(&low, &high, most)?.map(|infos| Driver::new(infos, false)))
        }
        Filter::All(parts) => {
            let mut best: Option<Driver> = None;
            for part in parts {
                if let Some(driver) = drive(part, segment, bound, ranges)?
                    && best.as_ref().is_none_or(|best| driver.cost < best.cost)
                {
                    best = Some(Driver { exact: false, ..driver });
                }
            }
            Ok(best)
        }
        Filter::Any(parts) => {
            let mut infos = Vec::new();
            for part in parts {
                // Each part by whichever way it has.
                let driver = match drive(part, segment, bound, false)? {
                    None if ranges => drive(part, segment, bound, true)?,
                    driver => driver,
                };
                match driver {
                    Some(driver) => infos.extend(driver.infos),
                    None => return Ok(None),
                }
            }
            infos.sort_unstable_by_key(|info: &TermInfo| info.postings_range.start);
            infos.dedup();
            Ok(Some(Driver::new(infos, false)))
        }
        _ => Ok(None),
    }
}
