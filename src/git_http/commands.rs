//! What a push asks for: which refs go where, and how it wants to be answered.

use std::collections::HashSet;

use bytes::Bytes;

use super::input::InputError;
use super::packet::{self, Packet, Packets};
use crate::resource::etag::Etag;
use crate::store::Move;

/// Most refs that one push moves. More are read, so that each is answered, but not for ever.
pub(super) const MOVES_MOST: usize = 10_000;
const READ_MOST: usize = 200_000;
const BYTES_MOST: usize = 16 << 20;

/// The first part of a push, before its pack.
#[derive(Debug, Default)]
pub(super) struct Commands {
    pub(super) moves: Vec<Move>,
    /// Answers go over channels, beside words for the user.
    pub(super) side_band: bool,
    pub(super) report: bool,
    names: HashSet<String>,
}

impl Commands {
    /// Reads up to the flush that ends the commands. A clone without all of history names where it
    /// ends; that does not matter here, since what is pushed must be complete with what is there.
    pub(super) async fn read(packets: &mut Packets) -> Result<Self, InputError> {
        let mut commands = Commands::default();
        let mut bytes = 0;
        loop {
            let line = match packets.next().await? {
                Some(Packet::Line(line)) => line,
                Some(Packet::Flush) | None => return Ok(commands),
                Some(Packet::Delimiter | Packet::End) => {
                    return Err(InputError::Malformed("a push has no such packet"));
                }
            };
            bytes += line.len();
            if bytes > BYTES_MOST || commands.moves.len() >= READ_MOST {
                return Err(InputError::Malformed("a push may move 10000 refs at most"));
            }
            commands.take(&line)?;
        }
    }

    fn take(&mut self, line: &Bytes) -> Result<(), InputError> {
        let wrong = || InputError::Malformed("a command of the push cannot be read");
        let mut parts = line.splitn(2, |byte| *byte == 0);
        let command = parts.next().unwrap_or_default();
        if let (true, Some(capabilities)) = (self.moves.is_empty(), parts.next()) {
            let capabilities = String::from_utf8_lossy(capabilities).into_owned();
            for capability in capabilities.split_ascii_whitespace() {
                match capability {
                    "side-band-64k" => self.side_band = true,
                    "report-status" | "report-status-v2" => self.report = true,
                    other if other.starts_with("object-format=") && other != "object-format=sha1" => {
                        return Err(InputError::Malformed("objects are named by SHA-1 here"));
                    }
                    _ => {}
                }
            }
        }
        let command = std::str::from_utf8(command).map_err(|_| wrong())?.trim_end_matches('\n');
        if command.starts_with("shallow ") {
            return Ok(());
        }
        let (old, rest) = command.split_once(' ').ok_or_else(wrong)?;
        let (new, name) = rest.split_once(' ').ok_or_else(wrong)?;
        let id = |text: &str| {
            let id = Etag::parse(text).ok_or_else(wrong)?;
            Ok((id != Etag([0; 20])).then_some(id))
        };
        if !self.names.insert(name.to_owned()) {
            return Err(InputError::Malformed("it moves one ref twice"));
        }
        self.moves.push(Move { name: name.to_owned(), old: id(old)?, new: id(new)? });
        Ok(())
    }

    /// The whole answer: lines for the user, whether the pack was taken, what became of each ref.
    pub(super) fn answer(
        &self,
        lines: &[String],
        unpacked: Result<(), &str>,
        outcome: &[Result<(), String>],
    ) -> Vec<u8> {
        let mut report = Vec::new();
        let state = match unpacked {
            Ok(()) => "ok".to_owned(),
            Err(why) => packet::for_terminal(why),
        };
        packet::line(&mut report, format!("unpack {state}\n").as_bytes());
        for (wanted, done) in self.moves.iter().zip(outcome) {
            let line = match done {
                Ok(()) => format!("ok {}\n", wanted.name),
                Err(why) => format!("ng {} {}\n", wanted.name, packet::for_terminal(why)),
            };
            packet::line(&mut report, line.as_bytes());
        }
        packet::flush(&mut report);
        if !self.side_band {
            return if self.report { report } else { Vec::new() };
        }
        let mut out = Vec::new();
        for line in lines {
            packet::side_band(&mut out, 2, format!("{}\n", packet::for_terminal(line)).as_bytes());
        }
        if self.report {
            packet::side_band(&mut out, 1, &report);
        }
        packet::flush(&mut out);
        out
    }
}
