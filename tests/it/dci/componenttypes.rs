//! The original's tests of component types, and what its README promises of them.

use std::collections::BTreeSet;

use serde_json::json;

use super::{TYPES, at, list, names, new_type, text};
use crate::support::{TestApp, git};

#[tokio::test]
async fn c01_create_then_get() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let made = ann.post(TYPES, json!({ "name": "package" })).await.expect(201);
    assert_eq!(made.header("content-type"), "application/json");
    let object = made.inner();
    let mut keys: Vec<&String> = object.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["created_at", "etag", "id", "name", "updated_at"]);
    assert_eq!(object["created_at"], object["updated_at"]);
    assert_eq!(made.header("etag"), text(&object, "etag"), "the header is the etag, unquoted");

    let got = ann.get(&at(TYPES, &object)).await.expect(200);
    assert_eq!(got.inner(), object);
    assert_eq!(got.header("etag"), text(&object, "etag"));
    app.finish().await;
}

#[tokio::test]
async fn c02_a_name_is_given_once() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let first = new_type(&ann, "package").await;
    let second = new_type(&ann, "image").await;
    ann.post(TYPES, json!({ "name": "package" })).await.expect(409);
    app.as_user("bob").post(TYPES, json!({ "name": "package" })).await.expect(409);
    ann.at(text(&second, "etag")).put(&at(TYPES, &second), json!({ "name": "package" })).await.expect(409);
    // Case tells names apart; an own name may be given again.
    new_type(&ann, "Package").await;
    ann.at(text(&first, "etag")).put(&at(TYPES, &first), json!({ "name": "package" })).await.expect(204);
    assert_eq!(names(&ann, TYPES).await, ["package", "image", "Package"]);
    app.finish().await;
}

#[tokio::test]
async fn c02_of_many_at_once_one_gets_the_name() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let asked = (0..20).map(|_| {
        let ann = ann.clone();
        tokio::spawn(async move { ann.post(TYPES, json!({ "name": "same" })).await.status })
    });
    let mut statuses = Vec::new();
    for asked in asked.collect::<Vec<_>>() {
        statuses.push(asked.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[..2], [201, 409]);
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    app.finish().await;
}

#[tokio::test]
async fn c03_a_list_holds_all() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    assert_eq!(list(&ann, TYPES).await, (vec![], 0));
    let mut made = BTreeSet::new();
    for n in 0..5 {
        made.insert(text(&new_type(&ann, &format!("pname{n}")).await, "id").to_owned());
    }
    let (objects, count) = list(&ann, TYPES).await;
    assert_eq!(objects.iter().map(|object| text(object, "id").to_owned()).collect::<BTreeSet<_>>(), made);
    assert_eq!((objects.len(), count), (5, 5));
    app.finish().await;
}

#[tokio::test]
async fn c04_where() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let made = new_type(&ann, "pname1").await;
    new_type(&ann, "pname2").await;
    for condition in [format!("id:{}", text(&made, "id")), "name:pname1".into()] {
        assert_eq!(list(&ann, &format!("{TYPES}?where={condition}")).await, (vec![made.clone()], 1));
    }
    app.finish().await;
}

#[tokio::test]
async fn c05_pages() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let mut made = Vec::new();
    for n in 0..20 {
        made.push(new_type(&ann, &format!("pname{n}")).await);
    }
    assert_eq!(list(&ann, TYPES).await, (made.clone(), 20));
    for offset in [0, 5, 10, 15] {
        let (page, count) = list(&ann, &format!("{TYPES}?limit=5&offset={offset}")).await;
        assert_eq!((page.as_slice(), count), (&made[offset..offset + 5], 20));
    }
    assert_eq!(list(&ann, &format!("{TYPES}?limit=5&offset=300")).await, (vec![], 20));
    // Twenty is the default, whatever there is.
    new_type(&ann, "one more").await;
    let (page, count) = list(&ann, TYPES).await;
    assert_eq!((page.len(), count), (20, 21));
    assert_eq!(list(&ann, &format!("{TYPES}?limit=1000")).await.0.len(), 21);
    assert_eq!(list(&ann, &format!("{TYPES}?limit=0")).await, (vec![], 21));
    assert_eq!(list(&ann, &format!("{TYPES}?offset=20")).await.0.len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn c06_sort_by_creation() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let mut made = Vec::new();
    for n in 0..4 {
        made.push(new_type(&ann, &format!("pname{n}")).await);
    }
    assert_eq!(list(&ann, &format!("{TYPES}?sort=created_at")).await.0, made);
    made.reverse();
    assert_eq!(list(&ann, &format!("{TYPES}?sort=-created_at")).await.0, made);
    app.finish().await;
}

#[tokio::test]
async fn c07_get_by_id_and_by_name() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    for name in ["package", "with/slash", "с пробелом", "a?b&c"] {
        let made = new_type(&ann, name).await;
        assert_eq!(ann.get(&at(TYPES, &made)).await.expect(200).inner(), made);
        let escaped = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        assert_eq!(ann.get(&format!("{TYPES}/{escaped}")).await.expect(200).inner(), made, "{name}");
    }
    app.finish().await;
}

#[tokio::test]
async fn c08_get_unknown() {
    let app = TestApp::open().await;
    let answer = app.as_user("ann").get(&format!("{TYPES}/ptdr")).await.expect(404);
    assert_eq!(answer.json(), json!({ "message": "Resource 'ptdr' not found.", "payload": {}, "status_code": 404 }));
    app.finish().await;
}

#[tokio::test]
async fn c09_put_by_name() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let made = ann.post(TYPES, json!({ "name": "pname" })).await.expect(201);
    let answer =
        ann.at(made.header("etag")).put(&format!("{TYPES}/pname"), json!({ "name": "nname" })).await.expect(204);
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("content-type"), "application/json");
    ann.get(&format!("{TYPES}/pname")).await.expect(404);
    let now = ann.get(&format!("{TYPES}/nname")).await.expect(200);
    assert_eq!(answer.header("etag"), now.header("etag"));
    assert_ne!(answer.header("etag"), made.header("etag"));
    let (before, after) = (made.inner(), now.inner());
    assert_eq!((&before["id"], &before["created_at"]), (&after["id"], &after["created_at"]));
    app.finish().await;
}

#[tokio::test]
async fn c09_put_of_nothing_changes_nothing() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let made = new_type(&ann, "pname").await;
    let head = app.head("catalogue/main");
    let answer = ann.at(text(&made, "etag")).put(&at(TYPES, &made), json!({})).await.expect(204);
    assert_eq!(answer.header("etag"), text(&made, "etag"));
    assert_eq!(app.head("catalogue/main"), head, "no commit");
    assert_eq!(ann.get(&at(TYPES, &made)).await.expect(200).inner(), made);
    app.finish().await;
}

#[tokio::test]
async fn c10_delete() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let made = new_type(&ann, "pname").await;
    let answer = ann.at(text(&made, "etag")).delete(&at(TYPES, &made)).await.expect(204);
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("content-type"), "application/json");
    ann.get(&at(TYPES, &made)).await.expect(404);
    ann.get(&format!("{TYPES}/pname")).await.expect(404);
    assert_eq!(list(&ann, TYPES).await, (vec![], 0));
    // The name is free again.
    new_type(&ann, "pname").await;
    app.finish().await;
}

#[tokio::test]
async fn c11_delete_unknown() {
    let app = TestApp::open().await;
    let answer = app.as_user("ann").at("mdr").delete(&format!("{TYPES}/ptdr")).await.expect(404);
    assert_eq!(answer.json()["message"], "Resource 'ptdr' not found.");
    app.finish().await;
}

#[tokio::test]
async fn every_write_is_a_commit_of_who_asked() {
    let app = TestApp::open().await;
    let made = new_type(&app.as_user("ann"), "pname").await;
    let renamed = app.as_user("bob").at(text(&made, "etag")).put(&at(TYPES, &made), json!({ "name": "nname" })).await;
    app.as_user("root").at(renamed.expect(204).header("etag")).delete(&at(TYPES, &made)).await.expect(204);
    let tree = app.tree("catalogue/main");
    let log = git::run(&tree, &["log", "-3", "--format=%an: %s"]);
    let expected =
        ["root: componenttype: delete nname", "bob: componenttype: update nname", "ann: componenttype: create pname"];
    assert_eq!(log.lines().collect::<Vec<_>>(), expected);
    app.finish().await;
}
