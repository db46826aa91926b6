//! Repositories of whoever a token belongs to (GitHub REST API, "Repositories").

use axum::http::StatusCode;
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde_json::{Value, json};

use super::person::rate_limited;
use super::provider::read_within;
use crate::config::Config;

/// Repositories of one page of a list, GitHub's most, and pages that are asked for.
const PAGE: usize = 100;
const PAGES_MOST: usize = 50;
/// Bytes of one page.
const PAGE_BYTES: usize = 8 << 20;

/// GitHub, or the GitHub Enterprise server that the configuration names.
#[derive(Debug, Clone)]
pub struct GitHub {
    api: String,
    origin: String,
}

/// Why nothing came of a call.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// There is one of this name.
    #[error("a repository of this name is there already")]
    Taken,
    /// GitHub's words, and its status.
    #[error("GitHub: {why}")]
    Refused { status: u16, why: String },
    #[error("GitHub takes no more requests for now: try again in {0} seconds")]
    RateLimited(u64),
    #[error("GitHub cannot be reached or does not answer as it should: try again later")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl GitHub {
    /// `None` where the configuration has no login by GitHub.
    pub fn of(config: &Config) -> Option<Self> {
        let authentication = &config.authentication;
        if authentication.client_id.is_empty() {
            return None;
        }
        // People log in where their repositories are; the API is elsewhere.
        let origin = Url::parse(&authentication.authorize_url).ok()?.origin().ascii_serialization();
        Some(GitHub { api: authentication.api_url.trim_end_matches('/').to_owned(), origin })
    }

    /// Where its repositories are, as `https://github.com`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// An address there, spelt as GitHub itself spells it; `None` for any other host.
    pub fn own(&self, url: &str) -> Option<Url> {
        let mut url = Url::parse(url).ok()?;
        let bare = url.host_str().and_then(|host| host.strip_prefix("www.")).map(str::to_owned);
        if let Some(bare) = bare {
            url.set_host(Some(&bare)).ok()?;
        }
        (url.origin().ascii_serialization() == self.origin).then_some(url)
    }

    /// Makes a repository of the token's owner; its address.
    pub async fn create(&self, http: &Client, token: &str, name: &str) -> Result<String, RepositoryError> {
        let request = http.request(Method::POST, format!("{}/user/repos", self.api)).json(&json!({ "name": name }));
        let (status, made) = answered(request, token).await?;
        match status {
            StatusCode::CREATED => {
                let url = made["svn_url"].as_str().or(made["html_url"].as_str());
                url.map(str::to_owned).ok_or_else(|| RepositoryError::Unreachable("the answer has no svn_url".into()))
            }
            StatusCode::UNPROCESSABLE_ENTITY if is_taken(&made) => Err(RepositoryError::Taken),
            status => Err(refused(status, &made)),
        }
    }

    /// The repositories that the token's owner owns, as GitHub describes them, private ones too.
    pub async fn list(&self, http: &Client, token: &str) -> Result<Vec<Value>, RepositoryError> {
        let mut found = Vec::new();
        for page in 1..=PAGES_MOST {
            let url = format!("{}/user/repos?affiliation=owner&sort=full_name&per_page={PAGE}&page={page}", self.api);
            let (status, listed) = answered(http.get(url), token).await?;
            match listed {
                Value::Array(listed) if status.is_success() => {
                    let is_last = listed.len() < PAGE;
                    found.extend(listed);
                    if is_last {
                        break;
                    }
                }
                other => return Err(refused(status, &other)),
            }
        }
        Ok(found)
    }

    /// Deletes a repository with everything in it.
    pub async fn delete(&self, http: &Client, token: &str, owner: &str, name: &str) -> Result<(), RepositoryError> {
        let mut url = Url::parse(&self.api).map_err(|error| RepositoryError::Unreachable(error.into()))?;
        let segments = url.path_segments_mut();
        segments
            .map_err(|()| RepositoryError::Unreachable("api-url".into()))?
            .pop_if_empty()
            .extend(["repos", owner, name]);
        let (status, said) = answered(http.request(Method::DELETE, url), token).await?;
        if status == StatusCode::NO_CONTENT { Ok(()) } else { Err(refused(status, &said)) }
    }
}

/// GitHub's status and JSON; null where it sent none.
async fn answered(request: RequestBuilder, token: &str) -> Result<(StatusCode, Value), RepositoryError> {
    let unreachable = |error: reqwest::Error| RepositoryError::Unreachable(error.without_url().into());
    let request = request.bearer_auth(token).header("accept", "application/vnd.github+json");
    let answer: Response = request.send().await.map_err(unreachable)?;
    if let Some(seconds) = rate_limited(&answer) {
        return Err(RepositoryError::RateLimited(seconds));
    }
    let status = answer.status();
    let body = read_within(answer, PAGE_BYTES).await;
    let body = body.map_err(|error| RepositoryError::Unreachable(error.into()))?;
    if body.is_empty() {
        return Ok((status, Value::Null));
    }
    let read = serde_json::from_slice(&body);
    Ok((status, read.map_err(|error| RepositoryError::Unreachable(error.into()))?))
}

fn is_taken(said: &Value) -> bool {
    let errors = said["errors"].as_array().into_iter().flatten();
    errors.filter_map(|error| error["message"].as_str()).any(|text| text.contains("already exists"))
}

/// Somebody else's words: within bounds. What is no refusal is a failure.
fn refused(status: StatusCode, said: &Value) -> RepositoryError {
    if !status.is_client_error() {
        return RepositoryError::Unreachable(format!("it answered {status}").into());
    }
    let details = said["errors"].as_array().into_iter().flatten().filter_map(|error| error["message"].as_str());
    let words: Vec<&str> = said["message"].as_str().into_iter().chain(details).collect();
    let why: String = words.join(" ").chars().take(300).collect();
    RepositoryError::Refused { status: status.as_u16(), why }
}
