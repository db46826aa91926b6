//! What a stored file is known by, and what a writer expects of it.

use std::fmt;

/// The git blob id of a stored file (SHA-1, 20 bytes; hex in text).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Etag(pub [u8; 20]);

impl Etag {
    /// Reads 40 hex digits.
    pub fn parse(hex: &str) -> Option<Self> {
        if hex.len() != 40 || !hex.is_ascii() {
            return None;
        }
        let mut bytes = [0; 20];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).ok()?;
        }
        Some(Etag(bytes))
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0u8; 40];
        for (at, byte) in self.0.iter().enumerate() {
            hex[at * 2] = DIGITS[usize::from(byte >> 4)];
            hex[at * 2 + 1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&hex).unwrap_or_default())
    }
}

impl fmt::Debug for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a write expects to find. Every write carries one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    Any,
    Absent,
    /// Some file, whichever.
    Present,
    /// One of these.
    At(Vec<Etag>),
}

impl Expected {
    /// Whether the file as it is (`None`: absent) is what was expected.
    pub fn holds(&self, now: Option<Etag>) -> bool {
        match self {
            Expected::Any => true,
            Expected::Absent => now.is_none(),
            Expected::Present => now.is_some(),
            Expected::At(etags) => now.is_some_and(|now| etags.contains(&now)),
        }
    }
}
