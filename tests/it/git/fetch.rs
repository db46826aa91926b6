//! Clone, fetch, list.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::client::{Place, SERVICE};
use crate::support::{raw, typed};

#[tokio::test(flavor = "multi_thread")]
async fn clones_of_every_sort_have_what_there_is() {
    let place = Place::open().await;
    let ann = place.app.as_user("ann");
    for n in 0..3 {
        let path = format!("/api/v1/workspaces/ann/lab/files/notes/{n}.txt");
        ann.header("if-none-match", "*").put(&path, raw(format!("note {n}\n"))).await.expect(201);
    }
    let url = place.url("ann", "ann/lab");
    for version in ["0", "1", "2"] {
        let name = format!("v{version}");
        let protocol = format!("protocol.version={version}");
        place.git(&["-c", &protocol, "clone", "-q", &url, &name]).await.ok();
        assert_eq!(std::fs::read_to_string(place.folder(&name).join("notes/2.txt")).unwrap(), "note 2\n");
        let shallow = format!("shallow{version}");
        place.git(&["-c", &protocol, "clone", "-q", "--depth", "1", &url, &shallow]).await.ok();
        let clone = super::client::Clone { folder: place.folder(&shallow) };
        assert_eq!(clone.git(&["rev-list", "--count", "HEAD"]).await.ok().out.trim(), "1");
        clone.git(&["-c", &protocol, "fetch", "-q", "--unshallow"]).await.ok();
        assert_eq!(clone.git(&["rev-list", "--count", "HEAD"]).await.ok().out.trim(), "4");
        let partial = format!("partial{version}");
        place.git(&["-c", &protocol, "clone", "-q", "--filter=blob:none", "--no-checkout", &url, &partial]).await.ok();
        let clone = super::client::Clone { folder: place.folder(&partial) };
        let missing = clone.git(&["rev-list", "--objects", "--all", "--missing=print"]).await.ok().out;
        assert_eq!(missing.lines().filter(|line| line.starts_with('?')).count(), 3, "{missing}");
        // Protocol 2 alone lets a client ask for single files.
        clone.git(&["-c", "protocol.version=2", "checkout", "-q", "main"]).await.ok();
        assert_eq!(std::fs::read_to_string(clone.folder.join("notes/0.txt")).unwrap(), "note 0\n");
    }
    // The address works without the suffix too, and a fetch that has all of it changes nothing.
    let listed = place.git(&["ls-remote", url.trim_end_matches(".git")]).await.ok().out;
    let head = place.app.head("ann/lab");
    assert_eq!(listed, format!("{head}\tHEAD\n{head}\trefs/heads/main\n"));
    let clone = super::client::Clone { folder: place.folder("v2") };
    assert_eq!(clone.git(&["fetch"]).await.ok().err, "");
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_refs_are_not_shown_and_cannot_be_pushed_to() {
    let place = Place::open().await;
    let tree = place.app.tree("ann/lab");
    crate::support::git::run(&tree, &["update-ref", "refs/projects/a/main", "HEAD"]);
    for protocol in ["protocol.version=0", "protocol.version=2"] {
        let listed = place.git(&["-c", protocol, "ls-remote", &place.url("ann", "ann/lab")]).await.ok().out;
        assert!(!listed.contains("refs/projects"), "{listed}");
    }
    let clone = place.clone("c").await;
    for name in ["refs/projects/a/main", "refs/internal/x", "refs/replace/x", "refs/heads/-x", "refs/heads/HEAD"] {
        clone.git(&["push", "origin", &format!("HEAD:{name}")]).await.fails(&["remote rejected"]);
    }
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_may_be_compressed_and_are_bounded() {
    let place = Place::open().await;
    let ann = place.app.as_user("ann").header("git-protocol", "version=2");
    let asked = b"0014command=ls-refs\n0000".to_vec();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&asked).unwrap();
    let gzip = encoder.finish().unwrap();
    const TYPE: &str = "application/x-git-upload-pack-request";
    let address = "/git/ann/lab.git/git-upload-pack";
    let plain = ann.header("accept-encoding", "gzip").post(address, typed(TYPE, asked.clone())).await.expect(200);
    assert!(plain.text().contains("refs/heads/main"), "{}", plain.text());
    assert_eq!(plain.header("content-type"), "application/x-git-upload-pack-result");
    assert_eq!(plain.header("content-encoding"), "", "what git sends is compressed already");
    let inflated = ann.header("content-encoding", "gzip").post(address, typed(TYPE, gzip.clone())).await.expect(200);
    assert_eq!(inflated.body, plain.body);
    let broken = ann.header("content-encoding", "gzip").post(address, typed(TYPE, gzip[..20].to_vec())).await;
    broken.expect(400);
    ann.header("content-encoding", "br").post(address, typed(TYPE, asked.clone())).await.expect(415);
    ann.post(address, typed("text/plain", asked)).await.expect(415);
    ann.post(address, typed(TYPE, "zzzz")).await.expect(400);
    // A zip bomb.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let filler = format!("fff0{}", "x".repeat(65_516)).repeat(16);
    for _ in 0..80 {
        encoder.write_all(filler.as_bytes()).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let address = "/git/ann/lab.git/git-receive-pack";
    let answer = ann
        .header("content-encoding", "gzip")
        .post(address, typed("application/x-git-receive-pack-request", bomb))
        .await;
    assert!([400, 413].contains(&answer.status), "{}", answer.text());
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dumb_protocol_is_not_served() {
    let place = Place::open().await;
    let ann = place.app.as_user("ann");
    ann.get("/git/ann/lab.git/info/refs").await.expect(403);
    ann.get("/git/ann/lab.git/info/refs?service=git-upload-archive").await.expect(403);
    for path in ["HEAD", "config", "objects/info/alternates", "objects/info/packs", "..%2fother.git/info/refs"] {
        ann.get(&format!("/git/ann/lab.git/{path}")).await.expect(404);
    }
    for protocol in ["version=2\u{9}:x", &"version=2:".repeat(800)] {
        let answer =
            ann.header("git-protocol", protocol).get("/git/ann/lab.git/info/refs?service=git-upload-pack").await;
        answer.expect(200);
    }
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_cannot_make_the_server_run_anything() {
    let place = Place::open().await;
    let tree = place.app.tree("ann/lab");
    let witness = place.folder("witness");
    let script = place.folder("evil.sh");
    std::fs::write(&script, format!("#!/bin/sh\necho $0 $@ >> {}\n", witness.display())).unwrap();
    let set_mode = |path: &std::path::Path| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    set_mode(&script);
    let evil = script.to_str().unwrap();
    let hooks = tree.join(".git/hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "pre-receive",
        "update",
        "post-receive",
        "post-update",
        "reference-transaction",
        "proc-receive",
        "pre-auto-gc",
        "push-to-checkout",
        "post-index-change",
        "fsmonitor-watchman",
    ] {
        std::fs::copy(&script, hooks.join(hook)).unwrap();
        set_mode(&hooks.join(hook));
    }
    let config = tree.join(".git/config");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text += &format!(
        "[core]\n\tfsmonitor = {evil}\n\tsshCommand = {evil}\n\tpager = {evil}\n\tgitProxy = {evil}\n\taskPass = {evil}\n\
         \talternateRefsCommand = {evil}\n\thooksPath = {}\n[uploadpack]\n\tpackObjectsHook = {evil}\n\
         [receive]\n\tprocReceiveRefs = refs\n[credential]\n\thelper = {evil}\n[gpg]\n\tprogram = {evil}\n\
         [diff]\n\texternal = {evil}\n[filter \"x\"]\n\tclean = {evil}\n\tsmudge = {evil}\n\
         [remote \"origin\"]\n\turl = ext::{evil}\n\tpromisor = true\n\tpartialclonefilter = blob:none\n\
         \tuploadpack = {evil}\n[extensions]\n\tpartialClone = origin\n[protocol]\n\tallow = always\n",
        hooks.display()
    );
    std::fs::write(&config, text).unwrap();
    let clone = place.clone("c").await;
    place.git(&["-c", "protocol.version=0", "clone", "-q", &place.url("ann", "ann/lab"), "old"]).await.ok();
    clone.write("services/fw.yml", SERVICE);
    clone.commit("A service").await;
    clone.push().await.ok();
    clone.git(&["fetch", "origin"]).await.ok();
    clone.git(&["fetch", "origin", "1234567890123456789012345678901234567890"]).await.fails(&[]);
    assert!(!witness.exists(), "{}", std::fs::read_to_string(&witness).unwrap());
    // The configuration would make the test's own git run these, too.
    std::fs::remove_dir_all(&hooks).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let cut = text.find(&format!("\tfsmonitor = {evil}")).unwrap();
    std::fs::write(&config, text[..cut].trim_end_matches("[core]\n")).unwrap();
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn few_filters_are_served() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    clone.write("deep/er/a.txt", "a\n");
    clone.commit("A file").await;
    clone.push().await.ok();
    let url = place.url("ann", "ann/lab");
    let clone = async |filter: &str, name: &str| {
        place.git(&["clone", "-q", "--no-checkout", &format!("--filter={filter}"), &url, name]).await
    };
    for (at, filter) in ["blob:none", "blob:limit=1k", "tree:0"].into_iter().enumerate() {
        clone(filter, &format!("taken{at}")).await.ok();
    }
    for (at, filter) in ["tree:2", "sparse:oid=main:deep", "object:type=commit"].into_iter().enumerate() {
        clone(filter, &format!("refused{at}")).await.fails(&["filter"]);
    }
    place.finish().await;
}
