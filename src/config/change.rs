//! Changing the configuration's file while the server runs: comments stay, all of it or nothing.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::{Map, Value};

use super::{Config, MASK, SECRETS};
use crate::base::nearest::nearest;
use crate::resource::document::{self, Format, ParseError};

/// Values that differ from those that hold.
#[derive(Debug)]
pub struct Changes {
    /// Nested mappings that hold only these.
    values: Value,
    /// JSON pointers, as in `/limits/body`.
    pub keys: Vec<String>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("the body must be a JSON object with the keys to change, as GET gives them")]
    NoKeys,
    #[error("unknown key {key:?}{}", .nearest.as_ref().map(|n| format!("; did you mean {n:?}?")).unwrap_or_default())]
    Unknown { key: String, nearest: Option<String>, valid: Vec<String> },
    #[error("{section}/ClientSecret has to be given anew with another token-url or ClientID")]
    Secret { section: String },
    /// What the changed file would say is no configuration.
    #[error("{0}")]
    Senseless(String),
    #[error("the configuration file cannot be read: {}, line {}, column {}", .0.message, .0.line, .0.column)]
    Unreadable(ParseError),
    #[error("the configuration file cannot be changed")]
    File(#[from] io::Error),
}

impl Config {
    /// What of a posted configuration differs from this one; a masked secret does not.
    pub fn changes(&self, posted: &Value) -> Result<Changes, ChangeError> {
        let mut changes = Changes { values: Value::Null, keys: Vec::new() };
        changes.collect(posted, &self.shown(), "")?;
        changes.refuse_theft(self)?;
        Ok(changes)
    }
}

impl Changes {
    fn collect(&mut self, posted: &Value, old: &Value, at: &str) -> Result<(), ChangeError> {
        let members = posted.as_object().filter(|members| !at.is_empty() || !members.is_empty());
        let (Some(members), Some(known)) = (members, old.as_object()) else { return Err(ChangeError::NoKeys) };
        for (key, value) in members {
            let pointer = format!("{at}/{key}");
            let Some(before) = known.get(key) else {
                return Err(ChangeError::Unknown {
                    key: pointer[1..].to_owned(),
                    nearest: nearest(key, known.keys().map(String::as_str)).map(str::to_owned),
                    valid: known.keys().cloned().collect(),
                });
            };
            let is_kept = value == before || (SECRETS.contains(&pointer.as_str()) && value == MASK);
            if before.is_object() {
                self.collect(value, before, &pointer)?;
            } else if !is_kept {
                set(&mut self.values, &pointer, value.clone());
                self.keys.push(pointer);
            }
        }
        Ok(())
    }

    /// A masked secret does not go to another address, or with another name, than it was given for.
    fn refuse_theft(&self, config: &Config) -> Result<(), ChangeError> {
        let authentication = &config.authentication;
        for (section, secret) in [
            ("/authentication", &authentication.client_secret),
            ("/authentication/provider", &authentication.provider.client_secret),
        ] {
            let is_changed = |key: &str| self.keys.iter().any(|pointer| *pointer == format!("{section}/{key}"));
            if !secret.is_empty() && (is_changed("token-url") || is_changed("ClientID")) && !is_changed("ClientSecret")
            {
                return Err(ChangeError::Secret { section: section[1..].to_owned() });
            }
        }
        Ok(())
    }

    /// Changes the file, and says what it means then. Blocking.
    pub fn apply(&self, file: &Path) -> Result<Config, ChangeError> {
        let text = fs::read_to_string(file)?;
        let mut whole = document::parse(Format::Yaml, text.as_bytes()).map_err(ChangeError::Unreadable)?;
        lay_over(&mut whole, &self.values);
        let new = match document::edit(Format::Yaml, &text, &whole) {
            Ok(new) => new,
            Err(_) => document::render(Format::Yaml, &whole),
        };
        let config = Config::of_text(Some(file.to_owned()), &new).map_err(|error| {
            // The message names the file: where it is, is not the client's business.
            ChangeError::Senseless(causes(&error).replace(&file.display().to_string(), "config.yaml"))
        })?;
        store(file, &new)?;
        Ok(config)
    }
}

/// Puts a value at a pointer, making the mappings on the way.
fn set(target: &mut Value, pointer: &str, value: Value) {
    let slot = pointer.split('/').skip(1).fold(target, |at, key| {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        &mut at[key]
    });
    *slot = value;
}

fn lay_over(base: &mut Value, over: &Value) {
    let Value::Object(over) = over else {
        *base = over.clone();
        return;
    };
    if !base.is_object() {
        *base = Value::Object(Map::new());
    }
    for (key, value) in over {
        if value.is_object() {
            lay_over(&mut base[key], value);
        } else {
            base[key] = value.clone();
        }
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

/// Replaces the file, keeping who may read it.
fn store(file: &Path, text: &str) -> io::Result<()> {
    let file = fs::canonicalize(file)?;
    let folder = file.parent().ok_or(io::ErrorKind::NotFound)?;
    let mut unfinished = tempfile::NamedTempFile::new_in(folder)?;
    unfinished.write_all(text.as_bytes())?;
    unfinished.as_file().set_permissions(fs::metadata(&file)?.permissions())?;
    unfinished.as_file().sync_all()?;
    unfinished.persist(&file)?;
    fs::File::open(folder)?.sync_all()
}
