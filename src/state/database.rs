//! The connection pool and the schema's migrations.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteQueryResult, SqliteSynchronous};
use sqlx::{Row as _, SqlitePool};

use crate::base::random;

/// Applied in order, each once. Never change one that was released: add another.
const MIGRATIONS: [&str; 3] = [
    include_str!("migrations/0001_accounts.sql"),
    include_str!("migrations/0002_access.sql"),
    include_str!("migrations/0003_server_tokens.sql"),
];

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is {} {what} named {name:?} already", if what.starts_with('a') { "an" } else { "a" })]
    Exists { what: &'static str, name: String },
    #[error("there is no {what} named {name:?}")]
    NotFound { what: &'static str, name: String },
    /// The account is not any more what it was when its credential was verified.
    #[error("the account was changed meanwhile")]
    Changed,
    #[error(transparent)]
    Name(#[from] crate::resource::key::NameError),
    #[error("the state database was written by a newer workleaf (schema {found}, this one knows {known})")]
    Newer { found: i64, known: i64 },
    #[error("{doing} in the state database")]
    Sql {
        doing: &'static str,
        #[source]
        source: sqlx::Error,
    },
}

/// Names what was being done when SQL failed.
pub(super) fn sql(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| Error::Sql { doing, source }
}

impl Error {
    pub(super) fn not_found(what: &'static str, name: &str) -> Self {
        Error::NotFound { what, name: name.to_owned() }
    }
}

/// Refuses a statement that found nothing of this name to change.
pub(super) fn found(done: &SqliteQueryResult, what: &'static str, name: &str) -> Result<(), Error> {
    if done.rows_affected() == 0 { Err(Error::not_found(what, name)) } else { Ok(()) }
}

/// An id of 53 random bits: exact in every JSON reader.
pub(super) fn fresh_id() -> i64 {
    (u64::from_le_bytes(random::bytes()) >> 11) as i64
}

/// The state database.
#[derive(Clone)]
pub struct State {
    pub(super) pool: SqlitePool,
}

impl State {
    /// Opens or creates the database file and brings its schema up to date.
    pub async fn open(file: &Path) -> Result<Self, Error> {
        // Whoever else has an account on this machine reads no hashes; SQLite's other files take
        // their mode from this one.
        let made = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(file);
        made.map_err(|error| sql("opening")(sqlx::Error::Io(error)))?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was answered survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.map_err(sql("opening"))?;
        let state = State { pool };
        state.migrate().await?;
        Ok(state)
    }

    /// An empty database in memory, for tests.
    pub async fn in_memory() -> Result<Self, Error> {
        let options = SqliteConnectOptions::from_str("sqlite::memory:").map_err(sql("opening"))?;
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await
            .map_err(sql("opening"))?;
        let state = State { pool };
        state.migrate().await?;
        Ok(state)
    }

    async fn migrate(&self) -> Result<(), Error> {
        let doing = "migrating";
        sqlx::query("CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY)")
            .execute(&self.pool)
            .await
            .map_err(sql(doing))?;
        let row = sqlx::query("SELECT COALESCE(MAX(version), 0) FROM migration")
            .fetch_one(&self.pool)
            .await
            .map_err(sql(doing))?;
        let found: i64 = row.get(0);
        let known = MIGRATIONS.len() as i64;
        if found > known {
            return Err(Error::Newer { found, known });
        }
        for (at, text) in MIGRATIONS.iter().enumerate().skip(found as usize) {
            let mut step = self.pool.begin().await.map_err(sql(doing))?;
            sqlx::raw_sql(*text).execute(&mut *step).await.map_err(sql(doing))?;
            sqlx::query("INSERT INTO migration (version) VALUES ($1)")
                .bind(at as i64 + 1)
                .execute(&mut *step)
                .await
                .map_err(sql(doing))?;
            step.commit().await.map_err(sql(doing))?;
        }
        Ok(())
    }

    /// Writes a consistent copy to a file that is not there yet.
    pub async fn copy_to(&self, file: &Path) -> Result<(), Error> {
        let doing = "copying";
        let file = file.to_str().ok_or_else(|| sql(doing)(sqlx::Error::Protocol("the path is not UTF-8".into())))?;
        sqlx::query("VACUUM INTO $1").bind(file).execute(&self.pool).await.map_err(sql(doing))?;
        Ok(())
    }

    /// Removes everything, leaving empty tables.
    pub async fn reset(&self) -> Result<(), Error> {
        const EMPTIED: [&str; 9] = [
            "DELETE FROM workspace_member",
            "DELETE FROM team_member",
            "DELETE FROM team",
            "DELETE FROM identity",
            "DELETE FROM used_attempt",
            "DELETE FROM session",
            "DELETE FROM login",
            "DELETE FROM token",
            "DELETE FROM account",
        ];
        let doing = "removing everything";
        let mut step = self.pool.begin().await.map_err(sql(doing))?;
        for statement in EMPTIED {
            sqlx::query(statement).execute(&mut *step).await.map_err(sql(doing))?;
        }
        step.commit().await.map_err(sql(doing))
    }

    /// Closes all connections; the write-ahead log is folded into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
