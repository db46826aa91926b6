//! Who may see and change what.

use std::sync::Arc;

use super::{Engine, Error};
use crate::resource::actor::Actor;
use crate::resource::key::WorkspaceName;
use crate::resource::query::Filter;
use crate::resource::row::{Column, Value};
use crate::store::Workspace;

/// The workspace that the catalogue dialects share.
pub(super) const CATALOGUE: &str = "catalogue/main";

/// Who may write the shared catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogueWriters {
    Accounts,
    Admins,
}

/// The workspaces that a reader's answers come from.
#[derive(Debug, Clone)]
pub(super) enum Scope {
    Everything,
    Workspaces(Arc<[Value]>),
}

impl Scope {
    /// The condition that narrows a query to this scope.
    pub(super) fn filter(&self) -> Option<Filter> {
        match self {
            Scope::Everything => None,
            Scope::Workspaces(names) => Some(Filter::In(Column::Workspace, names.to_vec())),
        }
    }

    pub(super) fn holds(&self, workspace: &str) -> bool {
        match self {
            Scope::Everything => true,
            Scope::Workspaces(names) => {
                names.iter().any(|name| matches!(name, Value::Text(name) if &**name == workspace))
            }
        }
    }
}

/// Whether the actor may read the workspace.
pub(super) fn may_read(actor: &Actor, workspace: &Workspace) -> bool {
    workspace.settings().public || owns(actor, workspace.name()) || is_shared_with(actor, workspace.name())
}

/// Whether the actor may change files in the workspace.
fn may_write(actor: &Actor, name: &WorkspaceName, catalogue: CatalogueWriters) -> bool {
    owns(actor, name) || (catalogue == CatalogueWriters::Accounts && is_shared_with(actor, name))
}

/// Whether the actor may create and delete workspaces of this owner.
pub(super) fn may_manage(actor: &Actor, name: &WorkspaceName) -> bool {
    owns(actor, name)
}

fn owns(actor: &Actor, name: &WorkspaceName) -> bool {
    actor.is_admin() || actor.name().is_some_and(|actor| actor.eq_ignore_ascii_case(name.owner()))
}

/// Every account shares the catalogue.
fn is_shared_with(actor: &Actor, name: &WorkspaceName) -> bool {
    matches!(actor, Actor::Account(_)) && name.as_str() == CATALOGUE
}

impl Engine {
    pub(super) fn scope(&self, actor: &Actor) -> Scope {
        if actor.is_admin() {
            return Scope::Everything;
        }
        let readable = self.store.workspaces().into_iter().filter(|workspace| may_read(actor, workspace));
        Scope::Workspaces(readable.map(|workspace| Value::Text(workspace.name().to_arc())).collect())
    }

    /// The workspace, when the actor may read it; what one may not see is not there.
    pub(super) fn readable(&self, actor: &Actor, name: &WorkspaceName) -> Result<Arc<Workspace>, Error> {
        match self.store.workspace(name) {
            Ok(workspace) if may_read(actor, &workspace) => Ok(workspace),
            _ if *actor == Actor::Anonymous => Err(Error::LoginNeeded),
            _ => Err(Error::NotFound(format!("workspace {name}"))),
        }
    }

    /// The workspace, when the actor may write it.
    pub(super) fn writable(&self, actor: &Actor, name: &WorkspaceName) -> Result<Arc<Workspace>, Error> {
        let workspace = self.readable(actor, name)?;
        if may_write(actor, workspace.name(), self.catalogue_writers) {
            Ok(workspace)
        } else if *actor == Actor::Anonymous {
            Err(Error::LoginNeeded)
        } else {
            Err(Error::Denied(format!("you may read {name} but not change it")))
        }
    }
}
