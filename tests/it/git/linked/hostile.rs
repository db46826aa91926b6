//! What must not come in, and where nothing goes.

use serde_json::json;

use super::Shared;
use crate::support::raw;

#[tokio::test(flavor = "multi_thread")]
async fn only_allowed_addresses_are_called() {
    let shared = Shared::open().await;
    let remote = format!("{}/remote", shared.project);
    for (url, said) in [
        ("ext::sh -c id", "no URL"),
        ("-uexample", "no URL"),
        ("--upload-pack=id", "no URL"),
        ("ssh://git@example.org/x", "not allowed"),
        ("git://example.org/x", "not allowed"),
        ("file:///etc", "not allowed"),
        ("https://example.org/x", "not allowed"),
        ("http://token@127.0.0.1/x", "user name"),
        ("http://10.0.0.1/x", "private"),
        ("http://169.254.169.254/latest", "private"),
        ("http://[::1]/x", "private"),
        ("http://127.0.0.1/x?y=z", "no ?"),
        ("http://127.0.0.1/x\ny", "no URL"),
    ] {
        let refused = shared.ann.put(&remote, json!({ "url": url })).await.expect(400);
        assert!(refused.text().contains(said), "{url}: {}", refused.text());
        // Nor where it stands in the document.
        shared.ann.put(&remote, json!({ "url": null })).await.expect(200);
        let now = shared.ann.get(&shared.project).await.expect(200);
        let patch = crate::support::typed("application/merge-patch+json", json!({ "repo_url": url }).to_string());
        shared.ann.at(now.header("etag")).patch(&shared.project, patch).await.expect(200);
        shared.post("pull", json!({})).await.expect(400);
        let warned = shared.status().await;
        assert!(
            warned["status"].as_str().unwrap().starts_with("warning: the repository was not asked"),
            "{url}: {warned}"
        );
    }
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pushes_may_not_bring_is_not_pulled() {
    let shared = Shared::published().await;
    let state = || (shared.place.app.head("ann/lab"), shared.refs());
    let before = state();
    let hand = shared.hand("h");
    let start = hand.git(&["rev-parse", "HEAD"]);
    let blob = hand.git(&["rev-parse", "HEAD:notes.txt"]);
    for (name, entry, said) in [
        ("a link", format!("120000,{blob},link"), "symbolic link"),
        ("a submodule", format!("160000,{start},sub"), "submodule"),
        ("twins", format!("100644,{blob},NOTES.txt"), "differ only in case"),
        ("a device's name", format!("100644,{blob},con"), "con"),
    ] {
        hand.git(&["reset", "-q", "--hard", &start]);
        hand.git(&["update-index", "--add", "--cacheinfo", &entry]);
        hand.git(&["commit", "-q", "-m", name]);
        hand.git(&["push", "-q", "-f", "origin", "HEAD:master"]);
        let refused = shared.post("pull", json!({})).await.expect(409);
        assert!(refused.text().contains(said), "{name}: {}", refused.text());
        assert_eq!(state(), before, "{name}");
    }
    // And what is too large, for a file and for all.
    hand.git(&["reset", "-q", "--hard", &start]);
    hand.write("large.txt", &"x".repeat(11 << 20));
    hand.git(&["add", "-A"]);
    hand.git(&["commit", "-q", "-m", "large"]);
    hand.git(&["push", "-q", "-f", "origin", "HEAD:master"]);
    let refused = shared.post("pull", json!({})).await.expect(409);
    assert!(refused.text().contains("too large"), "{}", refused.text());
    assert_eq!(state(), before);
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_larger_than_may_be_fetched_is_cut_off() {
    let shared = Shared::published_with(|config| config.git.push_limit = 100 << 10).await;
    let before = (shared.place.app.head("ann/lab"), shared.refs());
    let hand = shared.hand("h");
    let mut seed = 1u64;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{seed:x}\n")
    });
    hand.write("noise.txt", &noise.take(40_000).collect::<String>());
    hand.push("Noise");
    let refused = shared.post("pull", json!({})).await.expect(413);
    assert!(refused.text().contains("larger than may be fetched"), "{}", refused.text());
    assert_eq!((shared.place.app.head("ann/lab"), shared.refs()), before);
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_documents_come_in_as_by_a_push() {
    let shared = Shared::published().await;
    let hand = shared.hand("h");
    hand.write("sources/nsd/broken.yml", "vendor: org.example\nname: [no text]\n");
    hand.push("Broken");
    // A workspace may ask for more.
    shared.ann.patch("/api/v1/workspaces/ann/lab", json!({ "push": "strict" })).await.expect(200);
    let before = shared.place.app.head("ann/lab");
    let refused = shared.post("pull", json!({})).await.expect(409);
    assert!(refused.text().contains("projects/web/sources/nsd/broken.yml:"), "{}", refused.text());
    assert_eq!(shared.place.app.head("ann/lab"), before);
    shared.ann.patch("/api/v1/workspaces/ann/lab", json!({ "push": "free" })).await.expect(200);
    let pulled = shared.pull().await;
    let violations = pulled["violations"].as_array().unwrap();
    assert!(violations[0].as_str().unwrap().starts_with("projects/web/sources/nsd/broken.yml:"), "{pulled}");
    shared.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_write_changes_nothing() {
    let shared = Shared::published().await;
    let before = (shared.place.app.head("ann/lab"), shared.refs());
    let bob = shared.place.app.as_user("bob");
    let remote = format!("{}/remote", shared.project);
    bob.get(&remote).await.expect(404);
    shared.ann.put("/api/v1/workspaces/ann/lab/members/bob", json!({ "role": "reader" })).await.expect(200);
    bob.get(&remote).await.expect(200);
    bob.get(&format!("{remote}/diff")).await.expect(200);
    bob.get(&format!("{remote}?refresh=true")).await.expect(403);
    bob.put(&remote, json!({ "url": shared.url() })).await.expect(403);
    bob.delete(&remote).await.expect(403);
    for action in ["pull", "push"] {
        bob.post(&format!("{remote}/{action}"), raw("")).await.expect(403);
    }
    bob.post(&format!("{remote}/commit"), json!({ "message": "x" })).await.expect(403);
    assert_eq!((shared.place.app.head("ann/lab"), shared.refs()), before);
    shared.finish().await;
}
