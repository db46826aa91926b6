//! A parser for JSON (RFC 8259) that knows the exact bytes of every node.

use std::borrow::Cow;

use serde_json::Number;

use super::build::{Build, Key, Place, Scalar, Style};
use super::format::DEPTH;
use super::text::Fault;

/// Reads the one value in a text.
pub(super) fn read<B: Build>(text: &str, build: &mut B) -> Result<B::Node, Fault> {
    let mut parser = Parser { text, pos: 0, depth: 0, build };
    parser.skip_blanks();
    let node = parser.value(0)?;
    parser.skip_blanks();
    if parser.pos < text.len() {
        return Err(Fault::new(parser.pos, "unexpected text behind the document's value"));
    }
    Ok(node)
}

struct Parser<'t, 'b, B> {
    text: &'t str,
    pos: usize,
    depth: usize,
    build: &'b mut B,
}

impl<'t, B: Build> Parser<'t, '_, B> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.pos += 1;
        }
    }

    fn value(&mut self, lead: usize) -> Result<B::Node, Fault> {
        let start = self.pos;
        let (style, scalar) = match self.byte() {
            Some(b'[') => return self.array(lead),
            Some(b'{') => return self.object(lead),
            Some(b'"') => (Style::Double, Scalar::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => (Style::Plain, Scalar::Number(self.number()?)),
            Some(b't') => (Style::Plain, self.word("true", Scalar::Bool(true))?),
            Some(b'f') => (Style::Plain, self.word("false", Scalar::Bool(false))?),
            Some(b'n') => (Style::Plain, self.word("null", Scalar::Null)?),
            Some(_) => return Err(Fault::new(start, "expected a JSON value here")),
            None => return Err(Fault::new(start, "the JSON ends too early: a value is missing")),
        };
        let place = self.place(lead, start);
        self.build.scalar(&place, style, scalar).map_err(|message| Fault::new(start, message))
    }

    fn place(&self, lead: usize, start: usize) -> Place {
        Place { lead, start, content: start, end: self.pos, ..Place::default() }
    }

    fn enter(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Fault::new(self.pos, format!("the document nests deeper than {DEPTH} levels")));
        }
        self.pos += 1;
        self.skip_blanks();
        Ok(())
    }

    fn array(&mut self, lead: usize) -> Result<B::Node, Fault> {
        let start = self.pos;
        self.enter()?;
        let mut items = Vec::new();
        if self.byte() == Some(b']') {
            self.pos += 1;
        } else {
            loop {
                items.push(self.value(self.pos)?);
                if !self.separator(b']', start)? {
                    break;
                }
            }
        }
        self.depth -= 1;
        let place = self.place(lead, start);
        self.build.sequence(&place, true, items).map_err(|message| Fault::new(start, message))
    }

    fn object(&mut self, lead: usize) -> Result<B::Node, Fault> {
        let start = self.pos;
        self.enter()?;
        let mut map = B::Map::default();
        if self.byte() == Some(b'}') {
            self.pos += 1;
        } else {
            loop {
                let at = self.pos;
                if self.byte() != Some(b'"') {
                    return Err(Fault::new(at, "expected a key in double quotes here"));
                }
                let name = self.string()?;
                let key = Key { start: at, end: self.pos, name, explicit: false };
                self.skip_blanks();
                let colon = self.pos;
                if self.byte() != Some(b':') {
                    return Err(Fault::new(colon, "expected ':' behind the key"));
                }
                self.pos += 1;
                self.skip_blanks();
                let value = self.value(colon)?;
                self.build.insert(&mut map, key, value).map_err(|message| Fault::new(at, message))?;
                if !self.separator(b'}', start)? {
                    break;
                }
            }
        }
        self.depth -= 1;
        let place = self.place(lead, start);
        self.build.mapping(&place, true, map).map_err(|message| Fault::new(start, message))
    }

    /// Goes over a comma to the next entry, or over the closing bracket (false).
    fn separator(&mut self, close: u8, open: usize) -> Result<bool, Fault> {
        self.skip_blanks();
        match self.byte() {
            Some(b',') => {
                self.pos += 1;
                self.skip_blanks();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.pos += 1;
                Ok(false)
            }
            Some(_) => Err(Fault::new(self.pos, format!("expected ',' or '{}' here", char::from(close)))),
            None => {
                let bracket = char::from(self.text.as_bytes()[open]);
                Err(Fault::new(open, format!("the closing bracket of this {bracket} is missing")))
            }
        }
    }

    fn word(&mut self, word: &str, scalar: Scalar<'t>) -> Result<Scalar<'t>, Fault> {
        if !self.text[self.pos..].starts_with(word) {
            return Err(Fault::new(self.pos, "expected a JSON value here"));
        }
        self.pos += word.len();
        Ok(scalar)
    }

    fn number(&mut self) -> Result<Number, Fault> {
        let start = self.pos;
        let mut integer = true;
        if self.byte() == Some(b'-') {
            self.pos += 1;
        }
        let first = self.byte();
        if self.digits()? > 1 && first == Some(b'0') {
            return Err(Fault::new(start, "a number cannot start with 0: quote it to keep it as text"));
        }
        if self.byte() == Some(b'.') {
            integer = false;
            self.pos += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            integer = false;
            self.pos += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.pos += 1;
            }
            self.digits()?;
        }
        let text = &self.text[start..self.pos];
        let number = if !integer || text == "-0" {
            text.parse().ok().and_then(Number::from_f64)
        } else if text.starts_with('-') {
            text.parse::<i64>().ok().map(Number::from)
        } else {
            text.parse::<u64>().ok().map(Number::from)
        };
        number.ok_or_else(|| {
            let shown: String = text.chars().take(60).collect();
            Fault::new(start, format!("the number {shown} does not fit into 64 bits: quote it to keep it as text"))
        })
    }

    fn digits(&mut self) -> Result<usize, Fault> {
        let start = self.pos;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.pos += 1;
        }
        if self.pos == start {
            return Err(Fault::new(start, "expected a digit here"));
        }
        Ok(self.pos - start)
    }

    fn string(&mut self) -> Result<Cow<'t, str>, Fault> {
        let open = self.pos;
        self.pos += 1;
        let mut text = Cow::Borrowed("");
        let mut run = self.pos;
        loop {
            match self.byte() {
                Some(b'"') => {
                    let last = &self.text[run..self.pos];
                    self.pos += 1;
                    if text.is_empty() {
                        return Ok(Cow::Borrowed(last));
                    }
                    text.to_mut().push_str(last);
                    return Ok(text);
                }
                Some(b'\\') => {
                    text.to_mut().push_str(&self.text[run..self.pos]);
                    let c = self.escape()?;
                    text.to_mut().push(c);
                    run = self.pos;
                }
                Some(byte @ 0..=0x1f) => {
                    return Err(Fault::new(self.pos, format!("the control character 0x{byte:02x} must be escaped")));
                }
                Some(_) => self.pos += 1,
                None => return Err(Fault::new(open, "the closing quote of this text is missing")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let at = self.pos;
        self.pos += 1;
        let byte = self.byte();
        self.pos += 1;
        Ok(match byte {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let mut code = self.hex(at)?;
                if (0xd800..0xdc00).contains(&code) && self.text[self.pos..].starts_with("\\u") {
                    self.pos += 2;
                    let low = self.hex(at)?;
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    }
                }
                char::from_u32(code).ok_or_else(|| Fault::new(at, "the escape names no character"))?
            }
            _ => return Err(Fault::new(at, "unknown escape: write \\\\ for a backslash")),
        })
    }

    fn hex(&mut self, at: usize) -> Result<u32, Fault> {
        let digits = self.text.get(self.pos..self.pos + 4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|text| u32::from_str_radix(text, 16).ok());
        self.pos += 4;
        code.ok_or_else(|| Fault::new(at, "the escape needs 4 hexadecimal digits"))
    }
}
