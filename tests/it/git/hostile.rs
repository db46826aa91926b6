//! Pushes that no git client makes: packs, trees and commits put together by hand.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};
use sha1::{Digest as _, Sha1};

use super::client::Place;
use crate::support::{git, typed};

type Id = [u8; 20];

fn hex(id: &Id) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Id {
    std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
}

/// The objects of a pack, gitformat-pack(5).
#[derive(Default)]
struct Pack {
    count: u32,
    entries: Vec<u8>,
}

impl Pack {
    /// Adds an object and gives its id.
    fn add(&mut self, kind: &str, bytes: &[u8]) -> Id {
        let number = match kind {
            "commit" => 1,
            "tree" => 2,
            _ => 3,
        };
        self.entry(number, bytes.len(), &[], bytes);
        Sha1::new().chain_update(format!("{kind} {}\0", bytes.len())).chain_update(bytes).finalize().into()
    }

    fn entry(&mut self, number: u8, length: usize, base: &[u8], bytes: &[u8]) {
        self.count += 1;
        let mut rest = length >> 4;
        let more = |rest: usize| if rest > 0 { 0x80 } else { 0 };
        self.entries.push(more(rest) | number << 4 | (length & 15) as u8);
        while rest > 0 {
            let low = (rest & 127) as u8;
            rest >>= 7;
            self.entries.push(more(rest) | low);
        }
        self.entries.extend_from_slice(base);
        let mut encoder = ZlibEncoder::new(&mut self.entries, Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap();
    }

    fn tree(&mut self, entries: &[(&str, &[u8], Id)]) -> Id {
        let mut raw = Vec::new();
        for (mode, name, id) in entries {
            raw.extend_from_slice(mode.as_bytes());
            raw.push(b' ');
            raw.extend_from_slice(name);
            raw.push(0);
            raw.extend_from_slice(id);
        }
        self.add("tree", &raw)
    }

    fn commit(&mut self, tree: Id, parent: &str, rest: &str) -> Id {
        self.add("commit", format!("tree {}\nparent {parent}\n{rest}", hex(&tree)).as_bytes())
    }

    fn bytes(&self) -> Vec<u8> {
        self.counted(self.count)
    }

    fn counted(&self, count: u32) -> Vec<u8> {
        let mut out = b"PACK\0\0\0\x02".to_vec();
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(&self.entries);
        let sum = Sha1::digest(&out);
        out.extend_from_slice(&sum);
        out
    }
}

const SIGNED: &str = "author A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\nm\n";

/// Pushes to one ref; the report.
async fn push(place: &Place, old: &str, new: &Id, name: &str, pack: &[u8]) -> String {
    let command = format!("{old} {} {name}\0report-status\n", hex(new));
    let mut body = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
    body.extend_from_slice(pack);
    let ann = place.app.as_user("ann");
    let kind = "application/x-git-receive-pack-request";
    let answer = ann.post("/git/ann/lab.git/git-receive-pack", typed(kind, body)).await.expect(200);
    let said = answer.text();
    assert!(!said.contains(&*place.app.data().to_string_lossy()), "{said}");
    said
}

async fn push_main(place: &Place, new: &Id, pack: &[u8]) -> String {
    push(place, &place.app.head("ann/lab"), new, "refs/heads/main", pack).await
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_put_together_by_hand_are_refused() {
    let place = Place::open().await;
    let head = place.app.head("ann/lab");
    let refused = async |what: &str, make: &dyn Fn(&mut Pack, Id) -> Id| {
        let mut pack = Pack::default();
        let blob = pack.add("blob", b"x\n");
        let tree = make(&mut pack, blob);
        let commit = pack.commit(tree, &head, SIGNED);
        let said = push_main(&place, &commit, &pack.bytes()).await;
        assert!(said.contains("ng refs/heads/main"), "{what}: {said}");
        assert_eq!(place.app.head("ann/lab"), head, "{what}");
    };
    let names: [&[u8]; 10] = [
        b"",
        b"x ",
        b"a\rb",
        b"a\x7fb",
        b"/etc/passwd",
        b"--upload-pack=x",
        b"lpt1.txt",
        b".gitmodules\r",
        b".lfsconfig",
        "a\u{feff}".as_bytes(),
    ];
    for name in names {
        let shown = String::from_utf8_lossy(name).into_owned();
        refused(&shown, &|pack, blob| pack.tree(&[("100644", name, blob)])).await;
        refused(&shown, &|pack, blob| {
            let inner = pack.tree(&[("100644", b"x.yml", blob)]);
            pack.tree(&[("40000", name, inner)])
        })
        .await;
    }
    for mode in ["100666", "100600", "000000", "170000", "120000", "160000"] {
        refused(mode, &|pack, blob| pack.tree(&[(mode, b"a.yml", blob)])).await;
    }
    refused("unsorted", &|pack, blob| pack.tree(&[("100644", b"b.yml", blob), ("100644", b"a.yml", blob)])).await;
    refused("twice", &|pack, blob| {
        let inner = pack.tree(&[("100644", b"x.yml", blob)]);
        pack.tree(&[("100644", b"a", blob), ("40000", b"a", inner)])
    })
    .await;
    refused("a file as a folder", &|pack, blob| pack.tree(&[("40000", b"a", blob)])).await;
    refused("a folder as a file", &|pack, blob| {
        let inner = pack.tree(&[("100644", b"x.yml", blob)]);
        pack.tree(&[("100644", b"a.yml", inner)])
    })
    .await;
    refused("a missing file", &|pack, _| pack.tree(&[("100644", b"a.yml", [7; 20])])).await;
    refused("a missing folder", &|pack, _| pack.tree(&[("40000", b"a", [7; 20])])).await;
    refused("5,000 folders in one another", &|pack, blob| {
        let mut tree = pack.tree(&[("100644", b"x.yml", blob)]);
        for _ in 0..5_000 {
            tree = pack.tree(&[("40000", b"d", tree)]);
        }
        tree
    })
    .await;
    refused("a path of 4,400 bytes", &|pack, blob| {
        let mut tree = pack.tree(&[("100644", b"x.yml", blob)]);
        for _ in 0..20 {
            tree = pack.tree(&[("40000", "n".repeat(220).as_bytes(), tree)]);
        }
        tree
    })
    .await;
    // What only looks like a way out is a name.
    let mut pack = Pack::default();
    let blob = pack.add("blob", b"x\n");
    let tree = pack.tree(&[("100644", b"%2e%2e%2fx", blob)]);
    let commit = pack.commit(tree, &head, SIGNED);
    let said = push_main(&place, &commit, &pack.bytes()).await;
    assert!(said.contains("ok refs/heads/main"), "{said}");
    assert!(place.app.tree("ann/lab").join("%2e%2e%2fx").exists());
    assert!(!place.app.data().join("ann/x").exists() && !place.app.data().join("x").exists());
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_put_together_by_hand_are_refused() {
    let place = Place::open().await;
    let head = place.app.head("ann/lab");
    let mut pack = Pack::default();
    let blob = pack.add("blob", b"name: x\n");
    let tree = pack.tree(&[("100644", b"a.yml", blob)]);
    let commit = pack.commit(tree, &head, SIGNED);
    let whole = pack.bytes();
    let mut wrong = whole.clone();
    *wrong.last_mut().unwrap() ^= 1;
    let mut torn = whole.clone();
    let middle = whole.len() / 2;
    torn[middle] ^= 0x55;
    for (what, bytes) in [
        ("cut off", &whole[..whole.len() - 25]),
        ("cut off in its head", &whole[..7]),
        ("nothing", b""),
        ("a wrong sum", &wrong),
        ("torn", &torn),
        ("4,294,967,295 objects", &pack.counted(u32::MAX)),
        ("fewer objects than it says", &pack.counted(4)),
        ("more objects than it says", &pack.counted(2)),
        ("not a pack", b"GARBAGE that is long enough to be looked at for some bytes"),
    ] {
        let said = push_main(&place, &commit, bytes).await;
        assert!(said.contains("ng refs/heads/main"), "{what}: {said}");
        assert_eq!(place.app.head("ann/lab"), head, "{what}");
    }
    // A delta whose base is nowhere, and one that says more than there is.
    for (base, delta) in
        [([9; 20], &[1, 1, 1, b'x'][..]), (blob, &[8, 0xff, 0xff, 0x7f, 1, b'x']), (blob, &[8, 4, 0x91, 200, 4])]
    {
        let mut pack = Pack::default();
        pack.add("blob", b"name: x\n");
        pack.entry(7, delta.len(), &base, delta);
        let tree = pack.tree(&[("100644", b"a.yml", blob)]);
        let commit = pack.commit(tree, &head, SIGNED);
        let said = push_main(&place, &commit, &pack.bytes()).await;
        assert!(said.contains("ng refs/heads/main"), "{said}");
    }
    // A chain of 3,000 deltas is long, and right.
    let mut pack = Pack::default();
    let mut text = b"0\n".to_vec();
    let mut base = pack.add("blob", &text);
    for _ in 0..3_000 {
        // Copies all of it, and adds one byte.
        let size = |mut n: usize| {
            let mut out = Vec::new();
            loop {
                out.push((n & 127) as u8 | if n > 127 { 128 } else { 0 });
                n >>= 7;
                if n == 0 {
                    return out;
                }
            }
        };
        let copy = [0x80 | 0x10 | 0x20, text.len() as u8, (text.len() >> 8) as u8, 1, b'x'];
        let delta = [size(text.len()), size(text.len() + 1), copy.to_vec()].concat();
        pack.entry(7, delta.len(), &base, &delta);
        text.push(b'x');
        base = Sha1::new().chain_update(format!("blob {}\0", text.len())).chain_update(&text).finalize().into();
    }
    let tree = pack.tree(&[("100644", b"a.txt", base)]);
    let commit = pack.commit(tree, &head, SIGNED);
    let said = push_main(&place, &commit, &pack.bytes()).await;
    assert!(said.contains("ok refs/heads/main"), "{said}");
    let found = place.app.as_user("ann").get("/api/v1/workspaces/ann/lab/files/a.txt").await.expect(200);
    assert_eq!(found.body.len(), text.len());
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_put_together_by_hand_are_refused_or_kept_as_they_are() {
    let place = Place::open().await;
    let head = place.app.head("ann/lab");
    let text = "descriptor_version: \"1.0\"\nvendor: v\nname: fw\nversion: \"1\"\n";
    let made = |parent: &str, rest: &str| {
        let mut pack = Pack::default();
        let blob = pack.add("blob", text.as_bytes());
        let file = pack.tree(&[("100644", b"fw.yml", blob)]);
        let tree = pack.tree(&[("40000", b"services", file)]);
        let commit = pack.commit(tree, parent, rest);
        (commit, pack.bytes())
    };
    let long = format!("{SIGNED}{}", "x".repeat(2 << 20));
    for (what, parent, rest) in [
        ("a parent that is missing", &*"7".repeat(40), SIGNED),
        ("no author", &head, "committer A <a@b> 1700000000 +0000\n\nm\n"),
        ("no committer", &head, "author A <a@b> 1700000000 +0000\n\nm\n"),
        ("a date of 10^20", &head, "author A <a@b> 100000000000000000000 +0000\ncommitter A <a@b> 1 +0000\n\nm\n"),
        ("no date", &head, "author A <a@b>\ncommitter A <a@b> 1 +0000\n\nm\n"),
        ("a message of 2 MiB", &head, &long),
    ] {
        let (commit, pack) = made(parent, rest);
        let said = push_main(&place, &commit, &pack).await;
        assert!(said.contains("ng refs/heads/main"), "{what}: {said}");
        assert_eq!(place.app.head("ann/lab"), head, "{what}");
    }
    // Who somebody says to be is theirs to say; it is no account, and cuts nothing short.
    let rest =
        "author root <root@x> 1 +0000\ncommitter bob \u{1b}[2J <bob@x> 253402300799 +0000\nencoding latin1\n\nm\u{7}\n";
    let (commit, pack) = made(&head, rest);
    let said = push_main(&place, &commit, &pack).await;
    assert!(said.contains("ok refs/heads/main"), "{said}");
    let ann = place.app.as_user("ann");
    let listed = ann.get("/api/v1/services").await.expect(200).json();
    let history = ann.get(&format!("/api/v1/services/{}/history", listed["services"][0]["id"])).await.expect(200);
    assert!(history.text().contains("root"), "{}", history.text());
    place.app.as_user("bob").get("/api/v1/workspaces/ann/lab").await.expect(404);
    // Later commits come after it all the same.
    let file = "/api/v1/workspaces/ann/lab/files/later.txt";
    ann.header("if-none-match", "*").put(file, crate::support::raw("x")).await.expect(201);
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refs_that_no_client_names_are_refused() {
    let place = Place::open().await;
    let head = place.app.head("ann/lab");
    let zero = "0".repeat(40);
    let names = [
        "HEAD".to_owned(),
        format!("refs/heads/{}", "n".repeat(4_000)),
        "refs/heads/../../config".into(),
        "refs/heads/a..b".into(),
        "refs/heads/a.lock".into(),
        "refs/heads/a b".into(),
        "refs/heads/a\u{7f}".into(),
        "refs/heads/--upload-pack=x".into(),
        "refs/heads/main/below".into(),
        "refs/projects/1/main".into(),
        "refs/replace/1".into(),
        "refs/heads/".into(),
        "config".into(),
    ];
    for name in &names {
        let said = push(&place, &zero, &unhex(&head), name, &Pack::default().bytes()).await;
        assert!(said.contains(&format!("ng {}", &name[..name.len().min(40)])), "{name}: {said}");
    }
    let said = push(&place, &zero, &unhex(&head), "refs/heads/good", &Pack::default().bytes()).await;
    assert!(said.contains("ok refs/heads/good"), "{said}");
    let refs = git::run(&place.app.tree("ann/lab"), &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/good\nrefs/heads/main");
    place.finish().await;
}

/// `main` moves under a work tree that shows something else.
#[tokio::test(flavor = "multi_thread")]
async fn a_push_leaves_a_work_tree_alone_that_shows_something_else() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    let tree = place.app.tree("ann/lab");
    clone.write("a/b.txt", "1\n");
    clone.commit("One").await;
    clone.push().await.ok();
    git::run(&tree, &["checkout", "-q", "--detach"]);
    clone.git(&["rm", "-q", "a/b.txt"]).await.ok();
    clone.write("a", "a file now\n");
    clone.commit("A file where a folder was").await;
    clone.push().await.ok();
    assert_eq!(std::fs::read_to_string(tree.join("a/b.txt")).unwrap(), "1\n");
    git::run(&tree, &["checkout", "-q", "main"]);
    assert_eq!(std::fs::read_to_string(tree.join("a")).unwrap(), "a file now\n");
    // And back, under the server's own eyes.
    clone.git(&["rm", "-q", "a"]).await.ok();
    clone.write("a/c.txt", "2\n");
    clone.commit("A folder where a file was").await;
    clone.push().await.ok();
    assert_eq!(std::fs::read_to_string(tree.join("a/c.txt")).unwrap(), "2\n");
    // A branch that has no commit yet.
    git::run(&tree, &["symbolic-ref", "HEAD", "refs/heads/unborn"]);
    clone.write("a/c.txt", "3\n");
    clone.commit("More").await;
    clone.push().await.ok();
    git::run(&tree, &["symbolic-ref", "HEAD", "refs/heads/main"]);
    git::run(&tree, &["reset", "-q", "--hard"]);
    assert_eq!(std::fs::read_to_string(tree.join("a/c.txt")).unwrap(), "3\n");
    place.finish().await;
}
