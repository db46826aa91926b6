//! Who descends from whom: parents, generations, ancestry.

use std::collections::{HashMap, HashSet};

use super::commit;
use super::error::Error;
use super::objects::Objects;
use crate::resource::etag::Etag;

/// How far a straight line of ancestors is followed before history is walked in full.
const STRAIGHT_MOST: u32 = 20_000;

pub(super) fn parents(objects: &Objects, commit: Etag) -> Result<Vec<Etag>, Error> {
    let raw = objects.commit(commit)?;
    Ok(commit::parse(&raw).ok_or_else(|| Error::damaged("read a commit"))?.parents)
}

/// A commit's generation, given another one's that is likely near.
pub(super) fn generation(objects: &Objects, commit: Etag, known: Option<(Etag, u32)>) -> Result<u32, Error> {
    let mut generations = HashMap::from_iter(known);
    if let Some(found) = generations.get(&commit) {
        return Ok(*found);
    }
    // Down the line from what is known, while it is straight.
    if let Some((mut at, mut generation)) = known
        && !descends_straight(objects, commit, at)?
    {
        for _ in 0..STRAIGHT_MOST {
            let parents = parents(objects, at)?;
            let [parent] = parents[..] else { break };
            (at, generation) = (parent, generation.saturating_sub(1));
            if at == commit {
                return Ok(generation);
            }
            generations.insert(at, generation);
        }
    }
    fill(|id| parents(objects, id), commit, &mut generations)
}

/// Whether `base` is a few single steps below `commit`.
fn descends_straight(objects: &Objects, commit: Etag, base: Etag) -> Result<bool, Error> {
    let mut at = commit;
    for _ in 0..64 {
        let parents = parents(objects, at)?;
        let [parent] = parents[..] else { return Ok(false) };
        if parent == base {
            return Ok(true);
        }
        at = parent;
    }
    Ok(false)
}

/// Walks down to what is known and counts back up.
pub(super) fn fill(
    parents: impl Fn(Etag) -> Result<Vec<Etag>, Error>,
    commit: Etag,
    known: &mut HashMap<Etag, u32>,
) -> Result<u32, Error> {
    let mut waiting = vec![(commit, None::<Vec<Etag>>)];
    while let Some((at, read)) = waiting.pop() {
        if known.contains_key(&at) {
            continue;
        }
        match read {
            None => {
                let parents = parents(at)?;
                waiting.push((at, Some(parents.clone())));
                waiting.extend(parents.into_iter().filter(|p| !known.contains_key(p)).map(|p| (p, None)));
            }
            Some(parents) => {
                let highest = parents.iter().filter_map(|p| known.get(p)).max();
                known.insert(at, highest.map_or(0, |g| g + 1));
            }
        }
    }
    known.get(&commit).copied().ok_or_else(|| Error::damaged("count a commit's ancestors"))
}

/// Whether `ancestor` is `commit` or can be reached from it.
pub(super) fn contains(objects: &Objects, commit: Etag, ancestor: Etag) -> Result<bool, Error> {
    let mut seen = HashSet::from([commit]);
    let mut waiting = vec![commit];
    while let Some(at) = waiting.pop() {
        if at == ancestor {
            return Ok(true);
        }
        for parent in parents(objects, at)? {
            if seen.insert(parent) {
                waiting.push(parent);
            }
        }
    }
    Ok(false)
}
