use std::os::unix::fs::symlink;

use super::*;

fn log(bench: &Bench) -> Vec<String> {
    bench.git_ok(&["log", "--format=%an: %s", "main"]).lines().map(str::to_owned).collect()
}

#[test]
fn an_edit_on_disk_is_committed_before_a_write() {
    let bench = Bench::new();
    let etag = bench.put("a.yml", "one\n").changes[0].new;
    std::fs::write(bench.file("a.yml"), "by hand\n").unwrap();
    let stale = bench.write(move |tip| {
        tip.put(&path("other.yml"), Bytes::from_static(b"staged before"))?;
        let now = tip.entry(&path("a.yml"))?.map(|e| e.etag);
        if now == etag { Ok(()) } else { Err(TipError::Missing { path: path("a.yml") }) }
    });
    assert!(matches!(stale, Err(WriteError::Refused(_))));
    assert_eq!(bench.read("a.yml"), "by hand\n");
    assert_eq!(log(&bench)[0], "ann: Edit a.yml on the server's disk");
    assert!(bench.git_ok(&["log", "-1", "--format=%(trailers)"]).contains("Workleaf-Disk-Edit: a.yml"));
    bench.assert_sound();
    // What was staged before the edit was found stays staged.
    std::fs::write(bench.file("a.yml"), "by hand again\n").unwrap();
    bench
        .write(|tip| {
            tip.put(&path("first.yml"), Bytes::from_static(b"1"))?;
            assert_eq!(tip.blob(&path("a.yml"))?.unwrap().1, "by hand again\n");
            tip.put(&path("a.yml"), Bytes::from_static(b"last\n"))
        })
        .unwrap();
    assert_eq!((bench.read("a.yml").as_str(), bench.read("first.yml").as_str()), ("last\n", "1"));
    assert_eq!(log(&bench)[..2], ["ann: Change", "ann: Edit a.yml on the server's disk"]);
    bench.assert_sound();
}

#[test]
fn files_made_and_removed_by_hand_count() {
    let bench = Bench::new();
    bench.put("gone.yml", "x");
    std::fs::remove_file(bench.file("gone.yml")).unwrap();
    std::fs::create_dir(bench.file("new")).unwrap();
    std::fs::write(bench.file("new/made.yml"), "by hand").unwrap();
    let seen =
        bench.write(|tip| Ok((tip.entry(&path("gone.yml"))?, tip.blob(&path("new/made.yml"))?.unwrap().1))).unwrap();
    assert_eq!(seen.0, (None, Bytes::from_static(b"by hand")));
    bench.assert_sound();
    assert_eq!(bench.commits(), 4);
}

#[test]
fn links_are_not_followed() {
    let bench = Bench::new();
    bench.put("a/b.yml", "x");
    let outside = bench.dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("b.yml"), "secret").unwrap();
    std::fs::remove_dir_all(bench.file("a")).unwrap();
    symlink(&outside, bench.file("a")).unwrap();
    let refused = bench.write(|tip| tip.put(&path("a/b.yml"), Bytes::from_static(b"y")));
    assert!(matches!(refused, Err(WriteError::Refused(TipError::Disk { .. }))), "{refused:?}");
    let refused = bench.write(|tip| tip.put(&path("a/new.yml"), Bytes::from_static(b"y")));
    assert!(matches!(refused, Err(WriteError::Refused(TipError::Disk { .. }))), "{refused:?}");
    symlink(outside.join("b.yml"), bench.file("link.yml")).unwrap();
    let refused = bench.write(|tip| tip.entry(&path("link.yml")));
    assert!(matches!(refused, Err(WriteError::Refused(TipError::Disk { .. }))), "{refused:?}");
    assert_eq!(std::fs::read_to_string(outside.join("b.yml")).unwrap(), "secret");
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(bench.commits(), 2);
}

#[test]
fn a_folder_in_the_way_is_refused_unless_empty() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.file("empty")).unwrap();
    bench.put("empty", "now a file");
    std::fs::create_dir_all(bench.file("full")).unwrap();
    std::fs::write(bench.file("full/x"), "x").unwrap();
    let refused = bench.write(|tip| tip.put(&path("full"), Bytes::from_static(b"y")));
    assert!(matches!(refused, Err(WriteError::Refused(TipError::Disk { .. }))), "{refused:?}");
    assert_eq!(bench.read("full/x"), "x");
}

#[test]
fn with_another_branch_checked_out_the_disk_is_left_alone() {
    let bench = Bench::new();
    bench.put("a.yml", "main");
    bench.workspace().flush_index().unwrap();
    bench.git_ok(&["checkout", "-qb", "side"]);
    std::fs::write(bench.file("a.yml"), "side").unwrap();
    bench.put("b.yml", "b");
    bench.put("a.yml", "main 2");
    assert_eq!(bench.read("a.yml"), "side");
    assert!(!bench.file("b.yml").exists());
    bench.git_ok(&["commit", "-qam", "Side"]);
    bench.git_ok(&["checkout", "-q", "main"]);
    assert_eq!((bench.read("a.yml").as_str(), bench.read("b.yml").as_str()), ("main 2", "b"));
    bench.put("c.yml", "c");
    bench.assert_sound();
}

#[test]
fn a_branch_moved_without_the_work_tree_is_checked_out() {
    let bench = Bench::new();
    let first = bench.put("a.yml", "1");
    bench.put("a.yml", "2");
    bench.put("b.yml", "b");
    let workspace = bench.workspace();
    // As a push does: the ref moves, nothing else.
    let (git_dir, to) = (bench.file(".git"), first.commit);
    let moved = bench.runtime.block_on(workspace.exclusive(move |workspace| {
        let old = workspace.head().to_string();
        git(&git_dir, &git_dir, &["update-ref", "refs/heads/main", &to.to_string(), &old]).status.success()
    }));
    assert!(moved.unwrap());
    assert_eq!(workspace.head(), first.commit);
    assert_eq!(bench.read("a.yml"), "1");
    assert!(!bench.file("b.yml").exists());
    bench.assert_sound();
    assert_eq!(workspace.generation(), 1);
}

#[test]
fn what_is_staged_by_hand_stays_staged() {
    let bench = Bench::new();
    bench.put("a.yml", "1");
    bench.workspace().flush_index().unwrap();
    std::fs::write(bench.file("mine.txt"), "mine").unwrap();
    bench.git_ok(&["add", "mine.txt"]);
    bench.put("a.yml", "2");
    bench.workspace().flush_index().unwrap();
    assert_eq!(bench.git_ok(&["status", "--porcelain"]), "A  mine.txt\n");
}

#[test]
fn all_edits_on_disk_are_one_commit() {
    let mut bench = Bench::new();
    bench.put("a.yml", "1");
    bench.put("b/c.yml", "2");
    std::fs::write(bench.file("a.yml"), "by hand").unwrap();
    std::fs::remove_file(bench.file("b/c.yml")).unwrap();
    std::fs::write(bench.file("bad:name"), "x").unwrap();
    std::fs::write(bench.file(".gitignore"), "*.tmp\n").unwrap();
    std::fs::write(bench.file("scratch.tmp"), "x").unwrap();
    symlink("/etc/passwd", bench.file("link")).unwrap();
    let workspace = bench.workspace();
    let absorbed = bench.runtime.block_on(workspace.absorb_disk(None)).unwrap();
    let committed = absorbed.committed.unwrap();
    let paths: Vec<&str> = committed.changes.iter().map(|c| &*c.path).collect();
    assert_eq!(paths, [".gitignore", "a.yml", "b/c.yml"]);
    assert_eq!(absorbed.skipped.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["bad:name", "link"]);
    let again = bench.runtime.block_on(workspace.absorb_disk(Some(vec![path("a.yml"), path("scratch.tmp")]))).unwrap();
    assert!(again.committed.is_none() && again.skipped.is_empty());
    for file in ["bad:name", "link"] {
        std::fs::remove_file(bench.file(file)).unwrap();
    }
    bench.assert_sound();
    drop(workspace);
    // A folder that an older program left.
    let old = bench.dir.path().join("data/bob/plans");
    std::fs::create_dir_all(old.join("deep")).unwrap();
    std::fs::write(old.join("deep/plan.json"), "{}").unwrap();
    bench.reopen();
    let name = WorkspaceName::parse("bob/plans").unwrap();
    assert_eq!(bench.store().adoptable().unwrap(), std::slice::from_ref(&name));
    let adopted = bench.store().adopt(&name, Settings::default(), &intent("").author).unwrap();
    bench.runtime.block_on(adopted.absorb_disk(None)).unwrap();
    assert_eq!(adopted.snapshot(None).unwrap().files("", true).unwrap().len(), 1);
    adopted.flush_index().unwrap();
    let status = git(&old, bench.dir.path(), &["status", "--porcelain"]);
    assert!(status.status.success() && status.stdout.is_empty());
}
