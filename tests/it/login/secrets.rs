//! GitHub's tokens and the client's secret are nowhere to be read.

use std::path::Path;

use serde_json::json;
use workleaf::auth::Keys;

use super::{Browser, OWN, open};
use crate::support::github::{CLIENT_SECRET, GitHub};

/// Which of the files below a folder hold one of the texts.
fn holders(folder: &Path, texts: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(holders(&path, texts));
        } else if path.is_file() {
            let bytes = std::fs::read(&path).expect("the file can be read");
            let holds = |text: &String| memchr::memmem::find(&bytes, text.as_bytes()).is_some();
            found.extend(texts.iter().filter(|text| holds(text)).map(|text| format!("{text} in {}", path.display())));
        }
    }
    found
}

#[tokio::test]
async fn a_providers_token_is_kept_sealed_and_shown_to_nobody() {
    let github = GitHub::open();
    let mut app = open(&github, json!({})).await;
    github.person(7, "ina");
    let mut browser = Browser::new(&app);
    for _ in 0..2 {
        browser.log_in(&github).await.expect(302);
    }
    for path in ["/user", "/api/v1/session", "/api/v1/tokens", "/api/v1/workspaces", "/login"] {
        browser.get(path).await;
    }
    browser.header("origin", OWN).send("POST", "/api/v1/workspaces", json!({ "name": "lab" })).await.expect(201);
    browser
        .header("origin", OWN)
        .send("PUT", "/api/v1/workspaces/ina/lab/files/a.txt", crate::support::raw("x"))
        .await
        .expect(201);
    let root = app.as_user("root");
    let mut told = browser.seen.lock().unwrap().clone();
    // What GET /config answers with, which may name folders of the server.
    told += &app.app().live.get().masked().to_string();
    for path in ["/api/v1/audit?limit=1000", "/api/v1/users", "/metrics", "/openapi.json"] {
        told += &root.get(path).await.expect(200).text();
    }
    let mut secrets = github.tokens();
    assert_eq!(secrets.len(), 2);
    assert!(secrets[0].starts_with("gho_") && secrets[0].len() > 30);
    secrets.push(CLIENT_SECRET.to_owned());
    for secret in &secrets {
        assert!(!told.contains(secret.as_str()), "{secret} was told");
    }
    // Cookies are no secret to whoever reads the disk: what is kept of them must not log in.
    secrets.push(browser.session().unwrap().to_owned());
    assert_eq!(holders(app.data(), &secrets), Vec::<String>::new(), "while it runs, the write-ahead log too");

    // The newest one is there all the same, under the key that only this server has.
    let identity = app.app().state.account_of_identity("github", "7").await.unwrap().expect("ina");
    let identity = app.app().state.identities(identity.id).await.unwrap().remove(0);
    let keys = Keys::open(&app.data().join(".state/secret"), "").unwrap();
    let opened = keys.unseal(&identity.token, "github").expect("it opens");
    assert!(github.tokens().contains(&opened));
    assert_eq!(keys.unseal(&identity.token, "acme"), None, "and for nobody else");
    app.stop().await;
    assert_eq!(holders(app.data(), &secrets), Vec::<String>::new(), "and when it has stopped");
    app.restart().await;
    app.finish().await;
}
