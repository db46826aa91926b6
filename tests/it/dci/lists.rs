//! `where`, `sort`, `limit`, `offset`: what they take, and what the original lacks of sense.

use serde_json::json;

use super::{COMPONENTS, TYPES, at, list, names, new_component, new_type, text};
use crate::support::{Client, TestApp};

/// A query value, escaped.
fn escaped(text: &str) -> impl std::fmt::Display + '_ {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
}

async fn found(client: &Client, condition: &str) -> Vec<String> {
    let (objects, count) = list(client, &format!("{COMPONENTS}?where={}", escaped(condition))).await;
    assert_eq!(objects.len() as u64, count, "the count honours where");
    objects.iter().map(|object| text(object, "name").to_owned()).collect()
}

#[tokio::test]
async fn where_compares_literally() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let url = "http://h:1/p?a=b:c";
    for (name, title) in [
        ("plain", "a"),
        ("comma", "a,b"),
        ("quote", "say \"a\""),
        ("operators", ">=1|!x*"),
        ("case", "A"),
        ("empty", ""),
        ("blank", " a "),
    ] {
        let body = json!({ "name": name, "title": title, "componenttype_id": of["id"], "url": url });
        ann.post(COMPONENTS, body).await.expect(201);
    }
    assert_eq!(found(&ann, "title:a").await, ["plain"]);
    assert_eq!(found(&ann, "title:A").await, ["case"]);
    assert_eq!(found(&ann, "title:\"a,b\"").await, ["comma"]);
    assert_eq!(found(&ann, "title:\"say \"\"a\"\"\"").await, ["quote"]);
    assert_eq!(found(&ann, "title:>=1|!x*").await, ["operators"]);
    assert_eq!(found(&ann, "title:").await, ["empty"]);
    assert_eq!(found(&ann, "title: a ").await, ["blank"]);
    assert_eq!(found(&ann, "title:a*").await, Vec::<String>::new(), "no wildcards");
    // Values may hold colons; conditions all hold, also two on one field.
    assert_eq!(found(&ann, &format!("url:{url}")).await.len(), 7);
    assert_eq!(found(&ann, &format!("title:A,url:{url}")).await, ["case"]);
    assert_eq!(found(&ann, "title:a,title:A").await, Vec::<String>::new());
    assert_eq!(found(&ann, "").await.len(), 7);
    app.finish().await;
}

#[tokio::test]
async fn where_on_every_field_of_an_object() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let body = json!({
        "name": "c1", "componenttype_id": of["id"], "canonical_project_name": "p", "sha": "s", "title": "t",
        "message": "m\nn", "url": "http://u", "git": "g", "ref": "r",
    });
    let made = ann.post(COMPONENTS, body).await.expect(201).inner();
    for (key, value) in made.as_object().unwrap() {
        if key != "data" {
            let condition = format!("{key}:{}", value.as_str().unwrap());
            assert_eq!(found(&ann, &condition).await, ["c1"], "{condition}");
        }
    }
    assert_eq!(found(&ann, &format!("created_at:{}.000000", text(&made, "created_at"))).await, ["c1"]);
    assert_eq!(found(&ann, "created_at:2015-11-13T12:46:18.123456").await, Vec::<String>::new());
    app.finish().await;
}

#[tokio::test]
async fn where_refuses_what_makes_no_sense() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    new_component(&ann, "c1", &of).await;
    let refused = async |condition: &str| {
        let answer = ann.get(&format!("{TYPES}?where={}", escaped(condition))).await.expect(400).json();
        (text(&answer, "message").to_owned(), answer["payload"].clone())
    };
    let (message, payload) = refused("nope:1").await;
    assert_eq!(message, "Invalid where key: 'nope'");
    assert_eq!(payload, json!({ "Valid where keys": ["id", "etag", "created_at", "updated_at", "name"] }));
    let (message, payload) = refused("name").await;
    assert_eq!(message, "Invalid where key: 'name'");
    assert_eq!(payload, json!({ "error": "where key must have the following form \"key:value\"" }));
    assert_eq!(refused("name:a,b").await.0, "Invalid where key: 'b'");
    assert_eq!(refused("created_at:yesterday").await.0, "Invalid where key: 'created_at'");
    assert!(refused("name:\"open").await.0.contains("not closed"));
    // On one object the parameter has no meaning, and so no errors.
    ann.get(&format!("{TYPES}/package?where=nope")).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn sort_takes_every_field() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    for name in ["b", "a", "B", "é", "A"] {
        new_type(&ann, name).await;
    }
    assert_eq!(names(&ann, &format!("{TYPES}?sort=name")).await, ["A", "B", "a", "b", "é"], "by bytes");
    assert_eq!(names(&ann, &format!("{TYPES}?sort=-name")).await, ["é", "b", "a", "B", "A"]);
    assert_eq!(names(&ann, &format!("{TYPES}?sort=%20name")).await, ["A", "B", "a", "b", "é"]);
    assert_eq!(names(&ann, &format!("{TYPES}?sort=")).await, ["b", "a", "B", "é", "A"], "by creation");
    for key in ["id", "etag", "created_at", "updated_at"] {
        assert_eq!(names(&ann, &format!("{TYPES}?sort=-{key}")).await.len(), 5, "{key}");
    }
    for sort in ["nope", "name,nope", "--nope"] {
        let answer = ann.get(&format!("{TYPES}?sort={sort}")).await.expect(400).json();
        assert!(text(&answer, "message").starts_with("Invalid sort key: '"), "{answer}");
        assert_eq!(
            answer["payload"],
            json!({ "Valid sort keys": ["id", "etag", "created_at", "updated_at", "name"] }),
            "{sort}"
        );
    }
    ann.get(&format!("{TYPES}?sort=name,")).await.expect(400);
    app.finish().await;
}

#[tokio::test]
async fn an_update_moves_nothing_in_the_default_order() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let first = new_type(&ann, "first").await;
    new_type(&ann, "second").await;
    ann.at(text(&first, "etag")).put(&at(TYPES, &first), json!({ "name": "zzz" })).await.expect(204);
    assert_eq!(names(&ann, TYPES).await, ["zzz", "second"]);
    app.finish().await;
}

#[tokio::test]
async fn unset_values_come_last_and_descending_first() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    new_component(&ann, "unset", &of).await;
    for title in ["b", "a"] {
        let body = json!({ "name": title, "title": title, "componenttype_id": of["id"] });
        ann.post(COMPONENTS, body).await.expect(201);
    }
    assert_eq!(names(&ann, &format!("{COMPONENTS}?sort=title")).await, ["a", "b", "unset"]);
    assert_eq!(names(&ann, &format!("{COMPONENTS}?sort=-title")).await, ["unset", "b", "a"]);
    app.finish().await;
}

#[tokio::test]
async fn limit_and_offset_are_whole_numbers() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    for bad in ["-1", "foo", "1.5", "", "99999999999999999999999"] {
        let answer = ann.get(&format!("{TYPES}?limit={bad}&offset={bad}")).await.expect(400).json();
        let expected = json!({
            "message": "Request malformed",
            "payload": { "errors": {
                "limit": "not a valid limit integer (must be greater than 0)",
                "offset": "not a valid offset integer (must be greater than 0)",
            } },
            "status_code": 400,
        });
        assert_eq!(answer, expected, "{bad:?}");
    }
    // Too many is refused, not cut: a client that trusts its own limit would skip rows.
    let answer = ann.get(&format!("{TYPES}?limit=1001")).await.expect(400).json();
    assert_eq!(answer["payload"]["errors"]["limit"], "not a valid limit integer (must be at most 1000)");
    // Of a parameter that is given twice the first counts.
    ann.get(&format!("{TYPES}?limit=1&limit=foo")).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let made = new_component(&ann, "c1", &of).await;
    assert_eq!(list(&ann, &format!("{COMPONENTS}?foo=bar&q=nothing&name=x")).await, (vec![made.clone()], 1));
    let one = ann.get(&format!("{}?name=x&where=y&type=z", at(COMPONENTS, &made))).await.expect(200);
    assert_eq!(one.inner(), made);
    app.finish().await;
}
