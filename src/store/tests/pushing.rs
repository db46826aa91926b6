use std::fs;

use super::*;

impl Bench {
    /// What a push of a new file on top of `main` brings, as git makes it, and its commit.
    fn push_of(&self, file: &str, content: &str) -> (Incoming, Etag) {
        let incoming = self.workspace().incoming().unwrap();
        let clone = self.dir.path().join(format!("clone-{}", file.replace('/', "-")));
        let run = |folder: &Path, arguments: &[&str]| {
            let output = git(folder, self.dir.path(), arguments);
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        run(self.dir.path(), &["clone", "-q", self.root().to_str().unwrap(), clone.to_str().unwrap()]);
        fs::create_dir_all(clone.join(file).parent().unwrap()).unwrap();
        fs::write(clone.join(file), content).unwrap();
        run(&clone, &["add", "-A"]);
        run(&clone, &["commit", "-q", "-m", "pushed"]);
        let head = run(&clone, &["rev-parse", "HEAD"]);
        let script = format!(
            "printf '%s\\n' HEAD ^HEAD~ | git pack-objects --revs --stdout -q | \
             GIT_ALTERNATE_OBJECT_DIRECTORIES=$PWD/.git/objects GIT_OBJECT_DIRECTORY={} git index-pack --stdin --fix-thin --strict --no-rev-index",
            incoming.folder().display()
        );
        run(&clone, &["-c", &format!("alias.x=!{script}"), "x"]);
        (incoming, Etag::parse(&head).unwrap())
    }

    fn accept(&self, incoming: Incoming, moves: Vec<Move>) -> Vec<Result<(), String>> {
        self.runtime.block_on(self.workspace().accept(Some(incoming), moves)).unwrap()
    }

    fn to(&self, name: &str, new: Etag) -> Move {
        Move { name: name.into(), old: (name == MAIN).then(|| self.workspace().head()), new: Some(new) }
    }
}

#[test]
fn an_accepted_push_survives_a_power_cut() {
    // Alone it goes through the journal; beside another ref it is synced where it lies.
    for side in [false, true] {
        let bench = Bench::new();
        bench.put("old.yml", "old");
        bench.workspace().flush_index().unwrap();
        bench.store().checkpoint().unwrap();
        let before = bench.workspace().head();
        let packs = |root: &Path| -> Vec<PathBuf> {
            fs::read_dir(root.join(".git/objects/pack")).unwrap().map(|item| item.unwrap().path()).collect()
        };
        let mut safe = packs(&bench.root());
        let (incoming, pushed) = bench.push_of("a/1.yml", "one");
        let mut moves = vec![bench.to(MAIN, pushed)];
        if side {
            moves.push(bench.to("refs/heads/side", pushed));
        }
        assert!(bench.accept(incoming, moves).iter().all(Result::is_ok));
        if side {
            safe = packs(&bench.root());
        }
        bench.put("a/2.yml", "two");
        bench.assert_sound();
        let after = bench.after_crash(|root| {
            fs::write(root.join(".git/refs/heads/main"), format!("{before}\n")).unwrap();
            fs::write(root.join("a/1.yml"), "").unwrap();
            fs::write(root.join(".git/index"), "").unwrap();
            for path in packs(root) {
                if safe.iter().any(|safe| safe.file_name() == path.file_name()) {
                    continue;
                }
                let content = fs::read(&path).unwrap();
                fs::remove_file(&path).unwrap();
                fs::write(&path, &content[..content.len() - 7]).unwrap();
            }
        });
        assert_eq!(after.read("a/1.yml"), "one");
        assert_eq!(after.read("a/2.yml"), "two");
        assert_eq!(after.git_ok(&["branch", "--list", "side"]).is_empty(), !side);
        after.assert_sound();
        after.put("after.yml", "works");
        after.assert_sound();
    }
}

#[test]
fn a_push_that_is_late_changes_nothing() {
    let bench = Bench::new();
    let (incoming, pushed) = bench.push_of("a/1.yml", "one");
    let wanted = bench.to(MAIN, pushed);
    bench.put("quicker.yml", "x");
    let head = bench.workspace().head();
    assert!(bench.accept(incoming, vec![wanted])[0].as_ref().is_err_and(|why| why.contains("fetch first")));
    assert_eq!(bench.workspace().head(), head);
    assert!(!bench.file("a/1.yml").exists());
    assert!(bench.workspace().commit(pushed).is_err(), "its objects are kept");
    bench.assert_sound();
}

#[test]
fn an_edit_in_the_last_moment_is_not_laid_over_what_was_pushed() {
    let bench = Bench::new();
    bench.put("old.yml", "old");
    bench.workspace().flush_index().unwrap();
    let before = bench.workspace().head();
    let (incoming, pushed) = bench.push_of("old.yml", "pushed");
    fs::write(bench.file("old.yml"), "edited").unwrap();
    let moves = vec![bench.to(MAIN, pushed)];
    let [Err(why)] = &bench.accept(incoming, moves)[..] else { panic!("it was taken") };
    assert!(why.contains("edited on the server"), "{why}");
    assert_eq!(bench.workspace().head(), before);
    assert_eq!(fs::read_to_string(bench.file("old.yml")).unwrap(), "edited");
    // Taken in, the edit is what the next push starts from.
    bench.runtime.block_on(bench.workspace().absorb_disk(None)).unwrap();
    fs::remove_dir_all(bench.dir.path().join("clone-old.yml")).unwrap();
    let (incoming, pushed) = bench.push_of("old.yml", "pushed");
    let moves = vec![bench.to(MAIN, pushed)];
    assert!(bench.accept(incoming, moves).iter().all(Result::is_ok));
    assert_eq!(fs::read_to_string(bench.file("old.yml")).unwrap(), "pushed");
    bench.assert_sound();
}

#[test]
fn a_push_of_which_nothing_is_taken_leaves_no_pack() {
    let bench = Bench::new();
    bench.put("old.yml", "old");
    bench.workspace().flush_index().unwrap();
    let packs = || fs::read_dir(bench.file(".git/objects/pack")).unwrap().count();
    let before = packs();
    let (incoming, pushed) = bench.push_of("new.yml", "new");
    let moves = vec![bench.to("refs/foo/x", pushed)];
    assert!(bench.accept(incoming, moves).iter().all(Result::is_err));
    assert_eq!(packs(), before);
    bench.assert_sound();
}
