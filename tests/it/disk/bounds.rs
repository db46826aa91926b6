//! Many files at once, more folders than can be watched, signs that were lost; and what watching
//! costs.

use std::fs;
use std::time::{Duration, Instant};

use super::{commits, lab, lab_with, service, until, until_names, watch, write};
use crate::support::{TestApp, git, yaml};

#[tokio::test]
async fn a_burst_of_files_is_few_commits() {
    const FILES: usize = 2_000;
    let app = lab().await;
    let start = Instant::now();
    for n in 0..FILES {
        write(&app, "ann/lab", &format!("services/{}/{n}.txt", n % 50), &service(&format!("s{n}")));
    }
    eprintln!("written after {:?}", start.elapsed());
    let tree = app.tree("ann/lab");
    until("all are committed", async || {
        git::run(&tree, &["ls-tree", "-r", "--name-only", "main"]).lines().count() == FILES
    })
    .await;
    eprintln!("committed after {:?} in {} commits", start.elapsed(), commits(&app, "ann/lab") - 1);
    assert!(commits(&app, "ann/lab") < 20);
    app.finish().await;
}

#[tokio::test]
async fn beyond_the_limit_workspaces_are_compared_in_turn() {
    let app = lab_with(|_, config| config.watch.folders = 8).await;
    for at in 0..5 {
        app.workspace(&format!("bob/w{at}")).await;
    }
    let ready = async || app.anonymous().get("/health/ready").await.expect(200).json();
    until("the limit is told", async || {
        ready().await["notes"][0].as_str().is_some_and(|n| n.contains("watch.folders"))
    })
    .await;
    assert_eq!(ready().await["status"], "ready");
    for at in 0..5 {
        write(&app, &format!("bob/w{at}"), "services/a.yml", &service("a"));
    }
    write(&app, "ann/lab", "services/a.yml", &service("a"));
    for at in 0..5 {
        until_names(&app, &format!("bob/w{at}"), &["a"]).await;
    }
    until_names(&app, "ann/lab", &["a"]).await;
    // Once others go, the rest is watched again.
    for at in 0..5 {
        app.as_user("bob").delete(&format!("/api/v1/workspaces/bob/w{at}")).await.expect(204);
    }
    until("there is room again", async || ready().await["notes"].is_null()).await;
    write(&app, "ann/lab", "services/b.yml", &service("b"));
    until_names(&app, "ann/lab", &["a", "b"]).await;
    app.finish().await;
}

#[tokio::test]
async fn lost_signs_lead_to_a_comparison() {
    let app = lab().await;
    let lose = || app.app().watcher(|watcher| watcher.lose_signs());
    // Before the rest of them could be read, and after.
    write(&app, "ann/lab", "services/deep/a.yml", &service("a"));
    write(&app, "ann/lab", "services/b.yml", &service("b"));
    lose();
    fs::write(app.tree("ann/lab").join("services/c.yml"), service("c")).unwrap();
    lose();
    until_names(&app, "ann/lab", &["b", "c"]).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_costs_writes_little() {
    const WRITES: usize = 160;
    let apps = [TestApp::open().await, TestApp::open().await];
    for app in &apps {
        app.workspace("ann/lab").await;
    }
    watch(&apps[1]).await;
    let mut took = [Duration::ZERO; 2];
    // In turns, so that what else the machine does meets both.
    for round in 0..8 {
        let at = round % 2;
        let start = Instant::now();
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let ann = apps[at].as_user("ann");
            writers.spawn(async move {
                for n in 0..WRITES / 8 {
                    let address = format!("/api/v1/workspaces/ann/lab/files/{round}/{writer}/{n}.txt");
                    ann.put(&address, yaml(format!("{round} {writer} {n}"))).await.expect(201);
                }
            });
        }
        writers.join_all().await;
        took[at] += start.elapsed();
    }
    let [without, with] = took.map(|took| (4 * WRITES) as f64 / took.as_secs_f64());
    eprintln!("creates/s without the watcher {without:.0}, with it {with:.0}");
    assert!(with > without / 3.0);
    for app in apps {
        until("the tree is clean", async || git::run(&app.tree("ann/lab"), &["status", "--porcelain"]).is_empty())
            .await;
        assert_eq!(commits(&app, "ann/lab"), 4 * WRITES + 1);
        app.finish().await;
    }
}
