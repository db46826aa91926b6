//! Where the one document of a text begins and ends.

use crate::resource::document::text::{BOM, Fault};

/// The document's extent.
pub(super) struct Frame {
    /// Behind `---`, or where the first line of content starts.
    pub(super) start: usize,
    /// Where the line of `start` starts.
    pub(super) line: usize,
    pub(super) end: usize,
}

/// `---` and `...` at the start of a line are markers wherever they stand (YAML 1.2.2, 6.9 and
/// 9.1), so that the extent is known before anything is parsed.
pub(super) fn find(text: &str) -> Result<Frame, Fault> {
    let (start, line) = prologue(text)?;
    let end = check(text, start)?;
    if end < text.len() {
        epilogue(text, end)?;
    }
    Ok(Frame { start, line, end })
}

/// Skips comments, directives and the marker.
fn prologue(text: &str) -> Result<(usize, usize), Fault> {
    let mut at = 0;
    let mut directive = None;
    for line in text.split_inclusive('\n') {
        if is_marker(line, "---") {
            return Ok((at + 3, at));
        } else if line.starts_with('%') {
            if line.starts_with("%TAG") {
                return Err(Fault::new(at, "tag directives are not supported"));
            }
            directive = Some(at);
        } else if is_marker(line, "...") {
            only_comment(&line[3..], at + 3)?;
        } else {
            let content = line.trim_start();
            if !content.is_empty() && !content.starts_with('#') {
                break;
            }
        }
        at += line.len();
    }
    match directive {
        Some(at) => Err(Fault::new(at, "a directive (%) must be followed by a line with ---")),
        None => Ok((at, at)),
    }
}

/// Checks the characters of the whole text and finds the marker that ends the document.
fn check(text: &str, start: usize) -> Result<usize, Fault> {
    let bytes = text.as_bytes();
    let mut end = bytes.len();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => {
                let next = at + 1;
                if next > start && end == bytes.len() && matches!(bytes.get(next), Some(b'-' | b'.')) {
                    let line = &text[next..];
                    if is_marker(line, "---") || is_marker(line, "...") {
                        end = next;
                    }
                }
            }
            b'\r' if bytes.get(at + 1) != Some(&b'\n') => {
                return Err(Fault::new(at, "a carriage return stands alone: end lines with LF or CRLF"));
            }
            b'\t' | b'\r' => {}
            0..=0x1f | 0x7f => {
                return Err(Fault::new(at, format!("the control character 0x{byte:02x} is not allowed in YAML")));
            }
            0xef if text[at..].starts_with(BOM) => {
                return Err(Fault::new(at, "a byte order mark stands inside the text: write it as \"\\uFEFF\""));
            }
            _ => {}
        }
    }
    Ok(end)
}

fn epilogue(text: &str, end: usize) -> Result<(), Fault> {
    let mut at = end;
    for line in text[end..].split_inclusive('\n') {
        let rest = if is_marker(line, "...") { &line[3..] } else { line };
        only_comment(rest, at + (line.len() - rest.len()))?;
        at += line.len();
    }
    Ok(())
}

fn only_comment(rest: &str, at: usize) -> Result<(), Fault> {
    let content = rest.trim_start();
    if content.is_empty() || content.starts_with('#') {
        return Ok(());
    }
    let at = at + (rest.len() - content.len());
    Err(Fault::new(at, "the file holds more than one document: keep one per file"))
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}
