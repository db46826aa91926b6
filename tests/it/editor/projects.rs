//! Projects (contracts/editor.md 1.6, 2.3, 2.4).

use std::fs;

use serde_json::{Value, json};

use super::{at, message, names, open, project, workspace};
use crate::support::{Client, git, typed};

fn list(ws: &Value) -> String {
    format!("{}/projects/", at(ws))
}

fn one(ws: &Value, project: &Value) -> String {
    format!("{}{}", list(ws), project["id"])
}

/// All documents of a kind in Ann's workspace `w`.
async fn documents(client: &Client, plural: &str) -> Vec<Value> {
    let all = client.get(&format!("/api/v1/{plural}?where=workspace:ann/w&embed=functions")).await;
    let all =
        if all.status == 200 { all } else { client.get(&format!("/api/v1/{plural}?where=workspace:ann/w")).await };
    all.expect(200).json()[plural].as_array().expect("documents").clone()
}

#[tokio::test]
async fn a_project_starts_with_a_sample() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let made = project(&ann, &ws, "first").await;
    assert_eq!(
        made,
        json!({
            "id": made["id"],
            "name": "first",
            "description": "Some description about this sample",
            "maintainer": "Name, Company, Contact",
            "publish_to": ["personal"],
            "vendor": "eu.sonata-nfv.package",
            "version": "0.4",
            "rel_path": "first",
            "repo_url": null,
            "workspace_id": ws["id"],
        })
    );
    assert_eq!(ann.get(&one(&ws, &made)).await.expect(200).json(), made);
    let tree = app.tree("ann/w");
    assert_eq!(git::subjects(&tree)[0], "project: create first");
    let folder = tree.join("projects/first");
    for file in [
        "project.yml",
        "sources/nsd/eu.sonata-nfv.service-descriptor-sample-nsd-0.2.yml",
        "sources/vnf/vnf-sample/eu.sonata-nfv-vnf-sample-0.1.yml",
        "sources/vnf/vnf-sample/sample_docker",
        "sources/ssm/sample/ssm.yml",
        "sources/pattern/sample/patterm.yml",
    ] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    for empty in ["dependencies", "deployment", "sources/vnf/vnf-sample/fsm"] {
        assert!(folder.join(empty).is_dir(), "{empty}");
    }
    app.finish().await;
}

#[tokio::test]
async fn the_sample_keeps_to_either_generation() {
    let app = open().await;
    let ann = app.as_user("ann");
    for index in [0, 1] {
        let body = json!({ "name": format!("g{index}"), "schema_index": index });
        let ws = ann.post("/workspaces/", body).await.expect(201).json();
        assert_eq!(ws["schema_index"], index);
        project(&ann, &ws, "p").await;
        let all = format!("where=workspace:ann/g{index}");
        let services = ann.get(&format!("/api/v1/services?{all}&embed=functions")).await.expect(200).json();
        let service = &services["services"][0];
        assert_eq!(service["violations"], json!([]));
        assert_eq!(service["content"]["name"], "sample-nsd");
        assert_eq!(service["content"]["network_functions"][0]["vnf_id"], "sample_vnf");
        let functions = ann.get(&format!("/api/v1/functions?{all}")).await.expect(200).json();
        let function = &functions["functions"][0];
        assert_eq!(function["violations"], json!([]));
        // The service uses the function that is there.
        let refused = ann.at("*").delete(&format!("/api/v1/functions/{}", function["id"])).await.expect(409).json();
        assert_eq!(refused["payload"]["referrers"][0]["id"], service["id"]);
    }
    app.finish().await;
}

/// Original: test_create_project, test_get_projects, test_get_project, test_delete_project.
#[tokio::test]
async fn original_projects() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let first = project(&ann, &ws, "project_1").await;
    assert_eq!((&first["name"], &first["publish_to"]), (&json!("project_1"), &json!(["personal"])));
    let again = ann.post(&list(&ws), json!({ "name": "project_1" })).await;
    assert_eq!(message(again, 409), "Project with name 'project_1' already exists in this workspace");
    project(&ann, &ws, "a second").await;
    assert_eq!(names(&ann, &list(&ws)).await, ["project_1", "a second"]);
    assert_eq!(ann.delete(&one(&ws, &first)).await.expect(200).json(), first);
    assert_eq!(message(ann.get(&one(&ws, &first)).await, 404), "Project not found");
    ann.delete(&one(&ws, &first)).await.expect(404);
    assert!(!app.tree("ann/w").join("projects/project_1").exists());
    assert_eq!(names(&ann, &list(&ws)).await, ["a second"]);
    // The name is free again, and no words in it are special.
    project(&ann, &ws, "project_1").await;
    project(&ann, &ws, "proj_exists").await;
    app.finish().await;
}

/// Original: test_update_project.
#[tokio::test]
async fn original_update() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let pj = project(&ann, &ws, "update_project_name").await;
    project(&ann, &ws, "another_project_name").await;
    let body = json!({ "name": "new_project_name", "publish_to": ["cat2"] });
    let now = ann.put(&one(&ws, &pj), body).await.expect(200).json();
    assert_eq!((&now["name"], &now["rel_path"]), (&json!("new_project_name"), &json!("new_project_name")));
    assert_eq!((&now["publish_to"], &now["id"]), (&json!(["cat2"]), &pj["id"]));
    let body = json!({ "name": "another_project_name", "publish_to": ["cat2"] });
    let taken = ann.put(&one(&ws, &pj), body).await;
    assert_eq!(message(taken, 409), "Invalid name parameter, workspace 'another_project_name' already exists");
    app.finish().await;
}

#[tokio::test]
async fn fields_that_are_given_override_the_template() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let body = json!({
        "name": "p", "repo": "", "description": "d", "maintainer": "m", "vendor": "v", "version": "1.10", "publish_to": ["a", "b"],
    });
    let made = ann.post(&list(&ws), body).await.expect(201).json();
    for (key, value) in [("description", "d"), ("maintainer", "m"), ("vendor", "v"), ("version", "1.10")] {
        assert_eq!(made[key], value);
    }
    assert_eq!(made["publish_to"], json!(["a", "b"]));
    let empty = json!({ "name": "q", "publish_to": [] });
    assert_eq!(ann.post(&list(&ws), empty).await.expect(201).json()["publish_to"], json!([]));
    assert_eq!(message(ann.post(&list(&ws), json!({})).await, 400), "Key 'name' is required in request data!");
    for bad in
        [json!({ "vendor": 7 }), json!({ "publish_to": "x" }), json!({ "publish_to": [7] }), json!({ "name": 7 })]
    {
        let mut body = json!({ "name": "r" });
        body.as_object_mut().expect("an object").extend(bad.as_object().expect("an object").clone());
        ann.post(&list(&ws), body).await.expect(400);
    }
    assert_eq!(names(&ann, &list(&ws)).await, ["p", "q"]);
    app.finish().await;
}

/// The front end sends null when no catalogue is chosen, and with it whatever it read.
#[tokio::test]
async fn settings_are_saved_as_the_front_end_sends_them() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let pj = project(&ann, &ws, "p").await;
    let mut body = pj.clone();
    body["publish_to"] = Value::Null;
    body["description"] = json!("saved");
    let now = ann.put(&one(&ws, &pj), body).await.expect(200).json();
    assert_eq!((&now["publish_to"], &now["description"]), (&json!([]), &json!("saved")));
    // What is not named stays.
    let now = ann.put(&one(&ws, &pj), json!({ "vendor": "new.vendor", "maintainer": null })).await.expect(200).json();
    assert_eq!((&now["description"], &now["maintainer"]), (&json!("saved"), &pj["maintainer"]));
    let text = fs::read_to_string(app.tree("ann/w").join("projects/p/project.yml")).expect("project.yml");
    assert!(text.starts_with("# A project:") && text.contains("\nvendor: new.vendor\n"), "{text}");
    for bad in [json!({ "publish_to": "x" }), json!({ "vendor": [] }), json!({ "name": "a/b" })] {
        ann.put(&one(&ws, &pj), bad).await.expect(400);
    }
    // Nothing to change is no commit.
    let head = app.head("ann/w");
    ann.put(&one(&ws, &pj), json!({ "vendor": "new.vendor" })).await.expect(200);
    assert_eq!(app.head("ann/w"), head);
    app.finish().await;
}

#[tokio::test]
async fn a_rename_moves_the_folder_and_keeps_ids() {
    let mut app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let pj = project(&ann, &ws, "before").await;
    let later = project(&ann, &ws, "later").await;
    let files = "/api/v1/workspaces/ann/w/files/projects/before";
    let add = ann.header("if-none-match", "*");
    add.put(&format!("{files}/notes.txt"), typed("text/plain", "mine")).await.expect(201);
    add.put(&format!("{files}/.workleaf/meta/x.json"), typed("application/json", "{}")).await.expect(201);
    let ids = |documents: Vec<Value>| documents.into_iter().map(|document| document["id"].clone()).collect::<Vec<_>>();
    let before = (ids(documents(&ann, "services").await), ids(documents(&ann, "functions").await));
    let commits = git::subjects(&app.tree("ann/w")).len();
    let now = ann.put(&one(&ws, &pj), json!({ "name": "after all", "vendor": "v2" })).await.expect(200).json();
    assert_eq!((&now["id"], &now["rel_path"], &now["vendor"]), (&pj["id"], &json!("after all"), &json!("v2")));
    let tree = app.tree("ann/w");
    assert_eq!(git::subjects(&tree).len(), commits + 1);
    assert_eq!(git::subjects(&tree)[0], "project: rename before to after all");
    assert!(!tree.join("projects/before").exists());
    let folder = tree.join("projects/after all");
    assert_eq!(fs::read_to_string(folder.join("notes.txt")).expect("moved"), "mine");
    assert!(folder.join(".workleaf/meta/x.json").is_file());
    assert!(fs::read_to_string(folder.join("project.yml")).expect("moved").contains("\nname: after all\n"));
    app.restart_after(|_| {}).await;
    let ann = app.as_user("ann");
    assert_eq!((ids(documents(&ann, "services").await), ids(documents(&ann, "functions").await)), before);
    assert_eq!(ann.get(&one(&ws, &pj)).await.expect(200).json(), now);
    assert_eq!(names(&ann, &list(&ws)).await, ["after all", "later"]);
    ann.get(&one(&ws, &later)).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let pj = project(&ann, &ws, "p").await;
    let head = app.head("ann/w");
    for name in [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/etc",
        ".git",
        ".workleaf",
        "a\\b",
        "a\nb",
        "CON",
        "-x",
        "x ",
        "<b>",
        &"x".repeat(300),
    ] {
        ann.post(&list(&ws), json!({ "name": name })).await.expect(400);
        ann.put(&one(&ws, &pj), json!({ "name": name })).await.expect(400);
    }
    assert_eq!(app.head("ann/w"), head);
    app.finish().await;
}

#[tokio::test]
async fn projects_by_hand_are_projects() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let put = |path: &str, text: &str| {
        let (ann, path, text) = (
            ann.header("if-none-match", "*"),
            format!("/api/v1/workspaces/ann/w/files/projects/{path}"),
            text.to_owned(),
        );
        async move { ann.put(&path, typed("application/yaml", text)).await.expect(201) }
    };
    let package = "# later SDK\nversion: '0.5'\npackage:\n  name: packed   # kept\n  vendor: v\n  version: '2.0'\n  maintainer: me\n";
    put("packed/project.yml", package).await;
    put("bare/project.yml", "name: other\nversion: 1.5\n").await;
    // A folder without project.yml is none, but in the way.
    put("loose/sources/nsd/notes.txt", "x").await;
    let all = ann.get(&list(&ws)).await.expect(200).json();
    assert_eq!(names(&ann, &list(&ws)).await, ["packed", "bare"]);
    assert_eq!(
        (&all[0]["vendor"], &all[0]["version"], &all[0]["publish_to"]),
        (&json!("v"), &json!("2.0"), &json!([]))
    );
    assert_eq!((&all[1]["vendor"], &all[1]["version"]), (&Value::Null, &json!("1.5")));
    let body = json!({ "version": "2.1", "publish_to": ["c"], "name": "moved" });
    let now = ann.put(&one(&ws, &all[0]), body).await.expect(200).json();
    assert_eq!((&now["name"], &now["version"], &now["publish_to"]), (&json!("moved"), &json!("2.1"), &json!(["c"])));
    let text = fs::read_to_string(app.tree("ann/w").join("projects/moved/project.yml")).expect("project.yml");
    let wanted = package.replace("name: packed   #", "name: moved   #").replace("2.0", "2.1") + "publish_to:\n  - c\n";
    assert_eq!(text, wanted);
    ann.post(&list(&ws), json!({ "name": "loose" })).await.expect(409);
    ann.put(&one(&ws, &all[1]), json!({ "name": "loose" })).await.expect(409);
    app.finish().await;
}

#[tokio::test]
async fn preconditions_of_projects() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let pj = project(&ann, &ws, "p").await;
    let one = one(&ws, &pj);
    let read = ann.get(&one).await.expect(200);
    let etag = read.header("etag").to_owned();
    ann.header("if-none-match", &etag).get(&one).await.expect(304);
    ann.at(&etag).put(&one, json!({ "description": "a" })).await.expect(200);
    for body in [json!({ "description": "b" }), json!({ "name": "q" })] {
        ann.at(&etag).put(&one, body).await.expect(412);
    }
    ann.at(&etag).delete(&one).await.expect(412);
    let etag = ann.get(&one).await.expect(200).header("etag").to_owned();
    let moved = ann.at(&etag).put(&one, json!({ "name": "q" })).await.expect(200);
    ann.at(moved.header("etag")).delete(&one).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn one_of_many_makers_of_a_name_wins() {
    let app = open().await;
    let ann = app.as_user("ann");
    let ws = workspace(&ann, "w").await;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (ann, list) = (ann.clone(), list(&ws));
        running.spawn(async move { ann.post(&list, json!({ "name": "p" })).await.status });
    }
    let mut statuses = Vec::new();
    while let Some(done) = running.join_next().await {
        statuses.push(done.expect("answered"));
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    app.finish().await;
}
