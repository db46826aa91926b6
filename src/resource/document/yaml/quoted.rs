//! Quoted text.

use std::borrow::Cow;

use crate::resource::document::build::Build;
use crate::resource::document::text::Fault;

use super::Parser;

/// Text as its pieces come in; line ends in it fold (YAML 1.2.2, 6.5).
#[derive(Default)]
struct Folded {
    text: String,
    /// Up to here blanks are part of the text even at a line's end: they were escaped.
    solid: usize,
}

impl Folded {
    /// Drops the blanks before a line end.
    fn trim(&mut self) {
        let kept = self.text.trim_end_matches([' ', '\t']).len().max(self.solid);
        self.text.truncate(kept);
    }

    fn escaped(&mut self, c: char) {
        self.text.push(c);
        self.solid = self.text.len();
    }
}

impl<'t, B: Build> Parser<'t, '_, B> {
    /// Text in quotes of this sort. What escapes is a backslash in double ones, a second quote in
    /// single ones.
    pub(super) fn quoted(&mut self, quote: u8) -> Result<Cow<'t, str>, Fault> {
        let open = self.pos;
        self.pos += 1;
        let start = self.pos;
        let mut folded: Option<Folded> = None;
        let mut run = start;
        loop {
            let Some(byte) = self.byte() else {
                return self.fault(open, "the closing quote of this text is missing");
            };
            let escapes = match quote {
                b'"' => byte == b'\\',
                _ => byte == quote && self.byte_at(self.pos + 1) == Some(quote),
            };
            if byte == quote && !escapes {
                return Ok(self.unquoted(folded, start, run));
            }
            if byte != b'\n' && !escapes {
                self.pos += 1;
                continue;
            }
            let folded = folded.get_or_insert_default();
            folded.text.push_str(&self.text[run..self.pos]);
            if !escapes {
                self.fold(folded, false);
            } else if quote == b'"' {
                self.escape(folded)?;
            } else {
                folded.escaped('\'');
                self.pos += 2;
            }
            run = self.pos;
        }
    }

    /// Ends at a closing quote.
    fn unquoted(&mut self, folded: Option<Folded>, start: usize, run: usize) -> Cow<'t, str> {
        let end = self.pos;
        self.pos += 1;
        match folded {
            None => Cow::Borrowed(&self.text[start..end]),
            Some(mut folded) => {
                folded.text.push_str(&self.text[run..end]);
                Cow::Owned(folded.text)
            }
        }
    }

    /// Goes over line ends to the next line with text. One becomes a blank (nothing when it was
    /// escaped), more become one less.
    fn fold(&mut self, folded: &mut Folded, escaped: bool) {
        if !escaped {
            if folded.text.ends_with('\r') && folded.text.len() > folded.solid {
                folded.text.pop();
            }
            folded.trim();
        }
        let mut breaks = 0;
        loop {
            self.skip_blanks();
            if self.byte() == Some(b'\r') && self.byte_at(self.pos + 1) == Some(b'\n') {
                self.pos += 1;
            }
            if self.byte() != Some(b'\n') {
                break;
            }
            self.pos += 1;
            self.line = self.pos;
            breaks += 1;
        }
        if breaks == 1 && !escaped {
            folded.text.push(' ');
        } else {
            folded.text.extend(std::iter::repeat_n('\n', breaks - 1));
        }
        folded.solid = folded.text.len();
    }

    fn escape(&mut self, folded: &mut Folded) -> Result<(), Fault> {
        let at = self.pos;
        let Some(byte) = self.byte_at(at + 1) else {
            return self.fault(at, "the closing quote of this text is missing");
        };
        self.pos += 2;
        let c = match byte {
            b'0' => '\0',
            b'a' => '\x07',
            b'b' => '\x08',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\x0b',
            b'f' => '\x0c',
            b'r' => '\r',
            b'e' => '\x1b',
            b' ' | b'"' | b'/' | b'\\' => char::from(byte),
            b'N' => '\u{85}',
            b'_' => '\u{a0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' => self.code(at, 2)?,
            b'u' => self.code(at, 4)?,
            b'U' => self.code(at, 8)?,
            b'\n' | b'\r' => {
                self.pos = at + 1;
                folded.solid = folded.text.len();
                self.fold(folded, true);
                return Ok(());
            }
            _ => {
                return self.fault(at, "unknown escape: write \\\\ for a backslash, or use single quotes");
            }
        };
        folded.escaped(c);
        Ok(())
    }

    /// A character by its number; two halves of a UTF-16 pair make one.
    fn code(&mut self, at: usize, digits: usize) -> Result<char, Fault> {
        let code = self.hex(at, digits)?;
        if digits == 4 && (0xd800..0xdc00).contains(&code) && self.text[self.pos..].starts_with("\\u") {
            self.pos += 2;
            let low = self.hex(at, digits)?;
            if (0xdc00..0xe000).contains(&low) {
                let pair = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(pair).ok_or_else(|| Fault::new(at, "no such character"));
            }
        }
        char::from_u32(code).ok_or_else(|| Fault::new(at, "the escape names no character"))
    }

    fn hex(&mut self, at: usize, digits: usize) -> Result<u32, Fault> {
        let text =
            self.text.get(self.pos..self.pos + digits).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = text.and_then(|text| u32::from_str_radix(text, 16).ok());
        self.pos += digits;
        code.ok_or_else(|| Fault::new(at, format!("the escape needs {digits} hexadecimal digits")))
    }
}
