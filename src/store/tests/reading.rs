use super::*;
use crate::store::ancestry;

fn steps(workspace: &Arc<Workspace>, from: Option<Etag>) -> Vec<Committed> {
    let mut steps = Vec::new();
    walk::<Error>(workspace, from, workspace.head(), |step| {
        steps.push(step);
        Ok(())
    })
    .unwrap();
    steps
}

#[test]
fn workspaces_come_and_go() {
    let mut bench = Bench::new();
    let author = intent("").author;
    let strict = Settings { public: true, push: PushPolicy::Strict, force_push: true };
    let other = WorkspaceName::parse("ann/My work").unwrap();
    let made = bench.store().create(&other, strict, &author).unwrap();
    let id = made.id();
    assert!(matches!(
        bench.store().create(&WorkspaceName::parse("Ann/WORK").unwrap(), strict, &author),
        Err(Error::Exists(_))
    ));
    drop(made);
    bench.reopen();
    let found = bench.store().workspace(&WorkspaceName::parse("ANN/my WORK").unwrap()).unwrap();
    assert_eq!((found.settings(), found.id()), (strict, id));
    found.set_settings(Settings::default()).unwrap();
    bench.store().remove(&other).unwrap();
    assert!(matches!(bench.store().workspace(&other), Err(Error::NoWorkspace(_))));
    let refused = bench.runtime.block_on(found.write::<(), (), _>(|_| Ok(((), None))));
    assert!(matches!(refused, Err(WriteError::Store(Error::NoWorkspace(_)))));
    drop(found);
    let again = bench.store().create(&other, strict, &author).unwrap();
    assert_eq!(again.generation(), 0);
    drop(again);
    bench.reopen();
    assert_eq!(bench.store().workspaces().len(), 2);
}

#[test]
fn repositories_that_cannot_be_served_are_passed_over() {
    let mut bench = Bench::new();
    for (name, format) in [("ref", "--ref-format=reftable"), ("sha", "--object-format=sha256")] {
        let dir = bench.dir.path().join("data/bob").join(name);
        std::fs::create_dir_all(&dir).unwrap();
        assert!(git(&dir, bench.dir.path(), &["init", "-q", "-b", "main", format]).status.success());
    }
    bench.reopen();
    assert_eq!(bench.store().workspaces().len(), 1);
}

#[test]
fn snapshots_stay_as_they_are() {
    let bench = Bench::new();
    let first = bench.put("a/b.yml", "one");
    let snapshot = bench.workspace().snapshot(None).unwrap();
    bench.put("a/b.yml", "two");
    bench.put("a/c/d.yml", "three");
    bench.put("e.yml", "four");
    let entry = snapshot.entry("a/b.yml").unwrap().unwrap();
    assert_eq!(snapshot.blob(entry.etag).unwrap(), "one");
    assert_eq!((snapshot.size(entry.etag).unwrap(), snapshot.commit()), (3, first.commit));
    let now = bench.workspace().snapshot(None).unwrap();
    let paths = |folder, deep| now.files(folder, deep).unwrap().iter().map(|f| f.path.to_string()).collect::<Vec<_>>();
    assert_eq!(paths("", true), ["a/b.yml", "a/c/d.yml", "e.yml"]);
    assert_eq!(paths("a", false), ["a/b.yml", "a/c"]);
    assert_eq!(paths("a/c", true), ["a/c/d.yml"]);
    assert_eq!(paths("x", true).len() + paths("e.yml", true).len(), 0);
    assert_eq!(now.entry("a").unwrap(), None);
    let then = bench.workspace().snapshot(Some(first.commit)).unwrap();
    assert_eq!(then.files("", true).unwrap().len(), 1);
    let missing = Etag([7; 20]);
    assert!(matches!(bench.workspace().snapshot(Some(missing)), Err(Error::NoCommit(..))));
    assert!(matches!(now.blob(missing), Err(Error::NoObject(..))));
    // An id of another kind is no blob, and no commit.
    assert!(now.blob(first.commit).is_err() && bench.workspace().snapshot(Some(entry.etag)).is_err());
    let info = bench.workspace().commit(first.commit).unwrap();
    assert_eq!((info.author.name.as_str(), info.message.as_str()), ("ann", "Change\n"));
}

#[test]
fn history_tells_what_was_committed() {
    let bench = Bench::new();
    let long = "line\n".repeat(50);
    let mut made = vec![bench.put("a/1.yml", &long), bench.put("a/2.yml", "two"), bench.put("b/3.yml", "three")];
    let move_job = |tip: &mut Tip<'_>| tip.rename(&path("a/2.yml"), &path("c/2.yml"));
    let workspace = bench.workspace();
    let moved =
        bench
            .runtime
            .block_on(workspace.write(move |tip| {
                move_job(tip).map(|()| ((), Some(intent("Move\n\nWorkleaf-Moved: a/2.yml -> c/2.yml"))))
            }))
            .unwrap();
    made.push(moved.1.unwrap());
    assert_eq!(made[3].changes[1].moved_from.as_deref(), Some("a/2.yml"));
    let told = steps(&workspace, None);
    assert_eq!(told.len(), 5);
    assert!(told[0].changes.is_empty() && told[0].parent.is_none());
    assert_eq!(told[1..], made.iter().map(|c| c.as_ref().clone()).collect::<Vec<_>>()[..]);
    assert_eq!(steps(&workspace, Some(made[1].commit)), told[3..]);
    // Renames that nobody told of: the same content, then alike.
    let exact = bench.write(|tip| tip.rename(&path("c/2.yml"), &path("d.yml"))).unwrap().1.unwrap();
    let alike = bench
        .write(move |tip| {
            tip.remove(&path("a/1.yml"))?;
            tip.put(&path("z.yml"), Bytes::from(format!("{long}more\n")))
        })
        .unwrap();
    let told = steps(&workspace, Some(made[3].commit));
    assert_eq!(told[0].commit, exact.commit);
    let from = |step: &Committed| step.changes.iter().find_map(|c| c.moved_from.as_deref().map(str::to_owned));
    assert_eq!((from(&told[0]).as_deref(), from(&told[1]).as_deref()), (Some("c/2.yml"), Some("a/1.yml")));
    assert!(alike.1.is_some());
}

#[test]
fn merges_by_hand_are_walked_in_order() {
    let bench = Bench::new();
    bench.put("a.yml", "a");
    bench.workspace().flush_index().unwrap();
    bench.git_ok(&["checkout", "-qb", "side"]);
    std::fs::write(bench.file("side.yml"), "side").unwrap();
    bench.git_ok(&["add", "."]);
    bench.git_ok(&["commit", "-qm", "Side"]);
    bench.git_ok(&["checkout", "-q", "main"]);
    let before = bench.put("b.yml", "b");
    bench.workspace().flush_index().unwrap();
    bench.git_ok(&["merge", "-qm", "Merge", "side"]);
    let workspace = bench.workspace();
    bench.runtime.block_on(workspace.refresh()).unwrap();
    assert_eq!(workspace.generation(), 3);
    let messages = |from| steps(&workspace, from).iter().map(|s| s.message.trim().to_owned()).collect::<Vec<_>>();
    assert_eq!(messages(Some(before.commit)), ["Side", "Merge"]);
    let all = steps(&workspace, None);
    assert_eq!(all.iter().map(|s| s.at.generation).collect::<Vec<_>>(), [0, 1, 2, 2, 3]);
    assert_eq!(all[4].changes.len(), 1);
    for step in &all {
        assert_eq!(workspace.generation_of(step.commit).unwrap(), step.at.generation);
        assert_eq!(ancestry::generation(&workspace.objects, step.commit, None).unwrap(), step.at.generation);
    }
    bench.assert_sound();
}
