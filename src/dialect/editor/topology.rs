//! What a service's descriptor says of its network, read as far as it can be read: a descriptor
//! that breaks its kind is looked at too.

use std::collections::HashMap;

use serde_json::Value;

/// A service's network. Everything is in the order of the descriptor.
#[derive(Debug, Default)]
pub(super) struct Topology {
    /// What the service is made of.
    pub(super) parts: Vec<Part>,
    /// The service's own connection points.
    pub(super) points: Vec<Point>,
    pub(super) links: Vec<Link>,
    pub(super) graphs: Vec<Graph>,
    own: HashMap<String, usize>,
    by_id: HashMap<String, usize>,
}

/// Whether a part is a function or a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sort {
    Function,
    Service,
}

/// A network function or a contained service.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) sort: Sort,
    /// What this service calls it: `vnf_id`, `ns_id`.
    pub(super) id: String,
    pub(super) wanted: Wanted,
    /// JSON pointer to the entry.
    pub(super) pointer: String,
    /// Its connection points as the service names them; of a part whose descriptor is not known
    /// those that links and paths name.
    pub(super) ports: Vec<String>,
    pub(super) is_known: bool,
    by_name: HashMap<String, usize>,
}

/// The descriptor that an entry asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Wanted {
    pub(super) vendor: String,
    pub(super) name: String,
    /// Perhaps with an operator.
    pub(super) version: String,
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.vendor, self.name, self.version)
    }
}

#[derive(Debug)]
pub(super) struct Point {
    pub(super) id: String,
    pub(super) pointer: String,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: String,
    /// `E-Line`, `E-LAN`, `E-Tree`.
    pub(super) connectivity: String,
    pub(super) pointer: String,
    pub(super) references: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Graph {
    pub(super) id: String,
    pub(super) pointer: String,
    pub(super) paths: Vec<Path>,
}

#[derive(Debug)]
pub(super) struct Path {
    pub(super) id: String,
    pub(super) pointer: String,
    /// As written, not by position.
    pub(super) stops: Vec<Stop>,
}

#[derive(Debug)]
pub(super) struct Stop {
    pub(super) reference: String,
    pub(super) position: Option<i64>,
    pub(super) pointer: String,
}

/// A connection point that a reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum End {
    Own(usize),
    /// Of a part.
    Port(usize, usize),
}

impl End {
    /// The part; none for an own point.
    pub(super) fn part(self) -> Option<usize> {
        match self {
            End::Own(_) => None,
            End::Port(part, _) => Some(part),
        }
    }
}

/// Why a reference names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// It is no own point, and what stands before the colon is no part.
    NoPart,
    /// The part has no such point.
    NoPort(usize),
}

impl Topology {
    /// Reads a descriptor; `descriptor_of` gives that of a part, by its position, when it is known.
    pub(super) fn read<'v>(descriptor: &Value, descriptor_of: impl Fn(usize) -> Option<&'v Value>) -> Self {
        let mut this = Topology::default();
        for (sort, key, prefix) in
            [(Sort::Function, "network_functions", "vnf"), (Sort::Service, "network_services", "ns")]
        {
            for (at, entry) in items(&descriptor[key]) {
                let known = descriptor_of(this.parts.len());
                this.add_part(part(sort, prefix, entry, format!("/{key}/{at}")), known);
            }
        }
        for (at, entry) in items(&descriptor["connection_points"]) {
            let Some(id) = text(&entry["id"]) else { continue };
            this.own.entry(id.clone()).or_insert(this.points.len());
            this.points.push(Point { id, pointer: format!("/connection_points/{at}") });
        }
        for (at, entry) in items(&descriptor["virtual_links"]) {
            // Links that are described elsewhere have no points here.
            let Some(id) = text(&entry["id"]) else { continue };
            let references = items(&entry["connection_points_reference"]).filter_map(|(_, item)| text(item)).collect();
            let connectivity = text(&entry["connectivity_type"]).unwrap_or_default();
            this.links.push(Link { id, connectivity, pointer: format!("/virtual_links/{at}"), references });
        }
        for (at, entry) in items(&descriptor["forwarding_graphs"]) {
            let Some(id) = text(&entry["fg_id"]) else { continue };
            let pointer = format!("/forwarding_graphs/{at}");
            let paths = items(&entry["network_forwarding_paths"])
                .map(|(at, entry)| path(entry, format!("{pointer}/network_forwarding_paths/{at}")))
                .collect();
            this.graphs.push(Graph { id, pointer, paths });
        }
        this.guess_ports();
        this
    }

    fn add_part(&mut self, mut part: Part, known: Option<&Value>) {
        if let Some(descriptor) = known {
            part.is_known = true;
            for (_, point) in items(&descriptor["connection_points"]) {
                if let Some(id) = text(&point["id"]) {
                    part.add_port(&id);
                }
            }
        }
        self.by_id.entry(part.id.clone()).or_insert(self.parts.len());
        self.parts.push(part);
    }

    /// Where a descriptor is not known, all points are there that somebody names.
    fn guess_ports(&mut self) {
        let links = self.links.iter().flat_map(|link| &link.references);
        let stops = self.graphs.iter().flat_map(|graph| &graph.paths).flat_map(|path| &path.stops);
        let references: Vec<&String> = links.chain(stops.map(|stop| &stop.reference)).collect();
        let mut guessed = Vec::new();
        for reference in references {
            if let Err(Lost::NoPort(part)) = self.resolve(reference)
                && !self.parts[part].is_known
                && let Some(port) = reference.strip_prefix(&*self.parts[part].id)
            {
                guessed.push((part, port[1..].to_owned()));
            }
        }
        for (part, port) in guessed {
            self.parts[part].add_port(&port);
        }
    }

    /// The point that a reference names: an own one, or `part:point`.
    pub(super) fn resolve(&self, reference: &str) -> Result<End, Lost> {
        if let Some(own) = self.own.get(reference) {
            return Ok(End::Own(*own));
        }
        let mut lost = Lost::NoPart;
        // Ids may hold a colon, not many.
        for (colon, _) in reference.match_indices(':').take(4) {
            if let Some(&part) = self.by_id.get(&reference[..colon]) {
                match self.parts[part].by_name.get(&reference[colon + 1..]) {
                    Some(&port) => return Ok(End::Port(part, port)),
                    None => lost = Lost::NoPort(part),
                }
            }
        }
        Err(lost)
    }

    /// What a reference to this point looks like.
    pub(super) fn name(&self, end: End) -> String {
        match end {
            End::Own(own) => self.points[own].id.clone(),
            End::Port(part, port) => format!("{}:{}", self.parts[part].id, self.parts[part].ports[port]),
        }
    }
}

impl Part {
    /// The editor names a function's point `vnf:input` and refers to it as `id:input`; the SDK
    /// has no prefix in either place.
    fn add_port(&mut self, id: &str) {
        let short = id.split_once(':').map_or(id, |(_, rest)| rest);
        let at = self.ports.len();
        if self.by_name.contains_key(id) {
            return;
        }
        self.by_name.insert(id.to_owned(), at);
        self.by_name.entry(short.to_owned()).or_insert(at);
        self.ports.push(short.to_owned());
    }
}

fn part(sort: Sort, prefix: &str, entry: &Value, pointer: String) -> Part {
    let of = |key: &str| text(&entry[format!("{prefix}_{key}").as_str()]).unwrap_or_default();
    let (mut id, mut wanted) = (of("id"), Wanted { vendor: of("vendor"), name: of("name"), version: of("version") });
    if let Value::String(whole) = entry {
        // The master schema names contained services by one text.
        let mut words = whole.splitn(3, ':').map(str::to_owned);
        if let (Some(vendor), Some(name), Some(version)) = (words.next(), words.next(), words.next()) {
            wanted = Wanted { vendor, name, version };
        }
        id = whole.clone();
    }
    Part { sort, id, wanted, pointer, ports: Vec::new(), is_known: false, by_name: HashMap::new() }
}

fn path(entry: &Value, pointer: String) -> Path {
    let stops = items(&entry["connection_points"])
        .filter_map(|(at, stop)| {
            Some(Stop {
                reference: text(&stop["connection_point_ref"])?,
                position: stop["position"].as_i64(),
                pointer: format!("{pointer}/connection_points/{at}"),
            })
        })
        .collect();
    Path { id: text(&entry["fp_id"]).unwrap_or_default(), pointer, stops }
}

impl Path {
    /// The stops by position, those without one last.
    pub(super) fn in_order(&self) -> Vec<&Stop> {
        let mut stops: Vec<&Stop> = self.stops.iter().collect();
        stops.sort_by_key(|stop| stop.position.unwrap_or(i64::MAX));
        stops
    }
}

fn items(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().into_iter().flatten().enumerate()
}

/// A text, or a number as people write versions without quotes.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The descriptors that a service asks for, in the order of [`Topology::parts`].
pub(super) fn wanted(descriptor: &Value) -> Vec<(Sort, Wanted)> {
    let parts = Topology::read(descriptor, |_| None).parts;
    parts.into_iter().map(|part| (part.sort, part.wanted)).collect()
}
