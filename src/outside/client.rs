//! HTTP to servers that users named.

use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Method};

use super::policy::{Policy, Purpose, Refused};
use crate::config::Outside;

/// Most bytes of an answer that are read.
const ANSWER_MOST: usize = 16 << 20;

/// A client that follows no redirect, believes no second lookup, waits and reads within bounds.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    policy: Policy,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub struct Body {
    pub content_type: String,
    pub bytes: Vec<u8>,
}

/// A request in all its particulars.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub method: Method,
    pub url: &'a str,
    pub body: Option<Body>,
    /// Sent as a Bearer credential.
    pub token: Option<&'a str>,
    /// Instead of the configured time.
    pub time: Option<Duration>,
}

/// What came back, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Why nothing came back. The texts are for the user who gave the URL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("{host} did not answer in time")]
    TimedOut { host: String },
    #[error("{host} cannot be reached")]
    Unreachable {
        host: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("the answer of {host} has more than {ANSWER_MOST} bytes")]
    TooLong { host: String },
}

/// Why there is no client at all.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("outside.ca-file cannot be read")]
    File(#[source] std::io::Error),
    #[error("outside.ca-file holds no certificates, or the client cannot be made")]
    Client(#[from] reqwest::Error),
}

impl Client {
    pub fn new(config: &Outside) -> Result<Self, SetupError> {
        let policy = Policy::new(config);
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("workleaf/", env!("CARGO_PKG_VERSION")))
            .timeout(Duration::from_secs(config.timeout))
            // A redirect could lead where the first address may not.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Lookup(policy.clone()));
        if let Some(file) = &config.ca_file {
            let text = std::fs::read(file).map_err(SetupError::File)?;
            http = http.tls_certs_merge(Certificate::from_pem_bundle(&text)?);
        }
        Ok(Client { http: http.build()?, policy })
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub async fn get(&self, url: &str) -> Result<Answer, Error> {
        self.call(Method::GET, url, None).await
    }

    /// As [`Client::send`], without credentials and within the configured time.
    pub async fn call(&self, method: Method, url: &str, body: Option<Body>) -> Result<Answer, Error> {
        self.send(Request { method, url, body, token: None, time: None }).await
    }

    /// One request, one answer, within its time. Errors: the rules refuse the URL, or the server is
    /// not there, is slow, or answers with too much.
    pub async fn send(&self, given: Request<'_>) -> Result<Answer, Error> {
        let url = self.policy.resolve(given.url, Purpose::Http).await?.url;
        let host = url.host_str().unwrap_or_default().to_owned();
        let failed = |error: reqwest::Error| match refusal(&error) {
            Some(refused) => Error::Refused(refused),
            None if error.is_timeout() => Error::TimedOut { host: host.clone() },
            None => Error::Unreachable { host: host.clone(), source: error.without_url() },
        };
        let mut request = self.http.request(given.method, url);
        if let Some(time) = given.time {
            request = request.timeout(time);
        }
        if let Some(token) = given.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = given.body {
            request = request.header(CONTENT_TYPE, body.content_type).body(body.bytes);
        }
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > ANSWER_MOST {
                return Err(Error::TooLong { host });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}

/// The rule's own words, when it was the rule that made a call fail.
fn refusal(error: &reqwest::Error) -> Option<Refused> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return Some(refused.clone());
        }
        source = error.source();
    }
    None
}

/// Looks names up by the rules: what is connected to is what was looked at.
struct Lookup(Policy);

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            // The port was looked at before; it is not known here.
            let found = policy.lookup(name.as_str(), None).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
