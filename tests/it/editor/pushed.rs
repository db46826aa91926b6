//! What came by another road, by git or by hand, may be broken: it is listed all the same, and can
//! be mended here.

use std::fs;

use serde_json::json;

use super::desk::{Desk, function, message, service};

#[tokio::test]
async fn broken_descriptors_are_listed_and_mended() {
    let mut desk = Desk::open().await;
    let whole = desk.make_function(function("v", "fw", "0.1")).await;
    desk.make_service(service("v", "web", "1", &[("v", "fw", "0.1")])).await;
    desk.by_hand(|tree| {
        let sources = tree.join("projects/p/sources");
        for (path, text) in [
            ("vnf/torn/torn.yml", "name: [torn\n"),
            ("vnf/list/list.yml", "- 1\n"),
            ("vnf/empty/empty.yml", ""),
            ("vnf/wrong/wrong.yml", "vendor: v\nname: wrong\nversion: 0.1\nextra: true\n"),
            ("nsd/torn.yml", "{"),
            ("nsd/uses.yml", "name: 5\nnetwork_functions: {}\nvnf_depedency: x\n"),
        ] {
            fs::create_dir_all(sources.join(path).parent().expect("a folder")).expect("a folder");
            fs::write(sources.join(path), text).expect("a file");
        }
        fs::create_dir_all(tree.join("projects/p/.workleaf/meta")).expect("a folder");
        fs::write(tree.join("projects/p/.workleaf/meta/v-web-1.yml.json"), "{torn").expect("a file");
    })
    .await;
    let list = desk.ann.get(&desk.at("functions/")).await.expect(200).json();
    let uids: Vec<&str> = list.as_array().expect("a list").iter().filter_map(|one| one["uid"].as_str()).collect();
    assert_eq!(uids, ["v:fw:0.1", "::", "::", "::", "v:wrong:0.1"]);
    assert_eq!(list[0], whole);
    for broken in &list.as_array().expect("a list")[1..] {
        assert!(broken["descriptor"].is_object(), "{broken}");
        assert!(broken["violations"].as_array().is_some_and(|all| !all.is_empty()), "{broken}");
        assert_eq!(desk.ann.get(&desk.at(&format!("functions/{}", broken["id"]))).await.expect(200).json(), *broken);
    }
    let services = desk.ann.get(&desk.at("services/")).await.expect(200).json();
    assert_eq!(services.as_array().map(Vec::len), Some(3));
    assert_eq!(services[0]["meta"], json!({}));

    // Another's rename passes by what is broken.
    desk.put_function(&whole["id"], &function("v", "fw", "0.2"), "replace_refs").await.expect(200);
    // A violation that is there already is not taken from here.
    let wrong = &list[4];
    let kept = desk.put_function(&wrong["id"], &wrong["descriptor"], "replace_refs").await.expect(400);
    assert!(message(&kept).starts_with("Validation failed"), "{}", message(&kept));
    desk.ann.get(&desk.at(&format!("functions/{}/publish", wrong["id"]))).await.expect(400);
    // What is whole is.
    let mended =
        desk.put_function(&wrong["id"], &function("v", "wrong", "0.1"), "replace_refs").await.expect(200).json();
    assert_eq!(mended["violations"], json!(null));
    for (at, name) in [(1, "torn"), (2, "list"), (3, "empty")] {
        let mended =
            desk.put_function(&list[at]["id"], &function("v", name, "1"), "create_new").await.expect(200).json();
        assert_eq!((&mended["id"], &mended["uid"]), (&list[at]["id"], &json!(format!("v:{name}:1"))));
    }
    let torn = &services[1];
    let body = json!({ "descriptor": service("v", "torn", "1", &[]) });
    desk.ann.put(&desk.at(&format!("services/{}", torn["id"])), body).await.expect(200);
    desk.ann.delete(&desk.at(&format!("services/{}", services[2]["id"]))).await.expect(200);
    assert_eq!(desk.files("projects/p/sources/nsd"), ["v-torn-1.yml", "v-web-1.yml"]);
    assert_eq!(
        desk.files("projects/p/sources/vnf"),
        ["empty/v-empty-1.yml", "fw/v-fw-0.2.yml", "list/v-list-1.yml", "torn/v-torn-1.yml", "wrong/wrong.yml"]
    );
    desk.app.finish().await;
}

#[tokio::test]
async fn two_files_of_one_identity_are_two_functions() {
    let mut desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    let user = desk.make_service(service("v", "web", "1", &[("v", "fw", "0.1")])).await;
    desk.by_hand(|tree| {
        let vnf = tree.join("projects/p/sources/vnf");
        fs::create_dir_all(vnf.join("copy")).expect("a folder");
        fs::copy(vnf.join("fw/v-fw-0.1.yml"), vnf.join("copy/mine.yml")).expect("a copy");
    })
    .await;
    let list = desk.ann.get(&desk.at("functions/")).await.expect(200).json();
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    assert_eq!(list[0]["id"], made["id"]);
    let copy = &list[1];
    assert_eq!((&copy["uid"], copy["id"] == made["id"]), (&json!("v:fw:0.1"), false));
    // Each can be saved as it is, and none takes the other's place.
    let mut changed = function("v", "fw", "0.1");
    changed["author"] = json!("Ann");
    desk.put_function(&copy["id"], &changed, "replace_refs").await.expect(200);
    assert_eq!(desk.ann.get(&desk.at(&format!("functions/{}", made["id"]))).await.expect(200).json(), made);
    desk.ann.post(&desk.at("functions/"), json!({ "descriptor": changed })).await.expect(409);
    // References stay with the one that keeps the name.
    desk.put_function(&copy["id"], &function("v", "copy", "0.1"), "replace_refs").await.expect(200);
    assert_eq!(desk.ann.get(&desk.at(&format!("services/{}", user["id"]))).await.expect(200).json(), user);
    assert_eq!(desk.files("projects/p/sources/vnf"), ["copy/v-copy-0.1.yml", "fw/v-fw-0.1.yml"]);
    desk.app.finish().await;
}

#[tokio::test]
async fn names_from_elsewhere_do_not_lead_out() {
    let mut desk = Desk::open().await;
    desk.make_function(function("v", "fw", "0.1")).await;
    let mut climbing = function("v", "..", "0.1");
    desk.by_hand(|tree| {
        let folder = tree.join("projects/p/sources/vnf/x");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("x.yml"), climbing.to_string()).expect("a file");
    })
    .await;
    let list = desk.ann.get(&desk.at("functions/")).await.expect(200).json();
    let found = &list[1];
    assert_eq!(found["uid"], "v:..:0.1");
    climbing["version"] = json!("0.2");
    desk.put_function(&found["id"], &climbing, "replace_refs").await.expect(400);
    desk.ann.get(&desk.at(&format!("functions/{}/publish", found["id"]))).await.expect(400);
    desk.ann.get(&desk.at("nsfs/functions/v/%2e%2e/0.1")).await.expect(200);
    // Only its own folder goes.
    desk.ann.delete(&desk.at(&format!("functions/{}", found["id"]))).await.expect(200);
    assert_eq!(desk.files("projects/p/sources"), ["vnf/fw/v-fw-0.1.yml"]);
    desk.app.finish().await;
}

#[tokio::test]
async fn files_move_and_are_copied_as_they_are() {
    let mut desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    desk.make_service(service("v", "web", "1", &[("v", "fw", "0.1")])).await;
    desk.by_hand(|tree| {
        let fsm = tree.join("projects/p/sources/vnf/fw/fsm");
        fs::create_dir_all(&fsm).expect("a folder");
        fs::write(fsm.join("run.sh"), "#!/bin/sh\n").expect("a file");
        let mut mode = fs::metadata(fsm.join("run.sh")).expect("a file").permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
        fs::set_permissions(fsm.join("run.sh"), mode).expect("a mode");
    })
    .await;
    let modes = |desk: &Desk| {
        let tree = desk.app.tree(super::desk::WORKSPACE);
        crate::support::git::run(
            &tree,
            &["ls-tree", "-r", "main", "--format=%(objectmode) %(path)", "projects/p/sources/vnf/"],
        )
        .replace("projects/p/sources/vnf/", "")
    };
    let before = "100755 fw/fsm/run.sh\n100644 fw/v-fw-0.1.yml";
    assert_eq!(modes(&desk), before);
    let copied = desk.put_function(&made["id"], &function("v", "copy", "1"), "create_new").await.expect(200).json();
    let copy = "100755 copy/fsm/run.sh\n100644 copy/v-copy-1.yml";
    assert_eq!(modes(&desk), format!("{copy}\n{before}"));
    desk.put_function(&copied["id"], &function("v", "zz", "1"), "replace_refs").await.expect(200);
    assert_eq!(modes(&desk), format!("{before}\n{}", copy.replace("copy", "zz")));
    desk.ann.delete(&desk.at(&format!("functions/{}", copied["id"]))).await.expect(200);
    assert_eq!(modes(&desk), before);
    // A link is not followed, nor left behind.
    desk.by_hand(|tree| {
        let vnf = tree.join("projects/p/sources/vnf/fw");
        std::os::unix::fs::symlink("../../../project.yml", vnf.join("link")).expect("a link");
    })
    .await;
    let refused = desk.put_function(&made["id"], &function("v", "zz", "1"), "replace_refs").await.expect(409);
    assert!(message(&refused).contains("symbolic link"), "{}", message(&refused));
    assert_eq!(modes(&desk), "100755 fw/fsm/run.sh\n120000 fw/link\n100644 fw/v-fw-0.1.yml");
    desk.app.finish().await;
}

#[tokio::test]
async fn a_folder_that_is_spelt_in_capitals_keeps_its_spelling() {
    let mut desk = Desk::open().await;
    desk.by_hand(|tree| {
        let folder = tree.join("projects/p/sources/vnf/Fw");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("Firewall.yml"), function("v", "fw", "0.1").to_string()).expect("a file");
        fs::write(folder.join("disk.img"), "bytes").expect("a file");
    })
    .await;
    let found = desk.ann.get(&desk.at("functions/")).await.expect(200).json()[0].clone();
    desk.put_function(&found["id"], &function("v", "fw", "0.2"), "replace_refs").await.expect(200);
    assert_eq!(desk.files("projects/p/sources/vnf"), ["Fw/disk.img", "Fw/v-fw-0.2.yml"]);
    desk.put_function(&found["id"], &function("v", "wall", "0.2"), "replace_refs").await.expect(200);
    assert_eq!(desk.files("projects/p/sources/vnf"), ["wall/disk.img", "wall/v-wall-0.2.yml"]);
    desk.app.finish().await;
}
