//! Login attempts: each good once, for ten minutes, in the browser that started it.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use workleaf::auth::Keys;

use super::{Browser, audit, open, query};
use crate::cli::process::{Answer, Place};
use crate::support::TestApp;
use crate::support::github::GitHub;

const TOKEN: &str = "/login/oauth/access_token";

/// A server, its GitHub, and somebody at the browser.
async fn start() -> (GitHub, TestApp, Browser) {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    github.person(1, "ina");
    let browser = Browser::script(&app);
    (github, app, browser)
}

/// Starts a login as the script of a page does.
async fn leave(browser: &mut Browser) -> String {
    let told = browser.get("/user").await.expect(401).json();
    told["authorizationUrl"].as_str().expect("an address").to_owned()
}

/// Comes back and is refused with these words and a new address.
async fn refused(browser: &mut Browser, target: &str, words: &str) -> Value {
    let answer = browser.come_back(target).await.expect(401);
    assert_eq!(browser.session(), None, "{:?}", answer.headers);
    let body = answer.json();
    assert!(body["message"].as_str().unwrap().contains(words), "{body}");
    assert!(body["authorizationUrl"].as_str().unwrap().contains("state="), "{body}");
    assert_eq!(browser.get("/user").await.status, 401);
    body
}

#[tokio::test]
async fn a_code_and_its_state_are_good_once() {
    let (github, app, mut browser) = start().await;
    let page = leave(&mut browser).await;
    let mut thief = browser.clone();
    let back = github.press(&page, "authorize").await;
    browser.come_back(&back).await.expect(302);
    assert_eq!(github.asked(TOKEN), 1);
    // Even with every cookie that the browser had.
    refused(&mut thief, &back, "completed already").await;
    assert_eq!(github.asked(TOKEN), 1, "the code is not even tried");
    assert_eq!(browser.get("/user").await.status, 200, "nobody is logged out by that");
    app.finish().await;
}

#[tokio::test]
async fn a_restart_does_not_make_a_state_good_again() {
    let (github, mut app, mut browser) = start().await;
    let (page, other) = (leave(&mut browser).await, leave(&mut browser).await);
    let cookies = browser.cookies.clone();
    let back = github.press(&page, "authorize").await;
    browser.come_back(&back).await.expect(302);
    app.restart_after(|_| {}).await;
    let mut thief = Browser { cookies, ..Browser::script(&app) };
    refused(&mut thief, &back, "completed already").await;
    // An attempt that is open outlives it.
    let back = github.press(&other, "authorize").await;
    thief.come_back(&back).await.expect(302);
    app.finish().await;
}

#[tokio::test]
async fn another_browser_cannot_finish_it() {
    let (github, app, mut browser) = start().await;
    let back = github.press(&leave(&mut browser).await, "authorize").await;
    let mut stranger = Browser::script(&app);
    refused(&mut stranger, &back, "another browser").await;
    // With an attempt of its own that is open, too: this is how an attacker logs a victim in as
    // themselves.
    let mut victim = Browser::script(&app);
    leave(&mut victim).await;
    refused(&mut victim, &back, "another browser").await;
    let name = browser.attempts()[0].to_owned();
    let foreign = victim.cookies[victim.attempts()[0]].clone();
    victim.cookies.insert(name, foreign);
    refused(&mut victim, &back, "another browser").await;
    // The one who started it still can.
    browser.come_back(&back).await.expect(302);
    app.finish().await;
}

#[tokio::test]
async fn a_state_is_this_servers_and_as_it_was_made() {
    let (github, app, mut browser) = start().await;
    let page = leave(&mut browser).await;
    let back = github.press(&page, "authorize").await;
    let (state, code) = (query(&back, "state").unwrap(), query(&back, "code").unwrap());
    let (text, tag) = state.split_once('.').unwrap();
    let inside: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    let mut changed = inside.clone();
    changed["o"] = json!("https://evil.example");
    let changed = URL_SAFE_NO_PAD.encode(changed.to_string());
    let elsewhere = Keys::open(&app.data().join("nowhere"), "another server's secret").unwrap();
    let foreign = URL_SAFE_NO_PAD.encode(elsewhere.sign(&format!("state {text}")));
    for forged in [
        String::new(),
        ".".to_owned(),
        text.to_owned(),
        format!("{text}."),
        format!("{text}.{}", &tag[..20]),
        format!("{changed}.{tag}"),
        format!("{text}.{foreign}"),
        format!("{state}x"),
        format!("{state}.{tag}"),
        "x".repeat(5_000),
        "%00".to_owned(),
        "%F0%9F%8D%83.%F0%9F%8D%83".to_owned(),
    ] {
        refused(&mut browser, &format!("{}/login?code={code}&state={forged}", super::OWN), "not started here").await;
    }
    refused(&mut browser, &format!("{}/login?code={code}", super::OWN), "not started here").await;
    assert_eq!(github.asked(TOKEN), 0);
    browser.come_back(&back).await.expect(302);
    app.finish().await;
}

#[tokio::test]
async fn a_state_lives_ten_minutes() {
    let (github, app, mut browser) = start().await;
    let page = leave(&mut browser).await;
    let back = github.press(&page, "authorize").await;
    let state = query(&back, "state").unwrap();
    // The same attempt, started eleven minutes ago.
    let keys = Keys::open(&app.data().join(".state/secret"), "").unwrap();
    let text = URL_SAFE_NO_PAD.decode(state.split_once('.').unwrap().0).unwrap();
    let mut inside: Value = serde_json::from_slice(&text).unwrap();
    let until = inside["e"].as_i64().unwrap();
    let aged = |inside: &Value| {
        let text = URL_SAFE_NO_PAD.encode(inside.to_string());
        let tag = URL_SAFE_NO_PAD.encode(keys.sign(&format!("state {text}")));
        back.replace(&state, &format!("{text}.{tag}"))
    };
    assert_eq!(aged(&inside), back, "this is how a state is made");
    inside["e"] = json!(until - 660);
    refused(&mut browser, &aged(&inside), "longer than ten minutes").await;
    assert_eq!(github.asked(TOKEN), 0);
    browser.come_back(&back).await.expect(302);
    app.finish().await;
}

#[tokio::test]
async fn several_attempts_may_be_open_at_once() {
    let (github, app, mut browser) = start().await;
    // The front end fires two requests and uses the first address; people open two tabs.
    let pages = [leave(&mut browser).await, leave(&mut browser).await, leave(&mut browser).await];
    assert_eq!(browser.attempts().len(), 3);
    let first = github.press(&pages[0], "authorize").await;
    let second = github.press(&pages[1], "authorize").await;
    browser.come_back(&second).await.expect(302);
    browser.come_back(&first).await.expect(302);
    assert_eq!(browser.attempts().len(), 1);
    assert_eq!(browser.account().await.as_deref(), Some("ina"));
    // A code of one attempt with the state of another: the verifier does not fit.
    let mut other = Browser::script(&app);
    let pages = [leave(&mut other).await, leave(&mut other).await];
    let (first, second) = (github.press(&pages[0], "authorize").await, github.press(&pages[1], "authorize").await);
    let crossed = first.replace(&query(&first, "code").unwrap(), &query(&second, "code").unwrap());
    refused(&mut other, &crossed, "github refused the login").await;
    app.finish().await;
}

#[tokio::test]
async fn whoever_does_not_agree_is_not_logged_in() {
    let (github, app, mut browser) = start().await;
    let back = github.press(&leave(&mut browser).await, "cancel").await;
    assert_eq!(query(&back, "error").as_deref(), Some("access_denied"));
    // Words of strangers are not shown.
    let made_up = format!("{}/login?error=x&error_description=call+0900-EVIL", super::OWN);
    let shown = refused(&mut browser, &made_up, "not started here").await;
    assert!(!shown.to_string().contains("EVIL"), "{shown}");
    refused(&mut browser, &back, "The user has denied your application access.").await;
    refused(&mut browser, &back, "completed already").await;
    let page = leave(&mut browser).await;
    let long = format!(
        "{}/login?error=x&state={}&error_description={}",
        super::OWN,
        query(&page, "state").unwrap(),
        "%3Cb%3E".repeat(500)
    );
    let mut person = browser.header("x-unused", "1");
    person.client = app.anonymous().header("accept", "text/html");
    let shown = person.come_back(&long).await.expect(401).text();
    assert!(shown.contains("&lt;b&gt;") && !shown.contains("<b>"), "{shown}");
    assert!(shown.contains(">Log in again</a>") && shown.len() < 4_000, "{}", shown.len());
    assert_eq!(github.asked(TOKEN), 0);
    let failed: Vec<_> = audit(&app).await.into_iter().filter(|(action, ..)| action == "login.failed").collect();
    // Those that any page could have made are not among them.
    assert_eq!(failed.len(), 2, "{failed:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_code_is_tried_at_github_with_the_secret_and_the_verifier() {
    let (github, app, mut browser) = start().await;
    let page = leave(&mut browser).await;
    let back = github.press(&page, "authorize").await;
    let wrong = back.replace(&query(&back, "code").unwrap(), "0123456789abcdef");
    refused(&mut browser, &wrong, "github refused the login: The code passed is incorrect or expired.").await;
    let empty = github.press(&leave(&mut browser).await, "authorize").await;
    let empty = empty.replace(&query(&empty, "code").unwrap(), "");
    refused(&mut browser, &empty, "github refused the login").await;

    app.as_user("root").post("/config", json!({ "authentication": { "ClientSecret": "another" } })).await.expect(200);
    let back = github.press(&leave(&mut browser).await, "authorize").await;
    refused(&mut browser, &back, "The client_id and/or client_secret passed are incorrect.").await;
    // The callback that GitHub knows is another one.
    app.as_user("root").post("/config", json!({ "public-url": "http://test.local" })).await.expect(200);
    github.set_callback("http://other.local/login");
    let back = github.press_nothing(&leave(&mut browser).await).await;
    assert!(back.starts_with("http://other.local/login?"), "{back}");
    refused(&mut browser, &back, "The redirect_uri MUST match").await;
    app.finish().await;
}

#[tokio::test]
async fn parallel_first_logins_make_one_account() {
    let (github, app, _) = start().await;
    let mut ways = Vec::new();
    for _ in 0..8 {
        let mut browser = Browser::script(&app);
        let back = github.press(&leave(&mut browser).await, "authorize").await;
        ways.push((browser, back));
    }
    let mut comings = tokio::task::JoinSet::new();
    for (mut browser, back) in ways {
        comings.spawn(async move {
            browser.come_back(&back).await.expect(302);
            browser.account().await
        });
    }
    while let Some(account) = comings.join_next().await {
        assert_eq!(account.unwrap().as_deref(), Some("ina"));
    }
    let users = app.as_user("root").get("/api/v1/users").await.expect(200).json();
    assert_eq!(users["_meta"]["count"], 4, "{users}");
    app.finish().await;
}

/// Any page can send a browser here: that must not keep its people from logging in.
#[test]
fn made_up_answers_of_a_provider_are_not_held_against_an_address() {
    let place = Place::new();
    let server = place.serve();
    let password = server.admin_password();
    for _ in 0..8 {
        let mut stream = server.connect();
        stream.write_all(b"GET /login?code=x&state=y HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
        assert_eq!(Answer::read(stream).expect("the server answers").status, 401);
    }
    let audit = server.get(("admin", &password), "/api/v1/audit?action=login.failed").expect(200).json();
    assert_eq!(audit["_meta"]["count"], 0, "{audit}");
    server.stop();
}
