//! `/api/v1/audit`: what happened to accounts and access.

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::documents::{Answer, json_answer};
use super::administrator;
use crate::auth::Required;
use crate::engine::Error;
use crate::http::context::Context;
use crate::http::parameters::{LIMIT, LIMIT_MOST, Parameters};
use crate::state::audit::{Event, EventFilter};

fn shown(event: &Event) -> Value {
    let at = jiff::Timestamp::from_microsecond(event.id).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    json!({
        "at": at.to_string(),
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
        "address": event.address,
        "detail": event.detail,
    })
}

fn time(parameters: &Parameters, name: &str) -> Result<Option<i64>, Error> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let at: jiff::Timestamp = text
        .parse()
        .map_err(|_| Error::bad_request(format!("{name} is {text:?}: write a time as 2026-11-21T18:00:00Z")))?;
    Ok(Some(at.as_second()))
}

/// `GET /api/v1/audit?actor=&action=&subject=&since=&until=`, newest first.
pub(super) async fn list_audit(State(context): State<Context>, caller: Required, parameters: Parameters) -> Answer {
    parameters.only(&["actor", "action", "subject", "since", "until", "limit", "offset"])?;
    let page = parameters.page(LIMIT, LIMIT_MOST)?;
    administrator(&caller.0?)?;
    let filter = EventFilter {
        actor: parameters.get("actor"),
        action: parameters.get("action"),
        subject: parameters.get("subject"),
        since: time(&parameters, "since")?,
        until: time(&parameters, "until")?,
    };
    let (count, events) = context.state.events(&filter, page.limit, page.offset).await.map_err(Error::from)?;
    let body = json!({
        "audit": events.iter().map(shown).collect::<Vec<_>>(),
        "_meta": page.meta(count),
    });
    Ok(json_answer(StatusCode::OK, body.to_string()))
}
