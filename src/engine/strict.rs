//! What a strict write may not do (decisions.md 8): add a violation.

use std::collections::HashMap;

use crate::resource::check::Violation;

/// Violations that there are more of than before. An item's place in its list does not count: it
/// changes when one is put before it.
pub(super) fn added(old: &[Violation], new: &[Violation]) -> Vec<Violation> {
    fn anywhere(violation: &Violation) -> (String, String) {
        let is_index = |segment: &str| !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit());
        let segments = violation.pointer.split('/').map(|segment| if is_index(segment) { "*" } else { segment });
        // A message begins with the name, which may hold the place too.
        let rest = violation.message.split_once(": ").map_or(violation.message.as_str(), |(_, rest)| rest);
        (segments.collect::<Vec<_>>().join("/"), rest.to_owned())
    }
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    for violation in old {
        *counts.entry(anywhere(violation)).or_default() += 1;
    }
    let is_new = |violation: &&Violation| match counts.get_mut(&anywhere(violation)) {
        Some(left @ 1..) => {
            *left -= 1;
            false
        }
        _ => true,
    };
    let added: Vec<Violation> = new.iter().filter(is_new).cloned().collect();
    // Where not all were listed, mending some brings as many others to light.
    let mended = counts.values().sum();
    if old.iter().any(Violation::is_more) && added.len() <= mended { Vec::new() } else { added }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(pointer: &str, message: &str) -> Violation {
        Violation { pointer: pointer.into(), line: 1, column: 1, message: message.into() }
    }

    #[test]
    fn mending_what_is_listed_may_show_what_was_not() {
        let at = |at: usize| violation(&format!("/k{at}"), "must be a string");
        let more = violation("", "there are more violations: only the first 100 are listed");
        let listed = |range: std::ops::Range<usize>| range.map(at).chain([more.clone()]).collect::<Vec<_>>();
        assert!(added(&listed(0..100), &listed(1..101)).is_empty());
        assert_eq!(added(&listed(0..100), &listed(0..101)).len(), 1);
        let all: Vec<Violation> = (0..100).map(at).collect();
        assert_eq!(added(&all, &(1..101).map(at).collect::<Vec<_>>()).len(), 1);
    }

    #[test]
    fn an_old_violation_may_move_but_not_multiply() {
        let old = || vec![violation("/points/0/id", "points[0].id: must be a string")];
        let moved = violation("/points/1/id", "points[1].id: must be a string");
        assert!(added(&old(), std::slice::from_ref(&moved)).is_empty());
        let both = [violation("/points/0/id", "points[0].id: must be a string"), moved];
        assert_eq!(added(&old(), &both).len(), 1);
        assert_eq!(added(&[], &both).len(), 2);
        assert_eq!(added(&old(), &[violation("/points/0/id", "points[0].id: must not be empty")]).len(), 1);
    }
}
