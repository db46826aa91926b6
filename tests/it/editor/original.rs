//! What the original's own tests ask of functions and services (contracts/editor.md 5), on a project
//! as it is made here: with a sample service and the function that it uses.

use serde_json::{Value, json};

use super::desk::{function, image, service};
use super::{at, open, project, workspace};
use crate::support::{Answer, Client, TestApp};

/// A new project of Ann's, its address, its functions and services.
struct Sample {
    app: TestApp,
    ann: Client,
    at: String,
}

impl Sample {
    async fn open() -> Self {
        let app = open().await;
        let ann = app.as_user("ann");
        let workspace = workspace(&ann, "ws_a").await;
        let project = project(&ann, &workspace, "project_a").await;
        let at = format!("{}/projects/{}", at(&workspace), project["id"]);
        Sample { app, ann, at }
    }

    async fn list(&self, sort: &str) -> Vec<Value> {
        let list = self.ann.get(&format!("{}/{sort}/", self.at)).await.expect(200).json();
        list.as_array().expect("a list").clone()
    }

    async fn post(&self, sort: &str, body: Value) -> Answer {
        self.ann.post(&format!("{}/{sort}/", self.at), body).await
    }

    async fn put(&self, sort: &str, id: &Value, body: Value) -> Answer {
        self.ann.put(&format!("{}/{sort}/{id}", self.at), body).await
    }
}

#[tokio::test]
async fn function_test() {
    let sample = Sample::open().await;
    let post = async |descriptor: Value| sample.post("functions", json!({ "descriptor": descriptor })).await;
    let fixture = post(function("de.upb.cs.cn.pgsandman", "vnf-fixture", "0.0.1")).await.expect(201).json();
    // test_create_function
    let made = post(function("de.upb.cs.cn.pgsandman", "vnf-1", "0.0.1")).await.expect(201).json();
    assert_eq!(made["descriptor"]["name"], "vnf-1");
    let mut bad = function("de.upb.cs.cn.pgsandman", "vnf 2", "0.0.1");
    post(bad.clone()).await.expect(400);
    bad.as_object_mut().expect("an object").remove("vendor");
    post(bad).await.expect(400);
    // test_get_specific_function
    let one = sample.ann.get(&format!("{}/functions/{}", sample.at, made["id"])).await.expect(200).json();
    for key in ["vendor", "name", "version"] {
        assert_eq!(one["descriptor"][key], made["descriptor"][key]);
    }
    // test_get_function
    let list = sample.list("functions").await;
    assert_eq!(list.len(), 3);
    assert_eq!((&list[1]["id"], &list[2]["id"]), (&fixture["id"], &made["id"]));
    // test_update_function
    let put = async |id: &Value, descriptor: &Value, mode: &str| {
        sample.put("functions", id, json!({ "descriptor": descriptor, "edit_mode": mode })).await
    };
    let renamed = function("de.upb.cs.cn.pgsandman", "vnf-renamed", "0.0.1");
    assert_eq!(put(&made["id"], &renamed, "replace_refs").await.expect(200).json()["descriptor"], renamed);
    put(&made["id"], &fixture["descriptor"], "replace_refs").await.expect(409);
    let referenced = &list[0];
    let mut descriptor = referenced["descriptor"].clone();
    descriptor["name"] = json!("vnf-sample-renamed");
    let answer = put(&referenced["id"], &descriptor, "replace_refs").await.expect(200).json();
    assert_eq!((&answer["id"], &answer["descriptor"]), (&referenced["id"], &descriptor));
    let user = &sample.list("services").await[0];
    assert_eq!(user["descriptor"]["network_functions"][0]["vnf_name"], "vnf-sample-renamed");
    descriptor["name"] = json!("vnf-sample-copied");
    let copied = put(&referenced["id"], &descriptor, "create_new").await.expect(200).json();
    assert_eq!(copied["descriptor"], descriptor);
    assert_ne!(copied["id"], referenced["id"]);
    // The files beside it are there for both.
    for id in [&referenced["id"], &copied["id"]] {
        let images = sample.ann.get(&format!("{}/functions/{id}/upload", sample.at)).await.expect(200).json();
        assert_eq!(images, json!(["sample_docker"]));
    }
    descriptor["name"] = json!("name with space");
    sample.put("functions", &referenced["id"], json!({ "descriptor": descriptor })).await.expect(400);
    // test_delete_function
    sample.ann.delete(&format!("{}/functions/{}", sample.at, made["id"])).await.expect(200);
    sample.ann.delete(&format!("{}/functions/{}", sample.at, referenced["id"])).await.expect(400);
    sample.app.finish().await;
}

#[tokio::test]
async fn serviceapi() {
    let sample = Sample::open().await;
    let post = async |descriptor: Value| {
        sample.post("services", json!({ "descriptor": descriptor, "meta": { "positions": [] } })).await
    };
    // test_create_service
    let made = post(service("de.upb.cs.cn.pgsandman", "ns-1", "0.0.1", &[])).await.expect(201).json();
    let one = sample.ann.get(&format!("{}/services/{}", sample.at, made["id"])).await.expect(200).json();
    assert_eq!(one, made);
    let mut bad = service("de.upb.cs.cn.pgsandman", "ns-2", "0.0.1", &[]);
    bad.as_object_mut().expect("an object").remove("descriptor_version");
    assert!(post(bad).await.expect(400).text().contains("descriptor_version"));
    let refused = post(service("de.upb.cs.cn.pgsandman", "NameFormat", "0.0.1", &[])).await.expect(400);
    assert!(refused.text().contains("NameFormat"));
    // test_get_services
    let list = sample.list("services").await;
    assert_eq!(list.len(), 2);
    assert_eq!(list[0]["descriptor"]["name"], "sample-nsd");
    assert_eq!(list[1]["descriptor"]["vendor"], "de.upb.cs.cn.pgsandman");
    // test_update_service
    let mut whole = made.clone();
    whole["descriptor"]["name"] = json!("ns-renamed");
    let renamed = sample.put("services", &made["id"], whole.clone()).await.expect(200).json();
    assert_eq!(renamed["descriptor"]["name"], "ns-renamed");
    whole["descriptor"]["description"] = json!("all of it");
    whole["meta"]["positions"] = json!([{ "a": [1, 2] }]);
    let updated = sample.put("services", &made["id"], whole.clone()).await.expect(200).json();
    assert_eq!((&updated["descriptor"], &updated["meta"]), (&whole["descriptor"], &whole["meta"]));
    whole["descriptor"]["name"] = json!("Bad Name");
    sample.put("services", &made["id"], whole).await.expect(400);
    // The front end's first request of a service sends back what it got, with forwarding graphs.
    let mut opened = list[0].clone();
    opened["descriptor"]["forwarding_graphs"] = json!([]);
    opened["meta"]["counter"] = json!(1);
    let saved = sample.put("services", &opened["id"], opened.clone()).await.expect(200).json();
    assert_eq!((&saved["descriptor"], &saved["meta"]), (&opened["descriptor"], &opened["meta"]));
    // test_delete_exists_service, test_delete_non_exists_service
    sample.ann.delete(&format!("{}/services/{}", sample.at, made["id"])).await.expect(200);
    sample.ann.delete(&format!("{}/services/{}", sample.at, made["id"])).await.expect(404);
    sample.app.finish().await;
}

#[tokio::test]
async fn nsfslookup() {
    let sample = Sample::open().await;
    // test_simple_project
    for (sort, listed) in [("functions", "functions"), ("services", "services")] {
        let known = &sample.list(listed).await[0];
        let [vendor, name, version] =
            ["vendor", "name", "version"].map(|key| known["descriptor"][key].as_str().unwrap_or_default());
        let found =
            sample.ann.get(&format!("{}/nsfs/{sort}/{vendor}/{name}/{version}", sample.at)).await.expect(200).json();
        assert_eq!(found, *known);
    }
    // test_private_catalogue
    let text = "descriptor_version: '1'\nvendor: de.cs.upb\nname: private\nversion: '1'\n";
    let path = "catalogues/vnf_catalogue/de.cs.upb/private/1/descriptor.yml";
    let text = format!(
        "{text}virtual_deployment_units:\n- id: '1'\n  resource_requirements: {{cpu: {{vcpus: 1}}, memory: {{size: 1}}}}\n"
    );
    let change = json!({ "op": "put", "path": path, "absent": true, "text": text });
    sample.ann.post("/api/v1/workspaces/ann/ws_a/commits", json!({ "changes": [change] })).await.expect(201);
    let found = sample.ann.get(&format!("{}/nsfs/functions/de.cs.upb/private/1", sample.at)).await.expect(200).json();
    assert_eq!(
        (&found["vendor"], &found["name"], &found["version"]),
        (&json!("de.cs.upb"), &json!("private"), &json!("1"))
    );
    sample.app.finish().await;
}

#[tokio::test]
async fn the_first_write_of_the_editor_says_what_holds() {
    let app = open().await;
    app.workspace("ann/lab").await;
    let ann = app.as_user("ann");
    let change = json!({ "op": "put", "path": "projects/p/project.yml", "absent": true, "text": "name: p\n" });
    ann.post("/api/v1/workspaces/ann/lab/commits", json!({ "changes": [change] })).await.expect(201);
    let ws = ann.get("/workspaces/").await.expect(200).json()[0]["id"].clone();
    let pj = ann.get(&format!("/workspaces/{ws}/projects/")).await.expect(200).json()[0]["id"].clone();
    let at = format!("/workspaces/{ws}/projects/{pj}");
    let made =
        ann.post(&format!("{at}/functions/"), json!({ "descriptor": function("v", "fw", "1") })).await.expect(201);
    let file = std::fs::read_to_string(app.tree("ann/lab").join("workspace.yml")).expect("it is there");
    assert!(file.contains("schema_index: 1"), "{file}");
    // None of the next ones writes it again.
    let id = made.json()["id"].clone();
    ann.post(&format!("{at}/functions/{id}/upload"), image("a.img", "x")).await.expect(200);
    let history = crate::support::git::run(&app.tree("ann/lab"), &["log", "--format=%s", "--", "workspace.yml"]);
    assert_eq!(history.lines().count(), 1, "{history}");
    app.finish().await;
}
