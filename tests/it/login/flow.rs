//! The way to GitHub and back.

use serde_json::{Value, json};

use super::{Browser, open, open_as, query};
use crate::support::github::GitHub;
use crate::support::{PASSWORD, TestApp, basic, raw};

#[tokio::test]
async fn a_script_is_told_where_to_log_in_and_a_browser_is_sent_there() {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    for path in ["/login", "/user"] {
        let mut script = Browser::script(&app);
        let told = script.get(path).await.expect(401);
        let body = told.json();
        assert_eq!((&body["message"], &body["error"]), (&json!("Please log in"), &json!("Please log in")));
        let address = body["authorizationUrl"].as_str().unwrap();
        assert!(address.starts_with(&format!("{}/login/oauth/authorize?", github.url)), "{address}");
        assert_eq!(query(address, "client_id").as_deref(), Some("Iv1.workleaf"));
        assert_eq!(query(address, "scope").as_deref(), Some("user:email repo delete_repo"));
        assert_eq!(query(address, "code_challenge_method").as_deref(), Some("S256"));
        assert_eq!(query(address, "code_challenge").unwrap().len(), 43);
        // The application at GitHub knows it.
        assert_eq!(query(address, "redirect_uri"), None);
        assert_eq!(script.attempts().len(), 1);
        assert_eq!(script.session(), None, "nobody has a session before they log in");
        assert_eq!(told.header("www-authenticate"), "", "a browser would show its own form");
    }
    let mut browser = Browser::new(&app);
    let sent = browser.get("/login").await.expect(302);
    assert!(sent.header("location").starts_with(&github.url));
    assert_eq!(sent.header("cache-control"), "no-store");
    let cookie = sent.header("set-cookie");
    for part in ["login-", "; Path=/login; ", "Max-Age=600", "HttpOnly", "SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    app.finish().await;
}

#[tokio::test]
async fn whoever_agrees_is_logged_in_and_returns_to_the_front_end() {
    let github = GitHub::open();
    let more = json!({ "frontend-host": "https://editor.example.org", "frontend-redirect": "/app/loginRedirect.html" });
    let app = open(&github, more).await;
    github.person(583_231, "octocat");
    let mut browser = Browser::new(&app);
    let back = browser.log_in(&github).await.expect(302);
    assert_eq!(back.header("location"), "https://editor.example.org/app/loginRedirect.html");
    let cookies: Vec<&str> = back.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
    let [session] = cookies.iter().filter(|line| line.starts_with("session=")).collect::<Vec<_>>()[..] else {
        panic!("{cookies:?}");
    };
    let mut attributes: Vec<&str> = session.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Max-Age=1209600", "Path=/", "SameSite=Lax"]);
    assert_eq!(browser.attempts(), Vec::<&str>::new(), "the attempt is over");

    let user = browser.get("/user").await.expect(200);
    assert_eq!(user.text(), github.profile(583_231).to_string(), "verbatim, in GitHub's order");
    let session = browser.get("/api/v1/session").await.expect(200).json();
    assert_eq!(session["session"]["account"], "octocat");
    assert_eq!(session["session"]["email"], "octocat@home.example.org", "the primary address");
    assert_eq!(session["session"]["admin"], false);
    assert_eq!(session["session"]["identities"][0]["subject"], "583231");

    let old = browser.clone();
    let out = browser.get("/logout").await.expect(200);
    assert_eq!(out.json(), json!("logged out"));
    assert_eq!(browser.session(), None, "{:?}", out.headers);
    for mut gone in [browser, old] {
        gone.client = gone.client.header("accept", "application/json");
        assert_eq!(gone.get("/user").await.status, 401);
    }
    app.finish().await;
}

#[tokio::test]
async fn behind_tls_cookies_are_for_tls_only_and_the_callback_is_named() {
    let github = GitHub::open();
    github.set_callback("https://leaf.example.org/login");
    let app =
        open(&github, json!({ "public-url": "https://leaf.example.org/", "session": { "same-site": "none" } })).await;
    github.person(1, "ina");
    let mut browser = Browser::new(&app);
    let page = browser.leave().await;
    assert_eq!(query(&page, "redirect_uri").as_deref(), Some("https://leaf.example.org/login"));
    let back = github.press(&page, "authorize").await;
    let done = browser.come_back(&back).await.expect(302);
    assert_eq!(done.header("location"), "/", "without a front end: this server's own page");
    let shown = format!("{:?}", done.headers);
    assert!(shown.contains("; Secure") && shown.contains("SameSite=None"), "{shown}");
    assert_eq!(browser.account().await.as_deref(), Some("ina"));
    app.finish().await;
}

#[tokio::test]
async fn a_server_below_a_path_of_its_host_finds_its_cookies_again() {
    let github = GitHub::open();
    github.set_callback("https://leaf.example.org/git/login");
    let app = open(&github, json!({ "public-url": "https://leaf.example.org/git" })).await;
    github.person(1, "ina");
    let mut browser = Browser::new(&app);
    let page = browser.leave().await;
    let back = github.press(&page, "authorize").await;
    assert!(back.starts_with("https://leaf.example.org/git/login?"), "{back}");
    let [name] = browser.attempts()[..] else { panic!("{:?}", browser.cookies) };
    assert_eq!(browser.cookies[name].1, "/git/login");
    // The proxy takes the path away.
    let (name, value) = (name.to_owned(), browser.cookies[name].0.clone());
    browser.cookies.insert(name, (value, "/login".into()));
    let done = browser.come_back(&back.replace("/git/login", "/login")).await.expect(302);
    assert_eq!(done.header("location"), "/git/");
    assert_eq!(browser.account().await.as_deref(), Some("ina"));
    app.finish().await;
}

#[tokio::test]
async fn without_a_client_id_the_address_leads_to_a_page_that_says_what_to_configure() {
    let app = TestApp::open().await;
    let mut script = Browser::script(&app);
    let told = script.get("/user").await.expect(401).json();
    assert_eq!(told["authorizationUrl"], "http://test.local/login");
    let page = Browser::new(&app).get("/login").await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
    let text = page.text();
    assert!(text.contains("authentication.ClientID") && text.contains("config.yaml"), "{text}");
    assert!(text.contains("callback is http://test.local/login."), "{text}");
    let told = script.get("/login").await.expect(401).json();
    assert!(told["message"].as_str().unwrap().contains("authentication.ClientID"), "{told}");
    let told = script.get("/login?provider=%3Cscript%3E").await.expect(401).json();
    assert!(told["message"].as_str().unwrap().contains("<script>"), "{told}");
    let page = Browser::new(&app).get("/login?provider=%3Cscript%3E").await.text();
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
    // Nothing can come back either.
    assert_eq!(script.get("/login?code=x&state=y").await.status, 401);
    assert_eq!(script.attempts(), Vec::<&str>::new());
    app.finish().await;
}

#[tokio::test]
async fn a_local_account_has_a_user_object_too() {
    let app = TestApp::open().await;
    let user = app.as_user("ann").get("/user").await.expect(200).json();
    assert_eq!(user["login"], "ann");
    assert_eq!(user["avatar_url"], "");
    assert!(user["id"].is_number());
    app.finish().await;
}

#[tokio::test]
async fn only_front_ends_of_ones_own_are_returned_to() {
    let github = GitHub::open();
    let more = json!({
        "frontend-host": "https://editor.example.org",
        "frontend-redirect": "/back.html",
        "allowed-hosts": ["localhost", "https://other.example.org"],
    });
    let app = open(&github, more).await;
    github.person(1, "ina");
    let default = "https://editor.example.org/back.html";
    for (name, value, target) in [
        ("referer", "http://localhost:8080/index.html?x#y", "http://localhost:8080/back.html"),
        ("origin", "http://localhost:9000", "http://localhost:9000/back.html"),
        ("origin", "https://other.example.org", "https://other.example.org/back.html"),
        ("referer", "https://other.example.org/a/b", "https://other.example.org/back.html"),
        ("referer", "https://editor.example.org/", default),
        ("origin", "null", default),
        ("origin", "https://evil.example", default),
        ("origin", "https://other.example.org.evil.example", default),
        ("origin", "https://localhost.evil.example", default),
        ("origin", "https://evil.example/localhost", default),
        ("origin", "http://localhost@evil.example", default),
        ("origin", "http://localhost:8080@evil.example", default),
        ("origin", "http://localhost:80/@evil.example", default),
        ("origin", "http://localhost\\.evil.example", default),
        ("origin", "javascript://localhost", default),
        ("origin", "//localhost", default),
        ("referer", "https://evil.example/?http://localhost/", default),
        ("referer", "http://localhost@evil.example/", default),
        ("referer", "http://other.example.org/", default),
        ("referer", "data:text/html,localhost", default),
        ("referer", "not a url", default),
    ] {
        let mut browser = Browser::new(&app);
        let page = browser.header(name, value);
        let answer = browser_of(&mut browser, page).await;
        let back = github.press(&answer, "authorize").await;
        let done = browser.come_back(&back).await.expect(302);
        assert_eq!(done.header("location"), target, "{name}: {value}");
        // The way back is not a place to say otherwise.
        let mut browser = Browser::new(&app);
        let back = github.press(&browser.leave().await, "authorize").await;
        let mut returning = browser.header(name, value);
        let done = returning.come_back(&format!("{back}&origin=https%3A%2F%2Fevil.example")).await.expect(302);
        assert_eq!(done.header("location"), target, "{name}: {value}, on the way back");
    }
    app.finish().await;
}

/// Leaves with the headers of another, keeping the cookies.
async fn browser_of(browser: &mut Browser, mut with_header: Browser) -> String {
    let page = with_header.leave().await;
    browser.cookies = with_header.cookies;
    page
}

#[tokio::test]
async fn a_front_end_that_is_not_allowed_any_more_is_not_returned_to() {
    let github = GitHub::open();
    let app = open(&github, json!({ "allowed-hosts": ["localhost"], "frontend-redirect": "/back.html" })).await;
    github.person(1, "ina");
    let mut browser = Browser::new(&app);
    let leaving = browser.header("origin", "http://localhost:8080");
    let page = browser_of(&mut browser, leaving).await;
    app.as_user("root").post("/config", json!({ "allowed-hosts": ["editor.example.org"] })).await.expect(200);
    let back = github.press(&page, "authorize").await;
    assert_eq!(browser.come_back(&back).await.expect(302).header("location"), "/back.html");
    app.finish().await;
}

#[tokio::test]
async fn a_second_try_is_for_the_same_as_the_first() {
    let github = GitHub::open();
    let mut settings = github.settings();
    json_patch::merge(&mut settings, &github.acme_settings());
    json_patch::merge(&mut settings, &json!({ "allowed-hosts": ["localhost"], "frontend-redirect": "/back.html" }));
    let app = open_as(settings).await;
    github.person(1, "ina");
    let mut leaving = Browser::new(&app).header("origin", "http://localhost:8080");
    let sent = leaving.get("/login?provider=acme").await.expect(302);
    let mut browser = Browser { cookies: leaving.cookies, ..Browser::new(&app) };
    let back = github.press(sent.header("location"), "cancel").await;
    let page = browser.come_back(&back).await.expect(401).text();
    let again = page.split("<a href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a link");
    let again = again.replace("&amp;", "&");
    assert!(again.starts_with(&format!("{}/acme/", github.url)), "{again}");
    let back = github.press(&again, "authorize").await;
    let done = browser.come_back(&back).await.expect(302);
    assert_eq!(done.header("location"), "http://localhost:8080/back.html");
    app.finish().await;
}

#[tokio::test]
async fn basic_credentials_are_the_dmp_tools_login() {
    let github = GitHub::open();
    let app = open(&github, json!({})).await;
    let mut script = Browser::script(&app).header("authorization", &basic("ann", PASSWORD));
    let pair: Value = script.get("/login").await.expect(200).json();
    assert!(pair["access_token"].is_string());
    let told = script.get("/login?code=x&state=y").await.expect(200).json();
    assert_eq!(told["username"], "ann", "credentials beat a code");
    let mut wrong = Browser::script(&app).header("authorization", &basic("ann", "wrong"));
    assert_eq!(wrong.get("/login").await.expect(401).json().get("authorizationUrl"), None);
    app.finish().await;
}

#[tokio::test]
async fn cors_goes_to_allowed_front_ends_on_every_answer() {
    let app = open_as(json!({ "allowed-hosts": ["localhost"] })).await;
    for (path, status) in [("/user", 401), ("/login", 401), ("/config", 401), ("/nothing", 404)] {
        let asked = Browser::script(&app).header("origin", "http://localhost:8080").get(path).await.expect(status);
        assert_eq!(asked.header("access-control-allow-origin"), "http://localhost:8080", "{path}");
        assert_eq!(asked.header("access-control-allow-credentials"), "true", "{path}");
        let vary = format!("{:?}", asked.headers.get_all("vary").iter().collect::<Vec<_>>());
        assert!(vary.to_ascii_lowercase().contains("origin"), "{path}: {vary}");
        let foreign = Browser::script(&app).header("origin", "https://evil.example").get(path).await.expect(status);
        assert_eq!(foreign.header("access-control-allow-credentials"), "", "{path}");
    }
    let mut page = Browser::script(&app).header("origin", "http://localhost:8080");
    let preflight = page.send("OPTIONS", "/user", raw("")).await.expect(200);
    assert!(preflight.text().is_empty());
    let allowed = preflight.header("access-control-allow-headers").to_ascii_lowercase();
    assert!(allowed.contains("authorization") && allowed.contains("content-type"), "{allowed}");
    app.finish().await;
}
