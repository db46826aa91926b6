//! Sharing: who else may do what in a workspace.

use std::sync::{Arc, PoisonError};

use super::{Engine, Error, Overview, access};
use crate::base::blocking;
use crate::resource::actor::{Actor, Role, Scope};
use crate::resource::key::WorkspaceName;
use crate::state::members::{Grants, Holder, Member, group};
use crate::store::PushPolicy;

/// What of a workspace's settings is to change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SettingsChange {
    pub public: Option<bool>,
    pub push: Option<PushPolicy>,
    pub force_push: Option<bool>,
}

impl Engine {
    pub(super) fn grants(&self) -> Arc<Grants> {
        self.grants.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at grants and groups afresh; has to follow every change of either.
    pub async fn reload_grants(&self) -> Result<(), Error> {
        // One at a time, so that an older reading never replaces a newer one.
        let _turn = self.reloading.lock().await;
        let grants = self.state.grants().await?;
        *self.grants.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(grants);
        Ok(())
    }

    /// Who else may do what there; for those who were let in themselves.
    pub async fn members(&self, actor: &Actor, name: &WorkspaceName) -> Result<Vec<Member>, Error> {
        let workspace = self.readable(actor, name)?;
        let is_let_in = match actor {
            Actor::Anonymous => false,
            Actor::Account(account, _) => access::owns(actor, name) || self.granted(account, &workspace).is_some(),
            Actor::System => true,
        };
        if !is_let_in {
            return Err(match actor {
                Actor::Anonymous => Error::LoginNeeded,
                _ => Error::Denied(format!("only members of {name} may see who they are")),
            });
        }
        Ok(self.state.members(workspace.id()).await?)
    }

    /// Gives a role to an account or a group.
    pub async fn grant(&self, actor: &Actor, name: &WorkspaceName, who: &str, role: Role) -> Result<Member, Error> {
        let workspace = self.permitted(actor, name, Role::Admin, "share it")?;
        let holder = self.state.holder(who).await?;
        if let (Holder::Group(id), Some(group), Actor::Account(account, _)) = (holder, group(who), actor)
            && !account.is_admin
            && !self.grants().is_in(account.id, id)
        {
            // Whoever is not in a group does not learn that there is one.
            return Err(Error::NotFound(format!("group {group:?}")));
        }
        self.state.set_member(workspace.id(), holder, Some(role)).await?;
        self.reload_grants().await?;
        let members = self.state.members(workspace.id()).await?;
        members.into_iter().find(|member| member.holder == holder).ok_or_else(|| missing(who, name))
    }

    /// Takes the role of an account or a group away. One's own may always be given up.
    pub async fn revoke(&self, actor: &Actor, name: &WorkspaceName, who: &str) -> Result<(), Error> {
        let workspace = self.readable(actor, name)?;
        let is_own = actor.name().is_some_and(|own| own.eq_ignore_ascii_case(who));
        if !is_own || actor.scope() < Some(Scope::Admin) {
            self.permitted(actor, name, Role::Admin, "share it")?;
        }
        let holder = self.state.holder(who).await?;
        if !self.state.set_member(workspace.id(), holder, None).await? {
            return Err(missing(who, name));
        }
        self.reload_grants().await
    }

    /// Changes who may read a workspace without being a member, and what pushes may bring.
    pub async fn change_settings(
        self: &Arc<Self>,
        actor: &Actor,
        name: &WorkspaceName,
        change: SettingsChange,
        is_dry_run: bool,
    ) -> Result<Overview, Error> {
        let workspace = self.permitted(actor, name, Role::Admin, "change its settings")?;
        let mut settings = workspace.settings();
        settings.public = change.public.unwrap_or(settings.public);
        settings.push = change.push.unwrap_or(settings.push);
        settings.force_push = change.force_push.unwrap_or(settings.force_push);
        if !is_dry_run && settings != workspace.settings() {
            let workspace = workspace.clone();
            blocking::run(move || workspace.set_settings(settings)).await?;
        }
        let mut overview = self.overview(actor, &workspace)?;
        overview.settings = settings;
        Ok(overview)
    }
}

fn missing(who: &str, name: &WorkspaceName) -> Error {
    Error::NotFound(format!("member {who:?} of {name}"))
}
