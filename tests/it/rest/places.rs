//! Where documents go, and how they are found again.

use serde_json::json;

use super::samples::{SERVICES, firewall, lab, service};
use crate::support::TestApp;

#[tokio::test]
async fn places_come_from_the_path_or_the_pattern() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let path = |answer: &crate::support::Answer| answer.inner()["path"].as_str().expect("a path").to_owned();
    let by_pattern = ann.post(&format!("{SERVICES}&project=shop"), service("web")).await.expect(201);
    insta::assert_snapshot!(path(&by_pattern), @"projects/shop/sources/nsd/org.example-web-1.0.yml");
    insta::assert_snapshot!(path(&ann.post(SERVICES, service("mail")).await.expect(201)), @"services/org.example-mail-1.0.yml");
    let given = ann.post(&format!("{SERVICES}&path=projects/shop/sources/nsd/deep/er.yaml"), service("deep")).await;
    assert_eq!(path(&given), "projects/shop/sources/nsd/deep/er.yaml");
    insta::assert_snapshot!(path(&ann.post("/api/v1/dmps?workspace=ann/lab&id=plan-1", json!({ "name": "p" })).await.expect(201)), @"dmps/e2/plan-1.json");
    // The server makes up an id.
    let made = ann.post("/api/v1/dmps?workspace=ann/lab", json!({ "name": "p" })).await.expect(201);
    assert_eq!(made.id().len(), 36);
    assert_eq!(made.header("location"), format!("/api/v1/dmps/{}", made.id()));

    let head = app.head("ann/lab");
    insta::assert_snapshot!(ann.post(&format!("{SERVICES}&path=elsewhere/x.yml"), service("x")).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "elsewhere/x.yml is not a place for a service",
      "status_code": 400,
      "payload": {
        "patterns": [
          "projects/{project}/sources/nsd/*.yml",
          "projects/{project}/sources/nsd/**/*.yml",
          "projects/{project}/sources/nsd/**/*.yaml",
          "services/*.yml",
          "services/*.yaml",
          "catalogues/ns_catalogue/*/*/*/descriptor.yml",
          "ns/*/*/*/descriptor.yml"
        ]
      }
    }
    "#);
    insta::assert_snapshot!(ann.post(&format!("{SERVICES}&project=shop"), service("web")).await.shown(), @r#"
    409
    vary: accept-encoding
    {
      "message": "the file projects/shop/sources/nsd/org.example-web-1.0.yml exists already",
      "status_code": 409,
      "payload": {}
    }
    "#);
    insta::assert_snapshot!(ann.post("/api/v1/services", service("x")).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "say where: add ?workspace=OWNER/NAME",
      "status_code": 400,
      "payload": {}
    }
    "#);
    insta::assert_snapshot!(ann.post(&format!("{SERVICES}&colour=red"), service("x")).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "unknown parameter \"colour\"",
      "status_code": 400,
      "payload": {
        "valid_parameters": [
          "workspace",
          "path",
          "project",
          "file",
          "message",
          "dry_run"
        ]
      }
    }
    "#);
    ann.post("/api/v1/services?workspace=ann/absent", service("x")).await.expect(404);
    ann.post("/api/v1/services?workspace=lab", service("x")).await.expect(400);
    ann.post(&format!("{SERVICES}&path=projects/%2e%2e/sources/nsd/x.yml"), service("x")).await.expect(400);
    // A twin by case of a folder that is there.
    ann.post(&format!("{SERVICES}&project=SHOP"), service("x")).await.expect(409);
    assert_eq!(app.head("ann/lab"), head);
    app.finish().await;
}

#[tokio::test]
async fn names_find_what_is_unambiguous() {
    let app = lab().await;
    let ann = app.as_user("ann");
    app.workspace("bob/lab").await;
    ann.post(SERVICES, service("web")).await.expect(201);
    app.as_user("bob").post("/api/v1/services?workspace=bob/lab", service("web")).await.expect(201);
    // Bob's is none of Ann's business.
    assert_eq!(ann.get("/api/v1/services/web").await.expect(200).inner()["workspace"], "ann/lab");
    app.as_user("root").get("/api/v1/services/web").await.expect(409);
    ann.post(&format!("{SERVICES}&path=services/other.yml"), service("web")).await.expect(201);
    insta::assert_snapshot!(ann.get("/api/v1/services/web").await.shown(), @r#"
    409
    vary: accept-encoding
    {
      "message": "\"web\" is the name of several documents: use the id of one",
      "status_code": 409,
      "payload": {
        "candidates": [
          {
            "kind": "service",
            "id": [id],
            "workspace": "ann/lab",
            "path": "services/org.example-web-1.0.yml"
          },
          {
            "kind": "service",
            "id": [id],
            "workspace": "ann/lab",
            "path": "services/other.yml"
          }
        ]
      }
    }
    "#);
    ann.at("*").put("/api/v1/services/web", service("web")).await.expect(409);
    ann.at("*").delete("/api/v1/services/web").await.expect(409);
    // Names with signs that an address has to escape; and one that looks like an id.
    let made = ann.post("/api/v1/dmps?workspace=ann/lab", json!({ "name": "50% of/ä?" })).await.expect(201);
    assert_eq!(ann.get("/api/v1/dmps/50%25%20of%2F%C3%A4%3F").await.expect(200).id(), made.id());
    let other = ann.post("/api/v1/dmps?workspace=ann/lab&id=other", json!({ "name": made.id() })).await.expect(201);
    assert_eq!(
        ann.get(&format!("/api/v1/dmps/{}", made.id())).await.expect(200).inner()["content"]["name"],
        "50% of/ä?"
    );
    assert_eq!(ann.get("/api/v1/dmps/other").await.expect(200).id(), other.id());
    app.finish().await;
}

#[tokio::test]
async fn fields_and_embeds_of_one() {
    let app = lab().await;
    let ann = app.as_user("ann");
    firewall(&ann).await;
    insta::assert_snapshot!(ann.get("/api/v1/services/firewall?fields=path,name,licence").await.shown(), @r#"
    200
    etag: "[oid].[sum]"
    vary: Accept, Accept-Encoding
    {
      "service": {
        "path": "services/firewall.yml",
        "content": {
          "name": "firewall",
          "licence": "public"
        }
      }
    }
    "#);
    insta::assert_snapshot!(ann.get("/api/v1/services/firewall?fields=colour").await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "fields: a service has no field \"colour\"",
      "status_code": 400,
      "payload": {
        "valid_fields": [
          "id",
          "workspace",
          "path",
          "etag",
          "created_at",
          "updated_at",
          "violations",
          "project",
          "vendor",
          "name",
          "version",
          "descriptor_version",
          "author",
          "description",
          "licence",
          "vnf_id",
          "vnf_vendor",
          "vnf_name",
          "vnf_version",
          "ns_name",
          "connection_point",
          "interface",
          "virtual_link",
          "connectivity_type",
          "forwarding_graph",
          "manager",
          "depends_on",
          "content"
        ]
      }
    }
    "#);
    insta::assert_snapshot!(ann.get("/api/v1/services/firewall?embed=colour").await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "a service has no link \"colour\" to embed",
      "status_code": 400,
      "payload": {
        "valid_embeds": [
          "functions",
          "services"
        ]
      }
    }
    "#);
    ann.get("/api/v1/services/firewall?limit=1").await.expect(400);
    ann.get("/api/v1/services/firewall?fields=id&fields=path").await.expect(400);
    app.finish().await;
}

#[tokio::test]
async fn a_reader_of_everything_finds_an_empty_server() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    for plural in ["projects", "services", "functions", "products", "dmps", "madmps"] {
        let answer = ann.get(&format!("/api/v1/{plural}")).await.expect(200).json();
        assert_eq!(answer, json!({ plural: [], "_meta": { "count": 0, "limit": 20, "offset": 0 } }));
        app.anonymous().get(&format!("/api/v1/{plural}")).await.expect(401);
        ann.get(&format!("/api/v1/{plural}/1")).await.expect(404);
        app.anonymous().get(&format!("/api/v1/{plural}/1")).await.expect(401);
    }
    app.finish().await;
}
