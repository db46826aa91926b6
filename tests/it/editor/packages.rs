//! What is uploaded to a platform, taken apart (contracts/editor.md 8).

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::DeflateDecoder;
use serde_json::{Value, json};

use super::remote::Remote;
use super::{at, message, open, project, workspace};
use crate::support::{Client, TestApp, git, typed};

/// An archive of stored files, for what a package is not.
pub(super) fn stored(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut central) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend(crc32fast::hash(bytes).to_le_bytes());
        common.extend((bytes.len() as u32).to_le_bytes());
        common.extend((bytes.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        central.extend(b"PK\x01\x02\x14\x00");
        central.extend(&common);
        central.extend([0; 10]);
        central.extend((out.len() as u32).to_le_bytes());
        central.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(*bytes);
    }
    let (start, size) = (out.len() as u32, central.len() as u32);
    out.extend(central);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([(files.len() as u16).to_le_bytes(), (files.len() as u16).to_le_bytes()].concat());
    out.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    out.extend([0, 0]);
    out
}

/// The files of an archive, read by its local headers alone.
fn entries(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let word = |at: usize| u16::from_le_bytes([archive[at], archive[at + 1]]) as usize;
    let double = |at: usize| word(at) | word(at + 2) << 16;
    let (mut at, mut found) = (0, BTreeMap::new());
    while archive[at..].starts_with(b"PK\x03\x04") {
        let (method, packed) = (word(at + 8), double(at + 18));
        let start = at + 30 + word(at + 26) + word(at + 28);
        let name = String::from_utf8(archive[at + 30..at + 30 + word(at + 26)].to_vec()).expect("a name");
        let body = &archive[start..start + packed];
        let mut content = Vec::new();
        match method {
            0 => content.extend(body),
            8 => drop(DeflateDecoder::new(body).read_to_end(&mut content).expect("it inflates")),
            other => panic!("method {other}"),
        }
        assert_eq!(crc32fast::hash(&content) as usize, double(at + 14), "{name}");
        assert_eq!((word(at + 10), word(at + 12)), (0, 0x21), "a time tells when it was built");
        found.insert(name, content);
        at = start + packed;
    }
    assert!(archive[at..].starts_with(b"PK\x01\x02"));
    found
}

/// The file of a form with one field.
fn file(form: &[u8]) -> (String, Vec<u8>) {
    let head = form.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    let text = String::from_utf8_lossy(&form[..head]).into_owned();
    let boundary = text.lines().next().expect("a boundary");
    let end = form.len() - boundary.len() - "\r\n--\r\n".len();
    assert!(text.contains("name=\"package\""), "{text}");
    let name = text.split("filename=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a name");
    (name.to_owned(), form[head..end].to_vec())
}

struct Bench {
    app: TestApp,
    ann: Client,
    remote: Remote,
    workspace: Value,
    project: Value,
    /// Where to push.
    push: String,
}

impl Bench {
    async fn open() -> Self {
        let (app, remote) = (open().await, Remote::open());
        let ann = app.as_user("ann");
        let workspace = workspace(&ann, "ws").await;
        let project = project(&ann, &workspace, "pro").await;
        let entry = json!({ "name": "p", "url": remote.url("") });
        let platform = ann.post(&format!("{}/platforms/", at(&workspace)), entry).await.expect(201).json();
        let push = format!("{}/platforms/{}/services/", at(&workspace), platform["id"]);
        Bench { app, ann, remote, workspace, project, push }
    }

    fn at(&self, rest: &str) -> String {
        format!("{}/projects/{}/{rest}", at(&self.workspace), self.project["id"])
    }

    async fn only(&self, sort: &str) -> Value {
        self.ann.get(&self.at(&format!("{sort}/"))).await.expect(200).json()[0].clone()
    }

    async fn refused(&self, id: &Value) -> String {
        let said = message(self.ann.post(&self.push, json!({ "id": id })).await, 409);
        assert!(self.remote.packages().is_empty(), "something was uploaded");
        said
    }
}

#[tokio::test]
async fn a_package_holds_the_service_and_what_it_uses() {
    let bench = Bench::open().await;
    let (service, function) = (bench.only("services").await, bench.only("functions").await);
    // A second function that nobody uses stays out.
    let mut other = function["descriptor"].clone();
    other["name"] = json!("unused");
    bench.ann.post(&bench.at("functions/"), json!({ "descriptor": other })).await.expect(201);
    for _ in 0..2 {
        bench.ann.post(&bench.push, json!({ "id": service["id"] })).await.expect(201);
    }
    let forms = bench.remote.packages();
    let (name, archive) = file(&forms[0]);
    assert_eq!(name, "eu.sonata-nfv.package.pro.0.4.son");
    assert_eq!(archive, file(&forms[1]).1, "the same project gives other bytes");
    let entries = entries(&archive);
    let names: Vec<&String> = entries.keys().collect();
    assert_eq!(
        names,
        [
            "META-INF/MANIFEST.MF",
            "docker_files/vnf-sample/sample_docker",
            "function_descriptors/eu.sonata-nfv-vnf-sample-0.1.yml",
            "service_descriptors/eu.sonata-nfv.service-descriptor-sample-nsd-0.2.yml",
        ]
    );
    let read = |name: &str| serde_yaml::from_slice::<Value>(&entries[name]).expect("it is YAML");
    assert_eq!(read("service_descriptors/eu.sonata-nfv.service-descriptor-sample-nsd-0.2.yml"), service["descriptor"]);
    assert_eq!(read("function_descriptors/eu.sonata-nfv-vnf-sample-0.1.yml"), function["descriptor"]);
    let mut manifest = read("META-INF/MANIFEST.MF");
    for item in manifest["package_content"].as_array_mut().expect("a list") {
        let digest = item.as_object_mut().and_then(|item| item.remove("md5")).expect("a digest");
        assert_eq!(digest.as_str().map(str::len), Some(32));
    }
    insta::assert_json_snapshot!(manifest, @r#"
    {
      "description": "Some description about this sample",
      "descriptor_version": "1.0",
      "entry_service_template": "/service_descriptors/eu.sonata-nfv.service-descriptor-sample-nsd-0.2.yml",
      "maintainer": "Name, Company, Contact",
      "name": "pro",
      "package_content": [
        {
          "content-type": "application/sonata.docker_files",
          "name": "/docker_files/vnf-sample/sample_docker"
        },
        {
          "content-type": "application/sonata.function_descriptor",
          "name": "/function_descriptors/eu.sonata-nfv-vnf-sample-0.1.yml"
        },
        {
          "content-type": "application/sonata.service_descriptor",
          "name": "/service_descriptors/eu.sonata-nfv.service-descriptor-sample-nsd-0.2.yml"
        }
      ],
      "sealed": true,
      "vendor": "eu.sonata-nfv.package",
      "version": "0.4"
    }
    "#);
    bench.app.finish().await;
}

#[tokio::test]
async fn functions_of_the_private_catalogue_are_taken_too() {
    let bench = Bench::open().await;
    let (service, function) = (bench.only("services").await, bench.only("functions").await);
    bench.ann.get(&bench.at(&format!("functions/{}/publish", function["id"]))).await.expect(201);
    // The project has it no more: its reference leads to the catalogue.
    let name = bench.workspace["path"].as_str().expect("a path");
    let folder = "projects/pro/sources/vnf/vnf-sample";
    let body = json!({ "changes": [
        { "op": "move", "path": format!("{folder}/eu.sonata-nfv-vnf-sample-0.1.yml"), "to": "functions/elsewhere.yml", "etag": etag(&bench, name, &format!("{folder}/eu.sonata-nfv-vnf-sample-0.1.yml")).await },
    ] });
    let moved = bench.ann.post(&format!("/api/v1/workspaces/{name}/commits"), body).await;
    moved.expect(201);
    bench.ann.post(&bench.push, json!({ "id": service["id"] })).await.expect(201);
    let entries = entries(&file(&bench.remote.packages()[0]).1);
    assert!(entries.contains_key("function_descriptors/eu.sonata-nfv-vnf-sample-0.1.yml"), "{:?}", entries.keys());
    bench.app.finish().await;
}

async fn etag(bench: &Bench, workspace: &str, path: &str) -> String {
    let answer = bench.ann.get(&format!("/api/v1/workspaces/{workspace}/files/{path}")).await.expect(200);
    answer.header("etag").trim_matches('"').to_owned()
}

#[tokio::test]
async fn what_cannot_be_packaged_is_said_before_anything_is_uploaded() {
    let bench = Bench::open().await;
    let service = bench.only("services").await;
    let one = bench.at(&format!("services/{}", service["id"]));
    // A function that is nowhere.
    let mut changed = service["descriptor"].clone();
    changed["network_functions"][0]["vnf_version"] = json!(">= 7");
    bench.ann.put(&one, json!({ "descriptor": changed })).await.expect(200);
    let said = bench.refused(&service["id"]).await;
    assert!(said.contains("eu.sonata-nfv:vnf-sample:&gt;= 7, which is neither in the project nor"), "{said}");
    // An operator that fits.
    changed["network_functions"][0]["vnf_version"] = json!(">= 0.1");
    bench.ann.put(&one, json!({ "descriptor": changed })).await.expect(200);
    // The project's settings name the package.
    let project = format!("{}/projects/{}", at(&bench.workspace), bench.project["id"]);
    bench.ann.put(&project, json!({ "vendor": "Big Vendor" })).await.expect(200);
    let said = bench.refused(&service["id"]).await;
    assert!(said.contains("lower-case letters"), "{said}");
    bench.ann.put(&project, json!({ "vendor": "v", "maintainer": "" })).await.expect(200);
    let said = bench.refused(&service["id"]).await;
    assert!(said.contains("Please define maintainer"), "{said}");
    bench.ann.put(&project, json!({ "maintainer": "Ann" })).await.expect(200);
    // What breaks its schema came by another road.
    let name = bench.workspace["path"].as_str().expect("a path").to_owned();
    let Bench { mut app, remote, push, .. } = bench;
    app.restart_after(|data| {
        let tree = data.join(&name);
        let file = tree.join("projects/pro/sources/vnf/vnf-sample/eu.sonata-nfv-vnf-sample-0.1.yml");
        let text = std::fs::read_to_string(&file).expect("it is there");
        std::fs::write(&file, text.replace("vcpus: 1", "vcpus: none")).expect("it can be written");
        git::run(&tree, &["commit", "-q", "-a", "-m", "by hand"]);
    })
    .await;
    let said = message(app.as_user("ann").post(&push, json!({ "id": service["id"] })).await, 409);
    assert!(remote.packages().is_empty(), "something was uploaded");
    assert!(said.contains("breaks its schema, mend it first: line "), "{said}");
    app.finish().await;
}

/// Two services in one project, an upper-case project (original: test_pack_project).
#[tokio::test]
async fn one_service_and_a_plain_name() {
    let bench = Bench::open().await;
    let service = bench.only("services").await;
    let mut second = service["descriptor"].clone();
    second["name"] = json!("second");
    bench.ann.post(&bench.at("services/"), json!({ "descriptor": second, "meta": {} })).await.expect(201);
    let said = message(bench.ann.post(&bench.push, json!({ "id": service["id"] })).await, 400);
    assert_eq!(said, "Project must have exactly one service to push to platform. Number of services: 2");
    let upper = project(&bench.ann, &bench.workspace, "InvalidProjectName").await;
    let list = format!("{}/projects/{}/services/", at(&bench.workspace), upper["id"]);
    let service = bench.ann.get(&list).await.expect(200).json()[0].clone();
    let said = bench.refused(&service["id"]).await;
    assert!(said.contains("\"InvalidProjectName\" cannot be that of a package"), "{said}");
    // A form's numbers are texts.
    message(bench.ann.post(&bench.push, typed("application/x-www-form-urlencoded", "id=7")).await, 404);
    bench.app.finish().await;
}
