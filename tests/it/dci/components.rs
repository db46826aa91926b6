//! The original's tests of components, and what its README promises of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{COMPONENTS, TYPES, at, list, names, new_component, new_type, text};
use crate::support::{TestApp, git};

#[tokio::test]
async fn c01_create_then_get() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let made = ann.post(COMPONENTS, json!({ "name": "c1", "componenttype_id": of["id"] })).await.expect(201);
    let object = made.inner();
    let mut keys: Vec<&String> = object.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "canonical_project_name",
            "componenttype_id",
            "created_at",
            "data",
            "etag",
            "git",
            "id",
            "message",
            "name",
            "ref",
            "sha",
            "title",
            "updated_at",
            "url",
        ]
    );
    assert_eq!(object["data"], json!({}));
    for unset in ["canonical_project_name", "git", "message", "ref", "sha", "title", "url"] {
        assert_eq!(object[unset], Value::Null, "{unset}");
    }
    let got = ann.get(&at(COMPONENTS, &object)).await.expect(200);
    assert_eq!(got.inner(), object);
    assert_eq!([made.header("etag"), got.header("etag")], [text(&object, "etag"); 2]);
    app.finish().await;
}

#[tokio::test]
async fn c02_names_may_be_shared_but_do_not_address_then() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let first = new_component(&ann, "c1", &of).await;
    let second = new_component(&ann, "c1", &of).await;
    assert_ne!(first["id"], second["id"]);
    let answer = ann.get(&format!("{COMPONENTS}/c1")).await.expect(409).json();
    let candidates = answer["payload"]["candidates"].as_array().unwrap();
    let ids: BTreeSet<&str> = candidates.iter().map(|candidate| text(candidate, "id")).collect();
    assert_eq!(ids, BTreeSet::from([text(&first, "id"), text(&second, "id")]));
    app.finish().await;
}

#[tokio::test]
async fn c03_and_c04_lists_and_pages() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let mut made = Vec::new();
    for n in 0..20 {
        made.push(new_component(&ann, &format!("c{n}"), &of).await);
    }
    assert_eq!(list(&ann, COMPONENTS).await, (made.clone(), 20));
    for offset in [0, 5, 10, 15] {
        let (page, count) = list(&ann, &format!("{COMPONENTS}?limit=5&offset={offset}")).await;
        assert_eq!((page.as_slice(), count), (&made[offset..offset + 5], 20));
    }
    assert_eq!(list(&ann, &format!("{COMPONENTS}?limit=5&offset=300")).await, (vec![], 20));
    app.finish().await;
}

#[tokio::test]
async fn c05_and_c12_embed() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let made = new_component(&ann, "c1", &of).await;
    let mut expected = made.clone();
    expected.as_object_mut().unwrap().remove("componenttype_id");
    expected["componenttype"] = of.clone();
    // The README writes a colon; a name given twice is one.
    for embed in ["embed=componenttype", "embed:componenttype", "embed=componenttype,componenttype"] {
        assert_eq!(list(&ann, &format!("{COMPONENTS}?{embed}")).await, (vec![expected.clone()], 1), "{embed}");
        let one = ann.get(&format!("{COMPONENTS}/c1?{embed}")).await.expect(200);
        assert_eq!(one.inner(), expected, "{embed}");
        assert_eq!(one.header("etag"), text(&made, "etag"), "the etag stays the component's");
    }
    assert_eq!(list(&ann, &format!("{COMPONENTS}?embed=")).await.0, [made]);
    // Types have nothing to embed: the parameter is ignored there.
    assert_eq!(list(&ann, &format!("{TYPES}?embed=mdr")).await.0, [of]);
    app.finish().await;
}

#[tokio::test]
async fn c06_and_c13_embed_of_nothing_known() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let made = new_component(&ann, "c1", &of).await;
    for address in [format!("{COMPONENTS}?embed=mdr"), format!("{}?embed=mdr", at(COMPONENTS, &made))] {
        let answer = ann.get(&address).await.expect(400).json();
        let expected = json!({
            "message": "Invalid embed list: '['mdr']'",
            "payload": { "Valid elements": ["componenttype"] },
            "status_code": 400,
        });
        assert_eq!(answer, expected, "{address}");
    }
    let nested = ann.get(&format!("{COMPONENTS}?embed=componenttype,componenttype.x")).await.expect(400).json();
    assert_eq!(nested["message"], "Invalid embed list: '['componenttype', 'componenttype.x']'");
    app.finish().await;
}

#[tokio::test]
async fn c07_and_c08_where_and_get_by_id_and_name() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let made = new_component(&ann, "c1", &of).await;
    new_component(&ann, "c2", &of).await;
    for condition in [format!("id:{}", text(&made, "id")), "name:c1".into()] {
        assert_eq!(list(&ann, &format!("{COMPONENTS}?where={condition}")).await, (vec![made.clone()], 1));
    }
    assert_eq!(ann.get(&at(COMPONENTS, &made)).await.expect(200).inner(), made);
    assert_eq!(ann.get(&format!("{COMPONENTS}/c1")).await.expect(200).inner(), made);
    app.finish().await;
}

#[tokio::test]
async fn c09_c10_and_c14_unknown_and_deleted() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let unknown = ann.get(&format!("{COMPONENTS}/ptdr")).await.expect(404).json();
    assert_eq!(unknown, json!({ "message": "component 'ptdr' not found.", "payload": {}, "status_code": 404 }));
    let deleted = ann.at("mdr").delete(&format!("{COMPONENTS}/ptdr")).await.expect(404).json();
    assert_eq!(deleted["message"], "Resource 'ptdr' not found.");

    let of = new_type(&ann, "package").await;
    let made = new_component(&ann, "c1", &of).await;
    let answer = ann.at(text(&made, "etag")).delete(&format!("{COMPONENTS}/c1")).await.expect(204);
    assert!(answer.body.is_empty());
    ann.get(&at(COMPONENTS, &made)).await.expect(404);
    ann.at(text(&made, "etag")).delete(&at(COMPONENTS, &made)).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn c11_sort() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    for (name, title) in [("c1", "aaa"), ("c2", "aaa"), ("c3", "bbb"), ("c4", "bbb")] {
        let body = json!({ "name": name, "title": title, "componenttype_id": of["id"] });
        ann.post(COMPONENTS, body).await.expect(201);
    }
    assert_eq!(names(&ann, &format!("{COMPONENTS}?sort=created_at")).await, ["c1", "c2", "c3", "c4"]);
    assert_eq!(names(&ann, &format!("{COMPONENTS}?sort=title,-created_at")).await, ["c2", "c1", "c4", "c3"]);
    assert_eq!(names(&ann, &format!("{COMPONENTS}?sort=-title,name")).await, ["c3", "c4", "c1", "c2"]);
    app.finish().await;
}

#[tokio::test]
async fn put_answers_with_the_body_and_keeps_what_it_does_not_name() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let other = new_type(&ann, "image").await;
    let body = json!({ "name": "c1", "componenttype_id": of["id"], "sha": "abc", "data": { "a": { "b": 1 }, "c": 2 } });
    let made = ann.post(COMPONENTS, body).await.expect(201).inner();

    let change = json!({ "name": "c2", "data": { "a": {} } });
    let answer = ann.at(text(&made, "etag")).put(&at(COMPONENTS, &made), change).await.expect(201);
    let now = answer.inner();
    assert_eq!(answer.header("etag"), text(&now, "etag"));
    assert_eq!(ann.get(&at(COMPONENTS, &made)).await.expect(200).inner(), now);
    // Whole values are replaced, not merged into.
    assert_eq!((&now["name"], &now["sha"], &now["data"]), (&json!("c2"), &json!("abc"), &json!({ "a": {} })));
    assert_eq!((&now["id"], &now["created_at"]), (&made["id"], &made["created_at"]));

    // The README's spelling of the type, an id or a name.
    let moved = ann.at(text(&now, "etag")).put(&format!("{COMPONENTS}/c2"), json!({ "componenttype": "image" })).await;
    assert_eq!(moved.expect(201).inner()["componenttype_id"], other["id"]);
    app.finish().await;
}

#[tokio::test]
async fn the_type_is_given_by_id_or_name_under_either_key() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    for key in ["componenttype_id", "componenttype"] {
        for value in [of["id"].clone(), json!("package")] {
            let made = ann.post(COMPONENTS, json!({ "name": "c", key: value })).await.expect(201).inner();
            assert_eq!(made["componenttype_id"], of["id"]);
            assert_eq!(made.get("componenttype"), None);
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn everything_that_was_sent_comes_back() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let body = json!({
        "name": "",
        "componenttype_id": of["id"],
        "canonical_project_name": "é: #not a comment",
        "sha": "0123",
        "title": "yes",
        "message": "two\nlines\n",
        "url": "https://git.example.org/x?a=1#b",
        "git": "null",
        "ref": "1.10",
        "data": { "versions": [1.5, 1e300, -0.25, 12345678901234567_i64], "": null, "deep": { "a": [[], {}, "~"] } },
    });
    let made = ann.post(COMPONENTS, body.clone()).await.expect(201).inner();
    for (key, value) in body.as_object().unwrap() {
        assert_eq!(&made[key], value, "{key}");
    }
    assert_eq!(ann.get(&at(COMPONENTS, &made)).await.expect(200).inner(), made);
    assert_eq!(list(&ann, COMPONENTS).await.0, [made]);
    app.finish().await;
}

#[tokio::test]
async fn a_type_takes_its_components_with_it_in_one_commit() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let other = new_type(&ann, "image").await;
    for n in 0..3 {
        new_component(&ann, &format!("c{n}"), &of).await;
    }
    let stays = new_component(&ann, "stays", &other).await;
    let tree = app.tree("catalogue/main");
    let before = git::run(&tree, &["rev-list", "--count", "main"]).parse::<u32>().unwrap();
    ann.at(text(&of, "etag")).delete(&format!("{TYPES}/package")).await.expect(204);
    assert_eq!(list(&ann, COMPONENTS).await, (vec![stays], 1));
    assert_eq!(git::run(&tree, &["rev-list", "--count", "main"]).parse::<u32>().unwrap(), before + 1);
    let gone = git::run(&tree, &["show", "--name-status", "--format=", "main"]);
    assert_eq!(gone.lines().filter(|line| line.starts_with("D\t")).count(), 4, "{gone}");
    app.finish().await;
}

#[tokio::test]
async fn the_components_of_a_type() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let other = new_type(&ann, "image").await;
    for n in 0..3 {
        new_component(&ann, &format!("c{n}"), &of).await;
        new_component(&ann, &format!("d{n}"), &other).await;
    }
    for address in [at(TYPES, &of), format!("{TYPES}/package")] {
        for slash in ["", "/"] {
            assert_eq!(names(&ann, &format!("{address}/components{slash}")).await, ["c0", "c1", "c2"]);
        }
    }
    let (page, count) = list(&ann, &format!("{TYPES}/package/components?limit=1&sort=-name&embed=componenttype")).await;
    assert_eq!((page.len(), count), (1, 3), "the count is the type's");
    assert_eq!((&page[0]["name"], &page[0]["componenttype"]), (&json!("c2"), &of));
    assert_eq!(list(&ann, &format!("{TYPES}/package/components?where=name:d1")).await, (vec![], 0));
    let unknown = ann.get(&format!("{TYPES}/ptdr/components")).await.expect(404).json();
    assert_eq!(unknown["message"], "Resource 'ptdr' not found.");
    app.finish().await;
}
