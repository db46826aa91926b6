//! Restarts, crashes, damage; workspaces that go away; history.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::index::Error;

fn open(dir: &Path) -> Index {
    Index::open(Some(dir), "kinds").unwrap()
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn rows(from: u32, to: u32) -> impl Iterator<Item = Row> {
    (from..to).map(|at| row("a/b", &format!("{at:03}")))
}

#[test]
fn a_restart_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let before = {
        let index = open(dir.path());
        put(&index, "a/b", 1, rows(0, 10));
        put(&index, "c/d", 7, []);
        index.search(&everything()).unwrap()
    };
    let index = open(dir.path());
    assert_eq!(index.heads(), [("a/b".into(), head(1)), ("c/d".into(), head(7))].into());
    assert_eq!(index.search(&everything()).unwrap(), before);
    // And can be written again.
    put(&index, "a/b", 2, rows(5, 15));
    assert_eq!(paths(&index, &everything()).len(), 15);
}

#[test]
fn a_crash_leaves_an_older_head_with_its_rows() {
    let (dir, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let index = open(dir.path());
    put(&index, "a/b", 1, rows(0, 3));
    index.flush().unwrap();
    put(&index, "a/b", 2, rows(3, 6));
    copy(dir.path(), crashed.path());
    drop(index);
    let index = open(crashed.path());
    // The background commit may have been quicker than the copy.
    let head = index.heads()["a/b"].generation;
    assert_eq!(paths(&index, &everything()).len(), if head == 1 { 3 } else { 6 });
}

/// tantivy numbers operations from the last commit's number on after a restart, and a merge takes
/// what that commit deleted from for up to date at this number.
#[test]
fn the_first_deletion_after_a_restart_stays() {
    let dir = tempfile::tempdir().unwrap();
    let many = |from: u32, to: u32| (from..to).map(|at| row("a/b", &format!("{at:05}")));
    {
        let index = open(dir.path());
        // Two segments of which the larger part is deleted, one after the other; so many changes at
        // once put merging off until after the restart.
        put(&index, "a/b", 1, many(0, 5_100));
        index.flush().unwrap();
        put(&index, "a/b", 2, many(10_000, 15_000));
        index.flush().unwrap();
        for (generation, removed) in [(3, 0..4_000), (4, 10_000..14_000)] {
            let removes = removed.map(|at| format!("{at:05}").into()).collect();
            index.apply(Batch { removes, ..batch("a/b", generation) }).unwrap();
            index.flush().unwrap();
        }
    }
    let index = open(dir.path());
    // With a new segment tantivy thinks of merging, before it commits.
    let upserts = vec![(row("a/b", "new"), String::new())];
    index.apply(Batch { removes: vec!["14500".into()], upserts, ..batch("a/b", 5) }).unwrap();
    index.flush().unwrap();
    let is_merged = || !fs::read_to_string(dir.path().join("meta.json")).unwrap().contains("\"max_doc\": 5100");
    let until = Instant::now() + Duration::from_secs(30);
    while !is_merged() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(index);
    let index = open(dir.path());
    assert!(index.row("a/b", "14500").unwrap().is_none());
    assert_eq!(paths(&index, &everything()).len(), 1_100 + 1_000 - 1 + 1);
}

#[test]
fn another_fingerprint_empties_the_index() {
    let dir = tempfile::tempdir().unwrap();
    put(&open(dir.path()), "a/b", 1, rows(0, 3));
    let index = Index::open(Some(dir.path()), "other kinds").unwrap();
    assert!(index.heads().is_empty());
    assert!(paths(&index, &everything()).is_empty());
    put(&index, "a/b", 1, rows(0, 3));
    assert_eq!(paths(&index, &everything()).len(), 3);
}

#[test]
fn damage_empties_the_index() {
    let damages: [fn(&Path); 5] = [
        |dir| fs::write(dir.join("meta.json"), "{").unwrap(),
        |dir| fs::write(dir.join("meta.json"), "").unwrap(),
        |dir| {
            for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
                if entry.path().extension().is_some_and(|extension| extension == "fast") {
                    fs::remove_file(entry.path()).unwrap();
                }
            }
        },
        |dir| {
            for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
                if entry.path().extension().is_some_and(|extension| extension == "idx" || extension == "store") {
                    fs::write(entry.path(), b"short").unwrap();
                }
            }
        },
        |dir| {
            for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
                if entry.path().extension().is_some_and(|extension| extension == "store") {
                    let mut bytes = fs::read(entry.path()).unwrap();
                    bytes[10] ^= 0xff;
                    fs::write(entry.path(), bytes).unwrap();
                }
            }
        },
    ];
    for damage in damages {
        let dir = tempfile::tempdir().unwrap();
        put(&open(dir.path()), "a/b", 1, rows(0, 3));
        damage(dir.path());
        let index = open(dir.path());
        assert!(index.heads().is_empty());
        assert!(paths(&index, &everything()).is_empty());
        put(&index, "a/b", 1, rows(0, 3));
        index.flush().unwrap();
        assert_eq!(paths(&index, &everything()).len(), 3);
    }
}

#[test]
fn a_second_process_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    put(&index, "a/b", 1, rows(0, 3));
    index.flush().unwrap();
    assert!(matches!(Index::open(Some(dir.path()), "kinds"), Err(Error::Locked)));
    assert!(matches!(Index::open(Some(dir.path()), "other kinds"), Err(Error::Locked)));
    drop(index);
    assert_eq!(paths(&open(dir.path()), &everything()).len(), 3);
}

#[test]
fn forgetting_a_workspace_leaves_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    put(&index, "a/b", 1, rows(0, 3));
    put(&index, "a/bc", 1, [row("a/bc", "x")]);
    index.apply(Batch { touches: vec![touch("a/b", "t1", 1)], ..batch("a/b", 2) }).unwrap();
    index.flush().unwrap();
    index.forget("a/b").unwrap();
    assert_eq!(paths(&index, &everything()), ["x"]);
    assert_eq!(index.history("a/b", "t1", 10, 0).unwrap(), (vec![], 0));
    put(&index, "a/b", 1, rows(1, 2));
    assert_eq!(paths(&index, &everything()), ["001", "x"]);
    drop(index);
    let index = open(dir.path());
    assert_eq!(paths(&index, &everything()), ["001", "x"]);
    assert_eq!(index.history("a/b", "t1", 10, 0).unwrap(), (vec![], 0));
}

#[test]
fn history_is_newest_first_however_much_is_committed() {
    let index = in_memory();
    for generation in 0..30 {
        let touches =
            vec![touch("a/b", "t1", generation), touch("a/b", "t2", generation), touch("a/c", "t1", generation)];
        index.apply(Batch { touches, ..batch("a/b", generation) }).unwrap();
        if generation == 10 || generation == 20 {
            index.flush().unwrap();
        }
    }
    for _ in 0..2 {
        let (page, count) = index.history("a/b", "t1", 5, 7).unwrap();
        assert_eq!(count, 30);
        assert_eq!(page, [22, 21, 20, 19, 18].map(|generation| touch("a/b", "t1", generation)));
        assert_eq!(index.history("a/b", "t1", 5, 28).unwrap().0.len(), 2);
        assert_eq!(index.history("a/b", "t1", 5, 31).unwrap(), (vec![], 30));
        assert_eq!(index.history("a/b", "absent", 5, 0).unwrap(), (vec![], 0));
        // Touches are no rows.
        assert_eq!(index.search(&everything()).unwrap().count, 0);
        assert_eq!(
            index.search(&Query { filter: Filter::Not(Box::new(is(Column::Id, "t1"))), ..everything() }).unwrap().count,
            0
        );
        index.flush().unwrap();
    }
    index.apply(Batch { reset: true, touches: vec![touch("a/b", "t1", 3)], ..batch("a/b", 40) }).unwrap();
    assert_eq!(index.history("a/b", "t1", 5, 0).unwrap(), (vec![touch("a/b", "t1", 3)], 1));
}

#[test]
fn flushes_of_many_callers_all_return() {
    let index = in_memory();
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let index = &index;
            scope.spawn(move || {
                for round in 0..10 {
                    let workspace = format!("a/{caller}");
                    put(index, &workspace, round, [row(&workspace, &round.to_string())]);
                    index.flush().unwrap();
                    assert!(index.row(&workspace, &round.to_string()).unwrap().is_some());
                }
            });
        }
    });
    assert_eq!(index.search(&everything()).unwrap().count, 80);
}

fn made(from: u32, to: u32) -> Vec<(Row, String)> {
    rows(from, to).map(|row| (row, "fresh words".to_owned())).collect()
}

#[test]
fn a_workspace_of_any_size_is_exchanged_as_a_whole() {
    let (dir, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let index = open(dir.path());
    put(&index, "a/b", 1, rows(0, 20));
    index.apply(Batch { touches: vec![touch("a/b", "t000", 1)], ..batch("a/b", 1) }).unwrap();
    index.flush().unwrap();
    put(&index, "a/b", 2, rows(20, 25));
    let in_ab = |index: &Index| {
        let query = Query { filter: is(Column::Workspace, "a/b"), ..everything() };
        index.search(&query).unwrap().count
    };
    let fresh_words = Query { text: Some("fresh".into()), ..everything() };
    let is_old = |index: &Index| {
        assert_eq!((in_ab(index), index.heads()["a/b"].clone()), (25, head(2)));
        assert_eq!(index.search(&fresh_words).unwrap().count, 0);
        assert_eq!(
            (index.rows_by_id("thing", "t010").unwrap().len(), index.rows_by_id("thing", "t050").unwrap().len()),
            (1, 0)
        );
        assert!(index.row("a/b", "010").unwrap().is_some() && index.row("a/b", "050").unwrap().is_none());
        assert_eq!(index.history("a/b", "t000", 9, 0).unwrap().1, 1);
    };
    let rebuild = index.rebuild("a/b".into()).unwrap();
    for at in 0..6 {
        rebuild.add(&made(10 + at * 10, 20 + at * 10), &[touch("a/b", "t010", at)]).unwrap();
        is_old(&index);
        // Others are written and committed meanwhile.
        put(&index, "c/d", at, [row("c/d", &format!("{at}"))]);
        index.flush().unwrap();
        is_old(&index);
        assert_eq!(in_ab(&index) + at as usize + 1, paths(&index, &everything()).len());
    }
    // A crash now leaves the old state.
    copy(dir.path(), crashed.path());
    rebuild.finish(head(3)).unwrap();
    assert_eq!((in_ab(&index), index.heads()["a/b"].clone()), (60, head(3)));
    assert_eq!(index.search(&fresh_words).unwrap().count, 60);
    assert_eq!((index.history("a/b", "t000", 9, 0).unwrap().1, index.history("a/b", "t010", 9, 0).unwrap().1), (0, 6));
    assert!(index.row("a/b", "000").unwrap().is_none() && index.row("a/b", "050").unwrap().is_some());
    // What was rebuilt is replaced as anything else is: by a write, and by the next rebuild.
    put(&index, "a/b", 4, [row("a/b", "010")]);
    assert_eq!(in_ab(&index), 60);
    // One that is given up changes nothing.
    index.rebuild("a/b".into()).unwrap().add(&made(0, 5), &[]).unwrap();
    index.flush().unwrap();
    assert_eq!(in_ab(&index), 60);
    let again = index.rebuild("a/b".into()).unwrap();
    again.add(&made(0, 7), &[]).unwrap();
    again.finish(head(5)).unwrap();
    assert_eq!(in_ab(&index), 7);
    drop(index);
    assert_eq!(in_ab(&open(dir.path())), 7);
    let crashed = open(crashed.path());
    is_old(&crashed);
    assert_eq!(paths(&crashed, &everything()).len(), 31);
}

#[test]
fn a_new_fingerprint_is_committed_though_nothing_else_is() {
    let (dir, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let index = open(dir.path());
    put(&index, "a/b", 1, rows(0, 3));
    index.flush().unwrap();
    index.set_fingerprint("other kinds");
    index.flush().unwrap();
    copy(dir.path(), crashed.path());
    let index = Index::open(Some(crashed.path()), "other kinds").unwrap();
    assert_eq!(paths(&index, &everything()).len(), 3);
}
