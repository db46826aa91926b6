//! Virtual links and the connection points they join.

use std::collections::{HashMap, HashSet};

use super::{Findings, quoted};
use crate::base::nearest::nearest;
use crate::dialect::editor::topology::{End, Lost, Topology};

pub(super) fn check(topology: &Topology, findings: &mut Findings) {
    duplicates(topology, findings);
    let mut joined: HashSet<End> = HashSet::new();
    let mut groups = Groups::new(topology);
    for link in &topology.links {
        let mut ends = Vec::new();
        for (at, reference) in link.references.iter().enumerate() {
            let pointer = format!("{}/connection_points_reference/{at}", link.pointer);
            match topology.resolve(reference) {
                Ok(end) if at < 1_000 && ends.contains(&end) => {
                    findings.warning("duplicate-reference", pointer, || {
                        format!("the link {} names {} twice", quoted(&link.id), quoted(reference))
                    });
                }
                Ok(end) => ends.push(end),
                Err(lost) => findings.error("unknown-point", pointer, || unknown(topology, reference, lost)),
            }
        }
        count(&link.connectivity, link.references.len(), &link.id, &link.pointer, findings);
        for pair in ends.windows(2) {
            groups.join(pair[0], pair[1]);
        }
        joined.extend(ends);
    }
    unused(topology, &joined, findings);
    if !topology.links.is_empty() {
        apart(topology, &joined, &mut groups, findings);
    }
}

/// Words about a reference that names nothing.
pub(super) fn unknown(topology: &Topology, reference: &str, lost: Lost) -> String {
    let shown = quoted(reference);
    let (why, known): (String, Vec<String>) = match lost {
        Lost::NoPart => {
            let why =
                format!("{shown} is no connection point of the service, nor vnf_id:point of one of its functions");
            let ids = topology.parts.iter().map(|part| &part.id);
            (why, topology.points.iter().map(|point| &point.id).chain(ids).take(100).cloned().collect())
        }
        Lost::NoPort(part) => {
            let part = &topology.parts[part];
            let why = format!("{} has no connection point as in {shown}", quoted(&part.id));
            (why, part.ports.iter().take(100).map(|port| format!("{}:{port}", part.id)).collect())
        }
    };
    let is_short = reference.len() <= 100;
    let meant = is_short.then(|| {
        let part = reference.split_once(':');
        let direct = nearest(reference, known.iter().map(String::as_str)).map(str::to_owned);
        // Of `fv:input` only the first half is misspelt.
        let half = || {
            let (part, rest) = part?;
            nearest(part, known.iter().map(String::as_str)).map(|meant| format!("{meant}:{rest}"))
        };
        direct.or_else(half)
    });
    match meant.flatten() {
        Some(meant) => format!("{why}: did you mean {}?", quoted(&meant)),
        None => why,
    }
}

fn duplicates(topology: &Topology, findings: &mut Findings) {
    let points = topology.points.iter().map(|point| (&point.id, &point.pointer, "connection point"));
    let links = topology.links.iter().map(|link| (&link.id, &link.pointer, "virtual link"));
    let mut seen: HashMap<(&str, &str), &str> = HashMap::new();
    for (id, pointer, what) in points.chain(links) {
        match seen.get(&(what, id)) {
            Some(first) => findings.error("duplicate-id", format!("{pointer}/id"), || {
                format!("the {what} {} is there already, at {first}", quoted(id))
            }),
            None => {
                seen.insert((what, id), pointer);
            }
        }
    }
}

fn count(connectivity: &str, points: usize, id: &str, pointer: &str, findings: &mut Findings) {
    let pointer = || format!("{pointer}/connection_points_reference");
    match (connectivity, points) {
        ("E-Line", 2) => {}
        ("E-Line", _) => findings.error("link-points", pointer(), || {
            format!("the E-Line {} joins {points} points: it takes exactly two", quoted(id))
        }),
        (_, 0) => findings.note("link-points", pointer(), || format!("the link {} joins nothing yet", quoted(id))),
        (_, 1) => findings.note("link-points", pointer(), || {
            format!("the link {} has one point only, so it joins nothing", quoted(id))
        }),
        _ => {}
    }
}

fn unused(topology: &Topology, joined: &HashSet<End>, findings: &mut Findings) {
    for (at, point) in topology.points.iter().enumerate() {
        if !joined.contains(&End::Own(at)) {
            findings.note("unused-point", point.pointer.clone(), || {
                format!("the connection point {} is in no virtual link", quoted(&point.id))
            });
        }
    }
    for (at, part) in topology.parts.iter().enumerate() {
        let unused: Vec<&str> = part
            .ports
            .iter()
            .enumerate()
            .filter(|(port, _)| !joined.contains(&End::Port(at, *port)))
            .map(|(_, name)| &**name)
            .collect();
        if !part.ports.is_empty() && unused.len() == part.ports.len() {
            findings
                .note("isolated", part.pointer.clone(), || format!("no virtual link leads to {}", quoted(&part.id)));
        } else if !unused.is_empty() {
            findings.note("unused-point", part.pointer.clone(), || {
                let shown: Vec<String> = unused.iter().take(8).map(|port| quoted(port)).collect();
                format!("{} has connection points in no virtual link: {}", quoted(&part.id), shown.join(", "))
            });
        }
    }
}

/// Says once when the linked things fall apart into several networks.
fn apart(topology: &Topology, joined: &HashSet<End>, groups: &mut Groups, findings: &mut Findings) {
    let mut roots: HashMap<usize, Vec<String>> = HashMap::new();
    let mut nodes: Vec<End> = joined.iter().copied().collect();
    nodes.sort();
    nodes.dedup_by_key(|end| groups.node(*end));
    for end in nodes {
        let name = end.part().map_or_else(|| topology.name(end), |part| topology.parts[part].id.clone());
        roots.entry(groups.root_of(end)).or_default().push(name);
    }
    if roots.len() > 1 {
        findings.warning("disconnected", "/virtual_links", || {
            let mut shown: Vec<String> =
                roots.into_values().map(|names| names[..names.len().min(4)].join(", ")).collect();
            shown.sort();
            shown.truncate(4);
            format!("the network falls into parts that nothing joins: {}", quoted(&shown.join(" | ")))
        });
    }
}

/// Which parts and own points are joined, however many links it takes.
struct Groups {
    parents: Vec<usize>,
    parts: usize,
}

impl Groups {
    fn new(topology: &Topology) -> Self {
        let parts = topology.parts.len();
        Groups { parents: (0..parts + topology.points.len()).collect(), parts }
    }

    fn node(&self, end: End) -> usize {
        match end {
            End::Own(own) => self.parts + own,
            End::Port(part, _) => part,
        }
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    fn root_of(&mut self, end: End) -> usize {
        let node = self.node(end);
        self.root(node)
    }

    fn join(&mut self, one: End, other: End) {
        let (one, other) = (self.root_of(one), self.root_of(other));
        self.parents[one] = other;
    }
}
