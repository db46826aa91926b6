//! The credential is seen by nobody but the server that it is for.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Shared;
use crate::cli::process::wait_until;
use crate::support::github::{GitHub, Mood};
use crate::support::tls::Tls;

/// Every file below a folder that holds one of the texts.
fn holding(folder: &Path, texts: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for item in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = item.path();
            if path.is_dir() {
                waiting.push(path);
            } else if let Ok(bytes) = std::fs::read(&path)
                && texts.iter().any(|text| bytes.windows(text.len()).any(|window| window == *text))
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// Command lines of all processes that name a text.
fn commands(text: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("processes are listed").flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).filter(|line| line.contains(text)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_leaves_no_trace() {
    let shared = Shared::published().await;
    let encoded = STANDARD.encode(format!("x-access-token:{}", shared.token));
    let asked = shared.github.authorizations();
    assert!(asked.iter().any(|(_, header)| *header == format!("Basic {encoded}")), "{asked:?}");
    let texts = [shared.token.as_bytes(), encoded.as_bytes()];
    assert_eq!(holding(shared.place.app.data(), &texts), Vec::<String>::new());

    // While git runs, and it ends with the request that it runs for.
    shared.github.set_mood("/ann-gh/web/info/refs", Mood::Slow);
    let (ann, address) = (shared.ann.clone(), format!("{}/remote?refresh=true", shared.project));
    let asking = tokio::spawn(async move { ann.get(&address).await });
    let url = shared.url();
    wait_until(|| commands(&url).iter().any(|line| line.contains("remote-http")), "git asks");
    let lines = commands(&url);
    assert!(!lines.iter().any(|line| line.contains(&shared.token) || line.contains(&encoded)), "{lines:?}");
    assert_eq!(holding(shared.place.app.data(), &texts), Vec::<String>::new());
    asking.abort();
    wait_until(|| commands(&url).is_empty(), "git is ended");
    shared.github.clear_moods();

    // What GitHub answers with is told, the token is not.
    shared.github.set_mood("/ann-gh/web/info/refs", Mood::Broken);
    let pull = format!("{}/remote/pull", shared.project);
    let refused = shared.ann.tolerant().post(&pull, json!({})).await.expect(502);
    assert!(!refused.text().contains(&shared.token) && !refused.text().contains(&encoded));
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn https_needs_a_certificate_that_is_believed() {
    let mut fronts = Vec::new();
    for is_believed in [true, false] {
        let front = &mut fronts;
        let shared = Shared::open_behind(|github, config| {
            let port = github.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
            let tls = Tls::before(port);
            config.authentication.authorize_url = format!("https://localhost:{}/login/oauth/authorize", tls.port);
            config.outside.git_schemes = vec!["https".to_owned()];
            config.outside.hosts = vec!["localhost".to_owned()];
            config.outside.ca_file = is_believed.then(|| tls.certificate());
            front.push(tls);
        })
        .await;
        let url = format!("https://localhost:{}/ann-gh/web", fronts.last().expect("one").port);
        shared.ann.put(&format!("{}/remote", shared.project), json!({ "url": url })).await.expect(200);
        shared.commit("First").await;
        let push = format!("{}/remote/push", shared.project);
        let pushed = shared.ann.tolerant().post(&push, json!({})).await;
        if is_believed {
            pushed.expect(200);
            assert_eq!(super::subjects(&shared.bare), ["First"]);
            assert_eq!(shared.pull().await["text"], "Already up to date.");
        } else {
            assert!(pushed.expect(502).text().contains("certificate"));
            assert!(shared.github.authorizations().is_empty());
        }
        shared.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_goes_to_no_other_server() {
    let shared = Shared::open().await;
    let other = GitHub::open();
    other.person(8, "eve");
    other.repository(8, "web", false);
    shared
        .ann
        .put(&format!("{}/remote", shared.project), json!({ "url": format!("{}/eve/web", other.url) }))
        .await
        .expect(200);
    shared.status().await;
    shared.commit("First").await;
    let push = format!("{}/remote/push", shared.project);
    shared.ann.tolerant().post(&push, json!({})).await.expect(502);
    let asked = other.authorizations();
    assert!(!asked.is_empty() && asked.iter().all(|(_, header)| header.is_empty()), "{asked:?}");
    // Nor where it sends somebody.
    shared.link().await;
    shared.github.set_mood("/ann-gh/web/info/refs", Mood::Away(format!("{}/eve/web.git/info/refs", other.url)));
    let before = other.authorizations().len();
    shared.ann.tolerant().post(&push, json!({})).await.expect(502);
    assert_eq!(other.authorizations().len(), before);
    shared.finish().await;
}
