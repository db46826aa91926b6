//! A server on this machine that behaves as GitHub documents it: logins, repositories, deployments,
//! and the ways in which it fails. Beside it, under `/acme`, another OAuth 2 provider with names of
//! its own.

mod api;
mod git;
mod oauth;
mod world;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde_json::{Value, json};

pub(crate) use world::Mood;
use world::World;

use workleaf::config::Config;

use super::app::{PASSWORD, TestApp};
use super::client::Answer;
use super::local::Local;

/// What the product is at GitHub, and at the other provider.
const CLIENT_ID: &str = "Iv1.workleaf";
pub(crate) const CLIENT_SECRET: &str = "client-secret-of-the-tests";
const ACME_ID: &str = "acme-client";

#[derive(Clone)]
struct Shared(Arc<Mutex<World>>);

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until it is dropped.
pub(crate) struct GitHub {
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    shared: Shared,
    _server: Local,
}

impl GitHub {
    /// Nobody has an account there yet.
    pub(crate) fn open() -> Self {
        let mut shared = None;
        let server = Local::open(|port| {
            let world = World::new(format!("http://127.0.0.1:{port}"));
            router(shared.insert(Shared(Arc::new(Mutex::new(world)))).clone())
        });
        let shared = shared.expect("the router was made");
        GitHub { url: format!("http://127.0.0.1:{}", server.port), shared, _server: server }
    }

    /// The configuration that points the product here.
    pub(crate) fn settings(&self) -> Value {
        json!({ "authentication": {
            "ClientID": CLIENT_ID,
            "ClientSecret": CLIENT_SECRET,
            "authorize-url": format!("{}/login/oauth/authorize", self.url),
            "token-url": format!("{}/login/oauth/access_token", self.url),
            "api-url": format!("{}/", self.url),
        } })
    }

    /// As [`GitHub::settings`], in a configuration that also lets repositories here be called.
    pub(crate) fn configure(&self, config: &mut Config) {
        let authentication = &mut config.authentication;
        authentication.client_id = CLIENT_ID.to_owned();
        authentication.client_secret = CLIENT_SECRET.to_owned();
        authentication.authorize_url = format!("{}/login/oauth/authorize", self.url);
        authentication.token_url = format!("{}/login/oauth/access_token", self.url);
        authentication.api_url = self.url.clone();
        config.outside.git_schemes = vec!["http".to_owned()];
        config.outside.hosts = vec!["127.0.0.1".to_owned()];
    }

    /// Whoever is at the browser links themselves to an account; their access token.
    pub(crate) async fn link(&self, app: &TestApp, account: &str) -> String {
        let cookie = |answer: &Answer| answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        let browser = app.anonymous().header("accept", "text/html").header("origin", "http://test.local");
        let body = json!({ "name": account, "password": PASSWORD });
        let session = cookie(&browser.post("/api/v1/session", body).await.expect(200));
        let left = browser.header("cookie", &session).get("/login?link=true").await.expect(302);
        // Here, wherever it is reached from outside.
        let page = reqwest::Url::parse(left.header("location")).expect("a URL");
        let page = format!("{}{}?{}", self.url, page.path(), page.query().unwrap_or_default());
        let back = self.press(&page, "authorize").await;
        let path = back.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()));
        let cookies = format!("{session}; {}", cookie(&left));
        browser.header("cookie", &cookies).get(&path.expect("an address")).await.expect(302);
        self.tokens().pop().expect("a token was given out")
    }

    /// The configuration that makes the other provider the product's second one.
    pub(crate) fn acme_settings(&self) -> Value {
        json!({ "authentication": { "provider": {
            "name": "acme",
            "ClientID": ACME_ID,
            "ClientSecret": CLIENT_SECRET,
            "scopes": "profile mail",
            "authorize-url": format!("{}/acme/authorize?tenant=7", self.url),
            "token-url": format!("{}/acme/token", self.url),
            "user-url": format!("{}/acme/me", self.url),
            "id-field": "sub",
            "login-field": "nick",
            "email-field": "mail",
        } } })
    }

    /// Somebody with this number is at the browser from now on, under this login.
    pub(crate) fn person(&self, id: u64, login: &str) {
        self.shared.world().seat(id, login);
    }

    /// Where the application's browsers go back to.
    pub(crate) fn set_callback(&self, url: &str) {
        self.shared.world().callback = url.to_owned();
    }

    /// How requests to a path are answered from now on.
    pub(crate) fn set_mood(&self, path: &str, mood: Mood) {
        self.shared.world().moods.insert(path.to_owned(), mood);
    }

    /// Everything is well again.
    pub(crate) fn clear_moods(&self) {
        self.shared.world().moods.clear();
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.shared.world().requests.iter().filter(|asked| *asked == path).count()
    }

    /// All access tokens that were given out.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.shared.world().tokens.keys().cloned().collect()
    }

    /// Somebody makes a repository; where it is on the disk.
    pub(crate) fn repository(&self, person: u64, name: &str, is_private: bool) -> PathBuf {
        let mut world = self.shared.world();
        world.found(person, name, is_private, &Value::Null);
        let owner = world.login(person).to_owned();
        world.folder(&owner, name)
    }

    /// Where a repository is on the disk.
    pub(crate) fn folder(&self, owner: &str, name: &str) -> PathBuf {
        self.shared.world().folder(owner, name)
    }

    /// Whether there is a repository.
    pub(crate) fn has(&self, owner: &str, name: &str) -> bool {
        self.shared.world().repositories.contains_key(&(owner.to_lowercase(), name.to_lowercase()))
    }

    /// What git sent as `Authorization`, request by request.
    pub(crate) fn authorizations(&self) -> Vec<(String, String)> {
        self.shared.world().authorizations.clone()
    }

    /// The object that `GET /user` answers with.
    pub(crate) fn profile(&self, id: u64) -> Value {
        self.shared.world().people[&id].clone()
    }

    /// Opens the page that somebody was sent to and presses one of its buttons, `authorize` or
    /// `cancel`; where the browser goes then.
    pub(crate) async fn press(&self, page: &str, button: &str) -> String {
        let client = client();
        let shown = client.get(page).send().await.expect("the page is there");
        let (status, text) = (shown.status(), shown.text().await.expect("a text"));
        assert_eq!(status, 200, "{page}: {text}");
        let request = text.split("name=\"request\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let form = format!("request={}&decision={button}", request.expect("the form's hidden field"));
        let pressed = client.post(format!("{}/login/oauth/decision", self.url));
        let answer = pressed
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .expect("it is taken");
        assert_eq!(answer.status(), 302);
        answer.headers()["location"].to_str().expect("an address").to_owned()
    }

    /// Where the browser is sent back to before there is anything to press.
    pub(crate) async fn press_nothing(&self, page: &str) -> String {
        let answer = client().get(page).send().await.expect("it answers");
        assert_eq!(answer.status(), 302);
        answer.headers()["location"].to_str().expect("an address").to_owned()
    }
}

/// One that follows no redirects.
fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/login/oauth/authorize", get(oauth::authorize))
        // The original backend has it so.
        .route("/login/oauth/authorize/", get(oauth::authorize))
        .route("/login/oauth/decision", post(oauth::decide))
        .route("/login/oauth/access_token", post(oauth::exchange))
        .route("/acme/authorize", get(oauth::authorize))
        .route("/acme/token", post(oauth::exchange))
        .route("/acme/me", get(api::me))
        .route("/user", get(api::user))
        .route("/user/emails", get(api::emails))
        .route("/user/repos", get(api::own_repositories).post(api::create_repository))
        .route("/users/{login}/repos", get(api::repositories))
        .route("/repos/{owner}/{name}", delete(api::delete_repository))
        .route("/repos/{owner}/{name}/deployments/{id}/statuses", post(api::deployment_status))
        .fallback(git::serve)
        .layer(from_fn_with_state(shared.clone(), moody))
        .with_state(shared)
}

/// Answers in the mood that a path is in.
async fn moody(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let mood = shared.world().arrived(request.uri().path());
    match mood {
        None => next.run(request).await,
        Some(Mood::Limited(seconds)) => api::limited(&shared, seconds),
        Some(Mood::Slow) => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            StatusCode::OK.into_response()
        }
        Some(Mood::Broken) => (StatusCode::BAD_GATEWAY, "<html>unicorn</html>").into_response(),
        Some(Mood::Huge) => axum::Json(json!({ "login": "x".repeat(3 << 20) })).into_response(),
        Some(Mood::Odd) => axum::Json(json!({ "id": null, "login": ["ann"], "access_token": 7 })).into_response(),
        Some(Mood::Away(to)) => (StatusCode::FOUND, [("location", to)]).into_response(),
    }
}
