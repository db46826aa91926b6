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
                let text = format!("name: component {n}\nref: {}\ndata: {{}}\nmessage: some words about it\n", n * 7919);
                let put = move |tip: &mut Tip<'_>| tip.put(&at, Bytes::from(text)).map(|_| ((), Some(intent("Change"))));
                workspace.write(put).await.unwrap();
            });
            if writes.len() >= 16 {
                writes.join_next().await;
            }
        }
        writes.join_all().await;
    });
    println!("{COMMITS} commits in {:?}", start.elapsed());
    // Until nothing changes any more.
    let mut before = (usize::MAX, Instant::now());
    while before.1.elapsed() < Duration::from_millis(1_500) {
        std::thread::sleep(Duration::from_millis(50));
        if packs(&bench) != before.0 {
            before = (packs(&bench), Instant::now());
        }
    }
    let ours = clone_seconds(&bench, &bench.root());
    let fresh = bench.dir.path().join("fresh");
    let copied = Command::new("cp").arg("-r").arg(bench.root()).arg(&fresh).status().unwrap();
    assert!(copied.success());
    let output = git(&fresh, bench.dir.path(), &["repack", "-q", "-a", "-d", "-f"]);
    assert!(output.status.success());
    let packed = clone_seconds(&bench, &fresh);
    println!("{} packs; a clone takes {ours:.3} s, of the same freshly packed {packed:.3} s", packs(&bench));
    assert!(ours < packed * 2.0 + 0.1, "{ours} s against {packed} s");
    git(&bench.root(), bench.dir.path(), &["fsck", "--full", "--strict"]);
}
