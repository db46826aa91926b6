//! Alternatives: of a failed `oneOf` or `anyOf`, what the author most likely meant.

use std::cmp::Reverse;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Rule;
use serde_json::Value;

use crate::resource::check::message::{choice, describe, found, name_of, shown, type_names};

/// Pointer and message of everything that one error stands for.
pub(super) fn findings(error: &ValidationError<'_>, schema: &Value, out: &mut Vec<(String, String)>) {
    match error.kind() {
        Rule::AnyOf { context } | Rule::OneOfNotValid { context } => {
            let at = error.instance_path().as_str();
            if let Some(message) = common(error, context) {
                out.push((at.to_owned(), format!("{}{message}", name_of(error.instance_path()))));
            } else if let Some(best) = context.iter().filter(|branch| !branch.is_empty()).min_by_key(|b| cost(b, at)) {
                for inner in best {
                    findings(inner, schema, out);
                }
            } else {
                describe(error, schema, out);
            }
        }
        _ => describe(error, schema, out),
    }
}

/// How far a branch is from fitting: whether it wants another type altogether, how many things
/// are wrong, how many of them are values that tell branches apart, and how deep it got.
fn cost(branch: &[ValidationError<'static>], at: &str) -> (bool, usize, usize, Reverse<usize>) {
    let other_type = branch.iter().any(|e| matches!(e.kind(), Rule::Type { .. }) && e.instance_path().as_str() == at);
    let wrong = branch.iter().map(weight).sum();
    let telling = branch.iter().filter(|e| matches!(e.kind(), Rule::Constant { .. } | Rule::Enum { .. })).count();
    let depth = branch.iter().map(|e| e.instance_path().iter().len()).max().unwrap_or(0);
    (other_type, wrong, telling, Reverse(depth))
}

fn weight(error: &ValidationError<'_>) -> usize {
    match error.kind() {
        Rule::AdditionalProperties { unexpected } | Rule::UnevaluatedProperties { unexpected } => unexpected.len(),
        Rule::AnyOf { context } | Rule::OneOfNotValid { context } => {
            context.iter().map(|branch| branch.iter().map(weight).sum()).min().unwrap_or(1)
        }
        _ => 1,
    }
}

/// One message for branches that fail alike: other types, other values, other missing keys.
fn common(error: &ValidationError<'_>, branches: &[Vec<ValidationError<'static>>]) -> Option<String> {
    let at = error.instance_path().as_str();
    let mut types: Vec<String> = Vec::new();
    let mut values: Vec<String> = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    for branch in branches {
        let [only] = branch.as_slice() else { return None };
        if only.instance_path().as_str() != at {
            return None;
        }
        match only.kind() {
            Rule::Type { kind } => types.extend(type_names(kind)),
            Rule::Constant { expected_value } => values.push(shown(expected_value)),
            Rule::Enum { options } => values.extend(options.as_array().into_iter().flatten().map(shown)),
            Rule::Required { property } => missing.push(shown(property)),
            _ => return None,
        }
    }
    let found = found(error.instance());
    match (types.is_empty(), values.is_empty(), missing.is_empty()) {
        (false, true, true) => Some(format!("must be {}, found {found}", choice(&types))),
        (true, false, true) => Some(format!("must be {}, found {found}", choice(&values))),
        (true, true, false) => Some(format!("missing {}", choice(&missing))),
        _ => None,
    }
}
