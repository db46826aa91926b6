//! What one request may ask for, and what a commit may leave behind.

use serde_json::{Value, json};

use super::samples::{SERVICES, function, lab, service};
use crate::support::{basic, raw, typed};

#[tokio::test]
async fn a_page_of_another_site_can_send_nothing() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let body = service("form").to_string();
    for body in [raw(body.clone()), typed("application/x-www-form-urlencoded", body.clone()), typed("text/plain", body)]
    {
        ann.post(SERVICES, body).await.expect(415);
    }
    for address in ["/api/v1/workspaces", "/api/v1/workspaces/ann/lab/commits"] {
        ann.post(address, typed("text/plain", "{}")).await.expect(415);
    }
    app.finish().await;
}

#[tokio::test]
async fn whoever_is_refused_is_not_read() {
    let app = lab().await;
    // Larger than any body may be: the answer is about the caller, not about the size.
    app.anonymous().post(SERVICES, typed("application/json", vec![b' '; 11 << 20])).await.expect(401);
    app.as_user("ann").post(SERVICES, typed("application/json", vec![b' '; 11 << 20])).await.expect(413);
    app.finish().await;
}

#[tokio::test]
async fn lists_are_asked_for_in_bounds() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let many = "id,path,etag,workspace,vendor,name,version,author,description,licence,vnf_id";
    ann.get(&format!("/api/v1/services?facets={many}")).await.expect(400);
    ann.get("/api/v1/services?facets=name,name").await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn parameters_that_mean_nothing_are_refused_everywhere() {
    let app = lab().await;
    for address in ["/api/v1", "/api/v1/", "/api/v1/kinds", "/api/v1/kinds/service"] {
        app.anonymous().get(address).await.expect(200);
        let answer = app.anonymous().get(&format!("{address}?limit=1")).await.expect(400).json();
        assert_eq!(answer["payload"], json!({ "valid_parameters": [] }), "{address}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_message_cannot_claim_a_move() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let message = "x\n\nW\u{0}orkleaf-Moved: services/a.yml -> services/b.yml";
    let change = json!({ "op": "put", "path": "a.txt", "absent": true, "text": "1" });
    let commits = "/api/v1/workspaces/ann/lab/commits";
    ann.post(commits, json!({ "message": message, "changes": [change] })).await.expect(400);
    ann.post(commits, json!({ "message": "x".repeat(10_001), "changes": [] })).await.expect(400);
    app.finish().await;
}

#[tokio::test]
async fn an_id_in_a_files_name_stays() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = ann.header("if-none-match", "*").put("/api/v1/dmps/p1?workspace=ann/lab", json!({ "name": "a" })).await;
    assert_eq!(made.expect(201).inner()["id"], "p1");
    ann.header("if-none-match", "*").put("/api/v1/dmps/p1?workspace=ann/lab", json!({ "name": "b" })).await.expect(412);
    ann.post("/api/v1/dmps/p1/move", json!({ "path": "dmps/29/p2.json" })).await.expect(400);
    app.finish().await;
}

#[tokio::test]
async fn an_id_in_two_workspaces_is_told_apart() {
    let app = lab().await;
    app.workspace("ann/other").await;
    let ann = app.as_user("ann");
    for workspace in ["ann/lab", "ann/other"] {
        ann.post(&format!("/api/v1/dmps?workspace={workspace}&id=p1"), json!({ "name": workspace })).await.expect(201);
    }
    ann.get("/api/v1/dmps/p1").await.expect(409);
    let one = ann.get("/api/v1/dmps/p1?workspace=ann/other").await.expect(200);
    assert_eq!(one.inner()["content"]["name"], "ann/other");
    ann.at(&one.etag()).delete("/api/v1/dmps/p1?workspace=ann/other").await.expect(204);
    ann.get("/api/v1/dmps/p1").await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn links_are_judged_as_the_commit_leaves_them() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let place = "workspace=ann/lab&project=shop";
    let used = ann.post(&format!("/api/v1/functions?{place}"), function("cache", "0.1")).await.expect(201);
    let mut content = service("web");
    content["network_functions"] =
        json!([{ "vnf_id": "f", "vnf_vendor": "org.example", "vnf_name": "cache", "vnf_version": "0.1" }]);
    let user = ann.post(&format!("/api/v1/services?{place}"), content.clone()).await.expect(201);
    let path = |answer: &crate::support::Answer| answer.inner()["path"].clone();
    let delete = |answer: &crate::support::Answer| -> Value {
        json!({ "op": "delete", "path": path(answer), "etag": answer.inner()["etag"] })
    };
    let commits = "/api/v1/workspaces/ann/lab/commits";
    ann.post(commits, json!({ "changes": [delete(&used)] })).await.expect(409);
    let new = json!({ "op": "put", "path": "projects/shop/sources/nsd/new.yml", "absent": true, "content": content });
    ann.post(commits, json!({ "changes": [new, delete(&used), delete(&user)] })).await.expect(409);
    ann.post(commits, json!({ "changes": [delete(&used), delete(&user)] })).await.expect(201);
    app.finish().await;
}

#[tokio::test]
async fn many_logins_at_once_are_right_or_counted() {
    let app = lab().await;
    // The server forgot whom it verified: many right passwords come before the first is looked at.
    let many = |client: crate::support::Client| {
        let asked = (0..20).map(move |_| {
            let client = client.clone();
            tokio::spawn(async move { client.get("/api/v1/services").await.status })
        });
        asked.collect::<Vec<_>>()
    };
    let mut right = Vec::new();
    for answer in many(app.as_user("ann")) {
        right.push(answer.await.expect("an answer"));
    }
    assert!(right.iter().all(|status| *status == 200), "{right:?}");
    let mut wrong = Vec::new();
    for answer in many(app.anonymous().header("authorization", &basic("ann", "wrong"))) {
        wrong.push(answer.await.expect("an answer"));
    }
    assert!(wrong.iter().filter(|status| **status == 401).count() < 10, "{wrong:?}");
    assert!(wrong.iter().all(|status| matches!(status, 401 | 429)), "{wrong:?}");
    // A remembered credential is not blocked by somebody's guesses.
    app.as_user("ann").get("/api/v1/services").await.expect(200);
    app.finish().await;
}
