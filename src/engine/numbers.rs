//! Workspaces and documents by their numbers, as dialects know them whose addresses hold nothing else.

use std::sync::Arc;

use super::access::owner_is;
use super::{Error, Found, Reader};
use crate::resource::actor::{Actor, Role};
use crate::resource::key::{DocumentId, WorkspaceName};
use crate::resource::kind::Kind;
use crate::store::Workspace;

/// A workspace and what the one who asked may do there.
#[derive(Debug, Clone)]
pub struct Standing {
    pub id: u64,
    pub name: WorkspaceName,
    pub role: Role,
}

impl Reader {
    /// The workspace with this number, when the actor may read it.
    pub fn workspace_numbered(&self, id: u64) -> Option<Standing> {
        let workspace = self.engine.store.numbered(id)?;
        self.standing(&workspace)
    }

    fn standing(&self, workspace: &Workspace) -> Option<Standing> {
        let role = self.engine.role(self.actor(), workspace)?;
        Some(Standing { id: workspace.id(), name: workspace.name().clone(), role })
    }

    /// The actor's own workspaces and those that they were let into, in order of creation: not what
    /// everybody may read, nor, for an administrator, everybody's.
    pub fn joined(&self) -> Result<Vec<Standing>, Error> {
        let Actor::Account(account, _) = self.actor() else { return Ok(Vec::new()) };
        let grants = self.engine.grants();
        let mut found = Vec::new();
        for workspace in self.engine.store.workspaces() {
            let is_theirs = owner_is(account, workspace.name());
            if (is_theirs || grants.role(workspace.id(), account.id).is_some())
                && let Some(standing) = self.standing(&workspace)
            {
                found.push((workspace.created()?, standing));
            }
        }
        found.sort_by(|(one, a), (other, b)| one.cmp(other).then_with(|| a.name.cmp(&b.name)));
        Ok(found.into_iter().map(|(_, standing)| standing).collect())
    }

    /// The document of a workspace with this derived id.
    pub fn numbered(&self, kind: &Arc<Kind>, id: u64, workspace: &WorkspaceName) -> Result<Found, Error> {
        self.engine.readable(self.actor(), workspace)?;
        let rows = self.engine.index.rows_by_id(&kind.name, &DocumentId::Number(id).stored())?;
        let here = rows.into_iter().find(|row| *row.workspace == *workspace.as_str());
        let missing = || Error::NotFound(format!("{} {id}", kind.name));
        here.map(|row| Found { kind: kind.clone(), row }).ok_or_else(missing)
    }
}
