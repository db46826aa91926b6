//! What every kind has and the original had not: on the same addresses, in the form of every other
//! kind.

use serde_json::json;

use super::{COMPONENTS, TYPES, at, list, names, new_component, new_type, text};
use crate::support::{TestApp, git, typed};

#[tokio::test]
async fn history_and_revisions() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let made = new_component(&ann, "c1", &of).await;
    let address = at(COMPONENTS, &made);
    let first = app.head("catalogue/main");
    let changed = app.as_user("bob").at(text(&made, "etag")).put(&address, json!({ "name": "c2" })).await.expect(201);

    let history = ann.get(&format!("{address}/history")).await.expect(200).json();
    assert_eq!(history["_meta"]["count"], 2);
    let touches = history["history"].as_array().unwrap();
    assert_eq!(touches[1]["commit"], first);
    let messages: Vec<&str> = touches.iter().map(|touch| text(touch, "message").trim()).collect();
    assert_eq!(messages, ["component: update c2", "component: create c1"]);

    for slash in ["", "/"] {
        let then = ann.get(&format!("{address}{slash}?at={first}")).await.expect(200).inner();
        assert_eq!(then["content"]["name"], "c1");
        assert_eq!((&then["etag"], &then["id"]), (&made["etag"], &made["id"]));
        let by_name = ann.get(&format!("{COMPONENTS}/c2{slash}?at={}", &first[..12])).await.expect(200).inner();
        assert_eq!(by_name["content"]["name"], "c1");
    }
    let bytes = ann.header("accept", "application/yaml").get(&format!("{address}?at={first}")).await.expect(200);
    assert_eq!(bytes.header("content-type"), "application/yaml");
    assert!(bytes.text().contains("name: c1"), "{}", bytes.text());
    ann.get(&format!("{address}?at=0123456")).await.expect(404);
    // The type as it was before it was renamed.
    let type_address = at(TYPES, &of);
    ann.at(text(&of, "etag")).put(&type_address, json!({ "name": "image" })).await.expect(204);
    let then = ann.get(&format!("{type_address}?at={first}")).await.expect(200).inner();
    assert_eq!(then["content"], json!({ "name": "package" }));
    assert_eq!(ann.get(&type_address).await.expect(200).inner()["name"], "image", "without at= it is the original's");

    let diff = ann.get(&format!("{address}/diff?from={first}")).await.expect(200).text();
    assert!(diff.contains("c1") && diff.contains("c2"), "{diff}");

    let restored = ann.at(changed.header("etag")).post(&format!("{address}/restore"), json!({ "at": first })).await;
    assert_eq!(restored.expect(200).inner()["content"]["name"], "c1");
    assert_eq!(ann.get(&address).await.expect(200).inner()["name"], "c1");
    app.finish().await;
}

#[tokio::test]
async fn patch() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let made = new_component(&ann, "c1", &of).await;
    let address = at(COMPONENTS, &made);
    ann.patch(&address, json!({ "title": "t" })).await.expect(412);
    let merge = typed("application/merge-patch+json", json!({ "title": "t", "data": null }).to_string());
    let merged = ann.at(text(&made, "etag")).patch(&address, merge).await.expect(200).inner();
    assert_eq!(merged["content"]["title"], "t");
    assert_eq!(ann.get(&address).await.expect(200).inner()["data"], json!({}), "unset");
    let steps = json!([{ "op": "replace", "path": "/name", "value": "c2" }]).to_string();
    let patched = ann
        .at(text(&merged, "etag"))
        .patch(&address, typed("application/json-patch+json", steps))
        .await
        .expect(200)
        .inner();
    assert_eq!(patched["content"]["name"], "c2");
    assert_eq!(names(&ann, COMPONENTS).await, ["c2"]);
    app.finish().await;
}

#[tokio::test]
async fn referrers() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    for n in 0..3 {
        new_component(&ann, &format!("c{n}"), &of).await;
    }
    let body = ann.get(&format!("{}/referrers", at(TYPES, &of))).await.expect(200).json();
    assert_eq!(body["_meta"]["count"], 3, "{body}");
    app.finish().await;
}

#[tokio::test]
async fn what_was_put_there_by_hand_is_listed_with_what_it_has() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let id = "0d8a1ad2-1d8c-4b3c-9a2e-0d6f3c1f7a10";
    let shard = workleaf_shard(id);
    let root = app.as_user("root");
    let change = |text: &str, condition: (&str, serde_json::Value)| {
        json!({ "changes": [
            { "op": "put", "path": format!("components/{shard}/{id}.yml"), "text": text, condition.0: condition.1 },
        ] })
    };
    // A component whose type is not there; comments stay through edits.
    let text_of = format!("# by hand\nname: 'by hand'\ncomponenttype_id: {}\n", "ffffffff-0000-4000-8000-000000000000");
    root.post("/api/v1/workspaces/catalogue/main/commits", change(&text_of, ("absent", json!(true)))).await.expect(201);
    let (objects, count) = list(&ann, &format!("{COMPONENTS}?embed=componenttype")).await;
    assert_eq!(count, 1);
    assert_eq!(objects[0]["componenttype"], json!(null), "no row is lost");
    assert_eq!((&objects[0]["id"], &objects[0]["data"]), (&json!(id), &json!({})));
    let etag = text(&objects[0], "etag");
    let put = ann.at(etag).put(&format!("{COMPONENTS}/{id}"), json!({ "componenttype": "package" })).await.expect(201);
    assert_eq!(put.inner()["componenttype_id"], of["id"]);
    let stored = std::fs::read_to_string(app.tree("catalogue/main").join(format!("components/{shard}/{id}.yml")));
    // An id that some reader of YAML might take for a number is quoted.
    let quoted = format!("'{}'", text(&of, "id"));
    assert_eq!(
        stored.unwrap().replace(&quoted, text(&of, "id")),
        format!("# by hand\nname: 'by hand'\ncomponenttype_id: {}\n", text(&of, "id")),
        "only what changed"
    );
    app.finish().await;
}

fn workleaf_shard(id: &str) -> String {
    use sha2::Digest as _;
    format!("{:02x}", sha2::Sha256::digest(id.as_bytes())[0])
}

#[tokio::test]
async fn objects_of_other_workspaces_are_not_these() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    app.workspace("ann/lab").await;
    let id = "0d8a1ad2-1d8c-4b3c-9a2e-0d6f3c1f7a10";
    let path = format!("componenttypes/{}/{id}.yml", workleaf_shard(id));
    ann.put(&format!("/api/v1/workspaces/ann/lab/files/{path}"), typed("application/yaml", "name: mine\n"))
        .await
        .expect(201);
    assert_eq!(list(&ann, TYPES).await, (vec![], 0));
    ann.get(&format!("{TYPES}/mine")).await.expect(404);
    ann.get(&format!("{TYPES}/{id}")).await.expect(404);
    new_type(&ann, "mine").await;
    app.finish().await;
}

#[tokio::test]
async fn the_catalogue_survives_a_restart() {
    let mut app = TestApp::open().await;
    let of = new_type(&app.as_user("ann"), "package").await;
    let made = new_component(&app.as_user("ann"), "c1", &of).await;
    let before = list(&app.as_user("ann"), COMPONENTS).await;
    app.restart_after(|data| std::fs::remove_dir_all(data.join(".state/index")).expect("there is an index")).await;
    let ann = app.as_user("ann");
    assert_eq!(list(&ann, COMPONENTS).await, before);
    assert_eq!(ann.get(&at(COMPONENTS, &made)).await.expect(200).inner(), made);
    let tree = app.tree("catalogue/main");
    assert!(tree.join(git::run(&tree, &["ls-files", "componenttypes"])).is_file());
    app.finish().await;
}
