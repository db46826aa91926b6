//! The descriptors that a service asks for.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{Findings, quoted};
use crate::dialect::editor::topology::{Part, Sort, Topology};

/// A descriptor that a service asks for, as it was found.
#[derive(Debug)]
pub(in crate::dialect::editor) struct Neighbour {
    /// `vendor:name:version`.
    pub(in crate::dialect::editor) uid: String,
    pub(in crate::dialect::editor) descriptor: Value,
    /// Whether it is of the project; else of the workspace's private catalogue.
    pub(in crate::dialect::editor) is_local: bool,
    /// How often it breaks its schema.
    pub(in crate::dialect::editor) violations: usize,
    /// From here over contained services to one that is on the way already: the uids of that
    /// circle, its first one last again.
    pub(in crate::dialect::editor) circle: Option<Vec<String>>,
}

pub(super) fn check(topology: &Topology, neighbours: &[Option<Neighbour>], findings: &mut Findings) {
    let mut ids: HashMap<&str, &str> = HashMap::new();
    for (at, part) in topology.parts.iter().enumerate() {
        let (what, key) = words(part.sort);
        if let Some(first) = ids.get(&*part.id) {
            findings.error("duplicate-id", format!("{}/{key}_id", part.pointer), || {
                format!("{key}_id {} is also that of {first}: references to it are ambiguous", quoted(&part.id))
            });
        } else {
            ids.insert(&part.id, &part.pointer);
        }
        match neighbours.get(at).and_then(Option::as_ref) {
            None => findings.error("unresolved", part.pointer.clone(), || {
                format!(
                    "there is no {what} {} in the project or in the workspace's private catalogue: create or publish it, or change the entry",
                    quoted(&part.wanted.to_string())
                )
            }),
            Some(neighbour) => found(part, what, neighbour, findings),
        }
    }
    unwanted(topology, findings);
}

fn found(part: &Part, what: &str, neighbour: &Neighbour, findings: &mut Findings) {
    if neighbour.violations > 0 {
        findings.error("invalid-reference", part.pointer.clone(), || {
            format!("the {what} {} breaks its schema in {} places", quoted(&neighbour.uid), neighbour.violations)
        });
    }
    if !neighbour.is_local {
        findings.note("from-catalogue", part.pointer.clone(), || {
            format!("the {what} {} is taken from the workspace's private catalogue", quoted(&neighbour.uid))
        });
    }
    if part.ports.is_empty() {
        findings.warning("no-points", part.pointer.clone(), || {
            format!("the {what} {} has no connection points, so nothing can be joined to it", quoted(&neighbour.uid))
        });
    }
    if let Some(circle) = &neighbour.circle {
        findings.error("circle", part.pointer.clone(), || {
            let shown: Vec<&str> = circle.iter().take(8).map(String::as_str).collect();
            format!("services contain themselves: {}", quoted(&shown.join(" → ")))
        });
    }
}

/// One function twice is how a service scales; the same entry twice under one id is reported above.
fn unwanted(topology: &Topology, findings: &mut Findings) {
    let own: HashSet<&str> = topology.points.iter().map(|point| &*point.id).collect();
    for part in &topology.parts {
        let (_, key) = words(part.sort);
        if part.sort == Sort::Function && own.contains(&*part.id) {
            findings.warning("ambiguous-id", format!("{}/{key}_id", part.pointer), || {
                format!("{} is also the id of a connection point of the service", quoted(&part.id))
            });
        }
    }
}

fn words(sort: Sort) -> (&'static str, &'static str) {
    match sort {
        Sort::Function => ("function", "vnf"),
        Sort::Service => ("service", "ns"),
    }
}
