//! Images beside a function's descriptor: rows 28 and 29 of section 1.3.

use serde_json::json;

use super::desk::{Desk, function, image, message};
use crate::support::{TestApp, raw, typed};

#[tokio::test]
async fn images_are_stored_listed_and_deleted() {
    let desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    desk.make_function(function("v", "fw", "0.2")).await;
    let all = desk.at(&format!("functions/{}/upload", made["id"]));
    assert_eq!(desk.ann.get(&all).await.expect(200).json(), json!([]));
    let stored = desk.ann.post(&all, image("../../my image.img", "one\r\n\0two")).await.expect(200);
    assert_eq!(stored.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(stored.text(), "File my_image.img successfully uploaded!");
    assert_eq!(desk.text("projects/p/sources/vnf/fw/my_image.img"), "one\r\n\0two");
    desk.ann.post(&all, image("my image.img", "again")).await.expect(200);
    assert_eq!(desk.text("projects/p/sources/vnf/fw/my_image.img"), "again");
    desk.ann.post(&all, image("another.qcow2", "x")).await.expect(200);
    desk.write(&[("projects/p/sources/vnf/fw/fsm/run.sh", "#!/bin/sh\n")]).await;
    let list = desk.ann.get(&all).await.expect(200);
    assert_eq!(list.header("content-type"), "application/json");
    assert_eq!(list.json(), json!(["another.qcow2", "my_image.img"]));

    let gone = desk.ann.delete(&format!("{all}/my_image.img")).await.expect(200);
    assert_eq!(gone.text(), "File my_image.img was deleted");
    assert_eq!(
        message(&desk.ann.delete(&format!("{all}/my_image.img")).await.expect(404)),
        "File my_image.img not found!"
    );
    for name in ["..%2Fv-fw-0.1.yml", "fsm%2Frun.sh", "..", "%2e%2e", "a%00b", "fsm"] {
        desk.ann.delete(&format!("{all}/{name}")).await.expect(404);
    }
    for descriptor in ["v-fw-0.1.yml", "v-fw-0.2.yml"] {
        desk.ann.delete(&format!("{all}/{descriptor}")).await.expect(400);
    }
    assert_eq!(message(&desk.ann.delete(&format!("{all}/<b>")).await.expect(404)), "File &lt;b&gt; not found!");
    assert_eq!(
        desk.files("projects/p/sources/vnf/fw"),
        ["another.qcow2", "fsm/run.sh", "v-fw-0.1.yml", "v-fw-0.2.yml"]
    );
    desk.app.finish().await;
}

#[tokio::test]
async fn what_is_no_image_is_refused() {
    let desk = Desk::open().await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    let all = desk.at(&format!("functions/{}/upload", made["id"]));
    let other = "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--xyz--\r\n";
    let field = "--xyz\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nx\r\n--xyz--\r\n";
    for body in [
        raw("x"),
        typed("application/json", "{}"),
        typed("multipart/form-data; boundary=xyz", other),
        typed("multipart/form-data; boundary=xyz", field),
        image("", "x"),
    ] {
        assert_eq!(message(&desk.ann.post(&all, body).await.expect(400)), "No file attached!");
    }
    for name in ["v-fw-0.1.yml", "x.yaml", "X.YML", "..", "con.img"] {
        desk.ann.post(&all, image(name, "x")).await.expect(400);
    }
    for (given, stored) in [(".git", "git"), (".workleaf", "workleaf"), (".gitattributes", "gitattributes")] {
        let answer = desk.ann.post(&all, image(given, "x")).await.expect(200);
        assert_eq!(answer.text(), format!("File {stored} successfully uploaded!"));
    }
    for method in ["GET", "POST"] {
        let none = desk.at("functions/1337/upload");
        let answer = desk.ann.send(method, &none, image("a.img", "x")).await.expect(404);
        assert_eq!(message(&answer), "Function with id 1337 does not exist");
    }
    desk.ann.delete(&desk.at("functions/1337/upload/a.img")).await.expect(404);
    desk.ann.delete(&desk.at("functions/x/upload/a.img")).await.expect(404);
    desk.app.finish().await;
}

#[tokio::test]
async fn an_upload_is_as_large_as_a_body_may_be() {
    let app = TestApp::open_with(|_, config| config.limits.body = 4096).await;
    let desk = Desk::on(app).await;
    let made = desk.make_function(function("v", "fw", "0.1")).await;
    desk.upload(&made["id"], "small.img", &"x".repeat(3000)).await.expect(200);
    desk.upload(&made["id"], "large.img", &"x".repeat(5000)).await.expect(413);
    assert_eq!(desk.files("projects/p/sources/vnf/fw"), ["small.img", "v-fw-0.1.yml"]);
    desk.app.finish().await;
}
