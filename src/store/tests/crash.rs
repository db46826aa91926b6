use std::fs;

use super::*;

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy_all(&item.path(), &target);
        } else {
            // Upkeep goes on.
            match fs::copy(item.path(), &target) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                copied => drop(copied.unwrap()),
            }
        }
    }
}

impl Bench {
    /// The data directory as it was when the machine stopped, opened again after `damage`.
    pub(super) fn after_crash(&self, damage: impl FnOnce(&Path)) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        copy_all(&self.dir.path().join("data"), &dir.path().join("data"));
        damage(&dir.path().join("data/ann/work"));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let store = Some(Store::open_with(&dir.path().join("data"), OPTIONS).unwrap());
        Bench { dir, runtime, store }
    }
}

fn main_of(root: &Path) -> PathBuf {
    root.join(".git/refs/heads/main")
}

fn with_three_writes() -> Bench {
    let bench = Bench::new();
    bench.put("old.yml", "old");
    bench.workspace().flush_index().unwrap();
    bench.store().checkpoint().unwrap();
    bench.put("a/1.yml", "one");
    bench.put("a/2.yml", "two");
    bench.put("old.yml", "new");
    bench
}

fn assert_all_there(bench: &Bench) {
    assert_eq!(bench.workspace().generation(), 4);
    let snapshot = bench.workspace().snapshot(None).unwrap();
    for (at, content) in [("a/1.yml", "one"), ("a/2.yml", "two"), ("old.yml", "new")] {
        let entry = snapshot.entry(at).unwrap().unwrap();
        assert_eq!(snapshot.blob(entry.etag).unwrap(), content);
        assert_eq!(bench.read(at), content);
    }
    bench.assert_sound();
    bench.put("after.yml", "works");
    bench.assert_sound();
}

#[test]
fn a_power_cut_that_took_everything_unsynced() {
    let bench = with_three_writes();
    let before = bench.git_ok(&["rev-parse", "main~3"]);
    for main in [Some(before.as_str()), Some(""), Some("garbage\n"), None] {
        let after = bench.after_crash(|root| {
            match main {
                Some(text) => fs::write(main_of(root), text).unwrap(),
                None => fs::remove_file(main_of(root)).unwrap(),
            }
            // Never synced: empty, zeros, as before.
            fs::write(root.join("a/1.yml"), "").unwrap();
            fs::write(root.join("a/2.yml"), "\0\0\0").unwrap();
            fs::write(root.join("old.yml"), "old").unwrap();
            fs::write(root.join(".git/index"), "").unwrap();
        });
        assert_all_there(&after);
    }
}

#[test]
fn packs_that_were_cut_off_are_written_again() {
    let bench = Bench::new();
    bench.put("old.yml", "old");
    bench.workspace().flush_index().unwrap();
    bench.store().checkpoint().unwrap();
    let safe: Vec<_> = fs::read_dir(bench.file(".git/objects/pack")).unwrap().map(|i| i.unwrap().file_name()).collect();
    bench.put("a/1.yml", "one");
    bench.put("a/2.yml", "two");
    bench.put("old.yml", "new");
    for cut in [0, 30] {
        let after = bench.after_crash(|root| {
            for item in fs::read_dir(root.join(".git/objects/pack")).unwrap().map(|i| i.unwrap()) {
                if safe.contains(&item.file_name()) {
                    continue;
                }
                if cut == 0 {
                    fs::remove_file(item.path()).unwrap();
                } else {
                    let content = fs::read(item.path()).unwrap();
                    fs::write(item.path(), &content[..content.len() - cut]).unwrap();
                }
            }
            fs::remove_file(main_of(root)).unwrap();
        });
        assert_all_there(&after);
    }
}

#[test]
fn killed_between_the_journal_and_the_ref() {
    let bench = with_three_writes();
    let commits = bench.git_ok(&["rev-list", "main"]);
    let commits: Vec<&str> = commits.lines().collect();
    // Synced and acknowledged to nobody, main still at the commit before, locks left behind, the
    // new value already in the lock.
    let after = bench.after_crash(|root| {
        fs::write(main_of(root), format!("{}\n", commits[1])).unwrap();
        fs::write(root.join(".git/refs/heads/main.lock"), format!("{}\n", commits[0])).unwrap();
        fs::write(root.join(".git/index.lock"), format!("workleaf {} 1\n", commits[1])).unwrap();
        fs::write(root.join("old.yml"), "old").unwrap();
        fs::write(root.join(".git/workleaf/17"), "half a fi").unwrap();
    });
    assert_all_there(&after);
}

#[test]
fn killed_before_the_work_tree_was_refreshed() {
    let bench = with_three_writes();
    bench.workspace().flush_index().unwrap();
    bench.store().settle();
    let before = bench.git_ok(&["rev-parse", "main~2"]);
    let after = bench.after_crash(|root| {
        fs::write(root.join(".git/index.lock"), format!("workleaf {} 1\n", before.trim())).unwrap();
        fs::write(root.join("old.yml"), "old").unwrap();
        fs::remove_file(root.join("a/2.yml")).unwrap();
    });
    assert_all_there(&after);
    // Edits by hand are not taken for files that lag behind.
    let after = bench.after_crash(|root| {
        fs::write(root.join(".git/index.lock"), format!("workleaf {} 1\n", before.trim())).unwrap();
        fs::write(root.join("old.yml"), "by hand").unwrap();
    });
    assert_eq!(after.read("old.yml"), "by hand");
    assert_eq!(after.git_ok(&["status", "--porcelain"]), " M old.yml\n");
}

#[test]
fn a_commit_by_hand_on_top_is_not_undone() {
    let bench = with_three_writes();
    bench.workspace().flush_index().unwrap();
    fs::write(bench.file("hand.yml"), "hand").unwrap();
    bench.git_ok(&["add", "."]);
    bench.git_ok(&["commit", "-qm", "By hand"]);
    let main = bench.git_ok(&["rev-parse", "main"]);
    let after = bench.after_crash(|_| {});
    assert_eq!(after.git_ok(&["rev-parse", "main"]), main);
    after.assert_sound();
    assert_eq!(after.workspace().generation(), 5);
}

#[test]
fn a_lock_of_gits_is_respected() {
    let bench = Bench::new();
    bench.put("a.yml", "1");
    bench.workspace().flush_index().unwrap();
    fs::write(bench.file(".git/index.lock"), "").unwrap();
    let refused = bench.write(|tip| tip.put(&path("a.yml"), Bytes::from_static(b"2")));
    assert!(matches!(refused, Err(WriteError::Store(Error::Busy(_)))));
    assert_eq!(bench.read("a.yml"), "1");
    fs::remove_file(bench.file(".git/index.lock")).unwrap();
    bench.put("a.yml", "3");
    bench.assert_sound();
}

#[test]
fn a_write_that_could_not_be_applied_does_not_come_back() {
    let bench = Bench::new();
    bench.put("a.yml", "1");
    bench.workspace().flush_index().unwrap();
    // No pack can be written: a file is where its folder was.
    let packs = bench.file(".git/objects/pack");
    fs::rename(&packs, bench.file(".git/objects/kept")).unwrap();
    fs::write(&packs, "").unwrap();
    let refused = bench.write(|tip| tip.put(&path("a.yml"), Bytes::from_static(b"2")));
    assert!(matches!(refused, Err(WriteError::Store(Error::Io { .. }))), "{refused:?}");
    fs::remove_file(&packs).unwrap();
    fs::rename(bench.file(".git/objects/kept"), &packs).unwrap();
    let after = bench.after_crash(|_| {});
    assert_eq!(after.workspace().generation(), 1);
    assert_eq!(after.read("a.yml"), "1");
    after.put("a.yml", "3");
    after.assert_sound();
    bench.put("a.yml", "3");
    bench.assert_sound();
}
