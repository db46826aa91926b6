//! What writes keep, refuse and say.

use serde_json::{Value, json};

use super::samples::{SERVICE, SERVICES, firewall, lab, service, text};
use crate::support::{git, typed, yaml};

#[tokio::test]
async fn a_json_put_keeps_what_it_does_not_change() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    let address = made.header("location").to_owned();
    let mut content = made.inner()["content"].clone();
    content["version"] = json!("1.11");
    content["author"] = json!("Ann: \"me\"");
    ann.at(&made.etag()).put(&address, content).await.expect(200);
    insta::assert_snapshot!(text(&ann, &address).await, @r#"
    # The firewall of the lab.
    descriptor_version: "1.0"   # of the format
    vendor: 'org.example'
    name: firewall
    version: "1.11"

    description: >
      Lets some through,
      keeps others out.
    licences:
    - {type: public}   # everyone
    author: 'Ann: "me"'
    "#);
    app.finish().await;
}

#[tokio::test]
async fn a_merge_patch_changes_its_lines_only() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    let address = made.header("location").to_owned();
    let patch =
        json!({ "description": null, "licences": [{ "type": "public" }, { "type": "private", "url": "https://x" }] });
    let one = ann.at(&made.etag()).patch(&address, typed("application/merge-patch+json", patch.to_string())).await;
    assert_eq!(one.status, 200, "{}", one.text());
    insta::assert_snapshot!(text(&ann, &address).await, @r#"
    # The firewall of the lab.
    descriptor_version: "1.0"   # of the format
    vendor: 'org.example'
    name: firewall
    version: "1.10"

    licences:
    - {type: public}   # everyone
    - type: private
      url: https://x
    "#);
    // Plain JSON means the same.
    ann.at(&one.etag()).patch(&address, json!({ "vendor": "com.example" })).await.expect(200);
    assert!(text(&ann, &address).await.contains("\nvendor: 'com.example'\n"));
    app.finish().await;
}

#[tokio::test]
async fn a_json_patch_applies_whole_or_not() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    let address = made.header("location").to_owned();
    let patch = |operations: Value| typed("application/json-patch+json", operations.to_string());
    let head = app.head("ann/lab");
    let failing = json!([
        { "op": "replace", "path": "/name", "value": "changed" },
        { "op": "test", "path": "/version", "value": "2.0" },
    ]);
    insta::assert_snapshot!(ann.at(&made.etag()).patch(&address, patch(failing)).await.shown(), @r#"
    409
    vary: accept-encoding
    {
      "message": "the patch does not apply: operation 1 at \"/version\": value did not match",
      "status_code": 409,
      "payload": {}
    }
    "#);
    for (operations, status) in [
        (json!([{ "op": "remove", "path": "/absent" }]), 409),
        (json!([{ "op": "move", "from": "/licences", "path": "/licences/0" }]), 409),
        (json!([{ "op": "add", "path": "/licences/7", "value": 1 }]), 409),
        (json!([{ "op": "add", "path": "/licences/-/x", "value": 1 }]), 409),
        (json!([{ "op": "explode", "path": "/x" }]), 400),
        (json!([{ "op": "add", "path": "no slash", "value": 1 }]), 400),
        (json!([{ "op": "add", "path": "/x" }]), 400),
        (json!({ "op": "add", "path": "/x", "value": 1 }), 400),
        (json!("x"), 400),
        (Value::Array(vec![json!({ "op": "test", "path": "/name", "value": "firewall" }); 100_000]), 413),
        (json!([{ "op": "add", "path": "/colour", "value": 1 }]), 422),
    ] {
        let answer = ann.at(&made.etag()).patch(&address, patch(operations.clone())).await;
        let shown: String = operations.to_string().chars().take(80).collect();
        assert_eq!(answer.status, status, "{shown}: {}", answer.text());
    }
    assert_eq!(app.head("ann/lab"), head);
    let good = json!([
        { "op": "test", "path": "/version", "value": "1.10" },
        { "op": "add", "path": "/licences/-", "value": { "type": "private", "url": "https://example.org" } },
        { "op": "copy", "from": "/name", "path": "/author" },
        { "op": "replace", "path": "/version", "value": "1.20" },
        { "op": "remove", "path": "/description" },
    ]);
    ann.at(&made.etag()).patch(&address, patch(good)).await.expect(200);
    insta::assert_snapshot!(text(&ann, &address).await, @r#"
    # The firewall of the lab.
    descriptor_version: "1.0"   # of the format
    vendor: 'org.example'
    name: firewall
    version: "1.20"

    licences:
    - {type: public}   # everyone
    - type: private
      url: https://example.org
    author: firewall
    "#);
    app.finish().await;
}

#[tokio::test]
async fn a_write_says_what_it_starts_from() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    let address = made.header("location").to_owned();
    for answer in
        [ann.put(&address, yaml(SERVICE)).await, ann.patch(&address, json!({})).await, ann.delete(&address).await]
    {
        assert_eq!(answer.status, 412);
        assert_eq!(answer.json()["message"], "'If-match' header must be provided");
    }
    let old = made.etag();
    let new = ann.at(&old).patch(&address, json!({ "author": "Ann" })).await.expect(200).etag();
    let head = app.head("ann/lab");
    insta::assert_snapshot!(ann.at(&old).put(&address, yaml(SERVICE)).await.shown(), @r#"
    412
    vary: accept-encoding
    {
      "message": "the document has changed since you read it: read it again and repeat your change",
      "status_code": 412,
      "payload": {
        "etag": "[oid]"
      }
    }
    "#);
    for stale in [&old[..], "\"x\"", "", "deadbeef", &format!("\"{old}.00000000\""), &"0".repeat(40)] {
        for answer in [
            ann.at(stale).put(&address, yaml(SERVICE)).await,
            ann.at(stale).patch(&address, json!({ "author": "Bob" })).await,
            ann.at(stale).delete(&address).await,
            ann.at(stale).post(&format!("{address}/move"), json!({ "path": "services/x.yml" })).await,
            ann.at(stale).post(&format!("{address}/restore"), json!({ "at": head })).await,
        ] {
            assert_eq!((answer.status, &answer.json()["payload"]["etag"]), (412, &json!(new)), "{stale:?}");
        }
    }
    assert_eq!(app.head("ann/lab"), head);
    for good in [
        new.clone(),
        format!("\"{new}\""),
        format!("\"{new}.0badcafe\""),
        format!("W/\"{new}\""),
        format!("\"x\", {new}"),
    ] {
        ann.at(&good).patch(&format!("{address}?dry_run=true"), json!({ "author": "Bob" })).await.expect(200);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_write_that_changes_nothing_commits_nothing() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    let address = made.header("location").to_owned();
    let before = ann.get(&address).await;
    let head = app.head("ann/lab");
    let same = || before.inner()["content"].clone();
    for answer in [
        ann.at(&made.etag()).put(&address, same()).await,
        ann.at(&made.etag()).put(&address, yaml(SERVICE)).await,
        ann.at(&made.etag()).patch(&address, json!({})).await,
        ann.at(&made.etag()).patch(&address, json!({ "name": "firewall", "absent": null })).await,
        ann.post(&format!("{address}/move"), json!({ "path": "services/firewall.yml" })).await,
        ann.post(&format!("{address}/restore"), json!({ "at": head })).await,
    ] {
        assert_eq!((answer.status, answer.text()), (200, before.text()));
        assert_eq!(answer.header("etag"), before.header("etag"));
    }
    assert_eq!(app.head("ann/lab"), head);
    app.finish().await;
}

#[tokio::test]
async fn a_dry_run_answers_as_if() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    let address = made.header("location").to_owned();
    let before = (app.head("ann/lab"), ann.get("/api/v1/services").await.text());
    let dry = "dry_run=true";
    insta::assert_snapshot!(ann.post(&format!("{SERVICES}&{dry}"), service("new")).await.shown(), @r#"
    200
    etag: "[oid].[sum]"
    vary: Accept, Accept-Encoding
    {
      "service": {
        "id": null,
        "workspace": "ann/lab",
        "path": "services/org.example-new-1.0.yml",
        "etag": "[oid]",
        "created_at": "[time]",
        "updated_at": "[time]",
        "violations": [],
        "content": {
          "descriptor_version": "1",
          "vendor": "org.example",
          "name": "new",
          "version": "1.0"
        }
      }
    }
    "#);
    let put = ann.at("*").put(&format!("{address}?{dry}"), service("renamed")).await.expect(200);
    assert_eq!((put.id(), &put.inner()["content"]["name"]), (made.id(), &json!("renamed")));
    assert_ne!(put.etag(), made.etag());
    ann.at("*").patch(&format!("{address}?{dry}"), json!({ "author": "x" })).await.expect(200);
    ann.at("*").delete(&format!("{address}?{dry}")).await.expect(204);
    let moved = ann.post(&format!("{address}/move?{dry}"), json!({ "path": "services/x.yml" })).await.expect(200);
    assert_eq!(moved.inner()["path"], "services/x.yml");
    let changes = json!({ "changes": [{ "op": "put", "path": "a.txt", "absent": true, "text": "x" }] });
    let commits = format!("/api/v1/workspaces/ann/lab/commits?{dry}");
    insta::assert_snapshot!(ann.post(&commits, changes).await.shown(), @r#"
    200
    vary: accept-encoding
    {
      "commit": null,
      "changes": [
        {
          "path": "a.txt",
          "kind": null,
          "etag": "[oid]",
          "created": true,
          "violations": []
        }
      ]
    }
    "#);
    // It refuses what a real one refuses.
    ann.post(&format!("{SERVICES}&{dry}"), json!({ "name": "x" })).await.expect(422);
    ann.post(&format!("{SERVICES}&{dry}&path=services/firewall.yml"), service("x")).await.expect(409);
    ann.put(&format!("{address}?{dry}"), service("x")).await.expect(412);
    ann.at("*").put(&format!("{address}?dry_run=1"), service("x")).await.expect(400);
    app.as_user("bob").post(&format!("{SERVICES}&{dry}"), service("new")).await.expect(404);
    assert_eq!((app.head("ann/lab"), ann.get("/api/v1/services").await.text()), before);
    app.finish().await;
}

#[tokio::test]
async fn messages_say_what_happened() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    let address = made.header("location").to_owned();
    ann.at("*").patch(&address, json!({ "version": "1.11" })).await.expect(200);
    ann.at("*").patch(&format!("{address}?message=Because"), json!({ "version": "1.12" })).await.expect(200);
    ann.post(&format!("{address}/move"), json!({ "path": "services/wall.yml" })).await.expect(200);
    ann.post(&format!("{address}/restore"), json!({ "at": git::run(&app.tree("ann/lab"), &["rev-parse", "main~2"]) }))
        .await
        .expect(200);
    ann.at("*").delete(&address).await.expect(204);
    let changes = json!({ "changes": [
        { "op": "put", "path": "a.txt", "absent": true, "text": "x" },
        { "op": "put", "path": "services/x.yml", "absent": true, "content": service("x") },
    ] });
    app.as_user("root").post("/api/v1/workspaces/ann/lab/commits", changes).await.expect(201);
    let log = git::run(&app.tree("ann/lab"), &["log", "--min-parents=1", "--reverse", "--format=%an: %B"]);
    insta::assert_snapshot!(log, @"
    ann: service: create org.example/firewall 1.10

    ann: service: update org.example/firewall 1.11

    ann: Because

    ann: service: move services/firewall.yml to services/wall.yml

    Workleaf-Moved: services/firewall.yml -> services/wall.yml

    ann: service: update org.example/firewall 1.11

    ann: service: delete org.example/firewall 1.11

    root: file: create a.txt and 1 more

    - file: create a.txt
    - service: create org.example/x 1.0
    ");
    let head = app.head("ann/lab");
    ann.at("*").put(&format!("/api/v1/services/x?message={}", "x".repeat(10_001)), service("x")).await.expect(400);
    ann.at("*").put("/api/v1/services/x?message=a%00b", service("x")).await.expect(400);
    assert_eq!(app.head("ann/lab"), head);
    app.finish().await;
}
