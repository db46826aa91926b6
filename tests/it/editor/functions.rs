//! Functions: rows 26 and 27 of section 1.3.

use serde_json::{Value, json};

use super::desk::{Desk, function, message, service};
use crate::support::typed;

#[tokio::test]
async fn a_function_is_made_listed_read_changed_and_deleted() {
    let desk = Desk::open().await;
    let sample = desk.make_function(function("v", "sample", "0.1")).await;
    let fixture = desk.make_function(function("v", "fixture", "0.1")).await;
    let made = desk
        .ann
        .post(&desk.at("functions/"), json!({ "descriptor": function("v", "new", "0.1"), "edit_mode": "replace_refs" }))
        .await;
    let etag = made.header("etag").to_owned();
    let made = made.expect(201).json();
    assert_eq!(made["uid"], "v:new:0.1");
    assert_eq!(made["descriptor"], function("v", "new", "0.1"));
    assert!(made["id"].as_u64().is_some_and(|id| id < 1 << 53), "{made}");

    let list = desk.ann.get(&desk.at("functions/")).await.expect(200).json();
    assert_eq!(list, json!([sample, fixture, made]));
    let one = desk.at(&format!("functions/{}", made["id"]));
    let got = desk.ann.get(&one).await.expect(200);
    assert_eq!(got.header("etag"), etag);
    assert_eq!(got.json(), made);
    desk.ann.header("if-none-match", &etag).get(&one).await.expect(304);

    let mut descriptor = function("v", "new", "0.1");
    descriptor["description"] = json!("changed");
    let changed = desk.put_function(&made["id"], &descriptor, "replace_refs").await.expect(200).json();
    assert_eq!((&changed["id"], &changed["descriptor"]), (&made["id"], &descriptor));
    assert_eq!(
        desk.files("projects/p/sources/vnf"),
        ["fixture/v-fixture-0.1.yml", "new/v-new-0.1.yml", "sample/v-sample-0.1.yml"]
    );

    let deleted = desk.ann.delete(&one).await.expect(200);
    assert_eq!(deleted.header("content-type"), "application/json");
    assert_eq!(deleted.json()["uid"], "v:new:0.1");
    assert_eq!(
        message(&desk.ann.get(&one).await.expect(404)),
        format!("Function with id {} does not exist", made["id"])
    );
    assert_eq!(desk.files("projects/p/sources/vnf"), ["fixture/v-fixture-0.1.yml", "sample/v-sample-0.1.yml"]);
    // A collection without its slash.
    let moved = desk.ann.get(&desk.at("functions")).await.expect(301);
    assert!(moved.header("location").ends_with(&desk.at("functions/")), "{}", moved.header("location"));
    desk.app.finish().await;
}

#[tokio::test]
async fn new_files_are_blocks_with_sorted_keys() {
    let desk = Desk::open().await;
    desk.make_function(function("v", "fw", "0.1")).await;
    insta::assert_snapshot!(desk.text("projects/p/sources/vnf/fw/v-fw-0.1.yml"), @r#"
    descriptor_version: vnfd-schema-01
    name: fw
    vendor: v
    version: "0.1"
    virtual_deployment_units:
      - id: "1"
        resource_requirements:
          cpu:
            vcpus: 1
          memory:
            size: 2
            size_unit: GB
    "#);
    desk.app.finish().await;
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_original_s_words_and_order() {
    let desk = Desk::open().await;
    let ann = &desk.ann;
    let all = desk.at("functions/");
    let post = async |body: Value| message(&ann.post(&all, body).await.expect(400));
    assert_eq!(post(json!({})).await, "Key 'descriptor' is required in request data!");
    assert_eq!(post(json!({ "descriptor": 5 })).await, "'descriptor' must be a JSON object");
    for key in ["name", "vendor", "version"] {
        let mut descriptor = function("v", "fw", "0.1");
        descriptor.as_object_mut().expect("an object").remove(key);
        // Before the schema is looked at.
        descriptor["wrong"] = json!(true);
        assert_eq!(post(json!({ "descriptor": descriptor })).await, format!("Missing key '{key}' in function data"));
    }
    let with = |change: fn(&mut Value)| {
        let mut descriptor = function("v", "fw", "0.1");
        change(&mut descriptor);
        json!({ "descriptor": descriptor })
    };
    assert_eq!(
        post(with(|f| f["name"] = json!("name with space"))).await,
        "Validation failed: <br/> Path: ['name'] <br/> Error: 'name with space' does not match '^[a-z0-9_.-]+$'"
    );
    assert_eq!(
        post(with(|f| f["version"] = json!(0.1))).await,
        "Validation failed: <br/> Path: ['version'] <br/> Error: 0.1 is not of type 'string'"
    );
    assert_eq!(
        post(with(|f| f["virtual_deployment_units"][0]["resource_requirements"] = json!({ "memory": { "size": 1 } })))
            .await,
        "Validation failed: <br/> Path: ['virtual_deployment_units', 0, 'resource_requirements'] <br/> Error: 'cpu' is a required property"
    );
    assert_eq!(
        post(with(|f| f["<script>"] = json!(1))).await,
        "Validation failed: <br/> Path: [] <br/> Error: Additional properties are not allowed ('&lt;script&gt;' was unexpected)"
    );
    for dots in ["..", "."] {
        let mut descriptor = function("v", "fw", "0.1");
        descriptor["name"] = json!(dots);
        let said = post(json!({ "descriptor": descriptor })).await;
        assert!(said.starts_with(&format!("name \"{dots}\" cannot be")), "{said}");
    }
    // What Windows or git would trip over is refused too.
    for name in ["con", "-rf", "a."] {
        let mut descriptor = function("v", "fw", "0.1");
        descriptor["name"] = json!(name);
        post(json!({ "descriptor": descriptor })).await;
    }
    post(json!([1])).await;
    ann.post(&all, typed("application/json", "{")).await.expect(400);
    ann.post(&all, typed("application/json", "null")).await.expect(400);

    desk.make_function(function("v", "fw", "0.1")).await;
    let twin = ann.post(&all, json!({ "descriptor": function("v", "fw", "0.1") })).await.expect(409);
    assert_eq!(message(&twin), "Function with name fw already exists");
    // The schema comes before the twin.
    post(with(|f| f["x"] = json!(1))).await;
    assert_eq!(desk.files("projects/p/sources"), ["vnf/fw/v-fw-0.1.yml"]);
    desk.app.finish().await;
}

#[tokio::test]
async fn updates_are_checked_in_the_original_s_order() {
    let desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    desk.make_function(function("v", "other", "0.1")).await;
    let one = desk.at(&format!("functions/{}", made["id"]));
    let none = desk.at("functions/1337");
    let ann = &desk.ann;
    let said = |answer: crate::support::Answer, status| message(&answer.expect(status));
    let bad = function("v", "name with space", "0.1");
    assert_eq!(
        said(ann.put(&none, json!({ "edit_mode": "x" })).await, 400),
        "Key 'descriptor' is required in request data!"
    );
    // An invalid name comes before the missing mode, the mode before the unknown function.
    assert!(said(ann.put(&none, json!({ "descriptor": bad })).await, 400).starts_with("Validation failed"));
    let good = function("v", "new", "0.1");
    assert_eq!(
        said(ann.put(&none, json!({ "descriptor": good })).await, 400),
        "Key 'edit_mode' is required in request data!"
    );
    let unknown = json!({ "descriptor": good, "edit_mode": "neither" });
    assert_eq!(said(ann.put(&one, unknown).await, 400), "'edit_mode' must be replace_refs or create_new");
    let known = json!({ "descriptor": good, "edit_mode": "replace_refs" });
    assert_eq!(said(ann.put(&none, known).await, 404), "Function with id 1337 does not exist");
    let taken = json!({ "descriptor": function("v", "other", "0.1"), "edit_mode": "create_new" });
    assert_eq!(said(ann.put(&one, taken).await, 409), "A function with that name, vendor and version already exists");
    assert_eq!(said(ann.delete(&none).await, 404), "Function with id 1337 does not exist");
    ann.get(&desk.at("functions/x")).await.expect(404);
    ann.get(&desk.at("functions/-1")).await.expect(404);
    assert_eq!(desk.files("projects/p/sources/vnf"), ["fw/v-fw-0.1.yml", "other/v-other-0.1.yml"]);
    desk.app.finish().await;
}

#[tokio::test]
async fn a_rename_leaves_no_ghost_and_keeps_the_id() {
    let mut desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    desk.upload(&made["id"], "disk.img", "bytes").await.expect(200);
    let before = desk.commits();
    for (descriptor, files) in [
        (function("v", "fw", "0.2"), ["disk.img", "v-fw-0.2.yml"].map(|file| format!("fw/{file}"))),
        (function("w", "fw", "0.2"), ["disk.img", "w-fw-0.2.yml"].map(|file| format!("fw/{file}"))),
        (function("w", "wall", "0.2"), ["disk.img", "w-wall-0.2.yml"].map(|file| format!("wall/{file}"))),
    ] {
        let renamed = desk.put_function(&made["id"], &descriptor, "replace_refs").await.expect(200).json();
        assert_eq!(renamed["id"], made["id"]);
        assert_eq!(renamed["descriptor"], descriptor);
        assert_eq!(desk.files("projects/p/sources/vnf"), files);
    }
    assert_eq!(desk.commits(), before + 3, "each rename is one commit");
    desk.restart().await;
    let list = desk.ann.get(&desk.at("functions/")).await.expect(200).json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!((&list[0]["id"], &list[0]["uid"]), (&made["id"], &json!("w:wall:0.2")));
    desk.app.finish().await;
}

#[tokio::test]
async fn two_versions_of_one_function_live_side_by_side() {
    let mut desk = Desk::open().await;
    let old = desk.make_function(function("v", "fw", "0.1")).await;
    let new = desk.make_function(function("v", "fw", "0.2")).await;
    desk.upload(&old["id"], "disk.img", "bytes").await.expect(200);
    desk.restart().await;
    let list = desk.ann.get(&desk.at("functions/")).await.expect(200).json();
    assert_eq!(list, json!([old, new]));
    // The folder stays for the one that is left; what it may need is copied for the one that goes.
    let elsewhere =
        desk.put_function(&new["id"], &function("v", "wall", "0.2"), "replace_refs").await.expect(200).json();
    assert_eq!(
        desk.files("projects/p/sources/vnf"),
        ["fw/disk.img", "fw/v-fw-0.1.yml", "wall/disk.img", "wall/v-wall-0.2.yml"]
    );
    // Back: the same file is there already.
    desk.put_function(&elsewhere["id"], &function("v", "fw", "0.3"), "replace_refs").await.expect(200);
    assert_eq!(desk.files("projects/p/sources/vnf"), ["fw/disk.img", "fw/v-fw-0.1.yml", "fw/v-fw-0.3.yml"]);
    desk.ann.delete(&desk.at(&format!("functions/{}", old["id"]))).await.expect(200);
    assert_eq!(desk.files("projects/p/sources/vnf"), ["fw/disk.img", "fw/v-fw-0.3.yml"]);
    desk.ann.delete(&desk.at(&format!("functions/{}", new["id"]))).await.expect(200);
    assert_eq!(desk.files("projects/p"), ["project.yml"]);
    desk.app.finish().await;
}

#[tokio::test]
async fn files_of_one_name_are_not_laid_over_each_other() {
    let desk = Desk::open().await;
    let one = desk.make_function(function("v", "one", "0.1")).await;
    let two = desk.make_function(function("v", "two", "0.1")).await;
    desk.upload(&one["id"], "disk.img", "of one").await.expect(200);
    desk.upload(&two["id"], "disk.img", "of two").await.expect(200);
    let refused = desk.put_function(&one["id"], &function("v", "two", "0.2"), "replace_refs").await.expect(409);
    assert!(message(&refused).contains("is another file than"), "{}", message(&refused));
    assert_eq!(desk.files("projects/p/sources/vnf").len(), 4);
    desk.app.finish().await;
}

#[tokio::test]
async fn identities_that_are_spelt_alike_get_files_of_their_own() {
    let desk = Desk::open().await;
    let one = desk.make_service(service("a", "b-c", "1", &[])).await;
    let other = desk.make_service(service("a-b", "c", "1", &[])).await;
    assert_ne!(one["id"], other["id"]);
    let list = desk.ann.get(&desk.at("services/")).await.expect(200).json();
    assert_eq!(list, json!([one, other]));
    let files = desk.files("projects/p/sources/nsd");
    assert_eq!(files.len(), 2, "{files:?}");
    assert_eq!(files[0], "a-b-c-1.yml".replace(".yml", &files[0]["a-b-c-1".len()..]));
    desk.ann
        .post(&desk.at("services/"), json!({ "descriptor": service("a-b", "c", "1", &[]), "meta": {} }))
        .await
        .expect(409);
    desk.app.finish().await;
}

#[tokio::test]
async fn comments_survive_an_edit_and_a_rename() {
    let desk = Desk::open().await;
    let text = "# By hand.\ndescriptor_version: vnfd-schema-01\nvendor: v # who\nname: fw\nversion: \"0.1\"\n\
                virtual_deployment_units:\n  # One machine.\n  - id: '1'\n    resource_requirements:\n      \
                cpu: { vcpus: 1 } # enough\n      memory: { size: 2, size_unit: GB }\n";
    desk.write(&[("projects/p/sources/vnf/mine/firewall.yml", text)]).await;
    let found = desk.ann.get(&desk.at("functions/")).await.expect(200).json()[0].clone();
    let mut descriptor = found["descriptor"].clone();
    descriptor["virtual_deployment_units"][0]["resource_requirements"]["cpu"]["vcpus"] = json!(4);
    desk.put_function(&found["id"], &descriptor, "replace_refs").await.expect(200);
    let edited = text.replace("vcpus: 1", "vcpus: 4");
    assert_eq!(desk.text("projects/p/sources/vnf/mine/firewall.yml"), edited);
    descriptor["version"] = json!("0.2");
    desk.put_function(&found["id"], &descriptor, "replace_refs").await.expect(200);
    assert_eq!(desk.files("projects/p/sources/vnf"), ["fw/v-fw-0.2.yml"]);
    assert_eq!(desk.text("projects/p/sources/vnf/fw/v-fw-0.2.yml"), edited.replace("\"0.1\"", "\"0.2\""));
    desk.app.finish().await;
}
