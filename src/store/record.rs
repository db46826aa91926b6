//! The journal's format: a header that names the epoch, and records with their sums.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::base::clock;
use crate::resource::etag::Etag;

const MAGIC: &[u8; 8] = b"WLJRNL01";
const RECORD: &[u8; 4] = b"WLRC";
/// Two copies of the header, used in turn, stand before the records.
pub(super) const HEADER_SLOT: u64 = 512;
pub(super) const FRONT: u64 = 4096;
/// A record's own header: magic, sums, epoch, sequence, length.
pub(super) const RECORD_HEAD: usize = 4 + 4 + 4 + 8 + 8 + 4;

/// One group of commits; without a pack a push, whose objects are synced, or, where `old` is `new`,
/// the news that the last one was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// `owner/name`.
    pub(super) workspace: String,
    pub(super) old: Etag,
    pub(super) new: Etag,
    pub(super) pack: Vec<u8>,
    pub(super) index: Vec<u8>,
}

pub(super) fn header(epoch: u64) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&epoch.to_le_bytes());
    out.extend_from_slice(&clock::now().to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&out).to_le_bytes());
    out
}

pub(super) fn newest_header(file: &File) -> Option<(u64, i64)> {
    let read = |slot: u64| {
        let mut bytes = [0; 28];
        file.read_exact_at(&mut bytes, slot * HEADER_SLOT).ok()?;
        let (body, sum) = bytes.split_at(24);
        (body.starts_with(MAGIC) && crc32fast::hash(body).to_le_bytes() == *sum)
            .then(|| (long(body, 8), long(body, 16) as i64))
    };
    read(0).into_iter().chain(read(1)).max()
}

fn long(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

fn short(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

pub(super) fn record_head(epoch: u64, sequence: u64, length: u32, body_sum: u32) -> [u8; RECORD_HEAD] {
    let mut out = [0; RECORD_HEAD];
    out[..4].copy_from_slice(RECORD);
    out[8..12].copy_from_slice(&body_sum.to_le_bytes());
    out[12..20].copy_from_slice(&epoch.to_le_bytes());
    out[20..28].copy_from_slice(&sequence.to_le_bytes());
    out[28..32].copy_from_slice(&length.to_le_bytes());
    let sum = crc32fast::hash(&out[8..]);
    out[4..8].copy_from_slice(&sum.to_le_bytes());
    out
}

pub(super) fn encode(workspace: &str, old: Etag, new: Etag, pack: &[u8], index: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(52 + workspace.len() + pack.len() + index.len());
    for length in [workspace.len(), pack.len(), index.len()] {
        out.extend_from_slice(&(length as u32).to_le_bytes());
    }
    out.extend_from_slice(&old.0);
    out.extend_from_slice(&new.0);
    out.extend_from_slice(workspace.as_bytes());
    out.extend_from_slice(pack);
    out.extend_from_slice(index);
    out
}

fn decode(body: &[u8]) -> Option<Record> {
    let front = body.get(..52)?;
    let lengths = [0, 4, 8].map(|at| short(front, at) as usize);
    let mut rest = &body[52..];
    let mut take = |length: usize| {
        let (part, tail) = rest.split_at_checked(length)?;
        rest = tail;
        Some(part.to_vec())
    };
    let workspace = String::from_utf8(take(lengths[0])?).ok()?;
    let record = Record {
        workspace,
        old: Etag(front[12..32].try_into().ok()?),
        new: Etag(front[32..52].try_into().ok()?),
        pack: take(lengths[1])?,
        index: take(lengths[2])?,
    };
    rest.is_empty().then_some(record)
}

/// The records of this epoch, up to the first that is torn or older.
pub(super) fn read_records(file: &File, epoch: u64, capacity: u64) -> io::Result<(Vec<Record>, u64)> {
    let mut records = Vec::new();
    let mut at = FRONT;
    while at + RECORD_HEAD as u64 <= capacity {
        let mut head = [0; RECORD_HEAD];
        file.read_exact_at(&mut head, at)?;
        let whole = head.starts_with(RECORD) && crc32fast::hash(&head[8..]) == short(&head, 4);
        if !whole || long(&head, 12) != epoch || long(&head, 20) != records.len() as u64 {
            break;
        }
        let length = u64::from(short(&head, 28));
        if at + RECORD_HEAD as u64 + length > capacity {
            break;
        }
        let mut body = vec![0; length as usize];
        file.read_exact_at(&mut body, at + RECORD_HEAD as u64)?;
        if crc32fast::hash(&body) != short(&head, 8) {
            break;
        }
        let Some(record) = decode(&body) else { break };
        records.push(record);
        at += RECORD_HEAD as u64 + length;
    }
    Ok((records, at))
}
