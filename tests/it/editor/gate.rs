//! Who may go where, and what everybody is told on the way (contracts/editor.md 1.1 to 1.4).

use serde_json::json;

use super::{at, message, open, project, workspace};
use crate::support::{PASSWORD, basic, raw, typed};

#[tokio::test]
async fn everything_needs_a_login_first() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "ws").await;
    let pj = project(&ann, &ws, "p").await;
    let known = format!("{}/projects/{}", at(&ws), pj["id"]);
    for path in ["/workspaces/", "/workspaces", "/workspaces/1337", "/workspaces/abc", &at(&ws), &known] {
        let refused = app.anonymous().get(path).await.expect(401).json();
        assert!(refused["authorizationUrl"].is_string() && refused["message"] == "Please log in", "{path}: {refused}");
    }
    // Before the body is looked at.
    for (method, path) in [("POST", "/workspaces/"), ("PUT", &*known), ("DELETE", &*known)] {
        app.anonymous().send(method, path, typed("application/json", "{")).await.expect(401);
    }
    let wrong = app.anonymous().header("authorization", &basic("ann", "wrong")).get("/workspaces/").await;
    assert!(wrong.expect(401).json()["authorizationUrl"].is_string());
    app.finish().await;
}

#[tokio::test]
async fn every_credential_opens_it() {
    let app = open().await;
    let ann = app.as_user("ann");
    workspace(&ann, "ws").await;
    let token = ann.post("/api/v1/tokens", json!({ "name": "t", "scope": "read" })).await.expect(201).inner();
    let bearer =
        app.anonymous().header("authorization", &format!("Bearer {}", token["token"].as_str().expect("a token")));
    assert_eq!(super::names(&bearer, "/workspaces/").await, ["ws"]);
    // It only reads.
    bearer.post("/workspaces/", json!({ "name": "other" })).await.expect(403);
    let login = app.anonymous().post("/api/v1/session", json!({ "name": "ann", "password": PASSWORD })).await;
    let cookie = login.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    assert!(cookie.starts_with("session="), "{cookie}");
    let browser = app.anonymous().header("cookie", &cookie);
    assert_eq!(super::names(&browser, "/workspaces/").await, ["ws"]);
    // Another site's page cannot change anything, whatever it sends.
    let form = || typed("application/x-www-form-urlencoded", "name=evil");
    browser.post("/workspaces/", form()).await.expect(403);
    browser.header("origin", "https://evil.example").post("/workspaces/", form()).await.expect(403);
    browser.header("origin", "http://test.local").post("/workspaces/", form()).await.expect(201);
    app.finish().await;
}

#[tokio::test]
async fn what_is_anothers_is_not_there() {
    let app = open().await;
    let (ann, bob) = (app.as_user("ann"), app.as_user("bob"));
    let (ours, theirs) = (workspace(&ann, "ours").await, workspace(&bob, "theirs").await);
    let (pa, pb) = (project(&ann, &ours, "pa").await, project(&bob, &theirs, "pb").await);
    for method in ["GET", "PUT", "DELETE"] {
        let gone = bob.send(method, &at(&ours), raw("")).await;
        assert_eq!(message(gone, 404), "Workspace not found", "{method}");
        let gone = bob.send(method, &format!("{}/projects/{}", at(&ours), pa["id"]), raw("")).await;
        assert_eq!(message(gone, 404), "Workspace not found", "{method}");
        // A project of somebody else under a workspace of one's own.
        let gone = bob.send(method, &format!("{}/projects/{}", at(&theirs), pa["id"]), raw("")).await;
        assert_eq!(message(gone, 404), "Project not found", "{method}");
    }
    bob.get(&format!("{}/projects/{}", at(&theirs), pb["id"])).await.expect(200);
    assert_eq!(super::names(&bob, "/workspaces/").await, ["theirs"]);
    // An administrator may enter, but has a list of their own.
    let root = app.as_user("root");
    root.get(&at(&ours)).await.expect(200);
    assert_eq!(root.get("/workspaces/").await.expect(200).json(), json!([]));
    app.finish().await;
}

#[tokio::test]
async fn shared_workspaces_are_in_the_list() {
    let app = open().await;
    let (ann, bob) = (app.as_user("ann"), app.as_user("bob"));
    let ws = workspace(&ann, "shared").await;
    workspace(&bob, "own").await;
    let pj = project(&ann, &ws, "p").await;
    ann.put("/api/v1/workspaces/ann/shared/members/bob", json!({ "role": "reader" })).await.expect(200);
    assert_eq!(super::names(&bob, "/workspaces/").await, ["shared", "own"]);
    let one = format!("{}/projects/{}", at(&ws), pj["id"]);
    bob.get(&one).await.expect(200);
    for (method, path) in [
        ("PUT", at(&ws)),
        ("DELETE", at(&ws)),
        ("PUT", one.clone()),
        ("DELETE", one.clone()),
        ("POST", format!("{}/projects/", at(&ws))),
    ] {
        bob.send(method, &path, json!({ "name": "other" })).await.expect(403);
    }
    ann.put("/api/v1/workspaces/ann/shared/members/bob", json!({ "role": "writer" })).await.expect(200);
    bob.put(&one, json!({ "description": "by bob" })).await.expect(200);
    // Its name and its life are its owner's.
    bob.put(&at(&ws), json!({ "name": "taken over" })).await.expect(403);
    bob.delete(&at(&ws)).await.expect(403);
    // Public ones of others may be read, and are nobody's list.
    ann.delete("/api/v1/workspaces/ann/shared/members/bob").await.expect(204);
    bob.get(&at(&ws)).await.expect(404);
    ann.patch("/api/v1/workspaces/ann/shared", json!({ "public": true })).await.expect(200);
    bob.get(&at(&ws)).await.expect(200);
    assert_eq!(super::names(&bob, "/workspaces/").await, ["own"]);
    app.finish().await;
}

#[tokio::test]
async fn addresses_are_what_the_contract_says() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "ws").await;
    let base = at(&ws);
    for path in
        ["/workspaces", &format!("{base}/projects"), &format!("{base}/catalogues"), &format!("{base}/platforms")]
    {
        for method in ["GET", "POST"] {
            let moved = ann.send(method, path, raw("")).await.expect(301);
            assert_eq!(moved.header("location"), format!("http://test.local{path}/"), "{method}");
        }
    }
    let id = ws["id"].as_u64().expect("a number");
    for path in [
        "/workspaces/abc".to_owned(),
        "/workspaces/-1".to_owned(),
        "/workspaces/1.5".to_owned(),
        "/workspaces/%31x".to_owned(),
        format!("/workspaces/+{id}"),
        format!("/workspaces/{}", u64::MAX),
        format!("/workspaces/{}", (id as u128) + (1 << 64)),
        format!("{base}/projects/abc"),
        format!("{base}/catalogues/abc"),
        format!("{base}/platforms/null"),
        format!("{base}/"),
        format!("{base}/unknown"),
    ] {
        let missing = ann.get(&path).await.expect(404);
        assert_eq!(missing.header("content-type"), "application/json", "{path}");
    }
    assert_eq!(message(ann.get("/workspaces/1337").await, 404), "Workspace not found");
    assert_eq!(message(ann.get(&format!("{base}/projects/1337")).await, 404), "Project not found");
    // The name of a project is not its number.
    project(&ann, &ws, "1337").await;
    assert_eq!(message(ann.get(&format!("{base}/projects/1337")).await, 404), "Project not found");
    ann.send("HEAD", &base, raw("")).await.expect(200);
    let wrong = ann.send("PATCH", &base, raw("")).await.expect(405);
    assert!(wrong.header("allow").contains("PUT"), "{:?}", wrong.headers);
    app.finish().await;
}

#[tokio::test]
async fn bodies_are_objects_or_forms() {
    let app = open().await;
    let ann = app.as_user("ann");
    let missing = "Key 'name' is required in request data!";
    for body in [json!({}).into(), raw(""), typed("application/x-www-form-urlencoded", "other=1")] {
        assert_eq!(message(ann.post("/workspaces/", body).await, 400), missing);
    }
    for text in ["{", "null", "[]", "\"x\"", "7", "{\"name\": 7}", "{\"name\": null}", "{\"name\": [\"x\"]}"] {
        ann.post("/workspaces/", typed("application/json", text)).await.expect(400);
    }
    ann.post("/workspaces/", typed("application/x-www-form-urlencoded", "name=by+form")).await.expect(201);
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nby parts\r\n--b--\r\n";
    ann.post("/workspaces/", typed("multipart/form-data; boundary=b", multipart)).await.expect(201);
    ann.post("/workspaces/", typed("multipart/form-data; boundary=b", "--b\r\n")).await.expect(400);
    ann.post("/workspaces/", typed("text/plain", "name=x")).await.expect(415);
    assert_eq!(super::names(&ann, "/workspaces/").await, ["by form", "by parts"]);
    app.finish().await;
}

#[tokio::test]
async fn messages_hold_no_markup_of_clients() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "ws").await;
    let evil = "<img src=x onerror=alert(1)>";
    for (path, key) in [("/workspaces/".to_owned(), "name"), (format!("{}/projects/", at(&ws)), "name")] {
        let refused = ann.post(&path, json!({ key: evil })).await;
        let text = message(refused, 400);
        assert!(!text.contains('<') && text.contains("&lt;img"), "{text}");
    }
    app.finish().await;
}

#[tokio::test]
async fn the_log_shows_only_what_one_did_oneself() {
    let app = open().await;
    let (ann, bob) = (app.as_user("ann"), app.as_user("bob"));
    let ws = workspace(&ann, "secret plans").await;
    workspace(&bob, "bobs").await;
    ann.put(&at(&ws), json!({ "name": "renamed" })).await.expect(200);
    app.anonymous().header("authorization", &basic("ann", "guess")).get("/workspaces/").await.expect(401);
    let log = ann.get("/log").await.expect(200);
    assert!(log.header("content-type").starts_with("text/html"), "{:?}", log.headers);
    let text = log.text();
    let made = text.find("workspace.created ann/secret plans").expect("what was made");
    let renamed = text.find("workspace.renamed ann/secret plans ann/renamed").expect("what was renamed");
    assert!(made < renamed && !text.contains("bob") && !text.contains("failed"), "{text}");
    assert!(!bob.get("/log").await.expect(200).text().contains("plans"));
    app.anonymous().get("/log").await.expect(401);
    app.finish().await;
}
