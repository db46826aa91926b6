//! Look-up by identity: rows 34 and 35 of section 1.3.

use serde_json::json;

use super::desk::{Desk, WORKSPACE, function, message, service};

#[tokio::test]
async fn the_project_comes_before_the_private_catalogue() {
    let desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    let used = desk.make_service(service("v", "web", "1", &[("v", "fw", "0.1")])).await;
    let find = |rest: &str| desk.at(&format!("nsfs/{rest}"));
    assert_eq!(desk.ann.get(&find("functions/v/fw/0.1")).await.expect(200).json(), made);
    assert_eq!(desk.ann.get(&find("services/v/web/1")).await.expect(200).json(), used);
    desk.ann.get(&desk.at(&format!("functions/{}/publish", made["id"]))).await.expect(201);
    desk.ann.get(&desk.at(&format!("services/{}/publish", used["id"]))).await.expect(201);
    assert_eq!(desk.ann.get(&find("functions/v/fw/0.1")).await.expect(200).json(), made);
    desk.ann.delete(&desk.at(&format!("services/{}", used["id"]))).await.expect(200);
    desk.ann.delete(&desk.at(&format!("functions/{}", made["id"]))).await.expect(200);
    let published = desk.ann.get(&find("functions/v/fw/0.1")).await.expect(200).json();
    assert_eq!(
        (&published["vendor"], &published["name"], &published["version"], &published["descriptor"]),
        (&json!("v"), &json!("fw"), &json!("0.1"), &made["descriptor"])
    );
    assert_eq!(desk.ann.get(&find("services/v/web/1")).await.expect(200).json()["uid"], "v:web:1");
    for (rest, said) in [
        ("functions/v/fw/0.2", "VNF v:fw:0.2 not found"),
        ("functions/v/web/1", "VNF v:web:1 not found"),
        ("functions/x/fw/0.1", "VNF x:fw:0.1 not found"),
        ("services/v/fw/0.1", "NS v:fw:0.1 not found"),
        ("services/v/<b>/0.1", "NS v:&lt;b&gt;:0.1 not found"),
        ("services/../../0.1", "NS ..:..:0.1 not found"),
    ] {
        assert_eq!(message(&desk.ann.get(&find(rest)).await.expect(404)), said);
    }
    desk.app.finish().await;
}

#[tokio::test]
async fn nobody_finds_what_is_others() {
    let desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    let used = desk.make_service(service("v", "web", "1", &[])).await;
    desk.ann.get(&desk.at(&format!("functions/{}/publish", made["id"]))).await.expect(201);
    // Bob's own workspace, and a second project of Ann's.
    desk.app.workspace("bob/lab").await;
    let bob = desk.app.as_user("bob");
    let project = json!({ "op": "put", "path": "projects/q/project.yml", "absent": true, "text": "name: q\n" });
    bob.post("/api/v1/workspaces/bob/lab/commits", json!({ "changes": [project] })).await.expect(201);
    desk.write(&[("projects/q/project.yml", "name: q\n")]).await;
    let ws = bob.get("/workspaces/").await.expect(200).json()[0]["id"].clone();
    let pj = bob.get(&format!("/workspaces/{ws}/projects/")).await.expect(200).json()[0]["id"].clone();
    let projects = desk.ann.get(&format!("/workspaces/{}/projects/", desk.workspace)).await.expect(200).json();
    let theirs = [(&bob, format!("/workspaces/{ws}/projects/{pj}"))];
    let beside = [(&desk.ann, format!("/workspaces/{}/projects/{}", desk.workspace, projects[1]["id"]))];
    for (who, base) in theirs.iter().chain(&beside) {
        for rest in [
            format!("functions/{}", made["id"]),
            format!("functions/{}/upload", made["id"]),
            format!("functions/{}/publish", made["id"]),
            format!("services/{}", used["id"]),
            format!("services/{}/publish", used["id"]),
        ] {
            who.get(&format!("{base}/{rest}")).await.expect(404);
        }
        let body = json!({ "descriptor": function("v", "fw", "0.1"), "edit_mode": "replace_refs", "meta": {} });
        who.put(&format!("{base}/functions/{}", made["id"]), body).await.expect(404);
        let body = json!({ "descriptor": service("v", "web", "1", &[]), "meta": {} });
        who.put(&format!("{base}/services/{}", used["id"]), body).await.expect(404);
        who.delete(&format!("{base}/functions/{}", made["id"])).await.expect(404);
        who.delete(&format!("{base}/services/{}", used["id"])).await.expect(404);
        assert_eq!(who.get(&format!("{base}/functions/")).await.expect(200).json(), json!([]));
    }
    // What is published is the workspace's own.
    bob.get(&format!("{}/nsfs/functions/v/fw/0.1", theirs[0].1)).await.expect(404);
    assert_eq!(bob.get(&format!("/workspaces/{ws}/functions")).await.expect(200).json(), json!([]));
    desk.ann.get(&format!("{}/nsfs/functions/v/fw/0.1", beside[0].1)).await.expect(200);
    for rest in [desk.at("functions/"), desk.at("services/"), format!("/workspaces/{}/functions", desk.workspace)] {
        assert_eq!(message(&bob.get(&rest).await.expect(404)), "Workspace not found");
    }
    desk.app.finish().await;
}

#[tokio::test]
async fn readers_read_and_writers_write() {
    let desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    let member = format!("/api/v1/workspaces/{WORKSPACE}/members/bob");
    let one = desk.at(&format!("functions/{}", made["id"]));
    let bob = desk.app.as_user("bob");
    desk.ann.put(&member, json!({ "role": "reader" })).await.expect(200);
    assert_eq!(bob.get(&one).await.expect(200).json(), made);
    let body = json!({ "descriptor": function("v", "fw", "0.2"), "edit_mode": "replace_refs" });
    bob.put(&one, body.clone()).await.expect(403);
    bob.delete(&one).await.expect(403);
    bob.get(&format!("{one}/publish")).await.expect(403);
    bob.post(&format!("{one}/upload"), super::desk::image("a.img", "x")).await.expect(403);
    bob.delete(&format!("{one}/upload/a.img")).await.expect(403);
    bob.post(&desk.at("functions/"), json!({ "descriptor": function("v", "x", "1") })).await.expect(403);
    bob.post(&desk.at("services/"), json!({ "descriptor": service("v", "x", "1", &[]), "meta": {} })).await.expect(403);
    desk.ann.put(&member, json!({ "role": "writer" })).await.expect(200);
    bob.put(&one, body).await.expect(200);
    let login = desk.app.anonymous().get(&one).await.expect(401).json();
    assert!(login["authorizationUrl"].is_string(), "{login}");
    desk.app.finish().await;
}
