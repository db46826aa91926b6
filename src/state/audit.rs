//! What happened to accounts and access.

use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::database::{Error, State, sql};
use crate::base::clock;

/// One thing that happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Microseconds since 1970; set when it is noted.
    pub id: i64,
    /// Who did it, as they named themselves.
    pub actor: Option<String>,
    /// For example `login.failed`.
    pub action: String,
    /// What it was done to.
    pub subject: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
    pub detail: Option<String>,
}

/// Which events are asked for; all conditions hold.
#[derive(Debug, Clone, Default)]
pub struct EventFilter<'a> {
    pub actor: Option<&'a str>,
    /// An action, or the part of it before the dot.
    pub action: Option<&'a str>,
    pub subject: Option<&'a str>,
    /// Seconds since 1970, inclusive.
    pub since: Option<i64>,
    /// Seconds since 1970, exclusive.
    pub until: Option<i64>,
}

/// How long events are kept, in seconds.
const KEPT: i64 = 400 * 24 * 60 * 60;
/// How many events are kept at most: guessing passwords must not fill the disk.
const KEPT_MOST: i64 = 1_000_000;
/// One event in so many looks for those that are too many or too old.
const SWEEP: i64 = 1_000;

impl State {
    /// Notes what happened.
    pub async fn note(&self, event: Event) -> Result<(), Error> {
        static LAST: AtomicI64 = AtomicI64::new(0);
        let now = clock::micros();
        // Two events never share an id, also when the clock stands.
        let next = |last: i64| Some(now.max(last + 1));
        let id = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).map_or(now, |last| now.max(last + 1));
        sqlx::query("INSERT INTO audit (id, actor, action, subject, address, detail) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(id)
            .bind(event.actor)
            .bind(event.action)
            .bind(event.subject)
            .bind(event.address)
            .bind(event.detail)
            .execute(&self.pool)
            .await
            .map_err(sql("noting an event"))?;
        if id % SWEEP == 0 {
            sqlx::query(
                "DELETE FROM audit WHERE id < $1 OR id <= (SELECT id FROM audit ORDER BY id DESC LIMIT 1 OFFSET $2)",
            )
            .bind(id - KEPT * 1_000_000)
            .bind(KEPT_MOST)
            .execute(&self.pool)
            .await
            .map_err(sql("forgetting old events"))?;
        }
        Ok(())
    }

    /// How many events fit, and a page of them, newest first.
    pub async fn events(
        &self,
        filter: &EventFilter<'_>,
        limit: usize,
        offset: usize,
    ) -> Result<(usize, Vec<Event>), Error> {
        let mut count = QueryBuilder::new("SELECT COUNT(*) FROM audit");
        narrow(&mut count, filter);
        let count: i64 = count.build_query_scalar().fetch_one(&self.pool).await.map_err(sql("counting events"))?;
        let mut page = QueryBuilder::new("SELECT id, actor, action, subject, address, detail FROM audit");
        narrow(&mut page, filter);
        page.push(" ORDER BY id DESC LIMIT ").push_bind(limit as i64).push(" OFFSET ").push_bind(offset as i64);
        let rows = page.build().fetch_all(&self.pool).await.map_err(sql("reading events"))?;
        Ok((count as usize, rows.iter().map(event).collect()))
    }
}

fn narrow(query: &mut QueryBuilder<Sqlite>, filter: &EventFilter<'_>) {
    query.push(" WHERE 1 = 1");
    if let Some(actor) = filter.actor {
        query.push(" AND LOWER(actor) = ").push_bind(actor.to_ascii_lowercase());
    }
    if let Some(action) = filter.action {
        query.push(" AND (action = ").push_bind(action.to_owned());
        query.push(" OR SUBSTR(action, 1, ").push_bind(action.len() as i64 + 1);
        query.push(") = ").push_bind(format!("{action}.")).push(")");
    }
    if let Some(subject) = filter.subject {
        query.push(" AND subject = ").push_bind(subject.to_owned());
    }
    if let Some(since) = filter.since {
        query.push(" AND id >= ").push_bind(since.saturating_mul(1_000_000));
    }
    if let Some(until) = filter.until {
        query.push(" AND id < ").push_bind(until.saturating_mul(1_000_000));
    }
}

fn event(row: &SqliteRow) -> Event {
    Event {
        id: row.get("id"),
        actor: row.get("actor"),
        action: row.get("action"),
        subject: row.get("subject"),
        address: row.get("address"),
        detail: row.get("detail"),
    }
}
