//! Links: embedded, followed back, and in the way of a deletion.

use serde_json::{Value, json};

use super::samples::{function, lab, service};
use crate::support::{Answer, Client, TestApp};

const PLACE: &str = "workspace=ann/lab&project=shop";

/// A service that uses functions, each `name version`.
fn using(name: &str, functions: &[&str]) -> Value {
    let mut content = service(name);
    content["network_functions"] = functions
        .iter()
        .enumerate()
        .map(|(at, used)| {
            let (name, version) = used.split_once(' ').expect("name and version");
            json!({ "vnf_id": format!("f{at}"), "vnf_vendor": "org.example", "vnf_name": name, "vnf_version": version })
        })
        .collect();
    content
}

async fn add(client: &Client, plural: &str, content: Value) -> Answer {
    client.post(&format!("/api/v1/{plural}?{PLACE}"), content).await.expect(201)
}

async fn shop() -> (TestApp, Client) {
    let app = lab().await;
    let ann = app.as_user("ann");
    add(&ann, "functions", function("cache", "0.1")).await;
    add(&ann, "functions", function("cache", "0.2")).await;
    add(&ann, "functions", function("proxy", "1.0")).await;
    add(&ann, "services", using("web", &["cache 0.2", "proxy 1.0", "absent 1.0"])).await;
    add(&ann, "services", using("any", &["cache >= 0.1"])).await;
    // Of another project, so it links to nothing here.
    let far = "/api/v1/services?workspace=ann/lab&project=far";
    ann.post(far, using("far", &["proxy 1.0"])).await.expect(201);
    (app, ann)
}

#[tokio::test]
async fn links_are_embedded() {
    let (app, ann) = shop().await;
    let web = ann.get("/api/v1/services/web?embed=functions&fields=path").await.expect(200);
    insta::assert_snapshot!(web.shown(), @r#"
    200
    etag: "[oid].[sum]"
    vary: Accept, Accept-Encoding
    {
      "service": {
        "path": "projects/shop/sources/nsd/org.example-web-1.0.yml",
        "embedded": {
          "functions": [
            {
              "id": [id],
              "workspace": "ann/lab",
              "path": "projects/shop/sources/vnf/cache/org.example-cache-0.2.yml",
              "etag": "[oid]",
              "created_at": "[time]",
              "updated_at": "[time]",
              "violations": [],
              "content": {
                "descriptor_version": "1",
                "vendor": "org.example",
                "name": "cache",
                "version": "0.2",
                "virtual_deployment_units": [
                  {
                    "id": "vdu",
                    "vm_image": "image",
                    "resource_requirements": {
                      "cpu": {
                        "vcpus": 1
                      },
                      "memory": {
                        "size": 1
                      },
                      "storage": {
                        "size": 1
                      }
                    }
                  }
                ]
              }
            },
            {
              "id": [id],
              "workspace": "ann/lab",
              "path": "projects/shop/sources/vnf/proxy/org.example-proxy-1.0.yml",
              "etag": "[oid]",
              "created_at": "[time]",
              "updated_at": "[time]",
              "violations": [],
              "content": {
                "descriptor_version": "1",
                "vendor": "org.example",
                "name": "proxy",
                "version": "1.0",
                "virtual_deployment_units": [
                  {
                    "id": "vdu",
                    "vm_image": "image",
                    "resource_requirements": {
                      "cpu": {
                        "vcpus": 1
                      },
                      "memory": {
                        "size": 1
                      },
                      "storage": {
                        "size": 1
                      }
                    }
                  }
                ]
              }
            },
            null
          ]
        }
      }
    }
    "#);
    let list = ann.get("/api/v1/services?embed=functions&sort=name").await.expect(200).json();
    let shown: Vec<String> = list["services"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            let targets = one["embedded"]["functions"].as_array().expect("a list");
            let names: Vec<String> =
                targets.iter().map(|t| format!("{} {}", t["content"]["name"], t["content"]["version"])).collect();
            format!("{}: {}", one["content"]["name"], names.join(", "))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    "any": "cache" "0.2"
    "far": null null
    "web": "cache" "0.2", "proxy" "1.0", null null
    "#);
    ann.get("/api/v1/services?embed=colours").await.expect(400);
    ann.get("/api/v1/services?embed=functions.colours").await.expect(400);
    ann.get("/api/v1/services?embed=functions.").await.expect(400);
    app.finish().await;
}

#[tokio::test]
async fn links_are_embedded_in_embedded_ones() {
    let (app, ann) = shop().await;
    let mut outer = service("outer");
    outer["network_services"] = json!(["web"]);
    // The format of generation 0 names contained services by identity.
    let file = "/api/v1/workspaces/ann/lab/files/workspace.yml";
    ann.put(file, crate::support::yaml("schema_index: 0\n")).await.expect(201);
    outer["network_services"] =
        json!([{ "ns_id": "in", "ns_vendor": "org.example", "ns_name": "web", "ns_version": "1.0" }]);
    add(&ann, "services", outer).await;
    let deep = ann.get("/api/v1/services/outer?embed=services.functions,functions").await.expect(200).inner();
    let inner = &deep["embedded"]["services"][0];
    assert_eq!(inner["content"]["name"], "web");
    assert_eq!(inner["embedded"]["functions"][1]["content"]["name"], "proxy");
    assert_eq!(inner["embedded"]["functions"][2], json!(null));
    assert_eq!(deep["embedded"]["functions"], json!([]));
    // A service that contains itself ends where it is told to.
    let mut round = service("round");
    round["network_services"] =
        json!([{ "ns_id": "me", "ns_vendor": "org.example", "ns_name": "round", "ns_version": "1.0" }]);
    add(&ann, "services", round).await;
    let deep = ann.get("/api/v1/services/round?embed=services.services").await.expect(200).inner();
    assert_eq!(deep["embedded"]["services"][0]["embedded"]["services"][0]["content"]["name"], "round");
    ann.at("*").delete("/api/v1/services/round").await.expect(204);
    app.finish().await;
}

#[tokio::test]
async fn what_is_used_cannot_be_deleted() {
    let (app, ann) = shop().await;
    let id = |name: &'static str, version: &'static str| {
        let ann = ann.clone();
        async move {
            let found = ann.get(&format!("/api/v1/functions?where=name:{name},version:{version}")).await.expect(200);
            found.json()["functions"][0]["id"].to_string()
        }
    };
    let proxy = format!("/api/v1/functions/{}", id("proxy", "1.0").await);
    insta::assert_snapshot!(ann.get(&format!("{proxy}/referrers")).await.shown(), @r#"
    200
    vary: accept-encoding
    {
      "referrers": [
        {
          "kind": "service",
          "id": [id],
          "workspace": "ann/lab",
          "path": "projects/shop/sources/nsd/org.example-web-1.0.yml",
          "etag": "[oid]"
        }
      ],
      "_meta": {
        "count": 1,
        "limit": 20,
        "offset": 0
      }
    }
    "#);
    insta::assert_snapshot!(ann.at("*").delete(&proxy).await.shown(), @r#"
    409
    vary: accept-encoding
    {
      "message": "other documents link to this one: change or delete them first",
      "status_code": 409,
      "payload": {
        "referrers": [
          {
            "kind": "service",
            "id": [id],
            "workspace": "ann/lab",
            "path": "projects/shop/sources/nsd/org.example-web-1.0.yml"
          }
        ]
      }
    }
    "#);
    ann.at("*").delete(&format!("{proxy}?dry_run=true")).await.expect(409);
    // As a file it is used just the same, and in a commit of several changes.
    let path = ann.get(&proxy).await.inner()["path"].as_str().expect("a path").to_owned();
    ann.at("*").delete(&format!("/api/v1/workspaces/ann/lab/files/{path}")).await.expect(409);

    // A version with an operator is a user of every version that fits.
    let used = async |address: String| {
        let found = ann.get(&format!("{address}/referrers")).await.expect(200).json();
        let paths = found["referrers"].as_array().expect("a list").iter().map(|r| r["path"].to_string());
        paths.collect::<Vec<_>>().join(" ")
    };
    let (old, new) = (id("cache", "0.1").await, id("cache", "0.2").await);
    insta::assert_snapshot!(used(format!("/api/v1/functions/{old}")).await, @r#""projects/shop/sources/nsd/org.example-any-1.0.yml""#);
    insta::assert_snapshot!(used(format!("/api/v1/functions/{new}")).await, @r#""projects/shop/sources/nsd/org.example-any-1.0.yml" "projects/shop/sources/nsd/org.example-web-1.0.yml""#);
    let page = ann.get(&format!("/api/v1/functions/{new}/referrers?limit=1&offset=1")).await.expect(200).json();
    assert_eq!((&page["_meta"]["count"], page["referrers"].as_array().map(Vec::len)), (&json!(2), Some(1)));

    // Once nobody uses it, it may go; in one commit with its users at the latest.
    let both = json!({ "changes": [
        { "op": "delete", "path": "projects/shop/sources/nsd/org.example-web-1.0.yml", "etag": "*" },
        { "op": "delete", "path": path, "etag": "*" },
    ] });
    ann.post("/api/v1/workspaces/ann/lab/commits", both).await.expect(201);
    ann.get(&proxy).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn of_several_versions_that_fit_the_newest_is_embedded() {
    let (app, ann) = shop().await;
    for version in ["0.10", "0.9", "0.3"] {
        add(&ann, "functions", function("cache", version)).await;
    }
    add(&ann, "services", using("old", &["cache <= 0.9", "cache 0.1", "cache >= 0.1", "cache >= 2"])).await;
    let embedded = ann.get("/api/v1/services/old?embed=functions").await.expect(200).inner()["embedded"].clone();
    let versions: Vec<&Value> =
        embedded["functions"].as_array().expect("a list").iter().map(|one| &one["content"]["version"]).collect();
    assert_eq!(versions, [&json!("0.9"), &json!("0.1"), &json!("0.10"), &Value::Null]);
    // The same for every row of a list, whoever asks for what.
    for at in 0..30 {
        add(&ann, "services", using(&format!("s{at}"), &[&format!("cache >= 0.{}", at % 12), "proxy 1.0"])).await;
    }
    let list = ann.get("/api/v1/services?limit=1000&where=name:s*&embed=functions").await.expect(200).json();
    let rows = list["services"].as_array().expect("a list");
    assert_eq!(rows.len(), 30);
    for (at, row) in rows.iter().enumerate() {
        let found = |nth: usize| row["embedded"]["functions"][nth]["content"]["version"].clone();
        let newest = if at % 12 > 10 { Value::Null } else { json!("0.10") };
        assert_eq!((found(0), found(1)), (newest, json!("1.0")), "{row}");
    }
    app.finish().await;
}
