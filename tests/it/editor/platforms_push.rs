//! Uploading to a service platform (contracts/editor.md 1.9).

use serde_json::{Value, json};

use super::remote::Remote;
use super::{at, message, open, project, workspace};
use crate::support::{Client, TestApp};

async fn platform(client: &Client, workspace: &Value, entry: Value) -> String {
    let made = client.post(&format!("{}/platforms/", at(workspace)), entry).await.expect(201).json();
    format!("{}/platforms/{}/services/", at(workspace), made["id"])
}

/// A workspace of Ann's with a project; the number of its one service.
async fn service(app: &TestApp) -> (Client, Value, u64) {
    let ann = app.as_user("ann").tolerant();
    let workspace = workspace(&ann, "ws").await;
    let project = project(&ann, &workspace, "pro").await;
    let list = format!("{}/projects/{}/services/", at(&workspace), project["id"]);
    let id = ann.get(&list).await.expect(200).json()[0]["id"].as_u64().expect("a number");
    (ann, workspace, id)
}

/// Original: test_push_project.
#[tokio::test]
async fn a_service_is_deployed_and_published() {
    let (app, remote, other) = (open().await, Remote::open(), Remote::open());
    let (ann, workspace, id) = service(&app).await;
    // The one that is asked for, not the workspace's default.
    platform(&ann, &workspace, json!({ "name": "default", "url": other.url("") })).await;
    let push = platform(&ann, &workspace, json!({ "name": "wanted", "url": remote.url(""), "token": "t-1" })).await;
    assert_eq!(ann.get(&format!("{}/functions", at(&workspace))).await.expect(200).json(), json!([]));
    let pushed = ann.post(&push, json!({ "id": id })).await.expect(201).json();
    assert_eq!(pushed, json!({ "message": "Deployed successfully: u-1", "service_uuid": "u-1" }));
    assert_eq!(remote.calls(), ["POST /api/v2/packages Bearer t-1"]);
    assert!(other.packages().is_empty());
    for (sort, uid) in
        [("functions", "eu.sonata-nfv:vnf-sample:0.1"), ("services", "eu.sonata-nfv.service-descriptor:sample-nsd:0.2")]
    {
        let published = ann.get(&format!("{}/{sort}", at(&workspace))).await.expect(200).json();
        assert_eq!(published[0]["uid"], uid, "{published}");
    }
    // As one commit, and none when nothing is new.
    let tree = app.tree(workspace["path"].as_str().expect("a path"));
    let count = || crate::support::git::run(&tree, &["rev-list", "--count", "main"]);
    let commits = count();
    remote.answer(409, "it is there");
    let again = ann.post(&push, json!({ "id": id })).await.expect(200).json();
    assert_eq!(again["message"], "The platform has this package already: it is there");
    assert_eq!(count(), commits);
    app.finish().await;
}

#[tokio::test]
async fn failures_are_told_apart() {
    let (app, remote) = (open().await, Remote::open());
    let (ann, workspace, id) = service(&app).await;
    let gone = Remote::open();
    let nowhere = gone.url("");
    drop(gone);
    let cases = [
        ("unreachable", nowhere, 404, "Could not connect to platform."),
        ("html", remote.url("html"), 201, "Deployed successfully: &lt;html&gt;"),
        ("away", remote.url("away"), 409, "status 302"),
        ("failing", remote.url("wrong/500"), 409, "status 500, because"),
        ("closed", remote.url("wrong/401"), 409, "status 401"),
        ("large", remote.url("large"), 502, "has more than"),
        ("private", "http://169.254.169.254".to_owned(), 400, "its address is private"),
        ("unknown", "http://nowhere.invalid".to_owned(), 502, "no address was found"),
    ];
    for (name, url, status, text) in cases {
        let push = platform(&ann, &workspace, json!({ "name": name, "url": url })).await;
        let answer = ann.post(&push, json!({ "id": id })).await;
        let said = answer.expect(status).json()["message"].as_str().expect("a text").to_owned();
        assert!(
            said.contains(text) || said.contains(&text.replace("&lt;", "<").replace("&gt;", ">")),
            "{name}: {said}"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_pushed() {
    let (app, remote) = (open().await, Remote::open());
    let (ann, workspace, id) = service(&app).await;
    let push = platform(&ann, &workspace, json!({ "name": "p", "url": remote.url("") })).await;
    // What the front end sends where no platform is configured.
    let said =
        message(ann.post(&format!("{}/platforms/null/services/", at(&workspace)), json!({ "id": id })).await, 404);
    assert_eq!(said, "Platform with id null could not be found");
    assert_eq!(message(ann.post(&push, json!({ "id": 7 })).await, 404), "Service with id '7' does not exist");
    message(ann.post(&push, json!({})).await, 400);
    message(ann.post(&push, json!({ "id": "x" })).await, 400);
    let bob = app.as_user("bob");
    message(bob.post(&push, json!({ "id": id })).await, 404);
    let name = workspace["path"].as_str().expect("a path");
    ann.put(&format!("/api/v1/workspaces/{name}/members/bob"), json!({ "role": "reader" })).await.expect(200);
    message(bob.post(&push, json!({ "id": id })).await, 403);
    ann.post(push.trim_end_matches('/'), json!({ "id": id })).await.expect(301);
    assert_eq!(remote.calls(), Vec::<String>::new());
    app.finish().await;
}
