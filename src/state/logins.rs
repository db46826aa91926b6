//! Logins by signed tokens: a family of tokens is good as long as its row is there, so that
//! revoking is deleting and survives a restart.

use sqlx::Row as _;

use super::accounts::account;
use super::database::{Error, State, sql};
use crate::base::clock;
use crate::resource::actor::Account;

/// What became of a refresh token that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The account goes on with the new one.
    Rotated(Account),
    /// It had been used before: somebody has a copy, so the whole family, of the account of this id,
    /// is revoked.
    Reused(i64),
    /// Its family was revoked.
    Revoked,
}

impl State {
    /// A new family, whose first refresh token has this jti. Forgets families that have expired.
    pub async fn create_login(
        &self,
        account: &Account,
        family: &str,
        refresh: &str,
        expires_at: i64,
    ) -> Result<(), Error> {
        let doing = "creating a login";
        sqlx::query("DELETE FROM login WHERE expires_at <= $1")
            .bind(clock::now())
            .execute(&self.pool)
            .await
            .map_err(sql(doing))?;
        let done = sqlx::query(
            "INSERT INTO login (family, account_id, refresh, expires_at) \
             SELECT $1, id, $3, $4 FROM account WHERE id = $2 AND epoch = $5",
        )
        .bind(family)
        .bind(account.id)
        .bind(refresh)
        .bind(expires_at)
        .bind(account.epoch)
        .execute(&self.pool)
        .await
        .map_err(sql(doing))?;
        if done.rows_affected() == 0 { Err(Error::Changed) } else { Ok(()) }
    }

    /// Whose family this is, unless it was revoked.
    pub async fn login(&self, family: &str) -> Result<Option<Account>, Error> {
        let row = sqlx::query(
            "SELECT account.id, name, email, is_admin, epoch, from_provider FROM login JOIN account ON account.id = account_id \
             WHERE family = $1",
        )
        .bind(family)
        .fetch_optional(&self.pool)
        .await
        .map_err(sql("reading a login"))?;
        Ok(row.as_ref().map(account))
    }

    /// Exchanges the family's refresh token, once.
    pub async fn rotate_login(&self, family: &str, used: &str, next: &str, expires_at: i64) -> Result<Rotation, Error> {
        let doing = "refreshing a login";
        let row = sqlx::query(
            "UPDATE login SET refresh = $1, expires_at = $2 WHERE family = $3 AND refresh = $4 RETURNING account_id",
        )
        .bind(next)
        .bind(expires_at)
        .bind(family)
        .bind(used)
        .fetch_optional(&self.pool)
        .await
        .map_err(sql(doing))?;
        if let Some(row) = row {
            // Deleted in between at worst, and with it the login.
            let account = self.account_by_id(row.get("account_id")).await?;
            return Ok(account.map_or(Rotation::Revoked, Rotation::Rotated));
        }
        Ok(self.delete_login(family).await?.map_or(Rotation::Revoked, Rotation::Reused))
    }

    /// Revokes a family; the id of its account, unless it was revoked already.
    pub async fn delete_login(&self, family: &str) -> Result<Option<i64>, Error> {
        let row = sqlx::query("DELETE FROM login WHERE family = $1 RETURNING account_id")
            .bind(family)
            .fetch_optional(&self.pool)
            .await
            .map_err(sql("ending a login"))?;
        Ok(row.map(|row| row.get("account_id")))
    }
}
