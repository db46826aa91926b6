//! `backup` beside a running server and `restore`: every document, history and account is there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::process::{Place, Server};
use crate::support::git;

const KINDS: [&str; 3] = ["componenttypes", "components", "services"];

/// Every document with its history, by its address.
fn everything(server: &Server, who: (&str, &str)) -> BTreeMap<String, (Value, Value)> {
    let mut all = BTreeMap::new();
    for plural in KINDS {
        let list = server.get(who, &format!("/api/v1/{plural}?limit=1000")).expect(200).json();
        for document in list[plural].as_array().expect("a list") {
            let address = format!("/api/v1/{plural}/{}", document["id"].to_string().trim_matches('"'));
            let history = server.get(who, &format!("{address}/history")).expect(200).json();
            all.insert(address, (document.clone(), history));
        }
    }
    all
}

fn refs(place: &Place, data: &str, workspace: &str) -> String {
    git::run(&place.path().join(data).join(workspace), &["for-each-ref"])
}

#[test]
fn a_backup_of_a_running_server_brings_everything_back() {
    let place = Place::new();
    let server = place.serve();
    let password = server.admin_password();
    let who = ("admin", password.as_str());
    let made = place.run(&["user", "create", "ann", "--email", "ann@example.org"]).expect(0);
    let anns = made.line("created ann with the password ").strip_suffix(" (shown only now)").unwrap().to_owned();
    let ann = ("ann", anns.as_str());
    server.ask(ann, "POST", "/api/v1/workspaces", r#"{"name": "first", "public": true}"#).expect(201);
    // Ids come from the name that it had first.
    server.ask(ann, "PATCH", "/api/v1/workspaces/ann/first", r#"{"name": "lab"}"#).expect(200);
    server.ask(ann, "POST", "/api/v1/workspaces", r#"{"name": "empty"}"#).expect(201);
    let of = server.ask(who, "POST", "/api/v1/componenttypes", r#"{"name": "package"}"#).expect(201).json();
    let of = of["componenttype"]["id"].as_str().unwrap().to_owned();
    for n in 0..30 {
        let body = format!(r#"{{"name": "c{n}", "componenttype_id": "{of}"}}"#);
        server.ask(who, "POST", "/api/v1/components", &body).expect(201);
        let body = format!(r#"{{"descriptor_version": "1", "vendor": "v", "name": "s{n}", "version": "1"}}"#);
        server.ask(ann, "POST", "/api/v1/services?workspace=ann/lab", &body).expect(201);
    }
    let tree = place.data().join("ann/lab");
    git::run(&tree, &["tag", "first"]);
    git::run(&tree, &["branch", "side"]);
    // An edit that nobody has taken in yet, perhaps.
    fs::write(tree.join("services/hand.yml"), "vendor: v\nname: hand\nversion: '1'\n").unwrap();
    let said = place.run(&["backup", "copy"]).expect(0);
    said.line("copied 3 workspaces");
    assert_eq!(fs::metadata(place.path().join("copy")).unwrap().permissions().mode() & 0o077, 0);
    let refused = place.run(&["backup", "copy"]).expect(2);
    assert!(refused.err.contains("is not empty"), "{refused:?}");
    let before = everything(&server, who);
    assert_eq!(before.len(), 62);
    // What comes later is not in it.
    server.ask(who, "POST", "/api/v1/componenttypes", r#"{"name": "later"}"#).expect(201);
    server.stop();

    let refused = place.run(&["restore", "copy"]).expect(2);
    assert!(refused.err.contains("is not empty"), "{refused:?}");
    let mut restore = place.command(&["--data", "again", "restore", "copy"]);
    let said = restore.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(!restore.output().unwrap().status.success(), "it is not empty any more");
    for workspace in ["ann/lab", "ann/empty", "catalogue/main"] {
        let tree = place.path().join("again").join(workspace);
        git::run(&tree, &["fsck", "--strict", "--full"]);
        assert_eq!(git::run(&tree, &["status", "--porcelain", "--untracked-files=all"]), "");
    }
    for workspace in ["ann/lab", "ann/empty"] {
        assert_eq!(refs(&place, "data", workspace), refs(&place, "again", workspace));
    }
    // The same passwords, documents, ids, dates and histories.
    let server = place.serve_with(&["--data", "again"], &[]);
    assert_eq!(server.said, Vec::<String>::new(), "there are accounts");
    let after = everything(&server, who);
    assert_eq!(before, after);
    let mine = server.get(ann, "/api/v1/workspaces/ann/lab").expect(200).json();
    assert_eq!(mine["workspace"]["public"], true);
    server
        .ask(
            ann,
            "POST",
            "/api/v1/services?workspace=ann/lab",
            r#"{"descriptor_version": "1", "vendor": "v", "name": "new", "version": "1"}"#,
        )
        .expect(201);
    server.stop();
}

#[test]
fn half_a_backup_is_refused() {
    let place = Place::new();
    place.run(&["user", "create", "ann"]).expect(0);
    place.run(&["backup", "copy"]).expect(0);
    fs::remove_file(place.path().join("copy/backup.json")).unwrap();
    let mut restore = place.command(&["--data", "again", "restore", "copy"]);
    let said = restore.output().unwrap();
    assert!(!said.status.success());
    assert!(String::from_utf8_lossy(&said.stderr).contains("not a whole one"));
}

#[test]
fn a_backup_is_restored_whole_or_not_at_all() {
    let place = Place::new();
    let server = place.serve();
    let password = server.admin_password();
    let who = ("admin", password.as_str());
    for name in ["lab", "renamed"] {
        server.ask(who, "POST", "/api/v1/workspaces", &format!(r#"{{"name": "{name}"}}"#)).expect(201);
        let address = format!("/api/v1/services?workspace=admin/{name}");
        let body = r#"{"descriptor_version": "1", "vendor": "v", "name": "s", "version": "1"}"#;
        server.ask(who, "POST", &address, body).expect(201);
    }
    // Somebody renamed its branch by hand.
    let tree = place.data().join("admin/renamed");
    let head = git::run(&tree, &["rev-parse", "main"]);
    git::run(&tree, &["branch", "-m", "main", "trunk"]);
    // And somebody's merge is half done.
    let lab = place.data().join("admin/lab");
    fs::write(lab.join(".git/MERGE_HEAD"), git::run(&lab, &["rev-parse", "main"])).unwrap();
    fs::write(lab.join("notes.txt"), "<<<<<<< ours\n").unwrap();
    place.run(&["backup", "copy"]).expect(0);
    assert_eq!(git::run(&tree, &["for-each-ref", "--format=%(refname)"]), "refs/heads/trunk");
    assert_eq!(git::run(&lab, &["ls-tree", "--name-only", "main"]), "services");
    fs::remove_file(lab.join(".git/MERGE_HEAD")).unwrap();
    server.stop();

    let again = |code: i32| {
        let output = place.command(&["--data", "again", "restore", "copy"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    };
    let bundles = place.path().join("copy/workspaces");
    let of_lab = (0..2)
        .map(|n| bundles.join(format!("{n}.bundle")))
        .find(|bundle| !String::from_utf8_lossy(&fs::read(bundle).unwrap()).contains("refs/heads/trunk"))
        .unwrap();
    let whole = fs::read(&of_lab).unwrap();
    let mut torn = whole.clone();
    let middle = torn.len() - 60;
    torn[middle] ^= 0xff;
    for broken in [&torn[..], &whole[..whole.len() - 30], b"nothing"] {
        fs::write(&of_lab, broken).unwrap();
        let said = again(2);
        assert!(said.contains("the copy of admin/lab") && said.contains("cannot be read"), "{said}");
        let left = |folder: &str| -> Vec<String> {
            let items = fs::read_dir(place.path().join(folder)).unwrap();
            items.map(|item| item.unwrap().file_name().into_string().unwrap()).collect()
        };
        assert_eq!((left("again"), left("again/.state")), (vec![".state".into()], vec!["lock".into()]));
    }
    fs::write(&of_lab, &whole).unwrap();
    again(0);
    let tree = place.path().join("again/admin/renamed");
    assert_eq!(git::run(&tree, &["rev-parse", "main"]), head);
    assert_eq!(git::run(&tree, &["for-each-ref", "--format=%(refname)"]), "refs/heads/main\nrefs/heads/trunk");
    assert_eq!(git::run(&tree, &["status", "--porcelain", "--untracked-files=all"]), "");
}
