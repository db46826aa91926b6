//! What a write expects to find, and writes that only ask.

use serde_json::json;

use super::samples::{lab, service};
use crate::support::{git, raw};

#[tokio::test]
async fn a_dry_run_sees_an_edit_on_disk_and_leaves_it_there() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let at = |path: &str| format!("/api/v1/workspaces/ann/lab/files/{path}");
    let etag = ann.put(&at("a.txt"), raw("1")).await.expect(201).etag();
    std::fs::write(app.tree("ann/lab").join("a.txt"), "by hand").expect("it can be written");
    let head = app.head("ann/lab");
    // As the same write would be answered.
    ann.at(&etag).put(&at("a.txt?dry_run=true"), raw("2")).await.expect(412);
    ann.at("*").put(&at("a.txt?dry_run=true"), raw("2")).await.expect(200);
    ann.at("*").delete(&at("a.txt?dry_run=true")).await.expect(204);
    assert_eq!(app.head("ann/lab"), head, "nothing was committed");
    assert_eq!(std::fs::read_to_string(app.tree("ann/lab").join("a.txt")).expect("it is there"), "by hand");
    ann.at(&etag).put(&at("a.txt"), raw("2")).await.expect(412);
    let log = git::run(&app.tree("ann/lab"), &["log", "-1", "--format=%s"]);
    assert_eq!(log, "Edit a.txt on the server's disk");
    ann.at("*").put(&at("a.txt"), raw("2")).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn whatever_is_there_has_to_be_there() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let head = app.head("ann/lab");
    let at = |path: &str| format!("/api/v1/workspaces/ann/lab/files/{path}");
    insta::assert_snapshot!(ann.at("*").put(&at("a.txt"), raw("1")).await.shown(), @r#"
    412
    vary: accept-encoding
    {
      "message": "there is no such file: to make one, send If-None-Match: * instead",
      "status_code": 412,
      "payload": {
        "etag": null
      }
    }
    "#);
    let put = json!({ "op": "put", "path": "services/a.yml", "etag": "*", "content": service("a") });
    let commits = "/api/v1/workspaces/ann/lab/commits";
    ann.post(commits, json!({ "changes": [put] })).await.expect(412);
    ann.at("*").delete(&at("a.txt")).await.expect(404);
    assert_eq!(app.head("ann/lab"), head);
    ann.put(&at("a.txt"), raw("1")).await.expect(201);
    ann.at("*").put(&at("a.txt"), raw("2")).await.expect(200);
    app.finish().await;
}
