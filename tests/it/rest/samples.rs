//! A workspace and documents to work on.

use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, yaml};

/// With the workspace `ann/lab`.
pub(super) async fn lab() -> TestApp {
    let app = TestApp::open().await;
    app.workspace("ann/lab").await;
    app
}

pub(super) const SERVICES: &str = "/api/v1/services?workspace=ann/lab";

/// A text with everything that a careless rewrite would lose.
pub(super) const SERVICE: &str = "\
# The firewall of the lab.
descriptor_version: \"1.0\"   # of the format
vendor: 'org.example'
name: firewall
version: \"1.10\"

description: >
  Lets some through,
  keeps others out.
licences:
- {type: public}   # everyone
";

/// A minimal service.
pub(super) fn service(name: &str) -> Value {
    json!({ "descriptor_version": "1", "vendor": "org.example", "name": name, "version": "1.0" })
}

/// A minimal function.
pub(super) fn function(name: &str, version: &str) -> Value {
    json!({
        "descriptor_version": "1", "vendor": "org.example", "name": name, "version": version,
        "virtual_deployment_units": [{
            "id": "vdu", "vm_image": "image",
            "resource_requirements": {
                "cpu": { "vcpus": 1 }, "memory": { "size": 1 }, "storage": { "size": 1 },
            },
        }],
    })
}

/// Stores [`SERVICE`] at `services/firewall.yml`.
pub(super) async fn firewall(client: &Client) -> Answer {
    client.post(&format!("{SERVICES}&path=services/firewall.yml"), yaml(SERVICE)).await.expect(201)
}

/// The stored text.
pub(super) async fn text(client: &Client, address: &str) -> String {
    client.header("accept", "application/yaml").get(address).await.expect(200).text()
}

/// The `names` of a list, in its order.
pub(super) async fn names(client: &Client, address: &str) -> String {
    let answer = client.get(address).await.expect(200).json();
    let members = answer.as_object().expect("an object");
    let list = members.values().find_map(Value::as_array).expect("a list");
    let name = |one: &Value| match &one["content"]["name"] {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    };
    list.iter().map(name).collect::<Vec<_>>().join(" ")
}
