//! `GET /log`: what the caller did that is noted, newest last, as the original's log of warnings was
//! shown (contracts/editor.md 1.3). What others did, and the server's own log, is not theirs to read.

use axum::extract::State;
use axum::response::{Html, IntoResponse as _};

use super::answer::Answer;
use super::fault::escaped;
use super::gate::LoggedIn;
use crate::engine::Error;
use crate::http::context::Context;
use crate::state::audit::{Event, EventFilter};

/// Most lines that are shown.
const LINES: usize = 200;

pub(super) async fn get_log(State(context): State<Context>, LoggedIn(actor): LoggedIn) -> Answer {
    let filter = EventFilter { actor: actor.name(), ..EventFilter::default() };
    let (_, events) = context.state.events(&filter, LINES, 0).await.map_err(Error::from)?;
    // Failed logins are noted under the name that was tried, by whoever tried it.
    let own = events.iter().rev().filter(|event| event.action != "login.failed");
    let lines: Vec<String> = own.map(|event| escaped(&line(event))).collect();
    Ok(Html(lines.join("<br/>\n")).into_response())
}

fn line(event: &Event) -> String {
    let at = jiff::Timestamp::from_microsecond(event.id).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let more = [&event.subject, &event.detail].into_iter().flatten();
    more.fold(format!("{at:.0} {}", event.action), |line, part| format!("{line} {part}"))
}
