//! JSON Schemas of a kind, compiled once, and which of them applies in a workspace.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::resource::key::FilePath;
use crate::resource::kind::pointer::{Pointer, escape};

/// One generation of a kind's schema.
#[derive(Debug)]
pub struct Schema {
    pub name: String,
    pub json: Value,
    validator: Validator,
}

/// Steps that a backtracking pattern may take on one text.
const BACKTRACK_LIMIT: usize = 20_000;

impl Schema {
    /// Compiles a schema; its draft is what `$schema` says, by default 2020-12.
    ///
    /// Patterns run on an engine that takes linear time; a schema that needs look-around or
    /// back-references gets the backtracking one with a limit. The text says what is wrong.
    pub(super) fn compile(name: String, json: Value) -> Result<Self, String> {
        if !json.is_object() {
            return Err("is not a JSON Schema: it must be an object".into());
        }
        only_local(&json, &mut String::new())?;
        let options = jsonschema::options().offline().should_validate_formats(true);
        let linear = options.clone().with_pattern_options(PatternOptions::regex()).build(&json);
        let backtracking = PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT);
        let validator =
            linear.or_else(|_| options.with_pattern_options(backtracking).build(&json)).map_err(|error| {
                let at = error.instance_path().as_str();
                let place = if at.is_empty() { String::new() } else { format!(" at {at}") };
                format!("is not a valid JSON Schema{place}: {error}")
            })?;
        Ok(Schema { name, json, validator })
    }

    pub(in crate::resource) fn validator(&self) -> &Validator {
        &self.validator
    }
}

/// Refuses references that leave the file, wherever they stand but in sample values.
fn only_local(value: &Value, at: &mut String) -> Result<(), String> {
    let before = at.len();
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if let ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(target)) = (key.as_str(), inner)
                    && !target.starts_with('#')
                {
                    return Err(format!(
                        "{at}/{key} is {target:?}: only references inside the schema (#/...) are followed"
                    ));
                }
                if matches!(key.as_str(), "const" | "enum" | "default" | "examples") && !at.ends_with("/properties") {
                    continue;
                }
                at.push('/');
                at.push_str(&escape(key));
                only_local(inner, at)?;
                at.truncate(before);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                at.push_str(&format!("/{index}"));
                only_local(inner, at)?;
                at.truncate(before);
            }
        }
        _ => {}
    }
    Ok(())
}

/// How a workspace says which generation of the schema its documents follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// The file in the workspace that says so.
    pub file: FilePath,
    /// Where in that file.
    pub key: Pointer,
    /// The generation without such a file, key, or usable value.
    pub default: usize,
}

/// The generation that a value names: its position or its name.
pub(super) fn generation(names: &[&str], value: &Value) -> Option<usize> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|at| *at < names.len()),
        Value::String(text) => names
            .iter()
            .position(|name| name == text)
            .or_else(|| text.trim().parse().ok().filter(|at| *at < names.len())),
        _ => None,
    }
}
