//! A folder made of a repository elsewhere.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::super::{Engine, Error, Found, content};
use super::abroad::failed;
use super::pull::{Placed, Stop, placed};
use super::{Abroad, CLONED_TRAILER};
use crate::base::blocking;
use crate::resource::actor::{Actor, Author, Role};
use crate::resource::document;
use crate::resource::etag::Etag;
use crate::resource::key::{FilePath, WorkspaceName};
use crate::resource::kind::Kind;
use crate::store::{self, Intent, Workspace};

/// A folder that came from elsewhere.
#[derive(Debug, Clone)]
pub struct Cloned {
    /// Its document.
    pub found: Found,
    /// Files of the folder.
    pub files: usize,
    /// `path:line:column: what is wrong` with what came.
    pub violations: Vec<String>,
}

/// What is to be made.
struct Plan {
    kind: Arc<Kind>,
    document: FilePath,
    url: String,
    head: Etag,
    members: Map<String, Value>,
}

impl Engine {
    /// Makes the folder of a new document, which has to be at the top of the repository at `url`;
    /// `members` of the document are set to what is said here. One commit of the workspace.
    pub async fn clone_folder(
        self: &Arc<Self>,
        actor: &Actor,
        workspace: &WorkspaceName,
        document: FilePath,
        url: &str,
        mut members: Map<String, Value>,
        abroad: &Abroad,
    ) -> Result<Cloned, Error> {
        let workspace = self.writable(actor, workspace)?;
        let kind = self.kinds().claim(document.as_str()).map(|(kind, _)| kind.clone());
        let member = kind.as_ref().and_then(|kind| kind.repository.clone());
        let (Some(kind), Some(member)) = (kind, member) else {
            return Err(Error::bad_request(format!("{document} makes no folder that can be linked")));
        };
        let taken = || Error::Exists(format!("folder {}", document.folder()));
        let (place, folder) = (workspace.clone(), document.folder().to_owned());
        if blocking::run(move || place.snapshot(None)?.tree_of(&folder)).await?.is_some() {
            return Err(taken());
        }
        let remote = abroad.remote(url).await?;
        let turn = self.turn_abroad().await?;
        let advertised = remote.look(&workspace).await.map_err(failed)?;
        let missing = || Error::bad_request(format!("The {} has no '{}' file", kind.name, document.file_name()));
        let Some(head) = advertised.head else { return Err(missing()) };
        self.bring(&workspace, abroad, &remote, &advertised, &[]).await?;
        drop(turn);
        members.insert(member, Value::String(remote.url.clone()));
        let plan = Plan { kind: kind.clone(), document: document.clone(), url: remote.url, head, members };
        let place = workspace.clone();
        let (changes, text, plan) = blocking::run(move || {
            let changes = place.changes_between(None, Some(place.root_of(plan.head)?))?;
            let changes = placed(plan.document.folder(), changes)?;
            let text = match changes.iter().find(|change| change.path == plan.document).and_then(|change| change.new) {
                Some(entry) => Some(edited(&plan, &place.stored(entry.etag)?)),
                None => None,
            };
            Ok::<_, Error>((changes, text, plan))
        })
        .await?;
        let Some(text) = text else { return Err(missing()) };
        let violations = self.judge_placed(&workspace, &changes).await?;
        let files = changes.len();
        let signature = actor.signature();
        match write(&workspace, changes, text, &plan, signature).await {
            Ok(()) => {}
            Err(Stop::Moved) => return Err(taken()),
            Err(Stop::Refused(error)) => return Err(error),
        }
        let row = self.index.row(workspace.name().as_str(), document.as_str())?;
        let row = row.ok_or_else(|| Error::NotFound(format!("{} {document}", kind.name)))?;
        let found = Found { kind, row };
        let linked = self.linked(actor, &found, Role::Writer)?;
        blocking::run(move || linked.mark(plan.head)).await?;
        Ok(Cloned { found, files, violations })
    }
}

/// The document's text with the members of the plan; as it came where it cannot be read.
fn edited(plan: &Plan, text: &Bytes) -> Bytes {
    let format = content::format(plan.document.as_str());
    let edited = std::str::from_utf8(text).ok().and_then(|text| {
        let mut value = document::parse(format, text.as_bytes()).ok()?;
        value.as_object_mut()?.extend(plan.members.clone());
        document::edit(format, text, &value).ok()
    });
    edited.map_or_else(|| text.clone(), Bytes::from)
}

async fn write(
    workspace: &Arc<Workspace>,
    changes: Vec<Placed>,
    text: Bytes,
    plan: &Plan,
    author: Author,
) -> Result<(), Stop> {
    let (folder, document) = (plan.document.folder().to_owned(), plan.document.clone());
    let message = format!("{}: clone {folder} from {}\n\n{CLONED_TRAILER}: {}", plan.kind.name, plan.url, plan.head);
    let work = move |tip: &mut store::Tip<'_>| {
        let is_there = !tip.list(&folder)?.is_empty();
        if is_there {
            return Err(Stop::Moved);
        }
        for change in &changes {
            if tip.entry(&change.path)?.is_some() {
                return Err(Stop::Moved);
            }
        }
        for change in changes {
            match change.new {
                Some(_) if change.path == document => drop(tip.put(&document, text.clone())?),
                Some(entry) => tip.place(&change.path, entry)?,
                None => {}
            }
        }
        Ok(((), Some(Intent { author, message })))
    };
    match workspace.write(work).await {
        Ok(_) => Ok(()),
        Err(store::WriteError::Refused(stop)) => Err(stop),
        Err(store::WriteError::Store(error)) => Err(error.into()),
    }
}
