//! What a client is told before it asks for objects (gitprotocol-http(5), gitprotocol-v2(5)).

use super::packet::{self, Packet};
use crate::resource::etag::Etag;
use crate::store::{MAIN, Ref};

/// What this server calls itself.
const AGENT: &str = concat!("agent=workleaf/", env!("CARGO_PKG_VERSION"));

/// Prefixes of one list of refs; a client that names more gets all refs.
const PREFIXES_MOST: usize = 4_096;

/// The services of git's smart protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    UploadPack,
    ReceivePack,
}

impl Service {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "git-upload-pack" => Some(Service::UploadPack),
            "git-receive-pack" => Some(Service::ReceivePack),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Service::UploadPack => "git-upload-pack",
            Service::ReceivePack => "git-receive-pack",
        }
    }
}

/// Which protocol a client wants, by its `Git-Protocol` header: `version=2` among others. Nothing
/// else of the header is passed on.
pub(super) fn version(header: Option<&str>) -> u8 {
    let versions = header.unwrap_or_default().split(':').filter_map(|part| part.trim().strip_prefix("version="));
    let known = versions.filter_map(|version| match version {
        "1" => Some(1),
        "2" => Some(2),
        _ => None,
    });
    known.max().unwrap_or(0)
}

/// The capabilities of upload-pack in protocol 2, which are the same for every repository.
pub(super) fn capabilities() -> Vec<u8> {
    let mut out = Vec::new();
    for capability in [
        "version 2",
        AGENT,
        "ls-refs=unborn",
        "fetch=shallow wait-for-done filter",
        "server-option",
        "object-format=sha1",
    ] {
        packet::line(&mut out, format!("{capability}\n").as_bytes());
    }
    packet::flush(&mut out);
    out
}

/// The line that comes before the older protocols' refs.
pub(super) fn preamble(service: Service) -> Vec<u8> {
    let mut out = Vec::new();
    packet::line(&mut out, format!("# service={}\n", service.name()).as_bytes());
    packet::flush(&mut out);
    out
}

/// What a push is told: the refs, and what this server understands. Pushes that are all or nothing
/// and options of pushes are not among it, nor is silence: git asks for it wherever it has no
/// terminal, and violations are to be read in logs as well.
pub(super) fn receive_pack(refs: &[Ref]) -> Vec<u8> {
    let mut out = preamble(Service::ReceivePack);
    let capabilities =
        format!("report-status report-status-v2 delete-refs side-band-64k ofs-delta object-format=sha1 {AGENT}");
    for (at, known) in refs.iter().enumerate() {
        let line = match at {
            0 => format!("{} {}\0{capabilities}\n", known.target, known.name),
            _ => format!("{} {}\n", known.target, known.name),
        };
        packet::line(&mut out, line.as_bytes());
    }
    packet::flush(&mut out);
    out
}

/// The arguments of protocol 2's `ls-refs`.
#[derive(Debug, Default)]
pub(super) struct LsRefs {
    peel: bool,
    symrefs: bool,
    prefixes: Vec<String>,
    everything: bool,
}

impl LsRefs {
    pub(super) fn take(&mut self, packet: &Packet) {
        let Packet::Line(line) = packet else { return };
        match String::from_utf8_lossy(line).trim_end() {
            "peel" => self.peel = true,
            "symrefs" => self.symrefs = true,
            argument => {
                if let Some(prefix) = argument.strip_prefix("ref-prefix ") {
                    if self.prefixes.len() < PREFIXES_MOST {
                        self.prefixes.push(prefix.to_owned());
                    } else {
                        self.everything = true;
                    }
                }
            }
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.everything || self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }

    /// The refs that were asked for; `HEAD` is always `main`.
    pub(super) fn answer(&self, refs: &[Ref], head: Etag) -> Vec<u8> {
        let mut out = Vec::new();
        if self.wants("HEAD") {
            let symref = if self.symrefs { format!(" symref-target:{MAIN}") } else { String::new() };
            packet::line(&mut out, format!("{head} HEAD{symref}\n").as_bytes());
        }
        for known in refs.iter().filter(|known| self.wants(&known.name)) {
            let peeled = known.peeled.filter(|_| self.peel).map(|id| format!(" peeled:{id}")).unwrap_or_default();
            packet::line(&mut out, format!("{} {}{peeled}\n", known.target, known.name).as_bytes());
        }
        packet::flush(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_are_read_of_the_protocol() {
        assert_eq!(version(None), 0);
        assert_eq!(version(Some("version=2")), 2);
        assert_eq!(version(Some("object-format=sha1:version=1")), 1);
        assert_eq!(version(Some("version=9:version=two")), 0);
    }

    #[test]
    fn refs_are_listed_as_asked() {
        let id = Etag([7; 20]);
        let refs = [
            Ref { name: MAIN.into(), target: id, peeled: None },
            Ref { name: "refs/tags/v1".into(), target: id, peeled: Some(Etag([8; 20])) },
        ];
        let mut asked = LsRefs::default();
        for line in ["peel\n", "symrefs\n", "ref-prefix HEAD\n", "ref-prefix refs/tags/\n"] {
            asked.take(&Packet::Line(line.into()));
        }
        let text = String::from_utf8(asked.answer(&refs, id)).unwrap();
        assert!(text.contains("HEAD symref-target:refs/heads/main\n") && text.ends_with("0000"), "{text}");
        assert!(text.contains(&format!("refs/tags/v1 peeled:{}\n", Etag([8; 20]))), "{text}");
        assert!(!text.contains(" refs/heads/main\n"), "{text}");
    }
}
