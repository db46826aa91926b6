//! Logging in at a provider: out to its page, back with a code (contracts/editor.md 1.4,
//! decisions.md 20).

use axum::http::header::{CACHE_CONTROL, HOST, LOCATION, ORIGIN, REFERER, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tower_sessions::Session;

use super::fault::{answered, answered_with, page, wants_page};
use crate::auth::{Attempt, AttemptError, By};
use crate::config::{Config, GITHUB, SameSite};
use crate::engine::Error;
use crate::github::{self, Provider};
use crate::http::context::Context;
use crate::http::fault::{Fault, internal, unlisted};
use crate::http::parameters::Parameters;
use crate::resource::actor::{Account, Actor, Scope};
use crate::state::identities::Identity;

/// Where to send a browser, and the cookie that it has to bring back.
pub(super) struct Way {
    pub(super) address: String,
    pub(super) cookie: Option<HeaderValue>,
}

/// What a login is for.
#[derive(Default)]
pub(super) struct Wish {
    /// Which provider; `None`: the one that there is.
    provider: Option<String>,
    /// The front end to return to; `None`: the one that asks.
    origin: Option<String>,
    /// The account that the identity is to be linked to.
    link: Option<i64>,
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(HOST).and_then(|host| host.to_str().ok())
}

/// A new attempt to log in. Without a provider, the address is that of the page that says what to
/// configure.
pub(super) fn way(context: &Context, headers: &HeaderMap, wish: Wish) -> Way {
    let config = context.config();
    let base = config.base_url(host(headers));
    let unconfigured = Way { address: format!("{base}/login"), cookie: None };
    let Some(provider) = provider(&config, &base, wish.provider.as_deref()) else { return unconfigured };
    let origin = wish.origin.or_else(|| front_end(&config, headers));
    let attempt = Attempt::new(&provider.name, origin, wish.link);
    match provider.authorize(&attempt.state(&context.keys), &attempt.verifier(&context.keys)) {
        Ok(address) => {
            let same_site = match config.session.same_site {
                // The provider's page sends the browser here: a strict cookie would stay at home.
                SameSite::Strict | SameSite::Lax => "Lax",
                SameSite::None => "None",
            };
            let cookie = attempt.set_cookie(&context.keys, config.base_path(), same_site, config.is_secure());
            Way { address, cookie: HeaderValue::from_str(&cookie).ok() }
        }
        Err(error) => {
            tracing::error!(%error, "starting a login");
            unconfigured
        }
    }
}

/// The provider of this name, or the one that there is.
fn provider(config: &Config, base: &str, name: Option<&str>) -> Option<Provider> {
    match name {
        Some(name) => Provider::of(config, name, base),
        None => Provider::of(config, GITHUB, base)
            .or_else(|| Provider::of(config, &config.authentication.provider.name, base)),
    }
}

/// The front end that asks, when it is one of ours.
fn front_end(config: &Config, headers: &HeaderMap) -> Option<String> {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).map(str::to_owned);
    let origin = origin.or_else(|| {
        let referer = reqwest::Url::parse(headers.get(REFERER)?.to_str().ok()?).ok()?;
        Some(referer.origin().ascii_serialization())
    })?;
    config.allows_origin(&origin).then_some(origin)
}

/// `GET /login` without credentials and without a code.
pub async fn start(context: &Context, parts: &Parts) -> Response {
    let parameters = Parameters::parse(parts.uri.query().unwrap_or_default());
    let config = context.config();
    let name = parameters.get("provider");
    if provider(&config, "", name).is_none() {
        let text = match name {
            Some(name) => format!("There is no login provider {name:?} in this server's configuration."),
            None => format!(
                "This server has no login by GitHub yet: set authentication.ClientID and ClientSecret in its \
                 config.yaml to those of an OAuth application whose callback is {}/login. Passwords and access \
                 tokens work without: send them as Basic credentials.",
                config.base_url(host(&parts.headers))
            ),
        };
        if wants_page(&parts.headers) {
            return (
                [(CACHE_CONTROL, "no-store")],
                page(&text, Some((&format!("{}/", config.base_path()), "The API"))),
            )
                .into_response();
        }
        return answered(context, &parts.headers, Fault::new(StatusCode::UNAUTHORIZED, text));
    }
    // Another site's page does not choose what is linked.
    let is_cross_site = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    let link = match parameters.get("link") {
        Some("true") if is_cross_site => {
            let text = "start to link from a page of this server or of its front end";
            return answered(context, &parts.headers, Fault::new(StatusCode::FORBIDDEN, text));
        }
        Some("true") => match context.authenticator.authenticate(parts).await {
            Ok(Actor::Account(account, Scope::Admin)) => Some(account.id),
            _ => {
                let text = "log in first: an account is linked by the one whose it is";
                return answered(context, &parts.headers, Fault::new(StatusCode::UNAUTHORIZED, text));
            }
        },
        _ => None,
    };
    let wish = Wish { provider: name.map(str::to_owned), origin: None, link };
    if !wants_page(&parts.headers) && link.is_none() {
        return answered_with(context, &parts.headers, Fault::new(StatusCode::UNAUTHORIZED, "Please log in"), wish);
    }
    let way = way(context, &parts.headers, wish);
    let mut response = found(&way.address);
    if let Some(cookie) = way.cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// `GET /login?code=&state=`, or `?error=`: the browser comes back from the provider.
pub async fn complete(context: &Context, parts: &Parts, session: &Session) -> Response {
    let by = By { name: None, address: context.authenticator.address(parts) };
    let attempt = match take_back(context, parts, &by).await {
        Ok(attempt) => attempt,
        Err(fault) => return answered(context, &parts.headers, fault),
    };
    match finish(context, parts, session, by, &attempt).await {
        Ok(target) => {
            let mut response = found(&target);
            let cookie = attempt.clear_cookie(&context.keys, context.config().base_path());
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            response
        }
        // The next try is for the same.
        Err(fault) => {
            let wish = Wish { provider: Some(attempt.provider), origin: attempt.origin, link: attempt.link };
            answered_with(context, &parts.headers, fault, wish)
        }
    }
}

/// The attempt that the browser comes back from.
async fn take_back(context: &Context, parts: &Parts, by: &By) -> Result<Attempt, Fault> {
    context.authenticator.admit_login(by.address)?;
    let parameters = Parameters::parse(parts.uri.query().unwrap_or_default());
    let state = parameters.get("state").unwrap_or_default();
    match Attempt::finish(&context.keys, &context.state, state, &parts.headers).await {
        Ok(attempt) => Ok(attempt),
        Err(AttemptError::State(error)) => Err(Error::from(error).into()),
        // Any page can send a browser here with what it likes: that is neither noted nor counted.
        Err(error) => Err(Fault::new(StatusCode::UNAUTHORIZED, error.to_string())),
    }
}

/// Where the browser goes on.
async fn finish(
    context: &Context,
    parts: &Parts,
    session: &Session,
    by: By,
    attempt: &Attempt,
) -> Result<String, Fault> {
    let parameters = Parameters::parse(parts.uri.query().unwrap_or_default());
    if let Some(code) = parameters.get("error") {
        let why = parameters.get("error_description").unwrap_or(code);
        // Somebody else's words: within bounds.
        let why: String = why.chars().take(300).collect();
        return Err(failed(context, &by, None, &format!("{} refused the login: {why}", attempt.provider)).await);
    }
    let code = parameters.get("code").unwrap_or_default();
    let config = context.config();
    let Some(provider) = Provider::of(&config, &attempt.provider, &config.base_url(host(&parts.headers))) else {
        return Err(failed(context, &by, None, "the login provider is not configured any more").await);
    };
    let identity = identify(context, &provider, code, attempt).await;
    let (identity, email) = match identity {
        Ok(found) => found,
        Err(error) => return Err(unidentified(context, &by, &error).await),
    };
    if !config.lists(&provider.name, &identity.login) {
        return Err(failed(context, &by, Some(&identity.login), &unlisted(&identity.login)).await);
    }
    let account = match attempt.link {
        Some(id) => link(context, parts, &by, id, &identity).await?,
        None => context.accounts.arrive(&by, &identity, email.as_deref()).await?,
    };
    let via = Some((identity.provider.clone(), identity.subject.clone()));
    context.authenticator.begin(session, &account, via).await.map_err(|error| {
        tracing::error!(%error, "keeping a session");
        internal()
    })?;
    let by = By { name: Some(account.name.clone()), ..by };
    context.accounts.note(&by, "login.provider", None, Some(&format!("{} at {}", identity.login, provider.name))).await;
    Ok(target(&config, attempt, &parts.headers))
}

/// Who came, with the provider's token sealed.
async fn identify(
    context: &Context,
    provider: &Provider,
    code: &str,
    attempt: &Attempt,
) -> Result<(Identity, Option<String>), github::Error> {
    let token = provider.exchange(&context.client, code, &attempt.verifier(&context.keys)).await?;
    let person = provider.person(&context.client, &token).await?;
    let identity = Identity {
        provider: provider.name.clone(),
        subject: person.subject,
        login: person.login,
        profile: person.profile.to_string(),
        token: context.keys.seal(&token, &provider.name),
    };
    Ok((identity, person.email))
}

/// Links an identity to the account of whoever is logged in now, who has to be the one that started.
async fn link(context: &Context, parts: &Parts, by: &By, id: i64, identity: &Identity) -> Result<Account, Fault> {
    match context.authenticator.authenticate(parts).await {
        Ok(Actor::Account(account, Scope::Admin)) if account.id == id => {
            context.accounts.link(by, &account, identity).await?;
            Ok(Account::clone(&account))
        }
        _ => Err(failed(context, by, None, "you are not logged in any more as the one who started to link").await),
    }
}

/// Notes and counts a login that came to nothing.
async fn failed(context: &Context, by: &By, login: Option<&str>, why: &str) -> Fault {
    context.authenticator.login_failed(by.address);
    let by = By { name: login.map(str::to_owned), ..by.clone() };
    context.accounts.note(&by, "login.failed", None, Some(why)).await;
    Fault::new(StatusCode::UNAUTHORIZED, why)
}

async fn unidentified(context: &Context, by: &By, error: &github::Error) -> Fault {
    match error {
        github::Error::Refused { .. } => failed(context, by, None, &error.to_string()).await,
        github::Error::RateLimited { seconds, .. } => Fault::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            .header(axum::http::header::RETRY_AFTER, &seconds.to_string()),
        github::Error::Unreachable { source, .. } => {
            tracing::warn!(error = &**source as &dyn std::error::Error, "a login provider");
            Fault::new(StatusCode::BAD_GATEWAY, error.to_string())
        }
        github::Error::Url { .. } => {
            tracing::error!(%error, "a login provider");
            internal()
        }
    }
}

/// Where the browser goes on: only ever to a configured front end, or to our own page.
fn target(config: &Config, attempt: &Attempt, headers: &HeaderMap) -> String {
    let origin = attempt.origin.clone().filter(|origin| config.allows_origin(origin));
    let origin = origin.or_else(|| front_end(config, headers));
    let origin = origin.unwrap_or_else(|| match config.frontend_host.trim_end_matches('/') {
        "" => config.base_path().to_owned(),
        host => host.to_owned(),
    });
    if config.frontend_redirect.is_empty() { format!("{origin}/") } else { origin + &config.frontend_redirect }
}

fn found(target: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(target) = HeaderValue::from_str(target) {
        response.headers_mut().insert(LOCATION, target);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
