//! Which box stands in which column, and in which order.

use std::collections::{BTreeMap, HashSet};

use super::scene::{Scene, Shape, Step};

/// Columns of nodes, each from top to bottom; a node that stands in none is a hub or joined to hubs
/// alone.
pub(super) struct Columns {
    pub(super) slots: Vec<Vec<Slot>>,
    /// For each wire the dummies it goes through, from its left end to its right.
    pub(super) through: Vec<Vec<usize>>,
}

/// What takes up a place in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Slot {
    Node(usize),
    /// A wire that passes.
    Dummy(usize),
}

/// Most dummies of one picture: beyond, long wires go straight across.
const DUMMIES: usize = 1_500;

pub(super) fn columns(scene: &Scene) -> Columns {
    let ranks = ranks(scene);
    let count = ranks.values().max().map_or(0, |most| most + 1);
    let mut slots = vec![Vec::new(); count];
    // Those of the routes first: they make the backbone.
    for (node, rank) in by_first_step(scene, &ranks) {
        slots[rank].push(Slot::Node(node));
    }
    let (mut through, mut dummies) = (Vec::new(), 0);
    for wire in &scene.wires {
        let mut passed = Vec::new();
        let [Some(one), Some(other)] = wire.ends.map(|(node, _)| ranks.get(&node).copied()) else {
            through.push(passed);
            continue;
        };
        let (low, high) = (one.min(other), one.max(other));
        if high - low > 1 && dummies + high - low <= DUMMIES {
            for column in slots.iter_mut().take(high).skip(low + 1) {
                column.push(Slot::Dummy(dummies));
                passed.push(dummies);
                dummies += 1;
            }
        }
        through.push(passed);
    }
    let mut columns = Columns { slots, through };
    sort(scene, &mut columns, &ranks);
    columns
}

/// The column of each node that has one.
fn ranks(scene: &Scene) -> BTreeMap<usize, usize> {
    let mut ranks = along_routes(scene);
    let mut beside: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for wire in &scene.wires {
        let [(one, _), (other, _)] = wire.ends;
        beside.entry(one).or_default().push(other);
        beside.entry(other).or_default().push(one);
    }
    // What routes do not reach: outwards from what they reach, then from the service's own points.
    let mut begin: Vec<usize> = ranks.keys().copied().collect();
    let mut rest: Vec<usize> = beside.keys().copied().filter(|node| !ranks.contains_key(node)).collect();
    rest.sort_by_key(|node| (scene.nodes[*node].shape != Shape::Point, *node));
    let mut rest = rest.into_iter();
    loop {
        while let Some(node) = begin.pop() {
            for next in &beside[&node] {
                if !ranks.contains_key(next) {
                    ranks.insert(*next, ranks[&node] + 1);
                    begin.insert(0, *next);
                }
            }
        }
        match rest.by_ref().find(|node| !ranks.contains_key(node)) {
            Some(node) => {
                ranks.insert(node, 0);
                begin.push(node);
            }
            None => break,
        }
    }
    unwired(scene, &mut ranks);
    ranks
}

/// Longest ways along the routes, leaving out steps that lead back.
fn along_routes(scene: &Scene) -> BTreeMap<usize, usize> {
    let mut next: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut order: Vec<usize> = Vec::new();
    for route in &scene.routes {
        for step in &route.steps {
            let (from, to) = match *step {
                Step::Wire(wire, forward) => {
                    let [one, other] = scene.wires[wire].ends;
                    if forward { (one.0, other.0) } else { (other.0, one.0) }
                }
                Step::Hub(one, other) => (scene.spokes[one].plug.0, scene.spokes[other].plug.0),
                Step::Inside(..) | Step::Gap(..) => continue,
            };
            for node in [from, to] {
                if !order.contains(&node) {
                    order.push(node);
                }
            }
            let is_new = from != to && !next.get(&from).is_some_and(|after| after.contains(&to));
            if is_new && !reaches(&next, to, from) {
                next.entry(from).or_default().push(to);
            }
        }
    }
    let mut ranks: BTreeMap<usize, usize> = order.iter().map(|node| (*node, 0)).collect();
    // At most as often as there are nodes: there are no circles.
    for _ in 0..order.len() {
        let mut is_done = true;
        for (from, after) in &next {
            let rank = ranks[from] + 1;
            for to in after {
                if ranks[to] < rank {
                    ranks.insert(*to, rank);
                    is_done = false;
                }
            }
        }
        if is_done {
            break;
        }
    }
    ranks
}

fn reaches(next: &BTreeMap<usize, Vec<usize>>, from: usize, to: usize) -> bool {
    let mut open = vec![from];
    let mut seen = HashSet::from([from]);
    while let Some(node) = open.pop() {
        if node == to {
            return true;
        }
        open.extend(next.get(&node).into_iter().flatten().filter(|after| seen.insert(**after)));
    }
    false
}

/// Parts that no wire reaches fill the columns evenly; own points that no hub reaches go first.
fn unwired(scene: &Scene, ranks: &mut BTreeMap<usize, usize>) {
    let loose: Vec<usize> =
        (0..scene.nodes.len()).filter(|node| scene.nodes[*node].is_part() && !ranks.contains_key(node)).collect();
    let holds_part = |ranks: &BTreeMap<usize, usize>, rank: usize| {
        ranks.iter().filter(|(node, at)| **at == rank && scene.nodes[**node].is_part()).count()
    };
    let first = (0..).find(|rank| holds_part(ranks, *rank) > 0 || *rank > ranks.len()).unwrap_or(0);
    let first = if ranks.keys().any(|node| scene.nodes[*node].is_part()) {
        first
    } else {
        ranks.values().max().map_or(0, |most| most + 1)
    };
    let parts = scene.nodes.iter().filter(|node| node.is_part()).count();
    // About as wide as high, and rather wide.
    let wide = ((parts as f64 * 2.0).sqrt().ceil() as usize).clamp(1, 8);
    let last_part = ranks.iter().filter(|(node, _)| scene.nodes[**node].is_part()).map(|(_, rank)| rank + 1).max();
    let end = last_part.unwrap_or(first).max(first + wide);
    let mut counts: Vec<usize> = (first..end).map(|rank| holds_part(ranks, rank)).collect();
    for node in loose {
        let at = (0..counts.len()).min_by_key(|at| (counts[*at], *at)).unwrap_or(0);
        counts[at] += 1;
        ranks.insert(node, first + at);
    }
    let joined: HashSet<usize> = scene.spokes.iter().map(|spoke| spoke.plug.0).collect();
    for (at, node) in scene.nodes.iter().enumerate() {
        if node.shape == Shape::Point && !joined.contains(&at) {
            ranks.entry(at).or_insert(0);
        }
    }
    // No empty columns.
    let used: Vec<usize> = ranks.values().copied().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    for rank in ranks.values_mut() {
        *rank = used.binary_search(rank).unwrap_or(0);
    }
}

/// Nodes with their columns, those first that routes meet first.
fn by_first_step(scene: &Scene, ranks: &BTreeMap<usize, usize>) -> Vec<(usize, usize)> {
    let mut met: Vec<usize> = Vec::new();
    for route in &scene.routes {
        for step in &route.steps {
            if let Step::Wire(wire, _) = step {
                met.extend(scene.wires[*wire].ends.map(|(node, _)| node));
            }
        }
    }
    let mut seen = HashSet::new();
    let all = met.into_iter().chain(ranks.keys().copied());
    all.filter(|node| seen.insert(*node)).filter_map(|node| Some((node, *ranks.get(&node)?))).collect()
}

/// Puts what is joined side by side: the middle of the neighbours decides (Sugiyama).
fn sort(scene: &Scene, columns: &mut Columns, ranks: &BTreeMap<usize, usize>) {
    let links = neighbours(scene, columns, ranks);
    for round in 0..6 {
        let count = columns.slots.len();
        let order: Vec<usize> =
            if round % 2 == 0 { (1..count).collect() } else { (0..count.saturating_sub(1)).rev().collect() };
        for column in order {
            let beside = if round % 2 == 0 { column - 1 } else { column + 1 };
            let places: BTreeMap<Slot, f64> =
                columns.slots[beside].iter().enumerate().map(|(at, slot)| (*slot, at as f64)).collect();
            let mut keyed: Vec<(f64, usize, Slot)> = columns.slots[column]
                .iter()
                .enumerate()
                .map(|(at, slot)| {
                    let found: Vec<f64> =
                        links.get(slot).into_iter().flatten().filter_map(|other| places.get(other)).copied().collect();
                    let middle = found.iter().sum::<f64>() / found.len() as f64;
                    (if found.is_empty() { at as f64 } else { middle }, at, *slot)
                })
                .collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            columns.slots[column] = keyed.into_iter().map(|(_, _, slot)| slot).collect();
        }
    }
}

/// What each slot is joined to, one column on.
fn neighbours(scene: &Scene, columns: &Columns, ranks: &BTreeMap<usize, usize>) -> BTreeMap<Slot, Vec<Slot>> {
    let mut links: BTreeMap<Slot, Vec<Slot>> = BTreeMap::new();
    for (wire, through) in scene.wires.iter().zip(&columns.through) {
        let [one, other] = wire.ends.map(|(node, _)| node);
        let is_forward = ranks.get(&one) <= ranks.get(&other);
        let (left, right) = if is_forward { (one, other) } else { (other, one) };
        let way: Vec<Slot> = [Slot::Node(left)]
            .into_iter()
            .chain(through.iter().map(|dummy| Slot::Dummy(*dummy)))
            .chain([Slot::Node(right)])
            .collect();
        for pair in way.windows(2) {
            links.entry(pair[0]).or_default().push(pair[1]);
            links.entry(pair[1]).or_default().push(pair[0]);
        }
    }
    links
}

impl Columns {
    /// The column of each node.
    pub(super) fn ranks(&self) -> BTreeMap<usize, usize> {
        let mut ranks = BTreeMap::new();
        for (rank, column) in self.slots.iter().enumerate() {
            for slot in column {
                if let Slot::Node(node) = slot {
                    ranks.insert(*node, rank);
                }
            }
        }
        ranks
    }
}
