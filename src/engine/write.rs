//! The one road in: a [`Writer`] exists only for an actor who may change the workspace.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::judgement::{Foreseen, Judge};
use super::transaction::{Applied, Change, Operation, Payload, Transaction};
use super::{Engine, Error, Reader};
use crate::base::{blocking, clock, random};
use crate::resource::actor::{Actor, Author};
use crate::resource::document;
use crate::resource::etag::Expected;
use crate::resource::key::{DocumentId, FilePath};
use crate::resource::kind::Kind;
use crate::resource::row::{Moment, Row};
use crate::store::{self, Committed, Intent, Tip, Workspace};

/// How a write is to be done.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The commit message; otherwise it says what happened.
    pub message: Option<String>,
    /// Validate and answer as if, commit nothing.
    pub dry_run: bool,
    /// Store what breaks its kind, as a push does.
    pub takes_invalid: bool,
    /// Files that have to be there when the changes are applied, and to stay: what the caller made
    /// of them would be wrong without.
    pub relies_on: Vec<FilePath>,
}

/// What a write did, one entry per change.
#[derive(Debug)]
pub struct Written {
    /// Hex; `None` when nothing changed or nothing was to be committed.
    pub commit: Option<String>,
    pub at: Option<Moment>,
    pub applied: Vec<Applied>,
}

impl Written {
    fn of(applied: Vec<Applied>, committed: Option<Arc<Committed>>) -> Self {
        let commit = committed.as_ref().map(|step| step.commit.to_string());
        Written { commit, at: committed.map(|step| step.at), applied }
    }
}

/// Why changes were refused, and which of them it was about, by position.
#[derive(Debug)]
pub struct Refused {
    pub change: Option<(usize, FilePath)>,
    pub error: Box<Error>,
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Refused { change: None, error: Box::new(error.into()) }
    }
}

/// The road into one workspace.
pub struct Writer {
    engine: Arc<Engine>,
    actor: Actor,
    workspace: Arc<Workspace>,
}

impl Writer {
    pub(super) fn new(engine: Arc<Engine>, actor: Actor, workspace: Arc<Workspace>) -> Self {
        Writer { engine, actor, workspace }
    }

    /// As [`Writer::commit_all`], where it is clear which change an error is about.
    pub async fn commit(&self, changes: Vec<Change>, options: Options) -> Result<Written, Error> {
        self.commit_all(changes, options).await.map_err(|refused| *refused.error)
    }

    /// Applies all changes as one commit, or none.
    /// A file that selects among a kind's schemas comes first: the others are judged by it.
    pub async fn commit_all(&self, changes: Vec<Change>, options: Options) -> Result<Written, Refused> {
        let kinds = self.engine.kinds();
        let selects =
            |path: &FilePath| kinds.iter().any(|kind| kind.select.as_ref().is_some_and(|select| select.file == *path));
        let mut numbered: Vec<(usize, Change)> = changes.into_iter().enumerate().collect();
        numbered.sort_by_key(|(_, change)| !selects(&change.path));
        let (order, changes): (Vec<usize>, Vec<Change>) = numbered.into_iter().unzip();
        let judge = Judge {
            engine: self.engine.clone(),
            workspace: self.workspace.clone(),
            takes_invalid: options.takes_invalid,
        };
        let reader = self.engine.reader(&self.actor);
        let author = self.actor.signature();
        let alone = changes.iter().any(|change| self.needs_fresh_index(change));
        let (changes, foreseen) = foresee(&judge, changes).await;
        let work = move |tip: &mut Tip<'_>| {
            if options.dry_run {
                tip.rehearse();
            }
            let mut transaction = Transaction::new(&judge, &reader);
            for ((at, change), foreseen) in order.into_iter().zip(changes).zip(foreseen) {
                let path = change.path.clone();
                let about = |error| Refused { change: Some((at, path)), error: Box::new(error) };
                transaction.apply(tip, change, foreseen).map_err(about)?;
            }
            Ok::<_, Refused>(finished(tip, transaction, options, author)?)
        };
        let done = if alone { self.workspace.write_after_all(work).await } else { self.workspace.write(work).await };
        let (applied, committed) = done.map_err(|error| match error {
            store::WriteError::Refused(refused) => refused,
            store::WriteError::Store(error) => error.into(),
        })?;
        Ok(Written::of(applied, committed))
    }

    /// As [`Writer::commit`], of changes that are worked out in the writer's turn: the plan's reader
    /// knows everything that was committed before, and nothing comes between. For changes that
    /// follow from what other documents say; the writer waits for the plan.
    pub async fn commit_planned<T, E, F>(&self, plan: F, options: Options) -> Result<(T, Written), E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Reader) -> Result<(T, Vec<Change>), E> + Send + 'static,
    {
        let judge = Judge {
            engine: self.engine.clone(),
            workspace: self.workspace.clone(),
            takes_invalid: options.takes_invalid,
        };
        let reader = self.engine.reader(&self.actor);
        let author = self.actor.signature();
        let work = move |tip: &mut Tip<'_>| {
            if options.dry_run {
                tip.rehearse();
            }
            let (value, changes) = plan(&reader)?;
            let mut transaction = Transaction::new(&judge, &reader);
            for change in changes {
                transaction.apply(tip, change, None)?;
            }
            let (applied, intent) = finished(tip, transaction, options, author)?;
            Ok::<_, E>(((value, applied), intent))
        };
        let done = self.workspace.write_after_all(work).await;
        let ((value, applied), committed) = done.map_err(|error| match error {
            store::WriteError::Refused(refused) => refused,
            store::WriteError::Store(error) => E::from(error.into()),
        })?;
        Ok((value, Written::of(applied, committed)))
    }

    /// Whether a change asks the index about other documents, so that it has to wait until the
    /// commits before it are there.
    fn needs_fresh_index(&self, change: &Change) -> bool {
        let kinds = self.engine.kinds();
        let Some((kind, _)) = kinds.claim(change.path.as_str()) else { return false };
        match change.operation {
            Operation::Delete => kinds.referrers_of(&kind.name).next().is_some(),
            _ => !kind.unique.is_empty(),
        }
    }

    /// Where a new document of a kind goes: at the path given, or where the kind's pattern puts
    /// what it says. Gives the payload back.
    pub async fn place(
        &self,
        kind: &Arc<Kind>,
        path: Option<&str>,
        given: BTreeMap<String, String>,
        payload: Payload,
    ) -> Result<(FilePath, Payload), Error> {
        if let Some(path) = path {
            let path = FilePath::parse(path)?;
            if kind.captures_of(path.as_str()).is_none() {
                let patterns: Vec<String> = kind.patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect();
                return Err(Error::with_valid(
                    format!("{path} is not a place for a {}", kind.name),
                    "patterns",
                    patterns,
                ));
            }
            return Ok((path, payload));
        }
        let placing = kind.clone();
        let (made, payload) = blocking::run(move || {
            let read;
            let value = match &payload {
                Payload::Json(value) => value,
                Payload::Text(format, bytes) => {
                    read = document::parse(*format, bytes)?;
                    &read
                }
                Payload::Raw(_) => &Value::Null,
            };
            let made =
                placing.place(&given, value, random::uuid).map_err(|error| Error::bad_request(error.to_string()))?;
            Ok::<_, Error>((made, payload))
        })
        .await?;
        // Another kind may claim what this one's pattern makes.
        match self.engine.kinds().claim(made.as_str()) {
            Some((claiming, _)) if claiming.name == kind.name => Ok((made, payload)),
            _ => Err(Error::bad_request(format!("{made} would not be a {}: give another name, or a path", kind.name))),
        }
    }

    /// Makes a document where there is none.
    pub async fn create(&self, path: FilePath, payload: Payload, options: Options) -> Result<Written, Error> {
        let change = Change { path: path.clone(), expected: Expected::Absent, operation: Operation::Put(payload) };
        match self.commit(vec![change], options).await {
            Err(Error::Present(_)) => Err(Error::Exists(format!("file {path}"))),
            done => done,
        }
    }

    /// The document that a change left, as of its commit whatever came after; `before` is its row
    /// when there was one. A document that only would be created has no id yet.
    pub fn row(&self, written: &Written, applied: &Applied, before: Option<&Row>) -> Result<Row, Error> {
        let (Some(etag), Some(kind)) = (applied.etag, &applied.kind) else {
            return Err(Error::NotFound(format!("document {}", applied.path)));
        };
        let found = match before {
            Some(_) => None,
            None => self.engine.index.row(self.workspace.name().as_str(), applied.path.as_str())?,
        };
        let known = before.or(found.as_deref());
        let now = written.at.unwrap_or(Moment { seconds: clock::now(), generation: 0 });
        let given =
            || kind.captures_of(applied.path.as_str())?.get("id").map(|id| DocumentId::Text(id.into()).stored());
        Ok(Row {
            kind: kind.name.clone(),
            workspace: self.workspace.name().to_arc(),
            path: applied.path.to_arc(),
            id: known.map(|row| row.id.clone()).or_else(given).unwrap_or_default(),
            etag,
            created: known.map_or(now, |row| row.created),
            updated: match (written.at, known) {
                (None, Some(row)) => row.updated,
                _ => now,
            },
            violations: applied.content.as_ref().map_or(0, |content| content.violations.len() as u32),
            texts: Vec::new(),
            numbers: Vec::new(),
        })
    }

    pub fn workspace(&self) -> &Arc<Workspace> {
        &self.workspace
    }
}

/// What all changes together leave, and the commit to make of it.
fn finished(
    tip: &mut Tip<'_>,
    mut transaction: Transaction<'_>,
    options: Options,
    author: Author,
) -> Result<(Vec<Applied>, Option<Intent>), Error> {
    transaction.settle(tip)?;
    if let Some(gone) = first_gone(tip, &options.relies_on)? {
        return Err(Error::Gone(gone));
    }
    let message = transaction.message(options.message.as_deref());
    let intent = (!options.dry_run).then_some(Intent { author, message });
    Ok((transaction.applied, intent))
}

fn first_gone(tip: &mut Tip<'_>, paths: &[FilePath]) -> Result<Option<FilePath>, Error> {
    for path in paths {
        if tip.entry(path)?.is_none() {
            return Ok(Some(path.clone()));
        }
    }
    Ok(None)
}

/// Changes that bring or meet more bytes than this are judged a few at a time.
const HEAVY: u64 = 1 << 20;

/// Judges the changes before their turn, off the async threads.
async fn foresee(judge: &Judge, changes: Vec<Change>) -> (Vec<Change>, Vec<Option<Foreseen>>) {
    let kinds = judge.engine.kinds();
    if !changes.iter().any(|change| kinds.claim(change.operation.target(&change.path).as_str()).is_some()) {
        let none = changes.iter().map(|_| None).collect();
        return (changes, none);
    }
    let judged = |changes: Vec<Change>, judge: &Judge| {
        let foreseen = judge.foresee(&changes);
        (changes, foreseen)
    };
    let ahead = judge.clone();
    let light = move || if ahead.weight(&changes) > HEAVY { Err(changes) } else { Ok(judged(changes, &ahead)) };
    match blocking::run(light).await {
        Ok(done) => done,
        Err(changes) => {
            let turn = judge.engine.heavy.clone().acquire_owned().await;
            let ahead = judge.clone();
            let heavy = move || {
                // Kept by the work, which goes on when its client has gone.
                let _turn = turn;
                judged(changes, &ahead)
            };
            blocking::run(heavy).await
        }
    }
}
