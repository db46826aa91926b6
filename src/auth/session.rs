//! Browser sessions: an opaque cookie, everything else in the state database.

use async_trait::async_trait;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};

use crate::base::{hex, random};
use crate::config::{self, Config};
use crate::resource::actor::Account;
use crate::state::State;

/// The cookie's name (contracts/editor.md 1.2).
pub const COOKIE: &str = "session";

/// Whose session it is.
const ACCOUNT: &str = "account";
/// Where they logged in, and which subject they are there.
const VIA: &str = "via";
/// How often the password had changed when they did.
const EPOCH: &str = "epoch";

/// Sessions in the state database, under a digest of the cookie's value: who reads the database
/// cannot log in with what it holds.
#[derive(Clone)]
pub struct Sessions(State);

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

impl Sessions {
    pub fn new(state: State) -> Self {
        Sessions(state)
    }

    /// What sets and clears the cookie on the routes that log in and out.
    pub fn layer(&self, config: &Config) -> SessionManagerLayer<Sessions> {
        SessionManagerLayer::new(self.clone())
            .with_name(COOKIE)
            .with_path("/")
            .with_http_only(true)
            .with_secure(config.is_secure())
            .with_same_site(same_site(config))
            .with_expiry(Expiry::OnInactivity(time::Duration::seconds(config.session.lifetime)))
    }

    /// What a session says, unless it has ended.
    pub(super) async fn open(&self, id: Id) -> Result<Option<Opened>> {
        let Some(record) = self.load(&id).await? else { return Ok(None) };
        let Some(account) = record.data.get(ACCOUNT).and_then(Value::as_i64) else { return Ok(None) };
        let via = record.data.get(VIA).cloned().unwrap_or_default();
        let via = serde_json::from_value(via).map_err(|error| Error::Decode(error.to_string()))?;
        let epoch = record.data.get(EPOCH).and_then(Value::as_i64).unwrap_or_default();
        Ok(Some(Opened { account, via, epoch, until: record.expiry_date.unix_timestamp() }))
    }
}

/// Whose session it is.
pub(super) struct Opened {
    /// The account's id.
    pub(super) account: i64,
    /// The provider and the subject there that the account came by.
    pub(super) via: Option<(String, String)>,
    /// The account's when it began.
    pub(super) epoch: i64,
    /// Seconds since 1970.
    pub(super) until: i64,
}

pub fn same_site(config: &Config) -> SameSite {
    match config.session.same_site {
        config::SameSite::Strict => SameSite::Strict,
        config::SameSite::Lax => SameSite::Lax,
        config::SameSite::None => SameSite::None,
    }
}

/// Makes the session that of an account. It gets a new id: whoever knew the old one is out.
pub(super) async fn begin(
    session: &Session,
    account: &Account,
    via: Option<(String, String)>,
) -> std::result::Result<(), tower_sessions::session::Error> {
    session.clear().await;
    session.cycle_id().await?;
    session.insert(ACCOUNT, account.id).await?;
    session.insert(EPOCH, account.epoch).await?;
    session.insert(VIA, via).await
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        loop {
            let (account, data) = encoded(record)?;
            let until = record.expiry_date.unix_timestamp();
            if self.0.create_session(&key(&record.id), account, &data, until).await.map_err(backend)? {
                return Ok(());
            }
            record.id = Id(i128::from_le_bytes(random::bytes()));
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let (account, data) = encoded(record)?;
        let until = record.expiry_date.unix_timestamp();
        self.0.save_session(&key(&record.id), account, &data, until).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some((data, until)) = self.0.session(&key(id)).await.map_err(backend)? else { return Ok(None) };
        let data = serde_json::from_str(&data).map_err(|error| Error::Decode(error.to_string()))?;
        let expiry_date =
            OffsetDateTime::from_unix_timestamp(until).map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.0.delete_session(&key(id)).await.map_err(backend)
    }
}

fn encoded(record: &Record) -> Result<(Option<i64>, String)> {
    let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    Ok((record.data.get(ACCOUNT).and_then(Value::as_i64), data))
}

fn backend(error: crate::state::Error) -> Error {
    Error::Backend(error.to_string())
}

fn key(id: &Id) -> String {
    hex::encode(&Sha256::digest(id.0.to_le_bytes()))
}
