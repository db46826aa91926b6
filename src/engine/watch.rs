//! Workspaces that come and go on the server's disk.

use std::sync::{Arc, Weak};

use super::Engine;
use super::error::Error;
use crate::base::blocking;
use crate::resource::actor::Author;
use crate::resource::key::{DocumentId, RESERVED_OWNERS, WorkspaceName};
use crate::state;
use crate::state::accounts::NewAccount;
use crate::store::{Seen, SetAside, Settings, WatchOptions, Watcher, Workspace};

impl Engine {
    /// Takes in what happens on the disk, until the watcher is dropped.
    pub fn watch(self: &Arc<Self>, options: WatchOptions) -> Result<Watcher, Error> {
        for workspace in self.store.workspaces().into_iter().filter(|workspace| workspace.is_adopting()) {
            let engine = self.clone();
            tokio::spawn(async move {
                if let Err(error) = engine.settle_in(&workspace).await {
                    tracing::warn!(?error, workspace.name = %workspace.name(), "a folder is only half a workspace yet");
                }
            });
        }
        let engine = Arc::downgrade(self);
        Ok(self.store.watch(options, move |seen| Box::pin(see(engine.clone(), seen)))?)
    }

    async fn appeared(self: &Arc<Self>, workspace: &Arc<Workspace>) -> Result<(), Error> {
        let engine = self.clone();
        // In the writer's turn, so that no commit comes in between.
        workspace.exclusive(move |workspace| engine.compare(workspace)).await?
    }

    /// The index forgets it. Who may do what there stays known: it may come back.
    async fn vanished(self: &Arc<Self>, workspace: Arc<Workspace>) -> Result<(), Error> {
        let engine = self.clone();
        blocking::run(move || {
            engine.selections.forget(workspace.name().as_str());
            // Not that of another one that has its name by now.
            if engine.store.workspace(workspace.name()).is_err() {
                engine.index.forget(workspace.name().as_str())?;
            }
            Ok(())
        })
        .await
    }

    /// Makes a workspace of files without a repository, and an account without a password for its
    /// owner where there is none (decisions.md 27).
    async fn adopt(self: &Arc<Self>, name: WorkspaceName) -> Result<(), Error> {
        let owner = name.owner().to_owned();
        if !RESERVED_OWNERS.contains(&owner.to_ascii_lowercase().as_str()) {
            let new = NewAccount { name: &owner, email: None, password: None, is_admin: false };
            match self.state.create_account(new).await {
                Ok(_) | Err(state::Error::Exists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let author = Author { email: format!("{owner}@workleaf.invalid"), name: owner };
        let engine = self.clone();
        let wanted = name.clone();
        let workspace = blocking::run(move || engine.store.adopt(&wanted, Settings::default(), &author)).await?;
        tracing::info!(workspace.name = %name, "a folder on disk became a workspace");
        self.appeared(&workspace).await?;
        self.settle_in(&workspace).await
    }

    /// Takes over what is in a folder that became a workspace: its files, and the history of the
    /// repositories inside. May be done again where it broke off.
    async fn settle_in(self: &Arc<Self>, workspace: &Arc<Workspace>) -> Result<(), Error> {
        let place = workspace.clone();
        let inside = blocking::run(move || place.set_aside()).await?;
        workspace.absorb_disk(None).await?;
        let (engine, workspace) = (self.clone(), workspace.clone());
        blocking::run(move || {
            for repository in inside {
                let name = workspace.name();
                match engine.take_over(&workspace, &repository) {
                    Ok(refs) => tracing::info!(workspace.name = %name, repository.folder, refs, "a history was taken over"),
                    // It stays where it was set aside.
                    Err(error) => {
                        tracing::warn!(workspace.name = %name, repository.folder, ?error, "a history is not taken over");
                    }
                }
            }
            Ok(workspace.adopted()?)
        })
        .await
    }

    fn take_over(&self, workspace: &Arc<Workspace>, repository: &SetAside) -> Result<usize, Error> {
        let kinds = self.kinds();
        let document = workspace.document_in(&repository.folder, |path| kinds.claim(path).is_some())?;
        let missing = || Error::NotFound(format!("document of {}", repository.folder));
        let row = self.index.row(workspace.name().as_str(), &document.ok_or_else(missing)?)?.ok_or_else(missing)?;
        Ok(workspace.take_over(repository, &DocumentId::from_stored(&row.id).to_string())?)
    }
}

async fn see(engine: Weak<Engine>, seen: Seen) {
    let Some(engine) = engine.upgrade() else { return };
    let (name, done) = match seen {
        Seen::Appeared(workspace) => (workspace.name().clone(), engine.appeared(&workspace).await),
        Seen::Vanished(workspace) => (workspace.name().clone(), engine.vanished(workspace).await),
        Seen::Adoptable(name) => (name.clone(), engine.adopt(name).await),
    };
    if let Err(error) = done {
        tracing::warn!(?error, workspace.name = %name, "a workspace that came or went on disk is not in the index");
    }
}
