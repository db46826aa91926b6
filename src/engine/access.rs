//! Who may see and change what.

use std::sync::Arc;

use super::{Engine, Error};
use crate::resource::actor::{Account, Actor, Role};
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

impl Engine {
    /// What the actor may do in the workspace: the most of what owning it, grants, the catalogue
    /// and being public give, and no more than the credential is good for.
    pub(super) fn role(&self, actor: &Actor, workspace: &Workspace) -> Option<Role> {
        let public = workspace.settings().public.then_some(Role::Reader);
        match actor {
            Actor::System => Some(Role::Admin),
            Actor::Anonymous => public,
            Actor::Account(account, scope) => {
                let whole = if owns(actor, workspace.name()) {
                    Some(Role::Admin)
                } else {
                    public.max(self.granted(account, workspace))
                };
                whole.map(|role| role.min(scope.role()))
            }
        }
    }

    /// What the account was given in the workspace.
    pub(super) fn granted(&self, account: &Account, workspace: &Workspace) -> Option<Role> {
        let shared = (workspace.name().as_str() == CATALOGUE).then_some(match self.catalogue_writers {
            CatalogueWriters::Accounts => Role::Writer,
            CatalogueWriters::Admins => Role::Reader,
        });
        shared.max(self.grants().role(workspace.id(), account.id))
    }

    pub(super) fn scope(&self, actor: &Actor) -> Scope {
        if matches!(actor, Actor::System) || matches!(actor, Actor::Account(account, _) if account.is_admin) {
            return Scope::Everything;
        }
        let readable = self.store.workspaces().into_iter().filter(|workspace| self.role(actor, workspace).is_some());
        Scope::Workspaces(readable.map(|workspace| Value::Text(workspace.name().to_arc())).collect())
    }

    /// The workspace, when the actor may read it; what one may not see is not there.
    pub(super) fn readable(&self, actor: &Actor, name: &WorkspaceName) -> Result<Arc<Workspace>, Error> {
        match self.store.workspace(name) {
            Ok(workspace) if self.role(actor, &workspace).is_some() => Ok(workspace),
            _ if *actor == Actor::Anonymous => Err(Error::LoginNeeded),
            _ => Err(Error::NotFound(format!("workspace {name}"))),
        }
    }

    /// The workspace, when the actor may write it.
    pub(super) fn writable(&self, actor: &Actor, name: &WorkspaceName) -> Result<Arc<Workspace>, Error> {
        self.permitted(actor, name, Role::Writer, "change it")
    }

    /// The workspace, when the actor's role there is this or more.
    pub(super) fn permitted(
        &self,
        actor: &Actor,
        name: &WorkspaceName,
        needed: Role,
        to_do: &str,
    ) -> Result<Arc<Workspace>, Error> {
        let workspace = self.readable(actor, name)?;
        match self.role(actor, &workspace) {
            Some(role) if role >= needed => Ok(workspace),
            _ if *actor == Actor::Anonymous => Err(Error::LoginNeeded),
            _ => Err(Error::Denied(format!(
                "you may read {name} but not {to_do}: that takes the role {}",
                needed.name()
            ))),
        }
    }
}

/// Whether workspaces of this owner are the actor's: their own ones, or everybody's for an
/// administrator.
pub(super) fn owns(actor: &Actor, name: &WorkspaceName) -> bool {
    match actor {
        Actor::Anonymous => false,
        Actor::Account(account, _) => account.is_admin || owner_is(account, name),
        Actor::System => true,
    }
}

/// Whether the account is the workspace's owner.
pub(super) fn owner_is(account: &Account, name: &WorkspaceName) -> bool {
    account.name.eq_ignore_ascii_case(name.owner())
}
