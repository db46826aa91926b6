//! What accounts and groups may do in workspaces beside the owner.

use std::collections::HashMap;

use sqlx::Row as _;

use super::database::{Error, State, sql};
use crate::resource::actor::Role;

/// Who a role is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    Account(i64),
    Group(i64),
}

/// A role in a workspace, with the holder's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub holder: Holder,
    pub name: String,
    pub role: Role,
}

/// How a group is told from an account, whose name holds no colon.
const GROUP: &str = "group:";

/// The group that is named so, if it is one.
pub fn group(who: &str) -> Option<&str> {
    who.strip_prefix(GROUP)
}

impl Member {
    /// The holder as people write it: an account's name, or `group:NAME`.
    pub fn who(&self) -> String {
        match self.holder {
            Holder::Account(_) => self.name.clone(),
            Holder::Group(_) => format!("{GROUP}{}", self.name),
        }
    }
}

/// Every grant there is, for looking up in memory.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    roles: HashMap<(i64, Holder), Role>,
    /// The groups of each account.
    groups: HashMap<i64, Vec<i64>>,
}

impl Grants {
    /// What the account was given in the workspace, itself or through its groups.
    pub fn role(&self, workspace: u64, account: i64) -> Option<Role> {
        if self.roles.is_empty() {
            return None;
        }
        let workspace = workspace as i64;
        let groups = self.groups.get(&account).into_iter().flatten().map(|group| Holder::Group(*group));
        let holders = std::iter::once(Holder::Account(account)).chain(groups);
        holders.filter_map(|holder| self.roles.get(&(workspace, holder)).copied()).max()
    }

    /// Whether the account is in the group.
    pub fn is_in(&self, account: i64, group: i64) -> bool {
        self.groups.get(&account).is_some_and(|groups| groups.contains(&group))
    }
}

impl State {
    /// Every grant and every group's members.
    pub async fn grants(&self) -> Result<Grants, Error> {
        let doing = "reading who may do what";
        let mut grants = Grants::default();
        let rows = sqlx::query("SELECT workspace_id, account_id, team_id, role FROM workspace_member")
            .fetch_all(&self.pool)
            .await
            .map_err(sql(doing))?;
        for row in rows {
            let holder = row.get::<Option<i64>, _>("account_id").map(Holder::Account);
            let holder = holder.or_else(|| row.get::<Option<i64>, _>("team_id").map(Holder::Group));
            if let (Some(holder), Some(role)) = (holder, Role::parse(row.get("role"))) {
                grants.roles.insert((row.get("workspace_id"), holder), role);
            }
        }
        let rows = sqlx::query("SELECT team_id, account_id FROM team_member")
            .fetch_all(&self.pool)
            .await
            .map_err(sql(doing))?;
        for row in rows {
            grants.groups.entry(row.get("account_id")).or_default().push(row.get("team_id"));
        }
        Ok(grants)
    }

    /// The members of a workspace, accounts first, by name.
    pub async fn members(&self, workspace: u64) -> Result<Vec<Member>, Error> {
        let rows = sqlx::query(
            "SELECT account_id, team_id, role, COALESCE(account.name, team.name) AS name FROM workspace_member \
             LEFT JOIN account ON account.id = account_id LEFT JOIN team ON team.id = team_id \
             WHERE workspace_id = $1 ORDER BY CASE WHEN team_id IS NULL THEN 0 ELSE 1 END, name",
        )
        .bind(workspace as i64)
        .fetch_all(&self.pool)
        .await
        .map_err(sql("listing members"))?;
        let member = |row: &sqlx::sqlite::SqliteRow| {
            let holder = match (row.get("account_id"), row.get("team_id")) {
                (Some(account), _) => Holder::Account(account),
                (None, Some(team)) => Holder::Group(team),
                (None, None) => return None,
            };
            Some(Member { holder, name: row.get("name"), role: Role::parse(row.get("role"))? })
        };
        Ok(rows.iter().filter_map(member).collect())
    }

    /// The holder that [`Member::who`] names so.
    pub async fn holder(&self, who: &str) -> Result<Holder, Error> {
        if let Some(group) = group(who) {
            return Ok(Holder::Group(self.group(group).await?.id));
        }
        let found = self.account(who).await?;
        found.map(|(account, _)| Holder::Account(account.id)).ok_or_else(|| Error::not_found("account", who))
    }

    /// Gives a role, or takes it away with `None`; false when there was none to take.
    pub async fn set_member(&self, workspace: u64, holder: Holder, role: Option<Role>) -> Result<bool, Error> {
        let doing = "changing a member";
        let (account, team) = match holder {
            Holder::Account(id) => (Some(id), None),
            Holder::Group(id) => (None, Some(id)),
        };
        let mut step = self.pool.begin().await.map_err(sql(doing))?;
        let gone =
            sqlx::query("DELETE FROM workspace_member WHERE workspace_id = $1 AND (account_id = $2 OR team_id = $3)")
                .bind(workspace as i64)
                .bind(account)
                .bind(team)
                .execute(&mut *step)
                .await
                .map_err(sql(doing))?;
        if let Some(role) = role {
            sqlx::query(
                "INSERT INTO workspace_member (workspace_id, account_id, team_id, role) VALUES ($1, $2, $3, $4)",
            )
            .bind(workspace as i64)
            .bind(account)
            .bind(team)
            .bind(role.name())
            .execute(&mut *step)
            .await
            .map_err(sql(doing))?;
        }
        step.commit().await.map_err(sql(doing))?;
        Ok(role.is_some() || gone.rows_affected() > 0)
    }

    /// The workspace is gone, what was granted there, and its credentials for others.
    pub async fn forget_workspace(&self, workspace: u64) -> Result<(), Error> {
        for statement in
            ["DELETE FROM workspace_member WHERE workspace_id = $1", "DELETE FROM server_token WHERE workspace_id = $1"]
        {
            let done = sqlx::query(statement).bind(workspace as i64).execute(&self.pool).await;
            done.map_err(sql("forgetting a workspace"))?;
        }
        Ok(())
    }
}
