//! Logging in by way of GitHub and of another provider, with everything that must not let anybody
//! in (contracts/editor.md 1.4, decisions.md 4, 18 to 21).

mod accounts;
mod attempts;
mod chromium;
mod flow;
mod linking;
mod outages;
mod providers;
mod secrets;
mod sessions;
mod stand_in;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use workleaf::config::Config;

use crate::support::github::GitHub;
use crate::support::{Answer, Body, Client, TestApp, raw};

/// What `test.local` calls itself.
const OWN: &str = "http://test.local";

/// A server whose provider is the stand-in, and what else its configuration says.
async fn open(github: &GitHub, more: Value) -> TestApp {
    let mut settings = github.settings();
    json_patch::merge(&mut settings, &more);
    open_as(settings).await
}

/// A server with a configuration file.
async fn open_as(settings: Value) -> TestApp {
    TestApp::open_with(|folder, config| {
        let file = folder.join("config.yaml");
        let text = serde_yaml::to_string(&settings).expect("it can be written");
        std::fs::write(&file, text).expect("the file can be written");
        *config = Config::load(Some(&file)).expect("it is a configuration");
        config.workspaces_location = folder.join("data");
    })
    .await
}

/// Somebody's browser: keeps cookies, and remembers what it was told.
#[derive(Clone)]
struct Browser {
    client: Client,
    /// Value and path by name.
    cookies: BTreeMap<String, (String, String)>,
    seen: Arc<Mutex<String>>,
}

impl Browser {
    /// One that shows pages.
    fn new(app: &TestApp) -> Self {
        Self::of(&app.anonymous().header("accept", "text/html,application/xhtml+xml,*/*;q=0.8"))
    }

    /// The script of a page.
    fn script(app: &TestApp) -> Self {
        Self::of(&app.anonymous().header("accept", "application/json, text/javascript, */*; q=0.01"))
    }

    fn of(client: &Client) -> Self {
        Browser { client: client.clone(), cookies: BTreeMap::new(), seen: Arc::default() }
    }

    fn header(&self, name: &str, value: &str) -> Self {
        Browser { client: self.client.header(name, value), ..self.clone() }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, raw("")).await
    }

    async fn send(&mut self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let fits = |of: &str| {
            path == of
                || path.starts_with(&format!("{}/", of.trim_end_matches('/')))
                || path.starts_with(&format!("{of}?"))
        };
        let sent: Vec<String> = self
            .cookies
            .iter()
            .filter(|(_, (_, of))| fits(of))
            .map(|(name, (value, _))| format!("{name}={value}"))
            .collect();
        let client = if sent.is_empty() { self.client.clone() } else { self.client.header("cookie", &sent.join("; ")) };
        let answer = client.send(method, path, body).await;
        for line in answer.headers.get_all("set-cookie") {
            self.keep(line.to_str().expect("a cookie in ASCII"));
        }
        *self.seen.lock().unwrap() += &format!("{:?} {}", answer.headers, answer.text());
        answer
    }

    fn keep(&mut self, line: &str) {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a cookie");
        let attribute = |name: &str| line.split("; ").find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        if attribute("Max-Age") == Some("0") {
            self.cookies.remove(name);
        } else {
            assert!(line.contains("; HttpOnly"), "{line}");
            let path = attribute("Path").expect("a path").to_owned();
            self.cookies.insert(name.to_owned(), (value.to_owned(), path));
        }
    }

    /// The cookie that says who this is.
    fn session(&self) -> Option<&str> {
        self.cookies.get("session").map(|(value, _)| value.as_str())
    }

    /// The cookies of attempts that are open.
    fn attempts(&self) -> Vec<&str> {
        self.cookies.keys().map(String::as_str).filter(|name| name.starts_with("login-")).collect()
    }

    /// Starts a login; where the browser is sent.
    async fn leave(&mut self) -> String {
        self.get("/login").await.expect(302).header("location").to_owned()
    }

    /// Follows a redirect that leads here.
    async fn come_back(&mut self, target: &str) -> Answer {
        let path = target.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        self.get(path.expect("an address")).await
    }

    /// Logs in through GitHub; the last answer.
    async fn log_in(&mut self, github: &GitHub) -> Answer {
        let page = self.leave().await;
        let back = github.press(&page, "authorize").await;
        self.come_back(&back).await
    }

    /// The name of the account that this is logged in as.
    async fn account(&mut self) -> Option<String> {
        let answer = self.get("/api/v1/session").await;
        (answer.status == 200).then(|| answer.json()["session"]["account"].as_str().expect("a name").to_owned())
    }
}

/// A value of an address's query.
fn query(address: &str, name: &str) -> Option<String> {
    let address = reqwest::Url::parse(address).expect("a URL");
    address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Everything in the audit log, newest first: action, actor, detail.
async fn audit(app: &TestApp) -> Vec<(String, String, String)> {
    let page = app.as_user("root").get("/api/v1/audit?limit=1000").await.expect(200).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = page["audit"].as_array().expect("a list");
    entries.iter().map(|e| (text(&e["action"]), text(&e["actor"]), text(&e["detail"]))).collect()
}

/// The list of those who may log in.
fn users(logins: &[&str]) -> Value {
    json!({ "authentication": { "users": logins } })
}
