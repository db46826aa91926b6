//! What the stand-in for GitHub knows.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// How a path is answered when it is not answered well.
#[derive(Clone)]
pub(crate) enum Mood {
    /// Too many requests: the next one may come in so many seconds.
    Limited(u64),
    /// Not within any patience.
    Slow,
    /// By a page about an outage.
    Broken,
    /// With megabytes.
    Huge,
    /// With JSON of other types than promised.
    Odd,
    /// With a redirect.
    Away(String),
}

/// A login that waits for somebody to press a button, or for its code to be exchanged.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client: String,
    /// Where the browser goes back to.
    pub(super) target: String,
    /// As the application gave it.
    pub(super) redirect: Option<String>,
    pub(super) state: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) scopes: Vec<String>,
    /// Who pressed the button.
    pub(super) person: u64,
}

/// Whose token it is and what it may.
#[derive(Clone)]
pub(super) struct Holder {
    pub(super) person: u64,
    pub(super) scopes: Vec<String>,
}

pub(super) struct World {
    url: String,
    pub(super) callback: String,
    pub(super) people: BTreeMap<u64, Value>,
    /// Who is at the browser.
    pub(super) seated: u64,
    pub(super) asked: HashMap<String, Grant>,
    pub(super) codes: HashMap<String, Grant>,
    pub(super) tokens: BTreeMap<String, Holder>,
    pub(super) repositories: BTreeMap<(String, String), Value>,
    pub(super) statuses: u64,
    pub(super) moods: HashMap<String, Mood>,
    pub(super) requests: Vec<String>,
    /// Path and `Authorization` of every request by git.
    pub(super) authorizations: Vec<(String, String)>,
    folder: TempDir,
    made: u64,
}

impl World {
    pub(super) fn new(url: String) -> Self {
        World {
            url,
            callback: "http://test.local/login".into(),
            people: BTreeMap::new(),
            seated: 0,
            asked: HashMap::new(),
            codes: HashMap::new(),
            tokens: BTreeMap::new(),
            repositories: BTreeMap::new(),
            statuses: 0,
            moods: HashMap::new(),
            requests: Vec::new(),
            authorizations: Vec::new(),
            folder: tempfile::Builder::new().prefix("workleaf-github-").tempdir().expect("a temporary directory"),
            made: 0,
        }
    }

    /// Notes a request; the mood that its path is in.
    pub(super) fn arrived(&mut self, path: &str) -> Option<Mood> {
        self.requests.push(path.to_owned());
        self.moods.get(path).cloned()
    }

    pub(super) fn seat(&mut self, id: u64, login: &str) {
        let url = &self.url;
        // The members come in GitHub's order, which is not that of the alphabet.
        let person = json!({
            "login": login,
            "id": id,
            "avatar_url": format!("{url}/avatars/u/{id}?v=4"),
            "html_url": format!("{url}/{login}"),
            "type": "User",
            "site_admin": false,
            "name": format!("The one called {login}"),
            "email": null,
            "bio": "<b>\u{1F343}</b>",
            "created_at": "2011-01-25T18:44:36Z",
            "plan": { "name": "free", "private_repos": 10_000 },
        });
        self.people.insert(id, person);
        self.seated = id;
    }

    /// Where a repository is on the disk.
    pub(super) fn folder(&self, owner: &str, name: &str) -> PathBuf {
        self.folder.path().join(owner.to_lowercase()).join(format!("{}.git", name.to_lowercase()))
    }

    /// Makes a repository of somebody; the object that the API shows.
    pub(super) fn found(&mut self, person: u64, name: &str, is_private: bool, description: &Value) -> Value {
        let (owner, url) = (self.login(person).to_owned(), &self.url);
        let made = json!({
            "id": 1_000 + self.repositories.len(),
            "name": name,
            "full_name": format!("{owner}/{name}"),
            "owner": { "login": owner, "id": person },
            "private": is_private,
            "description": description,
            "html_url": format!("{url}/{owner}/{name}"),
            "svn_url": format!("{url}/{owner}/{name}"),
            "clone_url": format!("{url}/{owner}/{name}.git"),
            "default_branch": "main",
        });
        super::git::make(&self.folder(&owner, name));
        self.repositories.insert((owner.to_lowercase(), name.to_lowercase()), made.clone());
        made
    }

    /// Letters and digits that nobody guesses and no other run makes.
    pub(super) fn random(&mut self) -> String {
        self.made += 1;
        let seed = format!("{} {:?} {}", self.url, std::time::SystemTime::now(), self.made);
        Sha256::digest(seed.as_bytes()).iter().take(18).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The login of somebody.
    pub(super) fn login(&self, person: u64) -> &str {
        self.people[&person]["login"].as_str().expect("a login")
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}
