//! Whatever goes wrong is said in one form. That every answer has a request id and that none tells
//! of the server's insides, the client of these tests sees to.

use serde_json::json;

use super::samples::{SERVICES, lab, service};
use crate::support::{TestApp, raw, typed, yaml};

#[tokio::test]
async fn unknown_addresses_and_methods() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    insta::assert_snapshot!(app.anonymous().get("/api/v1/nothing").await.shown(), @r#"
    404
    vary: accept-encoding
    {
      "message": "there is nothing at GET /api/v1/nothing: see /openapi.json for what is here",
      "error": "not found",
      "status_code": 404,
      "payload": {}
    }
    "#);
    insta::assert_snapshot!(ann.send("DELETE", "/api/v1/services", raw("")).await.shown(), @r#"
    405
    allow: GET,HEAD,POST
    vary: accept-encoding
    {
      "message": "this address does not take that method: see the Allow header",
      "error": "method not allowed",
      "status_code": 405,
      "payload": {}
    }
    "#);
    for path in [
        "/x",
        "/api",
        "/api/v2/services",
        "/api/v1/services/",
        "/api/v1/services/1/",
        "/api/v1/services/1/2/3",
        "/api/v1//services",
        "/%ff",
        "/api/v1/workspaces/ann",
        "/.git/config",
        "/index.html",
    ] {
        assert_eq!(ann.get(path).await.status, 404, "{path}");
    }
    for (method, path) in [
        ("POST", "/api/v1"),
        ("PUT", "/api/v1/kinds"),
        ("TRACE", "/api/v1/services"),
        ("CONNECT", "/api/v1/services"),
        ("BREW", "/api/v1/services"),
        ("POST", "/"),
        ("PATCH", "/openapi.json"),
    ] {
        let answer = ann.send(method, path, raw("")).await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert!(answer.header("allow").contains("GET"), "{method} {path}: {:?}", answer.headers);
    }
    app.finish().await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let app = lab().await;
    let ann = app.as_user("ann");
    insta::assert_snapshot!(ann.post(SERVICES, typed("application/json", "{\"name\": \n  x}")).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "the body is not JSON: expected a JSON value here, line 2, column 3",
      "status_code": 400,
      "payload": {
        "line": 2,
        "column": 3
      }
    }
    "#);
    insta::assert_snapshot!(ann.post(SERVICES, typed("text/html", "<p>")).await.shown(), @r#"
    415
    vary: accept-encoding
    {
      "message": "\"text/html\" is not a content type that this address takes",
      "status_code": 415,
      "payload": {
        "valid_types": [
          "application/json",
          "application/yaml"
        ]
      }
    }
    "#);
    insta::assert_snapshot!(ann.post(SERVICES, yaml(*b"name: \xff\xfe\n")).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "the document cannot be read: the byte 0xff is not UTF-8: save the file as UTF-8, line 1, column 7",
      "status_code": 400,
      "payload": {
        "line": 1,
        "column": 7
      }
    }
    "#);
    let head = app.head("ann/lab");
    for body in [
        &b""[..],
        b"{",
        b"{\"a\":1,}",
        b"nul",
        b"\xff",
        b"{\"a\": \"\xff\"}",
        b"{} {}",
        b"'x'",
        b"{\"a\":1,\"a\":2}",
        b"\"\\ud800\"",
    ] {
        for (method, path) in
            [("POST", SERVICES), ("POST", "/api/v1/workspaces"), ("POST", "/api/v1/workspaces/ann/lab/commits")]
        {
            let answer = ann.send(method, path, typed("application/json", body)).await;
            assert_eq!(answer.status, 400, "{method} {path} {:?}: {}", String::from_utf8_lossy(body), answer.text());
        }
    }
    for media in
        ["text/plain", "multipart/form-data", "application/xml", "application/json-patch+json", "x", "image/png"]
    {
        assert_eq!(ann.post(SERVICES, typed(media, "{}")).await.status, 415, "{media}");
    }
    ann.post(SERVICES, service("s")).await.expect(201);
    for media in ["application/yaml", "text/plain", "application/xml"] {
        assert_eq!(ann.at("*").patch("/api/v1/services/s", typed(media, "{}")).await.status, 415, "{media}");
    }
    // Names of types are case-insensitive and may have parameters; several for YAML are about.
    for (media, name) in [("Application/JSON; charset=utf-8", "a"), ("application/json;x=y", "b")] {
        ann.post(SERVICES, typed(media, service(name).to_string())).await.expect(201);
    }
    for (media, name) in [("text/yaml", "c"), ("application/x-yaml", "d"), ("text/x-yaml; charset=utf-8", "e")] {
        let text = format!("name: {name}\nvendor: v\nversion: '1'\ndescriptor_version: '1'\n");
        ann.post(SERVICES, typed(media, text)).await.expect(201);
    }
    assert_ne!(app.head("ann/lab"), head);
    app.finish().await;
}

#[tokio::test]
async fn bodies_that_are_too_large() {
    let app = TestApp::open_with(|_, config| {
        config.limits.body = 1_000;
        config.limits.changes = 3;
    })
    .await;
    app.workspace("ann/lab").await;
    let ann = app.as_user("ann");
    let file = "/api/v1/workspaces/ann/lab/files/a.txt";
    ann.put(file, raw("x".repeat(1_000))).await.expect(201);
    insta::assert_snapshot!(ann.at("*").put(file, raw("x".repeat(1_001))).await.shown(), @r#"
    413
    vary: accept-encoding
    {
      "message": "the body is larger than 1000 bytes",
      "status_code": 413,
      "payload": {}
    }
    "#);
    let mut large = service("s");
    large["description"] = json!("x".repeat(1_000));
    ann.post(SERVICES, large).await.expect(413);
    let change = json!({ "op": "delete", "path": "a.txt", "etag": "*" });
    let changes = json!({ "changes": vec![change; 4] });
    insta::assert_snapshot!(ann.post("/api/v1/workspaces/ann/lab/commits", changes).await.shown(), @r#"
    413
    vary: accept-encoding
    {
      "message": "a commit takes at most 3 changes",
      "status_code": 413,
      "payload": {}
    }
    "#);
    app.finish().await;
}

#[tokio::test]
async fn request_ids_differ() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let (one, two) = (ann.get("/api/v1").await, ann.get("/api/v1").await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
    app.finish().await;
}
