//! Groups, which the DMP tool calls projects.

use serde_json::json;

use crate::support::{TestApp, raw};

const GROUPS: &str = "/api/v1/groups";

#[tokio::test]
async fn administrators_manage_groups_and_members_see_theirs() {
    let app = TestApp::open().await;
    let (root, ann, bob) = (app.as_user("root"), app.as_user("ann"), app.as_user("bob"));
    root.post(GROUPS, json!({ "name": "Ocean data", "description": "Buoys." })).await.expect(201);
    root.post(GROUPS, json!({ "name": "Ocean data" })).await.expect(409);
    root.post(GROUPS, json!({ "name": " " })).await.expect(400);
    root.post(GROUPS, json!({ "name": "x".repeat(129) })).await.expect(400);
    ann.post(GROUPS, json!({ "name": "mine" })).await.expect(403);
    let group = format!("{GROUPS}/Ocean data");
    for _ in 0..2 {
        root.put(&format!("{group}/members/ann"), raw("")).await.expect(204);
    }
    root.put(&format!("{group}/members/nobody"), raw("")).await.expect(404);
    ann.put(&format!("{group}/members/bob"), raw("")).await.expect(403);
    let shown = ann.get(&group).await.expect(200).inner();
    assert_eq!(shown, json!({ "name": "Ocean data", "description": "Buoys.", "members": ["ann"] }));
    bob.get(&group).await.expect(404);
    assert_eq!(bob.get(GROUPS).await.expect(200).json()["_meta"]["count"], 0);
    assert_eq!(ann.get(GROUPS).await.expect(200).json()["groups"][0]["name"], "Ocean data");
    assert_eq!(ann.get("/api/v1/session").await.inner()["groups"], json!(["Ocean data"]));
    root.patch(&group, json!({ "description": "Ships." })).await.expect(200);
    ann.patch(&group, json!({ "description": "Mine." })).await.expect(403);
    root.delete(&format!("{group}/members/bob")).await.expect(404);
    root.delete("/api/v1/users/ann").await.expect(204);
    assert_eq!(root.get(&group).await.inner()["members"], json!([]));
    root.delete(&group).await.expect(204);
    root.get(&group).await.expect(404);
    app.finish().await;
}
