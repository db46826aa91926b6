//! Logins by signed tokens: a family of tokens is good as long as its row is there, so that
//! revoking is deleting and survives a restart.

use super::accounts::account;
use super::database::{Error, State, sql};
use crate::base::clock;
use crate::resource::actor::Account;

/// What became of a refresh token that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The account goes on with the new one.
    Rotated(Account),
    /// It had been used before: somebody has a copy, so the whole family is revoked.
    Reused,
    /// Its family was revoked.
    Revoked,
}

impl State {
    /// A new family, whose first refresh token has this jti. Forgets families that have expired.
    pub async fn create_login(&self, account: i64, family: &str, refresh: &str, expires_at: i64) -> Result<(), Error> {
        let doing = "creating a login";
        sqlx::query("DELETE FROM login WHERE expires_at <= $1")
            .bind(clock::now())
            .execute(&self.pool)
            .await
            .map_err(sql(doing))?;
        sqlx::query("INSERT INTO login (family, account_id, refresh, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(family)
            .bind(account)
            .bind(refresh)
            .bind(expires_at)
            .execute(&self.pool)
            .await
            .map_err(sql(doing))?;
        Ok(())
    }

    /// Whose family this is, unless it was revoked.
    pub async fn login(&self, family: &str) -> Result<Option<Account>, Error> {
        let row = sqlx::query(
            "SELECT account.id, name, email, is_admin FROM login JOIN account ON account.id = account_id \
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
        let done = sqlx::query("UPDATE login SET refresh = $1, expires_at = $2 WHERE family = $3 AND refresh = $4")
            .bind(next)
            .bind(expires_at)
            .bind(family)
            .bind(used)
            .execute(&self.pool)
            .await
            .map_err(sql(doing))?;
        if done.rows_affected() > 0 {
            // Revoked in between at worst.
            return Ok(self.login(family).await?.map_or(Rotation::Revoked, Rotation::Rotated));
        }
        Ok(if self.delete_login(family).await? { Rotation::Reused } else { Rotation::Revoked })
    }

    /// Revokes a family; false when it was already.
    pub async fn delete_login(&self, family: &str) -> Result<bool, Error> {
        let done = sqlx::query("DELETE FROM login WHERE family = $1")
            .bind(family)
            .execute(&self.pool)
            .await
            .map_err(sql("ending a login"))?;
        Ok(done.rows_affected() > 0)
    }
}
