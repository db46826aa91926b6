//! Lists: order, pages, cursors, facets, selected fields.

use serde_json::{Value, json};

use super::query::shelf;
use super::samples::names;

#[tokio::test]
async fn lists_are_sorted() {
    let (app, ann) = shelf().await;
    let mut shown = String::new();
    for sort in [
        "",
        "name",
        "-name",
        "weight",
        "-weight",
        "made,name",
        "-made,name",
        "spare,name",
        "-spare,-name",
        "release,name",
        "-release,name",
        "colour",
        "size,name",
        "-size,name",
        "created_at",
        "-created_at",
        "path",
        "room,-name",
        "tag,name",
        "spare,-spare,name",
        "violations,-name",
    ] {
        shown += &format!("{sort:20} {}\n", names(&ann, &format!("/api/v1/gadgets?sort={sort}")).await);
    }
    insta::assert_snapshot!(shown, @"
                         one two three four five six
    name                 five four one six three two
    -name                two three six one four five
    weight               three five one two four six
    -weight              six four two one five three
    made,name            four one two three five six
    -made,name           five six three two one four
    spare,name           three two four one five six
    -spare,-name         six five one four two three
    release,name         one two three five four six
    -release,name        six five four three two one
    colour               five three four two one six
    size,name            four five one six three two
    -size,name           five one six three two four
    created_at           one two three four five six
    -created_at          six five four three two one
    path                 five four one six three two
    room,-name           two three six one four five
    tag,name             one three five four six two
    spare,-spare,name    three two four one five six
    violations,-name     two three six one four five
    ");
    app.finish().await;
}

#[tokio::test]
async fn pages_are_bounded() {
    let (app, ann) = shelf().await;
    let page = async |query: &str| {
        let answer = ann.get(&format!("/api/v1/gadgets?{query}")).await.expect(200).json();
        let mut meta = answer["_meta"].clone();
        meta.as_object_mut().expect("an object").remove("next");
        format!("{} {meta}", names(&ann, &format!("/api/v1/gadgets?{query}")).await)
    };
    insta::assert_snapshot!(page("limit=2").await, @r#"one two {"count":6,"limit":2,"offset":0}"#);
    insta::assert_snapshot!(page("limit=2&offset=4").await, @r#"five six {"count":6,"limit":2,"offset":4}"#);
    insta::assert_snapshot!(page("limit=1000&offset=5").await, @r#"six {"count":6,"limit":1000,"offset":5}"#);
    insta::assert_snapshot!(page("limit=0").await, @r#" {"count":6,"limit":0,"offset":0}"#);
    insta::assert_snapshot!(page("offset=1000000000").await, @r#" {"count":6,"limit":20,"offset":1000000000}"#);
    insta::assert_snapshot!(page("where=spare:true&limit=1").await, @r#"one {"count":2,"limit":1,"offset":0}"#);
    app.finish().await;
}

#[tokio::test]
async fn a_cursor_does_not_drift() {
    let (app, ann) = shelf().await;
    let mut made = 0;
    for order in ["", "&sort=weight", "&sort=-weight", "&sort=made,-name", "&sort=-tag", "&sort=spare"] {
        let whole = names(&ann, &format!("/api/v1/gadgets?where=room:a{order}")).await;
        let mut seen = Vec::new();
        let mut after = String::new();
        loop {
            let answer =
                ann.get(&format!("/api/v1/gadgets?where=room:a&limit=2{order}{after}")).await.expect(200).json();
            let list = answer["gadgets"].as_array().expect("a list");
            seen.extend(list.iter().map(|one| one["content"]["name"].as_str().expect("a name").to_owned()));
            // Others write in between, before and behind the place.
            for weight in [-100.0, 0.5, 1e30] {
                made += 1;
                let content = json!({ "name": format!("new{}", made), "weight": weight });
                let address = "/api/v1/gadgets?workspace=ann/lab&room=b";
                ann.post(address, content).await.expect(201);
            }
            match answer["_meta"]["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen.join(" "), whole, "{order}");
    }
    // Bound to its order, and to nothing else.
    let next = ann.get("/api/v1/gadgets?limit=1&sort=name").await.json()["_meta"]["next"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    ann.get(&format!("/api/v1/gadgets?sort=-name&after={next}")).await.expect(400);
    ann.get(&format!("/api/v1/gadgets?sort=weight&after={next}")).await.expect(400);
    ann.get(&format!("/api/v1/gadgets?sort=name&offset=1&after={next}")).await.expect(400);
    ann.get(&format!("/api/v1/gadgets?sort=name&after={next}&where=weight:1")).await.expect(200);
    ann.get(&format!("/api/v1/gadgets?sort=name&after={}x", &next[..next.len() - 2])).await.expect(400);
    // A row that goes away while one stands on it.
    let first = ann.get("/api/v1/gadgets?limit=1&where=room:a").await.json();
    ann.at("*").delete("/api/v1/gadgets/one").await.expect(204);
    let next = first["_meta"]["next"].as_str().expect("a cursor");
    assert_eq!(names(&ann, &format!("/api/v1/gadgets?where=room:a&after={next}")).await, "two three four five six");
    app.finish().await;
}

#[tokio::test]
async fn facets_count_all_hits() {
    let (app, ann) = shelf().await;
    let answer = ann.get("/api/v1/gadgets?limit=0&facets=spare,tag,release,weight,made,room,size").await;
    insta::assert_snapshot!(answer.json()["_meta"]["facets"].to_string(), @r#"{"spare":[{"value":false,"count":2},{"value":true,"count":2}],"tag":[{"value":"y","count":2},{"value":"x","count":1}],"release":[{"value":"2.0.0","count":2},{"value":"1.2","count":1},{"value":"1.10","count":1},{"value":"v2.0.0-rc.1","count":1}],"weight":[{"value":-3,"count":1},{"value":0,"count":1},{"value":1,"count":1},{"value":2.5,"count":1},{"value":1e+20,"count":1}],"made":[{"value":"1969-07-20T20:17:40Z","count":1},{"value":"2024-01-31T00:00:00Z","count":1},{"value":"2024-02-01T10:00:00Z","count":1},{"value":"2024-02-01T11:00:00Z","count":1}],"room":[{"value":"a","count":6}],"size":[{"value":1,"count":1},{"value":9,"count":1}]}"#);
    let answer = ann.get("/api/v1/gadgets?limit=1&where=spare:true&facets=colour").await;
    insta::assert_snapshot!(answer.json()["_meta"]["facets"].to_string(), @r#"{"colour":[{"value":"a|b*","count":1},{"value":"red","count":1}]}"#);
    app.finish().await;
}

#[tokio::test]
async fn fields_select_what_is_shown() {
    let (app, ann) = shelf().await;
    insta::assert_snapshot!(ann.get("/api/v1/gadgets?where=name:one|four&fields=path,name,tag,size,spare").await.shown(), @r#"
    200
    vary: accept-encoding
    {
      "gadgets": [
        {
          "path": "gadgets/a/one.yml",
          "content": {
            "name": "one",
            "tag": [
              "x",
              "y"
            ],
            "size": null,
            "spare": true
          }
        },
        {
          "path": "gadgets/a/four.yml",
          "content": {
            "name": "four",
            "tag": null,
            "size": [
              1,
              9
            ],
            "spare": true
          }
        }
      ],
      "_meta": {
        "count": 2,
        "limit": 20,
        "offset": 0
      }
    }
    "#);
    let one = ann.get("/api/v1/gadgets?limit=1&fields=content").await.json();
    assert_eq!(one["gadgets"][0], json!({ "content": one["gadgets"][0]["content"] }));
    assert_eq!(ann.get("/api/v1/gadgets?limit=1&fields=").await.json()["gadgets"], json!([{}]));
    app.finish().await;
}

/// Shows that a value of any type sorts and filters alike before and after it is in the index's
/// files.
#[tokio::test]
async fn recent_and_settled_documents_answer_alike() {
    let (app, ann) = shelf().await;
    let queries = [
        "where=weight:>0&sort=-weight",
        "where=tag:y&sort=release",
        "q=brown",
        "where=colour:!red&sort=made&facets=spare",
    ];
    let ask = async || {
        let mut all = Vec::<Value>::new();
        for query in queries {
            let mut answer = ann.get(&format!("/api/v1/gadgets?{query}")).await.expect(200).json();
            // How a snippet is cut may differ, what is found may not.
            for one in answer["gadgets"].as_array_mut().expect("a list") {
                one.as_object_mut().expect("an object").remove("snippet");
            }
            all.push(answer);
        }
        all
    };
    let recent = ask().await;
    app.app().engine.reindex().await.expect("it can be rebuilt");
    assert_eq!(ask().await, recent);
    app.finish().await;
}
