//! What is wrong with a service's network (issue 5).

use serde_json::{Value, json};

use super::desk::Desk;
use crate::reference;

fn function(name: &str, version: &str) -> Value {
    json!({
        "descriptor_version": "1.0", "vendor": "v", "name": name, "version": version,
        "virtual_deployment_units": [{ "id": "1", "resource_requirements": { "cpu": { "vcpus": 1 }, "memory": { "size": 1 } } }],
        "connection_points": [{ "id": "vnf:in", "type": "interface" }, { "id": "vnf:out", "type": "interface" }],
    })
}

fn shown(answer: &Value) -> Vec<String> {
    let one = |f: &Value| {
        let text = |key: &str| f[key].as_str().expect("a text").to_owned();
        format!(
            "{} {} {}:{} {} {}",
            text("severity"),
            text("code"),
            f["line"],
            f["column"],
            text("pointer"),
            text("message")
        )
    };
    answer["findings"].as_array().expect("a list").iter().map(one).collect()
}

#[tokio::test]
async fn findings_stand_where_the_file_says_them() {
    let desk = Desk::open().await;
    desk.make_function(function("a", "0.2")).await;
    let path = "projects/p/sources/nsd/s.yml";
    let text = "\
# A service by hand.
descriptor_version: '1.0'
vendor: v
name: s
version: '1'

network_functions:
  - {vnf_id: a, vnf_vendor: v, vnf_name: a, vnf_version: '>= 0.1'}   # the newest
  - {vnf_id: b, vnf_vendor: v, vnf_name: b, vnf_version: '1'}
connection_points:
  - {id: 'ns:in', type: interface}
virtual_links:
  - id: l1
    connectivity_type: E-Line
    connection_points_reference: ['ns:in', 'a:inn']
";
    desk.write(&[(path, text)]).await;
    let services = desk.ann.get(&desk.at("services/")).await.expect(200).json();
    let check = desk.at(&format!("services/{}/check", services[0]["id"]));
    let answer = desk.ann.get(&check).await.expect(200).json();
    assert_eq!((&answer["uid"], &answer["path"], &answer["valid"]), (&json!("v:s:1"), &json!(path), &json!(false)));
    insta::assert_snapshot!(shown(&answer).join("\n"), @r#"
    note isolated 8:5 /network_functions/0 no virtual link leads to "a"
    error unresolved 9:5 /network_functions/1 there is no function "v:b:1" in the project or in the workspace's private catalogue: create or publish it, or change the entry
    error unknown-point 15:44 /virtual_links/0/connection_points_reference/1 "a" has no connection point as in "a:inn": did you mean "a:in"?
    "#);
    // What is published in the workspace is found too.
    let other = desk.make_function(function("b", "1")).await;
    desk.ann.get(&desk.at(&format!("functions/{}/publish", other["id"]))).await.expect(201);
    let answer = desk.ann.get(&check).await.expect(200).json();
    assert!(!shown(&answer).iter().any(|finding| finding.contains("unresolved")), "{answer}");
    desk.ann.get(&desk.at("services/7/check")).await.expect(404);
    desk.app.as_user("bob").get(&check).await.expect(404);
    desk.app.anonymous().get(&check).await.expect(401);
    desk.app.finish().await;
}

#[tokio::test]
async fn services_that_contain_themselves_are_found() {
    let desk = Desk::open().await;
    let service = |name: &str, inner: &str| {
        json!({
            "descriptor_version": "1.0", "vendor": "v", "name": name, "version": "1",
            "network_services": [{ "ns_id": "x", "ns_vendor": "v", "ns_name": inner, "ns_version": "1" }],
        })
    };
    let mut ids = Vec::new();
    for (name, inner) in [("a", "b"), ("b", "c"), ("c", "a"), ("d", "b")] {
        ids.push(desk.make_service(service(name, inner)).await["id"].clone());
    }
    let mut circles = Vec::new();
    for id in &ids {
        let answer = desk.ann.get(&desk.at(&format!("services/{id}/check"))).await.expect(200).json();
        let found = shown(&answer).into_iter().find(|finding| finding.contains(" circle "));
        circles.push(found.and_then(|text| text.split(": ").nth(1).map(str::to_owned)).unwrap_or_default());
    }
    assert_eq!(circles[0], "\"v:a:1 → v:b:1 → v:c:1 → v:a:1\"");
    assert_eq!(circles[3], "\"v:b:1 → v:c:1 → v:a:1 → v:b:1\"");
    desk.app.finish().await;
}

/// Real projects of others: what is wrong with them is known.
#[tokio::test]
async fn real_projects_are_as_good_as_they_are() {
    let Some(folder) = reference::folder() else { return };
    let app = crate::support::TestApp::open().await;
    app.workspace("ann/lab").await;
    let ann = app.as_user("ann");
    let projects = folder.join("sonata/projects");
    let yml = |path: &std::path::Path| path.extension().is_some_and(|end| end == "yml");
    let changes: Vec<Value> = reference::files(&projects, &yml)
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&projects).expect("below").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(path).expect("it can be read");
            json!({ "op": "put", "path": format!("projects/{name}"), "absent": true, "text": text })
        })
        .collect();
    ann.post("/api/v1/workspaces/ann/lab/commits", json!({ "changes": changes })).await.expect(201);
    let workspace = ann.get("/workspaces/").await.expect(200).json()[0]["id"].clone();
    let mut report = String::new();
    for project in
        ann.get(&format!("/workspaces/{workspace}/projects/")).await.expect(200).json().as_array().expect("a list")
    {
        let list = format!("/workspaces/{workspace}/projects/{}/services/", project["id"]);
        for service in ann.get(&list).await.expect(200).json().as_array().expect("a list") {
            let answer = ann.get(&format!("{list}{}/check", service["id"])).await.expect(200).json();
            let worse = shown(&answer).into_iter().filter(|finding| !finding.starts_with("note"));
            let short = worse.map(|finding| finding.split(' ').skip(1).take(2).collect::<Vec<_>>().join(" "));
            let name = project["name"].as_str().expect("a name");
            report += &format!("{name}: [{}]\n", short.collect::<Vec<_>>().join(", "));
            let picture = ann.get(&format!("{list}{}/graph.svg", service["id"])).await.expect(200);
            assert!(picture.text().ends_with("</svg>\n"));
        }
    }
    insta::assert_snapshot!(report, @r#"
    sonata-demo: []
    sonata-fw-dpi-service-emu: [count 83:5]
    sonata-fw-service-emu: [disconnected 40:1, unknown-point 50:9, unknown-point 54:9, unknown-point 76:13, unknown-point 78:13]
    sonata-fw-vtc-service-emu: [unknown-point 54:9, unknown-point 70:9, odd-path 89:9, unknown-point 92:13, unknown-point 104:13]
    sonata-ovs-service-emu: [count 71:5, count 72:5]
    sonata-proxy-lb-service-emu: [count 90:5]
    sonata-sdk-test-service-emu: [count 73:5, unknown-link 78:9]
    sonata-snort-service-emu: [count 63:5]
    sonata-vtc-private-service-sp: []
    sonata-vtc-service-sp: []
    "#);
    app.finish().await;
}
