//! Builds the pack of one group of commits, and its index.
//!
//! Formats: gitformat-pack(5), pack version 2 and index version 2.

use std::collections::HashMap;

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};
use sha1::{Digest, Sha1};

use super::delta;
use super::error::Error;
use crate::resource::etag::Etag;

/// Longest chain of deltas; git's own default.
const DEPTH_MOST: u8 = 50;

/// What an object is; the numbers are the pack's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Commit = 1,
    Tree = 2,
    Blob = 3,
}

/// Shorter objects are stored as they are: starting the compressor costs more than it saves.
const SMALL: usize = 400;

const OFS_DELTA: u8 = 6;

/// One object in the index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    pub(super) id: Etag,
    pub(super) crc: u32,
    pub(super) offset: u64,
}

/// A finished pack and its index.
#[derive(Debug, Clone)]
pub(super) struct Pack {
    /// The pack's own checksum, which names its files.
    pub(super) name: Etag,
    pub(super) pack: Vec<u8>,
    pub(super) index: Vec<u8>,
}

/// A pack in the making. Keep it for the next group: its compressors are dear to make.
pub(super) struct Builder {
    out: Vec<u8>,
    listed: Vec<Listed>,
    /// Where each object is and how long its chain of deltas.
    places: HashMap<Etag, (u64, u8)>,
    fast: Compress,
}

impl Builder {
    pub(super) fn new() -> Self {
        Builder {
            out: start(),
            listed: Vec::new(),
            places: HashMap::new(),
            fast: Compress::new(Compression::new(1), true),
        }
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Adds an object that is not in the pack yet. Trees are mostly hashes, which do not compress:
    /// they are a delta against `base`, an earlier version in this pack, or stored as they are.
    pub(super) fn add(
        &mut self,
        kind: Kind,
        id: Etag,
        content: &[u8],
        base: Option<(Etag, &Bytes)>,
    ) -> Result<(), Error> {
        if self.places.contains_key(&id) {
            return Ok(());
        }
        let offset = self.out.len() as u64;
        let mut depth = 0;
        let near = base.and_then(|(base, old)| {
            let (place, chain) = *self.places.get(&base)?;
            if chain >= DEPTH_MOST {
                return None;
            }
            Some((place, chain + 1, delta::between(old, content)?))
        });
        match near {
            Some((place, chain, delta)) => {
                depth = chain;
                entry_header(&mut self.out, OFS_DELTA, delta.len() as u64);
                back_offset(&mut self.out, offset - place);
                store(&delta, &mut self.out);
            }
            None => {
                entry_header(&mut self.out, kind as u8, content.len() as u64);
                if kind == Kind::Tree || content.len() < SMALL {
                    store(content, &mut self.out);
                } else {
                    deflate(&mut self.fast, content, &mut self.out)?;
                }
            }
        }
        let crc = crc32fast::hash(&self.out[offset as usize..]);
        self.listed.push(Listed { id, crc, offset });
        self.places.insert(id, (offset, depth));
        Ok(())
    }

    /// Ends the pack and empties the builder for the next one.
    pub(super) fn finish(&mut self) -> Pack {
        let mut pack = std::mem::replace(&mut self.out, start());
        let mut listed = std::mem::take(&mut self.listed);
        self.places.clear();
        seal(&mut pack, &mut listed)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.out.truncate(12);
        self.listed.clear();
        self.places.clear();
    }
}

/// A pack's first twelve bytes, still without the number of objects.
pub(super) fn start() -> Vec<u8> {
    let mut out = Vec::with_capacity(16 << 10);
    out.extend_from_slice(b"PACK\0\0\0\x02\0\0\0\0");
    out
}

/// Fills in the number of objects, adds the checksum and writes the index.
pub(super) fn seal(pack: &mut Vec<u8>, listed: &mut [Listed]) -> Pack {
    let mut pack = std::mem::take(pack);
    let objects = listed.len() as u32;
    pack[8..12].copy_from_slice(&objects.to_be_bytes());
    let sum: [u8; 20] = Sha1::digest(&pack).into();
    pack.extend_from_slice(&sum);
    let index = index(listed, &sum);
    Pack { name: Etag(sum), pack, index }
}

/// Index version 2 of the objects, which it sorts.
fn index(listed: &mut [Listed], sum: &[u8; 20]) -> Vec<u8> {
    listed.sort_unstable_by_key(|l| l.id);
    let mut out = Vec::with_capacity(8 + 1024 + listed.len() * 28 + 40);
    out.extend_from_slice(b"\xfftOc\0\0\0\x02");
    let mut at = 0;
    for first in 0..=255u8 {
        while listed.get(at).is_some_and(|l| l.id.0[0] <= first) {
            at += 1;
        }
        out.extend_from_slice(&(at as u32).to_be_bytes());
    }
    for object in &*listed {
        out.extend_from_slice(&object.id.0);
    }
    for object in &*listed {
        out.extend_from_slice(&object.crc.to_be_bytes());
    }
    // Packs here stay below 2 GiB, so that no offset needs the table of long ones.
    for object in &*listed {
        out.extend_from_slice(&(object.offset as u32).to_be_bytes());
    }
    out.extend_from_slice(sum);
    let own: [u8; 20] = Sha1::digest(&out).into();
    out.extend_from_slice(&own);
    out
}

/// Type and inflated size of an entry.
fn entry_header(out: &mut Vec<u8>, kind: u8, size: u64) {
    let mut byte = (kind << 4) | (size & 15) as u8;
    let mut rest = size >> 4;
    while rest > 0 {
        out.push(byte | 0x80);
        byte = (rest & 0x7f) as u8;
        rest >>= 7;
    }
    out.push(byte);
}

/// The distance back to a delta's base.
pub(super) fn back_offset(out: &mut Vec<u8>, distance: u64) {
    let mut bytes = [0u8; 10];
    let mut at = bytes.len() - 1;
    let mut rest = distance;
    bytes[at] = (rest & 0x7f) as u8;
    rest >>= 7;
    while rest > 0 {
        rest -= 1;
        at -= 1;
        bytes[at] = 0x80 | (rest & 0x7f) as u8;
        rest >>= 7;
    }
    out.extend_from_slice(&bytes[at..]);
}

/// A zlib stream (RFC 1950) of stored blocks.
fn store(content: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x78, 0x01]);
    let mut chunks = content.chunks(0xffff).peekable();
    if content.is_empty() {
        out.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(chunk) = chunks.next() {
        let length = (chunk.len() as u16).to_le_bytes();
        out.push(u8::from(chunks.peek().is_none()));
        out.extend_from_slice(&length);
        out.extend_from_slice(&length.map(|b| !b));
        out.extend_from_slice(chunk);
    }
    out.extend_from_slice(&adler32(content).to_be_bytes());
}

fn adler32(content: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut a, mut b) = (1u32, 0u32);
    // As many as cannot overflow.
    for chunk in content.chunks(5552) {
        for byte in chunk {
            a += u32::from(*byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    (b << 16) | a
}

fn deflate(level: &mut Compress, content: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    level.reset();
    let mut rest = content;
    out.reserve(content.len() / 2 + 64);
    loop {
        let before = level.total_in();
        let status = level
            .compress_vec(rest, out, FlushCompress::Finish)
            .map_err(|error| Error::Git { doing: "compress an object".into(), what: error.to_string() })?;
        rest = &rest[(level.total_in() - before) as usize..];
        if status == Status::StreamEnd {
            return Ok(());
        }
        out.reserve(rest.len() + 256);
    }
}

/// The id of a file's bytes. Users choose these bytes, so the hash is the one that detects made-up
/// collisions.
pub fn blob_id(content: &[u8]) -> Result<Etag, Error> {
    user_id(git2::ObjectType::Blob, content)
}

/// The id of a commit, whose message is a user's.
pub(super) fn commit_id(content: &[u8]) -> Result<Etag, Error> {
    user_id(git2::ObjectType::Commit, content)
}

fn user_id(kind: git2::ObjectType, content: &[u8]) -> Result<Etag, Error> {
    let oid = git2::Oid::hash_object(kind, content).map_err(Error::git("hash an object"))?;
    let mut id = Etag([0; 20]);
    id.0.copy_from_slice(oid.as_bytes());
    Ok(id)
}

/// The id of a tree: names and ids that were checked before, hashed the fast way.
pub(super) fn tree_id(content: &[u8]) -> Etag {
    let mut hash = Sha1::new();
    hash.update(format!("tree {}\0", content.len()).as_bytes());
    hash.update(content);
    Etag(hash.finalize().into())
}
