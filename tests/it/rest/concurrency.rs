//! Many at once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::own_kind::{gadget, with_gadgets};
use super::samples::{SERVICES, firewall, lab, service};
use crate::support::{Answer, git, raw, typed, yaml};

/// The answers of tasks, in any order.
async fn all(tasks: impl IntoIterator<Item = impl Future<Output = Answer> + Send + 'static>) -> Vec<Answer> {
    tasks.into_iter().collect::<JoinSet<_>>().join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_writes_that_start_from_one_state_one_succeeds() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let made = firewall(&ann).await;
    let address = made.header("location").to_owned();
    let head = app.head("ann/lab");
    let answers = all((0..50).map(|at| {
        let (client, address) = (ann.at(&made.etag()), address.clone());
        async move { client.put(&address, service(&format!("winner-{at}"))).await }
    }))
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 49));
    let now = ann.get(&address).await;
    assert_eq!(now.inner()["content"], won[0].inner()["content"]);
    for answer in lost {
        assert_eq!((answer.status, &answer.json()["payload"]["etag"]), (412, &json!(won[0].etag())));
    }
    assert_eq!(git::run(&app.tree("ann/lab"), &["rev-parse", "main^"]), head, "one commit");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_creations_of_one_name_one_succeeds() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let answers = all((0..50).map(|at| {
        let client = ann.clone();
        // Names that differ in case are one name.
        let name = if at % 2 == 0 { "readme.md" } else { "README.md" };
        async move { client.put(&format!("/api/v1/workspaces/ann/lab/files/{name}"), raw(at.to_string())).await }
    }))
    .await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(412) + count(409)), (1, 49));
    // And of one workspace.
    let answers = all((0..20).map(|_| {
        let client = ann.clone();
        async move { client.post("/api/v1/workspaces", json!({ "name": "other" })).await }
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_to_different_documents_never_conflict() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let mut documents = Vec::new();
    for at in 0..20 {
        documents.push(ann.post(SERVICES, service(&format!("s{at}"))).await.expect(201));
    }
    let tasks = documents.iter().map(|made| {
        let (ann, address, mut etag) = (ann.clone(), made.header("location").to_owned(), made.etag());
        async move {
            for turn in 0..5 {
                etag = ann.at(&etag).patch(&address, json!({ "author": turn.to_string() })).await.expect(200).etag();
            }
            ann.get(&address).await
        }
    });
    for answer in all(tasks).await {
        assert_eq!(answer.expect(200).inner()["content"]["author"], "4");
    }
    assert_eq!(git::run(&app.tree("ann/lab"), &["rev-list", "--count", "--first-parent", "main"]), "121");
    assert_eq!(git::run(&app.tree("ann/lab"), &["rev-list", "--merges", "main"]), "");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_answer_finds_the_document() {
    let app = lab().await;
    let ann = app.as_user("ann");
    app.workspace("bob/lab").await;
    let tasks = (0..100).map(|at| {
        // Several workspaces at once, so that index and syncs are shared.
        let (client, workspace) = if at % 3 == 0 { (app.as_user("bob"), "bob/lab") } else { (ann.clone(), "ann/lab") };
        async move {
            let name = format!("s{at}");
            let made =
                client.post(&format!("/api/v1/services?workspace={workspace}"), service(&name)).await.expect(201);
            let listed = client.get("/api/v1/services?limit=1000&fields=id").await.expect(200).json();
            let ids: BTreeSet<String> =
                listed["services"].as_array().expect("a list").iter().map(|one| one["id"].to_string()).collect();
            assert!(ids.contains(&made.id()), "{name} is not in the list");
            assert_eq!(listed["_meta"]["count"], ids.len(), "the count is of the same moment");
            let filtered = client.get(&format!("/api/v1/services?where=name:{name}")).await.expect(200).json();
            assert_eq!(
                (&filtered["_meta"]["count"], filtered["services"][0]["id"].to_string()),
                (&json!(1), made.id())
            );
            let searched = client.get(&format!("/api/v1/services?q={name}")).await.expect(200).json();
            assert_eq!(searched["_meta"]["count"], 1, "{name} is not found by its words");
            assert_eq!(client.get(&format!("/api/v1/services/{name}")).await.expect(200).etag(), made.etag());
            if at % 2 == 0 {
                client.at(&made.etag()).patch(made.header("location"), json!({ "author": name })).await.expect(200);
                let found = client.get(&format!("/api/v1/services?where=author:{name}")).await.expect(200).json();
                assert_eq!(found["_meta"]["count"], 1);
            }
            if at % 10 == 0 {
                client.at("*").delete(made.header("location")).await.expect(204);
                let gone = client.get(&format!("/api/v1/services?where=name:{name}")).await.expect(200).json();
                assert_eq!(gone["_meta"]["count"], 0);
            }
            made
        }
    });
    let tasks: Vec<_> = tasks.collect();
    assert_eq!(all(tasks).await.len(), 100);
    let root = app.as_user("root");
    assert_eq!(root.get("/api/v1/services?limit=0").await.json()["_meta"]["count"], 90);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_whole_commits_only() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let put = |name: &str, turn: usize, first: bool| {
        let mut content = service(name);
        content["author"] = json!(turn.to_string());
        match first {
            true => json!({ "op": "put", "path": format!("services/{name}.yml"), "absent": true, "content": content }),
            false => json!({ "op": "put", "path": format!("services/{name}.yml"), "etag": "*", "content": content }),
        }
    };
    let changes = |turn: usize| json!({ "changes": [put("one", turn, turn == 0), put("two", turn, turn == 0)] });
    ann.post("/api/v1/workspaces/ann/lab/commits", changes(0)).await.expect(201);
    let reader = {
        let ann = ann.clone();
        tokio::spawn(async move {
            loop {
                let list = ann.get("/api/v1/services?sort=name&fields=author").await.expect(200).json();
                let authors = list["services"].as_array().expect("a list");
                assert_eq!(authors.len(), 2);
                assert_eq!(authors[0], authors[1], "half a commit was read");
                if authors[0]["content"]["author"] == "30" {
                    return;
                }
            }
        })
    };
    for turn in 1..=30 {
        ann.post("/api/v1/workspaces/ann/lab/commits", changes(turn)).await.expect(201);
    }
    reader.await.expect("the reader saw whole commits");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_goes_away_under_its_writers() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let tasks = (0..30).map(|at| {
        let ann = ann.clone();
        async move {
            match at {
                15 => ann.delete("/api/v1/workspaces/ann/lab").await.expect(204),
                _ => ann.post(SERVICES, service(&format!("s{at}"))).await,
            }
        }
    });
    for answer in all(tasks).await {
        assert!(matches!(answer.status, 201 | 204 | 404), "{} {}", answer.status, answer.text());
    }
    assert_eq!(ann.get("/api/v1/services").await.json()["_meta"]["count"], 0);
    app.finish().await;
}

#[tokio::test]
async fn a_document_that_takes_long_to_judge_holds_up_nobody() {
    let app = with_gadgets().await;
    let ann = app.as_user("ann");
    let broken = format!("name: a\nsizes:\n{}", "- {cm: 1, x: [a, b]}\n- 1\n".repeat(60_000));
    let started = Instant::now();
    let heavy = {
        let ann = ann.clone();
        tokio::spawn(
            async move { ann.post("/api/v1/gadgets?workspace=ann/lab&path=gadgets/a/big.yml", yaml(broken)).await },
        )
    };
    let mut slowest = Duration::ZERO;
    let mut written = 0;
    while !heavy.is_finished() {
        let begun = Instant::now();
        ann.put(&format!("/api/v1/workspaces/ann/lab/files/{written}.txt"), raw("x")).await.expect(201);
        slowest = slowest.max(begun.elapsed());
        written += 1;
    }
    let (took, answer) = (started.elapsed(), heavy.await.expect("an answer").expect(422));
    assert!(slowest < took / 3, "a small write took {slowest:?} of {took:?}");
    // And says that it did not list them all.
    let violations = answer.json()["payload"]["violations"].as_array().expect("a list").clone();
    assert!(violations.len() == 101 && violations[100]["message"].as_str().is_some_and(|text| text.contains("more")));
    app.finish().await;
}

#[tokio::test]
async fn what_was_judged_ahead_is_judged_again_when_its_ground_has_changed() {
    let app = with_gadgets().await;
    let ann = app.as_user("ann");
    gadget(&ann, json!({ "name": "a", "tags": [] })).await;
    let path = "gadgets/a/a.yml";
    let patch = |content: Value| json!({ "op": "patch", "path": path, "etag": "*", "content": content });
    let commits = "/api/v1/workspaces/ann/lab/commits";
    // Each patch starts from what the one before it leaves, not from what is stored.
    let both = json!({ "changes": [patch(json!({ "colour": "red" })), patch(json!({ "weight": 2 }))] });
    ann.post(commits, both).await.expect(201);
    let merged = ann.get("/api/v1/gadgets/a").await.expect(200).inner()["content"].clone();
    assert_eq!(merged, json!({ "name": "a", "tags": [], "colour": "red", "weight": 2 }));
    let spoilt = json!({ "changes": [patch(json!({ "weight": 3 })), patch(json!({ "weight": "much" }))] });
    ann.post(commits, spoilt).await.expect(422);
    let writes = (0..40).map(|at| {
        let ann = ann.clone();
        let tag = json!([{ "op": "add", "path": "/tags/-", "value": at.to_string() }]);
        tokio::spawn(async move {
            ann.at("*")
                .patch("/api/v1/gadgets/a", typed("application/json-patch+json", tag.to_string()))
                .await
                .expect(200);
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.expect("it is written");
    }
    let tags = ann.get("/api/v1/gadgets/a").await.expect(200).inner()["content"]["tags"].clone();
    assert_eq!(tags.as_array().expect("a list").len(), 40, "no patch is lost: {tags}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_whole_while_the_index_is_rebuilt() {
    let app = with_gadgets().await;
    let ann = app.as_user("ann");
    let put = |at: usize| json!({ "op": "put", "path": format!("gadgets/a/{at}.yml"), "absent": true, "content": { "name": format!("g{at}") } });
    let changes: Vec<Value> = (0..2_500).map(put).collect();
    ann.post("/api/v1/workspaces/ann/lab/commits", json!({ "changes": changes })).await.expect(201);
    let engine = app.app().engine.clone();
    let rebuild = tokio::spawn(async move { engine.reindex().await });
    let mut asked = 0;
    while !rebuild.is_finished() {
        let list = ann.get("/api/v1/gadgets?limit=1&where=name:g*").await.expect(200).json();
        assert_eq!(list["_meta"]["count"], 2_500);
        asked += 1;
    }
    rebuild.await.expect("it ends").expect("it succeeds");
    assert!(asked > 5, "{asked}");
    app.finish().await;
}
