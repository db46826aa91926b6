//! Seconds and microseconds since 1970, and their spelling.

use std::time::{SystemTime, UNIX_EPOCH};

/// Whole seconds since 1970, the resolution of git's committer dates.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64)
}

/// RFC 3339 in UTC with a `Z`, for example `2026-11-21T18:00:00Z`.
pub fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

/// Microseconds since 1970.
pub fn micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64)
}
