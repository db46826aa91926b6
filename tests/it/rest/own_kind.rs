//! A kind that no code knows works at once, everywhere.

use serde_json::{Value, json};
use workleaf::config::Config;

use crate::support::{Client, TestApp, yaml};

const KIND: &str = "\
kind: gadget
plural: gadgets
title: Gadget
description: Something with a value of every type.
file: [\"gadgets/{room}/*.yml\", \"gadgets/{room}/*.json\"]
schema: schema.json
starter: starter.yml
index:
  name: text
  colour: keyword
  weight: number
  made: date
  spare: boolean
  release: version
  tag: { type: keyword, at: /tags }
  size: { type: number, at: /sizes/*/cm }
unique: [name]
label: \"{name} ({colour})\"
links:
  parts: { to: gadget, each: parts, match: { name: /name } }
  box: { to: gadget, match: { name: box }, on_delete: cascade }
";

const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["name"],
  "additionalProperties": false,
  "properties": {
    "name": { "type": "string" }, "colour": { "type": "string" }, "weight": { "type": "number" },
    "made": { "type": "string" }, "spare": { "type": "boolean" }, "release": { "type": "string" },
    "tags": { "type": "array", "items": { "type": "string" } },
    "sizes": { "type": "array", "items": { "type": "object" } },
    "parts": { "type": "array" }, "box": { "type": "string" }, "notes": { "type": "string", "pattern": "^(a+)+$|." }
  }
}"#;

/// A server that knows gadgets, with the workspace `ann/lab`.
pub(super) async fn with_gadgets() -> TestApp {
    let app = TestApp::open_with(|dir, config: &mut Config| {
        let kind = dir.join("templates/gadget");
        std::fs::create_dir_all(&kind).expect("a folder");
        for (name, text) in [("kind.yaml", KIND), ("schema.json", SCHEMA), ("starter.yml", "name: thing\n")] {
            std::fs::write(kind.join(name), text).expect("it can be written");
        }
        config.templates = vec![dir.join("templates")];
    })
    .await;
    app.workspace("ann/lab").await;
    app
}

/// Makes a gadget in the room `a`.
pub(super) async fn gadget(client: &Client, content: Value) {
    let name = content["name"].as_str().expect("a name").to_owned();
    let address = format!("/api/v1/gadgets?workspace=ann/lab&path=gadgets/a/{name}.yml");
    client.post(&address, content).await.expect(201);
}

#[tokio::test]
async fn a_kind_of_ones_own_is_served_like_any_other() {
    let mut app = with_gadgets().await;
    let ann = app.as_user("ann");
    let kind = ann.get("/api/v1/kinds/gadget").await.expect(200).inner();
    assert_eq!((&kind["starter"], &kind["schema"]["required"]), (&json!("name: thing\n"), &json!(["name"])));
    insta::assert_snapshot!(kind["fields"].to_string(), @r#"[{"name":"id","type":"keyword"},{"name":"workspace","type":"keyword"},{"name":"path","type":"keyword"},{"name":"etag","type":"keyword"},{"name":"created_at","type":"date"},{"name":"updated_at","type":"date"},{"name":"violations","type":"number"},{"name":"room","type":"keyword"},{"name":"name","type":"text"},{"name":"colour","type":"keyword"},{"name":"weight","type":"number"},{"name":"made","type":"date"},{"name":"spare","type":"boolean"},{"name":"release","type":"version"},{"name":"tag","type":"keyword"},{"name":"size","type":"number"}]"#);
    insta::assert_snapshot!(kind["links"].to_string(), @r#"[{"name":"parts","to":"gadget","within":null,"each":"/parts","match":{"name":"/name"},"on_delete":"refuse"},{"name":"box","to":"gadget","within":null,"each":null,"match":{"name":"/box"},"on_delete":"cascade"}]"#);
    let text = "# Mine\nname: lamp   # of the desk\nrelease: \"1.10\"\n";
    let made = ann.post("/api/v1/gadgets?workspace=ann/lab&room=hall", yaml(text)).await;
    insta::assert_snapshot!(made.shown(), @r#"
    201
    etag: "[oid].[sum]"
    location: /api/v1/gadgets/[id]
    vary: Accept, Accept-Encoding
    {
      "gadget": {
        "id": [id],
        "workspace": "ann/lab",
        "path": "gadgets/hall/lamp.yml",
        "etag": "[oid]",
        "created_at": "[time]",
        "updated_at": "[time]",
        "violations": [],
        "content": {
          "name": "lamp",
          "release": "1.10"
        }
      }
    }
    "#);
    let address = made.header("location").to_owned();

    insta::assert_snapshot!(ann.at("*").patch(&address, json!({ "wieght": 2 })).await.shown(), @r#"
    422
    vary: accept-encoding
    {
      "message": "the document breaks its kind: \"wieght\" is not allowed here; did you mean \"weight\"?",
      "status_code": 422,
      "payload": {
        "violations": [
          {
            "pointer": "/wieght",
            "line": 4,
            "column": 1,
            "message": "\"wieght\" is not allowed here; did you mean \"weight\"?"
          }
        ]
      }
    }
    "#);
    ann.at(&made.etag()).patch(&address, json!({ "weight": 2.5, "colour": "red" })).await.expect(200);
    let stored = ann.header("accept", "application/yaml").get("/api/v1/gadgets/lamp").await.text();
    insta::assert_snapshot!(stored, @r#"
    # Mine
    name: lamp   # of the desk
    release: "1.10"
    weight: 2.5
    colour: red
    "#);
    ann.at("*")
        .put(&address, json!({ "name": "lamp", "colour": "green", "notes": "shines brightly" }))
        .await
        .expect(200);
    ann.post("/api/v1/gadgets?workspace=ann/lab&room=attic", json!({ "name": "lamp" })).await.expect(409);
    ann.post(
        "/api/v1/gadgets?workspace=ann/lab&room=hall",
        json!({ "name": "cable", "parts": [{ "name": "lamp" }, { "name": "none" }] }),
    )
    .await
    .expect(201);

    let list = ann.get("/api/v1/gadgets?where=colour:gr*,room:hall&q=brightly&facets=colour&fields=name,room").await;
    insta::assert_snapshot!(list.shown(), @r#"
    200
    vary: accept-encoding
    {
      "gadgets": [
        {
          "snippet": "lamp\ngreen\nshines <b>brightly</b>",
          "content": {
            "name": "lamp",
            "room": "hall"
          }
        }
      ],
      "_meta": {
        "count": 1,
        "limit": 20,
        "offset": 0,
        "facets": {
          "colour": [
            {
              "value": "green",
              "count": 1
            }
          ]
        }
      }
    }
    "#);
    let embedded = ann.get("/api/v1/gadgets/cable?embed=parts.parts").await.expect(200).inner()["embedded"].clone();
    assert_eq!((&embedded["parts"][0]["content"]["name"], &embedded["parts"][1]), (&json!("lamp"), &json!(null)));
    ann.at("*").delete(&address).await.expect(409);
    assert_eq!(ann.get(&format!("{address}/referrers")).await.json()["_meta"]["count"], 1);

    ann.post(&format!("{address}/move"), json!({ "path": "gadgets/attic/lamp.yml" })).await.expect(200);
    assert_eq!(ann.get("/api/v1/gadgets?where=room:attic").await.json()["gadgets"][0]["id"].to_string(), made.id());
    let history = ann.get(&format!("{address}/history")).await.expect(200).json();
    assert_eq!(history["_meta"]["count"], 4);
    let first = history["history"][3]["commit"].as_str().expect("a commit").to_owned();
    assert_eq!(history["history"][3]["message"], "gadget: create lamp");
    ann.get(&format!("{address}/diff?from={first}")).await.expect(200);
    ann.post(&format!("{address}/restore"), json!({ "at": first })).await.expect(200);
    assert_eq!(ann.header("accept", "application/yaml").get(&address).await.text(), text);

    let page = ann.get("/openapi.json").await.expect(200).json();
    assert!(page["paths"]["/api/v1/gadgets/{id}/restore"]["post"].is_object());
    assert_eq!(page["components"]["schemas"]["gadget"]["properties"]["weight"]["type"], "number");
    assert_eq!(ann.get("/api/v1").await.json()["documents"]["gadget"], "/api/v1/gadgets");
    assert_eq!(ann.get("/api/v1/workspaces/ann/lab").await.json()["workspace"]["documents"]["gadget"], 2);

    // What links with cascade goes along, in the same commit.
    ann.post("/api/v1/gadgets?workspace=ann/lab&room=hall", json!({ "name": "crate" })).await.expect(201);
    ann.post("/api/v1/gadgets?workspace=ann/lab&room=hall", json!({ "name": "bolt", "box": "crate" }))
        .await
        .expect(201);
    let head = app.head("ann/lab");
    ann.at("*").delete("/api/v1/gadgets/crate").await.expect(204);
    ann.get("/api/v1/gadgets/bolt").await.expect(404);
    assert_eq!(crate::support::git::run(&app.tree("ann/lab"), &["rev-parse", "main^"]), head);

    // Gone with its folder, files stay; back with it, so is everything.
    app.restart_after(|_| {}).await;
    assert_eq!(app.as_user("ann").get(&address).await.expect(200).id(), made.id());
    app.finish().await;
}

#[test]
fn check_knows_it_too() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let kind = dir.path().join("gadget");
    std::fs::create_dir_all(&kind).expect("a folder");
    for (name, text) in [("kind.yaml", KIND), ("schema.json", SCHEMA), ("starter.yml", "name: thing\n")] {
        std::fs::write(kind.join(name), text).expect("it can be written");
    }
    let kinds = workleaf::kinds::load(&[dir.path().to_owned()]).expect("the kinds fit together");
    let (kind, captures) = kinds.claim("gadgets/hall/lamp.yml").expect("a gadget");
    assert_eq!((&*kind.name, captures.get("room")), ("gadget", Some("hall")));
    assert!(kinds.claim("gadgets/lamp.yml").is_none());
}
