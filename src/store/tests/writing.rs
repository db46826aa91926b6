use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::store::tree::EMPTY_TREE;
use crate::store::upkeep::QUIET;

#[test]
fn a_write_is_a_commit() {
    let bench = Bench::new();
    let first = bench.put("a/b.yml", "one\n");
    assert_eq!((first.at.generation, first.changes.len(), first.changes[0].old), (1, 1, None));
    let second = bench.put("a/b.yml", "two\n");
    assert_eq!((second.parent, second.at.generation), (Some(first.commit), 2));
    assert_eq!(bench.read("a/b.yml"), "two\n");
    bench.assert_sound();
    // What changes nothing makes no commit.
    let same = bench.write(|tip| tip.put(&path("a/b.yml"), Bytes::from_static(b"two\n"))).unwrap();
    assert!(same.1.is_none());
    let gone = bench.write(|tip| tip.remove(&path("a/b.yml"))).unwrap().1.unwrap();
    assert_eq!(gone.changes[0].new, None);
    assert!(!bench.file("a").exists());
    assert_eq!(bench.workspace().tip().root, EMPTY_TREE);
    bench.assert_sound();
    assert_eq!(bench.commits(), 4);
}

#[test]
fn sixteen_threads_share_groups() {
    let mut bench = Bench::new();
    let published = Arc::new(Mutex::new(Vec::new()));
    let seen = published.clone();
    bench.store().set_publisher(move |_, group| {
        seen.lock().unwrap().extend(group.iter().map(|c| (c.parent, c.commit)));
    });
    let workspace = bench.workspace();
    let root = workspace.head();
    bench.runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..16 {
            let workspace = workspace.clone();
            tasks.spawn(async move {
                for n in 0..50 {
                    let at = path(&format!("components/{:02x}/{task}-{n}.yml", (task * 50 + n) % 7));
                    let content = Bytes::from(format!("id: {task}-{n}\n"));
                    let written = workspace
                        .write(move |tip| tip.put(&at, content).map(|etag| (etag, Some(intent("Create")))))
                        .await;
                    let (etag, committed) = written.unwrap();
                    // Read your writes.
                    assert_eq!(committed.unwrap().changes[0].new, Some(etag));
                    assert!(workspace.snapshot(None).unwrap().blob(etag).is_ok());
                }
            });
        }
        tasks.join_all().await;
    });
    bench.assert_sound();
    assert_eq!(bench.commits(), 801);
    let published = published.lock().unwrap();
    let mut at = root;
    for (parent, commit) in &*published {
        assert_eq!(*parent, Some(at));
        at = *commit;
    }
    assert_eq!((published.len(), at), (800, workspace.head()));
    drop((published, workspace));
    bench.reopen();
    assert_eq!(bench.workspace().generation(), 800);
    bench.assert_sound();
}

#[test]
fn of_fifty_writers_with_one_etag_one_wins() {
    let bench = Bench::new();
    let etag = bench.put("a.yml", "0").changes[0].new;
    let workspace = bench.workspace();
    let won = Arc::new(AtomicUsize::new(0));
    bench.runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 1..=50 {
            let (workspace, won) = (workspace.clone(), won.clone());
            tasks.spawn(async move {
                let job = move |tip: &mut Tip<'_>| {
                    if tip.entry(&path("a.yml")).unwrap().map(|e| e.etag) != etag {
                        return Err(());
                    }
                    tip.put(&path("a.yml"), Bytes::from(n.to_string())).unwrap();
                    Ok(((), Some(intent("Win"))))
                };
                match workspace.write(job).await {
                    Ok(_) => {
                        won.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(error) => assert!(matches!(error, WriteError::Refused(()))),
                }
            });
        }
        tasks.join_all().await;
    });
    assert_eq!(won.load(Ordering::SeqCst), 1);
    bench.assert_sound();
}

#[test]
fn a_panic_fails_only_its_job() {
    let bench = Bench::new();
    let workspace = bench.workspace();
    bench.runtime.block_on(async {
        let put = |at: &'static str| {
            workspace.write(move |tip| tip.put(&path(at), Bytes::from_static(b"x")).map(|e| (e, Some(intent("Put")))))
        };
        let bad = workspace.write::<(), (), _>(|tip| {
            tip.put(&path("lost.yml"), Bytes::from_static(b"lost")).unwrap();
            panic!("on purpose");
        });
        let (a, bad, b) = tokio::join!(put("a.yml"), bad, put("b.yml"));
        assert!(a.is_ok() && b.is_ok());
        assert!(matches!(bad, Err(WriteError::Store(Error::Panicked))));
    });
    assert!(!bench.file("lost.yml").exists());
    bench.assert_sound();
    assert_eq!(bench.commits(), 3);
}

#[test]
fn names_that_clash_are_refused() {
    let bench = Bench::new();
    bench.put("docs/Read.yml", "x");
    bench.put("öl/ß.yml", "x");
    let refuse = |at: &str| {
        let at = path(at);
        match bench.write(move |tip| tip.put(&at, Bytes::from_static(b"y"))) {
            Err(WriteError::Refused(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(refuse("docs/read.yml"), TipError::Twin { twin, .. } if twin == "Read.yml"));
    assert!(matches!(refuse("Docs/other.yml"), TipError::Twin { twin, .. } if twin == "docs"));
    assert!(matches!(refuse("ÖL/x.yml"), TipError::Twin { .. }));
    assert!(matches!(refuse("docs"), TipError::IsFolder { .. }));
    assert!(matches!(refuse("docs/Read.yml/x"), TipError::UnderFile { file, .. } if file == "docs/Read.yml"));
    let big = bench.write(|tip| tip.put(&path("big"), Bytes::from(vec![b'x'; 100_001])));
    assert!(matches!(big, Err(WriteError::Refused(TipError::TooLarge { .. }))));
    // In one commit a name may change its case, a folder become a file and a file a folder.
    bench
        .write(|tip| {
            tip.rename(&path("docs/Read.yml"), &path("docs/read.yml"))?;
            tip.remove(&path("öl/ß.yml"))?;
            tip.put(&path("öl"), Bytes::from_static(b"file"))
        })
        .unwrap();
    bench
        .write(|tip| {
            tip.remove(&path("öl"))?;
            tip.put(&path("öl/now/deep.yml"), Bytes::from_static(b"deep"))
        })
        .unwrap();
    assert_eq!(bench.read("öl/now/deep.yml"), "deep");
    bench.assert_sound();
    // The same with more names than are compared one by one.
    let many = bench.write(|tip| {
        for n in 0..40 {
            tip.put(&path(&format!("many/f{n}.yml")), Bytes::from(n.to_string()))?;
        }
        tip.put(&path("many/F39.yml"), Bytes::new())
    });
    assert!(matches!(many, Err(WriteError::Refused(TipError::Twin { twin, .. })) if twin == "f39.yml"));
}

#[test]
fn a_job_sees_what_is_staged() {
    let bench = Bench::new();
    bench.put("a/1.yml", "1");
    bench.put("b/2.yml", "2");
    bench
        .write(|tip| {
            tip.put(&path("a/3.yml"), Bytes::from_static(b"3"))?;
            tip.remove(&path("b/2.yml"))?;
            assert_eq!(tip.blob(&path("a/3.yml"))?.unwrap().1, "3");
            assert_eq!(tip.entry(&path("b/2.yml"))?, None);
            let mut all: Vec<_> = tip.list("")?.into_iter().map(|(path, _)| path).collect();
            all.sort();
            assert_eq!(all, ["a/1.yml", "a/3.yml"]);
            assert_eq!(tip.list("a")?.len(), 2);
            assert_eq!(tip.list("b")?.len() + tip.list("c/d")?.len(), 0);
            Ok(())
        })
        .unwrap();
    bench.assert_sound();
}

#[test]
fn git_commits_by_hand_lose_nothing() {
    commit_by_hand(&Bench::new());
}

#[test]
fn git_commits_by_hand_lose_nothing_to_an_index_that_lags() {
    commit_by_hand(&Bench::with(Options { index_entries: 0, ..OPTIONS }));
}

fn commit_by_hand(bench: &Bench) {
    bench.put("hand.txt", "0\n");
    bench.workspace().flush_index().unwrap();
    let absorbed = Arc::new(AtomicUsize::new(0));
    let count = absorbed.clone();
    bench.store().set_absorber(move |_, _, _| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let workspace = bench.workspace();
    let by_hand = AtomicUsize::new(0);
    let runtime = &bench.runtime;
    let written = std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            runtime.block_on(async {
                let mut n = 0;
                // On a busy machine git gets its turn late: then it goes on for longer.
                while n < 150 || (by_hand.load(Ordering::SeqCst) < 4 && n < 1_500) {
                    let at = path(&format!("rest/{n}.yml"));
                    let job = move |tip: &mut Tip<'_>| {
                        tip.put(&at, Bytes::from(n.to_string())).map(|etag| (etag, Some(intent("Create"))))
                    };
                    workspace.write(job).await.unwrap();
                    let pause = if n < 150 { 5 } else { 40 };
                    tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                    n += 1;
                }
                n
            })
        });
        let mut edits = 0;
        while !server.is_finished() {
            edits += 1;
            std::fs::write(bench.file("hand.txt"), format!("{edits}\n")).unwrap();
            if bench.git(&["commit", "-qam", "By hand"]).status.success() {
                by_hand.fetch_add(1, Ordering::SeqCst);
            }
        }
        server.join().unwrap()
    });
    let by_hand = by_hand.into_inner();
    assert!(by_hand > 3, "{by_hand} commits by hand");
    bench.runtime.block_on(workspace.refresh()).unwrap();
    workspace.flush_index().unwrap();
    // An edit whose commit failed stays on the disk.
    let left = bench.git_ok(&["status", "--porcelain"]);
    assert!(left.is_empty() || left == " M hand.txt\n", "{left}");
    bench.git_ok(&["checkout", "-q", "hand.txt"]);
    bench.assert_sound();
    assert!(bench.commits() >= 2 + written + by_hand);
    assert_eq!(workspace.snapshot(None).unwrap().files("rest", true).unwrap().len(), written);
    assert!(absorbed.load(Ordering::SeqCst) > 0);
}

#[test]
fn packs_are_merged() {
    let bench = Bench::new();
    for n in 0..120 {
        bench.put(&format!("a/{}.yml", n % 9), &format!("n: {n}\n"));
        // The same content again, which merging must not store twice in one pack.
        bench.put("same.yml", if n % 2 == 0 { "even" } else { "odd" });
        while bench.workspace().merge_packs(QUIET).unwrap() {}
    }
    let packs = std::fs::read_dir(bench.file(".git/objects/pack")).unwrap().count() / 2;
    assert!(packs <= 40, "{packs} packs of 242");
    bench.assert_sound();
    assert_eq!(bench.commits(), 241);
}

#[test]
fn a_group_larger_than_the_journal_is_synced_without() {
    let mut bench = Bench::new();
    bench
        .write(|tip| {
            for n in 0..40u64 {
                // Random enough not to compress.
                let content: Vec<u8> = (0..12_000u64)
                    .flat_map(|i| (i + n * 77_777).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
                    .collect();
                tip.put(&path(&format!("big/{n}")), Bytes::from(content))?;
            }
            Ok(())
        })
        .unwrap();
    bench.assert_sound();
    bench.reopen();
    bench.assert_sound();
}

#[test]
fn a_failed_journal_stops_writes() {
    let mut bench = Bench::new();
    bench.put("a.yml", "1");
    bench.workspace().core.journal.fail();
    let refused = bench.write(|tip| tip.put(&path("a.yml"), Bytes::from_static(b"2")));
    assert!(matches!(refused, Err(WriteError::Store(Error::Poisoned(_)))));
    assert_eq!(bench.read("a.yml"), "1");
    bench.assert_sound();
    bench.reopen();
    bench.put("a.yml", "3");
    bench.assert_sound();
}
