//! ZIP archives: writing them so that the same content gives the same bytes, and finding one file in
//! a stranger's (APPNOTE 6.3; no ZIP64, no encryption).

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// 1980-01-01, the first day there is: times would make every build another.
const DATE: u16 = 0x0021;
const VERSION: u16 = 20;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// A regular file that all may read, made on Unix.
const MADE_BY: u16 = 3 << 8 | VERSION;
const ATTRIBUTES: u32 = 0o100_644 << 16;

/// Most bytes of all content together: sizes and places have 32 bits.
pub(super) const MOST: usize = 1 << 30;

/// An archive of these files in this order; `None` when that is too much for one.
pub(super) fn write(files: &[(String, Vec<u8>)]) -> std::io::Result<Option<Vec<u8>>> {
    let whole: usize = files.iter().map(|(name, bytes)| name.len() + bytes.len() + 128).sum();
    if whole > MOST || files.len() > usize::from(u16::MAX) - 1 || files.iter().any(|(name, _)| name.len() > 0xffff) {
        return Ok(None);
    }
    let mut out = Vec::new();
    let mut central = Vec::new();
    for (name, bytes) in files {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes)?;
        let deflated = encoder.finish()?;
        let (method, packed) = if deflated.len() < bytes.len() { (DEFLATED, &deflated) } else { (STORED, bytes) };
        let mut common = Vec::with_capacity(30);
        for field in [VERSION, FLAGS, method, 0, DATE] {
            common.extend(field.to_le_bytes());
        }
        // Bounded above.
        for field in [crc32fast::hash(bytes), packed.len() as u32, bytes.len() as u32] {
            common.extend(field.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0u16.to_le_bytes());
        let offset = out.len() as u32;
        out.extend(LOCAL.to_le_bytes());
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(packed);
        central.extend(CENTRAL.to_le_bytes());
        central.extend(MADE_BY.to_le_bytes());
        central.extend(&common);
        // No comment, first disk, no attributes of DOS.
        central.extend([0; 6]);
        central.extend(ATTRIBUTES.to_le_bytes());
        central.extend(offset.to_le_bytes());
        central.extend(name.as_bytes());
    }
    let (start, size, count) = (out.len() as u32, central.len() as u32, files.len() as u16);
    out.extend(central);
    out.extend(END.to_le_bytes());
    out.extend([0; 4]);
    for field in [count, count] {
        out.extend(field.to_le_bytes());
    }
    for field in [size, start] {
        out.extend(field.to_le_bytes());
    }
    out.extend(0u16.to_le_bytes());
    Ok(Some(out))
}

/// Why a file of an archive cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::dialect::editor) enum Unreadable {
    #[error("it is no ZIP archive, or a damaged one")]
    Archive,
    #[error("it uses a compression other than deflate")]
    Method,
    #[error("the file is too large")]
    Size,
}

/// One file of an archive, of at most so many bytes; `None` when it is not in it.
pub(in crate::dialect::editor) fn read(archive: &[u8], name: &str, most: usize) -> Result<Option<Vec<u8>>, Unreadable> {
    let bad = Unreadable::Archive;
    // The end record is the last thing but a comment of at most 64 KiB.
    let tail = archive.len().saturating_sub(22 + 0xffff);
    let end = memchr::memmem::rfind(&archive[tail..], &END.to_le_bytes()).ok_or(bad)? + tail;
    let count = word(archive, end + 10).filter(|_| archive.len() >= end + 22).ok_or(bad)?;
    let mut at = double(archive, end + 16).ok_or(bad)? as usize;
    for _ in 0..count {
        if double(archive, at).ok_or(bad)? != CENTRAL {
            return Err(bad);
        }
        let lengths = [28, 30, 32].map(|offset| word(archive, at + offset).map(usize::from));
        let [Some(name_length), Some(extra), Some(comment)] = lengths else { return Err(bad) };
        let named = archive.get(at + 46..at + 46 + name_length).ok_or(bad)?;
        if named == name.as_bytes() {
            return content(archive, at, most).map(Some);
        }
        at += 46 + name_length + extra + comment;
    }
    Ok(None)
}

/// The file that an entry of the central directory describes.
fn content(archive: &[u8], entry: usize, most: usize) -> Result<Vec<u8>, Unreadable> {
    let bad = Unreadable::Archive;
    let method = word(archive, entry + 10).ok_or(bad)?;
    let sum = double(archive, entry + 16).ok_or(bad)?;
    let packed = double(archive, entry + 20).ok_or(bad)? as usize;
    let local = double(archive, entry + 42).ok_or(bad)? as usize;
    if double(archive, local).ok_or(bad)? != LOCAL {
        return Err(bad);
    }
    let [Some(name), Some(extra)] = [26, 28].map(|offset| word(archive, local + offset).map(usize::from)) else {
        return Err(bad);
    };
    let start = local + 30 + name + extra;
    let packed = archive.get(start..start.checked_add(packed).ok_or(bad)?).ok_or(bad)?;
    let mut out = Vec::new();
    // What it says of its size is not believed.
    let limit = most as u64 + 1;
    match method {
        STORED => packed.take(limit).read_to_end(&mut out).map_err(|_| bad)?,
        DEFLATED => DeflateDecoder::new(packed).take(limit).read_to_end(&mut out).map_err(|_| bad)?,
        _ => return Err(Unreadable::Method),
    };
    if out.len() > most {
        return Err(Unreadable::Size);
    }
    if crc32fast::hash(&out) == sum { Ok(out) } else { Err(bad) }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn double(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let files = [
            ("META-INF/MANIFEST.MF".to_owned(), b"name: a\n".repeat(50)),
            ("empty".to_owned(), Vec::new()),
            ("ü/x.bin".to_owned(), (0..=255).collect()),
        ];
        write(&files).expect("memory can be written").expect("it is small")
    }

    #[test]
    fn what_is_written_is_read() {
        let archive = archive();
        assert_eq!(archive, super::tests::archive());
        assert_eq!(read(&archive, "META-INF/MANIFEST.MF", 1_000), Ok(Some(b"name: a\n".repeat(50))));
        assert_eq!(read(&archive, "ü/x.bin", 256), Ok(Some((0..=255).collect())));
        assert_eq!(read(&archive, "empty", 0), Ok(Some(Vec::new())));
        assert_eq!(read(&archive, "other", 10), Ok(None));
        assert_eq!(read(&archive, "META-INF/MANIFEST.MF", 399), Err(Unreadable::Size));
    }

    #[test]
    fn damage_is_no_panic() {
        let whole = archive();
        assert_eq!(read(b"", "a", 10), Err(Unreadable::Archive));
        for cut in 0..whole.len() {
            assert_ne!(read(&whole[..cut], "ü/x.bin", 256), Ok(Some((0..=255).collect())), "{cut}");
        }
        for at in 0..whole.len() {
            for value in [0, 0xff, whole[at] ^ 1] {
                let mut torn = whole.clone();
                torn[at] = value;
                if let Ok(Some(content)) = read(&torn, "META-INF/MANIFEST.MF", 1_000) {
                    assert_eq!(content, b"name: a\n".repeat(50), "{at}");
                }
            }
        }
    }
}
