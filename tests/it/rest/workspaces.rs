//! Workspaces: made, seen, deleted, and by whom.

use serde_json::json;

use crate::support::{TestApp, git};

#[tokio::test]
async fn a_workspace_is_made_seen_and_deleted() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let made = ann.post("/api/v1/workspaces", json!({ "name": "first" })).await;
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
        "documents": {},
        "violations": 0
      }
    }
    "#);
    assert_eq!(git::subjects(&app.tree("ann/first")), ["Create the workspace"]);
    app.finish().await;
}
