//! Who is asking, and from which page.

use crate::support::{PASSWORD, TestApp, basic, raw};

#[tokio::test]
async fn credentials_are_checked() {
    let app = TestApp::open().await;
    let nobody = app.anonymous();
    insta::assert_snapshot!(nobody.get("/api/v1/services").await.shown(), @r#"
    401
    vary: accept-encoding
    {
      "message": "log in first: send your account's name and password as Basic credentials",
      "status_code": 401,
      "payload": {}
    }
    "#);
    insta::assert_snapshot!(nobody.header("authorization", &basic("ann", "wrong")).get("/api/v1/services").await.shown(), @r#"
    401
    vary: accept-encoding
    {
      "message": "unknown account, wrong password or unknown token",
      "status_code": 401,
      "payload": {}
    }
    "#);
    let unknown = nobody.header("authorization", &basic("zoe", "wrong")).get("/api/v1/services").await;
    assert_eq!(
        unknown.text(),
        nobody.header("authorization", &basic("ann", "other")).get("/api/v1/services").await.text()
    );
    insta::assert_snapshot!(nobody.header("authorization", "Bearer x").get("/api/v1/services").await.shown(), @r#"
    401
    vary: accept-encoding
    {
      "message": "the credentials are not readable: send Basic and base64 of name:password, or Bearer and a token",
      "status_code": 401,
      "payload": {}
    }
    "#);
    for header in ["Basic", "Basic !!!", "Basic YW5u", "basic", "x y z", ""] {
        assert_eq!(nobody.header("authorization", header).get("/api/v1/services").await.status, 401, "{header}");
    }
    // Wrong credentials are refused where none would do as well.
    nobody.get("/api/v1/workspaces/ann/none").await.expect(401);
    // Names ignore case; passwords do not.
    nobody.header("authorization", &basic("ANN", PASSWORD)).get("/api/v1/services").await.expect(200);
    let shouted = basic("ann", &PASSWORD.to_uppercase());
    nobody.header("authorization", &shouted).get("/api/v1/services").await.expect(401);
    app.finish().await;
}

#[tokio::test]
async fn guessing_is_slowed_down_but_not_for_who_knows() {
    let app = TestApp::open().await;
    let nobody = app.anonymous();
    app.as_user("ann").get("/api/v1/services").await.expect(200);
    let mut last = nobody.get("/api/v1").await;
    for at in 0..8 {
        last = nobody.header("authorization", &basic("ann", &format!("guess {at}"))).get("/api/v1/services").await;
    }
    assert_eq!(last.status, 429);
    assert!(last.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1));
    app.as_user("ann").get("/api/v1/services").await.expect(200);
    app.as_user("bob").get("/api/v1/services").await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn no_login_is_asked_for_by_the_browser_itself() {
    let app = TestApp::open().await;
    for path in ["/api/v1/services", "/api/v1/workspaces", "/api/v1/services/1", "/api/v1/workspaces/a/b/files/"] {
        let answer = app.anonymous().get(path).await.expect(401);
        assert_eq!(answer.header("www-authenticate"), "", "{path}");
    }
    app.finish().await;
}

#[tokio::test]
async fn pages_of_known_origins_may_ask() {
    let app = TestApp::open_with(|_, config| config.allowed_hosts = vec!["https://editor.example.org".into()]).await;
    let ann = app.as_user("ann");
    let known = ann.header("origin", "https://editor.example.org");
    let answer = known.get("/api/v1/services").await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "https://editor.example.org");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert_eq!(answer.header("access-control-expose-headers"), "ETag");
    let preflight =
        known.header("access-control-request-method", "PUT").send("OPTIONS", "/api/v1/services/1", raw("")).await;
    assert_eq!((preflight.status, preflight.body.len()), (200, 0));
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        "Content-Type, Authorization, X-Requested-With, If-Match, If-None-Match, newpassword"
    );
    for origin in ["https://evil.example.org", "null", "http://editor.example.org", "https://editor.example.org.evil"] {
        let answer = ann.header("origin", origin).get("/api/v1/services").await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{origin}");
    }
    app.finish().await;
}
