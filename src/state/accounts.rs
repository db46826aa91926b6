//! Accounts: who can log in.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::database::{Error, State, found, fresh_id, sql};
use crate::base::clock;
use crate::resource::actor::Account;
use crate::resource::key::{NameError, RESERVED_OWNERS, account_name};

/// An account to be made.
pub struct NewAccount<'a> {
    pub name: &'a str,
    pub email: Option<&'a str>,
    /// PHC string of the password.
    pub password: Option<&'a str>,
    pub is_admin: bool,
}

impl State {
    /// Makes an account. Names are unique ignoring case; owners of the server are refused.
    pub async fn create_account(&self, new: NewAccount<'_>) -> Result<Account, Error> {
        account_name(new.name)?;
        let folded = new.name.to_ascii_lowercase();
        if RESERVED_OWNERS.contains(&folded.as_str()) {
            return Err(NameError::reserved(new.name).into());
        }
        let id = fresh_id();
        let done = sqlx::query(
            "INSERT INTO account (id, name, folded, email, password, is_admin, created_at, from_provider) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (folded) DO NOTHING",
        )
        .bind(id)
        .bind(new.name)
        .bind(&folded)
        .bind(new.email)
        .bind(new.password)
        .bind(i64::from(new.is_admin))
        .bind(clock::now())
        .bind(i64::from(new.password.is_none()))
        .execute(&self.pool)
        .await
        .map_err(sql("creating an account"))?;
        if done.rows_affected() == 0 {
            return Err(Error::Exists { what: "account", name: new.name.to_owned() });
        }
        Ok(Account {
            id,
            name: new.name.to_owned(),
            email: new.email.map(str::to_owned),
            is_admin: new.is_admin,
            epoch: 0,
            from_provider: new.password.is_none(),
        })
    }

    /// The account of this name, ignoring case, and its password's PHC string.
    pub async fn account(&self, name: &str) -> Result<Option<(Account, Option<String>)>, Error> {
        let row = sqlx::query(
            "SELECT id, name, email, is_admin, epoch, from_provider, password FROM account WHERE folded = $1",
        )
        .bind(name.to_ascii_lowercase())
        .fetch_optional(&self.pool)
        .await
        .map_err(sql("reading an account"))?;
        Ok(row.map(|row| (account(&row), row.get("password"))))
    }

    /// The account of this id.
    pub async fn account_by_id(&self, id: i64) -> Result<Option<Account>, Error> {
        let row = sqlx::query("SELECT id, name, email, is_admin, epoch, from_provider FROM account WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(sql("reading an account"))?;
        Ok(row.as_ref().map(account))
    }

    /// All accounts by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let rows = sqlx::query("SELECT id, name, email, is_admin, epoch, from_provider FROM account ORDER BY folded")
            .fetch_all(&self.pool)
            .await
            .map_err(sql("listing accounts"))?;
        Ok(rows.iter().map(account).collect())
    }

    /// Replaces the password and ends every session, login and token of the account; only if it is
    /// still of this epoch, where one is given.
    pub async fn set_password(&self, name: &str, password: &str, epoch: Option<i64>) -> Result<(), Error> {
        let doing = "setting a password";
        let mut step = self.pool.begin().await.map_err(sql(doing))?;
        let row = sqlx::query(
            "UPDATE account SET password = $1, epoch = epoch + 1 WHERE folded = $2 AND epoch = COALESCE($3, epoch) \
             RETURNING id",
        )
        .bind(password)
        .bind(name.to_ascii_lowercase())
        .bind(epoch)
        .fetch_optional(&mut *step)
        .await
        .map_err(sql(doing))?;
        let missing = || if epoch.is_some() { Error::Changed } else { Error::not_found(ACCOUNT, name) };
        let id: i64 = row.ok_or_else(missing)?.get("id");
        for statement in [
            "DELETE FROM session WHERE account_id = $1",
            "DELETE FROM login WHERE account_id = $1",
            "DELETE FROM token WHERE account_id = $1",
        ] {
            sqlx::query(statement).bind(id).execute(&mut *step).await.map_err(sql(doing))?;
        }
        step.commit().await.map_err(sql(doing))
    }

    /// Changes what is given; the inner `None` removes the address.
    pub async fn change_account(
        &self,
        name: &str,
        email: Option<Option<&str>>,
        is_admin: Option<bool>,
    ) -> Result<(), Error> {
        let done = sqlx::query(
            "UPDATE account SET email = CASE WHEN $1 = 1 THEN $2 ELSE email END, is_admin = COALESCE($3, is_admin) \
             WHERE folded = $4",
        )
        .bind(i64::from(email.is_some()))
        .bind(email.flatten())
        .bind(is_admin.map(i64::from))
        .bind(name.to_ascii_lowercase())
        .execute(&self.pool)
        .await
        .map_err(sql("changing an account"))?;
        found(&done, ACCOUNT, name)
    }

    /// Removes the account and everything that lets somebody in as it. Its workspaces stay on disk.
    pub async fn delete_account(&self, name: &str) -> Result<(), Error> {
        let done = sqlx::query("DELETE FROM account WHERE folded = $1")
            .bind(name.to_ascii_lowercase())
            .execute(&self.pool)
            .await
            .map_err(sql("deleting an account"))?;
        found(&done, ACCOUNT, name)
    }
}

const ACCOUNT: &str = "account";

/// Of a row with the columns id, name, email, is_admin, epoch, from_provider.
pub(super) fn account(row: &SqliteRow) -> Account {
    Account {
        id: row.get("id"),
        name: row.get("name"),
        email: row.get("email"),
        is_admin: row.get::<i64, _>("is_admin") != 0,
        epoch: row.get("epoch"),
        from_provider: row.get::<i64, _>("from_provider") != 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &str) -> NewAccount<'_> {
        NewAccount { name, email: None, password: Some("x"), is_admin: false }
    }

    #[tokio::test]
    async fn names_are_unique_ignoring_case_and_some_are_reserved() {
        let state = State::in_memory().await.unwrap();
        let made = state.create_account(new("Ann")).await.unwrap();
        assert!(matches!(state.create_account(new("aNN")).await, Err(Error::Exists { .. })));
        assert!(matches!(state.create_account(new("Catalogue")).await, Err(Error::Name(_))));
        assert!(matches!(state.create_account(new("a/b")).await, Err(Error::Name(_))));
        assert_eq!(state.account("ANN").await.unwrap().unwrap().0, made);
        state.set_password("ann", "y", None).await.unwrap();
        assert_eq!(state.account("ann").await.unwrap().unwrap().1.as_deref(), Some("y"));
        state.delete_account("ann").await.unwrap();
        assert!(matches!(state.delete_account("ann").await, Err(Error::NotFound { .. })));
        assert!(state.accounts().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_is_migrated_once_and_reopens() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state.db");
        let state = State::open(&file).await.unwrap();
        state.create_account(new("ann")).await.unwrap();
        state.close().await;
        let state = State::open(&file).await.unwrap();
        assert_eq!(state.accounts().await.unwrap().len(), 1);
    }
}
