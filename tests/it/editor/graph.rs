//! The picture of a service's network (issue 5).

use serde_json::json;

use super::{at, open, project, workspace};
use crate::support::git;

#[tokio::test]
async fn a_picture_shows_what_is_joined() {
    let mut app = open().await;
    let ann = app.as_user("ann");
    let workspace = workspace(&ann, "ws").await;
    let project = project(&ann, &workspace, "pro").await;
    let list = format!("{}/projects/{}/services/", at(&workspace), project["id"]);
    let service = ann.get(&list).await.expect(200).json()[0].clone();
    let picture = format!("{list}{}/graph.svg", service["id"]);
    let answer = ann.get(&picture).await.expect(200);
    assert_eq!(answer.header("content-type"), "image/svg+xml");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let svg = answer.text();
    for text in [
        "role=\"img\"",
        "<title id=\"title\">eu.sonata-nfv.service-descriptor:sample-nsd:0.2</title>",
        "sample_vnf",
        "ns:input",
        "E-LAN",
        "ns:fg01:fp01",
    ] {
        assert!(svg.contains(text), "{text}: {svg}");
    }
    // The same picture twice, not twice over the wire.
    assert_eq!(ann.get(&picture).await.expect(200).text(), svg);
    let etag = answer.header("etag").to_owned();
    assert_eq!(ann.header("if-none-match", &etag).get(&picture).await.expect(304).text(), "");
    // Nodes stand where the editor put them.
    let body = json!({ "descriptor": service["descriptor"], "meta": { "positions": { "sample_vnf": [700, 40], "ns:input": [10, 40] } } });
    ann.put(&format!("{list}{}", service["id"]), body).await.expect(200);
    let moved = ann.header("if-none-match", &etag).get(&picture).await.expect(200).text();
    assert_ne!(moved, svg);
    // A descriptor that came by another road may say anything.
    let evil = "<script>alert(1)</script>";
    let name = workspace["path"].as_str().expect("a path");
    let text = format!(
        "vendor: v\nname: n\nversion: '1'\nconnection_points: [{{id: '{evil}'}}, 7]\nvirtual_links: {{a: b}}\n"
    );
    app.restart_after(|data| {
        let tree = data.join(name);
        std::fs::write(tree.join("projects/pro/sources/nsd/evil.yml"), text).expect("it can be written");
        git::run(&tree, &["add", "-A"]);
        git::run(&tree, &["commit", "-q", "-m", "by hand"]);
    })
    .await;
    let ann = app.as_user("ann");
    let all = ann.get(&list).await.expect(200).json();
    let evil = all.as_array().and_then(|all| all.iter().find(|one| one["uid"] == "v:n:1")).expect("it is listed");
    let evil = evil["id"].clone();
    let svg = ann.get(&format!("{list}{evil}/graph.svg")).await.expect(200).text();
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"), "{svg}");
    ann.get(&format!("{list}7/graph.svg")).await.expect(404);
    app.as_user("bob").get(&picture).await.expect(404);
    app.anonymous().get(&picture).await.expect(401);
    ann.get(&format!("{list}{evil}/check")).await.expect(200);
    app.finish().await;
}
