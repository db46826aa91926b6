//! What a data directory and a repository look like on disk.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::resource::key::WorkspaceName;

/// The folder of a data directory that is the server's own.
pub(super) const STATE: &str = ".state";

/// Folders of a data directory.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Layout { root: root.to_owned() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn workspace(&self, name: &WorkspaceName) -> PathBuf {
        self.root.join(name.owner()).join(name.name())
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.root.join(STATE).join("journal")
    }

    /// Hooks of every repository, so that none in a repository runs.
    pub(super) fn hooks(&self) -> PathBuf {
        self.root.join(STATE).join("hooks")
    }

    /// Workspaces on their way out.
    pub(super) fn trash(&self) -> PathBuf {
        self.root.join(STATE).join("trash")
    }

    /// What pushes bring, until it is accepted.
    pub(super) fn incoming(&self) -> PathBuf {
        self.root.join(STATE).join("incoming")
    }

    /// Repositories that were inside a workspace.
    pub(super) fn aside(&self, name: &WorkspaceName) -> PathBuf {
        self.root.join(STATE).join("aside").join(name.owner()).join(name.name())
    }

    /// Workspaces in the making.
    pub(super) fn nursery(&self) -> PathBuf {
        self.root.join(STATE).join("new")
    }
}

/// Whether a push may store files that break their kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PushPolicy {
    #[default]
    Free,
    Strict,
}

impl PushPolicy {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "free" => Some(PushPolicy::Free),
            "strict" => Some(PushPolicy::Strict),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            PushPolicy::Free => "free",
            PushPolicy::Strict => "strict",
        }
    }
}

/// What a workspace's owner may choose; section `workleaf` of the repository's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Anybody may read it.
    pub public: bool,
    pub push: PushPolicy,
    /// Pushes may take commits off `main`.
    pub force_push: bool,
}

impl Settings {
    /// For logs and terminals.
    pub fn describe(&self) -> String {
        let public = if self.public { "public" } else { "private" };
        let forced = if self.force_push { ", main may be forced" } else { "" };
        format!("{public}, push: {}{forced}", self.push.as_str())
    }
}

/// The configuration of a new repository.
fn config(settings: Settings, hooks: &Path) -> String {
    let hooks = hooks.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
\tsymlinks = false
\tprotectHFS = true
\tprotectNTFS = true
\tuseReplaceRefs = false
\tfsmonitor = false
\tfsync = objects,derived-metadata,reference
\tfsyncMethod = fsync
\thooksPath = \"{hooks}\"
[gc]
\tauto = 0
[maintenance]
\tauto = false
[transfer]
\tfsckObjects = true
\thideRefs = refs/projects
\thideRefs = refs/internal
[receive]
\tfsckObjects = true
\tautogc = false
\tdenyDeletes = true
\tdenyNonFastForwards = true
[uploadpack]
\tallowFilter = true
\tallowReachableSHA1InWant = true
\tallowAnySHA1InWant = false
[workleaf]
\tpublic = {}
\tpush = {}
\tforcePush = {}
",
        settings.public,
        settings.push.as_str(),
        settings.force_push
    )
}

/// Makes an empty repository, without templates of the machine and without commits.
pub(super) fn init(work_tree: &Path, settings: Settings, hooks: &Path) -> Result<(), Error> {
    let git = work_tree.join(".git");
    for folder in ["objects/pack", "objects/info", "refs/heads", "refs/tags", "info", "workleaf"] {
        let folder = git.join(folder);
        fs::create_dir_all(&folder).map_err(Error::at("make", &folder))?;
    }
    for (name, content) in [("HEAD", "ref: refs/heads/main\n".to_owned()), ("config", config(settings, hooks))] {
        let path = git.join(name);
        fs::write(&path, content).map_err(Error::at("write", &path))?;
    }
    Ok(())
}

/// Reads the settings of a repository, and refuses what libgit2 cannot read.
pub(super) fn open_config(git_dir: &Path, hooks: &Path) -> Result<Settings, Error> {
    let mut config = git2::Config::open(&git_dir.join("config")).map_err(Error::git("read .git/config"))?;
    let refuse = |what: &str| Err(Error::Git { doing: "open the repository".into(), what: what.to_owned() });
    let text = |key: &str| config.get_string(key).ok();
    if text("extensions.refstorage").is_some_and(|storage| storage != "files") {
        return refuse("its refs are not plain files");
    }
    if text("extensions.objectformat").is_some_and(|format| format != "sha1") {
        return refuse("its objects are not named by SHA-1");
    }
    if config.get_bool("core.bare").unwrap_or(false) {
        return refuse("it has no work tree");
    }
    let settings = Settings {
        public: config.get_bool("workleaf.public").unwrap_or(false),
        push: text("workleaf.push").as_deref().and_then(PushPolicy::parse).unwrap_or_default(),
        force_push: config.get_bool("workleaf.forcePush").unwrap_or(false),
    };
    // The data directory may have moved.
    if text("core.hookspath").is_none_or(|now| Path::new(&now) != hooks) {
        let hooks = hooks.to_str().unwrap_or_default();
        config.set_str("core.hookspath", hooks).map_err(Error::git("write .git/config"))?;
    }
    Ok(settings)
}

/// The name that a workspace had first, which its number comes from. The repository says so once it
/// was renamed; of a copy under another name that is not taken.
pub(super) fn first_name(git_dir: &Path, now: &WorkspaceName) -> WorkspaceName {
    let config = git2::Config::open(&git_dir.join("config"));
    let text = |key: &str| config.as_ref().ok()?.get_string(key).ok();
    let is_now = |name: String| name.eq_ignore_ascii_case(now.as_str());
    let is_its_own = text("workleaf.name").is_some_and(is_now) || text("workleaf.next").is_some_and(is_now);
    let first = text("workleaf.first").filter(|_| is_its_own);
    first.and_then(|first| WorkspaceName::parse(&first).ok()).unwrap_or_else(|| now.clone())
}

/// Before a workspace is renamed: holds under both names.
pub(super) fn note_name(git_dir: &Path, from: &WorkspaceName, to: &WorkspaceName) -> Result<(), Error> {
    let first = first_name(git_dir, from);
    let write = || {
        let mut config = git2::Config::open(&git_dir.join("config"))?;
        config.set_str("workleaf.next", to.as_str())?;
        config.set_str("workleaf.name", from.as_str())?;
        config.set_str("workleaf.first", first.as_str())
    };
    write().map_err(Error::git("write .git/config"))
}

/// Stores new settings.
pub(super) fn set_settings(git_dir: &Path, settings: Settings) -> Result<(), Error> {
    let write = || {
        let mut config = git2::Config::open(&git_dir.join("config"))?;
        config.set_bool("workleaf.public", settings.public)?;
        config.set_bool("workleaf.forcePush", settings.force_push)?;
        config.set_str("workleaf.push", settings.push.as_str())
    };
    write().map_err(Error::git("write .git/config"))
}
