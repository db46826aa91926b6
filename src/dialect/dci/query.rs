//! `sort`, `limit`, `offset`, `where`, `embed` in the original's syntax and texts.

use serde_json::{Map, Value, json};

use super::fault::DciFault;
use crate::http::parameters::{LIMIT, LIMIT_MOST, OFFSET_MOST, Parameters, split, unquoted};
use crate::resource::kind::{Field, Kind};
use crate::resource::query::{Filter, Query, SortKey};
use crate::resource::row::Column;

/// A list as it was asked for. Unknown parameters are ignored: its clients send some.
pub(super) fn parse(kind: &Kind, parameters: &Parameters) -> Result<Query, DciFault> {
    let mut errors = Map::new();
    let limit = bounded(parameters, "limit", LIMIT, LIMIT_MOST, &mut errors);
    let offset = bounded(parameters, "offset", 0, OFFSET_MOST, &mut errors);
    if !errors.is_empty() {
        return Err(DciFault::malformed(Value::Object(errors)));
    }
    let filter = conditions(kind, parameters.get("where"))?;
    Ok(Query { filter, sort: sort(kind, parameters.get("sort"))?, limit, offset, ..Query::default() })
}

fn bounded(parameters: &Parameters, name: &str, default: usize, most: usize, errors: &mut Map<String, Value>) -> usize {
    let Some(text) = parameters.get(name) else { return default };
    match text.parse::<usize>() {
        Ok(number) if number <= most => number,
        // More is refused, never cut silently: a client that trusts its own limit would skip rows.
        Ok(_) => {
            errors.insert(name.into(), json!(format!("not a valid {name} integer (must be at most {most})")));
            default
        }
        Err(_) => {
            errors.insert(name.into(), json!(format!("not a valid {name} integer (must be greater than 0)")));
            default
        }
    }
}

/// The columns that the original has: fields of the kind without the server's extra ones.
fn column<'k>(kind: &'k Kind, name: &str) -> Option<&'k Field> {
    kind.field(name).filter(|field| !matches!(field.column, Column::Workspace | Column::Path | Column::Violations))
}

fn names(kind: &Kind) -> Vec<&str> {
    kind.field_names().into_iter().filter(|name| column(kind, name).is_some()).collect()
}

fn sort(kind: &Kind, text: Option<&str>) -> Result<Vec<SortKey>, DciFault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Vec::new()) };
    let mut keys = Vec::new();
    for name in text.split(',') {
        let name = name.trim();
        let (name, descending) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
        let field = column(kind, name).ok_or_else(|| {
            DciFault::bad(format!("Invalid sort key: '{name}'"), "Valid sort keys", json!(names(kind)))
        })?;
        keys.push(SortKey { column: field.column, descending });
    }
    Ok(keys)
}

/// Equalities, all of which hold. A value in double quotes may hold a comma.
fn conditions(kind: &Kind, text: Option<&str>) -> Result<Filter, DciFault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Filter::All(Vec::new())) };
    let mut parts = Vec::new();
    for term in split(text, ',')? {
        let Some((name, value)) = term.split_once(':') else {
            return Err(DciFault::bad(
                format!("Invalid where key: '{term}'"),
                "error",
                json!("where key must have the following form \"key:value\""),
            ));
        };
        let field = column(kind, name).ok_or_else(|| {
            DciFault::bad(format!("Invalid where key: '{name}'"), "Valid where keys", json!(names(kind)))
        })?;
        let encoded = field
            .encode(&unquoted(value))
            .map_err(|error| DciFault::bad(format!("Invalid where key: '{name}'"), name, json!(error.to_string())))?;
        parts.push(encoded.filter(field.column));
    }
    Ok(Filter::All(parts))
}

/// Link names of `embed=a,b`, or `embed:a,b` as the README writes it.
pub(super) fn embed(kind: &Kind, parameters: &Parameters) -> Result<Vec<String>, DciFault> {
    if kind.links.is_empty() {
        return Ok(Vec::new());
    }
    let given = parameters.iter().find_map(|(name, value)| match name.split_once(':') {
        Some(("embed", list)) => Some(list),
        _ => (name == "embed").then_some(value),
    });
    let mut links: Vec<String> = Vec::new();
    for name in given.unwrap_or_default().split(',').filter(|name| !name.is_empty()) {
        if kind.link(name).is_none() {
            let asked: Vec<String> = given.unwrap_or_default().split(',').map(|name| format!("'{name}'")).collect();
            let valid: Vec<&str> = kind.links.iter().map(|link| &*link.name).collect();
            return Err(DciFault::bad(
                format!("Invalid embed list: '[{}]'", asked.join(", ")),
                "Valid elements",
                json!(valid),
            ));
        }
        if !links.iter().any(|known| known == name) {
            links.push(name.to_owned());
        }
    }
    Ok(links)
}
