//! A layout of our own: columns from left to right along the routes, links of many points as bars
//! below everything.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::columns::{Columns, Slot, columns};
use super::line::{Line, Pt};
use super::scene::{Plug, Scene, Shape, Side, Step};
use super::text::width;

/// Where everything is; nodes say it themselves.
pub(super) struct Placed {
    /// One per wire, from its first end to its second.
    pub(super) wires: Vec<Line>,
    /// One per spoke, from the point to the hub.
    pub(super) spokes: Vec<Line>,
}

impl Placed {
    /// Bends wires between the same two points apart.
    pub(super) fn separate(&mut self, scene: &Scene) {
        let mut seen: HashMap<[Plug; 2], usize> = HashMap::new();
        for (wire, line) in scene.wires.iter().zip(&mut self.wires) {
            let [one, other] = wire.ends;
            let nth = seen.entry(if one < other { [one, other] } else { [other, one] }).or_default();
            // To both sides in turn: 1, -1, 2, -2.
            let side = if *nth % 2 == 1 { 1.0 } else { -1.0 };
            line.bow(side * nth.div_ceil(2) as f64 * 26.0);
            *nth += 1;
        }
    }
}

const GAP: f64 = 34.0;
const DUMMY: f64 = 16.0;
const LANE: f64 = 40.0;
pub(super) const WIRE_TEXT: f64 = 10.5;

pub(super) fn place(scene: &mut Scene) -> Placed {
    let columns = columns(scene);
    let ranks = columns.ranks();
    sides(scene, &columns, &ranks);
    let tops = heights(scene, &columns, &ranks);
    let gutters = widths(scene, &columns, &ranks, &tops);
    let wires = wires(scene, &columns, &ranks, &tops);
    let spokes = bars(scene, &columns, &gutters);
    Placed { wires, spokes }
}

/// Which side of its box each port is on, and in which order.
fn sides(scene: &mut Scene, columns: &Columns, ranks: &BTreeMap<usize, usize>) {
    let places: HashMap<Slot, usize> =
        columns.slots.iter().flat_map(|column| column.iter().enumerate().map(|(at, slot)| (*slot, at))).collect();
    let mut toward: HashMap<Plug, (Side, usize)> = HashMap::new();
    for (wire, through) in scene.wires.iter().zip(&columns.through) {
        for (here, there) in [(0, 1), (1, 0)] {
            let (plug, (other, _)) = (wire.ends[here], wire.ends[there]);
            let (mine, theirs) = (ranks.get(&plug.0), ranks.get(&other));
            let side = if theirs < mine { Side::Left } else { Side::Right };
            let next = match (through.first(), through.last()) {
                (Some(first), Some(last)) => Slot::Dummy(if side == Side::Right { *first } else { *last }),
                _ => Slot::Node(other),
            };
            toward.entry(plug).or_insert((side, places.get(&next).copied().unwrap_or_default()));
        }
    }
    for node in 0..scene.nodes.len() {
        if !scene.nodes[node].is_part() {
            continue;
        }
        let count = scene.nodes[node].ports.len();
        let mut used = [0, 0];
        let mut keyed: Vec<(usize, usize)> = Vec::new();
        for port in 0..count {
            let (side, key) = match toward.get(&(node, port)) {
                Some((side, place)) => (*side, *place),
                None if scene.nodes[node].ports[port].is_linked => (Side::Bottom, port),
                None => continue,
            };
            scene.nodes[node].ports[port].side = side;
            used[usize::from(side == Side::Right)] += usize::from(side != Side::Bottom);
            keyed.push((key, port));
        }
        let free: Vec<usize> = (0..count).filter(|port| !scene.nodes[node].ports[*port].is_linked).collect();
        for port in free {
            let at = usize::from(used[1] < used[0]);
            used[at] += 1;
            scene.nodes[node].ports[port].side = if at == 0 { Side::Left } else { Side::Right };
            keyed.push((usize::MAX, port));
        }
        keyed.sort();
        let order: Vec<usize> = keyed.into_iter().map(|(_, port)| port).collect();
        scene.nodes[node].arrange(&order);
    }
}

/// How far below its node's upper edge a plug is.
fn depth(scene: &Scene, (node, port): Plug) -> f64 {
    let node = &scene.nodes[node];
    node.ports.get(port).map_or(node.size.y / 2.0, |port| port.at.y)
}

fn tall(scene: &Scene, slot: Slot) -> f64 {
    match slot {
        Slot::Node(node) => scene.nodes[node].size.y,
        Slot::Dummy(_) => DUMMY,
    }
}

/// The upper edge of every slot: as near to what it is joined to as the order allows.
fn heights(scene: &Scene, columns: &Columns, ranks: &BTreeMap<usize, usize>) -> HashMap<Slot, f64> {
    let busy: HashSet<usize> = scene
        .routes
        .iter()
        .flat_map(|route| &route.steps)
        .filter_map(|step| if let Step::Wire(wire, _) = step { Some(*wire) } else { None })
        .collect();
    // Of each slot: how deep its end is, the other slot and its end's depth, how much it counts.
    let mut pulls: HashMap<Slot, Vec<(f64, Slot, f64, f64)>> = HashMap::new();
    for (at, (wire, through)) in scene.wires.iter().zip(&columns.through).enumerate() {
        let [one, other] = wire.ends;
        let (left, right) = if ranks.get(&one.0) <= ranks.get(&other.0) { (one, other) } else { (other, one) };
        let ends = |plug: Plug| (Slot::Node(plug.0), depth(scene, plug));
        let middle = through.iter().map(|dummy| (Slot::Dummy(*dummy), DUMMY / 2.0));
        let way: Vec<(Slot, f64)> = [ends(left)].into_iter().chain(middle).chain([ends(right)]).collect();
        let weight = if busy.contains(&at) { 4.0 } else { 1.0 };
        for pair in way.windows(2) {
            let [(a, deep), (b, below)] = [pair[0], pair[1]];
            if a != b {
                pulls.entry(a).or_default().push((deep, b, below, weight));
                pulls.entry(b).or_default().push((below, a, deep, weight));
            }
        }
    }
    let mut tops: HashMap<Slot, f64> = HashMap::new();
    for column in &columns.slots {
        let mut y = 0.0;
        for slot in column {
            tops.insert(*slot, y);
            y += tall(scene, *slot) + GAP;
        }
    }
    for round in 0..12 {
        let forward = round % 2 == 0;
        for at in 0..columns.slots.len() {
            let column = &columns.slots[if forward { at } else { columns.slots.len() - 1 - at }];
            let wished: Vec<f64> = column
                .iter()
                .map(|slot| {
                    let pulls = pulls.get(slot).map(Vec::as_slice).unwrap_or_default();
                    let weight: f64 = pulls.iter().map(|pull| pull.3).sum();
                    let sum: f64 = pulls.iter().map(|(deep, other, below, w)| (tops[other] + below - deep) * w).sum();
                    if weight > 0.0 { sum / weight } else { tops[slot] }
                })
                .collect();
            let sizes: Vec<f64> = column.iter().map(|slot| tall(scene, *slot)).collect();
            for (slot, top) in column.iter().zip(settled(&wished, &sizes)) {
                tops.insert(*slot, top);
            }
        }
    }
    let least = tops.values().copied().fold(f64::INFINITY, f64::min);
    tops.values_mut().for_each(|top| *top -= least);
    tops
}

/// The tops nearest to those wished for that keep order and distance (isotonic regression by
/// pooling adjacent violators).
fn settled(wished: &[f64], sizes: &[f64]) -> Vec<f64> {
    let mut offset = 0.0;
    let mut pools: Vec<(f64, usize)> = Vec::new();
    let mut offsets = Vec::with_capacity(wished.len());
    for (wish, size) in wished.iter().zip(sizes) {
        offsets.push(offset);
        pools.push((wish - offset, 1));
        while let [.., (above, many), (below, more)] = pools[..]
            && above > below
        {
            pools.truncate(pools.len() - 2);
            pools.push(((above * many as f64 + below * more as f64) / (many + more) as f64, many + more));
        }
        offset += size + GAP;
    }
    let levels = pools.into_iter().flat_map(|(level, many)| std::iter::repeat_n(level, many));
    levels.zip(offsets).map(|(level, offset)| level + offset).collect()
}

/// Gives every node its place; returns the left edge of the gutter right of each column.
fn widths(scene: &mut Scene, columns: &Columns, ranks: &BTreeMap<usize, usize>, tops: &HashMap<Slot, f64>) -> Vec<f64> {
    let mut room = vec![56.0f64; columns.slots.len()];
    for (wire, through) in scene.wires.iter().zip(&columns.through) {
        let [one, other] = wire.ends.map(|(node, _)| ranks.get(&node).copied().unwrap_or_default());
        let words = width(&super::text::short(&wire.id, super::draw::WIRE_CHARS), WIRE_TEXT) + 44.0;
        if through.is_empty() {
            room[one.min(other)] = room[one.min(other)].max(words);
        }
    }
    // Ways down from the boxes that have others below them.
    for (at, column) in columns.slots.iter().enumerate() {
        let ports: usize = column
            .iter()
            .filter_map(|slot| if let Slot::Node(node) = slot { Some(&scene.nodes[*node]) } else { None })
            .map(|node| node.ports.iter().filter(|port| port.side == Side::Bottom).count())
            .sum();
        room[at] += ports.min(40) as f64 * 6.0;
    }
    let mut x = 0.0;
    let mut gutters = Vec::new();
    for (at, column) in columns.slots.iter().enumerate() {
        let wide = |slot: &Slot| if let Slot::Node(node) = slot { scene.nodes[*node].size.x } else { 40.0 };
        let widest = column.iter().map(wide).fold(0.0, f64::max);
        for slot in column {
            if let Slot::Node(node) = *slot {
                let size = scene.nodes[node].size;
                scene.nodes[node].at = Pt::new(x + (widest - size.x) / 2.0, tops[slot]);
            }
        }
        gutters.push(x + widest);
        x += widest + room[at];
    }
    gutters
}

/// Where a plug is, seen from a side.
pub(super) fn anchor(scene: &Scene, (node, port): Plug, side: Side) -> (Pt, Pt) {
    let node = &scene.nodes[node];
    let (at, side) = match node.ports.get(port) {
        Some(port) => (node.at.plus(port.at.x, port.at.y), port.side),
        None => {
            let at = match side {
                Side::Left => node.at.plus(0.0, node.size.y / 2.0),
                Side::Right => node.at.plus(node.size.x, node.size.y / 2.0),
                Side::Bottom => node.at.plus(node.size.x / 2.0, node.size.y),
            };
            (at, side)
        }
    };
    let out = match side {
        Side::Left => Pt::new(-1.0, 0.0),
        Side::Right => Pt::new(1.0, 0.0),
        Side::Bottom => Pt::new(0.0, 1.0),
    };
    (at, out)
}

fn wires(scene: &Scene, columns: &Columns, ranks: &BTreeMap<usize, usize>, tops: &HashMap<Slot, f64>) -> Vec<Line> {
    let mut spans: HashMap<usize, (f64, f64)> = HashMap::new();
    for column in &columns.slots {
        let nodes =
            column.iter().filter_map(|slot| if let Slot::Node(node) = slot { Some(&scene.nodes[*node]) } else { None });
        let (left, right) = nodes.fold((f64::INFINITY, f64::NEG_INFINITY), |(left, right), node| {
            (left.min(node.at.x), right.max(node.at.x + node.size.x))
        });
        for slot in column {
            if let Slot::Dummy(dummy) = slot {
                spans.insert(*dummy, (left, right));
            }
        }
    }
    let line = |(wire, through): (&super::scene::Wire, &Vec<usize>)| {
        let [one, other] = wire.ends;
        let is_forward = ranks.get(&one.0) <= ranks.get(&other.0);
        let (left, right) = if is_forward { (one, other) } else { (other, one) };
        let is_level = ranks.get(&one.0) == ranks.get(&other.0);
        let (start, out) = anchor(scene, left, Side::Right);
        let (end, into) = anchor(scene, right, if is_level { Side::Right } else { Side::Left });
        let mut line = Line::from(start);
        let mut out = out;
        for dummy in through {
            let (from, to) = spans[dummy];
            let y = tops[&Slot::Dummy(*dummy)] + DUMMY / 2.0;
            line = line.bend(out, Pt::new(from, y), Pt::new(-1.0, 0.0)).to(Pt::new(to, y));
            out = Pt::new(1.0, 0.0);
        }
        line = line.bend(out, end, into);
        if is_forward { line } else { line.reversed() }
    };
    scene.wires.iter().zip(&columns.through).map(line).collect()
}

/// Puts the hubs below everything and leads their spokes there.
fn bars(scene: &mut Scene, columns: &Columns, gutters: &[f64]) -> Vec<Line> {
    let standing: HashSet<usize> = columns.ranks().into_keys().collect();
    let column_of = columns.ranks();
    let mut lane =
        scene.nodes.iter().enumerate().filter(|(at, _)| standing.contains(at)).map(|(_, node)| node.at.y + node.size.y);
    let mut y = lane.by_ref().fold(0.0, f64::max) + if standing.is_empty() { 0.0 } else { 44.0 };
    drop(lane);
    let mut tracks = vec![0usize; gutters.len()];
    let mut ways: Vec<Option<Line>> = scene.spokes.iter().map(|_| None).collect();
    for hub in (0..scene.nodes.len()).filter(|node| scene.nodes[*node].shape == Shape::Hub).collect::<Vec<_>>() {
        let mine: Vec<usize> = (0..scene.spokes.len()).filter(|spoke| scene.spokes[*spoke].hub == hub).collect();
        let mut downs = Vec::new();
        for &spoke in mine.iter().filter(|spoke| standing.contains(&scene.spokes[**spoke].plug.0)) {
            let plug = scene.spokes[spoke].plug;
            let column = column_of[&plug.0];
            let way = down(scene, columns, column, plug, gutters[column], &mut tracks[column]).then_down(y);
            downs.push(way.end().x);
            ways[spoke] = Some(way);
        }
        let words = scene.nodes[hub].size.x;
        let (low, high) =
            downs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
        let (low, high) = if downs.is_empty() { (0.0, words) } else { (low - 26.0, high + 26.0) };
        let low = low.min((low + high - words) / 2.0);
        scene.nodes[hub].at = Pt::new(low, y);
        scene.nodes[hub].size.x = (high - low).max(words);
        let (mut left, mut right) = (low - 34.0, low + scene.nodes[hub].size.x + 34.0);
        let middle = y + scene.nodes[hub].size.y / 2.0;
        for (count, &spoke) in mine.iter().filter(|spoke| !standing.contains(&scene.spokes[**spoke].plug.0)).enumerate()
        {
            let point = scene.spokes[spoke].plug.0;
            if scene.nodes[point].at != Pt::default() {
                // It stands at another bar: from its lower edge down to this one.
                let at = scene.nodes[point].at.plus(scene.nodes[point].size.x / 2.0, scene.nodes[point].size.y);
                let edge = at.x.clamp(low, low + scene.nodes[hub].size.x);
                ways[spoke] = Some(Line::from(at).bend(Pt::new(0.0, 1.0), Pt::new(edge, y), Pt::new(0.0, -1.0)));
                continue;
            }
            let size = scene.nodes[point].size;
            let is_left = count % 2 == 0;
            let x = if is_left { left - size.x } else { right };
            scene.nodes[point].at = Pt::new(x, middle - size.y / 2.0);
            let (from, to) = if is_left { (left, low) } else { (right, low + scene.nodes[hub].size.x) };
            ways[spoke] = Some(Line::from(Pt::new(from, middle)).to(Pt::new(to, middle)));
            if is_left { left = x - 16.0 } else { right = x + size.x + 16.0 }
        }
        y += LANE;
    }
    // Every spoke belongs to a hub that came by.
    ways.into_iter().map(|way| way.unwrap_or_else(|| Line::from(Pt::default()))).collect()
}

/// The way from a plug to where nothing is below.
fn down(scene: &Scene, columns: &Columns, column: usize, plug: Plug, gutter: f64, track: &mut usize) -> Line {
    let (at, out) = anchor(scene, plug, Side::Bottom);
    let below = |slot: &Slot| match slot {
        Slot::Node(node) => {
            let other = &scene.nodes[*node];
            *node != plug.0
                && other.at.y > scene.nodes[plug.0].at.y
                && (other.at.x - 6.0..other.at.x + other.size.x + 6.0).contains(&at.x)
        }
        Slot::Dummy(_) => false,
    };
    let line = Line::from(at);
    if out.y > 0.0 && !columns.slots[column].iter().any(below) {
        return line;
    }
    let lane = *track;
    *track += 1;
    let x = gutter + 12.0 + (lane % 40) as f64 * 6.0;
    if out.y > 0.0 {
        let level = at.plus(0.0, 7.0 + (lane % 4) as f64 * 5.0);
        line.to(level).to(Pt::new(x, level.y))
    } else if out.x > 0.0 {
        line.to(Pt::new(x, at.y))
    } else {
        // From the left edge: past the box on its left, where wires come in.
        line.to(at.plus(-10.0 - (lane % 4) as f64 * 4.0, 0.0))
    }
}

impl Line {
    fn then_down(self, y: f64) -> Line {
        let x = self.end().x;
        self.to(Pt::new(x, y))
    }
}
