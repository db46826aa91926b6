//! Folders that are linked to a repository elsewhere.
//!
//! A kind whose documents each make a folder may say which member of a document names the folder's
//! repository. The folder then has a published history beside the workspace's own, of the commits
//! that somebody made of it; only that goes out, and what comes in from there is merged into it and
//! into the folder. Nothing is locked, and no writer waits, while another server is talked to.

mod abroad;
mod clone;
mod pull;
mod status;

use std::sync::Arc;

use serde_json::{Value, json};

use super::content;
use super::{Change, Engine, Error, Found, Operation, Options, Writer};
use crate::base::blocking;
use crate::resource::actor::{Actor, Role};
use crate::resource::document;
use crate::resource::etag::{Etag, Expected};
use crate::resource::key::{DocumentId, FilePath};
use crate::resource::kind::Kind;
use crate::resource::row::Row;
use crate::store::{Intent, LinkRef, Published, Workspace};

pub use abroad::Abroad;
pub use clone::Cloned;
pub use pull::Pulled;
pub use status::LinkStatus;

/// Trailer of a commit that brought a whole folder: the commit elsewhere that it was.
const CLONED_TRAILER: &str = "Workleaf-Cloned";
/// How often something is tried again that others came before.
const TRIES: usize = 10;

/// A folder that is linked or may be, for one actor.
#[derive(Clone)]
pub struct Linked {
    engine: Arc<Engine>,
    actor: Actor,
    workspace: Arc<Workspace>,
    kind: Arc<Kind>,
    row: Arc<Row>,
    document: FilePath,
}

/// A commit of the published history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revised {
    pub commit: String,
    /// As git tells of a new commit.
    pub text: String,
}

/// A linked folder at one moment.
struct Now {
    url: Option<String>,
    published: Published,
    /// The folder's tree at the workspace's newest commit.
    tree: Etag,
    /// The tree of the newest published commit.
    root: Option<Etag>,
}

impl Engine {
    /// The folder of a document, when its kind's folders can be linked and the actor's role in the
    /// workspace is this or more.
    pub fn linked(self: &Arc<Self>, actor: &Actor, found: &Found, needed: Role) -> Result<Linked, Error> {
        if found.kind.repository.is_none() {
            return Err(Error::bad_request(format!(
                "the folder of a {} cannot be linked: its kind names no repository",
                found.kind.name
            )));
        }
        let workspace = self
            .store
            .named(&found.row.workspace)
            .ok_or_else(|| Error::NotFound(format!("workspace {}", found.row.workspace)))?;
        let workspace = self.permitted(actor, workspace.name(), needed, "do this")?;
        Ok(Linked {
            engine: self.clone(),
            actor: actor.clone(),
            workspace,
            kind: found.kind.clone(),
            document: FilePath::parse(&found.row.path)?,
            row: found.row.clone(),
        })
    }
}

impl Linked {
    fn folder(&self) -> &str {
        self.document.folder()
    }

    fn id(&self) -> String {
        DocumentId::from_stored(&self.row.id).to_string()
    }

    fn member(&self) -> &str {
        self.kind.repository.as_deref().unwrap_or_default()
    }

    /// Everything about the folder, with what was edited on disk.
    async fn now(&self) -> Result<Now, Error> {
        self.engine.absorb_edits(&self.workspace).await?;
        let this = self.clone();
        blocking::run(move || this.look()).await
    }

    fn look(&self) -> Result<Now, Error> {
        let missing = || Error::NotFound(format!("{} {}", self.kind.name, self.document));
        let snapshot = self.workspace.snapshot(None)?;
        let entry = snapshot.entry(self.document.as_str())?.ok_or_else(missing)?;
        let bytes = snapshot.blob(entry.etag)?;
        let content = document::parse(content::format(self.document.as_str()), &bytes).unwrap_or_default();
        let url = content.get(self.member()).and_then(Value::as_str).filter(|url| !url.is_empty()).map(str::to_owned);
        let tree = snapshot.tree_of(self.folder())?.ok_or_else(missing)?;
        let mut published = self.workspace.published(&self.id())?;
        if published.head.is_none() && published.linked.is_none() && url.is_some() {
            published = self.recovered(published)?;
        }
        let root = published.head.map(|head| self.workspace.root_of(head)).transpose()?;
        Ok(Now { url, published, tree, root })
    }

    /// The refs of a folder whose clone was cut off between its commit and its refs: the commit
    /// says what it was.
    fn recovered(&self, published: Published) -> Result<Published, Error> {
        let index = &self.engine.index;
        let (touches, _) = index.history(&self.row.workspace, &self.row.id, usize::MAX, 0)?;
        let Some(first) = touches.last().and_then(|touch| Etag::parse(&touch.commit)) else { return Ok(published) };
        let message = self.workspace.commit(first)?.message;
        let named = message.lines().find_map(|line| line.strip_prefix(CLONED_TRAILER)?.strip_prefix(": "));
        match named.and_then(Etag::parse).filter(|id| self.workspace.commit(*id).is_ok()) {
            Some(head) => {
                self.mark(head)?;
                Ok(self.workspace.published(&self.id())?)
            }
            None => Ok(published),
        }
    }

    /// Notes that all of a commit elsewhere is here.
    fn mark(&self, head: Etag) -> Result<(), Error> {
        let id = self.id();
        for which in [LinkRef::Head, LinkRef::Remote, LinkRef::Linked] {
            self.workspace.move_published(&id, which, None, Some(head))?;
        }
        Ok(())
    }

    /// Where the folder's repository is, when one is named.
    pub async fn url(&self) -> Result<Option<String>, Error> {
        Ok(self.now().await?.url)
    }

    /// Makes the folder a repository of its own; false when it was one.
    pub async fn init(&self) -> Result<bool, Error> {
        let now = self.now().await?;
        let this = self.clone();
        blocking::run(move || this.note_linked(&now)).await
    }

    /// So that it stays linked whatever becomes of its repository's address.
    fn note_linked(&self, now: &Now) -> Result<bool, Error> {
        if now.published.linked.is_some() {
            return Ok(false);
        }
        Ok(self.workspace.move_published(&self.id(), LinkRef::Linked, None, Some(self.workspace.head()))?)
    }

    /// Names the folder's repository, as an ordinary write to its document; `None` names none.
    pub async fn set_url(&self, url: Option<&str>) -> Result<(), Error> {
        let writer = Writer::new(self.engine.clone(), self.actor.clone(), self.workspace.clone());
        let operation = Operation::MergePatch(json!({ self.member(): url }));
        let change = Change { path: self.document.clone(), expected: Expected::Present, operation };
        let message = match url {
            Some(url) => format!("{}: link {} to {url}", self.kind.name, self.folder()),
            None => format!("{}: unlink {}", self.kind.name, self.folder()),
        };
        writer.commit(vec![change], Options { message: Some(message), ..Options::default() }).await?;
        Ok(())
    }

    /// Forgets the repository, which is gone; the published history stays.
    pub async fn leave(&self) -> Result<(), Error> {
        let now = self.now().await?;
        if now.url.is_some() {
            self.set_url(None).await?;
        }
        let this = self.clone();
        blocking::run(move || this.workspace.move_published(&this.id(), LinkRef::Remote, now.published.remote, None))
            .await?;
        Ok(())
    }

    /// Forgets the repository and the published history; the folder stays as it is.
    pub async fn unlink(&self) -> Result<(), Error> {
        if self.now().await?.url.is_some() {
            self.set_url(None).await?;
        }
        let this = self.clone();
        blocking::run(move || {
            let id = this.id();
            let published = this.workspace.published(&id)?;
            let refs = [
                (LinkRef::Remote, published.remote),
                (LinkRef::Head, published.head),
                (LinkRef::Linked, published.linked),
            ];
            for (which, old) in refs {
                this.workspace.move_published(&id, which, old, None)?;
            }
            Ok(())
        })
        .await
    }

    /// Publishes the folder as it is; `None` when that is what the newest published commit has.
    pub async fn commit(&self, message: &str) -> Result<Option<Revised>, Error> {
        let message = message.trim();
        if message.is_empty() {
            return Err(Error::bad_request("Aborting commit due to empty commit message."));
        }
        let intent = Intent { author: self.actor.signature(), message: message.to_owned() };
        for _ in 0..TRIES {
            let now = self.started().await?;
            let (this, intent) = (self.clone(), intent.clone());
            if let Some(done) = blocking::run(move || this.commit_once(&now, &intent)).await? {
                return Ok(done);
            }
        }
        Err(Error::Busy("others publish this folder all the time: try again".into()))
    }

    /// One try; `None` where somebody else published meanwhile.
    fn commit_once(&self, now: &Now, intent: &Intent) -> Result<Option<Option<Revised>>, Error> {
        if now.root == Some(now.tree) {
            return Ok(Some(None));
        }
        let parents: Vec<Etag> = now.published.head.into_iter().collect();
        let commit = self.workspace.publish(now.tree, &parents, intent)?;
        self.note_linked(now)?;
        if !self.workspace.move_published(&self.id(), LinkRef::Head, now.published.head, Some(commit))? {
            return Ok(None);
        }
        let compared = self.workspace.compare_trees(now.root, Some(now.tree))?;
        let commit = commit.to_string();
        let which = if parents.is_empty() { " (root-commit)" } else { "" };
        let subject = intent.message.lines().next().unwrap_or_default();
        let text = format!("[master{which} {}] {subject}\n{}", &commit[..7], compared.summary);
        Ok(Some(Some(Revised { commit, text: text.trim_end().to_owned() })))
    }

    /// As [`Linked::now`], of a folder that somebody linked.
    async fn started(&self) -> Result<Now, Error> {
        let now = self.now().await?;
        if now.is_linked() {
            return Ok(now);
        }
        Err(Error::Conflict(format!(
            "fatal: not a git repository: {} is not linked, init or clone it first",
            self.folder()
        )))
    }
}

impl Now {
    fn is_linked(&self) -> bool {
        self.published.linked.is_some() || self.published.head.is_some() || self.url.is_some()
    }
}
