//! Sharing: what members, groups and everybody may do, and that nobody sees more.

use serde_json::{Value, json};

use super::{grant, lab, service};
use crate::support::{Client, TestApp, raw};

const LAB: &str = "/api/v1/workspaces/ann/lab";

/// What of the service one sees by every road there is.
async fn sight(client: &Client, id: &str) -> Value {
    let status = async |path: &str| client.get(path).await.status;
    let list = client.get("/api/v1/services?facets=vendor&where=name:firewall").await;
    let list = if list.status == 200 { list.json() } else { json!({ "_meta": { "count": 0 } }) };
    let search = client.get("/api/v1/services?q=firewall").await;
    json!({
        "document": status(&format!("/api/v1/services/{id}")).await,
        "by name": status("/api/v1/services/firewall").await,
        "history": status(&format!("/api/v1/services/{id}/history")).await,
        "referrers": status(&format!("/api/v1/services/{id}/referrers")).await,
        "workspace": status(LAB).await,
        "files": status(&format!("{LAB}/files/")).await,
        "file": status(&format!("{LAB}/files/services/firewall.yml")).await,
        "count": list["_meta"]["count"],
        "facets": list["_meta"]["facets"]["vendor"].as_array().map_or(0, Vec::len),
        "found": if search.status == 200 { search.json()["_meta"]["count"].clone() } else { json!(0) },
    })
}

fn seen(status: u16, count: u64) -> Value {
    json!({
        "document": status, "by name": status, "history": status, "referrers": status, "workspace": status,
        "files": status, "file": status, "count": count, "facets": count, "found": count,
    })
}

#[tokio::test]
async fn one_sees_all_of_a_workspace_or_nothing() {
    let (app, id) = lab().await;
    let (bob, nobody) = (app.as_user("bob"), app.anonymous());
    assert_eq!(sight(&bob, &id).await, seen(404, 0));
    assert_eq!(sight(&nobody, &id).await, seen(401, 0));
    grant(&app, "bob", "reader").await;
    assert_eq!(sight(&bob, &id).await, seen(200, 1));
    assert_eq!(sight(&nobody, &id).await, seen(401, 0));
    app.as_user("ann").delete(&format!("{LAB}/members/bob")).await.expect(204);
    assert_eq!(sight(&bob, &id).await, seen(404, 0));
    app.as_user("ann").patch(LAB, json!({ "public": true })).await.expect(200);
    assert_eq!(sight(&bob, &id).await, seen(200, 1));
    assert_eq!(sight(&nobody, &id).await, seen(200, 1));
    app.as_user("ann").patch(LAB, json!({ "public": false })).await.expect(200);
    assert_eq!(sight(&nobody, &id).await, seen(401, 0));
    app.finish().await;
}

#[tokio::test]
async fn roles_say_what_one_may_do() {
    let (app, id) = lab().await;
    let bob = app.as_user("bob");
    let address = format!("/api/v1/services/{id}");
    let write = async |name: &str| {
        let etag = bob.get(&address).await.etag();
        bob.at(&etag).put(&address, service(name)).await.status
    };
    grant(&app, "bob", "reader").await;
    assert_eq!(write("firewall2").await, 403);
    bob.put(&format!("{LAB}/members/bob"), json!({ "role": "admin" })).await.expect(403);
    grant(&app, "bob", "writer").await;
    assert_eq!(write("firewall3").await, 200);
    bob.patch(LAB, json!({ "public": true })).await.expect(403);
    bob.delete(LAB).await.expect(403);
    grant(&app, "bob", "admin").await;
    bob.put(&format!("{LAB}/members/root"), json!({ "role": "reader" })).await.expect(200);
    bob.patch(LAB, json!({ "push": "strict" })).await.expect(200);
    assert_eq!(bob.get(LAB).await.expect(200).inner()["role"], "admin");
    // The commit says whose it was.
    let history = bob.get(&format!("{address}/history")).await.expect(200).json();
    assert_eq!(history["history"][0]["author"]["name"], "bob", "{history}");
    bob.delete(LAB).await.expect(204);
    app.finish().await;
}

#[tokio::test]
async fn groups_are_members_too() {
    let (app, id) = lab().await;
    let root = app.as_user("root");
    root.post("/api/v1/groups", json!({ "name": "The lab" })).await.expect(201);
    // Whoever is not in a group does not learn that there is one.
    let address = format!("{LAB}/members/group:The lab");
    let unknown = app.as_user("ann").put(&address, json!({ "role": "writer" })).await.expect(404);
    assert_eq!(unknown.json()["message"], "there is no group \"The lab\"");
    root.put("/api/v1/groups/The lab/members/ann", raw("")).await.expect(204);
    grant(&app, "group:The lab", "writer").await;
    let address = format!("/api/v1/services/{id}");
    let bob = app.as_user("bob");
    bob.get(&address).await.expect(404);
    root.put("/api/v1/groups/The lab/members/bob", raw("")).await.expect(204);
    let etag = bob.get(&address).await.expect(200).etag();
    bob.at(&etag).put(&address, service("firewall2")).await.expect(200);
    let members = bob.get(&format!("{LAB}/members")).await.expect(200).json();
    assert_eq!(members["members"], json!([{ "who": "group:The lab", "role": "writer" }]));
    // The most of all roles counts.
    grant(&app, "bob", "reader").await;
    assert_eq!(bob.get(LAB).await.inner()["role"], "writer");
    root.delete("/api/v1/groups/The lab/members/bob").await.expect(204);
    assert_eq!(bob.get(LAB).await.inner()["role"], "reader");
    root.put("/api/v1/groups/The lab/members/bob", raw("")).await.expect(204);
    root.delete("/api/v1/groups/The lab").await.expect(204);
    assert_eq!(bob.get(LAB).await.inner()["role"], "reader");
    app.finish().await;
}

#[tokio::test]
async fn members_are_managed_by_name() {
    let (mut app, _) = lab().await;
    let ann = app.as_user("ann");
    let members = format!("{LAB}/members");
    grant(&app, "BOB", "writer").await;
    assert_eq!(
        ann.get(&members).await.expect(200).json(),
        json!({
            "members": [{ "who": "bob", "role": "writer" }],
            "_meta": { "count": 1, "limit": 1, "offset": 0 },
        })
    );
    assert_eq!(ann.get(&format!("{members}/Bob")).await.expect(200).inner()["role"], "writer");
    ann.get(&format!("{members}/root")).await.expect(404);
    ann.get(&format!("{members}/group:bob")).await.expect(404);
    ann.put(&format!("{members}/nobody"), json!({ "role": "reader" })).await.expect(404);
    ann.put(&format!("{members}/group:nobody"), json!({ "role": "reader" })).await.expect(404);
    ann.put(&format!("{members}/bob"), json!({ "role": "owner" })).await.expect(400);
    ann.put(&format!("{members}/bob"), json!({})).await.expect(400);
    ann.delete(&format!("{members}/root")).await.expect(404);
    app.anonymous().get(&members).await.expect(401);
    app.restart_after(|_| {}).await;
    let bob = app.as_user("bob");
    assert_eq!(bob.get(LAB).await.expect(200).inner()["role"], "writer");
    // Whoever was let in may leave.
    bob.delete(&format!("{members}/bob")).await.expect(204);
    bob.get(LAB).await.expect(404);
    app.as_user("ann").patch(LAB, json!({ "public": true })).await.expect(200);
    bob.get(&members).await.expect(403);
    bob.delete(&format!("{members}/root")).await.expect(403);
    bob.delete(&format!("{members}/bob")).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn what_was_granted_ends_with_the_workspace() {
    let (app, _) = lab().await;
    grant(&app, "bob", "admin").await;
    app.as_user("ann").delete(LAB).await.expect(204);
    app.workspace("ann/lab").await;
    app.as_user("bob").get(LAB).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn links_into_what_one_may_not_see_are_not_followed() {
    let app = TestApp::open().await;
    app.workspace("ann/lab").await;
    app.workspace("bob/own").await;
    let ann = app.as_user("ann");
    ann.post("/api/v1/services?workspace=ann/lab&path=services/a.yml", service("a")).await.expect(201);
    let bob = app.as_user("bob");
    let listed = bob.get("/api/v1/services?embed=functions").await.expect(200).json();
    assert_eq!(listed["_meta"]["count"], 0, "{listed}");
    // A name that is ambiguous only with what one may not see is not.
    bob.post("/api/v1/services?workspace=bob/own&path=services/a.yml", service("a")).await.expect(201);
    bob.get("/api/v1/services/a").await.expect(200);
    app.as_user("root").get("/api/v1/services/a").await.expect(409);
    app.finish().await;
}

#[tokio::test]
async fn a_settings_change_says_what_is_wrong_with_it() {
    let (app, _) = lab().await;
    let ann = app.as_user("ann");
    for body in [json!({ "public": 1 }), json!({ "push": "never" }), json!({ "owner": "x" }), json!([])] {
        ann.patch(LAB, body).await.expect(400);
    }
    let dry = ann.patch(&format!("{LAB}?dry_run=true"), json!({ "public": true })).await.expect(200).inner();
    assert_eq!(dry["public"], true);
    assert_eq!(ann.get(LAB).await.inner()["public"], false);
    app.finish().await;
}
