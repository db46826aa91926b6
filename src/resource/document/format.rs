//! The two formats and how their bytes become a value.

use serde_json::Value;

use super::build::Build;
use super::text::{self, Fault};
use super::value::Values;
use super::{json, yaml};

/// How deep collections may nest.
pub const DEPTH: usize = 64;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML 1.2, one document per file, read with the core schema.
    Yaml,
    /// JSON (RFC 8259).
    Json,
}

impl Format {
    /// The format that a path's ending names: `.yml`, `.yaml` or `.json` in any case.
    pub fn of(path: &str) -> Option<Format> {
        let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
        if ending.eq_ignore_ascii_case("yml") || ending.eq_ignore_ascii_case("yaml") {
            Some(Format::Yaml)
        } else if ending.eq_ignore_ascii_case("json") {
            Some(Format::Json)
        } else {
            None
        }
    }
}

/// Why a text is not a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    pub message: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// Reads a document.
///
/// The text must be UTF-8 (a byte order mark is skipped) and hold one document. Refused, with
/// their position: duplicate keys, nesting deeper than 64, numbers that JSON cannot hold (`.inf`,
/// `.nan`, integers beyond 64 bits), keys that are collections, tags other than those of the core
/// schema, aliases that repeat more than 1 MiB or 100,000 values, and more than 500,000 values in all. A YAML text without content
/// is null. Scalars are resolved by the core schema of YAML 1.2: `yes`, `010` and dates are text.
/// A key is text as it is written. A merge key (`<<`) is a plain key.
pub fn parse(format: Format, text: &[u8]) -> Result<Value, ParseError> {
    let body = text::decode(text)?;
    read(format, body, &mut Values::default()).map_err(|fault| fault.placed(body))
}

/// Runs the format's parser over a text without its byte order mark.
pub(super) fn read<B: Build>(format: Format, body: &str, build: &mut B) -> Result<B::Node, Fault> {
    match format {
        Format::Yaml => yaml::read(body, build),
        Format::Json => json::read(body, build),
    }
}
