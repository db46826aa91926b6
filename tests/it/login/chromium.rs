//! The whole way in a real browser: a front end on one origin, the real binary on another, the
//! stand-in for GitHub on a third.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::{Value, json};

use crate::cli::process::{Place, Server};
use crate::support::chromium::{Chromium, Page};
use crate::support::github::{CLIENT_SECRET, GitHub};
use crate::support::local::Local;

/// The page of a front end that asks two things at once and uses the first address it is told, as
/// the editor's does.
const PAGE: &str = r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>front end</title>
<h1>Front end</h1><p id="who">nobody</p><button id="login" disabled>Log in</button>
<script>
const backend = new URLSearchParams(location.search).get("backend");
const who = document.getElementById("who"), login = document.getElementById("login");
async function ask(path, options) {
  const answer = await fetch(backend + path, { credentials: "include", ...options });
  return { status: answer.status, body: await answer.json() };
}
async function look() {
  const [first] = await Promise.all([ask("/user"), ask("/api/v1/session")]);
  if (first.status === 401) {
    login.onclick = () => window.open(first.body.authorizationUrl);
    login.disabled = false;
    who.textContent = first.body.message;
  } else {
    who.textContent = "You are " + first.body.login;
  }
}
window.addEventListener("message", (event) => { if (event.origin === location.origin) look(); });
look();
</script></html>"#;

/// Where the browser returns to: tells the page that opened it, and closes.
const RETURN: &str = r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>returning</title>
<script>window.opener.postMessage("done", location.origin); window.close();</script></html>"#;

/// What a site of somebody else's tries.
const EVIL: &str = r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>evil</title></html>"#;

fn front_end() -> Local {
    Local::open(|_| {
        Router::new()
            .route("/", get(async || Html(PAGE)))
            .route("/loginRedirect.html", get(async || Html(RETURN)))
            .route("/evil.html", get(async || Html(EVIL)))
    })
}

fn serve(place: &Place, settings: &Value) -> Server {
    place.write("config.yaml", serde_yaml::to_string(settings).expect("it can be written"));
    place.serve_with(&[], &[("WORKLEAF_LOG__FILTER", "debug")])
}

fn text(browser: &mut Chromium, page: &Page, selector: &str) -> String {
    let found = browser.eval(page, &format!("document.querySelector({}).innerText", json!(selector)));
    found.as_str().expect("a text").to_owned()
}

#[test]
fn a_person_logs_in_through_a_popup_and_the_page_goes_on() {
    let (github, front_end, place) = (GitHub::open(), front_end(), Place::new());
    github.person(7, "ina");
    let origin = format!("http://localhost:{}", front_end.port);
    let mut settings = github.settings();
    let more = json!({
        "allowed-hosts": ["localhost"],
        "frontend-host": origin,
        "frontend-redirect": "/loginRedirect.html",
    });
    json_patch::merge(&mut settings, &more);
    let server = serve(&place, &settings);
    let port = server.address.rsplit_once(':').expect("a port").1;
    let backend = format!("http://localhost:{port}");
    github.set_callback(&format!("{backend}/login"));

    let mut browser = Chromium::open();
    let page = browser.page(&format!("{origin}/?backend={backend}"));
    browser.wait(&page, "document.getElementById('login')?.disabled === false");
    assert_eq!(text(&mut browser, &page, "#who"), "Please log in");
    // First they do not agree.
    browser.eval(&page, "login.click()");
    let popup = browser.opened_by(&page);
    browser.wait(&popup, "document.title === 'Authorize workleaf'");
    browser.eval(&popup, "document.querySelector('button[value=cancel]').click()");
    browser.wait(&popup, "document.title === 'workleaf'");
    let refused = text(&mut browser, &popup, "body");
    assert!(refused.contains("github refused the login: The user has denied"), "{refused}");
    // From there they try again.
    browser.eval(&popup, "document.querySelector('a').click()");
    browser.wait(&popup, "document.title === 'Authorize workleaf'");
    browser.eval(&popup, "document.querySelector('button[value=authorize]').click()");
    browser.wait(&page, "document.getElementById('who').textContent === 'You are ina'");
    browser.closed(&popup);

    // The page's scripts see neither cookie, and may write.
    assert_eq!(browser.eval(&page, "document.cookie"), "");
    let made = browser.eval(
        &page,
        "ask('/api/v1/workspaces', { method: 'POST', headers: { 'content-type': 'application/json' }, \
         body: JSON.stringify({ name: 'lab' }) })",
    );
    assert_eq!(made["status"], 201, "{made}");

    // Another site is sent no cookie, may read nothing and write nothing.
    let evil = browser.page(&format!("http://127.0.0.1:{}/evil.html", front_end.port));
    browser.wait(&evil, "document.title === 'evil'");
    for path in ["/user", "/api/v1/workspaces", "/login"] {
        let read =
            format!("fetch('{backend}{path}', {{ credentials: 'include' }}).then((a) => a.status, () => 'kept away')");
        assert_eq!(browser.eval(&evil, &read), "kept away", "{path}");
    }
    let post = format!(
        "fetch('{backend}/api/v1/workspaces', {{ method: 'POST', mode: 'no-cors', credentials: 'include', \
         body: JSON.stringify({{ name: 'stolen' }}) }}).then((a) => a.type)"
    );
    assert_eq!(browser.eval(&evil, &post), "opaque");
    let listed = browser.eval(&page, "ask('/api/v1/workspaces')");
    assert!(listed.to_string().contains("ina/lab") && !listed.to_string().contains("stolen"), "{listed}");

    // Logged out, the page is where it began.
    assert_eq!(browser.eval(&page, "ask('/logout')")["body"], "logged out");
    assert_eq!(browser.eval(&page, "ask('/user')")["status"], 401);
    let log = server.logged();
    assert!(log.contains("http.path=/login"), "{log}");
    for secret in github.tokens().iter().map(String::as_str).chain([CLIENT_SECRET, "code=", "state="]) {
        assert!(!log.contains(secret), "the log tells {secret}: {log}");
    }
    server.stop();
}

#[test]
fn without_a_client_id_the_popup_says_what_to_configure() {
    let (front_end, place) = (front_end(), Place::new());
    let server = serve(&place, &json!({ "allowed-hosts": ["localhost"] }));
    let backend = format!("http://localhost:{}", server.address.rsplit_once(':').expect("a port").1);
    let mut browser = Chromium::open();
    let page = browser.page(&format!("http://localhost:{}/?backend={backend}", front_end.port));
    browser.wait(&page, "document.getElementById('login')?.disabled === false");
    browser.eval(&page, "login.click()");
    let popup = browser.opened_by(&page);
    browser.wait(&popup, "document.title === 'workleaf'");
    let told = text(&mut browser, &popup, "body");
    assert!(told.contains("authentication.ClientID"), "{told}");
    server.stop();
}
