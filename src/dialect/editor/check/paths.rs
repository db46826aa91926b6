//! Forwarding graphs and their paths.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{Findings, links, quoted};
use crate::dialect::editor::topology::{End, Graph, Path, Stop, Topology};

pub(super) fn check(topology: &Topology, descriptor: &Value, findings: &mut Findings) {
    let links = Links::new(topology);
    let mut ids: HashMap<&str, &str> = HashMap::new();
    for graph in &topology.graphs {
        if let Some(first) = ids.insert(&graph.id, &graph.pointer) {
            findings.error("duplicate-id", format!("{}/fg_id", graph.pointer), || {
                format!("the forwarding graph {} is there already, at {first}", quoted(&graph.id))
            });
        }
        let mut used = Used::default();
        let mut names: HashSet<&str> = HashSet::new();
        for path in &graph.paths {
            if !names.insert(&path.id) {
                findings.error("duplicate-id", format!("{}/fp_id", path.pointer), || {
                    format!("the forwarding path {} is in this graph already", quoted(&path.id))
                });
            }
            one(topology, &links, path, &mut used, findings);
        }
        // A pointer of ours leads there.
        let entry = descriptor.pointer(&graph.pointer).unwrap_or(&Value::Null);
        declared(topology, &links, graph, entry, &used, findings);
    }
}

/// What the paths of a graph go over.
#[derive(Default)]
struct Used {
    links: HashSet<usize>,
    parts: HashSet<usize>,
    /// First and last points.
    ends: HashSet<End>,
    /// Whether some path could not be followed to its end.
    is_broken: bool,
}

/// Which links a point is in.
struct Links {
    of: HashMap<End, Vec<usize>>,
    by_id: HashMap<String, usize>,
}

impl Links {
    fn new(topology: &Topology) -> Self {
        let mut of: HashMap<End, Vec<usize>> = HashMap::new();
        for (at, link) in topology.links.iter().enumerate() {
            for end in link.references.iter().filter_map(|reference| topology.resolve(reference).ok()) {
                let links = of.entry(end).or_default();
                if links.last() != Some(&at) {
                    links.push(at);
                }
            }
        }
        Links { of, by_id: topology.links.iter().enumerate().map(|(at, link)| (link.id.clone(), at)).collect() }
    }

    /// The first link that both points are in. Both lists ascend.
    fn between(&self, one: End, other: End) -> Option<usize> {
        let (mut ones, mut others) = (self.of.get(&one)?.iter().peekable(), self.of.get(&other)?.iter().peekable());
        while let (Some(a), Some(b)) = (ones.peek(), others.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Equal => return Some(**a),
                std::cmp::Ordering::Less => ones.next(),
                std::cmp::Ordering::Greater => others.next(),
            };
        }
        None
    }
}

fn one(topology: &Topology, links: &Links, path: &Path, used: &mut Used, findings: &mut Findings) {
    positions(path, findings);
    let stops = path.in_order();
    if stops.len() < 2 {
        findings.warning("short-path", path.pointer.clone(), || {
            format!("the path {} has {} points: it takes at least two to lead anywhere", quoted(&path.id), stops.len())
        });
    }
    let ends: Vec<(&Stop, Option<End>)> = stops
        .into_iter()
        .map(|stop| match topology.resolve(&stop.reference) {
            Ok(end) => (stop, Some(end)),
            Err(lost) => {
                findings.error("unknown-point", format!("{}/connection_point_ref", stop.pointer), || {
                    links::unknown(topology, &stop.reference, lost)
                });
                (stop, None)
            }
        })
        .collect();
    used.is_broken |= ends.iter().any(|(_, end)| end.is_none());
    used.ends.extend(ends.first().and_then(|(_, end)| *end));
    used.ends.extend(ends.last().and_then(|(_, end)| *end));
    for (_, end) in &ends {
        used.parts.extend(end.and_then(End::part));
    }
    for pair in ends.windows(2) {
        let [(_, Some(one)), (stop, Some(other))] = *pair else { continue };
        match links.between(one, other) {
            Some(link) => {
                used.links.insert(link);
            }
            None if one.part().is_some() && one.part() == other.part() => {}
            None => {
                used.is_broken = true;
                findings.error("broken-path", stop.pointer.clone(), || {
                    format!(
                        "the path {} cannot go from {} to {}: no virtual link joins them",
                        quoted(&path.id),
                        quoted(&topology.name(one)),
                        quoted(&topology.name(other))
                    )
                });
            }
        }
    }
    rounds(topology, path, &ends, findings);
    if ends.len() % 2 == 1 && ends.len() > 2 {
        findings.warning("odd-path", path.pointer.clone(), || {
            format!(
                "the path {} has an odd number of points, {}: the SDK takes them in pairs, each joined by a link",
                quoted(&path.id),
                ends.len()
            )
        });
    }
}

fn positions(path: &Path, findings: &mut Findings) {
    let mut seen: HashMap<i64, &str> = HashMap::new();
    for stop in &path.stops {
        let Some(position) = stop.position else {
            findings.warning("no-position", stop.pointer.clone(), || {
                format!("{} has no position: it is taken to come last", quoted(&stop.reference))
            });
            continue;
        };
        if let Some(first) = seen.insert(position, &stop.pointer) {
            findings.error("duplicate-position", format!("{}/position", stop.pointer), || {
                format!("position {position} is taken already, at {first}: the order is not clear")
            });
        }
    }
    let mut given: Vec<i64> = seen.into_keys().collect();
    given.sort_unstable();
    if let Some(gap) = given.windows(2).find(|pair| pair[1].checked_sub(pair[0]) != Some(1)) {
        findings.warning("position-gap", path.pointer.clone(), || {
            format!("the path {} has no position between {} and {}", quoted(&path.id), gap[0], gap[1])
        });
    }
    if given.first().is_some_and(|first| !(0..=1).contains(first)) {
        findings.note("position-start", path.pointer.clone(), || {
            format!("the path {} starts at position {}, not at 1", quoted(&path.id), given[0])
        });
    }
}

/// Says when a path comes back to where it was.
fn rounds(topology: &Topology, path: &Path, ends: &[(&Stop, Option<End>)], findings: &mut Findings) {
    let mut seen: HashSet<End> = HashSet::new();
    let mut last = None;
    for (stop, end) in ends {
        let Some(end) = *end else { continue };
        let here = end.part().map_or(end, |part| End::Port(part, 0));
        if last == Some(here) {
            continue;
        }
        last = Some(here);
        if !seen.insert(here) {
            findings.warning("round", stop.pointer.clone(), || {
                let name = end.part().map_or_else(|| topology.name(end), |part| topology.parts[part].id.clone());
                format!("the path {} comes back to {}", quoted(&path.id), quoted(&name))
            });
            return;
        }
    }
}

/// Holds what a graph says of itself against its paths.
fn declared(topology: &Topology, links: &Links, graph: &Graph, entry: &Value, used: &Used, findings: &mut Findings) {
    let constituents = |key: &'static str| {
        let items = entry[key].as_array().into_iter().flatten().enumerate();
        items.filter_map(move |(at, item)| Some((format!("{}/{key}/{at}", graph.pointer), item.as_str()?)))
    };
    let mut named = HashSet::new();
    for (pointer, id) in constituents("constituent_virtual_links") {
        match links.by_id.get(id) {
            Some(link) => {
                named.insert(*link);
            }
            None => findings.error("unknown-link", pointer, || format!("there is no virtual link {}", quoted(id))),
        }
    }
    let parts: HashMap<&str, usize> = topology.parts.iter().enumerate().map(|(at, part)| (&*part.id, at)).collect();
    let mut members = HashSet::new();
    for key in ["constituent_vnfs", "constituent_services"] {
        for (pointer, id) in constituents(key) {
            match parts.get(id) {
                Some(part) => {
                    members.insert(*part);
                }
                None => findings.warning("unknown-part", pointer, || {
                    format!("{} is the id of no function or service of this one", quoted(id))
                }),
            }
        }
    }
    if !named.is_empty() {
        for link in used.links.difference(&named) {
            findings.warning("unlisted", format!("{}/constituent_virtual_links", graph.pointer), || {
                format!("a path goes over the link {}, which is not listed", quoted(&topology.links[*link].id))
            });
        }
    }
    if !members.is_empty() {
        for part in used.parts.difference(&members) {
            findings.warning("unlisted", format!("{}/constituent_vnfs", graph.pointer), || {
                format!("a path goes through {}, which is not listed", quoted(&topology.parts[*part].id))
            });
        }
    }
    if used.is_broken || graph.paths.is_empty() {
        return;
    }
    let listed = constituents("constituent_virtual_links").count();
    let over = if listed == 0 { used.links.len() } else { listed };
    let number = |key: &'static str, is: usize, what: &str, findings: &mut Findings| {
        if let Some(said) = entry[key].as_u64()
            && said != is as u64
        {
            findings.warning("count", format!("{}/{key}", graph.pointer), || {
                format!("{key} is {said}, but there are {is} {what}")
            });
        }
    };
    let what = if listed == 0 { "links that its paths go over" } else { "constituent virtual links" };
    number("number_of_virtual_links", over, what, findings);
    number("number_of_endpoints", used.ends.len(), "points at which its paths begin and end", findings);
}
