//! Who an access token belongs to.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use serde_json::Value;

use super::provider::{Error, Provider, whole};

/// Most bytes of an id, a login or an address that are believed.
const FIELD_MOST: usize = 255;

/// Somebody as a provider describes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// What never changes: at GitHub the number.
    pub subject: String,
    pub login: String,
    pub email: Option<String>,
    /// The whole object.
    pub profile: Value,
}

impl Provider {
    /// Asks who the token belongs to (GitHub REST API, "Get the authenticated user").
    pub async fn person(&self, http: &reqwest::Client, token: &str) -> Result<Person, Error> {
        let profile = self.get(http, &self.user_url, token).await?;
        let field = |name: &str| match profile.get(name) {
            Some(Value::String(text)) if (1..=FIELD_MOST).contains(&text.len()) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let (Some(subject), Some(login)) = (field(&self.id_field), field(&self.login_field)) else {
            return Err(
                self.unreachable(format!("the answer of user-url has no {} or no {}", self.id_field, self.login_field))
            );
        };
        let email = match self.primary_email(http, token).await {
            Some(email) => Some(email),
            None => field(&self.email_field),
        };
        Ok(Person { subject, login, email, profile })
    }

    /// The primary address, where the token may ask for it ("List email addresses for the
    /// authenticated user").
    async fn primary_email(&self, http: &reqwest::Client, token: &str) -> Option<String> {
        let emails = self.get(http, self.emails_url.as_ref()?, token).await.ok()?;
        let primary = emails.as_array()?.iter().find(|email| email["primary"] == true && email["verified"] != false)?;
        primary["email"].as_str().map(str::to_owned)
    }

    async fn get(&self, http: &reqwest::Client, url: &str, token: &str) -> Result<Value, Error> {
        let request = http.get(url).bearer_auth(token).header("accept", "application/json");
        let answer = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = answer.status();
        if let Some(seconds) = rate_limited(&answer) {
            return Err(Error::RateLimited { provider: self.name.clone(), seconds });
        }
        let body = whole(answer).await.map_err(|error| self.unreachable(error))?;
        if !status.is_success() {
            return Err(self.unreachable(format!("{url} answered {status}")));
        }
        serde_json::from_slice(&body).map_err(|error| self.unreachable(error))
    }
}

/// How long to wait, when the provider says that it was asked too often (GitHub REST API, "Rate
/// limits").
pub(super) fn rate_limited(answer: &reqwest::Response) -> Option<u64> {
    if !matches!(answer.status(), StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let number = |name: &str| answer.headers().get(name)?.to_str().ok()?.parse::<u64>().ok();
    if let Some(seconds) = number("retry-after") {
        return Some(seconds);
    }
    if number("x-ratelimit-remaining") == Some(0) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
        return Some(number("x-ratelimit-reset").map_or(60, |at| at.saturating_sub(now).max(1)));
    }
    (answer.status() == StatusCode::TOO_MANY_REQUESTS).then_some(60)
}
