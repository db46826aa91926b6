//! Repositories elsewhere: looked at, fetched from and pushed to by the installed git.
//!
//! git runs on a folder of its own that only borrows the workspace's objects, so that no setting of
//! the workspace's repository has a say in where it connects, and what it fetches is seen by nobody
//! until it was looked at. The credential is in the environment, which only the server's own user
//! can read: never in an argument, a file or a message.

mod running;

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::error::Error;
use super::gitcommand::git;
use super::incoming::Incoming;
use super::packfile;
use super::refs;
use super::workspace::Workspace;
use crate::resource::etag::Etag;

/// The branch of a repository that has none yet (contracts/editor.md 1.13).
pub const FIRST_BRANCH: &str = "master";
/// Most bytes of a list of refs; only some are asked for.
const LIST_MOST: usize = 64 << 10;

/// A repository elsewhere and how to reach it.
#[derive(Clone)]
pub struct Remote {
    /// Was held against the rules; without credentials.
    pub url: String,
    /// The one protocol that git may use.
    pub scheme: String,
    /// `HOST:PORT` and the addresses to connect to, whatever a lookup says; `None` for files.
    pub pinned: Option<(String, Vec<SocketAddr>)>,
    /// Certificates to believe.
    pub ca_file: Option<PathBuf>,
    /// The value of an `Authorization` header.
    pub authorization: Option<String>,
    /// Bytes that may be fetched.
    pub most: u64,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Why nothing came of it.
#[derive(Debug)]
pub enum RemoteError {
    /// In git's words, without anything of this server's.
    Said(String),
    /// The other side has what this one does not know of; in git's words.
    Rejected(String),
    TimedOut,
    /// More came than may.
    TooLarge(u64),
    Store(Error),
}

impl From<Error> for RemoteError {
    fn from(error: Error) -> Self {
        RemoteError::Store(error)
    }
}

/// What a repository says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertised {
    /// Its branch, [`FIRST_BRANCH`] where it is empty.
    pub branch: String,
    /// `None`: it is empty.
    pub head: Option<Etag>,
}

impl Remote {
    /// Asks for the branch that counts and where it is.
    pub async fn look(&self, workspace: &Arc<Workspace>) -> Result<Advertised, RemoteError> {
        let place = self.place(workspace)?;
        let mut command = self.command(&place, &["ls-remote", "--quiet", "--symref", "--end-of-options"]);
        command.arg(&self.url).args(["HEAD", "refs/heads/master", "refs/heads/main"]);
        let ended = running::run(command, None).await?;
        if !ended.success {
            return Err(self.said(&place, &ended.complaints));
        }
        if ended.output.len() > LIST_MOST {
            return Err(RemoteError::Said("the repository's list of branches cannot be read".into()));
        }
        advertised(&String::from_utf8_lossy(&ended.output))
            .ok_or_else(|| RemoteError::Said("the repository says nothing that git says".into()))
    }

    /// Brings the branch, without what can be reached from `known`. What came is in a folder of its
    /// own and was not looked at.
    pub async fn fetch(
        &self,
        workspace: &Arc<Workspace>,
        advertised: &Advertised,
        known: &[Etag],
    ) -> Result<Incoming, RemoteError> {
        let place = self.place(workspace)?;
        for (at, id) in known.iter().enumerate() {
            place.set_ref(&format!("refs/known/{at}"), *id)?;
        }
        let mut command = self.command(
            &place,
            &[
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--no-auto-maintenance",
                "--no-recurse-submodules",
                "--end-of-options",
            ],
        );
        command.arg(&self.url).arg(format!("+refs/heads/{}:refs/fetched", advertised.branch));
        let ended = running::run(command, Some(self.most)).await?;
        if !ended.success {
            // A file that may not grow ends the program that writes it.
            return Err(if place.has_large_file(self.most) {
                RemoteError::TooLarge(self.most)
            } else {
                self.said(&place, &ended.complaints)
            });
        }
        // By git's older protocol single objects come, which are not kept.
        let folder = place.incoming.folder();
        let mut items = fs::read_dir(folder).map_err(Error::at("list", folder))?.flatten();
        if items.any(|item| item.file_name().len() == 2) {
            return Err(RemoteError::Said("the repository is not served by git's smart protocol".into()));
        }
        let bytes: u64 = packfile::list(&place.incoming.folder().join("pack"))?.iter().map(|pack| pack.bytes).sum();
        if bytes > self.most {
            return Err(RemoteError::TooLarge(self.most));
        }
        Ok(place.incoming)
    }

    /// Makes `commit` the branch's newest there; what git says of it.
    pub async fn push(&self, workspace: &Arc<Workspace>, commit: Etag, branch: &str) -> Result<String, RemoteError> {
        let place = self.place(workspace)?;
        let name = format!("refs/heads/{branch}");
        place.set_ref(&name, commit)?;
        let mut command = self.command(
            &place,
            &["push", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no", "--end-of-options"],
        );
        command.arg(&self.url).arg(format!("{name}:{name}"));
        let ended = running::run(command, None).await?;
        let said = self.plain(&place, &ended.complaints);
        match ended.success {
            true => Ok(said),
            false if said.contains("(fetch first)") || said.contains("(non-fast-forward)") => {
                Err(RemoteError::Rejected(said))
            }
            false => Err(RemoteError::Said(said)),
        }
    }

    fn place(&self, workspace: &Arc<Workspace>) -> Result<Place, Error> {
        Place::new(workspace.incoming()?, workspace)
    }

    fn command(&self, place: &Place, arguments: &[&str]) -> Command {
        let mut settings: Vec<(&str, String)> = vec![
            ("fetch.fsckObjects", "true".into()),
            // What comes is one pack, whatever its size.
            ("fetch.unpackLimit", "1".into()),
            ("core.bigFileThreshold", "16m".into()),
            // Within the memory that its programs may have.
            ("core.packedGitWindowSize", "32m".into()),
            ("core.packedGitLimit", "256m".into()),
            // Synced when it is kept.
            ("core.fsync", "none".into()),
            // One could lead where the address may not.
            ("http.followRedirects", "false".into()),
            ("http.proxy", String::new()),
            ("http.lowSpeedLimit", "1000".into()),
            ("http.lowSpeedTime", "30".into()),
            ("push.negotiate", "false".into()),
            ("advice.pushUpdateRejected", "false".into()),
        ];
        if let Some((host, addresses)) = &self.pinned {
            let ips: Vec<String> = addresses
                .iter()
                .map(|address| match address {
                    SocketAddr::V4(address) => address.ip().to_string(),
                    SocketAddr::V6(address) => format!("[{}]", address.ip()),
                })
                .collect();
            settings.push(("http.curloptResolve", format!("{host}:{}", ips.join(","))));
        }
        if let Some(file) = &self.ca_file {
            settings.push(("http.sslCAInfo", file.to_string_lossy().into_owned()));
        }
        if let Some(authorization) = &self.authorization {
            settings.push(("http.extraHeader", format!("Authorization: {authorization}")));
        }
        let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut command = git(&settings);
        command
            .args(arguments)
            .env("GIT_ALLOW_PROTOCOL", &self.scheme)
            .env("GIT_DIR", &place.git_dir)
            .env("GIT_OBJECT_DIRECTORY", place.incoming.folder())
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted(&place.borrowed));
        command
    }

    fn said(&self, place: &Place, complaints: &str) -> RemoteError {
        RemoteError::Said(self.plain(place, complaints))
    }

    /// git's words without this server's paths and secrets, within bounds.
    fn plain(&self, place: &Place, text: &str) -> String {
        let mut text = text.replace(&*place.incoming.folder().to_string_lossy(), "...");
        text = text.replace(&*place.borrowed.to_string_lossy(), "...");
        if let Some(secret) = self.authorization.as_deref().and_then(|value| value.split(' ').next_back()) {
            text = text.replace(secret, "...");
        }
        if text.contains("could not read Username") || text.contains("could not read Password") {
            return format!("{} wants a login, or has no such repository that you may see", self.url);
        }
        let noise = ["hint:", "error: unable to read askpass"];
        // Progress ends its lines so.
        let lines = text.split(['\n', '\r']).map(str::trim_end).filter(|line| !line.is_empty());
        let lines: Vec<&str> = lines.filter(|line| !noise.iter().any(|noise| line.starts_with(noise))).collect();
        lines.join("\n").chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).take(2_000).collect()
    }
}

/// A path as an entry of a list that colons divide.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\""))
}

/// Reads what `git ls-remote --symref` lists.
fn advertised(listed: &str) -> Option<Advertised> {
    let mut branch = None;
    let mut heads: Vec<(&str, Etag)> = Vec::new();
    for line in listed.lines() {
        let (value, name) = line.split_once('\t')?;
        match value.strip_prefix("ref: ") {
            Some(target) if name == "HEAD" => branch = target.strip_prefix("refs/heads/"),
            Some(_) => {}
            None => heads.push((name, Etag::parse(value)?)),
        }
    }
    let head = |name: &str| heads.iter().find(|(known, _)| *known == name).map(|(_, id)| *id);
    let found = match branch.zip(head("HEAD")) {
        Some((branch, id)) => Some((branch, id)),
        // HEAD names nothing there: the usual branches.
        None => ["master", "main"].into_iter().find_map(|name| Some((name, head(&format!("refs/heads/{name}"))?))),
    };
    let (branch, head) = found.map_or((FIRST_BRANCH, None), |(branch, id)| (branch, Some(id)));
    refs::is_sound(&format!("refs/heads/{branch}")).then(|| Advertised { branch: branch.to_owned(), head })
}

/// A repository without objects or settings of its own, for one command.
struct Place {
    incoming: Incoming,
    git_dir: PathBuf,
    borrowed: PathBuf,
}

impl Place {
    fn new(incoming: Incoming, workspace: &Workspace) -> Result<Self, Error> {
        let git_dir = incoming.folder().join("git");
        for folder in ["objects", "refs"] {
            let folder = git_dir.join(folder);
            fs::create_dir_all(&folder).map_err(Error::at("make", &folder))?;
        }
        let place = Place { incoming, git_dir, borrowed: workspace.git_dir.join("objects") };
        place.write("HEAD", "ref: refs/heads/none\n")?;
        Ok(place)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.git_dir.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Error::at("make", folder))?;
        }
        fs::write(&path, text).map_err(Error::at("write", &path))
    }

    fn set_ref(&self, name: &str, id: Etag) -> Result<(), Error> {
        self.write(name, &format!("{id}\n"))
    }

    /// Whether some file got as large as one may.
    fn has_large_file(&self, most: u64) -> bool {
        let Ok(items) = fs::read_dir(self.incoming.folder().join("pack")) else { return false };
        items.flatten().any(|item| item.metadata().is_ok_and(|found| found.len() >= most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_branch_that_counts_is_found() {
        let id = "1".repeat(40);
        let told = |lines: &[&str]| advertised(&lines.join("\n").replace("ID", &id));
        let found = |branch: &str, head: bool| {
            Some(Advertised { branch: branch.into(), head: head.then_some(Etag([0x11; 20])) })
        };
        assert_eq!(told(&["ref: refs/heads/trunk\tHEAD", "ID\tHEAD", "ID\trefs/heads/main"]), found("trunk", true));
        assert_eq!(told(&["ID\trefs/heads/main"]), found("main", true));
        assert_eq!(told(&[]), found("master", false));
        assert_eq!(told(&["ref: refs/heads/-x\tHEAD", "ID\tHEAD"]), None);
        assert_eq!(told(&["<html>"]), None);
    }
}
