//! What a plain scalar means: the core schema of YAML 1.2 (chapter 10.3) as serde_yaml reads it,
//! which adds `0b` integers.

use serde_json::Number;

use super::build::Scalar;

/// Resolves plain text. Refuses numbers that JSON cannot hold.
pub(super) fn plain(text: std::borrow::Cow<'_, str>) -> Result<Scalar<'_>, String> {
    match known(&text)? {
        Some(scalar) => Ok(scalar),
        None => Ok(Scalar::Text(text)),
    }
}

/// The null, boolean or number that a plain text stands for; `None` for a string.
pub(super) fn known(text: &str) -> Result<Option<Scalar<'static>>, String> {
    let Some(first) = text.bytes().next() else { return Ok(Some(Scalar::Null)) };
    match first {
        b'n' | b'N' | b'~' | b't' | b'T' | b'f' | b'F' => Ok(match text {
            "null" | "Null" | "NULL" | "~" => Some(Scalar::Null),
            _ => boolean(text).map(Scalar::Bool),
        }),
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text),
        _ => Ok(None),
    }
}

pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "null" | "Null" | "NULL" | "~")
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Result<Option<Scalar<'static>>, String> {
    if let Some(integer) = integer(text)? {
        return Ok(Some(Scalar::Number(integer)));
    }
    if zero_padded(text) {
        return Ok(None);
    }
    Ok(float(text)?.map(Scalar::Number))
}

/// An integer: decimal, `0x`, `0o` or `0b`, with a sign.
pub(super) fn integer(text: &str) -> Result<Option<Number>, String> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x', ..] => (16, &digits[2..]),
        [b'0', b'o', ..] => (8, &digits[2..]),
        [b'0', b'b', ..] => (2, &digits[2..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| char::from(digit).is_digit(radix)) {
        return Ok(None);
    }
    if radix == 10 && zero_padded(text) {
        return Ok(None);
    }
    let beyond = || format!("the integer {} does not fit into 64 bits: quote it to keep it as text", shown(text));
    let magnitude = u64::from_str_radix(digits, radix).map_err(|_| beyond())?;
    if negative {
        let value = 0i64.checked_sub_unsigned(magnitude).ok_or_else(beyond)?;
        Ok(Some(value.into()))
    } else {
        Ok(Some(magnitude.into()))
    }
}

/// A finite float; what overflows is text.
pub(super) fn float(text: &str) -> Result<Option<Number>, String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with(['+', '-']) {
        return Ok(None);
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(format!("JSON has no {text}: quote it to keep it as text"));
    }
    if !unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return Ok(None);
    }
    Ok(text.parse().ok().and_then(Number::from_f64))
}

/// `007`: text, so that postal codes and file modes stay what they are.
fn zero_padded(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    unsigned.len() > 1 && unsigned.starts_with('0') && unsigned.bytes().all(|byte| byte.is_ascii_digit())
}

fn shown(text: &str) -> String {
    super::text::quoted(text).replace('"', "")
}
