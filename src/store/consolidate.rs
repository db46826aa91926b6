//! Merges packs by moving their entries as they are: nothing is inflated.
//!
//! A delta's distance to its base changes only where a doubled object was left out between the
//! two; then its header is written anew.

use std::collections::HashMap;

use super::error::Error;
use super::pack::{self, Listed, Pack};
use crate::resource::etag::Etag;

const OFS_DELTA: u8 = 6;

/// One pack from several, without doubles. The first copy of an object stays, which keeps every
/// base before its deltas.
pub(super) fn merge(packs: &[(Vec<u8>, Vec<Listed>)]) -> Result<Pack, Error> {
    let mut out = pack::start();
    out.reserve(packs.iter().map(|(pack, _)| pack.len()).sum());
    let mut listed: Vec<Listed> = Vec::new();
    let mut places: HashMap<Etag, u64> = HashMap::new();
    for (bytes, entries) in packs {
        let end = bytes.len().saturating_sub(20);
        let ids: HashMap<u64, Etag> = entries.iter().map(|e| (e.offset, e.id)).collect();
        for (n, entry) in entries.iter().enumerate() {
            if places.contains_key(&entry.id) {
                continue;
            }
            let stop = entries.get(n + 1).map_or(end, |next| next.offset as usize);
            let start = entry.offset as usize;
            let raw = bytes.get(start..stop).ok_or_else(damaged)?;
            let offset = out.len() as u64;
            let mut crc = entry.crc;
            match delta_base(raw)? {
                None => out.extend_from_slice(raw),
                Some((head, after, distance)) => {
                    let base = entry.offset.checked_sub(distance).and_then(|at| ids.get(&at)).ok_or_else(damaged)?;
                    let place = *places.get(base).ok_or_else(damaged)?;
                    if offset - place == distance {
                        out.extend_from_slice(raw);
                    } else {
                        out.extend_from_slice(&raw[..head]);
                        pack::back_offset(&mut out, offset - place);
                        out.extend_from_slice(&raw[after..]);
                        crc = crc32fast::hash(&out[offset as usize..]);
                    }
                }
            }
            places.insert(entry.id, offset);
            listed.push(Listed { id: entry.id, crc, offset });
        }
    }
    Ok(pack::seal(&mut out, &mut listed))
}

fn damaged() -> Error {
    Error::damaged("merge packs")
}

/// For a delta by offset: the length of its type and size, where its data starts, and the distance.
fn delta_base(raw: &[u8]) -> Result<Option<(usize, usize, u64)>, Error> {
    let first = *raw.first().ok_or_else(damaged)?;
    if (first >> 4) & 7 != OFS_DELTA {
        return Ok(None);
    }
    let head = raw.iter().position(|b| b & 0x80 == 0).ok_or_else(damaged)? + 1;
    let mut at = head;
    let mut distance = 0u64;
    loop {
        let byte = *raw.get(at).ok_or_else(damaged)?;
        at += 1;
        distance = (distance << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok(Some((head, at, distance)));
        }
        distance = distance.checked_add(1).filter(|d| *d < 1 << 40).ok_or_else(damaged)?;
    }
}
