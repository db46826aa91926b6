//! Attempts to log in at a provider: a signed `state` that lives ten minutes, is used once and only
//! by the browser that started it; the PKCE verifier (RFC 7636) derives from it, so that nothing is
//! stored before somebody has logged in (decisions.md 20).

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

use super::{Keys, cookie};
use crate::base::{clock, random};
use crate::state::{self, State};

/// How long a login may take, in seconds.
const LIFETIME: i64 = 600;

/// What a login attempt says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    #[serde(rename = "n")]
    nonce: String,
    /// Seconds since 1970.
    #[serde(rename = "e")]
    expires_at: i64,
    /// Whom the browser was sent to.
    #[serde(rename = "p")]
    pub provider: String,
    /// The front end's origin, where the browser returns to.
    #[serde(rename = "o", skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The account that the identity is to be linked to.
    #[serde(rename = "l", skip_serializing_if = "Option::is_none")]
    pub link: Option<i64>,
}

/// Why a browser that comes back is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    #[error("this login was not started here: start it again")]
    Forged,
    #[error("this login took longer than ten minutes: start it again")]
    Late,
    #[error("this login was started by another browser: start it again in this one")]
    Foreign,
    #[error("this login was completed already: start it again")]
    Used,
    #[error(transparent)]
    State(#[from] state::Error),
}

impl Attempt {
    pub fn new(provider: &str, origin: Option<String>, link: Option<i64>) -> Self {
        Attempt {
            nonce: BASE64.encode(random::bytes::<16>()),
            expires_at: clock::now() + LIFETIME,
            provider: provider.to_owned(),
            origin,
            link,
        }
    }

    /// The value of OAuth's `state` parameter.
    pub fn state(&self, keys: &Keys) -> String {
        let text = BASE64.encode(serde_json::to_string(self).expect("an attempt is JSON"));
        let tag = BASE64.encode(keys.sign(&format!("state {text}")));
        format!("{text}.{tag}")
    }

    /// The PKCE code verifier: 43 characters.
    pub fn verifier(&self, keys: &Keys) -> String {
        BASE64.encode(keys.sign(&format!("verifier {}", self.nonce)))
    }

    /// Name and value of the cookie that ties the attempt to its browser. Each attempt has its own,
    /// so that several may be open at once.
    pub fn cookie(&self, keys: &Keys) -> (String, String) {
        let value = BASE64.encode(keys.sign(&format!("cookie {}", self.nonce)));
        (format!("login-{}", &self.nonce[..8]), value)
    }

    /// A cookie for the answer that starts the attempt, of a server below this path.
    pub fn set_cookie(&self, keys: &Keys, base: &str, same_site: &str, is_secure: bool) -> String {
        let (name, value) = self.cookie(keys);
        let secure = if is_secure { "; Secure" } else { "" };
        format!("{name}={value}; Path={base}/login; Max-Age={LIFETIME}; HttpOnly; SameSite={same_site}{secure}")
    }

    /// Removes that cookie when the attempt is over.
    pub fn clear_cookie(&self, keys: &Keys, base: &str) -> String {
        format!("{}=; Path={base}/login; Max-Age=0; HttpOnly", self.cookie(keys).0)
    }

    /// Takes the attempt back from the browser, once.
    pub async fn finish(keys: &Keys, database: &State, given: &str, headers: &HeaderMap) -> Result<Self, AttemptError> {
        let (text, tag) = given.split_once('.').ok_or(AttemptError::Forged)?;
        let tag = BASE64.decode(tag).map_err(|_| AttemptError::Forged)?;
        if !keys.is_signed(&format!("state {text}"), &tag) {
            return Err(AttemptError::Forged);
        }
        let bytes = BASE64.decode(text).map_err(|_| AttemptError::Forged)?;
        let attempt: Attempt = serde_json::from_slice(&bytes).map_err(|_| AttemptError::Forged)?;
        if attempt.expires_at <= clock::now() {
            return Err(AttemptError::Late);
        }
        let (name, _) = attempt.cookie(keys);
        let is_own = cookie(headers, &name)
            .and_then(|value| BASE64.decode(value).ok())
            .is_some_and(|value| keys.is_signed(&format!("cookie {}", attempt.nonce), &value));
        if !is_own {
            return Err(AttemptError::Foreign);
        }
        if !database.use_attempt(&attempt.nonce, attempt.expires_at).await? {
            return Err(AttemptError::Used);
        }
        Ok(attempt)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::COOKIE;

    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    #[tokio::test]
    async fn an_attempt_is_finished_once_by_the_browser_that_started_it() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(&dir.path().join("secret"), "").unwrap();
        let database = State::in_memory().await.unwrap();
        let attempt = Attempt::new("github", Some("https://editor.example.org".into()), None);
        let other = Attempt::new("github", None, None);
        let state = attempt.state(&keys);
        let own = |attempt: &Attempt| headers(&format!("x=1; {}", attempt.set_cookie(&keys, "", "Lax", false)));
        let finish = async |given: &str, headers: &HeaderMap| Attempt::finish(&keys, &database, given, headers).await;
        assert!(matches!(finish(&state, &HeaderMap::new()).await, Err(AttemptError::Foreign)));
        assert!(matches!(finish(&state, &own(&other)).await, Err(AttemptError::Foreign)));
        assert!(matches!(finish("", &own(&attempt)).await, Err(AttemptError::Forged)));
        let (text, tag) = state.split_once('.').unwrap();
        let forged =
            BASE64.encode(String::from_utf8(BASE64.decode(text).unwrap()).unwrap().replace("editor", "evil12"));
        assert!(matches!(finish(&format!("{forged}.{tag}"), &own(&attempt)).await, Err(AttemptError::Forged)));
        assert_eq!(finish(&state, &own(&attempt)).await.unwrap(), attempt);
        assert!(matches!(finish(&state, &own(&attempt)).await, Err(AttemptError::Used)));
        assert_eq!(finish(&other.state(&keys), &own(&other)).await.unwrap(), other);
        let late = Attempt { expires_at: clock::now(), ..Attempt::new("github", None, None) };
        assert!(matches!(finish(&late.state(&keys), &own(&late)).await, Err(AttemptError::Late)));
        assert!((43..=128).contains(&attempt.verifier(&keys).len()));
        assert_ne!(attempt.verifier(&keys), other.verifier(&keys));
    }
}
