//! `import`, beside a running server and without one.

use std::os::unix::ffi::OsStrExt as _;

use serde_json::json;

use super::process::Place;
use crate::support::git;

const PROJECT: &str = "version: '0.5'\nname: demo\nvendor: org.example\n";
/// Without the required `descriptor_version`, and with a wrong type of connection point.
const BROKEN: &str = "vendor: org.example\nname: firewall\nversion: '0.1'\nnetwork_functions: []\n";

fn project(place: &Place) {
    place.write("projects/demo/project.yml", PROJECT);
    place.write("projects/demo/README.md", "A demo.\n");
    place.write("projects/demo/sources/nsd/broken.yml", BROKEN);
    place.write("projects/demo/sources/nsd/unreadable.yml", "a: [\n");
}

#[test]
fn a_folder_keeps_its_name_and_everything_in_it() {
    for with_server in [false, true] {
        let place = Place::new();
        project(&place);
        let server = with_server.then(|| place.serve());
        let ran = place.run(&["import", "projects", "--workspace", "ann/lab"]).expect(0);
        assert_eq!(ran.err, "", "no progress bar where there is no terminal");
        assert_eq!(ran.line("projects/demo/project.yml: "), "project");
        assert_eq!(ran.line("projects/demo/README.md: "), "no kind claims this path");
        assert_eq!(ran.line("projects/demo/sources/nsd/broken.yml: "), "service");
        let reported: Vec<&str> = ran.out.lines().filter(|line| line.contains(".yml:")).collect();
        let violations: Vec<&&str> = reported.iter().filter(|line| position(line).is_some()).collect();
        assert!(
            violations.iter().any(|line| line.starts_with("projects/demo/sources/nsd/broken.yml:1:1: ")),
            "{ran:?}"
        );
        assert!(violations.iter().any(|line| line.starts_with("projects/demo/sources/nsd/unreadable.yml:2:1: ")));
        let last = ran.out.lines().last().unwrap();
        assert!(last.starts_with("4 of 4 files imported into ann/lab in commit "), "{last}");
        assert!(last.ends_with(&format!(", {} violations", violations.len())), "{last}");

        let tree = place.data().join("ann/lab");
        if let Some(server) = server {
            // At once, in every list.
            let password = server.admin_password();
            let who = ("admin", password.as_str());
            let listed = server.get(who, "/api/v1/services?sort=path").expect(200).json();
            assert_eq!(listed["_meta"]["count"], 2);
            assert!(!listed["services"][0]["violations"].as_array().unwrap().is_empty());
            let file = server.get(who, "/api/v1/workspaces/ann/lab/files/projects/demo/README.md").expect(200);
            assert_eq!(file.body, "A demo.\n");
            server.stop();
        }
        assert_eq!(git::subjects(&tree).len(), 2, "one commit upon that of the new workspace");
        assert_eq!(git::run(&tree, &["show", "main:projects/demo/sources/nsd/broken.yml"]) + "\n", BROKEN);
        assert_eq!(git::run(&tree, &["status", "--porcelain"]), "");

        let again = place.run(&["import", "projects", "--workspace", "ann/lab"]).expect(0);
        let last = again.out.lines().last().unwrap();
        assert!(last.starts_with("4 of 4 files imported into ann/lab and nothing had changed"), "{last}");
        assert_eq!(git::subjects(&tree).len(), 2);

        // What it overwrites, it says.
        place.write("projects/demo/README.md", "Another demo.\n");
        place.write("projects/demo/project.yml", format!("{PROJECT}description: x\n"));
        place.write("projects/demo/NEWS.md", "New.\n");
        let over = place.run(&["import", "projects", "--workspace", "ann/lab"]).expect(0);
        assert_eq!(over.line("projects/demo/project.yml: "), "project, replaced");
        assert_eq!(over.line("projects/demo/README.md: "), "no kind claims this path, replaced");
        assert_eq!(over.line("projects/demo/NEWS.md: "), "no kind claims this path");
        assert_eq!(over.line("projects/demo/sources/nsd/broken.yml: "), "service");
        let last = over.out.lines().last().unwrap();
        assert!(last.contains(", 1 added, 2 replaced, "), "{last}");
    }
}

/// The line and column in `file:line:column: text`.
fn position(line: &str) -> Option<(u32, u32)> {
    let mut parts = line.splitn(4, ':').skip(1);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[test]
fn into_another_place() {
    let place = Place::new();
    project(&place);
    for (into, path) in
        [("projects/other", "projects/other/project.yml"), ("/", "project.yml"), ("a/b/", "a/b/project.yml")]
    {
        let ran = place.run(&["import", "projects/demo", "--workspace", "ann/lab", "--into", into]).expect(0);
        assert!(ran.out.lines().any(|line| line.starts_with(&format!("{path}: "))), "{into}: {ran:?}");
    }
    let tree = place.data().join("ann/lab");
    let files = git::run(&tree, &["ls-files"]);
    for path in ["project.yml", "a/b/project.yml", "projects/other/sources/nsd/broken.yml"] {
        assert!(files.lines().any(|known| known == path), "{files}");
    }
}

#[test]
fn one_file_goes_where_its_kind_says() {
    let place = Place::new();
    place.write("x.json", r#"{"name": "package"}"#);
    let ran = place.run(&["import", "x.json", "--workspace", "ann/lab", "--kind", "componenttype"]).expect(0);
    let tree = place.data().join("ann/lab");
    let path = git::run(&tree, &["ls-files"]);
    assert!(path.starts_with("componenttypes/"), "{path}");
    assert_eq!(ran.line(&format!("{path}: ")), "componenttype");
    // In the format of its name there, with the same content.
    assert_eq!(git::run(&tree, &["show", &format!("main:{path}")]), "name: package");

    let unknown = place.run(&["import", "x.json", "--workspace", "ann/lab", "--kind", "nope"]).expect(2);
    assert!(unknown.err.contains("there is no kind \"nope\"; there are "), "{}", unknown.err);
    let none = place.run(&["import", "x.json", "--workspace", "ann/lab"]).expect(2);
    assert!(none.err.contains("--kind"), "{}", none.err);
    let absent = place.run(&["import", "y.json", "--workspace", "ann/lab"]).expect(2);
    assert!(absent.err.contains("cannot read y.json"), "{}", absent.err);
    let nowhere = place.run(&["import", "x.json", "--workspace", "lab", "--kind", "componenttype"]).expect(2);
    assert!(nowhere.err.contains("OWNER/NAME"), "{}", nowhere.err);
}

#[test]
fn what_has_no_place_is_reported_and_the_rest_is_imported() {
    let place = Place::new();
    place.write("stuff/good.txt", "good\n");
    place.write("stuff/.git/config", "[core]\n");
    place.write("stuff/back\\slash.yml", "a: 1\n");
    place.write("stuff/dot.", "a\n");
    place.write("stuff/.GIT/x", "a\n");
    std::os::unix::fs::symlink("/etc/passwd", place.path().join("stuff/link.yml")).unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff.yml");
    std::fs::write(place.path().join("stuff").join(odd), "a: 1\n").unwrap();

    let ran = place.run(&["import", "stuff", "--workspace", "ann/lab"]).expect(1);
    let refused: Vec<&str> = ran.out.lines().filter(|line| line.contains("not imported: ")).collect();
    for name in ["back\\slash.yml", "dot.", ".GIT/x", "link.yml", "odd"] {
        assert!(refused.iter().any(|line| line.contains(name)), "{name}: {ran:?}");
    }
    assert_eq!(refused.len(), 5, "{ran:?}");
    assert_eq!(ran.line("stuff/good.txt: "), "no kind claims this path");
    assert!(ran.out.lines().last().unwrap().starts_with("1 of 6 files imported"), "{ran:?}");
    assert_eq!(git::run(&place.data().join("ann/lab"), &["ls-files"]), "stuff/good.txt");

    place.write("bad/dot.", "a\n");
    let nothing = place.run(&["import", "bad", "--workspace", "ann/lab"]).expect(2);
    assert!(nothing.err.contains("dot."), "{}", nothing.err);
}

#[test]
fn a_workspace_file_that_comes_along_selects_the_schema() {
    // Right only by the older generation, and the file that selects it comes last by name.
    let nsd = "descriptor_version: '1.0'\nvendor: org.example\nname: a\nversion: '0.1'\nnetwork_functions:\n  - vnf_id: f\n    vnf_vendor: v\n    vnf_name: n\n    vnf_version: '0.1'\n\
               connection_points:\n  - id: in\n    type: interface\n";
    for with_server in [false, true] {
        let place = Place::new();
        place.write("ws/projects/p/project.yml", PROJECT);
        place.write("ws/projects/p/sources/nsd/a.yml", nsd);
        let server = with_server.then(|| place.serve());
        let newer = place.run(&["import", "ws", "--workspace", "ann/newer", "--into", "/"]).expect(0);
        let path = "projects/p/sources/nsd/a.yml:";
        assert!(newer.out.lines().any(|line| line.starts_with(path) && position(line).is_some()), "{newer:?}");

        place.write("ws/workspace.yml", "schema_index: 0\n");
        let older = place.run(&["import", "ws", "--workspace", "ann/older", "--into", "/"]).expect(0);
        assert!(older.out.ends_with(", 0 violations\n"), "{older:?}");
        // And so says whoever asks later.
        if let Some(server) = server {
            let password = server.admin_password();
            let list = |workspace: &str| {
                let path = format!("/api/v1/services?where=workspace:{workspace},violations:0");
                server.get(("admin", &password), &path).expect(200).json()["_meta"]["count"].clone()
            };
            assert_eq!((list("ann/older"), list("ann/newer")), (json!(1), json!(0)));
            server.stop();
        }
        // The same verdict offline.
        assert!(place.run(&["check", "ws"]).expect(0).out.ends_with("2 documents, 0 violations\n"));
    }
}
