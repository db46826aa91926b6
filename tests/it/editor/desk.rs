//! A workspace with a project, as the descriptors' tests need it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, git};

pub(super) const WORKSPACE: &str = "ann/lab";

/// A project `p` in a workspace of Ann's whose schemas are those of the editor.
pub(super) struct Desk {
    pub(super) app: TestApp,
    pub(super) ann: Client,
    pub(super) workspace: u64,
    pub(super) project: u64,
}

impl Desk {
    pub(super) async fn open() -> Self {
        Desk::on(TestApp::open().await).await
    }

    pub(super) async fn on(app: TestApp) -> Self {
        app.workspace(WORKSPACE).await;
        let ann = app.as_user("ann");
        let mut desk = Desk { app, ann, workspace: 0, project: 0 };
        desk.write(&[
            ("workspace.yml", "version: '0.03'\nname: lab\nschema_index: 0\n"),
            ("projects/p/project.yml", "name: p\nversion: '0.4'\n"),
        ])
        .await;
        let workspaces = desk.ann.get("/workspaces/").await.expect(200).json();
        desk.workspace = workspaces[0]["id"].as_u64().expect("an id");
        let projects = desk.ann.get(&format!("/workspaces/{}/projects/", desk.workspace)).await.expect(200).json();
        desk.project = projects[0]["id"].as_u64().expect("an id");
        desk
    }

    /// An address of the project.
    pub(super) fn at(&self, rest: &str) -> String {
        format!("/workspaces/{}/projects/{}/{rest}", self.workspace, self.project)
    }

    /// Stores files as they are, in one commit.
    pub(super) async fn write(&self, files: &[(&str, &str)]) {
        let changes: Vec<Value> = files
            .iter()
            .map(|(path, text)| json!({ "op": "put", "path": path, "absent": true, "text": text }))
            .collect();
        let body = json!({ "changes": changes });
        self.ann.post(&format!("/api/v1/workspaces/{WORKSPACE}/commits"), body).await.expect(201);
    }

    /// Lets somebody commit by hand what the server would not take.
    pub(super) async fn by_hand(&mut self, between: impl FnOnce(&Path)) {
        self.app
            .restart_after(|data| {
                let tree = data.join(WORKSPACE);
                between(&tree);
                git::run(&tree, &["add", "-A"]);
                git::run(&tree, &["commit", "-q", "-m", "by hand"]);
            })
            .await;
        self.ann = self.app.as_user("ann");
    }

    pub(super) async fn restart(&mut self) {
        self.app.restart_after(|_| {}).await;
        self.ann = self.app.as_user("ann");
    }

    pub(super) async fn make_function(&self, descriptor: Value) -> Value {
        self.ann.post(&self.at("functions/"), json!({ "descriptor": descriptor })).await.expect(201).json()
    }

    pub(super) async fn make_service(&self, descriptor: Value) -> Value {
        let body = json!({ "descriptor": descriptor, "meta": {} });
        self.ann.post(&self.at("services/"), body).await.expect(201).json()
    }

    /// `PUT` of a function.
    pub(super) async fn put_function(&self, id: &Value, descriptor: &Value, mode: &str) -> Answer {
        let body = json!({ "descriptor": descriptor, "edit_mode": mode });
        self.ann.put(&self.at(&format!("functions/{id}")), body).await
    }

    pub(super) async fn upload(&self, id: &Value, name: &str, bytes: &str) -> Answer {
        self.ann.post(&self.at(&format!("functions/{id}/upload")), image(name, bytes)).await
    }

    /// Paths of the files below a folder of the workspace at its head.
    pub(super) fn files(&self, folder: &str) -> Vec<String> {
        let tree = self.app.tree(WORKSPACE);
        let out = git::run(&tree, &["ls-tree", "-r", "--name-only", "main", &format!("{folder}/")]);
        out.lines().map(|line| line[folder.len() + 1..].to_owned()).collect()
    }

    /// A file's text in the work tree.
    pub(super) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.app.tree(WORKSPACE).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// How many commits there are.
    pub(super) fn commits(&self) -> usize {
        git::run(&self.app.tree(WORKSPACE), &["rev-list", "--count", "main"]).parse().expect("a number")
    }
}

/// A form with the file `image`.
pub(super) fn image(name: &str, bytes: &str) -> crate::support::Body {
    let body = format!(
        "--xyz\r\nContent-Disposition: form-data; name=\"image\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{bytes}\r\n--xyz--\r\n"
    );
    crate::support::typed("multipart/form-data; boundary=xyz", body)
}

/// A function as the editor's schema takes it.
pub(super) fn function(vendor: &str, name: &str, version: &str) -> Value {
    json!({
        "descriptor_version": "vnfd-schema-01",
        "vendor": vendor,
        "name": name,
        "version": version,
        "virtual_deployment_units": [{
            "id": "1",
            "resource_requirements": { "cpu": { "vcpus": 1 }, "memory": { "size": 2, "size_unit": "GB" } },
        }],
    })
}

/// A service of these functions, each as (vendor, name, version).
pub(super) fn service(vendor: &str, name: &str, version: &str, uses: &[(&str, &str, &str)]) -> Value {
    let mut service = json!({ "descriptor_version": "1.0", "vendor": vendor, "name": name, "version": version });
    if !uses.is_empty() {
        let uses = uses.iter().enumerate().map(|(at, (vendor, name, version))| {
            json!({ "vnf_id": format!("vnf{at}"), "vnf_vendor": vendor, "vnf_name": name, "vnf_version": version })
        });
        service["network_functions"] = uses.collect();
    }
    service
}

/// The `message` of an error.
pub(super) fn message(answer: &Answer) -> String {
    answer.json()["message"].as_str().expect("a message").to_owned()
}
