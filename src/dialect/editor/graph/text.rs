//! Texts of strangers in a picture.

/// For text and attribute values: markup is escaped, what XML 1.0 or a reader's eyes cannot bear is
/// replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\r' | '\t' => out.push(' '),
            c if is_unfit(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Controls, what turns the direction of writing, what is no character.
fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

/// At most this many characters, the end of a longer text left out.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// About how wide a text is, in pixels; wide of the truth rather than short of it.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let of = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' => 0.36,
        'm' | 'w' | 'M' | 'W' | '…' | '→' => 1.0,
        c if c.is_ascii() => 0.64,
        c if (c as u32) < 0x1100 => 0.7,
        _ => 1.1,
    };
    text.chars().map(of).sum::<f64>() * size
}
