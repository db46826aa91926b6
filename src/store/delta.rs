//! Git's delta format, for the one shape that trees need: a changed stretch between equal ends.

/// Bytes that one insert instruction can carry.
const INSERT_MOST: usize = 127;
/// Bytes that one copy instruction can take; git allows 64 kB and writes no more either.
const COPY_MOST: usize = 0xffff;

/// The instructions that turn `old` into `new`, unless they would be longer than half of `new`.
pub(super) fn between(old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let prefix = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - prefix;
    let suffix = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let middle = &new[prefix..new.len() - suffix];
    if middle.len() + 32 > new.len() / 2 {
        return None;
    }
    let mut out = Vec::with_capacity(middle.len() + 64);
    size(&mut out, old.len());
    size(&mut out, new.len());
    copy(&mut out, 0, prefix);
    for chunk in middle.chunks(INSERT_MOST) {
        out.push(chunk.len() as u8);
        out.extend_from_slice(chunk);
    }
    copy(&mut out, old.len() - suffix, suffix);
    Some(out)
}

fn size(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn copy(out: &mut Vec<u8>, mut from: usize, mut length: usize) {
    while length > 0 {
        let take = length.min(COPY_MOST);
        let at = out.len();
        let mut op = 0x80u8;
        out.push(op);
        for (bit, byte) in (from as u32).to_le_bytes().into_iter().enumerate() {
            if byte != 0 {
                op |= 1 << bit;
                out.push(byte);
            }
        }
        for (bit, byte) in (take as u32).to_le_bytes().into_iter().take(2).enumerate() {
            if byte != 0 {
                op |= 0x10 << bit;
                out.push(byte);
            }
        }
        out[at] = op;
        from += take;
        length -= take;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn apply(old: &[u8], delta: &[u8]) -> Vec<u8> {
        let mut rest = delta;
        let number = |rest: &mut &[u8]| {
            let (mut value, mut shift) = (0usize, 0);
            loop {
                let byte = rest[0];
                *rest = &rest[1..];
                value |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    return value;
                }
            }
        };
        assert_eq!(number(&mut rest), old.len());
        let length = number(&mut rest);
        let mut out = Vec::new();
        while let Some((&op, tail)) = rest.split_first() {
            rest = tail;
            if op & 0x80 == 0 {
                out.extend_from_slice(&rest[..usize::from(op)]);
                rest = &rest[usize::from(op)..];
                continue;
            }
            let mut take = |bits: std::ops::Range<u8>| {
                let mut value = 0usize;
                for (at, bit) in bits.enumerate() {
                    if op & (1 << bit) != 0 {
                        value |= usize::from(rest[0]) << (8 * at);
                        rest = &rest[1..];
                    }
                }
                value
            };
            let from = take(0..4);
            let length = take(4..7);
            out.extend_from_slice(&old[from..from + length]);
        }
        assert_eq!(out.len(), length);
        out
    }

    proptest! {
        #[test]
        fn deltas_apply(
            head in prop::collection::vec(any::<u8>(), 0..300),
            tail in prop::collection::vec(any::<u8>(), 0..300),
            gone in prop::collection::vec(any::<u8>(), 0..40),
            new in prop::collection::vec(any::<u8>(), 0..200),
            repeat in 1usize..500,
        ) {
            let head = head.repeat(repeat);
            let old = [head.clone(), gone, tail.clone()].concat();
            let new = [head, new, tail].concat();
            if let Some(delta) = between(&old, &new) {
                prop_assert!(apply(&old, &delta) == new);
            }
        }
    }
}
