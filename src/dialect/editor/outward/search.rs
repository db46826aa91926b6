//! A descriptor by identity in all of a workspace's catalogues.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::remote::{Listed, Remote, Uid};
use super::tokens;
use crate::dialect::editor::catalogue::Shelf;
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::gate::InWorkspace;
use crate::dialect::editor::sonata::workspace::{Sort, WorkspaceFile};

/// Most catalogues that are asked at a time.
const AT_ONCE: usize = 8;
/// What asking all of them may take.
const TIME: Duration = Duration::from_secs(20);

/// What the catalogues said.
#[derive(Debug, Default)]
pub(in crate::dialect::editor) struct Searched {
    /// Of the first catalogue, in the workspace's order, that has it: `{"id", "uid", "vendor",
    /// "name", "version", "descriptor", "catalogue"}`.
    pub(in crate::dialect::editor) found: Option<Value>,
    /// Why some could not be asked.
    pub(in crate::dialect::editor) failures: Vec<String>,
}

/// Asks every catalogue of the workspace for `vendor:name:version`.
pub(in crate::dialect::editor) async fn search(
    at: &InWorkspace,
    shelf: Shelf,
    uid: &str,
) -> Result<Searched, EditorFault> {
    // What no catalogue could be asked for is in none.
    let Ok(uid) = Uid::parse(uid) else { return Ok(Searched::default()) };
    let mut waiting = Vec::new();
    for (place, entry) in WorkspaceFile::read(at).await?.entries(Sort::Catalogue).into_iter().enumerate() {
        let token = tokens::of(at, entry.id, &entry.url).await?;
        let remote = Remote { client: at.context.outside.clone(), base: entry.url, token, shelf };
        waiting.push((place, entry.name, remote));
    }
    waiting.reverse();
    let mut searched = Searched::default();
    let mut best: Option<(usize, String, Listed)> = None;
    let all = async {
        // Dropped with the request: none goes on asking.
        let mut asked = JoinSet::new();
        loop {
            while asked.len() < AT_ONCE
                && let Some((place, name, remote)) = waiting.pop()
            {
                let uid = uid.clone();
                asked.spawn(async move { (place, name, remote.get(&uid).await) });
            }
            match asked.join_next().await {
                Some(Ok((place, name, Ok(listed)))) => {
                    if best.as_ref().is_none_or(|(known, ..)| place < *known) {
                        best = Some((place, name, listed));
                    }
                }
                Some(Ok((_, _, Err(fault)))) if fault.status() == StatusCode::NOT_FOUND => {}
                Some(Ok((_, name, Err(fault)))) => searched.failures.push(format!("{name}: {}", fault.text())),
                Some(Err(error)) => tracing::error!(%error, "asking a catalogue"),
                None => return,
            }
        }
    };
    if tokio::time::timeout(TIME, all).await.is_err() {
        searched.failures.push("not all of them answered in time".to_owned());
    }
    searched.found = best.map(|(_, catalogue, listed)| {
        let uid = listed.uid.to_string();
        let [vendor, name, version] = listed.uid.parts();
        json!({
            "id": uid, "uid": uid, "vendor": vendor, "name": name, "version": version,
            "descriptor": listed.descriptor, "catalogue": catalogue,
        })
    });
    searched.failures.sort();
    Ok(searched)
}
