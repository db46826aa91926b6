//! The engine itself, and the use cases on whole workspaces.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Semaphore;

use super::access::{self, CatalogueWriters};
use super::content::Contents;
use super::error::Error;
use super::place::Selections;
use super::{Reader, Writer};
use crate::index::{Index, KindCount};
use crate::resource::actor::{Actor, Role, Scope};
use crate::resource::etag::Etag;
use crate::resource::key::{RESERVED_OWNERS, WorkspaceName};
use crate::resource::kind::Kinds;
use crate::state::State;
use crate::state::members::Grants;
use crate::store::{self, Settings, Store, Workspace};

/// All use cases over one data directory.
pub struct Engine {
    pub(super) store: Arc<Store>,
    pub(super) index: Arc<Index>,
    pub(super) contents: Contents,
    pub(super) selections: Selections,
    pub(super) catalogue_writers: CatalogueWriters,
    pub(super) state: State,
    pub(super) grants: RwLock<Arc<Grants>>,
    pub(super) reloading: tokio::sync::Mutex<()>,
    /// Turns for judging large documents: each takes much memory.
    pub(super) heavy: Arc<Semaphore>,
    /// Turns for calling repositories elsewhere.
    pub(super) abroad: Arc<Semaphore>,
    kinds: RwLock<Arc<Kinds>>,
}

/// A workspace to be made.
#[derive(Debug, Clone)]
pub struct NewWorkspace {
    pub name: WorkspaceName,
    pub settings: Settings,
}

/// A workspace as its readers see it.
#[derive(Debug, Clone)]
pub struct Overview {
    pub id: u64,
    pub name: WorkspaceName,
    pub head: Etag,
    pub settings: Settings,
    pub documents: Vec<KindCount>,
    /// What the one who asked may do there.
    pub role: Option<Role>,
}

impl Engine {
    /// Joins store and index and brings the index up to date with git.
    pub fn open(
        store: Arc<Store>,
        index: Arc<Index>,
        kinds: Arc<Kinds>,
        cache: u64,
        catalogue_writers: CatalogueWriters,
        state: State,
        grants: Grants,
    ) -> Result<Arc<Self>, Error> {
        let engine = Arc::new(Engine {
            store,
            index,
            contents: Contents::new(cache),
            selections: Selections::default(),
            catalogue_writers,
            state,
            grants: RwLock::new(Arc::new(grants)),
            reloading: tokio::sync::Mutex::default(),
            heavy: Arc::new(Semaphore::new(2)),
            abroad: Arc::new(Semaphore::new(8)),
            kinds: RwLock::new(kinds),
        });
        engine.listen();
        engine.catch_up()?;
        Ok(engine)
    }

    pub fn kinds(&self) -> Arc<Kinds> {
        self.kinds.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes other kinds. [`Engine::reindex`] has to follow.
    pub fn set_kinds(&self, kinds: Arc<Kinds>) {
        *self.kinds.write().unwrap_or_else(PoisonError::into_inner) = kinds;
        // Until everything is indexed anew, a start finds an index that fits no kinds.
        self.index.set_fingerprint("in change");
        self.contents.clear();
    }

    /// What the actor may read.
    pub fn reader(self: &Arc<Self>, actor: &Actor) -> Reader {
        Reader::new(self.clone(), actor.clone())
    }

    /// The road to change a workspace, when the actor may.
    pub fn writer(self: &Arc<Self>, actor: &Actor, name: &WorkspaceName) -> Result<Writer, Error> {
        let workspace = self.writable(actor, name)?;
        Ok(Writer::new(self.clone(), actor.clone(), workspace))
    }

    /// The shared catalogue, made at its first use.
    pub async fn catalogue(self: &Arc<Self>) -> Result<WorkspaceName, Error> {
        let name = WorkspaceName::parse(access::CATALOGUE)?;
        if self.store.workspace(&name).is_err() {
            let new = NewWorkspace { name: name.clone(), settings: Settings::default() };
            match self.create_workspace(&Actor::System, new).await {
                Err(error) if self.store.workspace(&name).is_err() => return Err(error),
                // Made, by us or by another first use at the same time.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(name)
    }

    /// Makes a workspace with its first, empty commit.
    pub async fn create_workspace(self: &Arc<Self>, actor: &Actor, new: NewWorkspace) -> Result<Overview, Error> {
        self.check_creation(actor, &new.name)?;
        if new.settings.public && actor.scope() < Some(Scope::Admin) {
            return Err(Error::Denied("letting everybody read needs more than a token of the scope write".into()));
        }
        let engine = self.clone();
        let author = actor.signature();
        let workspace =
            crate::base::blocking::run(move || engine.store.create(&new.name, new.settings, &author)).await?;
        let engine = self.clone();
        // In the writer's turn: others may write as soon as it is there, and their commits are
        // absorbed when they are made.
        workspace.exclusive(move |workspace| engine.compare(workspace)).await??;
        self.overview(actor, &workspace)
    }

    /// Whether the actor may make a workspace of this name now.
    pub fn check_creation(&self, actor: &Actor, name: &WorkspaceName) -> Result<(), Error> {
        if *actor == Actor::Anonymous {
            return Err(Error::LoginNeeded);
        }
        if RESERVED_OWNERS.contains(&name.owner().to_ascii_lowercase().as_str()) && *actor != Actor::System {
            return Err(Error::Denied(format!("workspaces of {} are made by the server itself", name.owner())));
        }
        if actor.scope() < Some(Scope::Write) {
            return Err(Error::Denied("this token only reads: use one of the scope write".into()));
        }
        if !access::owns(actor, name) {
            return Err(Error::Denied(format!("only {} and administrators may make {name}", name.owner())));
        }
        match self.store.workspace(name) {
            Ok(other) => Err(store::Error::Exists(other.name().clone()).into()),
            Err(_) => Ok(()),
        }
    }

    /// Removes a workspace with its whole history.
    pub async fn delete_workspace(self: &Arc<Self>, actor: &Actor, name: &WorkspaceName) -> Result<(), Error> {
        let workspace = self.check_deletion(actor, name)?;
        let id = workspace.id();
        let engine = self.clone();
        crate::base::blocking::run(move || {
            // First, so that no list meets rows without files; and again, for a write in between.
            engine.index.forget(workspace.name().as_str())?;
            engine.store.remove(workspace.name())?;
            engine.index.forget(workspace.name().as_str())?;
            engine.selections.forget(workspace.name().as_str());
            Ok::<_, Error>(())
        })
        .await?;
        self.state.forget_workspace(id).await?;
        self.reload_grants().await
    }

    /// Gives a workspace another name; its number, its members and its documents' ids stay.
    pub async fn rename_workspace(
        self: &Arc<Self>,
        actor: &Actor,
        name: &WorkspaceName,
        to: &str,
    ) -> Result<Overview, Error> {
        let (workspace, to) = self.check_renaming(actor, name, to)?;
        if *workspace.name() == to {
            return self.overview(actor, &workspace);
        }
        let engine = self.clone();
        // To its end, whether its client waits or not.
        let renaming = tokio::spawn(async move {
            let renamed = workspace
                .exclusive({
                    let engine = engine.clone();
                    move |workspace| engine.rename_in_turn(workspace, &to)
                })
                .await??;
            let taken = renamed.exclusive(move |workspace| engine.compare(workspace)).await?;
            taken.map(|()| renamed)
        });
        let renamed = renaming.await.map_err(|error| Error::Internal(Box::new(error)))??;
        self.overview(actor, &renamed)
    }

    fn rename_in_turn(&self, workspace: &Arc<Workspace>, to: &WorkspaceName) -> Result<Arc<Workspace>, Error> {
        let name = workspace.name().as_str();
        // First, so that no list meets rows without files.
        self.index.forget(name)?;
        self.selections.forget(name);
        let renamed = self.store.rename(workspace, to);
        if renamed.is_err() {
            self.compare(workspace)?;
        }
        Ok(renamed?)
    }

    /// The workspace and its whole new name, when the actor may give it that and nobody has it.
    pub fn check_renaming(
        &self,
        actor: &Actor,
        name: &WorkspaceName,
        to: &str,
    ) -> Result<(Arc<Workspace>, WorkspaceName), Error> {
        let workspace = self.permitted(actor, name, Role::Admin, "rename it")?;
        let owner = workspace.name().owner();
        let to = WorkspaceName::new(owner, to)?;
        if RESERVED_OWNERS.contains(&owner.to_ascii_lowercase().as_str()) && *actor != Actor::System {
            return Err(Error::Denied(format!("workspaces of {owner} are the server's own")));
        }
        match self.store.workspace(&to) {
            Ok(other) if !Arc::ptr_eq(&other, &workspace) => Err(store::Error::Exists(other.name().clone()).into()),
            _ => Ok((workspace, to)),
        }
    }

    /// The workspace, when the actor may delete it.
    pub fn check_deletion(&self, actor: &Actor, name: &WorkspaceName) -> Result<Arc<Workspace>, Error> {
        self.permitted(actor, name, Role::Admin, "delete it")
    }

    pub(super) fn overview(&self, actor: &Actor, workspace: &Arc<Workspace>) -> Result<Overview, Error> {
        Ok(Overview {
            id: workspace.id(),
            name: workspace.name().clone(),
            head: workspace.head(),
            settings: workspace.settings(),
            documents: self.index.counts(workspace.name().as_str())?,
            role: self.role(actor, workspace),
        })
    }

    /// Waits for every write that a workspace's writer has taken, whether its client waits or not.
    pub async fn finish_writes(&self) {
        for workspace in self.store.workspaces() {
            if workspace.is_writing()
                && let Err(error) = workspace.refresh().await
            {
                tracing::warn!(workspace.name = %workspace.name(), %error, "the last writes may have failed");
            }
        }
    }

    /// Everything is on disk and in the index: called once, when nothing is accepted any more.
    pub fn close(&self) -> Result<(), Error> {
        self.store.settle();
        self.index.flush()?;
        Ok(())
    }

    /// What keeps the engine from serving, in words for the operator.
    pub fn problems(&self) -> Vec<String> {
        self.store.failure().map(|error| error.to_string()).into_iter().collect()
    }

    /// What the operator should know of, in words that anybody may read.
    pub fn notes(&self) -> Vec<String> {
        self.store.notes()
    }

    /// Whether there are workspaces of this owner, ignoring case.
    pub fn has_workspaces_of(&self, owner: &str) -> bool {
        self.store.workspaces().iter().any(|workspace| workspace.name().owner().eq_ignore_ascii_case(owner))
    }

    /// Whether a workspace could be made of this bundle.
    pub fn check_copy(&self, bundle: &Path) -> Result<(), store::Error> {
        self.store.unbundle(Settings::default(), bundle).map(drop)
    }

    /// Every workspace, for who keeps copies of them.
    pub fn workspaces(&self) -> Vec<Arc<Workspace>> {
        self.store.workspaces()
    }

    /// How many workspaces there are.
    pub fn workspace_count(&self) -> usize {
        self.store.workspaces().len()
    }
}
