//! Pushes that race with REST writes and with each other.

use super::client::{Place, SERVICE};
use crate::support::{git, raw};
use workleaf::resource::actor::Actor;
use workleaf::resource::etag::Etag;
use workleaf::resource::key::WorkspaceName;
use workleaf::store::{MAIN, Move};

#[tokio::test(flavor = "multi_thread")]
async fn pushes_and_rest_writes_lose_nothing_of_each_other() {
    let place = Place::open().await;
    let ann = place.app.as_user("ann");
    let writing = tokio::spawn({
        let ann = ann.clone();
        async move {
            for n in 0..60 {
                let path = format!("/api/v1/workspaces/ann/lab/files/rest/{n}.txt");
                ann.header("if-none-match", "*").put(&path, raw(format!("{n}\n"))).await.expect(201);
                tokio::time::sleep(std::time::Duration::from_millis(15)).await;
            }
        }
    });
    let (one, two) = (place.clone("one").await, place.clone("two").await);
    let pushing = async |name: &str, clone: &super::client::Clone| {
        let mut refused = 0;
        for n in 0..6 {
            clone.write(&format!("services/{name}-{n}.yml"), SERVICE);
            clone.commit("More").await;
            loop {
                let pushed = clone.push().await;
                if pushed.success {
                    break;
                }
                assert!(pushed.err.contains("fetch first"), "{}", pushed.err);
                refused += 1;
                assert!(refused < 500, "never taken");
                clone.git(&["pull", "-q", "--rebase", "origin", "main"]).await.ok();
            }
        }
    };
    tokio::join!(pushing("one", &one), pushing("two", &two));
    writing.await.unwrap();
    let tree = place.app.tree("ann/lab");
    for n in 0..60 {
        assert_eq!(std::fs::read_to_string(tree.join(format!("rest/{n}.txt"))).unwrap(), format!("{n}\n"));
    }
    let listed = ann.get("/api/v1/services").await.expect(200).json();
    assert_eq!(listed["_meta"]["count"], 12, "{listed}");
    // One line of history, which every acknowledged change is on.
    let merges = git::run(&tree, &["rev-list", "--merges", "--count", "main"]);
    assert_eq!(merges, "0");
    assert_eq!(git::run(&tree, &["rev-list", "--count", "main"]), "73");
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_pushes_at_once_one_is_told_to_fetch() {
    let place = Place::open().await;
    let (one, two) = (place.clone("one").await, place.clone("two").await);
    for (clone, name) in [(&one, "one"), (&two, "two")] {
        clone.write(&format!("{name}.txt"), "x\n");
        clone.commit(name).await;
    }
    let (first, second) = tokio::join!(one.push(), two.push());
    assert!(first.success != second.success, "{}{}", first.err, second.err);
    let refused = if first.success { second } else { first };
    assert!(refused.err.contains("fetch first"), "{}", refused.err);
    place.finish().await;
}

/// A push that was not looked at, because `main` was elsewhere then, must not slip in when `main`
/// gets to where it said.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_looked_at_is_not_taken() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    clone.write("a.txt", "a\n");
    clone.commit("Good").await;
    let good = clone.head().await;
    std::os::unix::fs::symlink("/etc/passwd", clone.folder.join("l")).unwrap();
    clone.commit("A link").await;
    let evil = clone.head().await;
    clone.git(&["push", "origin", "HEAD:side"]).await.ok();
    let engine = &place.app.app().engine;
    let workspace = engine.pushable(&Actor::System, &WorkspaceName::parse("ann/lab").unwrap()).unwrap();
    let moves = vec![Move { name: MAIN.into(), old: Etag::parse(&good), new: Etag::parse(&evil) }];
    let incoming = workspace.incoming().unwrap();
    let checked = engine.check_push(&workspace, Some(incoming), &moves, 1 << 20).await.unwrap();
    assert_eq!(checked.refused, None);
    clone.git(&["push", "origin", &format!("{good}:main")]).await.ok();
    let outcome = engine.accept_push(&workspace, checked, moves).await.unwrap();
    assert!(outcome[0].as_ref().is_err_and(|why| why.contains("fetch first")), "{outcome:?}");
    assert_eq!(place.app.head("ann/lab"), good);
    drop(workspace);
    place.finish().await;
}
