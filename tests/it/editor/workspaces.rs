//! Workspaces (contracts/editor.md 1.5, 2.2).

use std::fs;

use serde_json::{Value, json};

use super::{at, message, names, open, project, somebody, url, workspace};
use crate::support::{git, typed};

#[tokio::test]
async fn a_workspace_is_made_and_its_files_with_it() {
    let app = open().await;
    let ann = app.as_user("ann");
    let made = workspace(&ann, "ws_one").await;
    assert_eq!(
        made,
        json!({ "id": made["id"], "name": "ws_one", "path": "ann/ws_one", "catalogues": [], "platforms": [], "schema_index": 0 })
    );
    assert!(made["id"].as_u64().is_some_and(|id| id < 1 << 53));
    assert_eq!(ann.get(&at(&made)).await.expect(200).json(), made);
    let tree = app.tree("ann/ws_one");
    let text = fs::read_to_string(tree.join("workspace.yml")).expect("workspace.yml");
    for line in [
        "version: '0.03'",
        "name: ws_one",
        "catalogues_dir: catalogues",
        "configuration_dir: configuration",
        "platforms_dir: platforms",
        "default_descriptor_extension: yml",
        "log_level: INFO",
        "schemas_local_master: ~/.son-schema",
        "schema_index: 0",
        "catalogue_servers: []",
        "service_platforms: {}",
        "default_service_platform: ''",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(tree.join("configuration").is_dir() && tree.join("platforms").is_dir());
    let personal = fs::read_to_string(tree.join("catalogues/personal.yml")).expect("personal.yml");
    assert_eq!(personal, "name: My personal catalog\ncredentials: personal\n");
    assert_eq!(git::subjects(&tree), ["workspace: set up for the editor", "Create the workspace"]);
    app.finish().await;
}

/// Original: test_create_workspace, test_get_workspaces, test_get_workspace, test_delete_workspace.
#[tokio::test]
async fn original_workspaces() {
    let app = open().await;
    let ann = app.as_user("ann");
    assert_eq!(workspace(&ann, "workspaceName").await["name"], "workspaceName");
    let again = ann.post("/workspaces/", json!({ "name": "workspaceName" })).await;
    assert_eq!(message(again, 409), "Workspace with name workspaceName already exists");
    // Names with blanks are kept as given.
    let blank = workspace(&ann, "Workspace A").await;
    assert_eq!(names(&ann, "/workspaces/").await, ["workspaceName", "Workspace A"]);
    assert_eq!(ann.get(&at(&blank)).await.expect(200).json()["name"], "Workspace A");
    assert!(app.tree("ann/Workspace A").is_dir());
    // Somebody else may have one of that name.
    workspace(&app.as_user("bob"), "Workspace A").await;

    let deleted = ann.delete(&at(&blank)).await.expect(200);
    assert_eq!(deleted.json(), blank);
    assert_eq!(names(&ann, "/workspaces/").await, ["workspaceName"]);
    ann.delete(&at(&blank)).await.expect(404);
    assert!(!app.tree("ann/Workspace A").exists());
    app.finish().await;
}

/// Original: test_update_workspace.
#[tokio::test]
async fn original_update() {
    let app = open().await;
    let ann = app.as_user("ann");
    let server = somebody();
    let form = |name: &str| typed("application/x-www-form-urlencoded", format!("name={name}"));
    let first = workspace(&ann, "workspaceToMove").await;
    let moved = ann.put(&at(&first), form("workspaceToMove2")).await.expect(200).json();
    assert_eq!((&moved["name"], &moved["id"]), (&json!("workspaceToMove2"), &first["id"]));
    let second = workspace(&ann, "workspaceToMove").await;
    assert_ne!(second["id"], first["id"]);
    let taken = ann.put(&at(&second), form("workspaceToMove2")).await;
    assert_eq!(message(taken, 409), "Invalid name parameter, workspace 'workspaceToMove2' already exists");
    ann.put("/workspaces/1337", form("workspaceToMove2")).await.expect(404);

    let catalogue = json!({ "name": "cat_name", "url": url(&server) });
    let body = json!({ "name": "catalogue_ref", "catalogues": [catalogue] });
    let ws = ann.post("/workspaces/", body).await.expect(201).json();
    let id = ws["catalogues"][0]["id"].clone();
    let body = json!({ "name": "project", "publish_to": ["cat_name"] });
    ann.post(&format!("{}/projects/", at(&ws)), body).await.expect(201);
    let used = ann.put(&at(&ws), form("catalogue_ref")).await;
    assert_eq!(message(used, 400), "Cannot delete catalogue 'cat_name' because it is still used in project 'project'!");
    let renamed =
        |url: &str| json!({ "name": "catalogue_ref", "catalogues": [{ "id": id, "name": "new_name", "url": url }] });
    let now = ann.put(&at(&ws), renamed(&url(&server))).await.expect(200).json();
    assert_eq!(now["catalogues"], json!([{ "id": id, "name": "new_name", "url": url(&server) }]));
    // Projects that publish there follow.
    let projects = ann.get(&format!("{}/projects/", at(&ws))).await.expect(200).json();
    assert_eq!(projects[0]["publish_to"], json!(["new_name"]));
    let closed = { somebody().port };
    let gone = format!("http://127.0.0.1:{closed}/");
    let text = message(ann.put(&at(&ws), renamed(&gone)).await, 404);
    assert!(text.starts_with(&format!("Could not reach server {gone} at url 'new_name':")), "{text}");
    app.finish().await;
}

#[tokio::test]
async fn servers_are_probed_before_anything_is_made() {
    let app = open().await;
    let ann = app.as_user("ann");
    let server = somebody();
    let broken = format!("{}broken", url(&server));
    let body =
        json!({ "name": "w", "catalogues": [{ "name": "a", "url": url(&server) }, { "name": "b", "url": broken }] });
    let text = message(ann.post("/workspaces/", body).await, 404);
    assert_eq!(
        text,
        format!("Could not reach server {broken} at url 'b':it answered with status 500 &lt;b&gt;no&lt;/b&gt;")
    );
    // A platform is asked for its packages.
    let body = json!({ "name": "w", "platforms": [{ "name": "p", "url": broken }] });
    let text = message(ann.post("/workspaces/", body).await, 404);
    assert!(text.contains(&format!("{broken}/api/v2/packages")), "{text}");
    for url in ["http://10.0.0.1/", "ftp://127.0.0.1/", "nonsense", "http://user:word@127.0.0.1/"] {
        let body = json!({ "name": "w", "catalogues": [{ "name": "a", "url": url }] });
        ann.post("/workspaces/", body).await.expect(404);
    }
    for list in [
        json!({}),
        json!("x"),
        json!([7]),
        json!([{ "name": "a" }]),
        json!([{ "url": "x" }]),
        json!([{ "name": "", "url": "x" }]),
    ] {
        ann.post("/workspaces/", json!({ "name": "w", "catalogues": list })).await.expect(400);
    }
    let twice = json!([{ "name": "a", "url": url(&server) }, { "name": "a", "url": url(&server) }]);
    ann.post("/workspaces/", json!({ "name": "w", "platforms": twice })).await.expect(409);
    assert!(names(&ann, "/workspaces/").await.is_empty());
    assert!(!app.data().join("ann").exists());

    let platform = json!({ "name": "sonEmu", "url": url(&server), "token": "s3cret" });
    let ws = ann.post("/workspaces/", json!({ "name": "w", "platforms": [platform] })).await.expect(201).json();
    let tree = app.tree("ann/w");
    let text = fs::read_to_string(tree.join("workspace.yml")).expect("workspace.yml");
    let file = format!("token-{}.txt", ws["platforms"][0]["id"]);
    assert!(
        text.contains(&format!("token_file: {file}")) && text.contains("default_service_platform: 'sonEmu'"),
        "{text}"
    );
    assert_eq!(fs::read_to_string(tree.join("platforms").join(file)).expect("the token"), "s3cret");
    assert_eq!(ws["platforms"], json!([{ "id": ws["platforms"][0]["id"], "name": "sonEmu", "url": url(&server) }]));
    // It goes with its platform.
    let mut body = ws.clone();
    body["platforms"][0]["name"] = json!("renamed");
    ann.put(&at(&ws), body).await.expect(200);
    let file = tree.join("platforms").join(format!("token-{}.txt", ws["platforms"][0]["id"]));
    assert!(file.is_file());
    ann.delete(&format!("{}/platforms/{}", at(&ws), ws["platforms"][0]["id"])).await.expect(200);
    assert!(!file.exists());
    app.finish().await;
}

#[tokio::test]
async fn lists_are_replaced_as_a_whole_or_left_alone() {
    let app = open().await;
    let ann = app.as_user("ann");
    let server = somebody();
    let entry = |id: &Value, name: &str| json!({ "id": id, "name": name, "url": url(&server) });
    let new = json!(-1);
    let body =
        json!({ "name": "w", "catalogues": [entry(&new, "c1"), entry(&new, "c2")], "platforms": [entry(&new, "p1")] });
    let ws = ann.post("/workspaces/", body).await.expect(201).json();
    let ids =
        |ws: &Value| ws["catalogues"].as_array().expect("a list").iter().map(|c| c["id"].clone()).collect::<Vec<_>>();
    let first = ids(&ws);
    // As the front end sends it; what is not known is new.
    let body = json!({ "name": "w", "catalogues": [entry(&new, "c3"), entry(&first[1], "c2 now"), entry(&json!(4711), "c4")], "platforms": [], "extra": 1 });
    let now = ann.put(&at(&ws), body).await.expect(200).json();
    let listed: Vec<&str> =
        now["catalogues"].as_array().expect("a list").iter().filter_map(|c| c["name"].as_str()).collect();
    assert_eq!(listed, ["c2 now", "c3", "c4"]);
    assert_eq!(ids(&now)[0], first[1]);
    assert_eq!(now["platforms"], json!([]));
    // JSON without an array says nothing of it.
    let same = ann.put(&at(&ws), json!({ "name": "w" })).await.expect(200).json();
    assert_eq!(same["catalogues"], now["catalogues"]);
    let none = ann.put(&at(&ws), json!({ "catalogues": null })).await.expect(200).json();
    assert_eq!(none["catalogues"], json!([]));
    app.finish().await;
}

#[tokio::test]
async fn an_update_is_done_whole_or_not_at_all() {
    let app = open().await;
    let ann = app.as_user("ann");
    let server = somebody();
    let ws = workspace(&ann, "w").await;
    let before = (app.head("ann/w"), ann.get(&at(&ws)).await.expect(200).json());
    let good = json!({ "name": "c", "url": url(&server) });
    let closed = { somebody().port };
    let bad = json!({ "name": "d", "url": format!("http://127.0.0.1:{closed}/") });
    for (body, status) in [
        (json!({ "name": "moved", "catalogues": [good, bad] }), 404),
        (json!({ "name": "moved", "catalogues": [good, good] }), 409),
        (json!({ "name": "moved", "schema_index": 2 }), 400),
        (json!({ "name": "moved", "schema_index": "x" }), 400),
        (json!({ "name": "../moved" }), 400),
        (json!({ "name": "" }), 400),
    ] {
        ann.put(&at(&ws), body.clone()).await.expect(status);
        assert_eq!((app.head("ann/w"), ann.get(&at(&ws)).await.expect(200).json()), before, "{body}");
    }
    assert!(!app.tree("ann/moved").exists());
    app.finish().await;
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    for name in ["..", "../bob", "a/b", "/etc", ".state", "a\\b", "x.git", " x", "a\0b", "-rf", &"x".repeat(300)] {
        ann.post("/workspaces/", json!({ "name": name })).await.expect(400);
        ann.put(&at(&ws), json!({ "name": name })).await.expect(400);
    }
    assert_eq!(names(&ann, "/workspaces/").await, ["w"]);
    app.finish().await;
}

#[tokio::test]
async fn a_renamed_workspace_is_the_same() {
    let mut app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "old").await;
    let pj = project(&ann, &ws, "p").await;
    ann.put("/api/v1/workspaces/ann/old/members/bob", json!({ "role": "writer" })).await.expect(200);
    ann.put(&at(&ws), json!({ "name": "new name" })).await.expect(200);
    assert!(app.tree("ann/new name").is_dir() && !app.tree("ann/old").exists());
    let one = format!("{}/projects/{}", at(&ws), pj["id"]);
    app.restart_after(|_| {}).await;
    for who in ["ann", "bob"] {
        let client = app.as_user(who);
        let now = client.get(&at(&ws)).await.expect(200).json();
        assert_eq!((&now["name"], &now["path"]), (&json!("new name"), &json!("ann/new name")));
        assert_eq!(client.get(&one).await.expect(200).json(), pj);
    }
    let text = fs::read_to_string(app.tree("ann/new name").join("workspace.yml")).expect("workspace.yml");
    assert!(text.contains("\nname: new name\n"), "{text}");
    // The old name is free, and what takes it is another one.
    let other = workspace(&app.as_user("ann"), "old").await;
    assert_ne!(other["id"], ws["id"]);
    app.as_user("bob").get(&at(&other)).await.expect(404);
    assert_eq!(names(&app.as_user("ann"), "/workspaces/").await, ["new name", "old"]);
    app.finish().await;
}

#[tokio::test]
async fn somebody_elses_words_in_the_file_stay() {
    let app = open().await;
    let ann = app.as_user("ann");
    app.workspace("ann/mine").await;
    let files = "/api/v1/workspaces/ann/mine/files/workspace.yml";
    let text = "# by hand\nname: mine   # as ever\nextra: {a: 1}\nschema_index: 1\ncatalogue_servers:\n- {id: one, url: 'http://one', publish: no}\n";
    ann.header("if-none-match", "*").put(files, typed("application/yaml", text)).await.expect(201);
    let ws = ann.get("/workspaces/").await.expect(200).json()[0].clone();
    assert_eq!((&ws["schema_index"], &ws["catalogues"][0]["name"]), (&json!(1), &json!("one")));
    ann.put(&at(&ws), json!({ "schema_index": 0 })).await.expect(200);
    let now = fs::read_to_string(app.tree("ann/mine").join("workspace.yml")).expect("workspace.yml");
    assert_eq!(now, text.replace("schema_index: 1", "schema_index: 0"));
    // One that cannot be read is not overwritten, and breaks no list.
    let etag = ann.get(files).await.expect(200).header("etag").to_owned();
    ann.at(&etag).put(files, typed("application/yaml", "a: [")).await.expect(200);
    assert_eq!(ann.get("/workspaces/").await.expect(200).json()[0]["name"], "mine");
    let refused = ann.put(&at(&ws), json!({ "schema_index": 0 })).await;
    assert!(message(refused, 409).contains("mend it first"));
    app.finish().await;
}

#[tokio::test]
async fn without_the_file_defaults_hold_until_the_first_write() {
    let app = open().await;
    let ann = app.as_user("ann");
    app.workspace("ann/plain").await;
    let ws = ann.get("/workspaces/").await.expect(200).json()[0].clone();
    assert_eq!((&ws["schema_index"], &ws["catalogues"]), (&json!(1), &json!([])));
    let before = app.head("ann/plain");
    ann.get(&at(&ws)).await.expect(200);
    assert_eq!(app.head("ann/plain"), before);
    let made = project(&ann, &ws, "p").await;
    assert_eq!(made["name"], "p");
    let text = fs::read_to_string(app.tree("ann/plain").join("workspace.yml")).expect("workspace.yml");
    assert!(text.contains("\nschema_index: 1\n") && text.contains("\nname: plain\n"), "{text}");
    assert_eq!(git::subjects(&app.tree("ann/plain")), ["project: create p", "Create the workspace"]);
    app.finish().await;
}

#[tokio::test]
async fn preconditions_are_honoured_when_sent() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let read = ann.get(&at(&ws)).await.expect(200);
    let etag = read.header("etag").to_owned();
    assert_eq!(etag.trim_matches('"').split('.').next().map(str::len), Some(40), "{etag}");
    ann.header("if-none-match", &etag).get(&at(&ws)).await.expect(304);
    let changed = ann.at(&etag).put(&at(&ws), json!({ "schema_index": 1 })).await.expect(200);
    assert_ne!(changed.header("etag"), etag);
    ann.at(&etag).put(&at(&ws), json!({ "schema_index": 0 })).await.expect(412);
    ann.at("\"x\"").put(&at(&ws), json!({ "schema_index": 0 })).await.expect(412);
    ann.at(&etag).delete(&at(&ws)).await.expect(412);
    ann.at(changed.header("etag")).delete(&at(&ws)).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn lists_are_in_order_of_creation() {
    let mut app = open().await;
    let ann = app.as_user("ann");
    for name in ["m", "z", "a", "k"] {
        workspace(&ann, name).await;
    }
    assert_eq!(names(&ann, "/workspaces/").await, ["m", "z", "a", "k"]);
    app.restart_after(|_| {}).await;
    assert_eq!(names(&app.as_user("ann"), "/workspaces/").await, ["m", "z", "a", "k"]);
    app.finish().await;
}

/// Original: test_scan_workspace. What it wrote on disk is there, with what it says.
#[tokio::test]
async fn what_the_original_left_on_disk_opens() {
    let mut app = open().await;
    app.account("carol", false).await;
    let write = |root: &std::path::Path, path: &str, text: &str| {
        let file = root.join("carol/old").join(path);
        fs::create_dir_all(file.parent().expect("in a folder")).expect("folders");
        fs::write(file, text).expect("a file");
    };
    app.restart_after(|data| {
        let text = "catalogue_servers:\n- id: cat1\n  publish: true\n  url: http://cat.example.org/\ncatalogues_dir: catalogues\n\
            default_service_platform: sp1\nname: old\nschema_index: 0\nservice_platforms:\n  sp1:\n    credentials:\n      token_file: empty\n    url: http://sp.example.org/\nversion: '0.03'\n";
        write(data, "workspace.yml", text);
        write(data, "catalogues/personal.yml", "credentials: personal\nname: My personal catalog\n");
        let text = "catalogues:\n- personal\ndescription: d\nname: p1\npublish_to:\n- cat1\nrepo_url: https://github.com/carol/p1\nversion: '0.4'\n";
        write(data, "projects/p1/project.yml", text);
        write(data, "projects/broken/project.yml", "a: [\n");
    })
    .await;
    app.app().watch().expect("the disk can be watched");
    let carol = app.as_user("carol");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let ws = loop {
        let all = carol.get("/workspaces/").await.expect(200).json();
        // Its files may come in more than one commit.
        let found = &all[0];
        if found["schema_index"] == 0 && names(&carol, &format!("{}/projects/", at(found))).await.len() == 2 {
            break found.clone();
        }
        assert!(std::time::Instant::now() < end, "never: the workspace is there");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(ws["catalogues"][0]["name"], "cat1");
    assert_eq!(ws["platforms"][0]["url"], "http://sp.example.org/");
    let list = format!("{}/projects/", at(&ws));
    let projects = carol.get(&list).await.expect(200).json();
    // One that cannot be read hides no other, and goes like any other.
    assert_eq!(names(&carol, &list).await, ["broken", "p1"]);
    assert_eq!(
        (&projects[1]["publish_to"], &projects[1]["repo_url"]),
        (&json!(["cat1"]), &json!("https://github.com/carol/p1"))
    );
    assert_eq!((&projects[0]["publish_to"], &projects[0]["vendor"]), (&json!([]), &Value::Null));
    let broken = format!("{list}{}", projects[0]["id"]);
    carol.put(&broken, json!({ "vendor": "v" })).await.expect(409);
    carol.delete(&broken).await.expect(200);
    assert_eq!(names(&carol, &list).await, ["p1"]);
    app.finish().await;
}
