//! Calling a catalogue: addresses, answers, and what failures are to the user.

use std::time::Duration;

use axum::http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::dialect::editor::catalogue::Shelf;
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::topology::text;
use crate::outside::{Answer, Body, Client, Error, Method, Refused, Request};
use crate::resource::document::{self, Format};

/// What a catalogue may take to answer (contracts/editor.md 1.8).
const TIME: Duration = Duration::from_secs(5);
/// Longest piece of another server's answer that is repeated, in characters.
const REPEATED: usize = 300;
/// What may stand unescaped in a part of a path (RFC 3986, unreserved).
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `vendor:name:version`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Uid {
    vendor: String,
    name: String,
    version: String,
}

impl std::fmt::Display for Uid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.vendor, self.name, self.version)
    }
}

impl Uid {
    pub(super) fn parse(text: &str) -> Result<Self, EditorFault> {
        let bad = || EditorFault::bad(format!("'{text}' is no id of a catalogue's: write vendor:name:version"));
        let parts: Vec<&str> = text.split(':').collect();
        let &[vendor, name, version] = &parts[..] else { return Err(bad()) };
        // Dots alone are steps in a path, however they are written.
        if parts.iter().any(|part| part.bytes().all(|b| b == b'.')) {
            return Err(bad());
        }
        let [vendor, name, version] = [vendor, name, version].map(str::to_owned);
        Ok(Uid { vendor, name, version })
    }

    pub(super) fn parts(&self) -> [&str; 3] {
        [&self.vendor, &self.name, &self.version]
    }

    fn of(descriptor: &Value) -> Option<Self> {
        let part = |key: &str| text(&descriptor[key]);
        Some(Uid { vendor: part("vendor")?, name: part("name")?, version: part("version")? })
    }
}

/// A catalogue as one caller may use it.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) client: Client,
    pub(super) base: String,
    pub(super) token: Option<String>,
    pub(super) shelf: Shelf,
}

/// A descriptor of a catalogue's.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) uid: Uid,
    pub(super) descriptor: Value,
}

impl Remote {
    fn all(&self) -> Result<String, EditorFault> {
        if self.base.contains(['?', '#']) {
            return Err(EditorFault::bad(format!(
                "the catalogue's address {} holds a ? or a #: change it in the workspace's configuration",
                self.base
            )));
        }
        Ok(format!("{}/{}", self.base.trim_end_matches('/'), self.shelf.plural()))
    }

    fn one(&self, uid: &Uid) -> Result<String, EditorFault> {
        let part = |text: &str| utf8_percent_encode(text, PART).to_string();
        let (vendor, name, version) = (part(&uid.vendor), part(&uid.name), part(&uid.version));
        Ok(format!("{}/vendor/{vendor}/name/{name}/version/{version}", self.all()?))
    }

    /// All that the catalogue lists; what has no identity is left out.
    pub(super) async fn list(&self) -> Result<Vec<Listed>, EditorFault> {
        let url = self.all()?;
        let answer = self.call(Method::GET, &url, None, &[200]).await?;
        match json(&url, &answer)? {
            Value::Array(items) => Ok(items.into_iter().filter_map(listed).collect()),
            _ => Err(strange(&url, "its answer is no list")),
        }
    }

    pub(super) async fn get(&self, uid: &Uid) -> Result<Listed, EditorFault> {
        let url = self.one(uid)?;
        let answer = self.call(Method::GET, &url, None, &[200]).await.map_err(|fault| named(fault, uid))?;
        listed(json(&url, &answer)?).ok_or_else(|| strange(&url, "its answer is no descriptor"))
    }

    /// Publishes a descriptor; what the catalogue says of it, or else the descriptor itself.
    pub(super) async fn create(&self, descriptor: Value) -> Result<Listed, EditorFault> {
        let url = self.all()?;
        let answer = self.call(Method::POST, &url, Some(&descriptor), &[200, 201]).await?;
        let replied = document::parse(Format::Json, &answer.body).ok().and_then(listed);
        let own = || listed(descriptor).ok_or_else(|| EditorFault::bad("the descriptor lacks vendor, name or version"));
        replied.map_or_else(own, Ok)
    }

    pub(super) async fn update(&self, uid: &Uid, descriptor: &Value) -> Result<(), EditorFault> {
        let url = self.one(uid)?;
        self.call(Method::PUT, &url, Some(descriptor), &[200, 201, 204]).await.map_err(|fault| named(fault, uid))?;
        Ok(())
    }

    pub(super) async fn delete(&self, uid: &Uid) -> Result<(), EditorFault> {
        let url = self.one(uid)?;
        self.call(Method::DELETE, &url, None, &[200, 204]).await.map_err(|fault| named(fault, uid))?;
        Ok(())
    }

    async fn call(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
        expected: &[u16],
    ) -> Result<Answer, EditorFault> {
        let body = body.map(|value| Body { content_type: "application/json".into(), bytes: value.to_string().into() });
        let request = Request { method, url, body, token: self.token.as_deref(), time: Some(TIME) };
        let answer = self.client.send(request).await.map_err(|error| unreachable(url, &error))?;
        if expected.contains(&answer.status) { Ok(answer) } else { Err(unexpected(url, &answer)) }
    }
}

/// A descriptor with its identity. Later editions of the catalogue wrap it.
fn listed(value: Value) -> Option<Listed> {
    let Value::Object(mut members) = value else { return None };
    let wrapped = ["vnfd", "nsd"].into_iter().find(|key| members.get(*key).is_some_and(Value::is_object));
    let descriptor = match wrapped.and_then(|key| members.remove(key)) {
        Some(inner) => inner,
        None => Value::Object(members),
    };
    Some(Listed { uid: Uid::of(&descriptor)?, descriptor })
}

fn json(url: &str, answer: &Answer) -> Result<Value, EditorFault> {
    document::parse(Format::Json, &answer.body).map_err(|_| strange(url, "its answer is no JSON"))
}

fn strange(url: &str, why: &str) -> EditorFault {
    EditorFault::new(StatusCode::BAD_GATEWAY, format!("External service '{url}' is not understood: {why}"))
}

/// What a failed call is to the caller.
pub(super) fn unreachable(url: &str, error: &Error) -> EditorFault {
    let status = match error {
        Error::Refused(Refused::Unknown { .. }) | Error::Unreachable { .. } | Error::TooLong { .. } => {
            StatusCode::BAD_GATEWAY
        }
        Error::Refused(_) => StatusCode::BAD_REQUEST,
        Error::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
    };
    EditorFault::new(status, format!("Could not reach {url}: {error}"))
}

/// What an answer of another status than wanted is to the caller.
fn unexpected(url: &str, answer: &Answer) -> EditorFault {
    let status = match answer.status {
        404 => StatusCode::NOT_FOUND,
        409 => StatusCode::CONFLICT,
        _ => StatusCode::BAD_GATEWAY,
    };
    let hint = match answer.status {
        300..=399 => " (redirects are not followed: give the address that it leads to)",
        401 | 403 => " (it wants credentials: set a token for the catalogue)",
        _ => "",
    };
    let reason = repeated(&answer.body);
    let text = format!(
        "External service '{url}' delivered unexpected status code '{}', reason: {reason}{hint}",
        answer.status
    );
    EditorFault::new(status, text)
}

/// The beginning of another server's answer.
pub(super) fn repeated(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * REPEATED)]);
    text.trim().chars().filter(|c| !c.is_control()).take(REPEATED).collect()
}

/// A 404 about one descriptor says which.
fn named(fault: EditorFault, uid: &Uid) -> EditorFault {
    if fault.status() == StatusCode::NOT_FOUND {
        EditorFault::not_found(format!("the catalogue has no {uid}"))
    } else {
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_three_parts() {
        let uid = Uid::parse("eu.sonata-nfv:a b/../ü:0.1").map(|uid| uid.to_string());
        assert_eq!(uid.ok().as_deref(), Some("eu.sonata-nfv:a b/../ü:0.1"));
        for bad in ["", "a", "a:b", "a:b:c:d", ":b:c", "a::c", "a:b:", "a:..:1", ".:b:1"] {
            assert!(Uid::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parts_of_addresses_are_escaped() {
        let config = crate::config::Outside {
            schemes: vec!["http".into()],
            git_schemes: Vec::new(),
            hosts: Vec::new(),
            timeout: 1,
            ca_file: None,
        };
        let client = Client::new(&config).expect("a client");
        let remote =
            |base: &str| Remote { client: client.clone(), base: base.into(), token: None, shelf: Shelf::Services };
        let uid = Uid::parse("a/b:..%2e?:1#").unwrap_or_else(|_| panic!("it has three parts"));
        let url = remote("http://x/y//").one(&uid).unwrap_or_default();
        assert_eq!(url, "http://x/y/network-services/vendor/a%2Fb/name/..%252e%3F/version/1%23");
        assert!(remote("http://x/?y").all().is_err());
    }
}
