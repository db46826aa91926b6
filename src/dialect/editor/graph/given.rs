//! The layout that the editor's user made: nodes where they were put, pushed apart where boxes
//! would overlap.

use super::line::{Line, Pt};
use super::place::{Placed, anchor};
use super::scene::{Plug, Scene, Side};

/// Our boxes are larger than the editor's.
const STRETCH: (f64, f64) = (1.9, 1.35);
const GAP: f64 = 26.0;

/// Whether the user has put anything anywhere.
pub(super) fn is_given(scene: &Scene) -> bool {
    scene.nodes.iter().any(|node| node.given.is_some())
}

pub(super) fn place(scene: &mut Scene) -> Placed {
    let centres = centres(scene);
    sides(scene, &centres);
    for (node, centre) in scene.nodes.iter_mut().zip(&centres) {
        if let Some(centre) = centre {
            node.at = centre.plus(-node.size.x / 2.0, -node.size.y / 2.0);
        }
    }
    below(scene, &centres);
    apart(scene);
    let wires = scene.wires.iter().map(|wire| line(scene, wire.ends[0], wire.ends[1])).collect();
    let spokes = scene.spokes.iter().map(|spoke| line(scene, spoke.plug, (spoke.hub, 0))).collect();
    Placed { wires, spokes }
}

/// Where the middle of each node is to be; a hub without a place is amid what it joins.
fn centres(scene: &Scene) -> Vec<Option<Pt>> {
    let spread = |given: Pt| Pt::new(given.x * STRETCH.0, given.y * STRETCH.1);
    let mut centres: Vec<Option<Pt>> = scene.nodes.iter().map(|node| node.given.map(spread)).collect();
    let mut sums = vec![(Pt::default(), 0.0); scene.nodes.len()];
    for spoke in &scene.spokes {
        if let Some(at) = centres[spoke.plug.0] {
            let (sum, count) = &mut sums[spoke.hub];
            (*sum, *count) = (sum.plus(at.x, at.y), *count + 1.0);
        }
    }
    for (centre, (sum, count)) in centres.iter_mut().zip(sums) {
        if centre.is_none() && count > 0.0 {
            *centre = Some(Pt::new(sum.x / count, sum.y / count + 60.0));
        }
    }
    centres
}

/// Ports look to where their other end is.
fn sides(scene: &mut Scene, centres: &[Option<Pt>]) {
    let mut toward: std::collections::HashMap<Plug, Pt> = std::collections::HashMap::new();
    let wires = scene.wires.iter().flat_map(|wire| [(wire.ends[0], wire.ends[1].0), (wire.ends[1], wire.ends[0].0)]);
    for (plug, other) in wires.chain(scene.spokes.iter().map(|spoke| (spoke.plug, spoke.hub))) {
        if let Some(at) = centres[other] {
            toward.entry(plug).or_insert(at);
        }
    }
    for (at, node) in scene.nodes.iter_mut().enumerate().filter(|(_, node)| node.is_part()) {
        let here = centres[at].unwrap_or_default();
        let mut keyed: Vec<(f64, usize)> = Vec::new();
        for port in 0..node.ports.len() {
            let other = toward.get(&(at, port)).copied();
            let (dx, dy) = other.map_or((0.0, 0.0), |other| (other.x - here.x, other.y - here.y));
            node.ports[port].side = match other {
                Some(_) if dy > dx.abs() * 1.2 => Side::Bottom,
                Some(_) if dx > 0.0 => Side::Right,
                None if port % 2 == 1 => Side::Right,
                _ => Side::Left,
            };
            let key = if node.ports[port].side == Side::Bottom { dx } else { dy };
            keyed.push((if other.is_some() { key } else { f64::INFINITY }, port));
        }
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let order: Vec<usize> = keyed.into_iter().map(|(_, port)| port).collect();
        node.arrange(&order);
    }
}

/// Those without a place stand in rows below the others.
fn below(scene: &mut Scene, centres: &[Option<Pt>]) {
    let placed = scene.nodes.iter().zip(centres).filter(|(_, centre)| centre.is_some());
    let (mut left, mut right, mut low) = (f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
    for (node, _) in placed {
        left = left.min(node.at.x);
        right = right.max(node.at.x + node.size.x);
        low = low.max(node.at.y + node.size.y);
    }
    let right = right.max(left + 800.0);
    let (mut x, mut y, mut tall) = (left, low + 2.0 * GAP, 0.0f64);
    for (node, _) in scene.nodes.iter_mut().zip(centres).filter(|(_, centre)| centre.is_none()) {
        if x > left && x + node.size.x > right {
            (x, y, tall) = (left, y + tall + GAP, 0.0);
        }
        node.at = Pt::new(x, y);
        x += node.size.x + GAP;
        tall = tall.max(node.size.y);
    }
}

/// Pushes boxes down until none overlap.
fn apart(scene: &mut Scene) {
    let mut order: Vec<usize> = (0..scene.nodes.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (scene.nodes[*a].at, scene.nodes[*b].at);
        a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x))
    });
    let mut done: Vec<usize> = Vec::new();
    let mut lowest = f64::NEG_INFINITY;
    for node in order {
        for attempt in 0.. {
            let (at, size) = (scene.nodes[node].at, scene.nodes[node].size);
            let hit = done.iter().map(|other| &scene.nodes[*other]).find(|other| {
                at.x < other.at.x + other.size.x + GAP
                    && other.at.x < at.x + size.x + GAP
                    && at.y < other.at.y + other.size.y + GAP
                    && other.at.y < at.y + size.y + GAP
            });
            let Some(other) = hit else { break };
            // Many on one heap: not past each of them in turn.
            let y = if attempt < 20 { other.at.y + other.size.y + GAP } else { lowest + GAP };
            scene.nodes[node].at.y = y.max(at.y + 1.0);
        }
        lowest = lowest.max(scene.nodes[node].at.y + scene.nodes[node].size.y);
        done.push(node);
    }
}

fn line(scene: &Scene, one: Plug, other: Plug) -> Line {
    let (here, there) = (scene.nodes[one.0].middle(), scene.nodes[other.0].middle());
    let side = |from: Pt, to: Pt| if to.x < from.x { Side::Left } else { Side::Right };
    let (start, out) = anchor(scene, one, side(here, there));
    let (end, into) = anchor(scene, other, side(there, here));
    Line::from(start).bend(out, end, into)
}
