//! What is refused, in which order and in which words.

use serde_json::{Value, json};

use super::{COMPONENTS, TYPES, at, list, new_component, new_type, text};
use crate::support::{TestApp, raw};

#[tokio::test]
async fn all_errors_of_a_body_come_together() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let id = &of["id"];
    let not_text = "not a valid string";
    for (address, body, errors) in [
        (TYPES, json!({}), json!({ "name": "required key not provided" })),
        (TYPES, json!({ "name": 1 }), json!({ "name": not_text })),
        (TYPES, json!({ "name": null }), json!({ "name": not_text })),
        (TYPES, json!({ "name": "a", "id": "b" }), json!({ "id": "extra keys not allowed" })),
        (TYPES, json!({ "nme": "a" }), json!({ "nme": "extra keys not allowed", "name": "required key not provided" })),
        (TYPES, json!(["name"]), json!("not a valid object")),
        (TYPES, Value::Null, json!("not a valid object")),
        (
            COMPONENTS,
            json!({}),
            json!({ "name": "required key not provided", "componenttype_id": "required key not provided" }),
        ),
        (
            COMPONENTS,
            json!({ "name": 1, "componenttype_id": 2, "sha": 3, "data": "x", "url": "x", "etag": "y" }),
            json!({
                "name": not_text,
                "componenttype_id": "not a valid componenttype id",
                "sha": not_text,
                "data": "not a valid json",
                "url": "not a valid URL",
                "etag": "extra keys not allowed",
            }),
        ),
        (
            COMPONENTS,
            json!({ "name": "a", "componenttype_id": id, "title": null, "message": [], "git": {}, "ref": 1,
                    "canonical_project_name": true, "url": null, "data": null }),
            json!({
                "title": not_text, "message": not_text, "git": not_text, "ref": not_text,
                "canonical_project_name": not_text, "url": "not a valid URL", "data": "not a valid json",
            }),
        ),
        (
            COMPONENTS,
            json!({ "name": "a", "componenttype_id": "nope" }),
            json!({ "componenttype_id": "not a valid componenttype id" }),
        ),
        (
            COMPONENTS,
            json!({ "name": "a", "componenttype_id": id, "componenttype": id }),
            json!({ "componenttype": "extra keys not allowed" }),
        ),
    ] {
        let answer = ann.post(address, body.clone()).await.expect(400).json();
        let expected = json!({ "message": "Request malformed", "payload": { "errors": errors }, "status_code": 400 });
        assert_eq!(answer, expected, "{body}");
    }
    assert_eq!(list(&ann, COMPONENTS).await.1, 0);
    app.finish().await;
}

#[tokio::test]
async fn the_same_holds_for_changes_but_nothing_is_required() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let made = new_component(&ann, "c1", &of).await;
    let client = ann.at(text(&made, "etag"));
    for (body, errors) in [
        (json!({ "name": null }), json!({ "name": "not a valid string" })),
        (json!({ "id": made["id"] }), json!({ "id": "extra keys not allowed" })),
        (json!({ "componenttype": "nope" }), json!({ "componenttype_id": "not a valid componenttype id" })),
        (json!("x"), json!("not a valid object")),
    ] {
        let answer = client.put(&at(COMPONENTS, &made), body).await.expect(400).json();
        assert_eq!(answer["payload"], json!({ "errors": errors }));
    }
    client.put(&at(COMPONENTS, &made), json!({})).await.expect(201);
    app.finish().await;
}

#[tokio::test]
async fn a_name_has_at_most_255_characters() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, &"é".repeat(255)).await;
    for (address, body) in [
        (TYPES, json!({ "name": "é".repeat(256) })),
        (COMPONENTS, json!({ "name": "é".repeat(256), "componenttype_id": of["id"] })),
    ] {
        let answer = ann.post(address, body).await.expect(400).json();
        assert_eq!(answer["payload"]["errors"]["name"], "not a valid string (at most 255 characters)");
    }
    app.finish().await;
}

#[tokio::test]
async fn addresses_have_scheme_and_host() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    for (url, status) in [
        ("http://example.org", 201),
        ("git+ssh://host:22/x", 201),
        ("ftp://h", 201),
        ("example.org", 400),
        ("http://", 400),
        ("http:///path", 400),
        ("1a://host", 400),
        ("http://a b", 400),
        ("", 400),
    ] {
        let body = json!({ "name": "c", "componenttype_id": of["id"], "url": url });
        let answer = ann.post(COMPONENTS, body).await.expect(status);
        if status == 400 {
            assert!(answer.json()["payload"]["errors"]["url"].is_string(), "{url:?}: {}", answer.text());
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    for body in ["", "{", "name: a", "{\"name\": \"a\", \"name\": \"b\"}", "{\"name\": \"\u{0}\"}"] {
        let answer = ann.post(TYPES, raw(body)).await.expect(400).json();
        assert_eq!(answer["message"], "Request malformed", "{body:?}");
        let why = answer["payload"]["errors"].as_str().unwrap();
        assert!(why.starts_with("not valid JSON: "), "{body:?}: {why}");
    }
    ann.post(TYPES, raw(b"{\"name\": \"\xff\"}".to_vec())).await.expect(400);
    let deep = format!("{{\"name\": \"a\", \"data\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    ann.post(COMPONENTS, raw(deep)).await.expect(400);
    // Without a type a body is taken for JSON.
    ann.post(TYPES, raw("{\"name\": \"a\"}")).await.expect(201);
    app.finish().await;
}

#[tokio::test]
async fn a_body_larger_than_the_limit() {
    let app = TestApp::open_with(|_, config| config.limits.body = 1_000).await;
    let ann = app.as_user("ann");
    ann.post(TYPES, raw("x".repeat(1_001))).await.expect(413);
    new_type(&ann, "package").await;
    app.finish().await;
}

#[tokio::test]
async fn checks_come_in_the_originals_order() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let made = new_type(&ann, "package").await;
    let address = at(TYPES, &made);
    let bad = || json!({ "nope": 1 });
    for (client, there, body, status) in [
        (app.anonymous(), false, bad(), 401),
        (ann.clone(), false, bad(), 412),
        (ann.at("stale"), false, bad(), 400),
        (ann.at("stale"), false, json!({}), 404),
        (ann.at("stale"), true, json!({}), 412),
        (ann.at(text(&made, "etag")), true, json!({}), 204),
    ] {
        let address = if there { address.as_str() } else { "/api/v1/componenttypes/unknown" };
        client.put(address, body).await.expect(status);
    }
    for (client, there, status) in [
        (app.anonymous(), false, 401),
        (ann.clone(), false, 412),
        (ann.at("stale"), false, 404),
        (ann.at("stale"), true, 412),
        (ann.at(text(&made, "etag")), true, 204),
    ] {
        let address = if there { address.as_str() } else { "/api/v1/componenttypes/unknown" };
        client.delete(address).await.expect(status);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_change_names_the_state_that_it_starts_from() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let component = new_component(&ann, "c1", &of).await;
    for (address, object) in [(at(TYPES, &of), &of), (at(COMPONENTS, &component), &component)] {
        let missing = json!({ "message": "'If-match' header must be provided", "payload": {}, "status_code": 412 });
        assert_eq!(ann.put(&address, json!({ "name": "x" })).await.expect(412).json(), missing);
        assert_eq!(ann.delete(&address).await.expect(412).json(), missing);

        let name = address.rsplit('/').next().unwrap();
        let (kind, capital) =
            if address.starts_with(TYPES) { ("componenttype", "Componenttype") } else { ("component", "Component") };
        for stale in ["mdr", "\"mdr\"", "0123456789012345678901234567890123456789", ""] {
            let put = ann.at(stale).put(&address, json!({ "name": "x" })).await.expect(412).json();
            assert_eq!(put["message"], format!("Conflict on {kind} '{name}' or etag not matched."));
            assert_eq!(put["payload"], json!({ "etag": object["etag"] }));
            let deleted = ann.at(stale).delete(&address).await.expect(412).json();
            assert_eq!(deleted["message"], format!("{capital} '{name}' already deleted or etag not matched."));
            assert_eq!(deleted["payload"], json!({ "etag": object["etag"] }));
        }
        assert_eq!(ann.get(&address).await.expect(200).inner(), *object, "nothing changed");
        // Quoted, bare, or among others.
        for fresh in [format!("\"{}\"", text(object, "etag")), format!("\"x\", \"{}\"", text(object, "etag"))] {
            let status = ann.at(&fresh).put(&address, json!({})).await.status;
            assert!(matches!(status, 201 | 204), "{fresh}: {status}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn of_fifty_changes_of_one_state_one_succeeds() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let made = new_component(&ann, "c", &of).await;
    let client = ann.at(text(&made, "etag"));
    let address = at(COMPONENTS, &made);
    let asked: Vec<_> = (0..50)
        .map(|n| {
            let (client, address) = (client.clone(), address.clone());
            tokio::spawn(async move { client.put(&address, json!({ "title": n.to_string() })).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for asked in asked {
        statuses.push(asked.await.unwrap());
    }
    statuses.sort_unstable();
    let mut expected = vec![201];
    expected.extend([412; 49]);
    assert_eq!(statuses, expected);
    app.finish().await;
}

#[tokio::test]
async fn only_administrators_where_the_configuration_says_so() {
    use workleaf::config::Writers;
    let app = TestApp::open_with(|_, config| config.catalogue.writers = Writers::Admins).await;
    let answer = app.as_user("ann").post(TYPES, json!({ "name": "package" })).await.expect(401);
    // 401 as the original, but no other credentials would help.
    assert_eq!(answer.json()["message"], "Operation not authorized.");
    assert_eq!(answer.header("www-authenticate"), "");
    let made = new_type(&app.as_user("root"), "package").await;
    assert_eq!(app.as_user("ann").get(&at(TYPES, &made)).await.expect(200).inner(), made);
    app.as_user("ann").at(text(&made, "etag")).delete(&at(TYPES, &made)).await.expect(401);
    app.finish().await;
}
