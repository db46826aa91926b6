//! A copy of everything that cannot be made again, and a data directory made of it.
//!
//! A backup is a folder: a git bundle per workspace, the state database, the server's secret, and
//! `backup.json`, which is written last: without it the backup is not whole.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::app::{self, App, STATE};
use crate::base::{blocking, clock};
use crate::config::Config;
use crate::engine::Error;
use crate::resource::key::WorkspaceName;
use crate::store::{PushPolicy, Settings, Store, Workspace};

const MANIFEST: &str = "backup.json";
const DATABASE: &str = "state.db";
const SECRET: &str = "secret";
const LOCK: &str = "lock";
const FORMAT: u32 = 1;

/// How often, and how long after one another, edits on disk are looked at that do not rest.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_millis(150);

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// Which workleaf wrote it.
    version: String,
    /// Seconds since 1970.
    made_at: i64,
    workspaces: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    /// The name that it had first, of one that was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    public: bool,
    push: String,
    #[serde(default)]
    force_push: bool,
    /// The bundle, in the backup's folder.
    file: String,
}

/// Copies everything into a folder, which is made; the server goes on meanwhile. Says how many
/// workspaces there are.
pub(super) async fn backup(app: &Arc<App>, to: &Path, progress: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<usize> {
    let bundles = to.join("workspaces");
    if fs::read_dir(to).is_ok_and(|mut items| items.next().is_some()) {
        bail!("{} is not empty", to.display());
    }
    // Whoever reads the secret can log in as anybody.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&bundles)
        .with_context(|| format!("cannot make {}", bundles.display()))?;
    let workspaces = app.engine.workspaces();
    let total = workspaces.len() as u64;
    let mut entries = Vec::new();
    for (at, workspace) in workspaces.into_iter().enumerate() {
        progress(at as u64, total);
        let name = workspace.name().to_string();
        // What somebody edited on disk is theirs as well.
        match all_edits(app, &workspace).await {
            Ok(true) => {}
            Ok(false) => {
                let why = "files are being written, or a merge or another git command is half done";
                tracing::warn!(workspace.name = name, why, "not all edits on disk are in the backup");
            }
            Err(error) => tracing::warn!(workspace.name = name, ?error, "edits on disk are not in the backup"),
        }
        let file = format!("{at}.bundle");
        let Settings { public, push, force_push } = workspace.settings();
        let path = bundles.join(&file);
        let (copied, of, engine) = (workspace.clone(), path.clone(), app.engine.clone());
        match blocking::run(move || copied.bundle(&of).map(|()| of)).await {
            // So that nobody learns on the day of need that it cannot be read.
            Ok(of) => blocking::run(move || engine.check_copy(&of))
                .await
                .with_context(|| format!("the copy of {name} cannot be read again: look at it with `git fsck`"))?,
            // Somebody removed it since.
            Err(_) if app.engine.workspaces().iter().all(|now| !Arc::ptr_eq(now, &workspace)) => {
                drop(fs::remove_file(&path));
                continue;
            }
            Err(error) => return Err(error).with_context(|| format!("cannot copy {name}")),
        }
        let first = workspace.first_name();
        let first_name = (first != workspace.name()).then(|| first.to_string());
        entries.push(Entry {
            name,
            first_name,
            public,
            push: push.as_str().to_owned(),
            force_push,
            file: format!("workspaces/{file}"),
        });
    }
    progress(total, total);
    let count = entries.len();
    // After the workspaces, so that none has an owner that is missing.
    app.state.copy_to(&to.join(DATABASE)).await?;
    let secret = app.live.get().workspaces_location.join(STATE).join(SECRET);
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: clock::now(),
        workspaces: entries,
    };
    let to = to.to_owned();
    blocking::run(move || -> Result<()> {
        // There is none where the configuration has it.
        if secret.exists() {
            private(&to.join(SECRET), &fs::read(&secret)?)?;
        }
        let folder = fs::File::open(&to)?;
        rustix::fs::syncfs(&folder).context("cannot sync the backup")?;
        private(&to.join(MANIFEST), &serde_json::to_vec_pretty(&manifest)?)?;
        Ok(rustix::fs::syncfs(&folder)?)
    })
    .await?;
    Ok(count)
}

/// Commits what was edited on disk; waits a little for what was written just now. Says whether that
/// was all.
async fn all_edits(app: &App, workspace: &Arc<Workspace>) -> Result<bool, Error> {
    for _ in 0..TRIES {
        if app.engine.absorb_edits(workspace).await? {
            return Ok(true);
        }
        tokio::time::sleep(PAUSE).await;
    }
    app.engine.absorb_edits(workspace).await
}

/// Makes a data directory, which must be empty, of a backup: all of it or, when anything of the
/// backup cannot be read, nothing. Says how many workspaces there are.
pub async fn restore(config: &Config, from: &Path, progress: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<usize> {
    let data = config.workspaces_location.clone();
    let text = fs::read(from.join(MANIFEST))
        .with_context(|| format!("{} has no {MANIFEST}: it is no backup, or not a whole one", from.display()))?;
    let manifest: Manifest = serde_json::from_slice(&text).with_context(|| format!("{MANIFEST} cannot be read"))?;
    if manifest.format != FORMAT {
        bail!("the backup was written by another workleaf ({}); this one reads format {FORMAT}", manifest.version);
    }
    let lock = app::lock(&data)?;
    for (folder, known) in [(data.clone(), STATE), (data.join(STATE), LOCK)] {
        let items = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        if items.flatten().any(|item| item.file_name() != known) {
            bail!("{} is not empty: restore into a new data directory", data.display());
        }
    }
    let restored = restore_into(&data, from, manifest.workspaces, progress).await;
    if restored.is_err() {
        clear(&data).context("the data directory cannot be cleared of what was restored")?;
    }
    drop(lock);
    restored
}

async fn restore_into(
    data: &Path,
    from: &Path,
    entries: Vec<Entry>,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<usize> {
    for name in [DATABASE, SECRET] {
        match fs::read(from.join(name)) {
            Ok(content) => private(&data.join(STATE).join(name), &content)?,
            Err(error) if name == SECRET && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {name} of the backup")),
        }
    }
    let total = entries.len();
    let store = {
        let data = data.to_owned();
        Arc::new(blocking::run(move || Store::open(&data)).await?)
    };
    // All are read before the first gets its place.
    let mut read = Vec::with_capacity(total);
    for (at, entry) in entries.into_iter().enumerate() {
        progress(at as u64, 2 * total as u64);
        let name = WorkspaceName::parse(&entry.name)?;
        let first = entry.first_name.as_deref().map(WorkspaceName::parse).transpose()?;
        let first = first.unwrap_or_else(|| name.clone());
        let push = PushPolicy::parse(&entry.push).with_context(|| format!("{name} has an unknown policy"))?;
        let (store, bundle) = (store.clone(), bundle(from, &entry.file)?);
        let settings = Settings { public: entry.public, push, force_push: entry.force_push };
        let unbundled = blocking::run(move || store.unbundle(settings, &bundle)).await;
        let unbundled = unbundled.with_context(|| format!("the copy of {name}, {}, cannot be read", entry.file))?;
        read.push((name, first, unbundled));
    }
    for (at, (name, first, unbundled)) in read.into_iter().enumerate() {
        progress((total + at) as u64, 2 * total as u64);
        let (store, told) = (store.clone(), name.clone());
        let placed = blocking::run(move || store.place(&name, &first, &unbundled)).await;
        placed.with_context(|| format!("cannot restore {told}"))?;
    }
    progress(2 * total as u64, 2 * total as u64);
    blocking::run(move || drop(store)).await;
    Ok(total)
}

/// Takes away all that is in a data directory but its lock.
fn clear(data: &Path) -> std::io::Result<()> {
    for (folder, known) in [(data.to_owned(), STATE), (data.join(STATE), LOCK)] {
        for item in fs::read_dir(folder)? {
            let item = item?;
            if item.file_name() == known {
                continue;
            }
            if item.file_type()?.is_dir() {
                fs::remove_dir_all(item.path())?;
            } else {
                fs::remove_file(item.path())?;
            }
        }
    }
    Ok(())
}

/// A bundle's place, absolute: git reads it from another folder.
fn bundle(from: &Path, file: &str) -> Result<PathBuf> {
    let path = from.join(file);
    path.canonicalize().with_context(|| format!("the backup lacks {file}"))
}

/// Writes a file that only this user may read.
fn private(path: &Path, content: &[u8]) -> Result<()> {
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
