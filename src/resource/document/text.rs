//! Bytes, lines and columns.

use super::format::ParseError;

/// The byte order mark of UTF-8.
pub(super) const BOM: char = '\u{feff}';

/// A refusal at a byte offset; becomes a [`ParseError`] when it leaves the module.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Fault {
        Fault { at, message: message.into() }
    }

    pub(super) fn placed(self, text: &str) -> ParseError {
        let (line, column) = Cursor::new(text).locate(self.at);
        ParseError { message: self.message, line, column }
    }
}

/// Turns byte offsets into lines and columns; offsets that only grow cost one pass over the text.
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    column: u32,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Cursor { text, at: 0, line: 1, column: 1 }
    }

    /// Line and column from 1, the column in characters.
    pub(super) fn locate(&mut self, offset: usize) -> (u32, u32) {
        let offset = offset.min(self.text.len());
        if offset < self.at {
            *self = Cursor::new(self.text);
        }
        for byte in &self.text.as_bytes()[self.at..offset] {
            if *byte == b'\n' {
                self.line += 1;
                self.column = 1;
            } else if *byte & 0xc0 != 0x80 {
                self.column += 1;
            }
        }
        self.at = offset;
        (self.line, self.column)
    }
}

/// Checks the encoding and takes the byte order mark off.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, ParseError> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(ParseError { message: "the file is larger than 4 GiB".into(), line: 1, column: 1 });
    }
    let wide = bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || (bytes.len() >= 2 && bytes[..2].contains(&0));
    if wide {
        let message = "the file is not UTF-8 (it looks like UTF-16 or UTF-32): save it as UTF-8".into();
        return Err(ParseError { message, line: 1, column: 1 });
    }
    match str::from_utf8(bytes) {
        Ok(text) => Ok(body(text)),
        Err(error) => {
            let valid = str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            Err(Fault::new(valid.len(), format!("the byte 0x{byte:02x} is not UTF-8: save the file as UTF-8"))
                .placed(valid))
        }
    }
}

/// The text without its byte order mark.
pub(super) fn body(text: &str) -> &str {
    text.strip_prefix(BOM).unwrap_or(text)
}

/// Shortens what a message quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out: String = text.chars().take(60).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    format!("{out:?}")
}

/// Where the line of an offset starts.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Where the line of an offset ends, before its line end.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    if end > at && text[..end].ends_with('\r') { end - 1 } else { end }
}

/// Where the line after that of an offset starts; the text's end when there is none.
pub(super) fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |length| at + length + 1)
}

/// Whether only blanks stand before an offset on its line.
pub(super) fn is_first_on_line(text: &str, at: usize) -> bool {
    text[line_start(text, at)..at].bytes().all(|byte| matches!(byte, b' ' | b'\t'))
}
