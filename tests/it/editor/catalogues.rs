//! Catalogues and platforms (contracts/editor.md 1.8, 1.9): the entries, not what they serve.

use std::fs;

use serde_json::{Value, json};

use super::{at, message, names, open, project, workspace};
use crate::support::{Client, TestApp};

struct Sort {
    list: &'static str,
    /// Its name in messages.
    word: &'static str,
}

const SORTS: [Sort; 2] = [Sort { list: "catalogues", word: "catalogue" }, Sort { list: "platforms", word: "Platform" }];

async fn made(client: &Client, list: &str, name: &str) -> Value {
    client.post(list, json!({ "name": name, "url": format!("http://{name}.example.org/") })).await.expect(201).json()
}

/// Original: test_create_catalogue, test_get_catalogues, test_get_catalogue, test_delete_catalogue
/// and the same of platforms.
#[tokio::test]
async fn original_entries() {
    let app = open().await;
    let ann = app.as_user("ann");
    for Sort { list, word } in SORTS {
        let ws = workspace(&ann, list).await;
        let list = format!("{}/{list}/", at(&ws));
        assert_eq!(ann.get(&list).await.expect(200).json(), json!([]));
        let fixture = made(&ann, &list, "sonEmu").await;
        let first = made(&ann, &list, "first one").await;
        assert_eq!(first, json!({ "id": first["id"], "name": "first one", "url": "http://first one.example.org/" }));
        let again = ann.post(&list, json!({ "name": "first one", "url": "x" })).await;
        assert_eq!(message(again, 409), format!("{word} with name first one already exists"));
        made(&ann, &list, "a third").await;
        assert_eq!(names(&ann, &list).await, ["sonEmu", "first one", "a third"]);
        let one = format!("{list}{}", first["id"]);
        assert_eq!(ann.get(&one).await.expect(200).json(), first);
        assert_eq!(ann.delete(&one).await.expect(200).json(), first);
        for method in ["GET", "DELETE"] {
            let gone = ann.send(method, &one, crate::support::raw("")).await;
            assert_eq!(message(gone, 404), format!("{word} with id {} could not be found", first["id"]));
        }
        let gone = ann.put(&one, json!({ "name": "x", "url": "y" })).await;
        assert_eq!(message(gone, 404), format!("{word} with id {} could not be found", first["id"]));
        assert_eq!(names(&ann, &list).await, ["sonEmu", "a third"]);
        assert_ne!(fixture["id"], first["id"]);
        // The workspace shows them too.
        let shown = ann.get(&at(&ws)).await.expect(200).json();
        assert_eq!(shown[list.rsplit('/').nth(1).expect("a list")], ann.get(&list).await.expect(200).json());
    }
    app.finish().await;
}

#[tokio::test]
async fn what_an_entry_needs() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    for Sort { list, .. } in SORTS {
        let list = format!("{}/{list}/", at(&ws));
        let entry = made(&ann, &list, "e").await;
        let one = format!("{list}{}", entry["id"]);
        for (body, text) in [
            (json!({ "url": "x" }), "Key 'name' is required in request data!"),
            (json!({ "name": "x" }), "Key 'url' is required in request data!"),
            (json!({ "name": 7, "url": "x" }), "'name' must be a string"),
            (json!({ "name": "x", "url": null }), "'url' must be a string"),
        ] {
            assert_eq!(message(ann.post(&list, body.clone()).await, 400), text);
            assert_eq!(message(ann.put(&one, body).await, 400), text);
        }
        ann.post(&list, json!({ "name": " ", "url": "x" })).await.expect(400);
        ann.post(&list, json!({ "name": "a\nb", "url": "x" })).await.expect(400);
        assert_eq!(names(&ann, &list).await, ["e"]);
    }
    app.finish().await;
}

#[tokio::test]
async fn an_entry_is_renamed_in_place() {
    let mut app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    for Sort { list, word } in SORTS {
        let list = format!("{}/{list}/", at(&ws));
        let (a, _) = (made(&ann, &list, "a").await, made(&ann, &list, "b").await);
        let one = format!("{list}{}", a["id"]);
        let renamed = ann.put(&one, json!({ "name": "x", "url": "http://x" })).await.expect(200).json();
        assert_eq!(renamed, json!({ "id": a["id"], "name": "x", "url": "http://x" }));
        let taken = ann.put(&one, json!({ "name": "b", "url": "http://x" })).await;
        assert_eq!(message(taken, 409), format!("{word} with name b already exists"));
        // Another one of the old name is another one.
        let other = made(&ann, &list, "a").await;
        assert_ne!(other["id"], a["id"]);
        assert_eq!(names(&ann, &list).await, ["x", "b", "a"]);
    }
    let before = ann.get(&at(&ws)).await.expect(200).json();
    app.restart_after(|_| {}).await;
    let ann = app.as_user("ann");
    assert_eq!(ann.get(&at(&ws)).await.expect(200).json(), before);
    // Back at its first name it needs no note.
    for Sort { list, .. } in SORTS {
        let list = format!("{}/{list}/", at(&ws));
        let all = ann.get(&list).await.expect(200).json();
        ann.delete(&format!("{list}{}", all[2]["id"])).await.expect(200);
        ann.put(&format!("{list}{}", all[0]["id"]), json!({ "name": "a", "url": "http://x" })).await.expect(200);
        assert_eq!(ann.get(&list).await.expect(200).json()[0]["id"], all[0]["id"]);
    }
    let text = fs::read_to_string(app.tree("ann/w").join("workspace.yml")).expect("workspace.yml");
    assert!(!text.contains("workleaf_id"), "{text}");
    app.finish().await;
}

#[tokio::test]
async fn the_default_platform_is_one_that_is_there() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let list = format!("{}/platforms/", at(&ws));
    let default = |app: &TestApp| {
        let text = fs::read_to_string(app.tree("ann/w").join("workspace.yml")).expect("workspace.yml");
        let line = text.lines().find_map(|line| line.strip_prefix("default_service_platform: "));
        line.expect("the key").trim_matches('\'').to_owned()
    };
    let a = made(&ann, &list, "a").await;
    let b = made(&ann, &list, "b").await;
    assert_eq!(default(&app), "a");
    ann.put(&format!("{list}{}", a["id"]), json!({ "name": "x", "url": "http://x" })).await.expect(200);
    assert_eq!(default(&app), "x");
    ann.delete(&format!("{list}{}", a["id"])).await.expect(200);
    assert_eq!(default(&app), "b");
    ann.delete(&format!("{list}{}", b["id"])).await.expect(200);
    assert_eq!(default(&app), "");
    app.finish().await;
}

#[tokio::test]
async fn used_catalogues_stay_and_names_count_whole() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let list = format!("{}/catalogues/", at(&ws));
    let (cat, category) = (made(&ann, &list, "cat").await, made(&ann, &list, "category").await);
    let pj = project(&ann, &ws, "p").await;
    let pj = format!("{}/projects/{}", at(&ws), pj["id"]);
    ann.put(&pj, json!({ "publish_to": ["category"] })).await.expect(200);
    // "cat" is only a part of what is used.
    ann.delete(&format!("{list}{}", cat["id"])).await.expect(200);
    let used = ann.delete(&format!("{list}{}", category["id"])).await;
    assert_eq!(message(used, 400), "Cannot delete catalogue 'category' because it is still used in project 'p'!");
    ann.put(&pj, json!({ "publish_to": null })).await.expect(200);
    ann.delete(&format!("{list}{}", category["id"])).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn entries_of_others_are_not_there() {
    let app = open().await;
    let (ann, bob) = (app.as_user("ann"), app.as_user("bob"));
    let (ours, theirs) = (workspace(&ann, "w").await, workspace(&bob, "w").await);
    for Sort { list, .. } in SORTS {
        let entry = made(&ann, &format!("{}/{list}/", at(&ours)), "e").await;
        bob.get(&format!("{}/{list}/{}", at(&ours), entry["id"])).await.expect(404);
        for method in ["GET", "DELETE"] {
            bob.send(method, &format!("{}/{list}/{}", at(&theirs), entry["id"]), crate::support::raw(""))
                .await
                .expect(404);
        }
        // One's own of the same name has another number.
        let own = made(&bob, &format!("{}/{list}/", at(&theirs)), "e").await;
        assert_ne!(own["id"], entry["id"]);
    }
    app.finish().await;
}

#[tokio::test]
async fn many_add_at_once_and_none_is_lost() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let list = format!("{}/catalogues/", at(&ws));
    let mut running = tokio::task::JoinSet::new();
    for at in 0..6 {
        let (ann, list) = (ann.clone(), list.clone());
        running.spawn(async move { made(&ann, &list, &format!("c{at}")).await });
    }
    while let Some(done) = running.join_next().await {
        done.expect("made");
    }
    let mut all = names(&ann, &list).await;
    all.sort();
    assert_eq!(all, ["c0", "c1", "c2", "c3", "c4", "c5"]);
    app.finish().await;
}

#[tokio::test]
async fn preconditions_of_entries() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let list = format!("{}/platforms/", at(&ws));
    let one = format!("{list}{}", made(&ann, &list, "p").await["id"]);
    let etag = ann.get(&one).await.expect(200).header("etag").to_owned();
    made(&ann, &list, "q").await;
    ann.at(&etag).put(&one, json!({ "name": "r", "url": "u" })).await.expect(412);
    ann.at(&etag).delete(&one).await.expect(412);
    let etag = ann.get(&one).await.expect(200).header("etag").to_owned();
    ann.at(&etag).put(&one, json!({ "name": "r", "url": "u" })).await.expect(200);
    app.finish().await;
}
