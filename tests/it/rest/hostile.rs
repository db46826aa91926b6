//! Paths that want out of their workspace: each refused, nothing changed.

use serde_json::json;

use crate::support::{TestApp, raw};

/// Rows 1 to 21 of the list of hostile inputs, as they stand in an address.
fn encoded() -> Vec<String> {
    let mut paths: Vec<String> = [
        "../x",
        "a/../../x",
        "a/../b",
        "%2e%2e%2fx",
        "%2E%2E/x",
        "..%2fx",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "//x",
        ".git/config",
        ".git/hooks/post-receive",
        ".git",
        "a/.git/config",
        ".GIT/config",
        ".Git/x",
        "git~1/config",
        "GIT~2",
        ".git%20/x",
        ".git./x",
        ".git::$INDEX_ALLOCATION/x",
        ".g%E2%80%8Cit/config",
        ".git%E2%80%8B/x",
        "%EF%BB%BF.git/x",
        "a%5C..%5Cb",
        "..%5Cx",
        "C:%5Cx",
        "C:x",
        "a%00b",
        "a%0Ab",
        "a%0Db",
        "a%1Bb",
        "a%7Fb",
        "%00",
        "%ff",
        "a%c3%28",
        "%c0%ae%c0%ae/x",
        "%ed%a0%80",
        ".",
        "..",
        "./a",
        "a/.",
        "a/./b",
        "a//b",
        "a/%2fb",
        "CON",
        "nul.yml",
        "a/AUX",
        "com1.txt",
        "LPT9",
        "a:b",
        "a.",
        "a%20",
        "a/b./c",
        "%20a",
        "a%E2%80%AEb",
        "a%E2%81%A6b",
        "%E2%80%AEgnp.exe",
        "-rf.yml",
        "--upload-pack=x",
        "a/-x",
        ".gitmodules",
        ".gitattributes",
        ".mailmap",
        ".lfsconfig",
        ".GITMODULES",
        "a/.gitattributes",
        "a%2A",
        "a%3Fb",
        // Decomposed; its composed twin would be another file with the same name.
        "a%CC%88.txt",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.push("x".repeat(256));
    paths.push(format!("{}y", "x".repeat(200).as_str().to_owned() + "/").repeat(21));
    paths.push("a/".repeat(5_000) + "b");
    paths
}

#[tokio::test]
async fn no_path_leaves_its_workspace() {
    let app = TestApp::open().await;
    app.workspace("ann/lab").await;
    let ann = app.as_user("ann");
    ann.put("/api/v1/workspaces/ann/lab/files/a.txt", raw("x")).await.expect(201);
    let before = snapshot(&app);
    for path in encoded() {
        let shown: String = path.chars().take(60).collect();
        for (method, status) in [("GET", None), ("PUT", None), ("DELETE", None)] {
            let address = format!("/api/v1/workspaces/ann/lab/files/{path}");
            let answer = ann.at("*").send(method, &address, raw("evil")).await;
            assert!((400..500).contains(&answer.status), "{method} {shown}: {} {}", answer.status, answer.text());
            assert_eq!(status.unwrap_or(answer.status), answer.status);
        }
        // Without a precondition, which is how a new file is made.
        let answer = ann.put(&format!("/api/v1/workspaces/ann/lab/files/{path}"), raw("evil")).await;
        assert!((400..500).contains(&answer.status), "{shown}: {} {}", answer.status, answer.text());
    }
    assert_eq!(snapshot(&app), before);
    app.finish().await;
}

/// As plain text, where no address decoding helps.
fn plain() -> Vec<String> {
    let mut paths: Vec<String> = [
        "",
        "../x",
        "a/../../x",
        "/etc/passwd",
        "/",
        "a/",
        "a//b",
        ".",
        "..",
        "./a",
        ".git/config",
        ".GIT/x",
        "git~1/x",
        ".git /x",
        ".git./x",
        ".git::$INDEX_ALLOCATION/x",
        ".g\u{200c}it/config",
        ".git\u{200b}/x",
        "a\\..\\b",
        "a\0b",
        "a\nb",
        "a\rb",
        "a\u{1b}b",
        "a\u{7f}b",
        "CON",
        "nul.yml",
        "a:b",
        "a.",
        "a ",
        "a\u{202e}b",
        "-rf.yml",
        "--upload-pack=x",
        ".gitmodules",
        ".gitattributes",
        "a\u{308}.txt",
        "\u{feff}a",
        "\u{e0041}a",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.push("x".repeat(256));
    paths.push("x/".repeat(40) + "y");
    paths
}

#[tokio::test]
async fn no_body_names_a_path_outside() {
    let app = TestApp::open().await;
    app.workspace("ann/lab").await;
    let ann = app.as_user("ann");
    let made = ann.post("/api/v1/dmps?workspace=ann/lab", json!({ "name": "p" })).await.expect(201);
    let before = snapshot(&app);
    for path in plain() {
        let refused = |answer: crate::support::Answer, what: &str| {
            assert_eq!(answer.status, 400, "{what} {path:?}: {}", answer.text());
        };
        let put = json!({ "changes": [{ "op": "put", "path": path, "absent": true, "text": "evil" }] });
        refused(ann.post("/api/v1/workspaces/ann/lab/commits", put).await, "put");
        let rename = json!({ "changes": [{ "op": "move", "path": "dmps", "etag": "*", "to": path }] });
        refused(ann.post("/api/v1/workspaces/ann/lab/commits", rename).await, "move");
        refused(ann.post(&format!("/api/v1/dmps/{}/move", made.id()), json!({ "path": path })).await, "move");
        let query: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
        refused(ann.post(&format!("/api/v1/services?workspace=ann/lab&path={query}"), json!({})).await, "post");
        // As what fills a kind's pattern; empty, the server fills it.
        if !path.is_empty() {
            let service = json!({ "name": "x", "vendor": "v", "version": "1", "descriptor_version": "1" });
            let answer = ann.post(&format!("/api/v1/services?workspace=ann/lab&project={query}"), service).await;
            assert!(matches!(answer.status, 400 | 422), "project {path:?}: {} {}", answer.status, answer.text());
            // Before its extension a dot or a blank is harmless.
            if !path.ends_with(['.', ' ']) || path == ".." {
                let address = format!("/api/v1/dmps?workspace=ann/lab&id={query}");
                refused(ann.post(&address, json!({ "name": "p" })).await, "id");
            }
        }
    }
    assert_eq!(snapshot(&app), before);
    app.finish().await;
}

#[tokio::test]
async fn no_workspace_leads_out_of_the_data_directory() {
    let app = TestApp::open().await;
    app.workspace("ann/lab").await;
    let ann = app.as_user("ann");
    for name in
        ["..", "%2e%2e", "..%2f..", ".state", "lab%2f..%2f..", "lab%00", "%ff", ".git", "lab.git", "lab%5C", "x%0Ay"]
    {
        for owner in ["ann", "..", ".state", "%2e%2e", "%00"] {
            for rest in ["", "/files/", "/files/a.txt"] {
                let answer = ann.get(&format!("/api/v1/workspaces/{owner}/{name}{rest}")).await;
                assert!(matches!(answer.status, 400 | 404), "{owner}/{name}: {}", answer.text());
            }
            ann.put(&format!("/api/v1/workspaces/{owner}/{name}/files/a.txt"), raw("x")).await.expect(400);
        }
        let answer = ann.post(&format!("/api/v1/dmps?workspace=ann/{name}"), json!({ "name": "x" })).await;
        assert!(matches!(answer.status, 400 | 404), "{name}: {}", answer.text());
    }
    assert_eq!(snapshot(&app).len(), 1);
    app.finish().await;
}

/// What must not change: every workspace's head, and the names in the data directory and its parent.
fn snapshot(app: &TestApp) -> Vec<String> {
    let mut found = vec![app.head("ann/lab")];
    let mut folders = vec![app.data().parent().expect("it has one").to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() && name != ".state" && name != ".git" {
                folders.push(path);
            } else if !path.is_dir() && name != "a.txt" && !path.extension().is_some_and(|e| e == "json" || e == "yaml")
            {
                found.push(path.display().to_string());
            }
        }
    }
    found.sort();
    found
}
