//! Documents made, read, replaced and deleted.

use serde_json::json;

use super::samples::{SERVICE, SERVICES, firewall, lab, service, text};
use crate::support::{git, raw, yaml};

#[tokio::test]
async fn a_document_lives_as_json() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = ann.post(SERVICES, service("web")).await;
    insta::assert_snapshot!(made.shown(), @r#"
    201
    etag: "[oid].[sum]"
    location: /api/v1/services/[id]
    vary: Accept, Accept-Encoding
    {
      "service": {
        "id": [id],
        "workspace": "ann/lab",
        "path": "services/org.example-web-1.0.yml",
        "etag": "[oid]",
        "created_at": "[time]",
        "updated_at": "[time]",
        "violations": [],
        "content": {
          "descriptor_version": "1",
          "vendor": "org.example",
          "name": "web",
          "version": "1.0"
        }
      }
    }
    "#);
    let address = made.header("location").to_owned();
    let read = ann.get(&address).await.expect(200);
    assert_eq!((read.json(), read.header("etag")), (made.json(), made.header("etag")));
    assert_eq!(ann.get("/api/v1/services/web").await.text(), read.text(), "by name");

    let mut content = service("web");
    content["description"] = json!("Pages");
    let put = ann.at(made.header("etag")).put(&address, content.clone()).await.expect(200);
    assert_eq!(put.inner()["content"], content);
    assert_eq!(put.id(), made.id());
    assert_ne!(put.etag(), made.etag());
    assert_eq!(ann.get(&address).await.text(), put.text());

    insta::assert_snapshot!(ann.delete(&address).await.shown(), @r#"
    412
    vary: accept-encoding
    {
      "message": "'If-match' header must be provided",
      "status_code": 412,
      "payload": {}
    }
    "#);
    let gone = ann.at(&put.etag()).delete(&address).await.expect(204);
    assert!(gone.body.is_empty());
    insta::assert_snapshot!(ann.get("/api/v1/services/web").await.shown(), @r#"
    404
    vary: accept-encoding
    {
      "message": "there is no service \"web\"",
      "status_code": 404,
      "payload": {}
    }
    "#);
    ann.get(&address).await.expect(404);
    assert_eq!(
        git::subjects(&app.tree("ann/lab")),
        [
            "service: delete org.example/web 1.0",
            "service: update org.example/web 1.0",
            "service: create org.example/web 1.0",
            "Create the workspace",
        ]
    );
    app.finish().await;
}

#[tokio::test]
async fn yaml_is_stored_as_it_was_sent() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    insta::assert_snapshot!(made.shown(), @r#"
    201
    etag: "[oid].[sum]"
    location: /api/v1/services/[id]
    vary: Accept, Accept-Encoding
    {
      "service": {
        "id": [id],
        "workspace": "ann/lab",
        "path": "services/firewall.yml",
        "etag": "[oid]",
        "created_at": "[time]",
        "updated_at": "[time]",
        "violations": [],
        "content": {
          "descriptor_version": "1.0",
          "vendor": "org.example",
          "name": "firewall",
          "version": "1.10",
          "description": "Lets some through, keeps others out.\n",
          "licences": [
            {
              "type": "public"
            }
          ]
        }
      }
    }
    "#);
    let address = made.header("location").to_owned();
    let stored = std::fs::read_to_string(app.tree("ann/lab/services/firewall.yml")).expect("it is on disk");
    assert_eq!(stored, SERVICE);

    let read = ann.header("accept", "application/yaml").get(&address).await.expect(200);
    assert_eq!((read.text().as_str(), read.header("content-type")), (SERVICE, "application/yaml"));
    // The bytes have the blob's own tag, JSON one with a suffix; both are taken for writing.
    assert_eq!(read.header("etag"), format!("\"{}\"", made.etag()));
    let json = ann.get(&address).await;
    assert!(json.header("etag").starts_with(&format!("\"{}.", made.etag())));
    assert_eq!(json.header("vary"), "Accept, Accept-Encoding");
    ann.header("if-none-match", json.header("etag")).get(&address).await.expect(304);
    ann.header("if-none-match", read.header("etag")).get(&address).await.expect(200);
    ann.header("accept", "text/yaml").header("if-none-match", read.header("etag")).get(&address).await.expect(304);

    let odd = SERVICE.replace('\n', "\r\n");
    let put = ann.at(read.header("etag")).put(&address, yaml(odd.trim_end())).await.expect(200);
    assert_eq!(text(&ann, &address).await, odd.trim_end(), "line ends and the missing last one are kept");
    assert_eq!(put.inner()["content"]["version"], "1.10");
    ann.at(json.header("etag")).put(&address, yaml(SERVICE)).await.expect(412);
    ann.at(put.header("etag")).put(&address, yaml(SERVICE)).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn what_would_break_its_kind_is_refused_with_its_place() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let broken = SERVICE.replace("vendor: 'org.example'", "vendor: [Ann]").replace("{type: public}", "{type: privat}");
    let head = app.head("ann/lab");
    insta::assert_snapshot!(ann.post(SERVICES, yaml(broken)).await.shown(), @r#"
    422
    vary: accept-encoding
    {
      "message": "the document breaks its kind: vendor: must be a string, found a list",
      "status_code": 422,
      "payload": {
        "violations": [
          {
            "pointer": "/vendor",
            "line": 3,
            "column": 1,
            "message": "vendor: must be a string, found a list"
          },
          {
            "pointer": "/licences/0/type",
            "line": 11,
            "column": 4,
            "message": "type: \"privat\" is not one of \"public\", \"private\"; did you mean \"private\"?"
          }
        ]
      }
    }
    "#);
    insta::assert_snapshot!(ann.post(SERVICES, yaml(SERVICE.to_owned() + "name: again\n")).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "the document cannot be read: the key \"name\" is there twice, line 12, column 1",
      "status_code": 400,
      "payload": {
        "line": 12,
        "column": 1
      }
    }
    "#);
    // As JSON, the place is in the text that would be stored.
    insta::assert_snapshot!(ann.post(SERVICES, json!({ "name": "x", "colour": "red" })).await.shown(), @r#"
    422
    vary: accept-encoding
    {
      "message": "the document breaks its kind: missing \"descriptor_version\"",
      "status_code": 422,
      "payload": {
        "violations": [
          {
            "pointer": "",
            "line": 1,
            "column": 1,
            "message": "missing \"descriptor_version\""
          },
          {
            "pointer": "",
            "line": 1,
            "column": 1,
            "message": "missing \"vendor\""
          },
          {
            "pointer": "",
            "line": 1,
            "column": 1,
            "message": "missing \"version\""
          },
          {
            "pointer": "/colour",
            "line": 2,
            "column": 1,
            "message": "\"colour\" is not allowed here; allowed: descriptor_version, vendor, name, version, author, description, licences, service_specific_managers, network_functions, network_services, connection_points, virtual_links, …"
          }
        ]
      }
    }
    "#);
    insta::assert_snapshot!(ann.post(SERVICES, json!([1, 2])).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "cannot tell where the new service goes: file missing (its files are services/*.yml)",
      "status_code": 400,
      "payload": {}
    }
    "#);
    assert_eq!(app.head("ann/lab"), head);
    app.finish().await;
}

#[tokio::test]
async fn violations_that_are_there_may_stay() {
    let mut app = lab().await;
    firewall(&app.as_user("ann")).await;
    // By hand nothing is refused.
    let tree = app.tree("ann/lab");
    app.restart_after(|_| {
        let file = tree.join("services/firewall.yml");
        let broken = SERVICE.replace("vendor: 'org.example'", "vendor: [Ann]");
        std::fs::write(&file, broken).expect("the file can be written");
        git::run(&tree, &["commit", "-qam", "By hand"]);
    })
    .await;
    let ann = app.as_user("ann");
    let read = ann.get("/api/v1/services/firewall").await.expect(200);
    insta::assert_json_snapshot!(read.inner()["violations"], @r#"
    [
      {
        "pointer": "/vendor",
        "line": 3,
        "column": 1,
        "message": "vendor: must be a string, found a list"
      }
    ]
    "#);
    let address = format!("/api/v1/services/{}", read.id());
    assert_eq!(ann.get("/api/v1/services?where=violations:>0").await.json()["_meta"]["count"], 1);
    assert_eq!(ann.get("/api/v1/workspaces/ann/lab").await.json()["workspace"]["violations"], 1);

    // Something else may change, and moves the old one to another line.
    let patched = ann.at(&read.etag()).patch(&address, json!({ "author": "Ann" })).await.expect(200);
    assert_eq!(patched.inner()["violations"].as_array().map(Vec::len), Some(1));
    // No new one may come.
    let refused = ann.at("*").patch(&address, json!({ "name": 5 })).await.expect(422);
    let violations = refused.json()["payload"]["violations"].clone();
    assert_eq!((violations.as_array().map(Vec::len), &violations[0]["pointer"]), (Some(1), &json!("/name")));
    // Nor the old one come back once it is gone.
    ann.at("*").patch(&address, json!({ "vendor": "org.example" })).await.expect(200);
    ann.at("*").patch(&address, json!({ "vendor": ["Ann"] })).await.expect(422);
    app.finish().await;
}

#[tokio::test]
async fn a_json_file_stays_one() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let sent = "{\n    \"name\": \"plan\",\n    \"size_dataset\": \"\", \"x\": 1.0\n}\n";
    let path = "/api/v1/workspaces/ann/lab/files/dmps/64/plan.json";
    let put = ann.put(path, raw(sent)).await.expect(201);
    assert_eq!(put.inner()["kind"], "dmp");
    let patched = ann.at(&put.etag()).patch("/api/v1/dmps/plan", json!({ "purpose": "To show" })).await.expect(200);
    insta::assert_snapshot!(ann.get(path).await.text(), @r#"
    {
        "name": "plan",
        "size_dataset": "", "x": 1.0,
        "purpose": "To show"
    }
    "#);
    // YAML is taken for it, and stored as JSON.
    ann.at(&patched.etag()).put("/api/v1/dmps/plan", yaml("name: other # not kept\nx: 1.0\n")).await.expect(200);
    insta::assert_snapshot!(ann.get(path).await.text(), @r#"
    {
        "name": "other",
        "x": 1.0
    }
    "#);
    let read = ann.header("accept", "application/yaml").get("/api/v1/dmps/plan").await.expect(200);
    assert_eq!(read.header("content-type"), "application/json", "the stored bytes, whatever they are");
    // Under a shard that is not its own, it is no plan.
    assert_eq!(
        ann.put("/api/v1/workspaces/ann/lab/files/dmps/00/plan.json", raw("{}")).await.expect(201).inner()["kind"],
        json!(null)
    );
    app.finish().await;
}
