//! The authorization code grant with PKCE (RFC 6749, section 4.1; RFC 7636) through the oauth2
//! library. Every address is configuration, so that GitHub Enterprise works.

use std::pin::Pin;

use oauth2::basic::{BasicClient, BasicErrorResponseType};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse as _,
    TokenUrl,
};
use serde_json::Value;

use super::person::rate_limited;
use crate::config::{Config, GITHUB};

/// Most bytes of an answer that are read.
const ANSWER_MOST: usize = 1 << 20;

/// Where people log in and how they are asked who they are.
#[derive(Debug, Clone)]
pub struct Provider {
    pub name: String,
    client_id: String,
    client_secret: String,
    scopes: String,
    authorize_url: String,
    token_url: String,
    pub(super) user_url: String,
    /// A list of addresses, of which one is primary.
    pub(super) emails_url: Option<String>,
    pub(super) id_field: String,
    pub(super) login_field: String,
    pub(super) email_field: String,
    /// Where the browser comes back to; `None`: as registered with the provider.
    redirect_url: Option<String>,
}

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The provider says no; in its words.
    #[error("{provider} refused the login: {why}")]
    Refused { provider: String, why: String },
    #[error("{provider} takes no more requests for now: try again in {seconds} seconds")]
    RateLimited { provider: String, seconds: u64 },
    /// The message is for everybody, the cause for the log.
    #[error("{provider} cannot be reached or does not answer as it should: try again later")]
    Unreachable {
        provider: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("authentication.{key} in the configuration is not a URL")]
    Url { key: &'static str },
}

impl Provider {
    /// The provider of this name, when the configuration has it.
    pub fn of(config: &Config, name: &str, base_url: &str) -> Option<Self> {
        let authentication = &config.authentication;
        if name == GITHUB {
            if authentication.client_id.is_empty() {
                return None;
            }
            let api = authentication.api_url.trim_end_matches('/');
            return Some(Provider {
                name: GITHUB.to_owned(),
                client_id: authentication.client_id.clone(),
                client_secret: authentication.client_secret.clone(),
                scopes: authentication.scopes.clone(),
                authorize_url: authentication.authorize_url.clone(),
                token_url: authentication.token_url.clone(),
                user_url: format!("{api}/user"),
                emails_url: Some(format!("{api}/user/emails")),
                id_field: "id".into(),
                login_field: "login".into(),
                email_field: "email".into(),
                // The application at GitHub has its own.
                redirect_url: (!config.public_url.is_empty()).then(|| format!("{base_url}/login")),
            });
        }
        let own = &authentication.provider;
        if own.name.is_empty() || own.name != name {
            return None;
        }
        Some(Provider {
            name: own.name.clone(),
            client_id: own.client_id.clone(),
            client_secret: own.client_secret.clone(),
            scopes: own.scopes.clone(),
            authorize_url: own.authorize_url.clone(),
            token_url: own.token_url.clone(),
            user_url: own.user_url.clone(),
            emails_url: None,
            id_field: own.id_field.clone(),
            login_field: own.login_field.clone(),
            email_field: own.email_field.clone(),
            redirect_url: Some(format!("{base_url}/login")),
        })
    }

    /// Where to send the browser.
    pub fn authorize(&self, state: &str, verifier: &str) -> Result<String, Error> {
        let address = AuthUrl::new(self.authorize_url.clone()).map_err(|_| Error::Url { key: "authorize-url" })?;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.to_owned()));
        let client = BasicClient::new(ClientId::new(self.client_id.clone())).set_auth_uri(address);
        let state = state.to_owned();
        let mut request = client.authorize_url(|| CsrfToken::new(state)).set_pkce_challenge(challenge);
        for scope in self.scopes.split_whitespace() {
            request = request.add_scope(Scope::new(scope.to_owned()));
        }
        let redirect = self.redirect()?;
        if let Some(redirect) = &redirect {
            request = request.set_redirect_uri(std::borrow::Cow::Borrowed(redirect));
        }
        Ok(request.url().0.into())
    }

    /// Exchanges the code that the browser brought for an access token.
    pub async fn exchange(&self, http: &reqwest::Client, code: &str, verifier: &str) -> Result<String, Error> {
        let address = TokenUrl::new(self.token_url.clone()).map_err(|_| Error::Url { key: "token-url" })?;
        let client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(ClientSecret::new(self.client_secret.clone()))
            // What GitHub documents.
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(address);
        let redirect = self.redirect()?;
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        if let Some(redirect) = &redirect {
            request = request.set_redirect_uri(std::borrow::Cow::Borrowed(redirect));
        }
        match request.request_async(&Bridge(http.clone())).await {
            Ok(answer) => Ok(answer.access_token().secret().clone()),
            Err(RequestTokenError::ServerResponse(error)) => {
                let code = match error.error() {
                    BasicErrorResponseType::Extension(code) => code.clone(),
                    code => code.as_ref().to_owned(),
                };
                Err(self.refused(error.error_description().cloned().unwrap_or(code)))
            }
            // GitHub says no with status 200.
            Err(RequestTokenError::Parse(error, body)) => match serde_json::from_slice::<Value>(&body) {
                Ok(Value::Object(answer)) if answer.contains_key("error") => {
                    let text = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
                    Err(self.refused(text("error_description").or_else(|| text("error")).unwrap_or_default()))
                }
                _ => Err(self.unreachable(error)),
            },
            Err(RequestTokenError::Request(CallError::RateLimited(seconds))) => {
                Err(Error::RateLimited { provider: self.name.clone(), seconds })
            }
            Err(RequestTokenError::Request(error)) => Err(self.unreachable(error)),
            Err(RequestTokenError::Other(error)) => Err(self.unreachable(error)),
        }
    }

    fn redirect(&self) -> Result<Option<RedirectUrl>, Error> {
        let url = self.redirect_url.clone().map(RedirectUrl::new).transpose();
        url.map_err(|_| Error::Url { key: "provider" })
    }

    fn refused(&self, why: String) -> Error {
        // Somebody else's words: within bounds.
        Error::Refused { provider: self.name.clone(), why: why.chars().take(300).collect() }
    }

    pub(super) fn unreachable(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Unreachable { provider: self.name.clone(), source: source.into() }
    }
}

/// Why a call did not succeed at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("the call failed")]
    Http(#[from] reqwest::Error),
    #[error("there were too many requests: the next may come in {0} seconds")]
    RateLimited(u64),
    #[error("the answer has more than {0} bytes")]
    TooLong(usize),
    #[error("the answer cannot be put together")]
    Answer(#[from] oauth2::http::Error),
    #[error("the request has no address")]
    Address,
}

/// oauth2's requests, made by our HTTP client.
struct Bridge(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Bridge {
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, CallError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(send(&self.0, request))
    }
}

async fn send(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, CallError> {
    let (parts, body) = request.into_parts();
    let address = reqwest::Url::parse(&parts.uri.to_string()).map_err(|_| CallError::Address)?;
    let answer = client.request(parts.method, address).headers(parts.headers).body(body).send().await?;
    if let Some(seconds) = rate_limited(&answer) {
        return Err(CallError::RateLimited(seconds));
    }
    let mut response = oauth2::http::Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        *headers = answer.headers().clone();
    }
    Ok(response.body(whole(answer).await?)?)
}

/// An answer's body, within bounds.
pub(super) async fn whole(answer: reqwest::Response) -> Result<Vec<u8>, CallError> {
    read_within(answer, ANSWER_MOST).await
}

/// An answer's body of so many bytes at most.
pub(super) async fn read_within(mut answer: reqwest::Response, most: usize) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > most {
            return Err(CallError::TooLong(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
