//! Files of a workspace, with and without a kind.

use serde_json::json;

use super::samples::lab;
use crate::support::{git, raw, typed, yaml};

const FILES: &str = "/api/v1/workspaces/ann/lab/files";

fn at(path: &str) -> String {
    format!("{FILES}/{path}")
}

#[tokio::test]
async fn bytes_come_back_as_they_were_sent() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let made = ann.put(&at("images/disk.img"), raw(all.clone())).await;
    insta::assert_snapshot!(made.shown(), @r#"
    201
    etag: "[oid]"
    vary: Accept, Accept-Encoding
    {
      "file": {
        "path": "images/disk.img",
        "etag": "[oid]",
        "kind": null,
        "violations": []
      }
    }
    "#);
    let read = ann.get(&at("images/disk.img")).await.expect(200);
    assert_eq!(read.body, all);
    assert_eq!(read.header("etag"), made.header("etag"));
    assert_eq!(
        (read.header("content-type"), read.header("x-content-type-options")),
        ("application/octet-stream", "nosniff")
    );
    assert_eq!(std::fs::read(app.tree("ann/lab/images/disk.img")).expect("it is on disk"), all);
    let blob = git::run(&app.tree("ann/lab"), &["rev-parse", "main:images/disk.img"]);
    assert_eq!(made.header("etag"), format!("\"{blob}\""));

    for (name, bytes) in [
        ("empty", &b""[..]),
        ("crlf.txt", b"a\r\nb"),
        ("bom.txt", b"\xef\xbb\xbfx"),
        ("bad.txt", b"\xff\xfe"),
        ("x.html", b"<script>"),
    ] {
        ann.put(&at(name), typed("text/plain", bytes)).await.expect(201);
        let read = ann.get(&at(name)).await.expect(200);
        assert_eq!(read.body, bytes, "{name}");
        assert!(!read.header("content-type").contains("html"), "{name}");
    }
    // Names in any script, percent-encoded or with blanks.
    for name in ["%C3%A4%20b.txt", "%E8%AF%AD%E8%A8%80/%F0%9F%98%80.txt", "a%2Bb+c.txt", "q%23%3B&=.txt"] {
        ann.put(&at(name), raw("x")).await.expect(201);
        ann.get(&at(name)).await.expect(200);
    }
    assert!(app.tree("ann/lab/语言/😀.txt").is_file());
    app.finish().await;
}

#[tokio::test]
async fn writes_start_from_what_was_read() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let path = at("notes.txt");
    let first = ann.put(&path, raw("1")).await.expect(201).etag();
    // Blind: it only creates.
    insta::assert_snapshot!(ann.put(&path, raw("2")).await.shown(), @r#"
    412
    vary: accept-encoding
    {
      "message": "'If-match' header must be provided",
      "status_code": 412,
      "payload": {}
    }
    "#);
    insta::assert_snapshot!(ann.header("if-none-match", "*").put(&path, raw("2")).await.shown(), @r#"
    412
    vary: accept-encoding
    {
      "message": "there is a file already, and If-None-Match: * makes new ones only",
      "status_code": 412,
      "payload": {
        "etag": "[oid]"
      }
    }
    "#);
    insta::assert_snapshot!(ann.delete(&path).await.shown(), @r#"
    412
    vary: accept-encoding
    {
      "message": "'If-match' header must be provided",
      "status_code": 412,
      "payload": {}
    }
    "#);
    let second = ann.at(&format!("\"{first}\"")).put(&path, raw("2")).await.expect(200).etag();
    assert_ne!(first, second);
    let stale = ann.at(&first).put(&path, raw("3")).await.expect(412);
    assert_eq!(stale.json()["payload"]["etag"], second);
    ann.at("nonsense").put(&path, raw("3")).await.expect(412);
    ann.at(&first).delete(&path).await.expect(412);
    // Any state will do.
    let third = ann.at("*").put(&path, raw("3")).await.expect(200).etag();
    // Of several.
    ann.at(&format!("\"{first}\", \"{third}\"")).put(&path, raw("4")).await.expect(200);
    assert_eq!(ann.get(&path).await.text(), "4");
    ann.at("*").delete(&path).await.expect(204);
    ann.get(&path).await.expect(404);
    insta::assert_snapshot!(ann.at(&third).put(&path, raw("5")).await.shown(), @r#"
    404
    vary: accept-encoding
    {
      "message": "there is no file notes.txt",
      "status_code": 404,
      "payload": {}
    }
    "#);
    insta::assert_snapshot!(ann.at("*").delete(&path).await.shown(), @r#"
    404
    vary: accept-encoding
    {
      "message": "there is no file notes.txt",
      "status_code": 404,
      "payload": {}
    }
    "#);
    // The folder went with its last file.
    assert!(!app.tree("ann/lab/notes.txt").exists());
    app.finish().await;
}

#[tokio::test]
async fn readers_are_spared_what_they_have() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let etag = ann.put(&at("a.txt"), raw("1")).await.expect(201).header("etag").to_owned();
    let fresh = ann.header("if-none-match", &etag).get(&at("a.txt")).await;
    insta::assert_snapshot!(fresh.shown(), @r#"
    304
    etag: "[oid]"
    vary: Accept, Accept-Encoding
    "#);
    ann.header("if-none-match", &format!("\"x\", W/{etag}")).get(&at("a.txt")).await.expect(304);
    ann.header("if-none-match", "*").get(&at("a.txt")).await.expect(304);
    ann.header("if-none-match", "\"0123\"").get(&at("a.txt")).await.expect(200);
    let head = ann.send("HEAD", &at("a.txt"), raw("")).await.expect(200);
    assert_eq!((head.header("etag"), head.body.len()), (&*etag, 0));
    app.finish().await;
}

#[tokio::test]
async fn same_bytes_make_no_commit() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let etag = ann.put(&at("a.txt"), raw("1")).await.expect(201).etag();
    let head = app.head("ann/lab");
    assert_eq!(ann.at(&etag).put(&at("a.txt"), raw("1")).await.expect(200).etag(), etag);
    assert_eq!(app.head("ann/lab"), head);
    app.finish().await;
}

#[tokio::test]
async fn folders_are_listed_in_pages() {
    let app = lab().await;
    let ann = app.as_user("ann");
    for path in ["a.txt", "b/c/d.txt", "b/c.txt", "dmps/plan.txt", "services/x.txt", "workspace.yml"] {
        ann.put(&at(path), raw("x")).await.expect(201);
    }
    ann.post("/api/v1/dmps?workspace=ann/lab&id=plan", json!({ "name": "p" })).await.expect(201);
    let paths = async |query: &str| {
        let answer = app.as_user("ann").get(&format!("{FILES}/{query}")).await.expect(200).json();
        let files = answer["files"].as_array().expect("a list").iter();
        let shown = files.map(|file| match &file["kind"] {
            serde_json::Value::String(kind) => format!("{} ({kind})", file["path"].as_str().expect("a path")),
            _ => file["path"].as_str().expect("a path").to_owned(),
        });
        shown.chain([answer["_meta"]["count"].to_string()]).collect::<Vec<_>>().join(" ")
    };
    insta::assert_snapshot!(paths("").await, @"a.txt b/c.txt b/c/d.txt dmps/64/plan.json (dmp) dmps/plan.txt services/x.txt workspace.yml 7");
    insta::assert_snapshot!(paths("?limit=2&offset=1").await, @"b/c.txt b/c/d.txt 7");
    insta::assert_snapshot!(paths("?limit=0").await, @"7");
    insta::assert_snapshot!(paths("b/").await, @"b/c.txt b/c/d.txt 2");
    insta::assert_snapshot!(ann.get(&at("b/c/?limit=1")).await.shown(), @r#"
    200
    vary: accept-encoding
    {
      "files": [
        {
          "path": "b/c/d.txt",
          "etag": "[oid]",
          "size": 1,
          "kind": null
        }
      ],
      "_meta": {
        "count": 1,
        "limit": 1,
        "offset": 0,
        "head": "[oid]"
      }
    }
    "#);
    insta::assert_snapshot!(ann.get(&at("b")).await.shown(), @r#"
    404
    vary: accept-encoding
    {
      "message": "there is no file b in ann/lab",
      "status_code": 404,
      "payload": {}
    }
    "#);
    insta::assert_snapshot!(ann.get(&at("absent/")).await.shown(), @r#"
    404
    vary: accept-encoding
    {
      "message": "there is no folder absent in ann/lab",
      "status_code": 404,
      "payload": {}
    }
    "#);
    for query in ["?limit=-1", "?limit=100001", "?offset=x", "?limt=1", "../?limit=1", ".git/"] {
        ann.get(&format!("{FILES}/{query}")).await.expect(400);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_file_of_a_kind_is_judged() {
    let app = lab().await;
    let ann = app.as_user("ann");
    insta::assert_snapshot!(ann.put(&at("services/web.yml"), yaml("vendor: x\nname: [1]\n")).await.shown(), @r#"
    422
    vary: accept-encoding
    {
      "message": "the document breaks its kind: missing \"descriptor_version\"",
      "status_code": 422,
      "payload": {
        "violations": [
          {
            "pointer": "",
            "line": 1,
            "column": 1,
            "message": "missing \"descriptor_version\""
          },
          {
            "pointer": "",
            "line": 1,
            "column": 1,
            "message": "missing \"version\""
          },
          {
            "pointer": "/name",
            "line": 2,
            "column": 1,
            "message": "name: must be a string, found a list"
          }
        ]
      }
    }
    "#);
    insta::assert_snapshot!(ann.put(&at("services/web.yml"), yaml("vendor: \"x\n")).await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "the document cannot be read: the closing quote of this text is missing, line 1, column 9",
      "status_code": 400,
      "payload": {
        "line": 1,
        "column": 9
      }
    }
    "#);
    ann.put(&at("services/web.yml"), yaml("name: w\nvendor: v\nversion: '1.10'\ndescriptor_version: '1'\n"))
        .await
        .expect(201);
    assert_eq!(ann.get("/api/v1/services/w").await.expect(200).inner()["path"], "services/web.yml");
    app.finish().await;
}

#[tokio::test]
async fn a_name_cannot_be_taken_twice() {
    let app = lab().await;
    let ann = app.as_user("ann");
    ann.put(&at("docs/a.yml"), raw("x")).await.expect(201);
    ann.put(&at("docs/%C3%84.txt"), raw("x")).await.expect(201);
    ann.put(&at("docs/stra%C3%9Fe.txt"), raw("x")).await.expect(201);
    let head = app.head("ann/lab");
    insta::assert_snapshot!(ann.put(&at("docs/A.yml"), raw("y")).await.shown(), @r#"
    409
    vary: accept-encoding
    {
      "message": "docs/A.yml cannot be beside a.yml: the names differ only in case or Unicode spelling",
      "status_code": 409,
      "payload": {}
    }
    "#);
    for twin in ["Docs/b.yml", "DOCS/a.yml", "docs/%C3%A4.txt", "docs/STRASSE.txt"] {
        ann.put(&at(twin), raw("y")).await.expect(409);
    }
    insta::assert_snapshot!(ann.put(&at("docs/a.yml/b"), raw("y")).await.shown(), @r#"
    409
    vary: accept-encoding
    {
      "message": "docs/a.yml/b cannot be there: docs/a.yml is a file, not a folder",
      "status_code": 409,
      "payload": {}
    }
    "#);
    insta::assert_snapshot!(ann.put(&at("docs"), raw("y")).await.shown(), @r#"
    409
    vary: accept-encoding
    {
      "message": "docs cannot be a file: a folder has that name",
      "status_code": 409,
      "payload": {}
    }
    "#);
    ann.at("*").delete(&at("docs")).await.expect(404);
    ann.at("*").delete(&at("DOCS/A.yml")).await.expect(404);
    assert_eq!(app.head("ann/lab"), head);
    // Free again once the first is gone.
    ann.at("*").delete(&at("docs/a.yml")).await.expect(204);
    ann.put(&at("docs/A.yml"), raw("y")).await.expect(201);
    app.finish().await;
}

#[tokio::test]
async fn a_dry_run_commits_nothing() {
    let app = lab().await;
    let ann = app.as_user("ann");
    let etag = ann.put(&at("a.txt"), raw("1")).await.expect(201).etag();
    let head = app.head("ann/lab");
    ann.put(&at("b.txt?dry_run=true"), raw("1")).await.expect(201);
    ann.at(&etag).put(&at("a.txt?dry_run=true"), raw("2")).await.expect(200);
    ann.at(&etag).delete(&at("a.txt?dry_run=true")).await.expect(204);
    // It refuses what a real one refuses.
    ann.put(&at("a.txt?dry_run=true"), raw("2")).await.expect(412);
    ann.put(&at("a.txt/b?dry_run=true"), raw("2")).await.expect(409);
    assert_eq!(app.head("ann/lab"), head);
    assert_eq!(ann.get(&at("a.txt")).await.text(), "1");
    ann.get(&at("b.txt")).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn commits_say_who_and_why() {
    let app = lab().await;
    let ann = app.as_user("ann");
    ann.put(&at("a.txt"), raw("1")).await.expect(201);
    ann.at("*").put(&at("a.txt"), raw("2")).await.expect(200);
    ann.at("*").delete(&at("a.txt")).await.expect(204);
    app.as_user("root").put(&at("b.txt?message=By%20hand%0A%0Abecause"), raw("2")).await.expect(201);
    let log = git::run(&app.tree("ann/lab"), &["log", "--min-parents=1", "--format=%an <%ae> | %cn | %B"]);
    insta::assert_snapshot!(log, @"
    root <root@example.org> | root | By hand

    because

    ann <ann@example.org> | ann | file: delete a.txt

    ann <ann@example.org> | ann | file: update a.txt

    ann <ann@example.org> | ann | file: create a.txt
    ");
    app.finish().await;
}
