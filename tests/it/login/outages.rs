//! What others see when GitHub is not well: an answer that says so, soon, and no account.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Browser, open};
use crate::support::TestApp;
use crate::support::github::{GitHub, Mood};

const TOKEN: &str = "/login/oauth/access_token";

/// Logs in as a script would that follows its redirects; the answer to the last request.
async fn attempt(app: &TestApp, github: &GitHub) -> (u16, Value, String) {
    let mut browser = Browser::of(&app.anonymous().tolerant());
    let page = browser.get("/user").await.expect(401).json()["authorizationUrl"].as_str().unwrap().to_owned();
    let back = github.press(&page, "authorize").await;
    let answer = browser.come_back(&back).await;
    assert_eq!(browser.session(), None);
    (answer.status, answer.json(), answer.header("retry-after").to_owned())
}

#[tokio::test]
async fn an_outage_is_a_gateways_error_and_over_when_it_is_over() {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    github.person(7, "ina");
    let elsewhere = format!("{}/user/emails", github.url);
    for path in [TOKEN, "/user"] {
        for mood in [Mood::Broken, Mood::Huge, Mood::Odd, Mood::Away(elsewhere.clone())] {
            github.set_mood(path, mood);
            let (status, told, _) = attempt(&app, &github).await;
            assert_eq!(status, 502, "{path}: {told}");
            assert_eq!(told["message"], "github cannot be reached or does not answer as it should: try again later");
            github.clear_moods();
        }
    }
    assert_eq!(github.asked("/user/emails"), 0, "redirects are not followed with somebody's token");
    app.as_user("root").get("/api/v1/users/ina").await.expect(404);
    // A page says it in a browser.
    github.set_mood("/user", Mood::Broken);
    let mut person = Browser::of(&app.anonymous().tolerant().header("accept", "text/html"));
    let page = person.log_in(&github).await.expect(502);
    assert!(page.text().contains("try again later"), "{}", page.text());
    github.clear_moods();
    person.log_in(&github).await.expect(302);
    app.finish().await;
}

#[tokio::test]
async fn an_address_is_not_worth_a_login() {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    for (id, mood) in [Mood::Broken, Mood::Huge, Mood::Odd, Mood::Limited(60)].into_iter().enumerate() {
        github.person(id as u64, &format!("ina{id}"));
        github.set_mood("/user/emails", mood);
        let mut browser = Browser::new(&app);
        browser.log_in(&github).await.expect(302);
        let session = browser.get("/api/v1/session").await.expect(200).json();
        assert_eq!(session["session"]["email"], Value::Null);
    }
    app.finish().await;
}

#[tokio::test]
async fn whoever_is_limited_is_told_how_long() {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    github.person(7, "ina");
    for path in [TOKEN, "/user"] {
        github.set_mood(path, Mood::Limited(120));
        let (status, told, wait) = attempt(&app, &github).await;
        assert_eq!(status, 503, "{path}: {told}");
        let wait: u64 = wait.parse().expect("seconds");
        assert!((100..=121).contains(&wait), "{path}: {wait}");
        assert!(told["message"].as_str().unwrap().contains("takes no more requests for now"), "{told}");
        github.clear_moods();
    }
    assert_eq!(github.asked("/user"), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_provider_that_does_not_answer_holds_nobody_up() {
    let github = GitHub::open();
    let app = open(&github, json!({ "limits": { "request-timeout": 3 } })).await;
    github.person(7, "ina");
    for path in [TOKEN, "/user"] {
        github.set_mood(path, Mood::Slow);
        let started = Instant::now();
        let (waiting, meanwhile) = tokio::join!(attempt(&app, &github), async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            app.as_user("ann").get("/api/v1/session").await
        });
        assert_eq!(waiting.0, 503, "{}", waiting.1);
        assert!(started.elapsed() < Duration::from_secs(20));
        meanwhile.expect(200);
        github.clear_moods();
    }
    app.finish().await;
}

#[tokio::test]
async fn a_provider_that_is_gone_is_a_gateways_error() {
    let github = GitHub::open();
    // Nobody listens at port 1.
    let gone = json!({ "authentication": { "token-url": "http://127.0.0.1:1/token" } });
    let app = open(&github, gone).await;
    github.person(7, "ina");
    assert_eq!(attempt(&app, &github).await.0, 502);
    let url = json!({ "authentication": { "token-url": "not a url" } });
    app.as_user("root").post("/config", url).await.expect(400);
    let url = json!({ "authentication": { "authorize-url": "javascript:alert(1)" } });
    app.as_user("root").post("/config", url).await.expect(400);
    app.finish().await;
}
