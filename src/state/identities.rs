//! Who an account is at a login provider, and which login attempts were completed.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::accounts::account;
use super::database::{Error, State, sql};
use crate::base::clock;
use crate::resource::actor::Account;

/// Somebody as a provider knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub provider: String,
    /// What never changes there: GitHub's numeric id.
    pub subject: String,
    pub login: String,
    /// JSON object, as the provider gave it.
    pub profile: String,
    /// The provider's access token, sealed.
    pub token: String,
}

impl State {
    /// The account that is linked to a provider's subject.
    pub async fn account_of_identity(&self, provider: &str, subject: &str) -> Result<Option<Account>, Error> {
        let row = sqlx::query(
            "SELECT account.id, name, email, is_admin, epoch, from_provider FROM identity JOIN account ON account.id = account_id \
             WHERE provider = $1 AND subject = $2",
        )
        .bind(provider)
        .bind(subject)
        .fetch_optional(&self.pool)
        .await
        .map_err(sql("reading an identity"))?;
        Ok(row.as_ref().map(account))
    }

    /// Links an identity to an account, or brings up to date what is known of it.
    pub async fn save_identity(&self, account: i64, identity: &Identity) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO identity (provider, subject, account_id, login, profile, token) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (provider, subject) DO UPDATE \
             SET account_id = excluded.account_id, login = excluded.login, profile = excluded.profile, \
             token = excluded.token",
        )
        .bind(&identity.provider)
        .bind(&identity.subject)
        .bind(account)
        .bind(&identity.login)
        .bind(&identity.profile)
        .bind(&identity.token)
        .execute(&self.pool)
        .await
        .map_err(sql("saving an identity"))?;
        Ok(())
    }

    /// The account's identities by provider.
    pub async fn identities(&self, account: i64) -> Result<Vec<Identity>, Error> {
        let rows = sqlx::query(
            "SELECT provider, subject, login, profile, token FROM identity WHERE account_id = $1 \
                 ORDER BY provider, subject",
        )
        .bind(account)
        .fetch_all(&self.pool)
        .await
        .map_err(sql("listing identities"))?;
        Ok(rows.iter().map(identity).collect())
    }

    /// Unlinks an identity; false when the account has none of this provider and subject.
    pub async fn delete_identity(&self, account: i64, provider: &str, subject: &str) -> Result<bool, Error> {
        let done = sqlx::query("DELETE FROM identity WHERE account_id = $1 AND provider = $2 AND subject = $3")
            .bind(account)
            .bind(provider)
            .bind(subject)
            .execute(&self.pool)
            .await
            .map_err(sql("deleting an identity"))?;
        Ok(done.rows_affected() > 0)
    }

    /// Notes that a login attempt was completed; false when it had been before.
    pub async fn use_attempt(&self, nonce: &str, expires_at: i64) -> Result<bool, Error> {
        let doing = "noting a login attempt";
        sqlx::query("DELETE FROM used_attempt WHERE expires_at <= $1")
            .bind(clock::now())
            .execute(&self.pool)
            .await
            .map_err(sql(doing))?;
        let done = sqlx::query("INSERT INTO used_attempt (nonce, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(nonce)
            .bind(expires_at)
            .execute(&self.pool)
            .await
            .map_err(sql(doing))?;
        Ok(done.rows_affected() > 0)
    }
}

fn identity(row: &SqliteRow) -> Identity {
    Identity {
        provider: row.get("provider"),
        subject: row.get("subject"),
        login: row.get("login"),
        profile: row.get("profile"),
        token: row.get("token"),
    }
}
