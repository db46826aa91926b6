//! What is wrong with a service's network: references without a descriptor, links without a point,
//! paths that go nowhere (issue 5; the rules are those of the SDK's validator and a few more).

mod links;
mod paths;
mod references;

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::topology::Topology;
use crate::resource::check::Violation;
use crate::resource::document::{Format, positions};

pub(super) use references::Neighbour;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// The service cannot be deployed so.
    Error,
    /// It probably does not do what was meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// Something to say about one place of the descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// A stable word for programs.
    pub(super) code: &'static str,
    /// JSON pointer (RFC 6901).
    pub(super) pointer: String,
    pub(super) message: String,
}

/// Most findings of one answer.
const MOST: usize = 200;

/// Findings as they are made; those beyond the limit are counted only.
#[derive(Debug, Default)]
struct Findings {
    list: Vec<Finding>,
    /// Errors, warnings, notes.
    counts: [usize; 3],
}

impl Findings {
    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        pointer: impl Into<String>,
        message: impl FnOnce() -> String,
    ) {
        self.counts[severity as usize] += 1;
        if self.list.len() < 4 * MOST {
            self.list.push(Finding { severity, code, pointer: pointer.into(), message: message() });
        }
    }

    fn error(&mut self, code: &'static str, pointer: impl Into<String>, message: impl FnOnce() -> String) {
        self.add(Severity::Error, code, pointer, message);
    }

    fn warning(&mut self, code: &'static str, pointer: impl Into<String>, message: impl FnOnce() -> String) {
        self.add(Severity::Warning, code, pointer, message);
    }

    fn note(&mut self, code: &'static str, pointer: impl Into<String>, message: impl FnOnce() -> String) {
        self.add(Severity::Note, code, pointer, message);
    }
}

/// A service with what it refers to.
pub(super) struct Subject<'a> {
    pub(super) descriptor: &'a Value,
    /// The stored text.
    pub(super) text: &'a str,
    pub(super) format: Format,
    /// How it breaks its schema.
    pub(super) violations: &'a [Violation],
    /// The descriptors it asks for, in the order of [`super::topology::wanted`].
    pub(super) neighbours: &'a [Option<Neighbour>],
}

/// `{"valid", "errors", "warnings", "notes", "findings": [{severity, code, pointer, line, column,
/// message}]}`, ordered by place; valid is what has no errors.
pub(super) fn check(subject: &Subject<'_>) -> Value {
    let findings = found(subject);
    let [errors, warnings, notes] = findings.counts;
    let positions = positions(subject.format, subject.text);
    let mut placed: Vec<((u32, u32), Finding)> =
        findings.list.into_iter().map(|finding| (positions.locate(&finding.pointer), finding)).collect();
    // The worst where not all are shown.
    placed.sort_by_key(|(_, finding)| finding.severity);
    placed.truncate(MOST);
    placed.sort_by(|(at, a), (other, b)| {
        (at, a.severity, &a.pointer, &a.message).cmp(&(other, b.severity, &b.pointer, &b.message))
    });
    let shown = placed.iter().map(|((line, column), finding)| {
        json!({
            "severity": finding.severity.name(),
            "code": finding.code,
            "pointer": finding.pointer,
            "line": line,
            "column": column,
            "message": finding.message,
        })
    });
    json!({
        "valid": errors == 0,
        "errors": errors,
        "warnings": warnings,
        "notes": notes,
        "findings": shown.collect::<Vec<Value>>(),
    })
}

fn found(subject: &Subject<'_>) -> Findings {
    let topology = Topology::read(subject.descriptor, |part| {
        subject.neighbours.get(part)?.as_ref().map(|neighbour| &neighbour.descriptor)
    });
    let mut findings = Findings::default();
    for violation in subject.violations {
        findings.error("schema", violation.pointer.clone(), || violation.message.clone());
    }
    references::check(&topology, subject.neighbours, &mut findings);
    links::check(&topology, &mut findings);
    paths::check(&topology, subject.descriptor, &mut findings);
    findings
}

/// A text of somebody's as messages quote it.
fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}
