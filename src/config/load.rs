//! From the file and the environment to a [`Config`].

use std::path::{Path, PathBuf};

use serde_yaml::{Mapping, Value};

use super::Config;
use crate::base::nearest::nearest;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {}", .file.display())]
    Read {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{origin} is not valid YAML")]
    Yaml {
        origin: String,
        #[source]
        source: serde_yaml::Error,
    },
    #[error("{origin} has the unknown key {key:?}{}", .nearest.as_ref().map(|n| format!("; did you mean {n:?}?")).unwrap_or_default())]
    Unknown { origin: String, key: String, nearest: Option<String> },
    #[error("{origin}: {key} must be {wanted}")]
    Shape { origin: String, key: String, wanted: &'static str },
    #[error("{}{key} is {value:?}: {wanted}", if origin.is_empty() { String::new() } else { format!("{origin}: ") })]
    Senseless { origin: String, key: &'static str, value: String, wanted: &'static str },
    #[error("the configuration does not fit: {0}")]
    Value(#[source] serde_yaml::Error),
}

/// The file that holds every key with its default is itself the definition of both.
const DEFAULTS: &str = include_str!("../../config.yaml");

impl Config {
    /// Defaults, then the file (`config.yaml` in the working directory when none is named and it
    /// exists), then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, Error> {
        let found = match file {
            Some(file) => Some(file.to_owned()),
            None => Some(PathBuf::from("config.yaml")).filter(|file| file.exists()),
        };
        let text = match &found {
            Some(file) => std::fs::read_to_string(file).map_err(|source| Error::Read { file: file.clone(), source })?,
            None => String::new(),
        };
        Self::of_text(found, &text)
    }

    /// As [`Config::load`], of the text that the file holds or is to hold.
    pub fn of_text(found: Option<PathBuf>, text: &str) -> Result<Self, Error> {
        let origin = found.as_ref().map_or_else(String::new, |file| file.display().to_string());
        let base = found.as_ref().and_then(|file| file.parent()).unwrap_or(Path::new("")).to_owned();
        // Variables that are not UTF-8 are none of ours.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with(PREFIX));
        let mut config = Self::read(&origin, text, environment)?;
        config.workspaces_location = base.join(&config.workspaces_location);
        for folder in &mut config.templates {
            *folder = base.join(&*folder);
        }
        config.outside.ca_file = config.outside.ca_file.map(|file| base.join(file));
        config.file = found;
        Ok(config)
    }

    /// As [`Config::load`], of a text and variables; paths stay as written.
    fn read(origin: &str, text: &str, environment: impl Iterator<Item = (String, String)>) -> Result<Self, Error> {
        let yaml = |origin: &str, text: &str| {
            serde_yaml::from_str::<Value>(text).map_err(|source| Error::Yaml { origin: origin.to_owned(), source })
        };
        let mut merged = yaml("the built-in config.yaml", DEFAULTS)?;
        match yaml(origin, text)? {
            Value::Null => {}
            Value::Mapping(over) => merge(origin, "", &mut merged, over)?,
            _ => return Err(Error::Shape { origin: origin.into(), key: "it".into(), wanted: "a mapping of keys" }),
        }
        for (name, text) in environment {
            // Those of the test suite are not settings.
            if name == "WORKLEAF_REFERENCE_DATA" {
                continue;
            }
            let path = name[PREFIX.len()..].to_ascii_lowercase().replace("__", ".").replace('_', "-");
            let value = yaml(&name, &text)?;
            let path = spelled(&merged, &path);
            let over = path
                .rsplit('.')
                .fold(value, |inner, key| Value::Mapping(Mapping::from_iter([(Value::String(key.to_owned()), inner)])));
            if let Value::Mapping(over) = over {
                merge(&name, "", &mut merged, over)?;
            }
        }
        let config: Config = serde_yaml::from_value(merged).map_err(Error::Value)?;
        config.refuse_senseless(origin)?;
        Ok(config)
    }
}

/// A dotted key as the defaults spell it, which may have capitals: variables have none to tell.
fn spelled(defaults: &Value, path: &str) -> String {
    let mut at = Some(defaults);
    let spelled = path.split('.').map(|part| {
        let entry = at.and_then(Value::as_mapping).and_then(|keys| {
            keys.iter()
                .find_map(|(key, value)| Some((key.as_str()?, value)).filter(|(key, _)| key.eq_ignore_ascii_case(part)))
        });
        at = entry.map(|(_, value)| value);
        entry.map_or(part, |(key, _)| key)
    });
    spelled.collect::<Vec<_>>().join(".")
}

const PREFIX: &str = "WORKLEAF_";

/// Lays `over` over `base`, which knows every key there is.
fn merge(origin: &str, path: &str, base: &mut Value, over: Mapping) -> Result<(), Error> {
    let Value::Mapping(base) = base else { return Ok(()) };
    for (key, value) in over {
        let name = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
        let dotted = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let Some(slot) = base.get_mut(&key) else {
            let nearest = nearest(&name, base.keys().filter_map(Value::as_str)).map(str::to_owned);
            return Err(Error::Unknown { origin: origin.to_owned(), key: dotted, nearest });
        };
        match (slot, value) {
            (slot @ Value::Mapping(_), Value::Mapping(over)) => merge(origin, &dotted, slot, over)?,
            (Value::Mapping(_), Value::Null) => {}
            (Value::Mapping(_), _) => {
                return Err(Error::Shape { origin: origin.to_owned(), key: dotted, wanted: "a section of keys" });
            }
            (slot, value) => *slot = value,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, Error> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read("config.yaml", text, environment)
    }

    #[test]
    fn the_file_overrides_the_defaults_and_the_environment_both() {
        let plain = read("", &[]).unwrap();
        assert_eq!(plain.listen, "127.0.0.1:5000");
        let config = read(
            "limits: {body: 5}\nlisten: a:1",
            &[("WORKLEAF_LISTEN", "b:2"), ("WORKLEAF_LIMITS__REQUEST_TIMEOUT", "7")],
        )
        .unwrap();
        assert_eq!((config.limits.body, config.limits.request_timeout, config.listen.as_str()), (5, 7, "b:2"));
        assert_eq!(config.limits.changes, plain.limits.changes);
        let config = read(
            "",
            &[("WORKLEAF_AUTHENTICATION__CLIENTID", "x"), ("WORKLEAF_SESSION__SECRETKEY", "0123456789abcdef")],
        )
        .unwrap();
        assert_eq!(
            (config.authentication.client_id.as_str(), config.session.secret_key.as_str()),
            ("x", "0123456789abcdef")
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_nearest() {
        let text = |e: Error| e.to_string();
        assert_eq!(
            text(read("limits: {boddy: 5}", &[]).unwrap_err()),
            r#"config.yaml has the unknown key "limits.boddy"; did you mean "body"?"#
        );
        assert_eq!(
            text(read("", &[("WORKLEAF_LISTN", "x")]).unwrap_err()),
            r#"WORKLEAF_LISTN has the unknown key "listn"; did you mean "listen"?"#
        );
        assert!(read("limits: 3", &[]).is_err());
        assert!(read("- a", &[]).is_err());
        assert!(read("limits: {body: many}", &[]).is_err());
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        for key in ["body", "request-timeout", "changes"] {
            let error = read(&format!("limits: {{{key}: 0}}"), &[]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("config.yaml: limits.{key} is \"0\": ")), "{error}");
            assert!(read(&format!("limits: {{{key}: 1}}"), &[]).is_ok());
        }
        assert!(read("", &[("WORKLEAF_LIMITS__BODY", "0")]).is_err());
        // Nothing kept in memory is slow, not senseless.
        assert!(read("cache: {documents: 0}", &[]).is_ok());
    }
}
