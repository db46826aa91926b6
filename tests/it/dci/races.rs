//! Writes that meet: whoever comes second knows of the first.

use std::collections::BTreeMap;

use serde_json::json;
use workleaf::engine::{Error, Options, Payload};
use workleaf::resource::actor::Actor;
use workleaf::resource::key::{FilePath, WorkspaceName};

use super::{COMPONENTS, TYPES, at, list, new_component, new_type, text};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn no_component_outlives_its_type() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let other = new_type(&ann, "other").await;
    for round in 0..30 {
        let of = new_type(&ann, &format!("type {round}")).await;
        let moved = new_component(&ann, &format!("moved {round}"), &other).await;
        let body = json!({ "name": format!("made {round}"), "componenttype_id": of["id"] });
        let make = (0..4).map(|_| {
            tokio::spawn({
                let (ann, body) = (ann.clone(), body.clone());
                async move { ann.post(COMPONENTS, body).await }
            })
        });
        let make: Vec<_> = make.collect();
        let update = tokio::spawn({
            let (ann, address) = (ann.at(text(&moved, "etag")), at(COMPONENTS, &moved));
            let body = json!({ "componenttype_id": of["id"] });
            async move { ann.put(&address, body).await }
        });
        let deleted = ann.at(text(&of, "etag")).delete(&at(TYPES, &of)).await.expect(204);
        drop(deleted);
        for answer in make {
            let answer = answer.await.expect("an answer");
            assert!(matches!(answer.status, 201 | 400), "{}", answer.text());
        }
        let answer = update.await.expect("an answer");
        assert!(matches!(answer.status, 201 | 400 | 404), "{}", answer.text());
        let (left, _) = list(&ann, &format!("{COMPONENTS}?limit=1000")).await;
        let dangling: Vec<_> = left.iter().filter(|one| one["componenttype_id"] == of["id"]).collect();
        assert!(dangling.is_empty(), "round {round}: {dangling:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_write_does_not_rely_on_what_has_gone() {
    let app = TestApp::open().await;
    let ann = app.as_user("ann");
    let of = new_type(&ann, "package").await;
    let (engine, name) = (&app.app().engine, WorkspaceName::parse("catalogue/main").expect("a name"));
    let kind = engine.kinds().by_name("component").expect("a kind").clone();
    let file = ann.get("/api/v1/workspaces/catalogue/main/files/?limit=1").await.expect(200).json();
    let relies_on = vec![FilePath::parse(file["files"][0]["path"].as_str().expect("a path")).expect("a path")];
    let create = async || {
        let writer = engine.writer(&Actor::System, &name)?;
        let payload = Payload::Json(json!({ "name": "a", "componenttype_id": of["id"] }));
        let (path, payload) = writer.place(&kind, None, BTreeMap::new(), payload).await?;
        writer.create(path, payload, Options { relies_on: relies_on.clone(), ..Options::default() }).await
    };
    create().await.expect("the type is there");
    ann.at(text(&of, "etag")).delete(&at(TYPES, &of)).await.expect(204);
    assert!(matches!(create().await, Err(Error::Gone(path)) if path == relies_on[0]));
    assert_eq!(list(&ann, COMPONENTS).await.1, 0);
    app.finish().await;
}
