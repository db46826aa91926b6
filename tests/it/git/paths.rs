//! What no push may bring.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};

use super::client::{Clone, Place};

#[tokio::test(flavor = "multi_thread")]
async fn names_that_rest_refuses_are_refused() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    let head = place.app.head("ann/lab");
    let blob = clone.object("blob", b"x\n").await;
    let names: [&[u8]; 22] = [
        b"..",
        b".",
        b".git",
        b".GIT",
        b"git~1",
        b".git ",
        b".git.",
        b".git::$INDEX_ALLOCATION",
        ".g\u{200c}it".as_bytes(),
        ".git\u{200b}".as_bytes(),
        b"a\\..\\b",
        b"a:b",
        b"CON",
        b"nul.yml",
        b"a\nb",
        b"a\x1bb",
        "a\u{202e}b".as_bytes(),
        "e\u{301}.yml".as_bytes(),
        b"-rf.yml",
        b"x.",
        b"\xff\xfe",
        b"a/b",
    ];
    for name in names {
        for is_folder in [false, true] {
            let inner = clone.tree(&[("100644", b"x.yml", &blob)]).await;
            let entry = if is_folder { ("40000", name, &*inner) } else { ("100644", name, &*blob) };
            let tree = clone.tree(&[entry]).await;
            let shown = String::from_utf8_lossy(name).into_owned();
            let refused = clone.push_tree(&tree).await;
            assert!(!refused.success, "{shown:?}: {}", refused.err);
            assert!(refused.err.contains("rejected"), "{shown:?}: {}", refused.err);
            assert!(!refused.err.contains(&*place.app.data().to_string_lossy()), "{}", refused.err);
        }
    }
    for file in [".gitmodules", ".gitattributes"] {
        let tree = clone.tree(&[("100644", file.as_bytes(), &blob)]).await;
        clone.push_tree(&tree).await.fails(&["remote rejected"]);
    }
    let long = "n".repeat(256);
    let tree = clone.tree(&[("100644", long.as_bytes(), &blob)]).await;
    clone.push_tree(&tree).await.fails(&["longer than 255 bytes"]);
    let mut deep = clone.tree(&[("100644", b"x.yml", &blob)]).await;
    for _ in 0..40 {
        deep = clone.tree(&[("40000", b"d", &deep)]).await;
    }
    clone.push_tree(&deep).await.fails(&["nested deeper"]);
    assert_eq!(place.app.head("ann/lab"), head);
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_submodules_twins_and_odd_modes_are_refused() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    let head = place.app.head("ann/lab");
    let blob = clone.object("blob", b"/etc/passwd").await;
    let commit = clone.head().await;
    let tree = clone.tree(&[("120000", b"link.yml", &blob)]).await;
    clone.push_tree(&tree).await.fails(&["link.yml: is a symbolic link"]);
    let tree = clone.tree(&[("160000", b"sub", &commit)]).await;
    clone.push_tree(&tree).await.fails(&["sub: is a submodule"]);
    let tree = clone.tree(&[("100644", b"A.yml", &blob), ("100644", b"a.yml", &blob)]).await;
    clone.push_tree(&tree).await.fails(&["differ only in case"]);
    let tree = clone.tree(&[("100644", b"a.yml", &blob), ("100664", b"b.yml", &blob)]).await;
    clone.push_tree(&tree).await.fails(&["rejected"]);
    let tree = clone.tree(&[("100644", b"a.yml", &blob), ("100644", b"a.yml", &blob)]).await;
    clone.push_tree(&tree).await.fails(&["rejected"]);
    // Nor in a commit before the last, nor beside what is there already.
    std::os::unix::fs::symlink("/etc/passwd", clone.folder.join("l")).unwrap();
    clone.commit("A link").await;
    clone.git(&["rm", "-q", "l"]).await.ok();
    clone.commit("No link").await;
    clone.push().await.fails(&["l: is a symbolic link"]);
    clone.git(&["reset", "-q", "--hard", "HEAD~2"]).await.ok();
    clone.write("x/Readme.md", "x\n");
    clone.commit("One").await;
    clone.push().await.ok();
    assert_ne!(place.app.head("ann/lab"), head);
    clone.write("x/README.md", "y\n");
    clone.commit("Another").await;
    clone.push().await.fails(&["differ only in case"]);
    // Side branches may hold such things; main gets them from nowhere.
    clone.git(&["checkout", "-q", "-b", "side", "HEAD~"]).await.ok();
    std::os::unix::fs::symlink("/etc/passwd", clone.folder.join("l")).unwrap();
    clone.commit("A link").await;
    clone.git(&["push", "origin", "side"]).await.ok();
    clone.git(&["push", "origin", "side:main"]).await.fails(&["l: is a symbolic link"]);
    place.finish().await;
}

/// Writes a loose object without the client's git having to make it.
fn loose(clone: &Clone, id: &str, content: impl Iterator<Item = Vec<u8>>) {
    let folder = clone.folder.join(".git/objects").join(&id[..2]);
    std::fs::create_dir_all(&folder).unwrap();
    let file = std::fs::File::create(folder.join(&id[2..])).unwrap();
    let mut encoder = ZlibEncoder::new(file, Compression::best());
    for part in content {
        encoder.write_all(&part).unwrap();
    }
    encoder.finish().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_refused() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    let head = place.app.head("ann/lab");
    // Ten million paths of eight objects.
    let blob = clone.object("blob", b"x\n").await;
    let names: Vec<String> = (0..10).map(|n| format!("n{n}")).collect();
    let mut tree = clone.tree(&names.iter().map(|n| ("100644", n.as_bytes(), &*blob)).collect::<Vec<_>>()).await;
    for _ in 0..6 {
        tree = clone.tree(&names.iter().map(|n| ("40000", n.as_bytes(), &*tree)).collect::<Vec<_>>()).await;
    }
    clone.push_tree(&tree).await.fails(&["changes more than"]);
    // A file of 40 MB in a pack of 40 kB, on main and beside it.
    const BYTES: usize = 40 << 20;
    use sha1::Digest as _;
    let mut sum = sha1::Sha1::new();
    let part = vec![0u8; 1 << 20];
    let header = format!("blob {BYTES}\0").into_bytes();
    sum.update(&header);
    (0..40).for_each(|_| sum.update(&part));
    let id: String = sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    loose(&clone, &id, std::iter::once(header).chain((0..40).map(|_| part.clone())));
    let tree = clone.tree(&[("100644", b"zeros.bin", &id)]).await;
    clone.push_tree(&tree).await.fails(&["zeros.bin: is too large"]);
    let commit = clone.git(&["commit-tree", &tree, "-p", "HEAD", "-m", "raw"]).await.ok().out;
    let side = format!("{}:refs/heads/side", commit.trim());
    clone.git(&["push", "origin", &side]).await.fails(&["is too large"]);
    assert_eq!(place.app.head("ann/lab"), head);
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_pushes_and_damaged_ones_are_refused_with_a_reason() {
    let place = Place::open_with(|config| config.git.push_limit = 1 << 20).await;
    let clone = place.clone("c").await;
    let head = place.app.head("ann/lab");
    // Noise, which does not get smaller. More than git sends in one piece.
    let mut seed = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as u8
    })
    .take(3 << 20)
    .collect();
    clone.write("noise.bin", &noise);
    clone.commit("Noise").await;
    clone.push().await.fails(&["the push is larger than 1048576 bytes"]);
    clone.git(&["reset", "-q", "--hard", "HEAD~"]).await.ok();
    // A commit whose author has no address.
    let tree = clone.git(&["write-tree"]).await.ok().out;
    let raw = format!("tree {}\nparent {}\nauthor x\ncommitter x\n\nm\n", tree.trim(), clone.head().await);
    let commit = clone.object("commit", raw.as_bytes()).await;
    clone.git(&["push", "origin", &format!("{commit}:refs/heads/main")]).await.fails(&["rejected"]);
    assert_eq!(place.app.head("ann/lab"), head);
    clone.write("small.bin", &noise[..1000]);
    clone.commit("Small").await;
    clone.push().await.ok();
    place.finish().await;
}
