//! Patches of a text.

/// Bytes to replace.
#[derive(Debug)]
pub(super) struct Patch {
    start: usize,
    end: usize,
    with: String,
}

impl Patch {
    pub(super) fn new(start: usize, end: usize, with: impl Into<String>) -> Patch {
        Patch { start, end, with: with.into() }
    }
}

/// Applies patches; `None` when they overlap. Insertions at one place keep their order and go
/// before what is replaced from there on.
pub(super) fn apply(text: &str, patches: &mut [Patch]) -> Option<String> {
    patches.sort_by_key(|patch| (patch.start, patch.end));
    let mut out = String::with_capacity(text.len() + patches.iter().map(|patch| patch.with.len()).sum::<usize>());
    let mut at = 0;
    for patch in patches {
        out.push_str(text.get(at..patch.start)?);
        out.push_str(&patch.with);
        at = patch.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}
