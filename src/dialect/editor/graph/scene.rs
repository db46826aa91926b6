//! What is to be drawn: boxes with ports, wires between them, routes over the wires.

use std::collections::HashMap;

use serde_json::Value;

use super::line::Pt;
use super::text::{short, width};
use crate::dialect::editor::topology::{End, Sort, Topology};

/// Bounds of one picture; what is beyond is named in words.
const PARTS: usize = 250;
const POINTS: usize = 250;
const PORTS: usize = 40;
const LINKS: usize = 800;
const JOINED: usize = 120;
pub(super) const ROUTES: usize = 40;
const STOPS: usize = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Function,
    Service,
    /// A connection point of the service.
    Point,
    /// A link of more than two points.
    Hub,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
    Bottom,
}

#[derive(Debug)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) side: Side,
    /// From the node's corner.
    pub(super) at: Pt,
    pub(super) is_linked: bool,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) shape: Shape,
    /// Whole, for tooltips.
    pub(super) title: String,
    pub(super) label: String,
    pub(super) caption: String,
    pub(super) ports: Vec<Port>,
    pub(super) at: Pt,
    pub(super) size: Pt,
    /// Where the editor's user put it.
    pub(super) given: Option<Pt>,
}

/// A port of a node; a node that is no part has none, and this is 0.
pub(super) type Plug = (usize, usize);

/// A link of two points.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) id: String,
    pub(super) ends: [Plug; 2],
}

/// What joins a point to a hub.
#[derive(Debug)]
pub(super) struct Spoke {
    pub(super) hub: usize,
    pub(super) plug: Plug,
}

/// One stage of a route.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Over a wire; whether from its first end to its second.
    Wire(usize, bool),
    /// Over a hub, from a spoke to a spoke.
    Hub(usize, usize),
    /// Through a part.
    Inside(Plug, Plug),
    /// Nothing joins these.
    Gap(Plug, Plug),
}

#[derive(Debug)]
pub(super) struct Route {
    pub(super) name: String,
    /// The points in order, in words.
    pub(super) way: String,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) nodes: Vec<Node>,
    pub(super) wires: Vec<Wire>,
    pub(super) spokes: Vec<Spoke>,
    pub(super) routes: Vec<Route>,
    /// What is not drawn, in words.
    pub(super) left_out: Vec<String>,
    plugs: HashMap<End, Plug>,
}

impl Scene {
    pub(super) fn of(topology: &Topology, meta: &Value) -> Self {
        let mut scene = Scene::default();
        let given = |id: &str| given(&meta["positions"], id);
        for (at, part) in topology.parts.iter().take(PARTS).enumerate() {
            let node = scene.nodes.len();
            let ports: Vec<&String> = part.ports.iter().take(PORTS).collect();
            for port in 0..ports.len() {
                scene.plugs.insert(End::Port(at, port), (node, port));
            }
            let title = format!("{} ({})", part.id, part.wanted);
            scene.nodes.push(Node {
                shape: if part.sort == Sort::Function { Shape::Function } else { Shape::Service },
                title: if part.is_known { title } else { format!("{title}, descriptor not found") },
                label: short(&part.id, 26),
                caption: short(&format!("{} {}", part.wanted.name, part.wanted.version), 32),
                ports: ports.into_iter().map(|name| Port::new(name)).collect(),
                at: Pt::default(),
                size: Pt::default(),
                given: given(&part.id),
            });
            if part.ports.len() > PORTS {
                scene.left_out.push(format!("{} points of {}", part.ports.len() - PORTS, short(&part.id, 26)));
            }
        }
        for (at, point) in topology.points.iter().take(POINTS).enumerate() {
            scene.plugs.insert(End::Own(at), (scene.nodes.len(), 0));
            scene.nodes.push(Node::plain(
                Shape::Point,
                &point.id,
                short(&point.id, 24),
                String::new(),
                given(&point.id),
            ));
        }
        let mut links: HashMap<usize, Drawn> = HashMap::new();
        for (at, link) in topology.links.iter().take(LINKS).enumerate() {
            let ends = link.references.iter().take(JOINED).filter_map(|reference| topology.resolve(reference).ok());
            let mut plugs: Vec<Plug> = ends.filter_map(|end| scene.plugs.get(&end).copied()).collect();
            let mut seen = std::collections::HashSet::new();
            plugs.retain(|plug| seen.insert(*plug));
            let is_line = link.connectivity == "E-Line" || (link.connectivity.is_empty() && plugs.len() == 2);
            for (node, port) in &plugs {
                if let Some(port) = scene.nodes[*node].ports.get_mut(*port) {
                    port.is_linked = true;
                }
            }
            match plugs[..] {
                [one, other] if is_line => {
                    links.insert(at, Drawn::Wire(scene.wires.len()));
                    scene.wires.push(Wire { id: link.id.clone(), ends: [one, other] });
                }
                _ => {
                    let hub = scene.nodes.len();
                    links.insert(at, Drawn::Hub(scene.spokes.len(), plugs.len()));
                    let sort = if link.connectivity.is_empty() { "link" } else { &*link.connectivity };
                    let title = format!("{} ({sort})", link.id);
                    scene.nodes.push(Node::plain(
                        Shape::Hub,
                        &title,
                        short(&link.id, 30),
                        short(sort, 12),
                        given(&link.id),
                    ));
                    scene.spokes.extend(plugs.into_iter().map(|plug| Spoke { hub, plug }));
                }
            }
            if link.references.len() > JOINED {
                scene.left_out.push(format!("{} points of {}", link.references.len() - JOINED, short(&link.id, 26)));
            }
        }
        for (all, most, what) in [
            (topology.parts.len(), PARTS, "functions"),
            (topology.points.len(), POINTS, "connection points"),
            (topology.links.len(), LINKS, "links"),
        ] {
            if all > most {
                scene.left_out.push(format!("{} {what}", all - most));
            }
        }
        scene.routes(topology, &links);
        scene
    }

    fn routes(&mut self, topology: &Topology, links: &HashMap<usize, Drawn>) {
        let mut of: HashMap<Plug, Vec<usize>> = HashMap::new();
        for (at, link) in topology.links.iter().take(LINKS).enumerate() {
            for reference in link.references.iter().take(JOINED) {
                if let Some(plug) = topology.resolve(reference).ok().and_then(|end| self.plugs.get(&end)) {
                    of.entry(*plug).or_default().push(at);
                }
            }
        }
        let mut left_out = 0;
        for graph in &topology.graphs {
            for path in &graph.paths {
                if self.routes.len() == ROUTES {
                    left_out += 1;
                    continue;
                }
                let stops = path.in_order();
                let plugs: Vec<Plug> = stops
                    .iter()
                    .take(STOPS)
                    .filter_map(|stop| self.plugs.get(&topology.resolve(&stop.reference).ok()?).copied())
                    .collect();
                let steps = plugs.windows(2).map(|pair| self.step(pair[0], pair[1], &of, links)).collect();
                let way: Vec<String> = stops.iter().take(12).map(|stop| short(&stop.reference, 30)).collect();
                let more = if stops.len() > 12 { " → …" } else { "" };
                let name = if path.id.starts_with(&*graph.id) {
                    path.id.clone()
                } else {
                    format!("{} / {}", graph.id, path.id)
                };
                self.routes.push(Route { name, way: way.join(" → ") + more, steps });
            }
        }
        if left_out > 0 {
            self.left_out.push(format!("{left_out} forwarding paths"));
        }
    }

    fn step(&self, one: Plug, other: Plug, of: &HashMap<Plug, Vec<usize>>, links: &HashMap<usize, Drawn>) -> Step {
        let none = Vec::new();
        let (ones, others) = (of.get(&one).unwrap_or(&none), of.get(&other).unwrap_or(&none));
        for at in ones.iter().filter(|at| others.contains(at)) {
            match links.get(at) {
                Some(Drawn::Wire(wire)) => return Step::Wire(*wire, self.wires[*wire].ends[0] == one),
                Some(Drawn::Hub(first, count)) => {
                    let spoke = |plug| (*first..first + count).find(|spoke| self.spokes[*spoke].plug == plug);
                    if let (Some(one), Some(other)) = (spoke(one), spoke(other)) {
                        return Step::Hub(one, other);
                    }
                }
                None => {}
            }
        }
        let is_part = !self.nodes[one.0].ports.is_empty();
        if is_part && one.0 == other.0 { Step::Inside(one, other) } else { Step::Gap(one, other) }
    }
}

/// How a link is drawn: as a wire, or as spokes from one on, so many.
enum Drawn {
    Wire(usize),
    Hub(usize, usize),
}

impl Port {
    fn new(name: &str) -> Self {
        Port { name: name.to_owned(), side: Side::Left, at: Pt::default(), is_linked: false }
    }
}

/// Heights of a box's parts.
pub(super) const HEAD: f64 = 40.0;
const ROW: f64 = 24.0;
pub(super) const PORT_TEXT: f64 = 11.0;
/// Most characters of a port's name that are shown.
pub(super) const PORT_CHARS: usize = 20;

impl Node {
    fn plain(shape: Shape, title: &str, label: String, caption: String, given: Option<Pt>) -> Self {
        let words = width(&label, 12.0) + if caption.is_empty() { 0.0 } else { width(&caption, 11.0) + 14.0 };
        let size = Pt::new((words + 28.0).max(56.0), if shape == Shape::Hub { 24.0 } else { 28.0 });
        Node { shape, title: title.to_owned(), label, caption, ports: Vec::new(), at: Pt::default(), size, given }
    }

    pub(super) fn is_part(&self) -> bool {
        matches!(self.shape, Shape::Function | Shape::Service)
    }

    pub(super) fn middle(&self) -> Pt {
        self.at.plus(self.size.x / 2.0, self.size.y / 2.0)
    }

    /// Makes room for the ports, those of a side in the order given.
    pub(super) fn arrange(&mut self, order: &[usize]) {
        let words = |port: &Port| width(&short(&port.name, PORT_CHARS), PORT_TEXT);
        let on = |side: Side| -> Vec<usize> {
            order.iter().copied().filter(|port| self.ports[*port].side == side).collect()
        };
        let (left, right, bottom) = (on(Side::Left), on(Side::Right), on(Side::Bottom));
        let widest = |ports: &[usize]| ports.iter().map(|port| words(&self.ports[*port])).fold(0.0, f64::max);
        let below: f64 = bottom.iter().map(|port| words(&self.ports[*port]) + 18.0).sum();
        let title = width(&self.label, 13.0).max(width(&self.caption, 11.0)) + 24.0;
        let wide = title.max(widest(&left) + widest(&right) + 52.0).max(below + 10.0).max(120.0);
        let rows = left.len().max(right.len());
        let tall = HEAD + rows as f64 * ROW + if bottom.is_empty() { 10.0 } else { 30.0 };
        self.size = Pt::new(wide, tall);
        for (ports, x) in [(&left, 0.0), (&right, wide)] {
            for (row, port) in ports.iter().enumerate() {
                self.ports[*port].at = Pt::new(x, HEAD + ROW * (row as f64 + 0.5) + 4.0);
            }
        }
        let gap = (wide - below) / (bottom.len() as f64 + 1.0);
        let mut x = gap;
        for port in &bottom {
            let room = words(&self.ports[*port]) + 18.0;
            self.ports[*port].at = Pt::new(x + room / 2.0, tall);
            x += room + gap;
        }
    }
}

/// `[x, y]` or `{"x", "y"}` of a node in the editor's pixels.
fn given(positions: &Value, id: &str) -> Option<Pt> {
    let position = positions.get(id)?;
    let of = |index: usize, key: &str| position.get(index).or_else(|| position.get(key))?.as_f64();
    let (x, y) = (of(0, "x")?, of(1, "y")?);
    let bounded = |value: f64| value.is_finite().then(|| value.clamp(-3_000.0, 3_000.0));
    Some(Pt::new(bounded(x)?, bounded(y)?))
}
