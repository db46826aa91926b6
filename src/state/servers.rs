//! Sealed credentials for servers that workspaces name.

use sqlx::Row as _;

use super::database::{Error, State, sql};

impl State {
    /// Keeps the sealed token of one of a workspace's servers, or forgets it.
    pub async fn set_server_token(&self, workspace: u64, entry: u64, sealed: Option<&str>) -> Result<(), Error> {
        let query = match sealed {
            Some(sealed) => sqlx::query(
                "INSERT INTO server_token (workspace_id, entry_id, sealed) VALUES ($1, $2, $3) \
                 ON CONFLICT (workspace_id, entry_id) DO UPDATE SET sealed = excluded.sealed",
            )
            .bind(workspace as i64)
            .bind(entry as i64)
            .bind(sealed),
            None => sqlx::query("DELETE FROM server_token WHERE workspace_id = $1 AND entry_id = $2")
                .bind(workspace as i64)
                .bind(entry as i64),
        };
        query.execute(&self.pool).await.map_err(sql("keeping a server's token"))?;
        Ok(())
    }

    /// The sealed token of one of a workspace's servers.
    pub async fn server_token(&self, workspace: u64, entry: u64) -> Result<Option<String>, Error> {
        let row = sqlx::query("SELECT sealed FROM server_token WHERE workspace_id = $1 AND entry_id = $2")
            .bind(workspace as i64)
            .bind(entry as i64)
            .fetch_optional(&self.pool)
            .await
            .map_err(sql("reading a server's token"))?;
        Ok(row.map(|row| row.get("sealed")))
    }
}
