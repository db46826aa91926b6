//! Several at once: nothing is lost, nothing is half done.

use std::collections::HashSet;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::desk::{Desk, function, message, service};

#[tokio::test]
async fn of_those_who_saw_the_same_state_one_wins() {
    let desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    let one = desk.at(&format!("functions/{}", made["id"]));
    let etag = desk.ann.get(&one).await.expect(200).header("etag").to_owned();
    let mut running = JoinSet::new();
    for at in 0..8 {
        // Half of them rename.
        let version = if at % 2 == 0 { "0.1".to_owned() } else { format!("1.{at}") };
        let mut descriptor = function("v", "fw", &version);
        descriptor["author"] = json!(format!("author {at}"));
        let (ann, one) = (desk.ann.at(&etag), one.clone());
        running.spawn(async move {
            let body = json!({ "descriptor": descriptor, "edit_mode": "replace_refs" });
            (ann.put(&one, body).await, descriptor)
        });
    }
    let mut won = Vec::new();
    while let Some(done) = running.join_next().await {
        let (answer, descriptor) = done.expect("no panic");
        if answer.status == 200 {
            won.push(descriptor);
        } else {
            answer.expect(412);
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(desk.ann.get(&one).await.expect(200).json()["descriptor"], won[0]);
    desk.ann.at(&etag).delete(&one).await.expect(412);
    desk.ann.at("\"0000000000000000000000000000000000000000\"").delete(&one).await.expect(412);
    assert_eq!(desk.files("projects/p/sources/vnf").len(), 1);
    let etag = desk.ann.get(&one).await.expect(200).header("etag").to_owned();
    desk.ann.at(&etag).delete(&one).await.expect(200);
    desk.app.finish().await;
}

#[tokio::test]
async fn a_service_is_not_overwritten_by_who_saw_an_older_one() {
    let desk = Desk::open().await;
    let made = desk.make_service(service("v", "web", "1", &[])).await;
    let one = desk.at(&format!("services/{}", made["id"]));
    let seen = desk.ann.get(&one).await.expect(200);
    let mut first = made.clone();
    first["descriptor"]["author"] = json!("first");
    let answer = desk.ann.at(seen.header("etag")).put(&one, first.clone()).await.expect(200);
    let mut second = made.clone();
    second["descriptor"]["author"] = json!("second");
    for body in
        [second.clone(), json!({ "meta": { "counter": 1 } }), json!({ "descriptor": service("v", "x", "1", &[]) })]
    {
        desk.ann.at(seen.header("etag")).put(&one, body).await.expect(412);
    }
    assert_eq!(desk.ann.get(&one).await.expect(200).json()["descriptor"]["author"], "first");
    // The etag of a write is good for the next one; without one the last word counts.
    desk.ann.at(answer.header("etag")).put(&one, second.clone()).await.expect(200);
    desk.ann.put(&one, first).await.expect(200);
    desk.app.finish().await;
}

#[tokio::test]
async fn everybody_s_updates_without_a_precondition_go_through() {
    let desk = Desk::open().await;
    let made = desk.make_service(service("v", "web", "1", &[])).await;
    let one = desk.at(&format!("services/{}", made["id"]));
    let mut running = JoinSet::new();
    for at in 0..30 {
        let (ann, one) = (desk.ann.clone(), one.clone());
        let mut body = json!({ "descriptor": service("v", "web", "1", &[]), "meta": { "counter": at } });
        body["descriptor"]["description"] = json!(format!("step {at}"));
        running.spawn(async move { ann.put(&one, body).await });
    }
    while let Some(done) = running.join_next().await {
        done.expect("no panic").expect(200);
    }
    let last = desk.ann.get(&one).await.expect(200).json();
    // Descriptor and what is kept besides come from the same request.
    assert_eq!(last["descriptor"]["description"], format!("step {}", last["meta"]["counter"]));
    desk.app.finish().await;
}

#[tokio::test]
async fn one_identity_is_made_once() {
    let desk = Desk::open().await;
    let first = desk.make_function(function("v", "first", "1")).await;
    let mut running = JoinSet::new();
    for at in 0..12 {
        let (ann, all, one) = (desk.ann.clone(), desk.at("functions/"), desk.at(&format!("functions/{}", first["id"])));
        running.spawn(async move {
            let body = json!({ "descriptor": function("v", "fw", "1"), "edit_mode": "create_new" });
            if at % 3 == 0 { ann.put(&one, body).await } else { ann.post(&all, body).await }
        });
    }
    let mut won = 0;
    while let Some(done) = running.join_next().await {
        let answer = done.expect("no panic");
        // The one that was renamed may be renamed to its own name.
        if answer.status >= 400 {
            assert!(message(&answer.expect(409)).contains("already exists"));
        } else {
            won += 1;
        }
    }
    assert!(won >= 1);
    let list = desk.ann.get(&desk.at("functions/")).await.expect(200).json();
    let uids: Vec<&Value> = list.as_array().expect("a list").iter().map(|one| &one["uid"]).collect();
    assert_eq!(uids.iter().filter(|uid| **uid == "v:fw:1").count(), 1, "{uids:?}");
    desk.app.finish().await;
}

#[tokio::test]
async fn references_hold_whatever_happens_at_once() {
    let desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "1")).await;
    desk.upload(&made["id"], "disk.img", "bytes").await.expect(200);
    let one = desk.at(&format!("functions/{}", made["id"]));
    let mut running = JoinSet::new();
    for at in 0..24 {
        let (ann, one, services) = (desk.ann.clone(), one.clone(), desk.at("services/"));
        running.spawn(async move {
            match at % 4 {
                0 => {
                    let body =
                        json!({ "descriptor": function("v", &format!("fw{at}"), "1"), "edit_mode": "replace_refs" });
                    ann.put(&one, body).await
                }
                1 => ann.delete(&one).await,
                2 => ann.post(&format!("{one}/upload"), super::desk::image(&format!("{at}.img"), "x")).await,
                _ => {
                    let body =
                        json!({ "descriptor": service("v", &format!("s{at}"), "1", &[("v", "fw", "1")]), "meta": {} });
                    ann.post(&services, body).await
                }
            }
        });
    }
    while let Some(done) = running.join_next().await {
        let answer = done.expect("no panic");
        assert!([200, 201, 400, 404].contains(&answer.status), "{} {}", answer.status, answer.text());
    }
    // One function or none, and no file outside its folder.
    let functions = desk.ann.get(&desk.at("functions/")).await.expect(200).json();
    let files = desk.files("projects/p/sources");
    let folders: HashSet<&str> = files.iter().filter_map(|file| file.strip_prefix("vnf/")?.split('/').next()).collect();
    assert_eq!(folders.len(), functions.as_array().map_or(0, Vec::len), "{files:?}");
    desk.app.finish().await;
}
