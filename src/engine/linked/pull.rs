//! What came from elsewhere goes into the published history and into the folder.

use std::sync::Arc;

use super::super::{Engine, Error, push, strict};
use super::{Abroad, LinkRef, Linked, Now, TRIES};
use crate::base::blocking;
use crate::resource::etag::Etag;
use crate::resource::key::FilePath;
use crate::store::{self, Entry, FileChange, FileMode, Intent, Merged, PushPolicy, TipError, Workspace};

/// Lines about single files that one pull tells.
const LINES_MOST: usize = 100;

/// What a pull did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// As git tells of it.
    pub text: String,
    /// The files that changed.
    pub changed: Vec<String>,
    /// `path:line:column: what is wrong` with what came.
    pub violations: Vec<String>,
}

/// Why a write came to nothing.
pub(super) enum Stop {
    /// A file is not what it was when the merge was made.
    Moved,
    Refused(Error),
}

impl From<TipError> for Stop {
    fn from(error: TipError) -> Self {
        Stop::Refused(error.into())
    }
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Stop::Refused(error.into())
    }
}

/// A file in the workspace, what it was and what it becomes.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) path: FilePath,
    pub(super) old: Option<Entry>,
    pub(super) new: Option<Entry>,
}

/// The same under the folder's own place.
pub(super) fn placed(folder: &str, changes: Vec<FileChange>) -> Result<Vec<Placed>, Error> {
    let mut placed = Vec::with_capacity(changes.len());
    for change in changes {
        let path = FilePath::parse(&format!("{folder}/{}", change.path))?;
        placed.push(Placed { path, old: change.old, new: change.new });
    }
    // What goes makes room for folders of its name.
    placed.sort_by_key(|change| change.new.is_some());
    Ok(placed)
}

impl Linked {
    /// Merges what the folder's repository has into the published history and into the folder, as
    /// one commit of the workspace. A conflict changes nothing.
    pub async fn pull(&self, abroad: &Abroad) -> Result<Pulled, Error> {
        let mut now = self.started().await?;
        let Some(advertised) = self.refresh(abroad, &mut now).await? else {
            return Err(Error::Conflict(format!("{} names no repository to pull from", self.document)));
        };
        let Some(theirs) = advertised.head else {
            let text = "the repository is empty: there is nothing to pull".to_owned();
            return Ok(Pulled { text, changed: Vec::new(), violations: Vec::new() });
        };
        let url = now.url.clone().unwrap_or_default();
        let message = format!("Merge branch '{}' of {url}", advertised.branch);
        let merge = Intent { author: self.actor.signature(), message };
        let message = format!("{}: pull {} from {url}", self.kind.name, self.folder());
        for _ in 0..TRIES {
            let (this, intent, before) = (self.clone(), merge.clone(), now.published.head);
            let tree = now.tree;
            let merged =
                blocking::run(move || this.workspace.merge_fetched(before, theirs, Some(tree), &intent)).await?;
            let (head, folder) = match merged {
                Merged::Conflicts(paths) => {
                    let paths = paths.iter().map(|path| format!("{}/{path}", self.folder()));
                    return Err(Error::Conflicts(paths.collect()));
                }
                Merged::Unrelated => {
                    return Err(Error::Conflict("fatal: refusing to merge unrelated histories".into()));
                }
                Merged::Clean { head, folder } => (head, folder),
            };
            if let Some(pulled) = self.take(&now, head, folder, &message).await? {
                return Ok(pulled);
            }
            now = self.started().await?;
        }
        Err(Error::Busy("the folder is written all the time: try again".into()))
    }

    /// Writes a merge; `None` where somebody was quicker.
    async fn take(&self, now: &Now, head: Etag, folder: Etag, message: &str) -> Result<Option<Pulled>, Error> {
        let (this, tree) = (self.clone(), now.tree);
        let changes = blocking::run(move || this.workspace.changes_between(Some(tree), Some(folder))).await?;
        let changes = placed(self.folder(), changes)?;
        let violations = self.engine.judge_placed(&self.workspace, &changes).await?;
        let changed: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
        let intent = Intent { author: self.actor.signature(), message: message.to_owned() };
        match write(&self.workspace, self.document.clone(), changes, intent).await {
            Ok(()) => {}
            Err(Stop::Moved) => return Ok(None),
            Err(Stop::Refused(error)) => return Err(error),
        }
        let (this, old, linked) = (self.clone(), now.published.head, now.published.linked);
        let moved = blocking::run(move || {
            let id = this.id();
            if linked.is_none() {
                this.workspace.move_published(&id, LinkRef::Linked, None, Some(head))?;
            }
            this.workspace.move_published(&id, LinkRef::Head, old, Some(head))
        })
        .await?;
        if !moved {
            return Ok(None);
        }
        let text = match (old, &changed[..]) {
            (Some(old), []) if old == head => "Already up to date.".to_owned(),
            (Some(old), _) => {
                let is_straight = {
                    let workspace = self.workspace.clone();
                    blocking::run(move || workspace.root_of(head)).await? == folder
                };
                let how = if is_straight { "Fast-forward" } else { "Merge made by the 'ort' strategy." };
                format!("Updating {}..{}\n{how}\n{}", short(old), short(head), self.summed(now, folder).await?)
            }
            (None, _) => self.summed(now, folder).await?,
        };
        Ok(Some(Pulled { text: text.trim_end().to_owned(), changed, violations }))
    }

    async fn summed(&self, now: &Now, folder: Etag) -> Result<String, Error> {
        let (workspace, tree) = (self.workspace.clone(), now.tree);
        let compared = blocking::run(move || workspace.compare_trees(Some(tree), Some(folder))).await?;
        Ok(compared.summary)
    }
}

fn short(id: Etag) -> String {
    id.to_string()[..7].to_owned()
}

/// Applies changes as one commit, when the folder's document is still there and every file is what
/// it was.
async fn write(
    workspace: &Arc<Workspace>,
    document: FilePath,
    changes: Vec<Placed>,
    intent: Intent,
) -> Result<(), Stop> {
    if changes.is_empty() {
        return Ok(());
    }
    let work = move |tip: &mut store::Tip<'_>| {
        // A folder that was moved meanwhile must not come back beside itself.
        if tip.entry(&document)?.is_none() {
            return Err(Stop::Moved);
        }
        for change in &changes {
            let now = tip.entry(&change.path)?.filter(|entry| entry.mode != FileMode::Folder);
            if now != change.old {
                return Err(Stop::Moved);
            }
        }
        for change in changes {
            match change.new {
                Some(entry) => tip.place(&change.path, entry)?,
                None => drop(tip.remove(&change.path)?),
            }
        }
        Ok(((), Some(intent)))
    };
    match workspace.write(work).await {
        Ok(_) => Ok(()),
        Err(store::WriteError::Refused(stop)) => Err(stop),
        Err(store::WriteError::Store(error)) => Err(error.into()),
    }
}

impl Engine {
    /// Holds what came against its kinds, as a push is: told, and refused only where the workspace
    /// takes no violations from pushes.
    pub(super) async fn judge_placed(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        changes: &[Placed],
    ) -> Result<Vec<String>, Error> {
        let (engine, workspace, changes) = (self.clone(), workspace.clone(), changes.to_vec());
        let turn = self.heavy.clone().acquire_owned().await;
        blocking::run(move || {
            let _turn = turn;
            let kinds = engine.kinds();
            let is_strict = workspace.settings().push == PushPolicy::Strict;
            let (mut lines, mut added) = (Vec::new(), 0);
            for Placed { path, old, new } in &changes {
                let (Some((kind, _)), Some(new)) = (kinds.claim(path.as_str()), new) else { continue };
                let generation = engine.generation(&workspace, kind);
                let content = |entry: &Entry| {
                    let bytes = workspace.stored(entry.etag)?;
                    Ok::<_, Error>(engine.contents.of(kind, generation, path.as_str(), entry.etag, &bytes))
                };
                let now = content(new)?;
                if is_strict && !now.violations.is_empty() {
                    let before = old.as_ref().map(content).transpose()?;
                    added += strict::added(before.as_ref().map_or(&[], |b| &b.violations), &now.violations).len();
                }
                let room = LINES_MOST.saturating_sub(lines.len());
                lines.extend(now.violations.iter().take(room).map(|violation| push::line(path, violation)));
            }
            if added > 0 {
                return Err(Error::Conflict(format!(
                    "this workspace takes nothing that adds violations (its setting push is strict):\n{}",
                    lines.join("\n")
                )));
            }
            Ok(lines)
        })
        .await
    }
}
