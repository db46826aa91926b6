//! Rows and touches as bytes: lengths and small numbers as LEB128, texts as UTF-8.

use std::sync::Arc;

use crate::resource::etag::Etag;
use crate::resource::row::{Moment, Row, Touch};

/// Encodes a row.
pub(super) fn encode_row(row: &Row) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    for text in [&row.kind, &row.workspace, &row.path, &row.id] {
        put_text(&mut out, text);
    }
    out.extend_from_slice(&row.etag.0);
    put_moment(&mut out, row.created);
    put_moment(&mut out, row.updated);
    put_number(&mut out, u64::from(row.violations));
    put_number(&mut out, row.texts.len() as u64);
    for (slot, text) in &row.texts {
        out.push(*slot);
        put_text(&mut out, text);
    }
    put_number(&mut out, row.numbers.len() as u64);
    for (slot, number) in &row.numbers {
        out.push(*slot);
        out.extend_from_slice(&number.to_le_bytes());
    }
    out
}

/// Decodes a row; `None` when the bytes are not one.
pub(super) fn decode_row(bytes: &[u8]) -> Option<Row> {
    let input = &mut &*bytes;
    let (kind, workspace, path, id) = (text(input)?, text(input)?, text(input)?, text(input)?);
    let etag = Etag(take(input, 20)?.try_into().ok()?);
    let (created, updated) = (moment(input)?, moment(input)?);
    let violations = number(input)? as u32;
    let count = number(input)? as usize;
    let mut texts = Vec::with_capacity(count.min(bytes.len()));
    for _ in 0..count {
        texts.push((take(input, 1)?[0], text(input)?));
    }
    let count = number(input)? as usize;
    let mut numbers = Vec::with_capacity(count.min(bytes.len()));
    for _ in 0..count {
        numbers.push((take(input, 1)?[0], u64::from_le_bytes(take(input, 8)?.try_into().ok()?)));
    }
    Some(Row { kind, workspace, path, id, etag, created, updated, violations, texts, numbers })
}

/// Encodes a touch.
pub(super) fn encode_touch(touch: &Touch) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    for text in [&touch.id, &touch.workspace, &touch.path, &touch.commit] {
        put_text(&mut out, text);
    }
    put_moment(&mut out, touch.at);
    out.push(u8::from(touch.deleted));
    out
}

/// Decodes a touch; `None` when the bytes are not one.
pub(super) fn decode_touch(bytes: &[u8]) -> Option<Touch> {
    let input = &mut &*bytes;
    Some(Touch {
        id: text(input)?,
        workspace: text(input)?,
        path: text(input)?,
        commit: text(input)?,
        at: moment(input)?,
        deleted: take(input, 1)?[0] != 0,
    })
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_moment(out: &mut Vec<u8>, moment: Moment) {
    out.extend_from_slice(&moment.seconds.to_le_bytes());
    put_number(out, u64::from(moment.generation));
}

fn take<'a>(input: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(count)?;
    *input = rest;
    Some(taken)
}

fn number(input: &mut &[u8]) -> Option<u64> {
    let mut out = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(input, 1)?[0];
        out |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(out);
        }
    }
    None
}

fn text(input: &mut &[u8]) -> Option<Arc<str>> {
    let length = number(input)? as usize;
    std::str::from_utf8(take(input, length)?).ok().map(Arc::from)
}

fn moment(input: &mut &[u8]) -> Option<Moment> {
    let seconds = i64::from_le_bytes(take(input, 8)?.try_into().ok()?);
    Some(Moment { seconds, generation: number(input)? as u32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_comes_back() {
        let row = Row {
            kind: "component".into(),
            workspace: "alice/main".into(),
            path: format!("components/{}.yml", "x".repeat(300)).into(),
            id: "tß".into(),
            etag: Etag([7; 20]),
            created: Moment { seconds: -5, generation: 300 },
            updated: Moment { seconds: 1 << 40, generation: u32::MAX },
            violations: 1000,
            texts: vec![(0, "a".into()), (31, "".into()), (0, "b".into())],
            numbers: vec![(3, u64::MAX), (0, 0)],
        };
        let bytes = encode_row(&row);
        assert_eq!(decode_row(&bytes), Some(row));
        for end in 0..bytes.len() {
            assert_eq!(decode_row(&bytes[..end]), None, "cut at {end}");
        }
        let touch = Touch {
            id: "n1".into(),
            workspace: "a/b".into(),
            path: "p".into(),
            commit: "c".repeat(40).into(),
            at: Moment { seconds: 1, generation: 2 },
            deleted: true,
        };
        assert_eq!(decode_touch(&encode_touch(&touch)), Some(touch));
    }
}
