//! Groups of accounts. The DMP tool calls them projects (contracts/dmp.md, section 4).

use sqlx::Row as _;

use super::database::{Error, State, found, fresh_id, sql};
use crate::base::clock;

const GROUP: &str = "group";

/// A group and its members' names, oldest member first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: i64,
    pub name: String,
    pub description: String,
    pub members: Vec<String>,
}

impl State {
    /// Makes an empty group.
    pub async fn create_group(&self, name: &str, description: &str) -> Result<(), Error> {
        let done = sqlx::query(
            "INSERT INTO team (id, name, description, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
        )
        .bind(fresh_id())
        .bind(name)
        .bind(description)
        .bind(clock::now())
        .execute(&self.pool)
        .await
        .map_err(sql("creating a group"))?;
        if done.rows_affected() == 0 {
            return Err(Error::Exists { what: "group", name: name.to_owned() });
        }
        Ok(())
    }

    /// Replaces a group's description.
    pub async fn describe_group(&self, name: &str, description: &str) -> Result<(), Error> {
        let done = sqlx::query("UPDATE team SET description = $1 WHERE name = $2")
            .bind(description)
            .bind(name)
            .execute(&self.pool)
            .await
            .map_err(sql("changing a group"))?;
        found(&done, GROUP, name)
    }

    /// Removes a group and what it was granted.
    pub async fn delete_group(&self, name: &str) -> Result<(), Error> {
        let done = sqlx::query("DELETE FROM team WHERE name = $1")
            .bind(name)
            .execute(&self.pool)
            .await
            .map_err(sql("deleting a group"))?;
        found(&done, GROUP, name)
    }

    /// All groups by name.
    pub async fn groups(&self) -> Result<Vec<Group>, Error> {
        self.select_groups(None).await
    }

    /// The group of this name.
    pub async fn group(&self, name: &str) -> Result<Group, Error> {
        self.select_groups(Some(name)).await?.pop().ok_or_else(|| Error::not_found(GROUP, name))
    }

    /// The names of the groups that an account is in.
    pub async fn groups_of(&self, account: i64) -> Result<Vec<String>, Error> {
        let rows = sqlx::query(
            "SELECT name FROM team JOIN team_member ON team_id = team.id WHERE account_id = $1 ORDER BY name",
        )
        .bind(account)
        .fetch_all(&self.pool)
        .await
        .map_err(sql("listing groups"))?;
        Ok(rows.iter().map(|row| row.get("name")).collect())
    }

    async fn select_groups(&self, name: Option<&str>) -> Result<Vec<Group>, Error> {
        let rows = sqlx::query(
            "SELECT team.id, team.name, description, account.name AS member FROM team \
             LEFT JOIN team_member ON team_id = team.id LEFT JOIN account ON account.id = account_id \
             WHERE team.name = COALESCE($1, team.name) ORDER BY team.name, since, account.id",
        )
        .bind(name)
        .fetch_all(&self.pool)
        .await
        .map_err(sql("listing groups"))?;
        let mut groups: Vec<Group> = Vec::new();
        for row in rows {
            let id = row.get("id");
            if groups.last().is_none_or(|group| group.id != id) {
                let (name, description) = (row.get("name"), row.get("description"));
                groups.push(Group { id, name, description, members: Vec::new() });
            }
            if let (Some(group), Some(member)) = (groups.last_mut(), row.get("member")) {
                group.members.push(member);
            }
        }
        Ok(groups)
    }

    /// Name and description of the group that the account has been in for longest.
    pub async fn first_group(&self, account: i64) -> Result<Option<(String, String)>, Error> {
        let row = sqlx::query(
            "SELECT name, description FROM team JOIN team_member ON team_id = team.id WHERE account_id = $1 \
             ORDER BY since, team.id LIMIT 1",
        )
        .bind(account)
        .fetch_optional(&self.pool)
        .await
        .map_err(sql("reading a group"))?;
        Ok(row.map(|row| (row.get("name"), row.get("description"))))
    }

    /// Puts an account into a group; repeating it changes nothing.
    pub async fn join_group(&self, group: &str, account: &str) -> Result<(), Error> {
        let (team_id, account_id) = self.pair(group, account).await?;
        sqlx::query("INSERT INTO team_member (team_id, account_id, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(team_id)
            .bind(account_id)
            .bind(clock::micros())
            .execute(&self.pool)
            .await
            .map_err(sql("joining a group"))?;
        Ok(())
    }

    /// Takes an account out of a group.
    pub async fn leave_group(&self, group: &str, account: &str) -> Result<(), Error> {
        let (team_id, account_id) = self.pair(group, account).await?;
        let done = sqlx::query("DELETE FROM team_member WHERE team_id = $1 AND account_id = $2")
            .bind(team_id)
            .bind(account_id)
            .execute(&self.pool)
            .await
            .map_err(sql("leaving a group"))?;
        found(&done, "member of the group", account)
    }

    async fn pair(&self, group: &str, account: &str) -> Result<(i64, i64), Error> {
        let row = sqlx::query("SELECT id FROM team WHERE name = $1")
            .bind(group)
            .fetch_optional(&self.pool)
            .await
            .map_err(sql("reading a group"))?;
        let team_id = row.ok_or_else(|| Error::not_found(GROUP, group))?.get("id");
        let (account, _) = self.account(account).await?.ok_or_else(|| Error::not_found("account", account))?;
        Ok((team_id, account.id))
    }
}
