//! Which item of a list became which.

use serde_json::{Map, Value};

use super::same;

/// What becomes of a list's items, in the new order; deleted ones stand where they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    /// (old index, new index)
    Keep(usize, usize),
    Delete(usize),
    Insert(usize),
}

/// Keys whose value names an item.
const IDENTITY: [&str; 5] = ["id", "identifier", "uuid", "key", "name"];
/// Largest table of the alignment: beyond it items are matched by position.
const TABLE: usize = 250_000;
/// Most values to compare for that.
const WORK: usize = 20_000_000;
const EQUAL: u32 = 1000;

/// Matches items: equal ones at both ends first, the others so that the matches are the most alike
/// in sum, keeping their order. What is left over between two matches is paired by position, so
/// that a changed scalar is a change and not a removal and an insertion.
pub(super) fn align(old: &[Value], new: &[Value]) -> Vec<Op> {
    let head = old.iter().zip(new).take_while(|(a, b)| same(a, b)).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| same(a, b)).count();
    let mut ops: Vec<Op> = (0..head).map(|at| Op::Keep(at, at)).collect();
    middle(&old[head..old.len() - tail], &new[head..new.len() - tail], head, &mut ops);
    ops.extend((0..tail).rev().map(|at| Op::Keep(old.len() - 1 - at, new.len() - 1 - at)));
    ops
}

fn middle(old: &[Value], new: &[Value], offset: usize, ops: &mut Vec<Op>) {
    let is_small = old.len() * new.len() <= TABLE && old.len() * new.iter().map(size).sum::<usize>() <= WORK;
    let mut pairs = if is_small { best_pairs(old, new) } else { Vec::new() };
    pairs.push((old.len(), new.len()));
    let (mut i, mut j) = (0, 0);
    for (to_i, to_j) in pairs {
        while i < to_i && j < to_j && may_pair(&old[i], &new[j]) {
            ops.push(Op::Keep(offset + i, offset + j));
            (i, j) = (i + 1, j + 1);
        }
        ops.extend((i..to_i).map(|i| Op::Delete(offset + i)));
        ops.extend((j..to_j).map(|j| Op::Insert(offset + j)));
        if to_i < old.len() && to_j < new.len() {
            ops.push(Op::Keep(offset + to_i, offset + to_j));
        }
        (i, j) = (to_i + 1, to_j + 1);
    }
}

/// The matches with the highest sum of likeness.
fn best_pairs(old: &[Value], new: &[Value]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let mut likeness = vec![0u32; old.len() * new.len()];
    let mut best = vec![0u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let score = alike(&old[i], &new[j]);
            likeness[i * new.len() + j] = score;
            let matched = if score > 0 { score + best[(i + 1) * width + j + 1] } else { 0 };
            best[i * width + j] = matched.max(best[(i + 1) * width + j]).max(best[i * width + j + 1]);
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < old.len() && j < new.len() {
        let score = likeness[i * new.len() + j];
        if score > 0 && best[i * width + j] == score + best[(i + 1) * width + j + 1] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if best[i * width + j] == best[(i + 1) * width + j] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// Values in a value.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

/// How alike two items are, 0 for not at all.
fn alike(a: &Value, b: &Value) -> u32 {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => match identity(a, b) {
            Some(true) => EQUAL - 100 + shared(a, b) / 20,
            Some(false) => 0,
            None => shared(a, b),
        },
        _ if same(a, b) => EQUAL,
        _ => 0,
    }
}

/// Members that are equal in both, of 1000.
fn shared(a: &Map<String, Value>, b: &Map<String, Value>) -> u32 {
    let equal = a.iter().filter(|(key, a)| b.get(*key).is_some_and(|b| same(a, b))).count();
    (equal * EQUAL as usize / a.len().max(b.len()).max(1)) as u32
}

/// Whether both are named the same; `None` when one has no name.
fn identity(a: &Map<String, Value>, b: &Map<String, Value>) -> Option<bool> {
    let named = |value: &Value| value.is_string() || value.is_number();
    IDENTITY.iter().find_map(|key| match (a.get(*key), b.get(*key)) {
        (Some(a), Some(b)) if named(a) && named(b) => Some(same(a, b)),
        _ => None,
    })
}

/// Whether an item that is left over may become another.
fn may_pair(a: &Value, b: &Value) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b) || !(super::is_collection(a) || super::is_collection(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(old: Value, new: Value, expect: &[Op]) {
        let (Value::Array(old), Value::Array(new)) = (old, new) else { panic!("lists") };
        assert_eq!(align(&old, &new), expect);
    }

    #[test]
    fn items_keep_their_partner() {
        use Op::{Delete, Insert, Keep};
        check(json!([1, 2, 3]), json!([1, 3]), &[Keep(0, 0), Delete(1), Keep(2, 1)]);
        check(json!([1, 3]), json!([1, 2, 3]), &[Keep(0, 0), Insert(1), Keep(1, 2)]);
        check(json!([1, 2, 3]), json!([1, 9, 3]), &[Keep(0, 0), Keep(1, 1), Keep(2, 2)]);
        check(
            json!([{"id": "a", "x": 1}, {"id": "b", "x": 1}]),
            json!([{"id": "b", "x": 2}]),
            &[Delete(0), Keep(1, 0)],
        );
        check(json!([{"x": 1, "y": 1}]), json!([{"z": 1}, {"x": 1, "y": 2}]), &[Insert(0), Keep(0, 1)]);
        check(json!([1, 2]), json!([2, 1]), &[Delete(0), Keep(1, 0), Insert(1)]);
        check(json!([]), json!([1]), &[Insert(0)]);
    }
}
