//! Access tokens of scripts and of git.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::accounts::account;
use super::database::{Error, State, fresh_id, sql};
use crate::base::clock;
use crate::resource::actor::{Account, Scope};

/// A token as its owner sees it: without the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: i64,
    pub name: String,
    pub scope: Scope,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub used_at: Option<i64>,
}

/// At most once in so many seconds a use is noted: not every one is a write.
const USE_RESOLUTION: i64 = 60;

impl State {
    /// Keeps a token by its digest.
    pub async fn create_token(
        &self,
        account: &Account,
        name: &str,
        scope: Scope,
        digest: &str,
        expires_at: Option<i64>,
    ) -> Result<Token, Error> {
        let token =
            Token { id: fresh_id(), name: name.to_owned(), scope, created_at: clock::now(), expires_at, used_at: None };
        let done = sqlx::query(
            "INSERT INTO token (id, account_id, name, scope, digest, created_at, expires_at) \
             SELECT $1, id, $3, $4, $5, $6, $7 FROM account WHERE id = $2 AND epoch = $8",
        )
        .bind(token.id)
        .bind(account.id)
        .bind(name)
        .bind(scope.name())
        .bind(digest)
        .bind(token.created_at)
        .bind(expires_at)
        .bind(account.epoch)
        .execute(&self.pool)
        .await
        .map_err(sql("creating a token"))?;
        if done.rows_affected() == 0 { Err(Error::Changed) } else { Ok(token) }
    }

    /// The account's tokens, oldest first.
    pub async fn tokens(&self, account: i64) -> Result<Vec<Token>, Error> {
        let rows = sqlx::query(
            "SELECT id, name, scope, created_at, expires_at, used_at FROM token \
             WHERE account_id = $1 ORDER BY created_at, id",
        )
        .bind(account)
        .fetch_all(&self.pool)
        .await
        .map_err(sql("listing tokens"))?;
        Ok(rows.iter().map(token).collect())
    }

    /// Removes a token of the account; false when there is none of this id.
    pub async fn delete_token(&self, account: i64, id: i64) -> Result<bool, Error> {
        let done = sqlx::query("DELETE FROM token WHERE account_id = $1 AND id = $2")
            .bind(account)
            .bind(id)
            .execute(&self.pool)
            .await
            .map_err(sql("deleting a token"))?;
        Ok(done.rows_affected() > 0)
    }

    /// Whose token this is the digest of, expired ones included, and whether its use was noted now:
    /// that of a good one is, once a minute.
    pub async fn token_of(&self, digest: &str) -> Result<Option<(Account, Token, bool)>, Error> {
        let row = sqlx::query(
            "SELECT account.id, account.name, email, is_admin, epoch, from_provider, token.id AS token_id, token.name AS token_name, \
             scope, token.created_at, expires_at, used_at \
             FROM token JOIN account ON account.id = account_id WHERE digest = $1",
        )
        .bind(digest)
        .fetch_optional(&self.pool)
        .await
        .map_err(sql("reading a token"))?;
        let Some(row) = row else { return Ok(None) };
        let token = Token { id: row.get("token_id"), name: row.get("token_name"), ..token(&row) };
        let now = clock::now();
        let is_good = token.expires_at.is_none_or(|at| at > now);
        let is_noted = is_good && token.used_at.is_none_or(|at| at + USE_RESOLUTION <= now);
        if is_noted {
            sqlx::query("UPDATE token SET used_at = $1 WHERE id = $2")
                .bind(now)
                .bind(token.id)
                .execute(&self.pool)
                .await
                .map_err(sql("noting a token's use"))?;
        }
        Ok(Some((account(&row), token, is_noted)))
    }
}

fn token(row: &SqliteRow) -> Token {
    Token {
        id: row.get("id"),
        name: row.get("name"),
        // A scope that this release does not know is worth the least.
        scope: Scope::parse(row.get("scope")).unwrap_or(Scope::Read),
        created_at: row.get("created_at"),
        expires_at: row.get("expires_at"),
        used_at: row.get("used_at"),
    }
}
