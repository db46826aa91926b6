//! The list syntax: `where`, `q`, `sort`, `limit`, `offset`, `after`, `embed`, `fields`, `facets`.

use std::sync::Arc;

use super::cursor;
use crate::engine::Error;
use crate::http::parameters::{LIMIT, LIMIT_MOST, OFFSET_MOST, Parameters, split, unquoted};
use crate::resource::key::WorkspaceName;
use crate::resource::kind::{EncodeError, Encoded, Field, Kind};
use crate::resource::query::{Filter, Query, SortKey};
use crate::resource::row::Value;

pub(super) const PARAMETERS: [&str; 9] =
    ["where", "q", "sort", "limit", "offset", "after", "embed", "fields", "facets"];

/// Longest `where` and `q`, so that a query's cost is bounded.
const TEXT_MOST: usize = 8_192;
const TERMS_MOST: usize = 200;
const FACETS_MOST: usize = 10;

/// A list as it was asked for.
#[derive(Debug)]
pub(super) struct ListRequest {
    pub(super) query: Query,
    pub(super) embed: Vec<String>,
    pub(super) fields: Option<Vec<Selected>>,
    pub(super) facets: Vec<Field>,
}

/// An entry of `fields=`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Selected {
    /// A member of the document's envelope.
    Member(&'static str),
    /// A field of the kind, shown inside `content`.
    Field(Field),
}

/// Members of a document's envelope.
pub(super) const MEMBERS: [&str; 8] =
    ["id", "workspace", "path", "etag", "created_at", "updated_at", "violations", "content"];

pub(super) fn parse(kind: &Arc<Kind>, parameters: &Parameters) -> Result<ListRequest, Error> {
    parameters.only(&PARAMETERS)?;
    let text = parameters.get("q").map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.len() > TEXT_MOST) {
        return Err(Error::bad_request(format!("q is longer than {TEXT_MOST} bytes")));
    }
    let mut facets: Vec<Field> = Vec::new();
    for name in list(parameters.get("facets")) {
        let field = field(kind, name, "facets", "valid_facets")?;
        if !facets.contains(field) {
            if facets.len() == FACETS_MOST {
                return Err(Error::bad_request(format!("facets: at most {FACETS_MOST} fields at once")));
            }
            facets.push(field.clone());
        }
    }
    let mut query = Query {
        filter: conditions(kind, parameters.get("where").unwrap_or_default())?,
        text: text.map(str::to_owned),
        sort: sort(kind, parameters.get("sort"))?,
        limit: parameters.number("limit", LIMIT, LIMIT_MOST)?,
        offset: parameters.number("offset", 0, OFFSET_MOST)?,
        after: None,
        facets: facets.iter().map(|field| field.column).collect(),
    };
    if let Some(after) = parameters.get("after") {
        if query.text.is_some() && query.sort.is_empty() {
            return Err(Error::bad_request("after= needs an order that does not drift: give sort= beside q="));
        }
        if query.offset > 0 {
            return Err(Error::bad_request("after= and offset= exclude each other"));
        }
        let place = cursor::decode(&query.order(), after);
        query.after = Some(place.ok_or_else(|| {
            Error::bad_request("after= is not a cursor of this list: take it from _meta.next of the same sort")
        })?);
    }
    Ok(ListRequest { query, embed: embed(parameters), fields: fields(kind, parameters.get("fields"))?, facets })
}

/// The workspace that an id is meant in, when it occurs in several.
pub(super) fn workspace(parameters: &Parameters) -> Result<Option<WorkspaceName>, Error> {
    Ok(parameters.get("workspace").map(WorkspaceName::parse).transpose()?)
}

/// Link names of `embed=`.
pub(super) fn embed(parameters: &Parameters) -> Vec<String> {
    list(parameters.get("embed")).map(str::to_owned).collect()
}

fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn sort(kind: &Kind, text: Option<&str>) -> Result<Vec<SortKey>, Error> {
    let mut keys: Vec<SortKey> = Vec::new();
    for name in list(text) {
        let (name, descending) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
        let column = field(kind, name, "sort", "valid_sort_keys")?.column;
        if !keys.iter().any(|key| key.column == column) {
            keys.push(SortKey { column, descending });
        }
    }
    Ok(keys)
}

pub(super) fn fields(kind: &Kind, text: Option<&str>) -> Result<Option<Vec<Selected>>, Error> {
    let Some(text) = text else { return Ok(None) };
    let mut selected = Vec::new();
    for name in list(Some(text)) {
        let one = match MEMBERS.iter().find(|member| **member == name) {
            Some(member) => Selected::Member(member),
            None => match kind.field(name) {
                Some(field) => Selected::Field(field.clone()),
                None => {
                    let mut valid: Vec<String> = kind.field_names().into_iter().map(str::to_owned).collect();
                    valid.push("content".into());
                    return Err(Error::with_valid(
                        format!("fields: a {} has no field {name:?}", kind.name),
                        "valid_fields",
                        valid,
                    ));
                }
            },
        };
        if !selected.contains(&one) {
            selected.push(one);
        }
    }
    Ok(Some(selected))
}

fn field<'k>(kind: &'k Kind, name: &str, parameter: &str, key: &str) -> Result<&'k Field, Error> {
    kind.field(name).ok_or_else(|| {
        let valid = kind.field_names().into_iter().map(str::to_owned).collect();
        Error::with_valid(format!("{parameter}: a {} has no field {name:?}", kind.name), key, valid)
    })
}

/// `field:value,field2:value2`, all of which must hold.
fn conditions(kind: &Kind, text: &str) -> Result<Filter, Error> {
    if text.len() > TEXT_MOST {
        return Err(Error::bad_request(format!("where is longer than {TEXT_MOST} bytes")));
    }
    let mut parts = Vec::new();
    for term in split(text, ',')? {
        if term.trim().is_empty() {
            continue;
        }
        let Some((name, value)) = term.split_once(':') else {
            return Err(Error::bad_request(format!("where: {term:?} is not of the form field:value")));
        };
        let field = field(kind, name.trim(), "where", "valid_where_keys")?;
        parts.push(condition(field, value)?);
        if parts.len() > TERMS_MOST {
            return Err(Error::bad_request(format!("where: more than {TERMS_MOST} conditions")));
        }
    }
    Ok(Filter::All(parts))
}

/// The value's operator: `>=x`, `<=x`, `>x`, `<x`, `!x`, `a|b`, trailing `*`, or equality.
fn condition(field: &Field, value: &str) -> Result<Filter, Error> {
    let column = field.column;
    let encode = |text: &str| -> Result<Encoded, Error> { field.encode(&unquoted(text)).map_err(wrong) };
    if let Some(bound) = value.strip_prefix(">=") {
        return Ok(Filter::Between(column, Some(encode(bound)?.low()), None));
    }
    if let Some(bound) = value.strip_prefix("<=") {
        return Ok(Filter::Between(column, None, Some(encode(bound)?.high())));
    }
    if let Some(bound) = value.strip_prefix('>') {
        return Ok(match successor(encode(bound)?.high()) {
            Some(low) => Filter::Between(column, Some(low), None),
            None => Filter::Any(Vec::new()),
        });
    }
    if let Some(bound) = value.strip_prefix('<') {
        return Ok(match predecessor(encode(bound)?.low()) {
            Some(high) => Filter::Between(column, None, Some(high)),
            None => Filter::Any(Vec::new()),
        });
    }
    if let Some(rest) = value.strip_prefix('!') {
        return Ok(Filter::Not(Box::new(alternatives(field, rest)?)));
    }
    alternatives(field, value)
}

fn alternatives(field: &Field, value: &str) -> Result<Filter, Error> {
    let column = field.column;
    let mut exact = Vec::new();
    let mut others = Vec::new();
    for alternative in split(value, '|')? {
        let is_quoted = alternative.trim_start().starts_with('"');
        if let Some(prefix) = alternative.strip_suffix('*').filter(|_| !is_quoted) {
            others.push(prefixed(field, prefix)?);
            continue;
        }
        match field.encode(&unquoted(alternative)).map_err(wrong)? {
            Encoded::Exactly(value) => exact.push(value),
            within @ Encoded::Within(..) => others.push(within.filter(column)),
        }
    }
    if !exact.is_empty() {
        others.push(Filter::In(column, exact));
    }
    Ok(if others.len() == 1 { others.remove(0) } else { Filter::Any(others) })
}

fn prefixed(field: &Field, prefix: &str) -> Result<Filter, Error> {
    if prefix.len() > 1_000 {
        return Err(Error::bad_request("where: a prefix of more than 1000 bytes"));
    }
    match field.prefix(prefix) {
        Some(filter) => Ok(filter),
        None => Err(Error::bad_request(format!(
            "where: {} is a {}, which has no prefixes: compare with >= and <=",
            field.name,
            field.field_type.name()
        ))),
    }
}

/// The next greater value: texts have one right behind them, numbers the next integer.
fn successor(value: Value) -> Option<Value> {
    match value {
        Value::Number(n) => n.checked_add(1).map(Value::Number),
        Value::Text(t) => Some(Value::Text(format!("{t}\0").into())),
    }
}

/// The next smaller value. A text has none; the one given here is so close that only texts with
/// U+10FFFF, which stands for no character, could lie in between.
fn predecessor(value: Value) -> Option<Value> {
    match value {
        Value::Number(n) => n.checked_sub(1).map(Value::Number),
        Value::Text(t) => {
            let mut chars = t.chars();
            let last = chars.next_back()?;
            let mut text = chars.as_str().to_owned();
            // The range knows that surrogates are no characters.
            if let Some(before) = ('\0'..last).next_back() {
                text.push(before);
                text.extend([char::MAX; 4]);
            }
            Some(Value::Text(text.into()))
        }
    }
}

fn wrong(error: EncodeError) -> Error {
    Error::bad_request(format!("where: {error}"))
}
