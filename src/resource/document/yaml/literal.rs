//! Block scalars: `|` and `>`.

use std::borrow::Cow;

use crate::resource::document::build::{Build, Style};
use crate::resource::document::text::Fault;

use super::Parser;

/// What happens to the line ends at the end (YAML 1.2.2, 8.1.1.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

/// The text as its lines come in.
struct Lines {
    text: String,
    folded: bool,
    /// Whether a line that is not empty was there.
    content: bool,
    /// Whether the last of these starts with a blank, which keeps its line ends.
    indented: bool,
    /// Empty lines since.
    empty: usize,
}

impl Lines {
    fn push(&mut self, line: &str) {
        let indented = line.starts_with([' ', '\t']);
        if self.content && self.folded && !indented && !self.indented {
            if self.empty == 0 {
                self.text.push(' ');
            }
        } else if self.content {
            self.text.push('\n');
        }
        self.text.extend(std::iter::repeat_n('\n', self.empty));
        self.text.push_str(line);
        self.content = true;
        self.indented = indented;
        self.empty = 0;
    }
}

impl<'t, B: Build> Parser<'t, '_, B> {
    /// Reads `|` or `>` and its lines; gives the end of the last line that counts.
    pub(super) fn block_scalar(&mut self, indent: isize) -> Result<(Style, Cow<'t, str>, usize), Fault> {
        let style = if self.byte() == Some(b'|') { Style::Literal } else { Style::Folded };
        let (chomp, digit, mut end) = self.block_header()?;
        let mut column = digit.map(|digit| (indent.max(0) + digit) as usize);
        let mut lines =
            Lines { text: String::new(), folded: style == Style::Folded, content: false, indented: false, empty: 0 };
        let mut widest = 0;
        let mut terminated = false;
        while self.byte() == Some(b'\n') && self.pos + 1 < self.text.len() {
            let start = self.pos + 1;
            let rest = &self.text.as_bytes()[start..];
            let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let line = rest[..length].strip_suffix(b"\r").unwrap_or(&rest[..length]);
            let spaces = line.iter().take_while(|byte| **byte == b' ').count();
            if spaces == line.len() && column.is_none_or(|column| spaces <= column) {
                widest = widest.max(spaces);
                lines.empty += 1;
            } else {
                if column.is_none() && spaces as isize <= indent && line[spaces] == b'\t' {
                    return self.fault(start, "a tab is used for indentation: use spaces");
                }
                if column.is_none() && spaces as isize > indent {
                    if widest > spaces {
                        return self.fault(
                            start,
                            "the first line of a block text is indented less than an empty line above it",
                        );
                    }
                    column = Some(spaces);
                }
                let Some(column) = column.filter(|column| spaces >= *column) else { break };
                end = start + line.len();
                terminated = start + length < self.text.len();
                lines.push(&self.text[start + column..end]);
            }
            self.pos = start + length;
            self.line = start;
        }
        let mut text = lines.text;
        if lines.content && terminated && chomp != Chomp::Strip {
            text.push('\n');
        }
        if chomp == Chomp::Keep && lines.empty > 0 {
            text.extend(std::iter::repeat_n('\n', lines.empty));
            end = self.pos;
            if self.text.as_bytes()[..end].ends_with(b"\r") {
                end -= 1;
            }
        }
        Ok((style, text.into(), end))
    }

    /// Reads the indicators; gives their end. Goes to the line's end.
    fn block_header(&mut self) -> Result<(Chomp, Option<isize>, usize), Fault> {
        let start = self.pos;
        self.pos += 1;
        let (mut chomp, mut digit) = (None, None);
        while let Some(byte) = self.byte() {
            match byte {
                b'+' if chomp.is_none() => chomp = Some(Chomp::Keep),
                b'-' if chomp.is_none() => chomp = Some(Chomp::Strip),
                b'1'..=b'9' if digit.is_none() => digit = Some(isize::from(byte - b'0')),
                _ => break,
            }
            self.pos += 1;
        }
        let end = self.pos;
        self.skip_blanks();
        match self.byte() {
            None | Some(b'\r' | b'\n') => {}
            Some(b'#') if self.pos > end => {}
            _ => return self.fault(start, "unexpected text behind | or >: quote text that starts with one of them"),
        }
        self.skip_line();
        Ok((chomp.unwrap_or(Chomp::Clip), digit, end))
    }
}
