//! Which account somebody from GitHub gets, and who may come at all.

use serde_json::{Value, json};

use super::{Browser, OWN, audit, open, users};
use crate::support::github::GitHub;
use crate::support::{TestApp, git};

/// Logs somebody in who is at the browser; the name of their account.
async fn arrive(app: &TestApp, github: &GitHub, id: u64, login: &str) -> (Browser, String) {
    github.person(id, login);
    let mut browser = Browser::new(app);
    browser.log_in(github).await.expect(302);
    let account = browser.account().await.expect("somebody");
    (browser, account)
}

#[tokio::test]
async fn an_account_is_the_number_and_not_the_login() {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    let (_, account) = arrive(&app, &github, 7, "ina").await;
    assert_eq!(account, "ina");
    // She calls herself something else; it is still her.
    let (mut browser, account) = arrive(&app, &github, 7, "ina-maria").await;
    assert_eq!(account, "ina");
    assert_eq!(browser.get("/user").await.json()["login"], "ina-maria");
    // Somebody takes her old login, in other letters too; it is not her.
    assert_eq!(arrive(&app, &github, 8, "ina").await.1, "ina-2");
    assert_eq!(arrive(&app, &github, 9, "INA").await.1, "INA-3");
    assert_eq!(arrive(&app, &github, 8, "ina").await.1, "ina-2");
    app.finish().await;
}

#[tokio::test]
async fn taken_reserved_and_odd_logins_get_a_name_of_their_own() {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    // Workspaces of somebody who is gone are not given to a namesake.
    app.account("gone", false).await;
    app.workspace("gone/lab").await;
    app.as_user("root").delete("/api/v1/users/gone").await.expect(204);
    let long = "a".repeat(60);
    for (id, (login, account)) in [
        ("ann", "ann-2"),
        ("Root", "Root-2"),
        ("catalogue", "catalogue-2"),
        ("System", "System-2"),
        ("Gone", "Gone-2"),
        ("ina_corp", "ina_corp"),
        ("ann@example.org", "ann-example.org"),
        ("-dash", "dash"),
        ("../../etc", "etc"),
        (".git", "git"),
        ("dots...", "dots"),
        ("\u{1F343}", "user"),
        ("\u{e9}mile", "mile"),
        ("a\nb", "a-b"),
        (&long, &long[..39]),
        (&format!("{long}b"), &format!("{}-2", &long[..37])),
    ]
    .into_iter()
    .enumerate()
    {
        let (mut browser, name) = arrive(&app, &github, 100 + id as u64, login).await;
        assert_eq!(name, account, "{login:?}");
        let made = browser.header("origin", OWN).send("POST", "/api/v1/workspaces", json!({ "name": "own" })).await;
        assert_eq!(made.status, 201, "{login:?}: {}", made.text());
        assert_eq!(browser.get("/user").await.json()["login"], login, "as GitHub says it");
    }
    assert_eq!(git::repositories(app.data()).len(), 17);
    app.finish().await;
}

#[tokio::test]
async fn an_account_from_github_has_no_password_until_it_sets_one() {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    let (mut browser, _) = arrive(&app, &github, 7, "ina").await;
    for password in ["", "ina", "null", crate::support::PASSWORD] {
        let script = app.anonymous().header("authorization", &crate::support::basic("ina", password));
        assert_eq!(script.get("/login").await.status, 401, "{password:?}");
    }
    let mut own = browser.header("origin", OWN);
    own.send("PUT", "/api/v1/users/ina/password", json!({ "password": "a new one" })).await.expect(204);
    assert_eq!(browser.account().await, None, "a new password ends every session");
    let script = app.anonymous().header("authorization", &crate::support::basic("ina", "a new one"));
    script.get("/login").await.expect(200);
    // Both ways lead to the same account.
    assert_eq!(arrive(&app, &github, 7, "ina").await.1, "ina");
    app.finish().await;
}

/// What `GET /user` says with a session, and its words when it refuses.
async fn user(browser: &Browser, app: &TestApp) -> (u16, Value) {
    let mut script = Browser { client: app.anonymous().header("accept", "application/json"), ..browser.clone() };
    let answer = script.get("/user").await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn the_list_is_looked_at_at_every_login_and_every_request() {
    let github = GitHub::open();
    let app = open(&github, users(&["Ina"])).await;
    let root = app.as_user("root");
    let (ina, _) = arrive(&app, &github, 7, "ina").await;
    let body = json!({ "name": "script", "scope": "read" });
    let token = ina.header("origin", OWN).send("POST", "/api/v1/tokens", body).await;
    let token = token.expect(201).json()["token"]["token"].as_str().expect("a token").to_owned();
    let script = app.anonymous().header("authorization", &format!("Bearer {token}"));
    script.get("/api/v1/session").await.expect(200);

    // Not on the list: no account comes of it.
    github.person(8, "eve");
    let mut eve = Browser::script(&app);
    let page = eve.get("/user").await.json()["authorizationUrl"].as_str().unwrap().to_owned();
    let back = github.press(&page, "authorize").await;
    let told = eve.come_back(&back).await.expect(401).json();
    let words = "eve was not found in the list of valid users,Please ask the admin of this server to add you to the list of valid users";
    assert_eq!(told["message"], words);
    assert!(told["authorizationUrl"].is_string());
    assert_eq!(eve.session(), None);
    root.get("/api/v1/users/eve").await.expect(404);
    assert!(audit(&app).await.contains(&("login.failed".into(), "eve".into(), words.into())));

    // Taken off the list: out at once, with the session and with the token.
    root.post("/config", users(&["eve"])).await.expect(200);
    let (status, told) = user(&ina, &app).await;
    assert_eq!(status, 401);
    assert!(told["message"].as_str().unwrap().starts_with("ina was not found in the list"), "{told}");
    assert!(told["authorizationUrl"].is_string());
    let write = ina.header("origin", OWN).send("POST", "/api/v1/workspaces", json!({ "name": "lab" })).await;
    assert_eq!(write.status, 401);
    script.get("/api/v1/session").await.expect(401);
    github.person(7, "ina");
    let mut again = Browser::script(&app);
    let page = again.get("/user").await.json()["authorizationUrl"].as_str().unwrap().to_owned();
    assert_eq!(again.come_back(&github.press(&page, "authorize").await).await.status, 401);

    // And back on it.
    root.post("/config", users(&["eve", "INA"])).await.expect(200);
    assert_eq!(user(&ina, &app).await.0, 200);
    script.get("/api/v1/session").await.expect(200);
    assert_eq!(arrive(&app, &github, 8, "eve").await.1, "eve");
    // An empty list is nobody; none is everybody.
    root.post("/config", users(&[])).await.expect(200);
    assert_eq!(user(&ina, &app).await.0, 401);
    app.as_user("ann").get("/api/v1/session").await.expect(200);
    root.post("/config", json!({ "authentication": { "users": null } })).await.expect(200);
    assert_eq!(user(&ina, &app).await.0, 200);
    app.finish().await;
}

#[tokio::test]
async fn whoever_changes_their_login_is_judged_by_the_new_one() {
    let github = GitHub::open();
    let app = open(&github, users(&["ina", "maria"])).await;
    let (old, _) = arrive(&app, &github, 7, "ina").await;
    arrive(&app, &github, 7, "maria").await;
    app.as_user("root").post("/config", users(&["ina"])).await.expect(200);
    assert_eq!(user(&old, &app).await.0, 401, "nobody with this number is called ina any more");
    app.finish().await;
}
