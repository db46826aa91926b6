//! Plain text: without quotes.

use std::borrow::Cow;

use crate::resource::document::build::Build;
use crate::resource::document::text::Fault;

use super::Parser;

impl<'t, B: Build> Parser<'t, '_, B> {
    /// Refuses what cannot start plain text (YAML 1.2.2, production 126).
    pub(super) fn may_be_plain(&self, flow: bool) -> Result<(), Fault> {
        let at = self.pos;
        let Some(byte) = self.byte() else { return self.fault(at, "a value is missing") };
        let next = self.byte_at(at + 1);
        let ends = self.is_blank_at(at + 1) || (flow && next.is_some_and(|byte| b",[]{}".contains(&byte)));
        match byte {
            b'-' | b'?' | b':' if !ends => Ok(()),
            b'\n' | b'\r' => self.fault(at, "a value is missing"),
            b':' => self.fault(at, "a key is missing before ':'"),
            b'#' => self.fault(at, "a comment needs a blank before its #"),
            b',' | b']' | b'}' | b'-' | b'?' | b'&' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`' => {
                self.fault(at, format!("text cannot start with {}: quote it", char::from(byte)))
            }
            _ => Ok(()),
        }
    }

    /// Plain text up to the line's end, a comment, a `: `, or in brackets an indicator.
    pub(super) fn plain_line(&mut self, flow: bool) -> &'t str {
        let bytes = self.text.as_bytes();
        let start = self.pos;
        let (mut at, mut end) = (start, start);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\n' | b'\r' => break,
                b' ' | b'\t' => {
                    at += 1;
                    continue;
                }
                b'#' if at > end => break,
                b':' => {
                    let next = bytes.get(at + 1);
                    if self.is_blank_at(at + 1) || (flow && next.is_some_and(|byte| b",[]{}".contains(byte))) {
                        break;
                    }
                }
                b',' | b'[' | b']' | b'{' | b'}' if flow => break,
                _ => {}
            }
            at += 1;
            end = at;
        }
        self.pos = end;
        &self.text[start..end]
    }

    /// Adds the lines that continue plain text; `indent` is `None` in brackets.
    pub(super) fn plain_rest(&mut self, first: &'t str, indent: Option<isize>) -> Result<Cow<'t, str>, Fault> {
        let mut text = Cow::Borrowed(first);
        loop {
            let back = (self.pos, self.line);
            let mut breaks = 0usize;
            loop {
                self.skip_blanks();
                if self.byte() == Some(b'\r') {
                    self.pos += 1;
                }
                if self.byte() != Some(b'\n') {
                    break;
                }
                self.pos += 1;
                self.line = self.pos;
                breaks += 1;
            }
            let spaces = self.text.as_bytes()[self.line..].iter().take_while(|byte| **byte == b' ').count();
            let inside = indent.is_none_or(|indent| spaces as isize > indent);
            if breaks == 0 || !inside || matches!(self.byte(), None | Some(b'#')) {
                (self.pos, self.line) = back;
                return Ok(text);
            }
            let more = self.plain_line(indent.is_none());
            if indent.is_some() {
                let end = self.pos;
                self.skip_blanks();
                if self.at_indicator(b':') {
                    return self.fault(
                        self.pos,
                        "a ': ' stands in text that goes over several lines: quote the text, or check the indentation",
                    );
                }
                self.pos = end;
            }
            if more.is_empty() {
                (self.pos, self.line) = back;
                return Ok(text);
            }
            let owned = text.to_mut();
            if breaks == 1 {
                owned.push(' ');
            } else {
                owned.extend(std::iter::repeat_n('\n', breaks - 1));
            }
            owned.push_str(more);
        }
    }
}
