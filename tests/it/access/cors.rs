//! Pages of other origins (contracts/editor.md 1.2, decisions.md 19).

use crate::support::{TestApp, raw};

#[tokio::test]
async fn preflights_are_answered_before_anything_is_asked() {
    let app = TestApp::open_with(|_, config| config.allowed_hosts = vec!["localhost".into()]).await;
    let page = app.anonymous().header("origin", "http://localhost:8080");
    for path in ["/", "/user", "/workspaces/1", "/api/v1/services", "/no/such/thing", "/config", "/login"] {
        let answer = page.header("access-control-request-method", "PUT").send("OPTIONS", path, raw("")).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:8080", "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "true", "{path}");
        let headers = answer.header("access-control-allow-headers").to_ascii_lowercase();
        assert!(headers.contains("authorization") && headers.contains("content-type"), "{path}: {headers}");
        assert_eq!(answer.header("access-control-max-age"), "1000");
        assert!(answer.headers.get_all("vary").iter().any(|value| value == "Origin"), "{path}");
    }
    let foreign = app.anonymous().header("origin", "https://evil.example.org");
    let answer = foreign.send("OPTIONS", "/user", raw("")).await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
    app.finish().await;
}

#[tokio::test]
async fn errors_carry_the_headers_too() {
    let app = TestApp::open_with(|_, config| config.allowed_hosts = vec!["localhost".into()]).await;
    let page = app.anonymous().header("origin", "https://localhost");
    for (method, path, status) in [
        ("GET", "/user", 401),
        ("GET", "/config", 401),
        ("GET", "/api/v1/workspaces", 401),
        ("GET", "/no/such/thing", 404),
        ("PUT", "/user", 405),
        ("DELETE", "/logout", 401),
        ("POST", "/api/v1/session", 415),
    ] {
        let answer = page.send(method, path, raw("")).await.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), "https://localhost", "{method} {path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "true", "{method} {path}");
    }
    app.finish().await;
}

#[tokio::test]
async fn the_older_apis_are_open_to_all_pages_without_credentials() {
    let app = TestApp::open_with(|_, config| config.allowed_hosts = vec!["localhost".into()]).await;
    let page = app.as_user("ann").header("origin", "https://anywhere.example.org");
    for path in ["/login", "/start", "/logout", "/refresh", "/changepassword", "/api/v1/components"] {
        let answer = page.get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
        let answer = page.send("OPTIONS", path, raw("")).await.expect(200);
        assert!(answer.header("access-control-allow-headers").contains("newpassword"), "{path}");
    }
    for path in ["/user", "/config", "/api/v1/services", "/api/v1/session"] {
        assert_eq!(page.get(path).await.header("access-control-allow-origin"), "", "{path}");
    }
    app.finish().await;
}

#[tokio::test]
async fn too_many_requests_are_told_to_wait() {
    let app = TestApp::open_with(|_, config| config.limits.actor_rate = 5).await;
    let ann = app.as_user("ann");
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let answer = ann.get("/api/v1/workspaces").await;
        if answer.status == 429 {
            assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1));
        }
        statuses.push(answer.status);
    }
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
    app.as_user("bob").get("/api/v1/workspaces").await.expect(200);
    app.finish().await;
}
