//! What a push may bring: looked at while nobody else sees it yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::content::Content;
use super::{Engine, Error, place, strict};
use crate::base::blocking;
use crate::resource::actor::Actor;
use crate::resource::check::Violation;
use crate::resource::etag::Etag;
use crate::resource::key::{FilePath, WorkspaceName};
use crate::resource::kind::Kind;
use crate::store::{self, Changed, Incoming, MAIN, Move, PushPolicy, Refused, Workspace};

/// Lines about single files that one push is told.
const LINES_MOST: usize = 100;
/// What was written to the disk within this time may be half of a text.
const QUIET: Duration = Duration::from_millis(300);
/// Bytes that the files which a push changes may have together, as they lie on the disk.
const TREE_BYTES_MOST: u64 = 2 << 30;

/// A push that was looked at.
pub struct Checked {
    /// For the terminal of whoever pushes.
    pub lines: Vec<String>,
    /// Likewise, once `main` has moved.
    pub summary: Option<String>,
    /// Why `main` must not be moved so, or nothing at all.
    pub refused: Option<String>,
    pub incoming: Option<Incoming>,
    /// `main` was not looked at: it was not where the push said when the look began.
    is_late: bool,
    /// What `main` gets other files at.
    paths: Vec<FilePath>,
}

impl Engine {
    /// The workspace, for git to read from it.
    pub fn fetchable(&self, actor: &Actor, name: &WorkspaceName) -> Result<Arc<Workspace>, Error> {
        self.readable(actor, name)
    }

    /// The workspace, for git to push to it.
    pub fn pushable(&self, actor: &Actor, name: &WorkspaceName) -> Result<Arc<Workspace>, Error> {
        self.writable(actor, name)
    }

    /// Looks at what a push brings. Takes as long as there is to read; holds nobody up.
    pub async fn check_push(
        self: &Arc<Self>,
        workspace: &Arc<Workspace>,
        incoming: Option<Incoming>,
        moves: &[Move],
        file_bytes: u64,
    ) -> Result<Checked, Error> {
        let main = moves.iter().find(|wanted| wanted.name == MAIN && wanted.refusal().is_none());
        let main = main.and_then(|wanted| Some((wanted.old, wanted.new?)));
        let (engine, workspace) = (self.clone(), workspace.clone());
        let turn = self.heavy.clone().acquire_owned().await;
        blocking::run(move || {
            let _turn = turn;
            let is_late = incoming.is_none();
            let mut checked =
                Checked { lines: Vec::new(), summary: None, refused: None, incoming: None, is_late, paths: Vec::new() };
            if let Some(incoming) = incoming {
                match engine.look_at(&workspace, &incoming, main, file_bytes, &mut checked) {
                    Ok(()) => {}
                    Err(Refused::Because(why)) => checked.refused = Some(why),
                    // Such as a file that a folder calls a folder.
                    Err(Refused::Store(
                        error @ (store::Error::NoObject(..) | store::Error::Damaged { .. } | store::Error::Git { .. }),
                    )) => {
                        tracing::warn!(workspace.name = %workspace.name(), %error, "a push cannot be looked at");
                        checked.refused = Some("an object is missing, or not what its folder says it is".to_owned());
                    }
                    Err(Refused::Store(error)) => return Err(error.into()),
                }
                checked.incoming = Some(incoming);
            }
            Ok(checked)
        })
        .await
    }

    /// Takes a push that was looked at: what the disk has at its paths is committed first, then
    /// refs are moved in the writer's turn.
    pub async fn accept_push(
        &self,
        workspace: &Arc<Workspace>,
        checked: Checked,
        mut moves: Vec<Move>,
    ) -> Result<Vec<Result<(), String>>, Error> {
        if checked.is_late {
            // Another push may put `main` there in time; this one was not looked at.
            moves.iter_mut().filter(|wanted| wanted.name == MAIN).for_each(|wanted| wanted.old = None);
        }
        if !checked.paths.is_empty() {
            workspace.absorb_disk(Some(checked.paths)).await?;
        }
        Ok(workspace.accept(checked.incoming, moves).await?)
    }

    /// Commits what was edited on the server's disk and rests, so that who is about to push knows of
    /// it. Says whether that was all there is.
    pub async fn absorb_edits(&self, workspace: &Arc<Workspace>) -> Result<bool, Error> {
        Ok(!workspace.absorb_resting(QUIET).await?.waits)
    }

    fn look_at(
        &self,
        workspace: &Arc<Workspace>,
        incoming: &Incoming,
        main: Option<(Option<Etag>, Etag)>,
        file_bytes: u64,
        checked: &mut Checked,
    ) -> Result<(), Refused> {
        let because = |why: &str| Err(Refused::Because(why.to_owned()));
        let measured = incoming.measure()?;
        if let Some((old, new)) = main {
            let Some(old) = old.filter(|old| *old == workspace.head()) else {
                checked.is_late = true;
                return Ok(());
            };
            if !incoming.is_commit(new) {
                return because("main must be a commit");
            }
            if !incoming.contains(new, old)? {
                if !workspace.settings().force_push {
                    return because("non-fast-forward: main keeps its history unless its force_push setting is on");
                }
                if incoming.first_commit(new)? != workspace.root() {
                    // Its number and those of its documents come from there.
                    return because("a forced main must still begin with the workspace's first commit");
                }
            }
            incoming.check_history(old, new, file_bytes)?;
            let changes = incoming.changes(old, new)?;
            let mut bytes = 0;
            for id in changes.iter().filter_map(|change| change.new) {
                bytes += incoming.size(id)?;
                if bytes > TREE_BYTES_MOST {
                    return because("the changed files have more than 2 GiB together");
                }
            }
            self.judge_push(workspace, incoming, new, &changes, checked)?;
            checked.paths = changes.into_iter().map(|change| change.path).collect();
        }
        // In other branches, or in what main does not have any more.
        if let Some((bytes, id)) = measured.largest.filter(|(bytes, _)| *bytes > file_bytes) {
            return because(&format!("the file {id} is too large: {bytes} bytes, at most {file_bytes} are stored"));
        }
        Ok(())
    }

    /// Holds the changed documents against their kinds.
    fn judge_push(
        &self,
        workspace: &Workspace,
        incoming: &Incoming,
        new: Etag,
        changes: &[Changed],
        checked: &mut Checked,
    ) -> Result<(), Refused> {
        let kinds = self.kinds();
        let is_strict = workspace.settings().push == PushPolicy::Strict;
        let mut generations: HashMap<&str, usize> = HashMap::new();
        let (mut documents, mut broken, mut added, mut unlisted) = (0usize, 0usize, 0usize, 0usize);
        for Changed { path, old, new: now } in changes {
            let Some((kind, _)) = kinds.claim(path.as_str()) else { continue };
            documents += 1;
            let Some(now) = now else { continue };
            let generation = match generations.get(&*kind.name) {
                Some(generation) => *generation,
                None => {
                    let generation = selected(incoming, new, kind)?;
                    generations.insert(&kind.name, generation);
                    generation
                }
            };
            let content = self.pushed(incoming, kind, generation, path, *now)?;
            if content.violations.is_empty() {
                continue;
            }
            broken += 1;
            if is_strict {
                let before = match old {
                    Some(old) => Some(self.pushed(incoming, kind, generation, path, *old)?),
                    None => None,
                };
                added += strict::added(before.as_ref().map_or(&[], |b| &b.violations), &content.violations).len();
            }
            for violation in &content.violations {
                if checked.lines.len() < LINES_MOST {
                    checked.lines.push(line(path, violation));
                } else {
                    unlisted += 1;
                }
            }
        }
        if unlisted > 0 {
            checked.lines.push(format!("... and {unlisted} more violations"));
        }
        let s = if documents == 1 { "" } else { "s" };
        checked.summary = Some(format!("{documents} document{s} changed, {broken} with violations"));
        if added > 0 {
            return Err(Refused::Because(
                "this workspace takes no push that adds violations (its setting push is strict)".to_owned(),
            ));
        }
        Ok(())
    }

    fn pushed(
        &self,
        incoming: &Incoming,
        kind: &Arc<Kind>,
        generation: usize,
        path: &FilePath,
        etag: Etag,
    ) -> Result<Arc<Content>, Refused> {
        if let Some(content) = self.contents.kept(kind, generation, path.as_str(), etag) {
            return Ok(content);
        }
        let bytes = incoming.blob(etag)?;
        Ok(self.contents.of(kind, generation, path.as_str(), etag, &bytes))
    }
}

/// Which of the kind's schemas holds once the push is in.
fn selected(incoming: &Incoming, new: Etag, kind: &Kind) -> Result<usize, Refused> {
    let Some(select) = &kind.select else { return Ok(0) };
    let bytes = incoming.file(new, &select.file)?.map(|etag| incoming.blob(etag)).transpose()?;
    Ok(place::selected(kind, bytes.as_deref()))
}

pub(super) fn line(path: &FilePath, violation: &Violation) -> String {
    let message: String = violation.message.chars().take(500).collect();
    format!("{path}:{}:{}: {message}", violation.line, violation.column)
}
