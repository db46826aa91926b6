//! Schemas (contracts/editor.md 1.11, 7).

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};
use workleaf::config::SchemaSource;

use super::{at, message, workspace};
use crate::support::local::Local;
use crate::support::{Client, TestApp};

const VNFD: &str =
    "---\n# a schema\n$schema: 'http://json-schema.org/draft-04/schema#'\ntype: object\nmarked: remote\n";

async fn open(sources: &[(&str, String)]) -> TestApp {
    let sources =
        sources.iter().map(|(name, url)| SchemaSource { name: (*name).to_owned(), url: url.clone() }).collect();
    TestApp::open_with(move |_, config| {
        config.outside.hosts = vec!["127.0.0.1".into()];
        config.outside.timeout = 2;
        config.schemas = sources;
    })
    .await
}

/// The schema once it is the remote one.
async fn remote(client: &Client, path: &str) -> Value {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = client.get(path).await;
        if answer.status == 200 && answer.json()["marked"] == "remote" {
            return answer.json();
        }
        assert!(Instant::now() < end, "never: {path} is the remote one");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn both_generations_are_built_in() {
    // Nobody answers there, and nobody has to.
    let nowhere = "http://192.0.2.1/".to_owned();
    let app = open(&[("CN-UPB", nowhere.clone()), ("SONATA NFV", nowhere.clone())]).await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let list = format!("{}/schema/", at(&ws));
    assert_eq!(
        ann.get(&list).await.expect(200).json(),
        json!([{ "name": "CN-UPB", "url": nowhere }, { "name": "SONATA NFV", "url": nowhere }])
    );
    ann.get(list.trim_end_matches('/')).await.expect(301);
    let mut seen = Vec::new();
    for index in [0, 1] {
        ann.put(&at(&ws), json!({ "schema_index": index })).await.expect(200);
        for (name, required) in [("vnf", "virtual_deployment_units"), ("ns", "descriptor_version")] {
            let schema = ann.get(&format!("{list}{name}")).await.expect(200).json();
            assert_eq!(schema["$schema"], "http://json-schema.org/draft-04/schema#");
            assert!(schema["required"].as_array().is_some_and(|keys| keys.contains(&json!(required))), "{schema}");
            assert!(schema["definitions"].is_object() && schema.get("$defs").is_none());
            assert!(!seen.contains(&schema), "{index} {name} is one of the others");
            seen.push(schema);
        }
    }
    let text = message(ann.get(&format!("{list}other")).await, 404);
    assert!(text.contains("vnf and ns"), "{text}");
    // The index in the file chooses what descriptors are held against, too.
    let file = fs::read_to_string(app.tree("ann/w").join("workspace.yml")).expect("workspace.yml");
    assert!(file.contains("schema_index: 1") && file.contains(&nowhere), "{file}");
    app.finish().await;
}

#[tokio::test]
async fn what_is_fetched_is_given_and_kept() {
    let asked = Arc::new(AtomicUsize::new(0));
    let server = Local::open(|_| {
        let asked = asked.clone();
        let vnfd = move || {
            asked.fetch_add(1, Ordering::SeqCst);
            async { VNFD }
        };
        Router::new().route("/good/function-descriptor/vnfd-schema.yml", get(vnfd))
    });
    let base = format!("http://127.0.0.1:{}", server.port);
    // Of the first only half is there, the second has nothing, the third is whole.
    let whole = tempfile::tempdir().expect("a folder");
    for file in ["function-descriptor/vnfd-schema.yml", "service-descriptor/nsd-schema.yml"] {
        let file = whole.path().join(file);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, VNFD).expect("written");
    }
    let sources = [
        ("half", format!("{base}/good/")),
        ("none", format!("{base}/none/")),
        ("whole", format!("file://{}/", whole.path().display())),
    ];
    let mut app = open(&sources).await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let schema = format!("{}/schema/", at(&ws));
    // The first one who asks does not wait.
    let first = ann.get(&format!("{schema}vnf")).await.expect(200).json();
    assert!(first["marked"] == "remote" || first["required"].is_array());
    assert_eq!(remote(&ann, &format!("{schema}vnf")).await["type"], "object");
    assert_ne!(ann.get(&format!("{schema}ns")).await.expect(200).json()["marked"], "remote");
    ann.put(&at(&ws), json!({ "schema_index": 1 })).await.expect(200);
    assert_ne!(ann.get(&format!("{schema}vnf")).await.expect(200).json()["marked"], "remote");
    // A third generation has no built-in form.
    ann.put(&at(&ws), json!({ "schema_index": 2 })).await.expect(200);
    for name in ["vnf", "ns"] {
        remote(&ann, &format!("{schema}{name}")).await;
    }
    ann.put(&at(&ws), json!({ "schema_index": 3 })).await.expect(400);
    let shown = ann.get(&at(&ws)).await.expect(200).json();
    assert_eq!(shown["schema_index"], 2);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "it was fetched more than once");
    // The next run has it without anybody to ask.
    drop(server);
    ann.put(&at(&ws), json!({ "schema_index": 0 })).await.expect(200);
    app.restart_after(|_| {}).await;
    let ann = app.as_user("ann");
    assert_eq!(ann.get(&format!("{schema}vnf")).await.expect(200).json()["marked"], "remote");
    app.finish().await;
}

#[tokio::test]
async fn what_is_no_schema_is_not_taken() {
    let texts = ["a: [", "[]", "{type: 7}", "{$ref: 'http://evil.example/x'}", "{properties: {a: {$ref: other.yml}}}"];
    for text in texts {
        let server = Local::open(|_| {
            let file = get(move || async move { text });
            Router::new()
                .route("/function-descriptor/vnfd-schema.yml", file)
                .route("/service-descriptor/nsd-schema.yml", get(|| async { (StatusCode::OK, VNFD) }))
        });
        let app = open(&[("one", format!("http://127.0.0.1:{}/", server.port))]).await;
        let ann = app.as_user("ann");
        let ws = workspace(&ann, "w").await;
        // The other file of that source is good, and proves that both were fetched or tried.
        remote(&ann, &format!("{}/schema/ns", at(&ws))).await;
        let schema = ann.get(&format!("{}/schema/vnf", at(&ws))).await.expect(200).json();
        assert!(schema["required"].is_array(), "{text}: {schema}");
        app.finish().await;
    }
}
