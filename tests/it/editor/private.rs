//! The private catalogue: rows 11, 12, 30 and 33 of section 1.3.

use serde_json::{Value, json};

use super::desk::{Desk, function, message, service};
use crate::support::TestApp;

#[tokio::test]
async fn what_is_published_is_listed_with_its_fields_where_they_belong() {
    let mut desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    let used = desk.make_service(service("w", "web", "2", &[("v", "fw", "0.1")])).await;
    let functions = format!("/workspaces/{}/functions", desk.workspace);
    let services = format!("/workspaces/{}/services", desk.workspace);
    assert_eq!(desk.ann.get(&functions).await.expect(200).json(), json!([]));
    let publish = |sort: &str, id: &Value| desk.at(&format!("{sort}/{id}/publish"));
    let told = desk.ann.get(&publish("functions", &made["id"])).await.expect(201).json();
    assert_eq!(told["message"], "Function fw was published to private catalogue");
    let told = desk.ann.get(&publish("services", &used["id"])).await.expect(201).json();
    assert_eq!(told["message"], "Service web was published to private catalogue");
    assert_eq!(
        desk.files("catalogues"),
        ["ns_catalogue/w/web/2/descriptor.yml", "vnf_catalogue/v/fw/0.1/descriptor.yml"]
    );
    let list = desk.ann.get(&functions).await.expect(200).json();
    let entry = &list[0];
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&entry["vendor"], &entry["name"], &entry["version"], &entry["uid"]),
        (&json!("v"), &json!("fw"), &json!("0.1"), &json!("v:fw:0.1"))
    );
    assert_eq!(entry["descriptor"], function("v", "fw", "0.1"));
    assert_ne!(entry["id"], made["id"]);
    let list = desk.ann.get(&services).await.expect(200).json();
    assert_eq!((&list[0]["uid"], &list[0]["name"]), (&json!("w:web:2"), &json!("web")));

    // Again: the same entry.
    let commits = desk.commits();
    desk.ann.get(&publish("functions", &made["id"])).await.expect(201);
    assert_eq!(desk.commits(), commits);
    let mut changed = function("v", "fw", "0.1");
    changed["author"] = json!("Ann");
    desk.put_function(&made["id"], &changed, "replace_refs").await.expect(200);
    desk.ann.get(&publish("functions", &made["id"])).await.expect(201);
    desk.make_function(function("v", "fw", "0.2")).await;
    let second = desk.ann.get(&desk.at("functions/")).await.expect(200).json()[1]["id"].clone();
    desk.ann.get(&publish("functions", &second)).await.expect(201);
    desk.restart().await;
    let list = desk.ann.get(&functions).await.expect(200).json();
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    assert_eq!((&list[0]["id"], &list[0]["descriptor"]), (&entry["id"], &changed));
    assert_eq!(list[1]["uid"], "v:fw:0.2");
    // They are nobody's in the project.
    assert_eq!(desk.ann.get(&desk.at("functions/")).await.expect(200).json().as_array().map(Vec::len), Some(2));
    let none = desk.ann.get(&desk.at(&format!("functions/{}", entry["id"]))).await.expect(404);
    assert_eq!(message(&none), format!("Function with id {} does not exist", entry["id"]));
    desk.ann.get(&desk.at("functions/1337/publish")).await.expect(404);
    desk.ann.get(&desk.at("services/1337/publish")).await.expect(404);
    desk.app.finish().await;
}

#[tokio::test]
async fn what_lies_where_the_original_put_it_is_read_and_moves_when_it_is_published() {
    let mut desk = Desk::open().await;
    let text = |version: &str| {
        format!(
            "descriptor_version: a\nvendor: v\nname: fw\nversion: '{version}'\nvirtual_deployment_units:\n  - id: '1'\n    \
             resource_requirements: {{cpu: {{vcpus: 1}}, memory: {{size: 1}}}}\n"
        )
    };
    desk.write(&[("catalogues/vnf_catalogue/v/fw/0.2/descriptor.yml", &text("0.2"))]).await;
    desk.write(&[("vnf/v/fw/0.1/descriptor.yml", &text("0.1"))]).await;
    desk.by_hand(|tree| {
        std::fs::create_dir_all(tree.join("ns/v/web/1")).expect("a folder");
        std::fs::write(tree.join("ns/v/web/1/descriptor.yml"), "name: [broken\n").expect("a file");
        // Says something else than its place.
        std::fs::create_dir_all(tree.join("catalogues/vnf_catalogue/v/fw/0.3")).expect("a folder");
        std::fs::write(tree.join("catalogues/vnf_catalogue/v/fw/0.3/descriptor.yml"), text("0.9")).expect("a file");
    })
    .await;
    let functions = format!("/workspaces/{}/functions", desk.workspace);
    let list = desk.ann.get(&functions).await.expect(200).json();
    let uids: Vec<&str> = list.as_array().expect("a list").iter().filter_map(|one| one["uid"].as_str()).collect();
    assert_eq!(uids, ["v:fw:0.2", "v:fw:0.1", "v:fw:0.9"]);
    let broken = desk.ann.get(&format!("/workspaces/{}/services", desk.workspace)).await.expect(200).json();
    assert_eq!((&broken[0]["uid"], &broken[0]["descriptor"]), (&json!("::"), &json!({})));

    let made = desk.make_function(function("v", "fw", "0.1")).await;
    desk.ann.get(&desk.at(&format!("functions/{}/publish", made["id"]))).await.expect(201);
    let after = desk.ann.get(&functions).await.expect(200).json();
    assert_eq!(after.as_array().map(Vec::len), Some(3));
    assert_eq!((&after[1]["id"], &after[1]["descriptor"]), (&list[1]["id"], &made["descriptor"]));
    assert_eq!(desk.files("catalogues/vnf_catalogue/v/fw/0.1"), ["descriptor.yml"]);
    // Another's place is not taken.
    let third = desk.make_function(function("v", "fw", "0.3")).await;
    let refused = desk.ann.get(&desk.at(&format!("functions/{}/publish", third["id"]))).await.expect(409);
    assert!(message(&refused).contains("holds another descriptor"), "{}", message(&refused));
    desk.app.finish().await;
}

#[tokio::test]
async fn another_site_s_page_publishes_nothing() {
    let app = TestApp::open_with(|_, config| config.allowed_hosts = vec!["editor.example".into()]).await;
    let desk = Desk::on(app).await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    let publish = desk.at(&format!("functions/{}/publish", made["id"]));
    let foreign = desk.ann.header("sec-fetch-site", "cross-site");
    foreign.get(&publish).await.expect(403);
    foreign.header("origin", "https://evil.example").get(&publish).await.expect(403);
    assert_eq!(desk.files("projects/p/sources").len(), 1);
    foreign.header("origin", "https://editor.example").get(&publish).await.expect(201);
    desk.ann.header("sec-fetch-site", "same-site").get(&publish).await.expect(201);
    desk.app.finish().await;
}
