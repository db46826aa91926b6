//! Another provider beside GitHub, or in its place, with its own words.

use serde_json::{Value, json};

use super::{Browser, OWN, open, open_as, query};
use crate::support::TestApp;
use crate::support::github::GitHub;

fn both(github: &GitHub) -> Value {
    let mut settings = github.settings();
    json_patch::merge(&mut settings, &github.acme_settings());
    settings
}

/// Logs in at the other provider.
async fn log_in(browser: &mut Browser, github: &GitHub, start: &str) -> u16 {
    let page = browser.get(start).await.expect(302).header("location").to_owned();
    assert!(page.starts_with(&format!("{}/acme/authorize?tenant=7&", github.url)), "{page}");
    assert_eq!(query(&page, "redirect_uri").as_deref(), Some("http://test.local/login"));
    assert_eq!(query(&page, "scope").as_deref(), Some("profile mail"));
    let back = github.press(&page, "authorize").await;
    browser.come_back(&back).await.status
}

#[tokio::test]
async fn a_provider_of_other_names_lets_people_in() {
    let github = GitHub::open();
    let app = open_as(github.acme_settings()).await;
    github.person(7, "ina");
    // The only one there is, named or not.
    for start in ["/login", "/login?provider=acme"] {
        let mut browser = Browser::new(&app);
        assert_eq!(log_in(&mut browser, &github, start).await, 302);
        let session = browser.get("/api/v1/session").await.expect(200).json();
        assert_eq!(session["session"]["account"], "ina");
        assert_eq!(session["session"]["email"], "ina@acme.example");
        let identities = json!([{ "provider": "acme", "subject": "u-7", "login": "ina" }]);
        assert_eq!(session["session"]["identities"], identities);
        let user = browser.get("/user").await.expect(200).json();
        assert_eq!(user, json!({ "sub": "u-7", "nick": "ina", "mail": "ina@acme.example" }));
    }
    // Its refusals come with the status that the standard has for them.
    let mut script = Browser::script(&app);
    let page = script.get("/user").await.json()["authorizationUrl"].as_str().unwrap().to_owned();
    let back = github.press(&page, "authorize").await;
    let back = back.replace(&query(&back, "code").unwrap(), "nothing");
    let told = script.come_back(&back).await.expect(401).json();
    assert_eq!(told["message"], "acme refused the login: invalid_grant");
    app.finish().await;
}

#[tokio::test]
async fn the_same_name_at_two_providers_is_two_people_until_they_are_linked() {
    let github = GitHub::open();
    let app = open_as(both(&github)).await;
    github.person(7, "ina");
    let mut browser = Browser::new(&app);
    browser.log_in(&github).await.expect(302);
    assert_eq!(browser.account().await.as_deref(), Some("ina"));
    let mut other = Browser::new(&app);
    assert_eq!(log_in(&mut other, &github, "/login?provider=acme").await, 302);
    assert_eq!(other.account().await.as_deref(), Some("ina-2"));
    // A script is told the way to the one that it names.
    for (path, at) in [("/login", "/login/oauth/"), ("/login?provider=acme", "/acme/")] {
        let told = Browser::script(&app).get(path).await.expect(401).json();
        assert!(told["authorizationUrl"].as_str().unwrap().starts_with(&format!("{}{at}", github.url)), "{told}");
    }
    // Somebody else, who links both to one.
    github.person(9, "eve");
    browser = Browser::new(&app);
    browser.log_in(&github).await.expect(302);
    assert_eq!(log_in(&mut browser, &github, "/login?provider=acme&link=true").await, 302);
    assert_eq!(browser.account().await.as_deref(), Some("eve"));
    assert_eq!(browser.get("/user").await.json(), github.profile(9), "GitHub's words, which the front end reads");
    app.finish().await;
}

#[tokio::test]
async fn each_provider_has_its_own_list() {
    let github = GitHub::open();
    let mut settings = both(&github);
    settings["authentication"]["users"] = json!(["ina"]);
    settings["authentication"]["provider"]["users"] = json!(["eve"]);
    let app = open_as(settings).await;
    let root = app.as_user("root");
    for (id, login, at_github, at_acme) in [(7, "ina", 302, 401), (8, "eve", 401, 302)] {
        github.person(id, login);
        assert_eq!(Browser::new(&app).log_in(&github).await.status, at_github, "{login}");
        let mut browser = Browser::new(&app);
        assert_eq!(log_in(&mut browser, &github, "/login?provider=acme").await, at_acme, "{login}");
    }
    // A state says at whom it was started, and is no good with a provider that is gone.
    let mut script = Browser::script(&app);
    let sent = script.header("accept", "text/html");
    let mut leaving = Browser { client: app.anonymous().header("accept", "text/html"), ..sent };
    let page = leaving.get("/login?provider=acme").await.expect(302).header("location").to_owned();
    let back = github.press(&page, "authorize").await;
    let mut eve = Browser::new(&app);
    assert_eq!(log_in(&mut eve, &github, "/login?provider=acme").await, 302);
    let mut own = eve.header("origin", OWN);
    let made = own.send("POST", "/api/v1/tokens", json!({ "name": "script", "scope": "read" })).await.expect(201);
    let token = made.json()["token"]["token"].as_str().expect("a token").to_owned();
    let by_token = app.anonymous().header("authorization", &format!("Bearer {token}"));
    by_token.get("/user").await.expect(200);
    root.post("/config", json!({ "authentication": { "provider": { "name": "umbrella" } } })).await.expect(200);
    script.cookies = leaving.cookies;
    let told = script.come_back(&back).await.expect(401).json();
    assert_eq!(told["message"], "the login provider is not configured any more");
    assert_eq!(eve.account().await, None, "nor are the sessions that began there");
    by_token.get("/user").await.expect(401);
    app.finish().await;
}

#[tokio::test]
async fn the_second_provider_is_not_called_like_the_first() {
    let github = GitHub::open();
    let app = open(&github, json!({ "authentication": { "users": [] } })).await;
    let root = app.as_user("root");
    // Its list would be looked at for GitHub's people.
    let told =
        root.post("/config", json!({ "authentication": { "provider": { "name": "github" } } })).await.expect(400);
    assert!(told.json()["message"].as_str().unwrap().contains("authentication.provider.name"));
    assert_eq!(Browser::script(&app).get("/login?provider=umbrella").await.status, 401);
    app.finish().await;
}

#[tokio::test]
async fn an_unknown_provider_starts_nothing() {
    let app = TestApp::open().await;
    let page = Browser::new(&app).get("/login?provider=acme").await.expect(200).text();
    assert!(page.contains("no login provider"), "{page}");
    app.finish().await;
}
