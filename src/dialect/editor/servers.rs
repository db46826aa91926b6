//! Catalogues and platforms as entries of `workspace.yml` (contracts/editor.md 1.8, 1.9).

use axum::Extension;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use tokio::task::JoinSet;

use super::answer::{Answer, item, item_unless_fresh, json};
use super::fault::EditorFault;
use super::fields::Fields;
use super::gate::{InWorkspace, Last, undisturbed};
use super::outward::tokens;
use super::projects;
use super::sonata::draft::{Draft, Wish, token_file};
use super::sonata::workspace::{Entry, Sort, WorkspaceFile};
use crate::engine::{Change, Operation};
use crate::http::context::Context;
use crate::resource::etag::Expected;
use crate::resource::key::FilePath;

/// Most servers that one request asks at a time.
const AT_ONCE: usize = 8;

/// Longest piece of another server's answer that is repeated, in characters.
const REPEATED: usize = 200;

/// The entries that a body lists under a key; `None` when it does not have it, none for null.
pub(super) fn wishes(fields: &Fields, key: &str) -> Result<Option<Vec<Wish>>, EditorFault> {
    if !fields.0.contains_key(key) {
        return Ok(None);
    }
    let wish = |item: &Value| match item.as_object() {
        Some(members) => Wish::of(members),
        None => Err(EditorFault::bad(format!("'{key}' must be an array of objects with name and url"))),
    };
    fields.array(key)?.unwrap_or_default().iter().map(wish).collect::<Result<_, _>>().map(Some)
}

/// Asks all these servers whether they are there: nothing is written before.
pub(super) async fn probe(context: &Context, listed: &[(Sort, &[Wish])]) -> Result<(), EditorFault> {
    let mut waiting: Vec<(String, String)> = Vec::new();
    for (sort, wishes) in listed {
        let address = |wish: &Wish| match sort {
            Sort::Catalogue => wish.url.clone(),
            Sort::Platform => format!("{}/api/v2/packages", wish.url.trim_end_matches('/')),
        };
        waiting.extend(wishes.iter().map(|wish| (wish.name.clone(), address(wish))));
    }
    waiting.reverse();
    // Dropped with the request: none goes on asking.
    let mut asked = JoinSet::new();
    loop {
        while asked.len() < AT_ONCE
            && let Some((name, url)) = waiting.pop()
        {
            let outside = context.outside.clone();
            asked.spawn(async move {
                let why = match outside.get(&url).await {
                    Ok(answer) if answer.status == 200 => return Ok(()),
                    Ok(answer) => {
                        let text = String::from_utf8_lossy(&answer.body);
                        let text: String = text.trim().chars().take(REPEATED).collect();
                        format!("it answered with status {} {text}", answer.status)
                    }
                    Err(error) => error.to_string(),
                };
                let text = format!("Could not reach server {url} at url '{name}':{}", why.trim_end());
                Err(EditorFault::not_found(text))
            });
        }
        match asked.join_next().await {
            Some(Ok(found)) => found?,
            Some(Err(error)) => {
                tracing::error!(%error, "asking a server");
                return Err(crate::http::fault::internal().into());
            }
            None => return Ok(()),
        }
    }
}

/// Replaces one entry, or adds one, or takes one away: the entry as it is then, or was.
async fn change(
    at: &InWorkspace,
    sort: Sort,
    id: Option<u64>,
    members: Option<&Map<String, Value>>,
) -> Result<(Entry, WorkspaceFile), EditorFault> {
    at.writer()?;
    let wish = members.map(Wish::of).transpose()?;
    let write = || async {
        let file = WorkspaceFile::read(at).await?;
        let old = file.entries(sort);
        let before = id.map(|id| file.entry(sort, id)).transpose()?;
        let expected = at.expected(file.etag())?;
        let kept =
            |entry: &Entry| Wish { id: Some(entry.id), name: entry.name.clone(), url: entry.url.clone(), token: None };
        let mut all: Vec<Wish> = old.iter().filter(|entry| Some(entry.id) != id).map(kept).collect();
        all.extend(wish.clone().map(|wish| Wish { id, ..wish }));
        let mut draft = Draft::new(&file)?;
        let entries = draft.granted(sort, &all)?;
        let followers = followers(at, sort, &old, &entries).await?;
        let after = wish.as_ref().and_then(|wish| entries.iter().find(|entry| entry.name == wish.name)).cloned();
        draft.set(sort, entries, &all)?;
        let mut changes = draft.changes(&at.context.config(), expected)?;
        changes.extend(followers);
        at.commit(changes, "workspace: change its configuration").await?;
        after.or(before).ok_or_else(|| crate::http::fault::internal().into())
    };
    let entry = undisturbed(write).await?;
    let file = WorkspaceFile::read(at).await?;
    if sort == Sort::Catalogue {
        tokens::keep_all(at, &file, wish.as_slice()).await?;
    }
    Ok((entry, file))
}

/// What changes with the entries of a sort beside `workspace.yml`.
pub(super) async fn followers(
    at: &InWorkspace,
    sort: Sort,
    old: &[Entry],
    new: &[Entry],
) -> Result<Vec<Change>, EditorFault> {
    match sort {
        Sort::Catalogue => projects::following(at, old, new).await,
        Sort::Platform => forgotten(at, old, new).await,
    }
}

/// Deletes the credentials of platforms that are no more.
async fn forgotten(at: &InWorkspace, old: &[Entry], new: &[Entry]) -> Result<Vec<Change>, EditorFault> {
    let mut changes = Vec::new();
    for entry in old.iter().filter(|entry| !new.iter().any(|kept| kept.id == entry.id)) {
        let own = token_file(entry.id);
        if entry.more.get("credentials").is_none_or(|credentials| credentials["token_file"] != own) {
            continue;
        }
        let path = FilePath::parse(&format!("platforms/{own}"))?;
        if let Some((etag, _)) = at.file(&path).await? {
            changes.push(Change { path, expected: Expected::At(vec![etag]), operation: Operation::Delete });
        }
    }
    Ok(changes)
}

/// `GET /workspaces/{ws}/catalogues/`, `.../platforms/`.
pub(super) async fn list(at: InWorkspace, Extension(sort): Extension<Sort>) -> Answer {
    let file = WorkspaceFile::read(&at).await?;
    Ok(json(StatusCode::OK, &file.entries(sort).iter().map(Entry::shown).collect()))
}

/// `POST` to the list.
pub(super) async fn post(at: InWorkspace, Extension(sort): Extension<Sort>, fields: Fields) -> Answer {
    let (entry, file) = change(&at, sort, None, Some(&fields.0)).await?;
    Ok(item(StatusCode::CREATED, &entry.shown(), file.etag()))
}

/// `GET .../{cat}`, `.../{pl}`.
pub(super) async fn get(
    at: InWorkspace,
    Last(id): Last,
    Extension(sort): Extension<Sort>,
    headers: HeaderMap,
) -> Answer {
    let file = WorkspaceFile::read(&at).await?;
    Ok(item_unless_fresh(&headers, &file.entry(sort, id)?.shown(), file.etag()))
}

/// `PUT`: name and address, which may both be new.
pub(super) async fn put(at: InWorkspace, Last(id): Last, Extension(sort): Extension<Sort>, fields: Fields) -> Answer {
    let (entry, file) = change(&at, sort, Some(id), Some(&fields.0)).await?;
    Ok(item(StatusCode::OK, &entry.shown(), file.etag()))
}

/// `DELETE`: a catalogue that a project publishes to stays.
pub(super) async fn delete(at: InWorkspace, Last(id): Last, Extension(sort): Extension<Sort>) -> Answer {
    let (entry, _) = change(&at, sort, Some(id), None).await?;
    Ok(json(StatusCode::OK, &entry.shown()))
}
