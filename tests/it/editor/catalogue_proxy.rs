//! Catalogues elsewhere, by way of the workspace that names them (contracts/editor.md 1.8).

use serde_json::{Value, json};

use super::remote::Remote;
use super::{at, message, open, project, workspace};
use crate::support::{Client, TestApp};

/// Adds a catalogue; its address below the workspace's.
async fn catalogue(client: &Client, workspace: &Value, entry: Value) -> String {
    let made = client.post(&format!("{}/catalogues/", at(workspace)), entry).await.expect(201).json();
    assert!(made.get("token").is_none(), "{made}");
    format!("{}/catalogues/{}", at(workspace), made["id"])
}

/// The sample function and service of a new project.
async fn samples(client: &Client, workspace: &Value) -> (Value, Value) {
    let project = project(client, workspace, "pro").await;
    let list = |sort: &str| format!("{}/projects/{}/{sort}/", at(workspace), project["id"]);
    let function = client.get(&list("functions")).await.expect(200).json()[0].clone();
    let service = client.get(&list("services")).await.expect(200).json()[0].clone();
    (function, service)
}

/// A function and a service go through list, publish, get, replace and delete (original:
/// test_catalogue_vnf_integration, test_catalogue_service_integration).
#[tokio::test]
async fn descriptors_are_published_listed_replaced_and_deleted() {
    let (app, remote) = (open().await, Remote::open());
    let ann = app.as_user("ann");
    let workspace = workspace(&ann, "ws").await;
    let (function, service) = samples(&ann, &workspace).await;
    // The slash at the end is nobody's business.
    let catalogue = catalogue(&ann, &workspace, json!({ "name": "c", "url": remote.url("") })).await;
    for (sort, plural, own, made) in
        [("functions", "vnfs", function, 201), ("services", "network-services", service, 200)]
    {
        let list = format!("{catalogue}/{sort}/");
        assert_eq!(ann.get(&list).await.expect(200).json(), json!([]));
        let published = ann.post(&list, json!({ "id": own["id"] })).await.expect(made).json();
        let expected = json!({ "descriptor": own["descriptor"], "id": own["uid"] });
        assert_eq!(published, expected);
        assert_eq!(ann.get(&list).await.expect(200).json(), json!([expected]));
        // Numbers as texts are numbers.
        let again = ann.post(&list, json!({ "id": own["id"].to_string() })).await;
        assert!(message(again, 409).contains("there is one"));
        let one = format!("{list}{}", own["uid"].as_str().expect("a text"));
        assert_eq!(ann.get(&one).await.expect(200).json(), expected);
        let mut changed = own["descriptor"].clone();
        changed["description"] = json!("changed");
        let put = ann.put(&one, json!({ "descriptor": changed })).await.expect(200);
        assert_eq!(put.text(), "");
        assert_eq!(ann.get(&one).await.expect(200).json()["descriptor"]["description"], "changed");
        assert_eq!(ann.delete(&one).await.expect(200).text(), "");
        let gone = message(ann.get(&one).await, 404);
        assert_eq!(gone, format!("the catalogue has no {}", own["uid"].as_str().expect("a text")));
        message(ann.delete(&one).await, 404);
        message(ann.put(&one, json!({ "descriptor": changed })).await, 404);
        let calls = remote.calls();
        let triple = own["uid"].as_str().expect("a text").split(':').collect::<Vec<_>>();
        let path = format!("/{plural}/vendor/{}/name/{}/version/{}", triple[0], triple[1], triple[2]);
        assert_eq!(calls[0], format!("GET /{plural} -"));
        assert_eq!(calls[4], format!("GET {path} -"));
        assert_eq!(calls[7], format!("DELETE {path} -"));
    }
    app.finish().await;
}

#[tokio::test]
async fn what_a_catalogue_may_say() {
    let (app, remote) = (open().await, Remote::open());
    let ann = app.as_user("ann");
    let workspace = workspace(&ann, "ws").await;
    let catalogue = catalogue(&ann, &workspace, json!({ "name": "c", "url": remote.url("") })).await;
    let plain = json!({ "vendor": "v", "name": "n", "version": 1.5, "x": 1 });
    remote.hold("/vnfs/vendor/v/name/n/version/1.5", json!({ "vnfd": plain, "uuid": "u", "status": "active" }));
    remote.hold("/vnfs/vendor/none", json!({ "name": "no identity" }));
    remote.hold("/vnfs/vendor/text", json!("text"));
    let listed = ann.get(&format!("{catalogue}/functions/")).await.expect(200).json();
    assert_eq!(listed, json!([{ "descriptor": plain, "id": "v:n:1.5" }]));
    // Parts of an address are no way out of it.
    remote.calls();
    ann.get(&format!("{catalogue}/functions/a%2F..%2Fb:%2e%2e%2fn:1%3Fx")).await.expect(404);
    assert_eq!(remote.calls(), ["GET /vnfs/vendor/a%2F..%2Fb/name/..%2Fn/version/1%3Fx -"]);
    for uid in ["a", "a:b", "a:b:c:d", "a:..:1", "::", "a:%2e:1"] {
        assert!(message(ann.get(&format!("{catalogue}/functions/{uid}")).await, 400).contains("vendor:name:version"));
    }
    assert_eq!(remote.calls(), Vec::<String>::new());
    app.finish().await;
}

#[tokio::test]
async fn failures_are_told_apart() {
    let (app, remote) = (open().await, Remote::open());
    let ann = app.as_user("ann").tolerant();
    let workspace = workspace(&ann, "ws").await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let free = nobody.local_addr().expect("an address").port();
    drop(nobody);
    let elsewhere = "http://10.1.2.3/x".to_owned();
    let cases = [
        ("unreachable", format!("http://127.0.0.1:{free}/x"), 502, "Could not reach http://127.0.0.1:"),
        ("slow", remote.url("slow"), 504, "did not answer in time"),
        ("html", remote.url("html"), 502, "its answer is no JSON"),
        ("text", remote.url("text"), 502, "its answer is no list"),
        ("large", remote.url("large"), 502, "has more than"),
        ("away", remote.url("away"), 502, "redirects are not followed"),
        (
            "teapot",
            remote.url("wrong/418"),
            502,
            "unexpected status code '418', reason: because &lt;i&gt;I&lt;/i&gt; say so",
        ),
        ("failing", remote.url("wrong/500"), 502, "unexpected status code '500'"),
        ("closed", remote.url("wrong/401"), 502, "set a token"),
        ("nowhere", remote.url("wrong/404"), 404, "unexpected status code '404'"),
        ("private", elsewhere, 400, "its address is private"),
        ("unknown", "http://nowhere.invalid/".to_owned(), 502, "no address was found"),
        ("queried", remote.url("x?y=z"), 400, "holds a ? or a #"),
        ("ftp", "ftp://127.0.0.1/".to_owned(), 400, "scheme"),
    ];
    for (name, url, status, text) in cases {
        let catalogue = catalogue(&ann, &workspace, json!({ "name": name, "url": url })).await;
        let said = message(ann.get(&format!("{catalogue}/functions/")).await, status);
        assert!(said.contains(text), "{name}: {said}");
    }
    assert_eq!(remote.calls(), Vec::<String>::new(), "the redirect was followed");
    app.finish().await;
}

#[tokio::test]
async fn what_is_not_here_is_not_published() {
    let (app, remote) = (open().await, Remote::open());
    let (ann, bob) = (app.as_user("ann"), app.as_user("bob"));
    let (mine, theirs) = (workspace(&ann, "ws").await, workspace(&bob, "ws").await);
    let entry = || json!({ "name": "c", "url": remote.url("") });
    let (own, other) = (catalogue(&ann, &mine, entry()).await, catalogue(&bob, &theirs, entry()).await);
    let (_, service) = samples(&bob, &theirs).await;
    let said = message(ann.post(&format!("{own}/services/"), json!({ "id": service["id"] })).await, 404);
    assert_eq!(said, format!("Service with id '{}' does not exist", service["id"]));
    let said = message(ann.post(&format!("{own}/functions/"), json!({ "id": 7 })).await, 404);
    assert_eq!(said, "Function with id '7' does not exist");
    assert_eq!(
        message(ann.post(&format!("{own}/functions/"), json!({})).await, 400),
        "Key 'id' is required in request data!"
    );
    assert!(message(ann.put(&format!("{own}/functions/a:b:1"), json!({})).await, 400).contains("'descriptor'"));
    message(ann.put(&format!("{own}/functions/a:b:1"), json!({ "descriptor": [] })).await, 400);
    // The catalogue is of another workspace, or of none.
    let number = other.rsplit('/').next().expect("a number");
    let said = message(ann.get(&format!("{}/catalogues/{number}/functions/", at(&mine))).await, 404);
    assert_eq!(said, format!("Catalogue with id '{number}' could not be found"));
    for odd in ["null", "0", "-1", "99999999999999999999"] {
        message(ann.get(&format!("{}/catalogues/{odd}/functions/", at(&mine))).await, 404);
    }
    message(bob.get(&format!("{own}/functions/")).await, 404);
    assert_eq!(remote.calls(), Vec::<String>::new());
    let moved = ann.get(&format!("{own}/functions")).await.expect(301);
    assert!(moved.header("location").ends_with(&format!("{own}/functions/")));
    app.finish().await;
}

/// Who shares the workspace as its reader, or finds it open, does not use its credentials.
async fn shared(app: &TestApp, workspace: &Value, who: &str, role: &str) {
    let name = workspace["path"].as_str().expect("a path");
    let path = format!("/api/v1/workspaces/{name}/members/{who}");
    app.as_user("ann").put(&path, json!({ "role": role })).await.expect(200);
}

#[tokio::test]
async fn tokens_are_sent_where_they_belong_and_never_shown() {
    let (app, remote, thief) = (open().await, Remote::open(), Remote::open());
    let (ann, bob) = (app.as_user("ann"), app.as_user("bob"));
    let workspace = workspace(&ann, "ws").await;
    let entry = json!({ "name": "c", "url": remote.url(""), "token": "secret-1" });
    let catalogue = catalogue(&ann, &workspace, entry).await;
    let list = format!("{catalogue}/functions/");
    ann.get(&list).await.expect(200);
    assert_eq!(remote.calls(), ["GET /vnfs Bearer secret-1"]);
    // Nowhere to be seen: neither in answers nor in git.
    for path in [at(&workspace), format!("{}/catalogues/", at(&workspace)), catalogue.clone()] {
        assert!(!ann.get(&path).await.expect(200).text().contains("secret"));
    }
    let tree = app.tree(workspace["path"].as_str().expect("a path"));
    let text = std::fs::read_to_string(tree.join("workspace.yml")).expect("it is there");
    assert!(!text.contains("secret"), "{text}");
    shared(&app, &workspace, "bob", "reader").await;
    bob.get(&list).await.expect(200);
    assert_eq!(remote.calls(), ["GET /vnfs -"]);
    message(bob.delete(&format!("{list}a:b:1")).await, 403);
    message(bob.post(&list, json!({ "id": 1 })).await, 403);
    // Whoever may change the workspace does not learn it by changing the address.
    shared(&app, &workspace, "bob", "writer").await;
    bob.put(&catalogue, json!({ "name": "c", "url": thief.url("") })).await.expect(200);
    bob.get(&list).await.expect(200);
    assert_eq!(thief.calls(), ["GET /vnfs -"]);
    // The front end's form says nothing of tokens, and keeps them.
    let mut whole = ann.get(&at(&workspace)).await.expect(200).json();
    whole["catalogues"][0]["url"] = json!(remote.url(""));
    ann.put(&at(&workspace), whole.clone()).await.expect(200);
    ann.get(&list).await.expect(200);
    assert_eq!(remote.calls(), ["GET /vnfs Bearer secret-1"]);
    whole["catalogues"][0]["token"] = json!("secret-2");
    ann.put(&at(&workspace), whole.clone()).await.expect(200);
    ann.get(&list).await.expect(200);
    assert_eq!(remote.calls(), ["GET /vnfs Bearer secret-2"]);
    whole["catalogues"][0]["token"] = json!("");
    ann.put(&at(&workspace), whole.clone()).await.expect(200);
    ann.get(&list).await.expect(200);
    assert_eq!(remote.calls(), ["GET /vnfs -"]);
    for bad in [json!("a b"), json!("a\r\nHost: x"), json!("ü"), json!(7), json!("x".repeat(5_000))] {
        whole["catalogues"][0]["token"] = bad;
        message(ann.put(&at(&workspace), whole.clone()).await, 400);
    }
    app.finish().await;
}

/// What neither the project nor the private catalogue has is looked for in the catalogues, in their
/// order.
#[tokio::test]
async fn look_up_goes_on_in_the_catalogues() {
    let (app, first, second) = (open().await, Remote::open(), Remote::open());
    let ann = app.as_user("ann");
    let workspace = workspace(&ann, "ws").await;
    let project = project(&ann, &workspace, "pro").await;
    let find = |rest: &str| format!("{}/projects/{}/nsfs/{rest}", at(&workspace), project["id"]);
    catalogue(&ann, &workspace, json!({ "name": "broken", "url": first.url("wrong/500") })).await;
    catalogue(&ann, &workspace, json!({ "name": "first", "url": first.url("") })).await;
    catalogue(&ann, &workspace, json!({ "name": "second", "url": second.url("") })).await;
    let descriptor = |text: &str| json!({ "vendor": "v", "name": "n", "version": "1", "description": text });
    second.hold("/vnfs/vendor/v/name/n/version/1", descriptor("of the second"));
    let found = ann.get(&find("functions/v/n/1")).await.expect(200).json();
    assert_eq!((&found["uid"], &found["catalogue"]), (&json!("v:n:1"), &json!("second")));
    assert_eq!(found["descriptor"], descriptor("of the second"));
    first.hold("/vnfs/vendor/v/name/n/version/1", descriptor("of the first"));
    let found = ann.get(&find("functions/v/n/1")).await.expect(200).json();
    assert_eq!(found["descriptor"], descriptor("of the first"));
    let said = message(ann.get(&find("services/v/n/1")).await, 404);
    assert!(
        said.starts_with("NS v:n:1 not found; some catalogues could not be asked: broken: External service"),
        "{said}"
    );
    // What is here is not asked for elsewhere.
    first.calls();
    ann.get(&find("functions/eu.sonata-nfv/vnf-sample/0.1")).await.expect(200);
    assert_eq!(first.calls(), Vec::<String>::new());
    app.finish().await;
}
