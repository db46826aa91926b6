//! Preconditions (RFC 9110, section 13) as decisions.md 9 spells them.

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};

use crate::engine::Error;
use crate::resource::etag::{Etag, Expected};

/// What a request's preconditions say about a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Neither header was given.
    None,
    Expected(Expected),
    /// `If-Match` holds nothing that any answer of this server ever carried.
    Unreadable,
}

/// Reads `If-Match` (quoted or bare, `*`, lists) and `If-None-Match: *`.
pub fn precondition(headers: &HeaderMap) -> Precondition {
    if text(headers, &IF_NONE_MATCH).is_some_and(|value| value.trim() == "*") {
        return Precondition::Expected(Expected::Absent);
    }
    let Some(value) = text(headers, &IF_MATCH) else { return Precondition::None };
    if value.trim() == "*" {
        return Precondition::Expected(Expected::Present);
    }
    let etags: Vec<Etag> = tags(&value).filter_map(blob).collect();
    if etags.is_empty() { Precondition::Unreadable } else { Precondition::Expected(Expected::At(etags)) }
}

/// What a write to something that exists has to say; [`Error::Unconditional`] when it says nothing.
pub fn expected(headers: &HeaderMap) -> Result<Expected, Error> {
    match precondition(headers) {
        Precondition::None => Err(Error::Unconditional),
        Precondition::Unreadable => Ok(Expected::At(Vec::new())),
        Precondition::Expected(expected) => Ok(expected),
    }
}

/// Whether a reader already has the answer with this `ETag` value.
pub fn is_fresh(headers: &HeaderMap, etag: &str) -> bool {
    let Some(value) = text(headers, &IF_NONE_MATCH) else { return false };
    value.trim() == "*" || tags(&value).any(|tag| tag == etag.trim_matches('"'))
}

/// The header of an answer made of stored bytes.
pub fn stored_etag(etag: Etag) -> String {
    format!("\"{etag}\"")
}

/// The header of a JSON answer: the blob and a checksum over the answer's bytes, which cover its
/// path, violations, times and embeds too.
pub fn answer_etag(etag: Etag, body: &[u8]) -> String {
    format!("\"{etag}.{:08x}\"", crc32fast::hash(body))
}

/// Removes the marks of an entity tag: a weakness prefix and quotes.
fn tags(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(|tag| {
        let tag = tag.trim();
        tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
    })
}

/// The blob that an entity tag speaks of: what stands before the dot.
fn blob(tag: &str) -> Option<Etag> {
    Etag::parse(tag.split('.').next()?)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let first = values.next()?.to_owned();
    Some(values.fold(first, |all, value| all + "," + value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const BLOB: &str = "0123456789abcdef0123456789abcdef01234567";

    fn given(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn if_match_reads_what_the_server_ever_sent() {
        let at = Precondition::Expected(Expected::At(vec![Etag::parse(BLOB).unwrap()]));
        for spelling in [
            BLOB.to_owned(),
            format!("\"{BLOB}\""),
            format!("\"{BLOB}.0a0b0c0d\""),
            format!("W/\"{BLOB}\""),
            format!("\"x\", {BLOB}"),
        ] {
            assert_eq!(precondition(&given(IF_MATCH, &spelling)), at, "{spelling}");
        }
        assert_eq!(precondition(&given(IF_MATCH, "*")), Precondition::Expected(Expected::Present));
        assert_eq!(precondition(&given(IF_MATCH, "\"other\"")), Precondition::Unreadable);
        assert_eq!(precondition(&given(IF_NONE_MATCH, "*")), Precondition::Expected(Expected::Absent));
        assert_eq!(precondition(&HeaderMap::new()), Precondition::None);
    }

    #[test]
    fn if_none_match_compares_whole_tags() {
        let etag = answer_etag(Etag::parse(BLOB).unwrap(), b"body");
        assert!(is_fresh(&given(IF_NONE_MATCH, &etag), &etag));
        assert!(is_fresh(&given(IF_NONE_MATCH, &format!("\"a\", W/{etag}")), &etag));
        assert!(!is_fresh(&given(IF_NONE_MATCH, &format!("\"{BLOB}\"")), &etag));
    }
}
