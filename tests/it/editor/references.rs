//! Functions that services use (contracts/editor.md 1.7.2, 1.7.3).

use serde_json::{Value, json};

use super::desk::{Desk, function, message, service};

/// A function with a file, a service that uses it and names it as a dependency, one that does not.
async fn used(desk: &Desk) -> (Value, Value, Value) {
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    desk.upload(&made["id"], "disk.img", "bytes").await.expect(200);
    desk.write(&[("projects/p/sources/vnf/fw/fsm/fsm.yml", "name: a manager\n")]).await;
    let mut user = service("v", "user", "1", &[("v", "fw", "0.1"), ("v", "fw", "0.9"), ("w", "fw", "0.1")]);
    user["vnf_depedency"] = json!(["v:fw:0.1", "v:fw:0.9"]);
    let user = desk.make_service(user).await;
    let other = desk.make_service(service("v", "other", "1", &[("v", "fw", "0.9")])).await;
    (made, user, other)
}

#[tokio::test]
async fn services_follow_a_function_that_is_renamed() {
    let mut desk = Desk::open().await;
    let (made, user, other) = used(&desk).await;
    let before = desk.commits();
    let renamed =
        desk.put_function(&made["id"], &function("n", "wall", "0.2"), "replace_refs").await.expect(200).json();
    assert_eq!(desk.commits(), before + 1);
    assert_eq!((&renamed["id"], &renamed["uid"]), (&made["id"], &json!("n:wall:0.2")));
    assert_eq!(renamed["descriptor"], function("n", "wall", "0.2"));
    let shown = desk.ann.get(&desk.at(&format!("services/{}", user["id"]))).await.expect(200).json();
    let mut expected = service("v", "user", "1", &[("n", "wall", "0.2"), ("v", "fw", "0.9"), ("w", "fw", "0.1")]);
    expected["vnf_depedency"] = json!(["n:wall:0.2", "v:fw:0.9"]);
    assert_eq!(shown["descriptor"], expected);
    let untouched = desk.ann.get(&desk.at(&format!("services/{}", other["id"]))).await.expect(200).json();
    assert_eq!(untouched, other);
    // Where they belong, and nowhere else.
    assert_eq!(
        desk.files("projects/p/sources"),
        [
            "nsd/v-other-1.yml",
            "nsd/v-user-1.yml",
            "vnf/wall/disk.img",
            "vnf/wall/fsm/fsm.yml",
            "vnf/wall/n-wall-0.2.yml",
        ]
    );
    desk.restart().await;
    let functions = desk.ann.get(&desk.at("functions/")).await.expect(200).json();
    assert_eq!(functions, json!([renamed]));
    desk.app.finish().await;
}

#[tokio::test]
async fn or_keep_the_old_one() {
    let desk = Desk::open().await;
    let (made, user, _) = used(&desk).await;
    let before = desk.commits();
    let new = desk.put_function(&made["id"], &function("n", "wall", "0.2"), "create_new").await.expect(200).json();
    assert_eq!(desk.commits(), before + 1);
    assert_ne!(new["id"], made["id"]);
    assert_eq!((&new["uid"], &new["descriptor"]), (&json!("n:wall:0.2"), &function("n", "wall", "0.2")));
    let shown = desk.ann.get(&desk.at(&format!("services/{}", user["id"]))).await.expect(200).json();
    assert_eq!(shown, user);
    assert_eq!(desk.ann.get(&desk.at("functions/")).await.expect(200).json(), json!([made, new]));
    assert_eq!(
        desk.files("projects/p/sources/vnf"),
        [
            "fw/disk.img",
            "fw/fsm/fsm.yml",
            "fw/v-fw-0.1.yml",
            "wall/disk.img",
            "wall/fsm/fsm.yml",
            "wall/n-wall-0.2.yml",
        ]
    );
    // Nobody refers to the new one: both modes rename it.
    let renamed = desk.put_function(&new["id"], &function("n", "wall", "0.3"), "create_new").await.expect(200).json();
    assert_eq!((&renamed["id"], &renamed["uid"]), (&new["id"], &json!("n:wall:0.3")));
    desk.app.finish().await;
}

#[tokio::test]
async fn what_is_used_is_not_deleted() {
    let desk = Desk::open().await;
    let (made, user, other) = used(&desk).await;
    desk.make_service(service("v", "second", "1", &[("v", "fw", "0.1")])).await;
    let one = desk.at(&format!("functions/{}", made["id"]));
    let refused = desk.ann.delete(&one).await.expect(400);
    assert_eq!(message(&refused), "Could not delete function because it is still referenced by v:second:1, v:user:1");
    for id in [&user["id"], &other["id"]] {
        desk.ann.delete(&desk.at(&format!("services/{id}"))).await.expect(200);
    }
    desk.ann.delete(&one).await.expect(400);
    desk.ann.delete(&desk.at("services/1")).await.expect(404);
    let services = desk.ann.get(&desk.at("services/")).await.expect(200).json();
    desk.ann.delete(&desk.at(&format!("services/{}", services[0]["id"]))).await.expect(200);
    desk.ann.delete(&one).await.expect(200);
    assert_eq!(desk.files("projects/p"), ["project.yml"]);
    desk.app.finish().await;
}

#[tokio::test]
async fn a_service_that_another_contains_is_copied_when_it_is_renamed() {
    let desk = Desk::open().await;
    let inner = desk.make_service(service("v", "inner", "1", &[])).await;
    let put = async |id: &Value, body: Value| desk.ann.put(&desk.at(&format!("services/{id}")), body).await;
    put(&inner["id"], json!({ "meta": { "counter": 3 } })).await.expect(200);
    let mut outer = service("v", "outer", "1", &[]);
    outer["network_services"] = json!([{ "ns_id": "in", "ns_vendor": "v", "ns_name": "inner", "ns_version": "1" }]);
    let outer = desk.make_service(outer).await;
    let renamed = put(&inner["id"], json!({ "descriptor": service("v", "inner", "2", &[]) })).await.expect(200).json();
    assert_ne!(renamed["id"], inner["id"]);
    assert_eq!((&renamed["uid"], &renamed["meta"]), (&json!("v:inner:2"), &json!({ "counter": 3 })));
    let list = desk.ann.get(&desk.at("services/")).await.expect(200).json();
    let uids: Vec<&Value> = list.as_array().expect("a list").iter().map(|one| &one["uid"]).collect();
    assert_eq!(uids, ["v:inner:1", "v:outer:1", "v:inner:2"]);
    let refused = desk.ann.delete(&desk.at(&format!("services/{}", inner["id"]))).await.expect(400);
    assert_eq!(message(&refused), "Could not delete service because it is still referenced by \nv:outer:1");
    desk.ann.delete(&desk.at(&format!("services/{}", outer["id"]))).await.expect(200);
    desk.ann.delete(&desk.at(&format!("services/{}", inner["id"]))).await.expect(200);
    assert_eq!(
        desk.files("projects/p"),
        [".workleaf/meta/v-inner-2.yml.json", "project.yml", "sources/nsd/v-inner-2.yml"]
    );
    desk.app.finish().await;
}
