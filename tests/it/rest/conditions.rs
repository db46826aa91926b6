//! What a write expects to find, and writes that only ask.

use super::samples::lab;
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
