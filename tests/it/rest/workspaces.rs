//! Workspaces: made, seen, deleted, and by whom.

use serde_json::json;

use crate::support::{TestApp, git, typed};

const ALL: &str = "/api/v1/workspaces";

#[tokio::test]
async fn a_workspace_is_made_seen_and_deleted() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let made = ann.post(ALL, json!({ "name": "first" })).await;
    insta::assert_snapshot!(made.shown(), @r#"
    201
    location: /api/v1/workspaces/ann/first
    vary: accept-encoding
    {
      "workspace": {
        "id": [id],
        "owner": "ann",
        "name": "first",
        "workspace": "ann/first",
        "clone_url": "http://test.local/git/ann/first.git",
        "head": "[oid]",
        "public": false,
        "push": "free",
        "force_push": false,
        "role": "admin",
        "documents": {},
        "violations": 0
      }
    }
    "#);
    assert_eq!(git::subjects(&app.tree("ann/first")), ["Create the workspace"]);
    assert_eq!(made.json()["workspace"]["head"], app.head("ann/first"));

    let path = made.header("location");
    assert_eq!(ann.get(path).await.expect(200).json(), made.json());
    ann.post("/api/v1/services?workspace=ann/first", json!({ "name": "broken" })).await.expect(422);
    ann.put(&format!("{path}/files/dmps/notes.txt"), typed("text/plain", "x")).await.expect(201);
    let made = ann.post("/api/v1/dmps?workspace=ann/first", json!({ "name": "plan" })).await.expect(201);
    insta::assert_json_snapshot!(ann.get(path).await.json()["workspace"]["documents"], @r#"
    {
      "dmp": 1
    }
    "#);
    assert_eq!(ann.get("/api/v1/dmps").await.json()["_meta"]["count"], 1);

    ann.delete(path).await.expect(204);
    insta::assert_snapshot!(ann.get(path).await.shown(), @r#"
    404
    vary: accept-encoding
    {
      "message": "there is no workspace ann/first",
      "status_code": 404,
      "payload": {}
    }
    "#);
    assert!(!app.tree("ann/first").exists());
    assert_eq!(ann.get("/api/v1/dmps").await.json()["_meta"]["count"], 0);
    ann.get(&format!("/api/v1/dmps/{}", made.id())).await.expect(404);
    ann.delete(path).await.expect(404);
    // The name is free again, and nothing of the old one comes back.
    let again = ann.post(ALL, json!({ "name": "First" })).await.expect(201);
    assert_eq!(again.json()["workspace"]["documents"], json!({}));
    app.finish().await;
}

#[tokio::test]
async fn a_list_shows_what_one_may_read() {
    let app = TestApp::open().await;
    let (ann, bob) = (app.as_user("ann"), app.as_user("bob"));
    assert_eq!(ann.get(ALL).await.expect(200).json()["workspaces"], json!([]));
    app.anonymous().get(ALL).await.expect(401);
    ann.post(ALL, json!({ "name": "private" })).await.expect(201);
    ann.post(ALL, json!({ "name": "open", "public": true, "push": "strict" })).await.expect(201);
    bob.post(ALL, json!({ "name": "mine" })).await.expect(201);

    let names = async |client: crate::support::Client, query: &str| {
        let answer = client.get(&format!("{ALL}{query}")).await.expect(200).json();
        let all = answer["workspaces"].as_array().expect("a list").clone();
        let names: Vec<String> = all.iter().map(|w| w["workspace"].as_str().expect("a name").to_owned()).collect();
        (names.join(" "), answer["_meta"].to_string())
    };
    let all = r#"{"count":3,"limit":20,"offset":0}"#;
    assert_eq!(names(ann, "").await.0, "ann/open ann/private");
    assert_eq!(names(bob, "").await.0, "ann/open bob/mine");
    assert_eq!(names(app.anonymous(), "").await.0, "ann/open");
    assert_eq!(names(app.as_user("root"), "").await, ("ann/open ann/private bob/mine".into(), all.into()));
    let page = r#"{"count":3,"limit":1,"offset":1}"#;
    assert_eq!(names(app.as_user("root"), "?limit=1&offset=1").await, ("ann/private".into(), page.into()));
    insta::assert_snapshot!(app.as_user("root").get(&format!("{ALL}?limit=1001")).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "limit is 1001: at most 1000 is possible",
      "status_code": 400,
      "payload": {}
    }
    "#);
    app.finish().await;
}

#[tokio::test]
async fn what_one_may_not_see_is_not_there() {
    let app = TestApp::open().await;
    let (ann, bob, nobody) = (app.as_user("ann"), app.as_user("bob"), app.anonymous());
    ann.post(ALL, json!({ "name": "private" })).await.expect(201);
    ann.post(ALL, json!({ "name": "open", "public": true })).await.expect(201);
    for name in ["private", "open"] {
        let path = format!("{ALL}/ann/{name}");
        ann.put(&format!("{path}/files/a.txt"), typed("text/plain", "x")).await.expect(201);
        ann.post(&format!("/api/v1/dmps?workspace=ann/{name}&id={name}"), json!({ "name": "plan" })).await.expect(201);
    }
    let head = app.head("ann/private");
    let put = || typed("text/plain", "y");
    let plan = || json!({ "name": "other" });

    // Private: for others it does not exist, for nobody there is nothing without a login.
    let private = format!("{ALL}/ann/private");
    for path in
        [private.clone(), format!("{private}/files/"), format!("{private}/files/a.txt"), "/api/v1/dmps/private".into()]
    {
        bob.get(&path).await.expect(404);
        nobody.get(&path).await.expect(401);
    }
    let file = format!("{private}/files/b.txt");
    bob.put(&file, put()).await.expect(404);
    bob.at("*").delete(&format!("{private}/files/a.txt")).await.expect(404);
    bob.delete(&private).await.expect(404);
    bob.post(&format!("{private}/commits"), json!({ "changes": [] })).await.expect(404);
    bob.post("/api/v1/dmps?workspace=ann/private", plan()).await.expect(404);
    bob.at("*").put("/api/v1/dmps/private", plan()).await.expect(404);
    bob.at("*").patch("/api/v1/dmps/private", plan()).await.expect(404);
    bob.at("*").delete("/api/v1/dmps/private").await.expect(404);
    for rest in ["history", "diff", "referrers"] {
        bob.get(&format!("/api/v1/dmps/private/{rest}")).await.expect(404);
    }
    // Exactly as one that never was.
    let (hidden, missing) = (bob.get(&private).await.text(), bob.get(&format!("{ALL}/ann/absent")).await.text());
    assert_eq!(hidden.replace("private", "absent"), missing);

    // Public: everybody reads, others may not write.
    let open = format!("{ALL}/ann/open");
    for path in [open.clone(), format!("{open}/files/"), format!("{open}/files/a.txt"), "/api/v1/dmps/open".into()] {
        bob.get(&path).await.expect(200);
        nobody.get(&path).await.expect(200);
    }
    let listed = nobody.get("/api/v1/dmps").await.expect(200).json();
    assert_eq!((&listed["_meta"]["count"], &listed["dmps"][0]["id"]), (&json!(1), &json!("open")));
    assert_eq!(nobody.get("/api/v1/dmps?q=plan&facets=workspace").await.expect(200).json()["_meta"]["count"], 1);
    for (client, status) in [(&bob, 403), (&nobody, 401)] {
        client.put(&format!("{open}/files/b.txt"), put()).await.expect(status);
        client.at("*").delete(&format!("{open}/files/a.txt")).await.expect(status);
        client.delete(&open).await.expect(status);
        client.post(&format!("{open}/commits"), json!({ "changes": [] })).await.expect(status);
        client.post("/api/v1/dmps?workspace=ann/open", plan()).await.expect(status);
        client.at("*").put("/api/v1/dmps/open", plan()).await.expect(status);
        client.at("*").patch("/api/v1/dmps/open", plan()).await.expect(status);
        client.at("*").delete("/api/v1/dmps/open").await.expect(status);
        client.post("/api/v1/dmps/open/move", json!({ "path": "x" })).await.expect(status);
        client.post("/api/v1/dmps/open/restore", json!({ "at": head })).await.expect(status);
    }
    insta::assert_snapshot!(bob.delete(&open).await.shown(), @r#"
    403
    vary: accept-encoding
    {
      "message": "you may read ann/open but not delete it: that takes the role admin",
      "status_code": 403,
      "payload": {}
    }
    "#);
    assert_eq!(app.head("ann/private"), head);
    // An administrator may everything.
    app.as_user("root").put(&format!("{private}/files/b.txt"), put()).await.expect(201);
    app.as_user("root").delete(&private).await.expect(204);
    app.finish().await;
}

#[tokio::test]
async fn names_are_checked() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    ann.post(ALL, json!({ "name": "My project" })).await.expect(201);
    ann.get(&format!("{ALL}/ann/My%20project")).await.expect(200);
    // In any case, since it is the same.
    assert_eq!(ann.get(&format!("{ALL}/Ann/my%20PROJECT")).await.expect(200).json()["workspace"]["name"], "My project");
    insta::assert_snapshot!(ann.post(ALL, json!({ "name": "my PROJECT" })).await.shown(), @r#"
    409
    vary: accept-encoding
    {
      "message": "the workspace ann/My project exists already",
      "status_code": 409,
      "payload": {}
    }
    "#);

    for name in [
        "",
        ".",
        "..",
        "a/b",
        "../x",
        ".git",
        "x.git",
        "x.GIT",
        "-x",
        " x",
        "x ",
        "x.",
        "ä",
        "a\u{0}b",
        "a\nb",
        &"x".repeat(40),
    ] {
        let answer = ann.post(ALL, json!({ "name": name })).await;
        assert_eq!(answer.status, 400, "{name:?}: {}", answer.text());
    }
    insta::assert_snapshot!(ann.post(ALL, json!({ "name": "x.git" })).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "\"x.git\" is not a workspace name: use 1 to 39 of A-Z a-z 0-9 . _ - and blanks, starting with a letter or digit, not ending in a blank, a dot or .git",
      "status_code": 400,
      "payload": {}
    }
    "#);
    for (owner, status) in
        [("bob", 403), ("catalogue", 403), ("VDC", 403), ("system", 403), (".state", 400), ("..", 400)]
    {
        let answer = ann.post(ALL, json!({ "owner": owner, "name": "x" })).await;
        assert_eq!(answer.status, status, "{owner}: {}", answer.text());
    }
    let root = app.as_user("root");
    insta::assert_snapshot!(root.post(ALL, json!({ "owner": "Catalogue", "name": "x" })).await.shown(), @r#"
    403
    vary: accept-encoding
    {
      "message": "workspaces of Catalogue are made by the server itself",
      "status_code": 403,
      "payload": {}
    }
    "#);
    root.post(ALL, json!({ "owner": "bob", "name": "x" })).await.expect(201);
    app.as_user("bob").get(&format!("{ALL}/bob/x")).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_body_that_says_something_else_is_refused() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    insta::assert_snapshot!(ann.post(ALL, json!({ "name": "x", "nmae": 1 })).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "unknown member \"nmae\"",
      "status_code": 400,
      "payload": {
        "valid_members": [
          "owner",
          "name",
          "public",
          "push",
          "force_push"
        ]
      }
    }
    "#);
    for body in [
        json!([]),
        json!({}),
        json!({ "name": 5 }),
        json!({ "name": "x", "public": "yes" }),
        json!({ "name": "x", "push": "never" }),
        json!({ "name": "x", "owner": 1 }),
    ] {
        let text = body.to_string();
        assert_eq!(ann.post(ALL, body).await.status, 400, "{text}");
    }
    ann.post(&format!("{ALL}?x=1"), json!({ "name": "x" })).await.expect(400);
    app.anonymous().post(ALL, json!({ "name": "x" })).await.expect(401);
    assert_eq!(ann.get(ALL).await.json()["_meta"]["count"], 0);
    app.finish().await;
}

#[tokio::test]
async fn dry_runs_change_nothing() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let body = || json!({ "name": "x", "public": true });
    insta::assert_snapshot!(ann.post(&format!("{ALL}?dry_run=true"), body()).await.shown(), @r#"
    200
    vary: accept-encoding
    {
      "workspace": {
        "id": null,
        "owner": "ann",
        "name": "x",
        "workspace": "ann/x",
        "clone_url": "http://test.local/git/ann/x.git",
        "head": null,
        "public": true,
        "push": "free",
        "force_push": false,
        "role": "admin",
        "documents": {},
        "violations": 0
      }
    }
    "#);
    assert!(!app.tree("ann/x").exists());
    ann.post(ALL, body()).await.expect(201);
    ann.post(&format!("{ALL}?dry_run=true"), body()).await.expect(409);
    ann.delete(&format!("{ALL}/ann/x?dry_run=true")).await.expect(204);
    ann.delete(&format!("{ALL}/ann/x?dry_run=maybe")).await.expect(400);
    app.as_user("bob").delete(&format!("{ALL}/ann/x?dry_run=true")).await.expect(403);
    ann.get(&format!("{ALL}/ann/x")).await.expect(200);
    app.finish().await;
}
