//! The catalogue that workleaf itself is, asked directly and by another workleaf (issue 5).

use serde_json::{Value, json};

use super::{at, message, open, project, workspace};
use crate::support::local::Local;
use crate::support::{Client, TestApp, typed, yaml};

const VNFS: &str = "/catalogues/api/v2/vnfs";
const SERVICES: &str = "/catalogues/api/v2/network-services";
const PACKAGES: &str = "/catalogues/api/v2/packages";

/// A function by the schema of the editor, or by SONATA's master.
fn function(name: &str, version: &str, point: Value) -> Value {
    json!({
        "descriptor_version": "1.0", "vendor": "org.example", "name": name, "version": version,
        "virtual_deployment_units": [{ "id": "1", "resource_requirements": { "cpu": { "vcpus": 1 }, "memory": { "size": 1 } } }],
        "connection_points": [point],
    })
}

fn old(name: &str, version: &str) -> Value {
    function(name, version, json!({ "id": "vnf:in", "type": "interface" }))
}

fn one(list: &str, name: &str, version: &str) -> String {
    format!("{list}/vendor/org.example/name/{name}/version/{version}")
}

#[tokio::test]
async fn descriptors_are_kept_in_the_shared_workspace() {
    let app = open().await;
    let ann = app.as_user("ann");
    assert_eq!(ann.get(VNFS).await.expect(200).json(), json!([]));
    let new = function("b", "1.10", json!({ "id": "in", "interface": "ipv4", "type": "external" }));
    for (descriptor, path) in [(old("a", "0.1"), VNFS.to_owned()), (new.clone(), format!("{VNFS}/"))] {
        assert_eq!(ann.post(&path, descriptor.clone()).await.expect(201).json(), descriptor);
        // The same once more is no conflict.
        assert_eq!(ann.post(&path, descriptor.clone()).await.expect(200).json(), descriptor);
    }
    assert_eq!(ann.get(&format!("{VNFS}/")).await.expect(200).json(), json!([old("a", "0.1"), new]));
    assert_eq!(ann.get(&format!("{}/", one(VNFS, "b", "1.10"))).await.expect(200).json(), new);
    for (query, count) in [
        ("?name=a", 1),
        ("?vendor=org.example", 2),
        ("?vendor=org.example&name=b&version=1.1", 0),
        ("?limit=1", 1),
        ("?offset=1", 1),
        ("?vendor=x", 0),
    ] {
        let found = ann.get(&format!("{VNFS}{query}")).await.expect(200).json();
        assert_eq!(found.as_array().map(Vec::len), Some(count), "{query}");
    }
    message(ann.get(&format!("{VNFS}?nam=a")).await, 400);
    let mut changed = old("a", "0.1");
    changed["description"] = json!("other");
    let said = message(ann.post(VNFS, changed.clone()).await, 409);
    assert!(said.contains("org.example:a:0.1 is published already"), "{said}");
    assert_eq!(ann.put(&one(VNFS, "a", "0.1"), changed.clone()).await.expect(200).json(), changed);
    // Comments of whoever sends YAML stay.
    ann.post(VNFS, yaml(format!("# by hand\n{}", serde_yaml::to_string(&old("c", "1")).expect("it is YAML"))))
        .await
        .expect(201);
    let file = app.tree("catalogue/main").join("catalogues/vnf_catalogue/org.example/c/1/descriptor.yml");
    assert!(std::fs::read_to_string(file).expect("it is there").starts_with("# by hand\n"));
    // Of another identity: published beside it.
    ann.put(&one(VNFS, "a", "0.1"), old("a", "0.2")).await.expect(200);
    assert_eq!(ann.get(&one(VNFS, "a", "0.2")).await.expect(200).json(), old("a", "0.2"));
    assert_eq!(ann.get(&one(VNFS, "a", "0.1")).await.expect(200).json(), changed);
    ann.delete(&one(VNFS, "a", "0.1")).await.expect(200);
    for answer in [
        ann.get(&one(VNFS, "a", "0.1")).await,
        ann.delete(&one(VNFS, "a", "0.1")).await,
        ann.put(&one(VNFS, "a", "0.1"), old("a", "0.1")).await,
    ] {
        assert!(message(answer, 404).contains("org.example:a:0.1"));
    }
    // A function is no service.
    assert_eq!(ann.get(SERVICES).await.expect(200).json(), json!([]));
    app.finish().await;
}

#[tokio::test]
async fn what_is_no_descriptor_is_refused() {
    let app = open().await;
    let ann = app.as_user("ann");
    let mut broken = old("a", "1");
    broken["virtual_deployment_units"] = json!([]);
    let answer = ann.post(VNFS, broken).await.expect(422);
    assert_eq!(answer.json()["payload"]["violations"][0]["pointer"], "/virtual_deployment_units");
    message(ann.post(VNFS, json!([])).await, 400);
    assert!(message(ann.post(VNFS, json!({ "name": "a" })).await, 400).contains("vendor, name and version"));
    message(ann.post(VNFS, typed("application/json", "{")).await, 400);
    message(ann.post(VNFS, typed("text/plain", "{}")).await, 415);
    for name in ["..", ".", ".git", "-x"] {
        let answer = ann.post(VNFS, old(name, "1")).await;
        assert!((400..=422).contains(&answer.status), "{name}: {}", answer.status);
    }
    for path in ["%2e%2e", "a%2Fb", ".git"] {
        let status = ann.get(&one(VNFS, path, "1")).await.status;
        assert!([400, 404].contains(&status), "{path}: {status}");
    }
    assert_eq!(ann.get(VNFS).await.expect(200).json(), json!([]));
    app.finish().await;
}

#[tokio::test]
async fn reading_is_for_whom_the_catalogue_is_open_and_writing_for_accounts() {
    let app = open().await;
    let (ann, nobody) = (app.as_user("ann"), app.anonymous());
    ann.post(VNFS, old("a", "1")).await.expect(201);
    for path in [VNFS.to_owned(), one(VNFS, "a", "1"), PACKAGES.to_owned()] {
        message(nobody.get(&path).await, 401);
    }
    app.as_user("root").patch("/api/v1/workspaces/catalogue/main", json!({ "public": true })).await.expect(200);
    assert_eq!(nobody.get(VNFS).await.expect(200).json(), json!([old("a", "1")]));
    nobody.get(&one(VNFS, "a", "1")).await.expect(200);
    nobody.get(PACKAGES).await.expect(200);
    message(nobody.post(VNFS, old("b", "1")).await, 401);
    message(nobody.put(&one(VNFS, "a", "1"), old("a", "1")).await, 401);
    message(nobody.delete(&one(VNFS, "a", "1")).await, 401);
    message(nobody.post(PACKAGES, typed("application/zip", "x")).await, 401);
    // Tokens that only read do not write.
    let made = ann.post("/api/v1/tokens", json!({ "name": "t", "scope": "read" })).await.expect(201).inner();
    let reading =
        app.anonymous().header("authorization", &format!("Bearer {}", made["token"].as_str().expect("a token")));
    message(reading.post(VNFS, old("b", "1")).await, 403);
    app.finish().await;
}

/// A server, as others on this machine see it.
fn served(app: &TestApp) -> Local {
    let router = app.app().router().read().expect("no test poisons it").clone();
    Local::open(|_| router)
}

async fn token(client: &Client) -> String {
    let made =
        client.post("/api/v1/tokens", json!({ "name": "publishing", "scope": "write" })).await.expect(201).inner();
    made["token"].as_str().expect("a token").to_owned()
}

/// One workleaf publishes functions, services and a package to another.
#[tokio::test]
async fn one_workleaf_publishes_to_another() {
    let (here, there) = (open().await, open().await);
    let other = served(&there);
    let (ann, bob) = (here.as_user("ann"), there.as_user("bob"));
    let token = token(&bob).await;
    let base = format!("http://127.0.0.1:{}/catalogues", other.port);
    let ws = workspace(&ann, "ws").await;
    let project = project(&ann, &ws, "pro").await;
    let entry = json!({ "name": "other", "url": format!("{base}/api/v2"), "token": token });
    let catalogue = ann.post(&format!("{}/catalogues/", at(&ws)), entry).await.expect(201).json();
    let catalogue = format!("{}/catalogues/{}", at(&ws), catalogue["id"]);
    for (sort, list, status) in [("functions", VNFS, 201), ("services", SERVICES, 200)] {
        let own =
            ann.get(&format!("{}/projects/{}/{sort}/", at(&ws), project["id"])).await.expect(200).json()[0].clone();
        let expected = json!({ "descriptor": own["descriptor"], "id": own["uid"] });
        let remote = format!("{catalogue}/{sort}/");
        assert_eq!(ann.post(&remote, json!({ "id": own["id"] })).await.expect(status).json(), expected);
        assert_eq!(bob.get(list).await.expect(200).json(), json!([own["descriptor"]]));
        assert_eq!(ann.get(&remote).await.expect(200).json(), json!([expected]));
        let one = format!("{remote}{}", own["uid"].as_str().expect("a text"));
        let mut changed = own["descriptor"].clone();
        changed["description"] = json!("changed here");
        ann.put(&one, json!({ "descriptor": changed })).await.expect(200);
        assert_eq!(bob.get(list).await.expect(200).json(), json!([changed]));
        ann.delete(&one).await.expect(200);
        assert_eq!(bob.get(list).await.expect(200).json(), json!([]));
        message(ann.get(&one).await, 404);
    }
    // The commits are Bob's, whose token it is.
    let log = crate::support::git::run(&there.tree("catalogue/main"), &["log", "-1", "--format=%an %s"]);
    assert!(log.starts_with("bob catalogue: delete "), "{log}");
    // Without a token nothing is published.
    let closed = json!({ "name": "closed", "url": format!("{base}/api/v2") });
    let closed = ann.post(&format!("{}/catalogues/", at(&ws)), closed).await.expect(201).json();
    let services = ann.get(&format!("{}/projects/{}/services/", at(&ws), project["id"])).await.expect(200).json();
    let answer = ann
        .tolerant()
        .post(&format!("{}/catalogues/{}/services/", at(&ws), closed["id"]), json!({ "id": services[0]["id"] }))
        .await;
    assert!(message(answer, 502).contains("set a token"));
    // As a platform it takes packages.
    let entry = json!({ "name": "platform", "url": base, "token": token });
    let platform = ann.post(&format!("{}/platforms/", at(&ws)), entry).await.expect(201).json();
    let push = format!("{}/platforms/{}/services/", at(&ws), platform["id"]);
    let pushed = ann.post(&push, json!({ "id": services[0]["id"] })).await.expect(201).json();
    let manifests = bob.get(PACKAGES).await.expect(200).json();
    assert_eq!(manifests[0]["name"], "pro", "{manifests}");
    assert!(pushed["message"].as_str().is_some_and(|text| text.starts_with("Deployed successfully: ")), "{pushed}");
    assert!(pushed["service_uuid"].as_str().is_some_and(|uuid| uuid.len() == 36), "{pushed}");
    let again = ann.post(&push, json!({ "id": services[0]["id"] })).await.expect(200).json();
    assert!(again["message"].as_str().is_some_and(|text| text.contains("already")), "{again}");
    drop(other);
    here.finish().await;
    there.finish().await;
}

/// The least that is a package.
fn package(vendor: &str, name: &str, version: &str, also: &str) -> Vec<u8> {
    let manifest = format!("vendor: {vendor}\nname: {name}\nversion: '{version}'\n{also}");
    super::packages::stored(&[("META-INF/MANIFEST.MF", manifest.as_bytes())])
}

fn zip(bytes: Vec<u8>) -> crate::support::Body {
    typed("application/zip", bytes)
}

#[tokio::test]
async fn packages_are_files_with_a_manifest() {
    let app = open().await;
    let ann = app.as_user("ann");
    let bytes = package("org.example", "p", "0.1", "description: d\n");
    let made = ann.post(PACKAGES, zip(bytes.clone())).await.expect(201).json();
    assert_eq!((&made["name"], &made["version"]), (&json!("p"), &json!("0.1")));
    let manifest = json!({ "vendor": "org.example", "name": "p", "version": "0.1", "description": "d" });
    assert_eq!(ann.get(PACKAGES).await.expect(200).json(), json!([manifest]));
    let path = one(PACKAGES, "p", "0.1");
    assert_eq!(ann.get(&path).await.expect(200).json(), manifest);
    let file = ann.header("accept", "application/zip").get(&path).await.expect(200);
    assert_eq!((file.body.to_vec(), file.header("content-type")), (bytes.clone(), "application/zip"));
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"org.example.p.0.1.son\"");
    assert!(message(ann.post(PACKAGES, zip(bytes.clone())).await, 409).contains("published already"));
    let form = [
        b"--x\r\nContent-Disposition: form-data; name=\"package\"; filename=\"a.son\"\r\n\r\n".to_vec(),
        package("org.example", "p", "0.2", ""),
        b"\r\n--x--\r\n".to_vec(),
    ]
    .concat();
    ann.post(&format!("{PACKAGES}/"), typed("multipart/form-data; boundary=x", form)).await.expect(201);
    assert_eq!(ann.get(&format!("{PACKAGES}?version=0.2")).await.expect(200).json()[0]["version"], "0.2");
    let changed = package("org.example", "p", "0.1", "description: e\n");
    assert_eq!(ann.put(&path, zip(changed.clone())).await.expect(200).json()["uuid"], made["uuid"]);
    assert_eq!(ann.get(&path).await.expect(200).json()["description"], "e");
    message(ann.put(&one(PACKAGES, "p", "0.3"), zip(package("org.example", "p", "0.3", ""))).await, 404);
    assert!(
        message(ann.put(&path, zip(package("org.example", "q", "0.1", ""))).await, 400)
            .contains("its address names another")
    );
    ann.delete(&path).await.expect(200);
    message(ann.delete(&path).await, 404);
    message(ann.get(&path).await, 404);
    message(ann.header("accept", "application/zip").get(&path).await, 404);
    assert_eq!(ann.get(PACKAGES).await.expect(200).json().as_array().map(Vec::len), Some(1));
    // What is no package.
    for (bytes, why) in [
        (b"PK".to_vec(), "no ZIP archive"),
        (super::packages::stored(&[("other", b"x")]), "no META-INF/MANIFEST.MF"),
        (super::packages::stored(&[("META-INF/MANIFEST.MF", b"a: [")]), "manifest cannot be read"),
        (super::packages::stored(&[("META-INF/MANIFEST.MF", b"name: a")]), "lacks one of"),
        (package("..", "a", "1", ""), ""),
        (package("a/b", "a", "1", ""), "slash"),
    ] {
        let said = message(ann.post(PACKAGES, zip(bytes)).await, 400);
        assert!(said.contains(why), "{said}");
    }
    message(ann.post(PACKAGES, typed("multipart/form-data; boundary=x", "--x--")).await, 400);
    message(ann.post(PACKAGES, typed("application/octet-stream", "x")).await, 415);
    app.finish().await;
}
