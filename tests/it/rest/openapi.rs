//! The OpenAPI document and the server's own pages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::own_kind::with_gadgets;
use crate::support::{TestApp, raw};

/// Every operation: path, method, object.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let each = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .expect("a path item")
            .iter()
            .map(|(method, operation)| (path.clone(), method.clone(), operation.clone()))
    });
    each.collect()
}

/// Calls `each` with every object below, and where it is.
fn walk(value: &Value, place: &str, each: &mut dyn FnMut(&str, &serde_json::Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            each(place, members);
            for (key, member) in members {
                walk(member, &format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), each);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| walk(item, &format!("{place}/{at}"), each))
        }
        _ => {}
    }
}

/// What OpenAPI 3.1 asks of a document.
fn check(document: &Value) {
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")));
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    walk(document, "", &mut |place, members| {
        if let Some(Value::String(reference)) = members.get("$ref") {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{place}: {reference} leads elsewhere"));
            assert!(document.pointer(pointer).is_some(), "{place}: {reference} leads nowhere");
        }
    });
    let mut ids = BTreeSet::new();
    let mut templates = BTreeSet::new();
    for path in document["paths"].as_object().expect("paths").keys() {
        assert!(path.starts_with('/'), "{path}");
        // Paths that differ in the names of their parameters only are the same.
        let plain: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
        assert!(templates.insert(plain.join("/")), "{path}");
    }
    for (path, method, operation) in operations(document) {
        let shown = format!("{method} {path}");
        assert!(["get", "put", "post", "delete", "patch"].contains(&&*method), "{shown}");
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{shown}: no operationId"));
        assert!(ids.insert(id.to_owned()), "{shown}: {id} is there twice");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{shown}: no summary");
        assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{shown}: no tag");
        let mut declared = BTreeSet::new();
        for parameter in operation["parameters"].as_array().unwrap_or(&Vec::new()) {
            let (name, place) =
                (parameter["name"].as_str().expect("a name"), parameter["in"].as_str().expect("a place"));
            assert!(declared.insert((place.to_owned(), name.to_owned())), "{shown}: {name} is there twice");
            assert!(["path", "query", "header"].contains(&place), "{shown}: {name} in {place}");
            assert!(
                parameter["schema"].is_object() && parameter["description"].is_string() | (place == "path"),
                "{shown}: {name}"
            );
            assert!(place != "path" || parameter["required"] == true, "{shown}: {name}");
        }
        let in_path: BTreeSet<String> =
            path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}')).map(str::to_owned).collect();
        let of_path: BTreeSet<String> =
            declared.iter().filter(|(place, _)| place == "path").map(|(_, name)| name.clone()).collect();
        assert_eq!(in_path, of_path, "{shown}");
        let responses = operation["responses"].as_object().unwrap_or_else(|| panic!("{shown}: no responses"));
        assert!(responses.keys().any(|status| status.starts_with(['2', '3'])), "{shown}: no success");
        for (status, response) in responses {
            assert!(status.len() == 3 && status.parse::<u16>().is_ok(), "{shown}: {status}");
            assert!(response["description"].is_string() || response["$ref"].is_string(), "{shown}: {status}");
        }
        if let Some(body) = operation.get("requestBody") {
            assert!(!body["content"].as_object().expect("content").is_empty(), "{shown}");
        }
        if operation["responses"].get("412").is_some() && matches!(&*method, "put" | "patch" | "delete") {
            assert!(declared.iter().any(|(_, name)| name.eq_ignore_ascii_case("if-match")), "{shown}: no If-Match");
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        jsonschema::meta::validate(&without_references(schema)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// The schema on its own: what it refers to is checked by itself.
fn without_references(schema: &Value) -> Value {
    match schema {
        Value::Object(members) if members.contains_key("$ref") => Value::Bool(true),
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.clone(), without_references(member)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(without_references).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn the_document_is_valid_and_describes_what_is_served() {
    let app = with_gadgets().await;
    let nobody = app.anonymous();
    let document = nobody.get("/openapi.json").await.expect(200);
    assert_eq!(nobody.get("/swagger.json").await.expect(200).text(), document.text());
    // As `workleaf openapi` prints it.
    assert_eq!(document.json(), workleaf::server::document(&app.app().engine.kinds()));
    let document = document.json();
    check(&document);
    // Every operation is there: it answers, and not as an address or a method that is not.
    let client = app.as_user("ann");
    for (path, method, operation) in operations(&document) {
        let address: Vec<String> = path
            .split('/')
            .map(|segment| match segment {
                "{file}" => "index.css".into(),
                "{owner}" => "ann".into(),
                "{name}" => "lab".into(),
                _ if segment.starts_with('{') => "no-such-thing".into(),
                _ => segment.to_owned(),
            })
            .collect();
        let (address, method) = (address.join("/"), method.to_uppercase());
        if method == "DELETE" && path.ends_with("{name}") {
            continue;
        }
        let answer = client.send(&method, &address, raw("")).await;
        assert_ne!(answer.status, 405, "{method} {address}");
        assert!(answer.status != 404 || answer.json().get("error").is_none(), "{method} {address}");
        // Its answers are those it promises; a method's own errors apart, all have the common ones.
        let promised = operation["responses"].as_object().expect("responses");
        assert!(
            promised.contains_key(&answer.status.to_string()),
            "{method} {address}: {} {}",
            answer.status,
            answer.text()
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn every_route_of_the_issue_is_in_it() {
    let app = TestApp::open().await;
    let document = app.anonymous().get("/openapi.json").await.expect(200).json();
    let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, method, _) in operations(&document) {
        methods.entry(path).or_default().insert(method);
    }
    let has = |path: &str, wanted: &[&str]| {
        let found = methods.get(path).unwrap_or_else(|| panic!("{path} is missing"));
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), wanted, "{path}");
    };
    has("/", &["get"]);
    has("/api/v1", &["get"]);
    has("/api/v1/kinds", &["get"]);
    has("/api/v1/kinds/{kind}", &["get"]);
    has("/api/v1/workspaces", &["get", "post"]);
    has("/api/v1/workspaces/{owner}/{name}", &["delete", "get", "patch"]);
    has("/api/v1/workspaces/{owner}/{name}/commits", &["post"]);
    has("/api/v1/workspaces/{owner}/{name}/files/", &["get"]);
    has("/api/v1/workspaces/{owner}/{name}/files/{path}", &["delete", "get", "put"]);
    for plural in ["projects", "services", "functions", "componenttypes", "components", "products", "dmps", "madmps"] {
        has(&format!("/api/v1/{plural}"), &["get", "post"]);
        has(&format!("/api/v1/{plural}/{{id}}"), &["delete", "get", "patch", "put"]);
        for rest in ["move", "restore"] {
            has(&format!("/api/v1/{plural}/{{id}}/{rest}"), &["post"]);
        }
        for rest in ["history", "diff", "referrers"] {
            has(&format!("/api/v1/{plural}/{{id}}/{rest}"), &["get"]);
        }
    }
    for path in ["/openapi.json", "/swagger.json", "/health/live", "/health/ready", "/metrics"] {
        has(path, &["get"]);
    }
    app.finish().await;
}

#[tokio::test]
async fn the_page_at_the_root_works_offline() {
    let app = TestApp::open().await;
    let nobody = app.anonymous();
    let page = nobody.get("/").await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
    let text = page.text();
    let mut assets = 0;
    for part in text.split(['"', '\'']).filter(|part| part.starts_with('/') || part.contains("//")) {
        assert!(!part.contains("//"), "{part} is of another server");
        let asset = nobody.get(part).await;
        assert_eq!(asset.status, 200, "{part}");
        assert!(!asset.body.is_empty());
        assets += 1;
    }
    assert!(assets >= 3, "a style, a script and the document: {text}");
    for path in ["/swaggerui/../Cargo.toml", "/swaggerui/nothing.js", "/swaggerui/%2e%2e/x", "/swaggerui/"] {
        nobody.get(path).await.expect(404);
    }
    app.finish().await;
}

#[tokio::test]
async fn health_and_metrics() {
    let app = TestApp::open().await;
    let nobody = app.anonymous();
    assert_eq!(nobody.get("/health/live").await.expect(200).text(), r#"{"status":"live"}"#);
    assert_eq!(nobody.get("/health/ready").await.expect(200).text(), r#"{"status":"ready"}"#);
    nobody.get("/api/v1/nothing").await.expect(404);
    let metrics = nobody.get("/metrics").await.expect(200);
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = metrics.text();
    for line in ["# TYPE http_requests_total counter", "# TYPE http_request_duration_seconds histogram"] {
        assert!(text.contains(line), "{line} is missing: {text}");
    }
    // Addresses that clients make up are no labels: they would fill the memory.
    assert!(!text.contains("/api/v1/nothing"), "{text}");
    app.finish().await;
}

#[tokio::test]
async fn answers_are_compressed_when_asked_for() {
    let app = TestApp::open().await;
    for (encoding, given) in [("gzip", "gzip"), ("br", "br"), ("identity", "")] {
        let answer = app.anonymous().header("accept-encoding", encoding).get("/openapi.json").await.expect(200);
        assert_eq!(answer.header("content-encoding"), given);
    }
    let plain = app.anonymous().get("/openapi.json").await.expect(200).body.len();
    let small = app.anonymous().header("accept-encoding", "gzip").get("/openapi.json").await.expect(200).body.len();
    assert!(small * 4 < plain, "{small} of {plain}");
    app.finish().await;
}
