//! What holds for every address: credentials, slashes, methods, other origins.

use serde_json::json;

use super::{COMPONENTS, TYPES, at, new_component, new_type, text};
use crate::support::{Client, TestApp, basic, raw};

/// Every address, with its methods.
fn addresses(of: &str, component: &str) -> Vec<(String, &'static str)> {
    vec![
        (TYPES.to_owned(), "GET, POST"),
        (COMPONENTS.to_owned(), "GET, POST"),
        (format!("{TYPES}/{of}"), "GET, PUT, DELETE"),
        (format!("{COMPONENTS}/{component}"), "GET, PUT, DELETE"),
        (format!("{TYPES}/{of}/components"), "GET"),
    ]
}

async fn filled(client: &Client) -> (String, String) {
    let of = new_type(client, "package").await;
    let component = new_component(client, "c1", &of).await;
    (text(&of, "id").to_owned(), text(&component, "id").to_owned())
}

#[tokio::test]
async fn credentials_are_asked_for() {
    let app = TestApp::open().await;
    let (of, component) = filled(&app.as_user("ann")).await;
    let wrong = [
        app.anonymous(),
        app.anonymous().header("authorization", &basic("ann", "wrong")),
        app.anonymous().header("authorization", "Basic %%%"),
        app.anonymous().header("authorization", "Bearer abc"),
        app.anonymous().header("authorization", "Basic"),
    ];
    for (address, methods) in addresses(&of, &component) {
        for method in methods.split(", ") {
            for client in &wrong {
                let answer = client.send(method, &address, json!({})).await;
                // Guessing is slowed down after some failures.
                if answer.status != 429 {
                    let answer = answer.expect(401);
                    let challenge = answer.header("www-authenticate");
                    assert!(challenge.starts_with("Basic realm="), "{method} {address}: {challenge:?}");
                }
            }
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn the_index_needs_no_credentials() {
    let app = TestApp::open().await;
    for address in ["/api/v1", "/api/v1/"] {
        let body = app.anonymous().get(address).await.expect(200).json();
        assert_eq!(body["_status"], "OK", "{address}");
        assert!(body["message"].is_string());
    }
    app.finish().await;
}

#[tokio::test]
async fn a_trailing_slash_makes_no_difference() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let (of, component) = filled(&ann).await;
    for (address, _) in addresses(&of, &component) {
        let (with, without) = (ann.get(&format!("{address}/")).await, ann.get(&address).await);
        assert_eq!((with.status, with.json()), (200, without.json()), "{address}");
    }
    let made = ann.post(&format!("{TYPES}/"), json!({ "name": "slashed" })).await.expect(201).inner();
    let address = format!("{}/", at(TYPES, &made));
    let renamed = ann.at(text(&made, "etag")).put(&address, json!({ "name": "renamed" })).await.expect(204);
    ann.at(renamed.header("etag")).delete(&address).await.expect(204);
    app.finish().await;
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let (of, component) = filled(&ann).await;
    for (address, _) in addresses(&of, &component) {
        let (head, get) = (ann.send("HEAD", &address, raw("")).await, ann.get(&address).await);
        assert_eq!(head.status, 200, "{address}");
        assert!(head.body.is_empty());
        for name in ["content-type", "etag", "access-control-allow-origin"] {
            assert_eq!(head.header(name), get.header(name), "{address} {name}");
        }
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{address}");
    }
    ann.send("HEAD", &format!("{TYPES}/unknown"), raw("")).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn lists_have_no_etag() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let (of, _) = filled(&ann).await;
    for address in [TYPES.to_owned(), COMPONENTS.to_owned(), format!("{TYPES}/{of}/components")] {
        let answer = ann.get(&address).await.expect(200);
        assert_eq!((answer.header("etag"), answer.header("content-type")), ("", "application/json"), "{address}");
    }
    app.finish().await;
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_taken() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let (of, component) = filled(&ann).await;
    for (address, methods) in addresses(&of, &component) {
        for slash in ["", "/"] {
            let answer = ann.send("TRACE", &format!("{address}{slash}"), raw("")).await.expect(405);
            for method in methods.split(", ") {
                let allowed = answer.header("allow");
                assert!(allowed.split([',', ' ']).any(|known| known == method), "{address}{slash}: {allowed:?}");
            }
        }
    }
    ann.send("DELETE", TYPES, raw("")).await.expect(405);
    ann.get(&format!("{COMPONENTS}/{component}/nothing")).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn ids_and_times_have_the_originals_form() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let made = new_type(&ann, "package").await;
    let id = text(&made, "id");
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12]);
    assert!(id.bytes().all(|b| matches!(b, b'-' | b'0'..=b'9' | b'a'..=b'f')), "{id}");
    assert_eq!(id.as_bytes()[14], b'4', "a random one");
    for key in ["created_at", "updated_at"] {
        let time = text(&made, key);
        let form: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(form, "0000-00-00T00:00:00", "Python's isoformat of a whole second");
    }
    app.finish().await;
}

const ORIGIN: &str = "https://editor.example.org";

#[tokio::test]
async fn pages_of_any_origin_may_read_without_credentials() {
    let app = TestApp::open_with(|_, config| config.allowed_hosts = vec![ORIGIN.to_owned()]).await;
    let ann = app.as_user("ann");
    let (of, component) = filled(&ann).await;
    for (address, _) in addresses(&of, &component) {
        for client in [ann.clone(), ann.header("origin", "https://elsewhere.example"), app.anonymous()] {
            let answer = client.get(&address).await;
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{address}");
            assert_eq!(answer.header("access-control-allow-credentials"), "");
            assert_eq!(answer.header("access-control-expose-headers"), "ETag");
        }
        let known = ann.header("origin", ORIGIN).get(&address).await.expect(200);
        assert_eq!(known.header("access-control-allow-origin"), ORIGIN);
        assert_eq!(known.header("access-control-allow-credentials"), "true");
        let vary: Vec<_> = known.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(vary.join(", ").contains("Origin"), "{vary:?}");
    }
    // Errors can be read too.
    for (address, status) in [("/api/v1/components/unknown", 404), ("/api/v1/componenttypes?limit=x", 400)] {
        let answer = ann.get(address).await.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    // And elsewhere others get nothing.
    for address in ["/api/v1/kinds", "/api/v1/componenttypesx", "/api/v1/services"] {
        let answer = ann.header("origin", "https://elsewhere.example").get(address).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{address}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_preflight_needs_no_credentials() {
    let app = TestApp::open_with(|_, config| config.allowed_hosts = vec![ORIGIN.to_owned()]).await;
    let elsewhere = app.anonymous().header("origin", "https://elsewhere.example");
    let known = app.anonymous().header("origin", ORIGIN);
    for (address, _) in addresses("unknown", "unknown") {
        for (client, origin) in [(app.anonymous(), "*"), (elsewhere.clone(), "*"), (known.clone(), ORIGIN)] {
            let client = client.header("access-control-request-method", "PUT");
            let answer = client.send("OPTIONS", &address, raw("")).await.expect(200);
            assert!(answer.body.is_empty(), "{address}");
            assert_eq!(answer.header("access-control-allow-origin"), origin, "{address}");
            let methods = answer.header("access-control-allow-methods");
            for method in ["GET", "POST", "PUT", "DELETE"] {
                assert!(methods.contains(method), "{methods}");
            }
            let headers = answer.header("access-control-allow-headers").to_ascii_lowercase();
            for header in ["authorization", "content-type", "if-match", "if-none-match", "x-requested-with"] {
                assert!(headers.split(", ").any(|known| known == header), "{headers}");
            }
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn an_address_that_is_no_text_is_refused_in_the_envelope() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    for address in [format!("{TYPES}/%ff"), format!("{COMPONENTS}/%ff"), format!("{TYPES}/%ff/components")] {
        let answer = ann.get(&address).await;
        assert!(matches!(answer.status, 400 | 404), "{}", answer.status);
    }
    app.finish().await;
}
