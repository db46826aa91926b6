//! Full text, and queries that want too much.

use serde_json::json;

use super::own_kind::gadget;
use super::query::shelf;
use super::samples::names;

#[tokio::test]
async fn words_are_found_and_shown() {
    let (app, ann) = shelf().await;
    let mut shown = String::new();
    for words in [
        "brown",
        "BROWN",
        "brown fox",
        "fox dog",
        "\"quick brown\"",
        "\"brown quick\"",
        "bro*",
        "brown -dog",
        "uber",
        "über",
        "red",
        "1.10",
        "absent",
        "-brown",
        "AND",
        "name:one",
        "brown\"",
        "a:b AND (c OR",
        "~2",
        "2024",
    ] {
        let escaped = words.replace('+', "%2B");
        let answer = ann.get(&format!("/api/v1/gadgets?q={escaped}&sort=name")).await.expect(200).json();
        let list = answer["gadgets"].as_array().expect("a list").iter();
        let found: Vec<String> = list
            .map(|one| {
                format!(
                    "{} [{}]",
                    one["content"]["name"].as_str().expect("a name"),
                    one["snippet"].as_str().unwrap_or("none")
                )
            })
            .collect();
        shown += &format!("{:16} {}\n", words.replace('"', "'"), found.join(" "));
    }
    insta::assert_snapshot!(shown, @"
    brown            five [five
    &gt;=x
    0
    2.0.0
    The quick <b>brown</b> fox; über alles] six [six
    A slow <b>brown</b> dog]
    BROWN            five [five
    &gt;=x
    0
    2.0.0
    The quick <b>brown</b> fox; über alles] six [six
    A slow <b>brown</b> dog]
    brown fox        five [five
    &gt;=x
    0
    2.0.0
    The quick <b>brown</b> <b>fox</b>; über alles]
    fox dog          
    'quick brown'    five [five
    &gt;=x
    0
    2.0.0
    The <b>quick</b> <b>brown</b> fox; über alles]
    'brown quick'    
    bro*             five [five
    &gt;=x
    0
    2.0.0
    The quick <b>brown</b> fox; über alles] six [six
    A slow <b>brown</b> dog]
    brown -dog       five [five
    &gt;=x
    0
    2.0.0
    The quick <b>brown</b> fox; über alles]
    uber             five [five
    &gt;=x
    0
    2.0.0
    The quick brown fox; <b>über</b> alles]
    über             five [five
    &gt;=x
    0
    2.0.0
    The quick brown fox; <b>über</b> alles]
    red              one [one
    <b>red</b>
    1
    2024-01-31
    1.2
    x
    y] two [two
    dark <b>red</b>
    2.5
    2024-02-01T12:00:00+02:00
    1.10]
    1.10             two [two
    dark red
    2.5
    2024-02-01T12:00:00+02:00
    <b>1</b>.<b>10</b>]
    absent           
    -brown           four [none] one [none] three [none] two [none]
    AND              
    name:one         
    brown'           five [five
    &gt;=x
    0
    2.0.0
    The quick <b>brown</b> fox; über alles] six [six
    A slow <b>brown</b> dog]
    a:b AND (c OR    
    ~2               five [five
    &gt;=x
    0
    <b>2</b>.0.0
    The quick brown fox; über alles] four [four
    a|b*
    1e+20
    1969-07-20T20:17:40Z
    <b>2</b>.0.0
    1
    9] one [one
    red
    1
    2024-01-31
    1.<b>2</b>
    x
    y] two [two
    dark red
    <b>2</b>.5
    2024-02-01T12:00:00+02:00
    1.10]
    2024             one [one
    red
    1
    <b>2024</b>-01-31
    1.2
    x
    y] three [three
    a,b
    -3
    <b>2024</b>-02-01T11:00:00Z
    v2.0.0-rc.1
    y] two [two
    dark red
    2.5
    <b>2024</b>-02-01T12:00:00+02:00
    1.10]
    ");
    // Where there is no word, there is nothing to look for.
    for signs in ["*", "(", "\"", "+", "/.*/", "-", "\" . \"", "-*", &"x".repeat(200)] {
        let answer = ann.get(&format!("/api/v1/gadgets?q={}", signs.replace('+', "%2B"))).await.expect(400).json();
        assert!(answer["message"].as_str().is_some_and(|text| text.contains("give words")), "{signs}: {answer}");
    }
    // By relevance unless told otherwise, together with conditions.
    assert_eq!(ann.get("/api/v1/gadgets?q=brown&where=name:six").await.json()["_meta"]["count"], 1);
    // Text that looks like markup is shown as text.
    gadget(&ann, json!({ "name": "evil", "notes": "<script>alert(1)</script> marvellous" })).await;
    let snippet = ann.get("/api/v1/gadgets?q=marvellous").await.json()["gadgets"][0]["snippet"].clone();
    insta::assert_snapshot!(snippet.as_str().expect("a snippet"), @"
    evil
    &lt;script&gt;alert(1)&lt;/script&gt; <b>marvellous</b>
    ");
    // What changed is found anew and no more by its old words.
    ann.at("*").patch("/api/v1/gadgets/six", json!({ "notes": "A slow blue cat" })).await.expect(200);
    assert_eq!(names(&ann, "/api/v1/gadgets?q=brown").await, "five");
    assert_eq!(names(&ann, "/api/v1/gadgets?q=blue").await, "six");
    app.finish().await;
}

#[tokio::test]
async fn hostile_queries_end_soon() {
    let (app, ann) = shelf().await;
    let terms = |many: usize| vec!["name:x"; many].join(",");
    let alternatives = |many: usize| format!("name:{}", vec!["x"; many].join("|"));
    let nested = "a".repeat(30) + "!";
    for (query, status) in [
        (format!("where={}", terms(9_000)), 400),
        (format!("where={}", terms(200)), 200),
        (format!("where={}", terms(201)), 400),
        (format!("where={}", alternatives(4_000)), 200),
        (format!("where={}", alternatives(5_000)), 400),
        (format!("where=name:{}", "x*|".repeat(2_000)), 200),
        ("where=name:*".into(), 200),
        ("where=name:*x".into(), 200),
        ("where=name:(a%2B)%2B$".into(), 200),
        (format!("where=name:{nested}"), 200),
        (format!("where=name:{}*", "x".repeat(1_001)), 400),
        (format!("q={}", "x* ".repeat(2_000)), 200),
        (format!("q={}", "x".repeat(9_000)), 400),
        (format!("sort={}", vec!["name"; 5_000].join(",")), 200),
        (format!("facets={}", vec!["name"; 5_000].join(",")), 200),
        (format!("fields={}", vec!["name"; 5_000].join(",")), 200),
        (format!("embed={}", vec!["parts"; 40].join(".")), 400),
        ("offset=1000000000&limit=1000".into(), 200),
        (format!("{}=1", "x".repeat(10_000)), 400),
    ] {
        let shown: String = query.chars().take(60).collect();
        let started = std::time::Instant::now();
        let answer = ann.get(&format!("/api/v1/gadgets?{query}")).await;
        assert_eq!(answer.status, status, "{shown}: {:.300}", answer.text());
        assert!(started.elapsed().as_secs() < 10, "{shown}: {:?}", started.elapsed());
    }
    // Links that multiply at each step.
    for name in ["hub", "spoke"] {
        gadget(&ann, json!({ "name": name, "parts": vec![json!({ "name": "hub" }); 50] })).await;
    }
    for (depth, status) in [(1, 200), (2, 200), (3, 400), (8, 400)] {
        let address = format!("/api/v1/gadgets/spoke?embed={}", vec!["parts"; depth].join("."));
        assert_eq!(ann.get(&address).await.status, status, "{depth}");
    }
    ann.at("*").put("/api/v1/gadgets/hub", json!({ "name": "hub" })).await.expect(200);
    ann.at("*").delete("/api/v1/gadgets/spoke").await.expect(204);
    // A percent sign that encodes no UTF-8 is text like any other.
    ann.get("/api/v1/gadgets?where=name:%ff").await.expect(200);
    ann.get("/api/v1/gadgets?where=name:%00").await.expect(200);
    app.finish().await;
}
