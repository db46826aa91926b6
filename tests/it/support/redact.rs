//! The one filter of snapshots: what differs from run to run.

/// Replaces git's object ids, document ids of 53 bits, checksums of answers and times.
pub(crate) fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(run);
        if let Some(time) = time_length(rest) {
            out += "[time]";
            rest = &rest[time..];
            continue;
        }
        let is_hex = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if is_hex && word.len() == 40 {
            out += "[oid]";
        } else if is_hex && word.len() == 8 && out.ends_with("[oid].") {
            out += "[sum]";
        } else if word.len() >= 12 && word.bytes().all(|b| b.is_ascii_digit()) {
            out += "[id]";
        } else {
            out += word;
        }
        let mut chars = behind.chars();
        out.extend(chars.next());
        rest = chars.as_str();
    }
    out
}

/// The length of the RFC 3339 time that a text begins with.
fn time_length(text: &str) -> Option<usize> {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let bytes = text.as_bytes();
    let fits = bytes.len() > FORM.len()
        && FORM.iter().zip(bytes).all(|(form, byte)| if *form == b'0' { byte.is_ascii_digit() } else { form == byte });
    // Only times of this run: those inside documents stay.
    let is_now = fits && text.starts_with("20") && bytes[FORM.len()] == b'Z';
    is_now.then_some(FORM.len() + 1)
}
