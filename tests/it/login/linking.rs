//! Being the same person by password and by GitHub is said explicitly.

use serde_json::json;

use super::{Browser, OWN, audit, open};
use crate::support::github::GitHub;
use crate::support::{PASSWORD, TestApp, raw};

/// A browser that logged in by password.
async fn by_password(app: &TestApp, name: &str) -> Browser {
    let mut browser = Browser::new(app);
    let body = json!({ "name": name, "password": PASSWORD });
    let mut with_origin = browser.header("origin", OWN);
    with_origin.send("POST", "/api/v1/session", body).await.expect(200);
    browser.cookies = with_origin.cookies;
    browser
}

/// Goes out to link and comes back; the last status.
async fn link(browser: &mut Browser, github: &GitHub) -> u16 {
    let page = browser.get("/login?link=true").await.expect(302).header("location").to_owned();
    let back = github.press(&page, "authorize").await;
    browser.come_back(&back).await.status
}

#[tokio::test]
async fn an_account_is_linked_by_whoever_is_logged_in_as_both() {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    github.person(7, "ina");
    let mut ann = by_password(&app, "ann").await;
    assert_eq!(link(&mut ann, &github).await, 302);
    assert_eq!(ann.account().await.as_deref(), Some("ann"));
    assert_eq!(ann.get("/user").await.json()["login"], "ina");
    // From now on GitHub leads there, without a question and without a new account.
    let mut browser = Browser::new(&app);
    browser.log_in(&github).await.expect(302);
    assert_eq!(browser.account().await.as_deref(), Some("ann"));
    app.as_user("root").get("/api/v1/users/ina").await.expect(404);
    assert!(
        audit(&app).await.iter().any(|(action, _, detail)| action == "identity.linked" && detail == "ina at github")
    );
    // Linking it once more changes nothing.
    assert_eq!(link(&mut ann, &github).await, 302);

    // It belongs to ann now.
    let mut bob = by_password(&app, "bob").await;
    assert_eq!(link(&mut bob, &github).await, 409);
    assert_eq!(bob.account().await.as_deref(), Some("bob"));
    assert_eq!(app.as_user("bob").get("/user").await.json()["login"], "bob");

    // Unlinked, it lets nobody in, and its sessions end.
    let unlink = "/api/v1/users/ann/identities/github/7";
    app.as_user("bob").delete(unlink).await.expect(403);
    app.as_user("ann").delete(unlink).await.expect(204);
    app.as_user("ann").delete(unlink).await.expect(404);
    assert_eq!(browser.account().await, None);
    assert_eq!(ann.account().await, None, "linking had logged her in through GitHub");
    browser.log_in(&github).await.expect(302);
    assert_eq!(browser.account().await.as_deref(), Some("ina"));
    app.finish().await;
}

#[tokio::test]
async fn nobody_links_without_being_logged_in_as_the_one_who_started() {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    github.person(7, "ina");
    assert_eq!(Browser::script(&app).get("/login?link=true").await.status, 401);
    // A token that may only read or write is not enough.
    let token = app.as_user("ann").post("/api/v1/tokens", json!({ "name": "s", "scope": "write" })).await.expect(201);
    let token = token.json()["token"]["token"].as_str().unwrap().to_owned();
    let script = app.anonymous().header("authorization", &format!("Bearer {token}"));
    script.get("/login?link=true").await.expect(401);

    // Logged out meanwhile, or somebody else.
    let mut ann = by_password(&app, "ann").await;
    let page = ann.get("/login?link=true").await.expect(302).header("location").to_owned();
    let back = github.press(&page, "authorize").await;
    let bob = by_password(&app, "bob").await;
    ann.cookies.insert("session".into(), bob.cookies["session"].clone());
    assert_eq!(ann.come_back(&back).await.status, 401);
    let page = ann.get("/login?link=true").await.expect(302).header("location").to_owned();
    let back = github.press(&page, "authorize").await;
    ann.get("/logout").await.expect(200);
    assert_eq!(ann.come_back(&back).await.status, 401);
    assert_eq!(ann.session(), None);
    for name in ["ann", "bob"] {
        let session = app.as_user(name).get("/api/v1/session").await.json();
        assert_eq!(session["session"]["identities"], json!([]), "{session}");
    }
    app.as_user("root").get("/api/v1/users/ina").await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn an_account_from_github_is_not_linked_to_another_by_accident() {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    github.person(7, "ina");
    let mut ina = Browser::new(&app);
    ina.log_in(&github).await.expect(302);
    // The same address, the same login: no reason to take them for one person.
    github.person(8, "ann");
    let mut other = Browser::new(&app);
    other.log_in(&github).await.expect(302);
    assert_eq!(other.account().await.as_deref(), Some("ann-2"));
    // Logging in as somebody else while logged in makes no link.
    ina.log_in(&github).await.expect(302);
    assert_eq!(ina.account().await.as_deref(), Some("ann-2"));
    let mut ann = by_password(&app, "ann").await;
    assert_eq!(link(&mut ann, &github).await, 409);

    // The only way into an account is not cut off.
    let mut own = other.header("origin", OWN);
    let cut = own.send("DELETE", "/api/v1/users/ann-2/identities/github/8", raw("")).await.expect(409).json();
    assert!(cut["message"].as_str().unwrap().contains("set a password first"), "{cut}");
    app.as_user("root").delete("/api/v1/users/ann-2/identities/github/8").await.expect(409);
    // Once the account is gone, its identity is free.
    app.as_user("root").delete("/api/v1/users/ann-2").await.expect(204);
    assert_eq!(other.account().await, None);
    assert_eq!(link(&mut ann, &github).await, 302);
    assert_eq!(ann.account().await.as_deref(), Some("ann"));
    app.finish().await;
}
