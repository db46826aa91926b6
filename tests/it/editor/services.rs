//! Services: rows 31 and 32 of section 1.3.

use serde_json::{Value, json};

use super::desk::{Desk, function, message, service};

#[tokio::test]
async fn a_service_is_made_listed_read_changed_and_deleted() {
    let mut desk = Desk::open().await;
    desk.make_function(function("v", "fw", "0.1")).await;
    let sample = desk.make_service(service("v", "sample", "0.1", &[("v", "fw", "0.1")])).await;
    let body = json!({ "descriptor": service("w", "new", "0.1", &[]), "meta": { "positions": [1, 2] } });
    let made = desk.ann.post(&desk.at("services/"), body).await.expect(201).json();
    assert_eq!((&made["uid"], &made["meta"]), (&json!("w:new:0.1"), &json!({ "positions": [1, 2] })));
    let list = desk.ann.get(&desk.at("services/")).await.expect(200).json();
    assert_eq!(list, json!([sample, made]));
    assert_eq!(sample["meta"], json!({}));
    let one = desk.at(&format!("services/{}", made["id"]));
    let got = desk.ann.get(&one).await.expect(200);
    desk.ann.header("if-none-match", got.header("etag")).get(&one).await.expect(304);
    assert_eq!(got.json(), made);

    // Renamed by sending the whole object back, as the front end does.
    let mut whole = made.clone();
    whole["descriptor"]["name"] = json!("renamed");
    whole["meta"] = json!({ "positions": { "a": [1, 2] }, "counter": 7, "adjacency_matrix": { "x": ["y"] } });
    let commits = desk.commits();
    let renamed = desk.ann.put(&one, whole.clone()).await.expect(200).json();
    assert_eq!(desk.commits(), commits + 1);
    assert_eq!((&renamed["id"], &renamed["uid"]), (&made["id"], &json!("w:renamed:0.1")));
    assert_eq!((&renamed["descriptor"], &renamed["meta"]), (&whole["descriptor"], &whole["meta"]));
    assert_eq!(
        desk.files("projects/p"),
        [
            ".workleaf/meta/w-renamed-0.1.yml.json",
            "project.yml",
            "sources/nsd/v-sample-0.1.yml",
            "sources/nsd/w-renamed-0.1.yml",
            "sources/vnf/fw/v-fw-0.1.yml",
        ]
    );
    desk.restart().await;
    assert_eq!(desk.ann.get(&one).await.expect(200).json(), renamed);

    // What is left out stays.
    let only_meta = desk.ann.put(&one, json!({ "meta": { "counter": 8 } })).await.expect(200).json();
    assert_eq!((&only_meta["descriptor"], &only_meta["meta"]), (&whole["descriptor"], &json!({ "counter": 8 })));
    whole["descriptor"]["description"] = json!("now with a text");
    let only_descriptor = desk.ann.put(&one, json!({ "descriptor": whole["descriptor"] })).await.expect(200).json();
    assert_eq!(
        (&only_descriptor["descriptor"], &only_descriptor["meta"]),
        (&whole["descriptor"], &json!({ "counter": 8 }))
    );
    let emptied = desk.ann.put(&one, json!({ "meta": {} })).await.expect(200).json();
    assert_eq!(emptied["meta"], json!({}));
    assert_eq!(desk.ann.get(&one).await.expect(200).json()["meta"], json!({}));

    let deleted = desk.ann.delete(&one).await.expect(200).json();
    assert_eq!(deleted["uid"], "w:renamed:0.1");
    assert_eq!(message(&desk.ann.get(&one).await.expect(404)), format!("No Service matching id {}", made["id"]));
    assert_eq!(
        message(&desk.ann.delete(&one).await.expect(404)),
        format!("Could not delete service: service with id {} not found", made["id"])
    );
    assert_eq!(
        message(&desk.ann.put(&one, json!({})).await.expect(404)),
        format!("Could not update service '{}', because no record was found", made["id"])
    );
    assert_eq!(
        desk.files("projects/p"),
        ["project.yml", "sources/nsd/v-sample-0.1.yml", "sources/vnf/fw/v-fw-0.1.yml"]
    );
    desk.app.finish().await;
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_original_s_words_and_order() {
    let desk = Desk::open().await;
    let ann = &desk.ann;
    let all = desk.at("services/");
    let post = async |body: Value, status: u16| message(&ann.post(&all, body).await.expect(status));
    assert_eq!(post(json!({ "meta": {} }), 400).await, "Key 'descriptor' is required in request data!");
    for key in ["name", "vendor", "version"] {
        let mut descriptor = service("v", "s", "1", &[]);
        descriptor.as_object_mut().expect("an object").remove(key);
        assert_eq!(
            post(json!({ "descriptor": descriptor }), 400).await,
            format!("Missing key '{key}' in service data")
        );
    }
    let mut nameless = service("v", "s", "1", &[]);
    nameless.as_object_mut().expect("an object").remove("descriptor_version");
    assert_eq!(
        post(json!({ "descriptor": nameless, "meta": {} }), 400).await,
        "Validation failed: <br/> Path: [] <br/> Error: 'descriptor_version' is a required property"
    );
    assert_eq!(
        post(json!({ "descriptor": service("v", "NameFormat", "1", &[]) }), 400).await,
        "Validation failed: <br/> Path: ['name'] <br/> Error: 'NameFormat' does not match '^[a-z0-9_.-]+$'"
    );
    // Only then is what is kept besides asked for.
    assert_eq!(
        post(json!({ "descriptor": service("v", "s", "1", &[]) }), 400).await,
        "Key 'meta' is required in request data!"
    );
    let made = desk.make_service(service("v", "s", "1", &[])).await;
    // A twin is refused before the schema is looked at.
    let mut twin = service("v", "s", "1", &[]);
    twin["wrong"] = json!(1);
    assert_eq!(
        post(json!({ "descriptor": twin }), 409).await,
        "A service with this name/vendor/version already exists"
    );
    let other = desk.make_service(service("v", "t", "1", &[])).await;
    let one = desk.at(&format!("services/{}", other["id"]));
    let taken = ann.put(&one, json!({ "descriptor": made["descriptor"] })).await.expect(409);
    assert_eq!(message(&taken), "A service with this name/vendor/version already exists");
    let bad = ann.put(&one, json!({ "descriptor": service("v", "T", "1", &[]), "meta": {} })).await.expect(400);
    assert!(message(&bad).starts_with("Validation failed: <br/> Path: ['name']"), "{}", message(&bad));
    assert_eq!(message(&ann.put(&one, json!({})).await.expect(400)), "Key 'descriptor' is required in request data!");
    desk.app.finish().await;
}

#[tokio::test]
async fn what_an_older_service_kept_does_not_come_back() {
    let desk = Desk::open().await;
    // Left behind by somebody who removed a descriptor and not what belongs to it.
    desk.write(&[("projects/p/.workleaf/meta/v-s-1.yml.json", "{\"counter\": 99}")]).await;
    let made = desk.make_service(service("v", "s", "1", &[])).await;
    assert_eq!(made["meta"], json!({}));
    let other = desk.make_service(service("v", "t", "1", &[])).await;
    desk.write(&[("projects/p/.workleaf/meta/v-u-1.yml.json", "{\"counter\": 99}")]).await;
    let one = desk.at(&format!("services/{}", other["id"]));
    let renamed = desk.ann.put(&one, json!({ "descriptor": service("v", "u", "1", &[]) })).await.expect(200).json();
    assert_eq!(renamed["meta"], json!({}));
    desk.app.finish().await;
}
