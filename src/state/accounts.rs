//! Accounts: who can log in.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::database::{Error, State, sql};
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
        let mut random = [0; 8];
        getrandom::fill(&mut random).expect("the system has a random source");
        // 53 bits: exact in every JSON reader.
        let id = (u64::from_le_bytes(random) >> 11) as i64;
        let done = sqlx::query(
            "INSERT INTO account (id, name, folded, email, password, is_admin, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (folded) DO NOTHING",
        )
        .bind(id)
        .bind(new.name)
        .bind(&folded)
        .bind(new.email)
        .bind(new.password)
        .bind(i64::from(new.is_admin))
        .bind(clock::now())
        .execute(&self.pool)
        .await
        .map_err(sql("creating an account"))?;
        if done.rows_affected() == 0 {
            return Err(Error::Exists(new.name.to_owned()));
        }
        Ok(Account { id, name: new.name.to_owned(), email: new.email.map(str::to_owned), is_admin: new.is_admin })
    }

    /// The account of this name, ignoring case, and its password's PHC string.
    pub async fn account(&self, name: &str) -> Result<Option<(Account, Option<String>)>, Error> {
        let row = sqlx::query("SELECT id, name, email, is_admin, password FROM account WHERE folded = $1")
            .bind(name.to_ascii_lowercase())
            .fetch_optional(&self.pool)
            .await
            .map_err(sql("reading an account"))?;
        Ok(row.map(|row| (account(&row), row.get("password"))))
    }

    /// All accounts by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let rows = sqlx::query("SELECT id, name, email, is_admin FROM account ORDER BY folded")
            .fetch_all(&self.pool)
            .await
            .map_err(sql("listing accounts"))?;
        Ok(rows.iter().map(account).collect())
    }

    /// Replaces the password.
    pub async fn set_password(&self, name: &str, password: &str) -> Result<(), Error> {
        let done = sqlx::query("UPDATE account SET password = $1 WHERE folded = $2")
            .bind(password)
            .bind(name.to_ascii_lowercase())
            .execute(&self.pool)
            .await
            .map_err(sql("setting a password"))?;
        if done.rows_affected() == 0 { Err(Error::NotFound(name.to_owned())) } else { Ok(()) }
    }

    /// Removes the account. Its workspaces stay on disk.
    pub async fn delete_account(&self, name: &str) -> Result<(), Error> {
        let done = sqlx::query("DELETE FROM account WHERE folded = $1")
            .bind(name.to_ascii_lowercase())
            .execute(&self.pool)
            .await
            .map_err(sql("deleting an account"))?;
        if done.rows_affected() == 0 { Err(Error::NotFound(name.to_owned())) } else { Ok(()) }
    }
}

fn account(row: &SqliteRow) -> Account {
    Account {
        id: row.get("id"),
        name: row.get("name"),
        email: row.get("email"),
        is_admin: row.get::<i64, _>("is_admin") != 0,
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
        assert!(matches!(state.create_account(new("aNN")).await, Err(Error::Exists(_))));
        assert!(matches!(state.create_account(new("Catalogue")).await, Err(Error::Name(_))));
        assert!(matches!(state.create_account(new("a/b")).await, Err(Error::Name(_))));
        assert_eq!(state.account("ANN").await.unwrap().unwrap().0, made);
        state.set_password("ann", "y").await.unwrap();
        assert_eq!(state.account("ann").await.unwrap().unwrap().1.as_deref(), Some("y"));
        state.delete_account("ann").await.unwrap();
        assert!(matches!(state.delete_account("ann").await, Err(Error::NotFound(_))));
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
