//! Git's packets (gitprotocol-common(5)): four hexadecimal digits of length, then as many bytes.

use bytes::{Bytes, BytesMut};

use super::input::{Input, InputError};

/// Most bytes of one packet, its length included.
const PACKET_MOST: usize = 65_520;

/// What a request is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packet {
    Line(Bytes),
    Flush,
    Delimiter,
    End,
}

/// Adds a packet.
pub(super) fn line(out: &mut Vec<u8>, content: &[u8]) {
    let content = &content[..content.len().min(PACKET_MOST - 4)];
    out.extend_from_slice(format!("{:04x}", content.len() + 4).as_bytes());
    out.extend_from_slice(content);
}

pub(super) fn flush(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0000");
}

/// Adds bytes for one of the three channels of `side-band-64k`.
pub(super) fn side_band(out: &mut Vec<u8>, channel: u8, content: &[u8]) {
    for part in content.chunks(PACKET_MOST - 5) {
        let mut packet = Vec::with_capacity(part.len() + 1);
        packet.push(channel);
        packet.extend_from_slice(part);
        line(out, &packet);
    }
}

/// A line for somebody's terminal, which shall not obey it.
pub(super) fn for_terminal(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Takes a request apart into packets, and gives what follows them as it is.
pub(super) struct Packets {
    input: Input,
    buffer: BytesMut,
    /// Every byte of packets that was taken, where they are needed again.
    taken: Option<BytesMut>,
}

impl Packets {
    pub(super) fn new(input: Input) -> Self {
        Packets { input, buffer: BytesMut::new(), taken: None }
    }

    /// Remembers what is taken from now on: [`Packets::rest`] gives it again.
    pub(super) fn remember(mut self) -> Self {
        self.taken = Some(BytesMut::new());
        self
    }

    /// The next packet; `None` where the request ends.
    pub(super) async fn next(&mut self) -> Result<Option<Packet>, InputError> {
        while self.buffer.len() < 4 {
            if !self.fill().await? {
                let is_whole = self.buffer.is_empty();
                return if is_whole { Ok(None) } else { Err(InputError::Malformed("it ends within a packet")) };
            }
        }
        let digits = std::str::from_utf8(&self.buffer[..4]).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let length = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let (length, packet) = match length {
            Some(0) => (4, Packet::Flush),
            Some(1) => (4, Packet::Delimiter),
            Some(2) => (4, Packet::End),
            Some(length @ 4..=PACKET_MOST) => {
                while self.buffer.len() < length {
                    if !self.fill().await? {
                        return Err(InputError::Malformed("it ends within a packet"));
                    }
                }
                (length, Packet::Line(Bytes::copy_from_slice(&self.buffer[4..length])))
            }
            _ => return Err(InputError::Malformed("it is not made of git's packets")),
        };
        let bytes = self.buffer.split_to(length);
        if let Some(taken) = &mut self.taken {
            taken.extend_from_slice(&bytes);
        }
        Ok(Some(packet))
    }

    /// Reads on until the request ends, or so many bytes of it wait here.
    pub(super) async fn gather(&mut self, most: usize) -> Result<(), InputError> {
        while self.buffer.len() < most && self.fill().await? {}
        Ok(())
    }

    async fn fill(&mut self) -> Result<bool, InputError> {
        match self.input.chunk().await? {
            Some(chunk) => {
                self.buffer.extend_from_slice(&chunk);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// What was remembered, then what has not been read yet.
    pub(super) async fn rest(&mut self) -> Result<Option<Bytes>, InputError> {
        if let Some(taken) = self.taken.take().filter(|taken| !taken.is_empty()) {
            return Ok(Some(taken.freeze()));
        }
        if !self.buffer.is_empty() {
            return Ok(Some(self.buffer.split().freeze()));
        }
        self.input.chunk().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn packets(text: &'static str) -> Result<Vec<Packet>, InputError> {
        let input = Input::new(axum::body::Body::from(text), false, 1_000, Duration::from_secs(1));
        let mut packets = Packets::new(input);
        let mut found = Vec::new();
        while let Some(packet) = packets.next().await? {
            found.push(packet);
        }
        Ok(found)
    }

    #[tokio::test]
    async fn packets_are_told_apart() {
        let found = packets("0006a\n000100000002").await.unwrap();
        assert_eq!(found, [Packet::Line("a\n".into()), Packet::Delimiter, Packet::Flush, Packet::End]);
        for wrong in ["0003", "00", "0009ab", "zzzz", "+005a", "ffffa"] {
            assert!(packets(wrong).await.is_err(), "{wrong}");
        }
    }

    #[test]
    fn long_answers_take_several_packets() {
        let mut out = Vec::new();
        side_band(&mut out, 1, &[b'x'; 70_000]);
        assert!(out.starts_with(b"fff0\x01x"));
        assert_eq!(out.len(), 70_000 + 2 * 5);
        assert_eq!(for_terminal("a\x1b[2Jb\n"), "a?[2Jb?");
    }
}
