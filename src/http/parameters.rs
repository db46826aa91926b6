//! Query strings: each parameter known, given once.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;

use serde_json::{Value, json};

use crate::engine::Error;

/// The request's query parameters, decoded, in order.
#[derive(Debug, Clone, Default)]
pub struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Parameters::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Parameters {
    pub fn parse(query: &str) -> Self {
        Parameters(form_urlencoded::parse(query.as_bytes()).map(|(k, v)| (k.into_owned(), v.into_owned())).collect())
    }

    /// Refuses names other than these, and names that occur twice.
    pub fn only(&self, valid: &[&str]) -> Result<(), Error> {
        for (at, (name, _)) in self.0.iter().enumerate() {
            if !valid.contains(&name.as_str()) {
                let valid = valid.iter().map(|name| (*name).to_owned()).collect();
                return Err(Error::with_valid(format!("unknown parameter {name:?}"), "valid_parameters", valid));
            }
            if self.0[..at].iter().any(|(other, _)| other == name) {
                return Err(Error::bad_request(format!("the parameter {name:?} is given twice")));
            }
        }
        Ok(())
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `true` or `false`, by default false.
    pub fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Error::bad_request(format!("{name} is {other:?}: write true or false"))),
        }
    }

    /// A whole number of at most `most`.
    pub fn number(&self, name: &str, default: usize, most: usize) -> Result<usize, Error> {
        let Some(text) = self.get(name) else { return Ok(default) };
        match text.parse::<usize>() {
            Ok(number) if number <= most => Ok(number),
            Ok(_) => Err(Error::bad_request(format!("{name} is {text}: at most {most} is possible"))),
            Err(_) => Err(Error::bad_request(format!("{name} is {text:?}: write a whole number from 0 to {most}"))),
        }
    }

    /// `limit` and `offset`.
    pub fn page(&self, limit: usize, most: usize) -> Result<Page, Error> {
        Ok(Page { limit: self.number("limit", limit, most)?, offset: self.number("offset", 0, OFFSET_MOST)? })
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The part of a list that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    pub limit: usize,
    pub offset: usize,
}

impl Page {
    /// This part of a list that is there as a whole.
    pub fn of<'l, T>(&self, whole: &'l [T]) -> impl Iterator<Item = &'l T> + use<'l, T> {
        whole.iter().skip(self.offset).take(self.limit)
    }

    /// `_meta` of an answer; `count` is of the whole list.
    pub fn meta(&self, count: usize) -> Value {
        json!({ "count": count, "limit": self.limit, "offset": self.offset })
    }
}

/// Limits of every list.
pub const LIMIT: usize = 20;
pub const LIMIT_MOST: usize = 1_000;
pub const OFFSET_MOST: usize = 1_000_000_000;

/// Splits at a character outside double quotes.
pub fn split(text: &str, at: char) -> Result<Vec<&str>, Error> {
    let mut parts = Vec::new();
    let mut quoted = false;
    let mut start = 0;
    for (index, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == at && !quoted {
            parts.push(&text[start..index]);
            start = index + 1;
        }
    }
    if quoted {
        return Err(Error::bad_request("where: a double quote is not closed; write two for one inside quotes"));
    }
    parts.push(&text[start..]);
    Ok(parts)
}

/// A value without its quotes; inside them two quotes mean one.
pub fn unquoted(text: &str) -> String {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => text.to_owned(),
    }
}
