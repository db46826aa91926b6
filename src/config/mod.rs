//! config.yaml and the environment, checked once: the only reader of the environment.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

mod change;
mod check;
mod live;
mod load;
mod origin;

pub use change::{ChangeError, Changes};
pub use check::{MASK, SECRETS};
pub use live::Live;
pub use load::Error;

/// The name of the login provider that needs no name in the configuration.
pub const GITHUB: &str = "github";

/// What the configuration file says; see `config.yaml` for the meaning of each key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    pub listen: String,
    pub public_url: String,
    pub workspaces_location: PathBuf,
    pub templates: Vec<PathBuf>,
    pub allowed_hosts: Vec<String>,
    pub frontend_host: String,
    pub frontend_redirect: String,
    pub authentication: Authentication,
    pub session: Session,
    pub catalogue: Catalogue,
    pub watch: Watch,
    pub limits: Limits,
    pub git: GitAccess,
    pub outside: Outside,
    /// The first two are those of the built-in generations.
    pub schemas: Vec<SchemaSource>,
    pub log: Log,
    pub cache: Cache,
    /// The file that this was read from.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Authentication {
    #[serde(rename = "ClientID")]
    pub client_id: String,
    #[serde(rename = "ClientSecret")]
    pub client_secret: String,
    pub users: Option<Vec<String>>,
    pub scopes: String,
    pub authorize_url: String,
    pub token_url: String,
    pub api_url: String,
    pub provider: Provider,
    /// Seconds.
    pub access_lifetime: i64,
    /// Seconds.
    pub refresh_lifetime: i64,
}

/// A login provider beside GitHub.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Provider {
    pub name: String,
    #[serde(rename = "ClientID")]
    pub client_id: String,
    #[serde(rename = "ClientSecret")]
    pub client_secret: String,
    pub users: Option<Vec<String>>,
    pub scopes: String,
    pub authorize_url: String,
    pub token_url: String,
    pub user_url: String,
    pub id_field: String,
    pub login_field: String,
    pub email_field: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Session {
    #[serde(rename = "secretKey")]
    pub secret_key: String,
    pub same_site: SameSite,
    /// Seconds.
    pub lifetime: i64,
}

/// RFC 6265bis, section 4.1.2.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SameSite {
    Strict,
    Lax,
    None,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Catalogue {
    pub writers: Writers,
}

/// How edits on disk are heard of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Watch {
    pub enabled: bool,
    /// Milliseconds.
    pub quiet: u64,
    /// 0: no limit of ours.
    pub folders: usize,
}

/// Where schemas of descriptors come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaSource {
    pub name: String,
    /// Ends in a slash; `function-descriptor/vnfd-schema.yml` and `service-descriptor/nsd-schema.yml`
    /// are below.
    pub url: String,
}

/// Who may write the shared catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Writers {
    Accounts,
    Admins,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Limits {
    /// Bytes.
    pub body: usize,
    /// Seconds.
    pub request_timeout: u64,
    pub changes: usize,
    /// Requests per second; 0: no limit.
    pub actor_rate: u32,
    /// Requests per second; 0: no limit.
    pub address_rate: u32,
    pub trusted_proxies: Vec<std::net::IpAddr>,
}

/// Clone, fetch and push.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GitAccess {
    /// Bytes.
    pub push_limit: u64,
    pub processes: usize,
    /// Seconds.
    pub idle_timeout: u64,
}

/// Other servers that are called because a user named them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Outside {
    pub schemes: Vec<String>,
    pub git_schemes: Vec<String>,
    pub hosts: Vec<String>,
    /// Seconds.
    pub timeout: u64,
    pub ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cache {
    /// Bytes.
    pub documents: u64,
}
