//! What many commits leave behind.

use std::time::{Duration, Instant};

use super::*;

const COMMITS: usize = 2_000;

/// Seconds of a clone, the best of three.
fn clone_seconds(bench: &Bench, from: &Path) -> f64 {
    let clone = |n: usize| {
        let to = bench.dir.path().join(format!("clone-{n}"));
        let start = Instant::now();
        let url = format!("file://{}", from.display());
        let output = git(bench.dir.path(), bench.dir.path(), &["clone", "-q", "--bare", &url, to.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let took = start.elapsed().as_secs_f64();
        std::fs::remove_dir_all(to).unwrap();
        took
    };
    (0..3).map(clone).fold(f64::MAX, f64::min)
}

fn packs(bench: &Bench) -> usize {
    let items = std::fs::read_dir(bench.file(".git/objects/pack")).unwrap();
    items.filter(|item| item.as_ref().unwrap().path().extension().is_some_and(|e| e == "pack")).count()
}

#[test]
fn many_commits_leave_a_workspace_that_clones_as_fast_as_a_fresh_one() {
    let bench = Bench::with(Options { journal_bytes: 64 << 20, idle: Duration::from_millis(300), ..OPTIONS });
    let workspace = bench.workspace();
    let start = Instant::now();
    bench.runtime.block_on(async {
        let mut writes = tokio::task::JoinSet::new();
        for n in 0..COMMITS {
            let workspace = workspace.clone();
            writes.spawn(async move {
                let at = path(&format!("components/{:02x}/{n}.yml", n % 256));
                let text =
                    format!("name: component {n}\nref: {}\ndata: {{}}\nmessage: some words about it\n", n * 7919);
                let put =
                    move |tip: &mut Tip<'_>| tip.put(&at, Bytes::from(text)).map(|_| ((), Some(intent("Change"))));
                workspace.write(put).await.unwrap();
            });
            if writes.len() >= 16 {
                writes.join_next().await;
            }
        }
        writes.join_all().await;
    });
    eprintln!("{COMMITS} commits in {:?}", start.elapsed());
    // Until nothing changes any more.
    let mut before = (usize::MAX, Instant::now());
    while before.1.elapsed() < Duration::from_millis(1_500) {
        std::thread::sleep(Duration::from_millis(50));
        if packs(&bench) != before.0 {
            before = (packs(&bench), Instant::now());
        }
    }
    let chain = bench.file(".git/objects/info/commit-graphs/commit-graph-chain");
    while !chain.exists() {
        assert!(before.1.elapsed() < Duration::from_secs(20), "no commit graph");
        std::thread::sleep(Duration::from_millis(20));
    }
    let ours = clone_seconds(&bench, &bench.root());
    let fresh = bench.dir.path().join("fresh");
    let copied = Command::new("cp").arg("-r").arg(bench.root()).arg(&fresh).status().unwrap();
    assert!(copied.success());
    let output = git(&fresh, bench.dir.path(), &["repack", "-q", "-a", "-d", "-f"]);
    assert!(output.status.success());
    let packed = clone_seconds(&bench, &fresh);
    eprintln!("{} packs; a clone takes {ours:.3} s, of the same freshly packed {packed:.3} s", packs(&bench));
    assert!(ours < packed * 2.0 + 0.1, "{ours} s against {packed} s");
    git(&bench.root(), bench.dir.path(), &["fsck", "--full", "--strict"]);
}

#[test]
fn loose_objects_of_commits_by_hand_are_packed() {
    let bench = Bench::with(Options { idle: Duration::from_millis(100), loose_most: 20, ..OPTIONS });
    bench.put("a.yml", "1");
    bench.workspace().flush_index().unwrap();
    for n in 0..10 {
        std::fs::write(bench.file("hand.txt"), n.to_string()).unwrap();
        bench.git_ok(&["add", "hand.txt"]);
        bench.git_ok(&["commit", "-qm", "By hand"]);
    }
    let loose = || bench.git_ok(&["count-objects"]).split(' ').next().unwrap().parse::<usize>().unwrap();
    assert!(loose() >= 20);
    bench.runtime.block_on(bench.workspace().refresh()).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while loose() > 0 {
        assert!(Instant::now() < until, "{} loose objects", loose());
        std::thread::sleep(Duration::from_millis(20));
    }
    let snapshot = bench.workspace().snapshot(None).unwrap();
    let entry = snapshot.entry("hand.txt").unwrap().unwrap();
    assert_eq!(&*snapshot.blob(entry.etag).unwrap(), b"9");
    bench.put("a.yml", "2");
    bench.assert_sound();
}

#[test]
fn a_workspaces_configuration_starts_no_program() {
    let bench = Bench::new();
    bench.put("a.yml", "a");
    bench.workspace().flush_index().unwrap();
    let trace = bench.dir.path().join("trace");
    let program = bench.dir.path().join("program");
    std::fs::write(&program, format!("#!/bin/sh\necho ran >> {}\n", trace.display())).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for key in ["core.fsmonitor", "core.sshCommand", "core.askPass", "core.alternateRefsCommand", "credential.helper"] {
        bench.git_ok(&["config", key, program.to_str().unwrap()]);
    }
    let git_dir = bench.file(".git");
    let bundle = bench.dir.path().join("bundle");
    for arguments in [
        &["repack", "-d", "-q"][..],
        &["commit-graph", "write", "--reachable", "--no-progress"],
        &["bundle", "create", "--quiet", bundle.to_str().unwrap(), "--all"],
    ] {
        // Something to pack.
        std::fs::write(bench.file("loose.txt"), arguments[0]).unwrap();
        bench.git_ok(&["hash-object", "-w", "loose.txt"]);
        std::fs::remove_file(bench.file("loose.txt")).unwrap();
        assert!(super::super::gitcommand::run(&git_dir, arguments, || false).unwrap(), "{arguments:?}");
    }
    assert!(!trace.exists(), "{}", std::fs::read_to_string(&trace).unwrap_or_default());
}

#[test]
fn many_refs_are_put_into_one_file() {
    let bench = Bench::with(Options { idle: Duration::from_millis(100), ..OPTIONS });
    let head = bench.put("a.yml", "a").commit;
    let moves: Vec<Move> =
        (0..600).map(|n| Move { name: format!("refs/heads/x/{n}"), old: None, new: Some(head) }).collect();
    let done = bench.runtime.block_on(bench.workspace().accept(None, moves)).unwrap();
    assert!(done.iter().all(Result::is_ok));
    let until = Instant::now() + Duration::from_secs(20);
    let loose = || reffiles::count_loose(&bench.file(".git"), 1_000);
    // `main` keeps a file of its own.
    while loose() != 1 {
        assert!(Instant::now() < until, "{} loose refs", loose());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(std::fs::read_to_string(bench.file(".git/refs/heads/main")).unwrap().trim(), head.to_string());
    assert_eq!(bench.workspace().refs().unwrap().len(), 601);
    bench.put("b.yml", "b");
    bench.assert_sound();
}
