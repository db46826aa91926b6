//! The way to repositories elsewhere, for one caller.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::{Engine, Error};
use super::{Linked, Now};
use crate::base::blocking;
use crate::outside::{Policy, Purpose};
use crate::resource::etag::Etag;
use crate::store::{self, Advertised, LinkRef, Refused, Remote, RemoteError, Workspace};

/// How long somebody waits for a turn to call another server.
const PATIENCE: Duration = Duration::from_secs(20);

/// What may be called, how, and with which credential.
#[derive(Clone)]
pub struct Abroad {
    pub policy: Policy,
    /// Certificates to believe.
    pub ca_file: Option<PathBuf>,
    /// Bytes that may be fetched at once.
    pub pack_bytes: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// The one origin (`https://host`) that the caller's token is for, and the token.
    pub token: Option<(String, String)>,
}

impl Abroad {
    /// What can be said of an address without a call: a fault where it would never be called.
    pub fn check(&self, url: &str) -> Result<(), Error> {
        let url = self.policy.parse(url, Purpose::Git).map_err(|refused| Error::bad_request(refused.to_string()))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::bad_request("the address of a repository has no ? and no #"));
        }
        Ok(())
    }

    /// Holds an address against the rules.
    pub(super) async fn remote(&self, url: &str) -> Result<Remote, Error> {
        self.check(url)?;
        let target = self.policy.resolve(url, Purpose::Git).await;
        let target = target.map_err(|refused| Error::bad_request(refused.to_string()))?;
        let url = &target.url;
        let host = url.host_str().unwrap_or_default();
        let is_name = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>().is_err();
        let pinned = url.port_or_known_default().filter(|_| is_name && !target.addresses.is_empty());
        let origin = url.origin().ascii_serialization();
        let token = self.token.as_ref().filter(|(home, _)| *home == origin).map(|(_, token)| token);
        Ok(Remote {
            url: url.to_string(),
            scheme: url.scheme().to_owned(),
            pinned: pinned.map(|port| (format!("{host}:{port}"), target.addresses.clone())),
            ca_file: self.ca_file.clone(),
            // As GitHub documents it for git: any name, the token for a password.
            authorization: token.map(|token| format!("Basic {}", STANDARD.encode(format!("x-access-token:{token}")))),
            most: self.pack_bytes,
        })
    }
}

impl Engine {
    /// A turn to call another server by git.
    pub(super) async fn turn_abroad(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Error> {
        match tokio::time::timeout(PATIENCE, self.abroad.clone().acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Error::Busy("too many repositories elsewhere are being called: try again".into())),
        }
    }

    /// Brings a commit from elsewhere into the workspace, looked at; nothing leads to it yet.
    pub(super) async fn bring(
        &self,
        workspace: &Arc<Workspace>,
        abroad: &Abroad,
        remote: &Remote,
        advertised: &Advertised,
        known: &[Etag],
    ) -> Result<(), Error> {
        let Some(head) = advertised.head else { return Ok(()) };
        let place = workspace.clone();
        // One that is here, of a side branch perhaps, was not looked at either.
        let incoming = match blocking::run(move || place.commit(head)).await {
            Ok(_) => workspace.incoming()?,
            Err(_) => remote.fetch(workspace, advertised, known).await.map_err(failed)?,
        };
        let (workspace, file_bytes) = (workspace.clone(), abroad.file_bytes);
        blocking::run(move || match incoming.check_fetched(head, file_bytes) {
            Ok(()) => Ok(workspace.keep_fetched(&incoming)?),
            Err(Refused::Because(why)) => {
                Err(Error::Conflict(format!("the repository holds what is not stored here: {why}")))
            }
            Err(Refused::Store(store::Error::NoObject(..))) => {
                Err(Error::Elsewhere("the branch moved while it was fetched: try again".into()))
            }
            Err(Refused::Store(error)) => Err(error.into()),
        })
        .await
    }
}

impl Linked {
    /// Asks the folder's repository where it is and brings what is new there. `None` where none is
    /// named.
    pub(super) async fn refresh(&self, abroad: &Abroad, now: &mut Now) -> Result<Option<Advertised>, Error> {
        let Some(url) = &now.url else { return Ok(None) };
        let remote = abroad.remote(url).await?;
        let turn = self.engine.turn_abroad().await?;
        let advertised = remote.look(&self.workspace).await.map_err(failed)?;
        let old = now.published.remote;
        if advertised.head != old {
            let known: Vec<Etag> = now.published.head.into_iter().chain(old).collect();
            self.engine.bring(&self.workspace, abroad, &remote, &advertised, &known).await?;
            let (this, head) = (self.clone(), advertised.head);
            // Whoever else just asked says the same or something newer.
            blocking::run(move || this.workspace.move_published(&this.id(), LinkRef::Remote, old, head)).await?;
            now.published.remote = head;
        }
        drop(turn);
        Ok(Some(advertised))
    }

    /// Sends the published history to the folder's repository; what git says of it.
    pub async fn push(&self, abroad: &Abroad) -> Result<String, Error> {
        let now = self.started().await?;
        let url = now.url.as_ref().ok_or_else(|| Error::Conflict("fatal: No configured push destination.".into()))?;
        let Some(head) = now.published.head else {
            return Err(Error::Conflict("there is nothing to push yet: commit first".into()));
        };
        let remote = abroad.remote(url).await?;
        let turn = self.engine.turn_abroad().await?;
        let advertised = remote.look(&self.workspace).await.map_err(failed)?;
        let said = remote.push(&self.workspace, head, &advertised.branch).await.map_err(failed)?;
        drop(turn);
        let (this, old) = (self.clone(), now.published.remote);
        blocking::run(move || this.workspace.move_published(&this.id(), LinkRef::Remote, old, Some(head))).await?;
        Ok(said)
    }
}

/// In words for the caller.
pub(super) fn failed(error: RemoteError) -> Error {
    match error {
        RemoteError::Said(why) if why.is_empty() => Error::Elsewhere("git failed and does not say why".into()),
        RemoteError::Said(why) => Error::Elsewhere(why),
        RemoteError::Rejected(why) => {
            Error::Conflict(format!("{why}\nPull first: the repository has what you have not"))
        }
        RemoteError::TimedOut => Error::Elsewhere("the repository did not answer in time".into()),
        RemoteError::TooLarge(most) => {
            Error::TooLarge(format!("the repository is larger than may be fetched at once: {most} bytes"))
        }
        RemoteError::Store(error) => error.into(),
    }
}
