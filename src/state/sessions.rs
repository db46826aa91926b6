//! Browser sessions.

use sqlx::Row as _;

use super::database::{Error, State, sql};
use crate::base::clock;

impl State {
    /// Keeps a session; false when the id is taken. Forgets those that ended by themselves.
    pub async fn create_session(
        &self,
        id: &str,
        account: Option<i64>,
        data: &str,
        expires_at: i64,
    ) -> Result<bool, Error> {
        let doing = "creating a session";
        sqlx::query("DELETE FROM session WHERE expires_at <= $1")
            .bind(clock::now())
            .execute(&self.pool)
            .await
            .map_err(sql(doing))?;
        let done = sqlx::query(
            "INSERT INTO session (id, account_id, data, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(account)
        .bind(data)
        .bind(expires_at)
        .execute(&self.pool)
        .await
        .map_err(sql(doing))?;
        Ok(done.rows_affected() > 0)
    }

    /// Changes a session that is there: one that was ended meanwhile stays so.
    pub async fn save_session(&self, id: &str, account: Option<i64>, data: &str, expires_at: i64) -> Result<(), Error> {
        sqlx::query("UPDATE session SET account_id = $1, data = $2, expires_at = $3 WHERE id = $4")
            .bind(account)
            .bind(data)
            .bind(expires_at)
            .bind(id)
            .execute(&self.pool)
            .await
            .map_err(sql("saving a session"))?;
        Ok(())
    }

    /// A session's data and when it ends, unless it has.
    pub async fn session(&self, id: &str) -> Result<Option<(String, i64)>, Error> {
        let row = sqlx::query("SELECT data, expires_at FROM session WHERE id = $1 AND expires_at > $2")
            .bind(id)
            .bind(clock::now())
            .fetch_optional(&self.pool)
            .await
            .map_err(sql("reading a session"))?;
        Ok(row.map(|row| (row.get("data"), row.get("expires_at"))))
    }

    /// Ends a session.
    pub async fn delete_session(&self, id: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM session WHERE id = $1")
            .bind(id)
            .execute(&self.pool)
            .await
            .map_err(sql("ending a session"))?;
        Ok(())
    }
}
