//! Lists: filters on every type, order, pages, facets, words.

use serde_json::{Value, json};

use super::own_kind::{gadget, with_gadgets};
use super::samples::names;
use crate::support::{Client, TestApp};

/// Six gadgets: values of every type, equal ones, missing ones, several in one field.
async fn shelf() -> (TestApp, Client) {
    let app = with_gadgets().await;
    let ann = app.as_user("ann");
    for content in [
        json!({ "name": "one", "colour": "red", "weight": 1, "made": "2024-01-31", "spare": true, "release": "1.2", "tags": ["x", "y"] }),
        json!({ "name": "two", "colour": "dark red", "weight": 2.5, "made": "2024-02-01T12:00:00+02:00", "spare": false, "release": "1.10" }),
        json!({ "name": "three", "colour": "a,b", "weight": -3, "made": "2024-02-01T11:00:00Z", "spare": false, "release": "v2.0.0-rc.1", "tags": ["y"] }),
        json!({ "name": "four", "colour": "a|b*", "weight": 1e20, "made": "1969-07-20T20:17:40Z", "spare": true, "release": "2.0.0", "sizes": [{ "cm": 1 }, { "cm": 9 }] }),
        json!({ "name": "five", "colour": ">=x", "weight": 0, "release": "2.0.0", "notes": "The quick brown fox; über alles" }),
        json!({ "name": "six", "notes": "A slow brown dog" }),
    ] {
        gadget(&ann, content).await;
    }
    (app, ann)
}

#[tokio::test]
async fn filters_speak_every_type() {
    let (app, ann) = shelf().await;
    let mut shown = String::new();
    for condition in [
        // Keywords: the whole text, in its case.
        "colour:red",
        "colour:Red",
        "colour:!red",
        "colour:red|dark red",
        "colour:!red|dark red",
        "colour:r*",
        "colour:r*|d*",
        "colour:!d*",
        "colour:>=b",
        "colour:<b",
        "colour:",
        "name:one",
        "tag:y",
        "tag:!x",
        "tag:x|y",
        // Quoted values are literal.
        "colour:\"a,b\"",
        "colour:\"a|b*\"",
        "colour:\">=x\"",
        "colour:\"red\"|\"a,b\"",
        "name:\"o*\"",
        // Numbers.
        "weight:1",
        "weight:1.0",
        "weight:>1",
        "weight:>=1",
        "weight:<1",
        "weight:<=1",
        "weight:-3",
        "weight:!1",
        "weight:1|2.5",
        "weight:>1e19",
        "weight:-0",
        "size:9",
        "size:<5",
        "size:<9",
        "tag:<y",
        "tag:<x",
        "size:>5",
        "size:>=9",
        "size:<1",
        // Dates: a day is its first moment.
        "made:2024-01-31",
        "made:>=2024-02-01",
        "made:<2024-02-01",
        "made:2024-02-01T10:00:00Z",
        "made:>2024-02-01T10:00:00Z",
        "made:<1970-01-01",
        "made:2024-02-01T11:00:00",
        // Booleans; none is neither.
        "spare:true",
        "spare:false",
        "spare:!true",
        "spare:TRUE",
        // Versions by their parts.
        "release:1.10",
        "release:1.1",
        "release:>=1.3",
        "release:<2.0.0",
        "release:>=2.0.0",
        "release:>1.10",
        "release:2.0.0|1.2",
        "release:!2.0.0",
        // What every document has.
        "path:gadgets/a/o*",
        "workspace:ann/lab",
        "workspace:bob/lab",
        "violations:0",
        "violations:>0",
        "created_at:>=2020-01-01",
        "room:a",
        "room:b",
        "id:1",
        // All must hold.
        "spare:true,weight:1",
        "weight:>=0,weight:<=2",
        "colour:\"a,b\",name:three",
        " name : one ",
        "name:one,,",
    ] {
        let condition_shown = condition.replace('"', "'");
        let answer = ann.get(&format!("/api/v1/gadgets?where={condition}&fields=name")).await;
        let found = match answer.status {
            200 => names(&ann, &format!("/api/v1/gadgets?where={condition}&fields=name")).await,
            status => format!("{status} {}", answer.json()["message"].as_str().expect("a message").replace('"', "'")),
        };
        shown += &format!("{condition_shown:30} {found}\n");
    }
    insta::assert_snapshot!(shown, @"
    colour:red                     one
    colour:Red                     
    colour:!red                    two three four five six
    colour:red|dark red            one two
    colour:!red|dark red           three four five six
    colour:r*                      one
    colour:r*|d*                   one two
    colour:!d*                     one three four five six
    colour:>=b                     one two
    colour:<b                      three four five
    colour:                        
    name:one                       one
    tag:y                          one three
    tag:!x                         two three four five six
    tag:x|y                        one three
    colour:'a,b'                   three
    colour:'a|b*'                  four
    colour:'>=x'                   five
    colour:'red'|'a,b'             one three
    name:'o*'                      
    weight:1                       one
    weight:1.0                     one
    weight:>1                      two four
    weight:>=1                     one two four
    weight:<1                      three five
    weight:<=1                     one three five
    weight:-3                      three
    weight:!1                      two three four five six
    weight:1|2.5                   one two
    weight:>1e19                   four
    weight:-0                      five
    size:9                         four
    size:<5                        four
    size:<9                        four
    tag:<y                         one
    tag:<x                         
    size:>5                        four
    size:>=9                       four
    size:<1                        
    made:2024-01-31                one
    made:>=2024-02-01              two three
    made:<2024-02-01               one four
    made:2024-02-01T10:00:00Z      two
    made:>2024-02-01T10:00:00Z     three
    made:<1970-01-01               four
    made:2024-02-01T11:00:00       three
    spare:true                     one four
    spare:false                    two three
    spare:!true                    two three five six
    spare:TRUE                     one four
    release:1.10                   two
    release:1.1                    
    release:>=1.3                  two three four five
    release:<2.0.0                 one two three
    release:>=2.0.0                four five
    release:>1.10                  three four five
    release:2.0.0|1.2              one four five
    release:!2.0.0                 one two three six
    path:gadgets/a/o*              one
    workspace:ann/lab              one two three four five six
    workspace:bob/lab              
    violations:0                   one two three four five six
    violations:>0                  
    created_at:>=2020-01-01        one two three four five six
    room:a                         one two three four five six
    room:b                         
    id:1                           
    spare:true,weight:1            one
    weight:>=0,weight:<=2          one five
    colour:'a,b',name:three        three
     name : one                    
    name:one,,                     one
    ");
    app.finish().await;
}

#[tokio::test]
async fn what_is_malformed_is_refused_with_what_is_valid() {
    let (app, ann) = shelf().await;
    let mut shown = String::new();
    for query in [
        "where=weight:heavy",
        "where=weight:",
        "where=weight:>",
        "where=weight:NaN",
        "where=weight:1*",
        "where=made:yesterday",
        "where=made:2024-13-01",
        "where=spare:yes",
        "where=spare:tr*",
        "where=release:1*",
        "where=violations:x",
        "where=created_at:x",
        "where=noColon",
        "where=:x",
        "where=\"name:x",
        "where=name:x&where=name:y",
        "limit=-1",
        "limit=1001",
        "limit=9223372036854775808",
        "limit=1.5",
        "limit=",
        "offset=-1",
        "offset=1000000001",
        "after=x",
        "after=",
        "q=brown&after=W10",
        "dry_run=true",
        "embed=nothing",
    ] {
        let answer = ann.get(&format!("/api/v1/gadgets?{query}")).await;
        let text = answer.json()["message"].as_str().unwrap_or("none").replace('"', "'");
        shown += &format!("{:35} {} {text}\n", query.replace('"', "'"), answer.status);
    }
    insta::assert_snapshot!(shown, @"
    where=weight:heavy                  400 where: weight: 'heavy' is not a number
    where=weight:                       400 where: weight: '' is not a number
    where=weight:>                      400 where: weight: '' is not a number
    where=weight:NaN                    400 where: weight: 'NaN' is not a number
    where=weight:1*                     400 where: weight is a number, which has no prefixes: compare with >= and <=
    where=made:yesterday                400 where: made: 'yesterday' is not a date such as 2026-11-21 or 2026-11-21T18:00:00Z
    where=made:2024-13-01               400 where: made: '2024-13-01' is not a date such as 2026-11-21 or 2026-11-21T18:00:00Z
    where=spare:yes                     400 where: spare: 'yes' is not true or false
    where=spare:tr*                     400 where: spare is a boolean, which has no prefixes: compare with >= and <=
    where=release:1*                    400 where: release is a version, which has no prefixes: compare with >= and <=
    where=violations:x                  400 where: violations: 'x' is not a whole number
    where=created_at:x                  400 where: created_at: 'x' is not a date such as 2026-11-21 or 2026-11-21T18:00:00Z
    where=noColon                       400 where: 'noColon' is not of the form field:value
    where=:x                            400 where: a gadget has no field ''
    where='name:x                       400 where: a double quote is not closed; write two for one inside quotes
    where=name:x&where=name:y           400 the parameter 'where' is given twice
    limit=-1                            400 limit is '-1': write a whole number from 0 to 1000
    limit=1001                          400 limit is 1001: at most 1000 is possible
    limit=9223372036854775808           400 limit is 9223372036854775808: at most 1000 is possible
    limit=1.5                           400 limit is '1.5': write a whole number from 0 to 1000
    limit=                              400 limit is '': write a whole number from 0 to 1000
    offset=-1                           400 offset is '-1': write a whole number from 0 to 1000000000
    offset=1000000001                   400 offset is 1000000001: at most 1000000000 is possible
    after=x                             400 after= is not a cursor of this list: take it from _meta.next of the same sort
    after=                              400 after= is not a cursor of this list: take it from _meta.next of the same sort
    q=brown&after=W10                   400 after= needs an order that does not drift: give sort= beside q=
    dry_run=true                        400 unknown parameter 'dry_run'
    embed=nothing                       400 a gadget has no link 'nothing' to embed
    ");
    let valid = json!([
        "id",
        "workspace",
        "path",
        "etag",
        "created_at",
        "updated_at",
        "violations",
        "room",
        "name",
        "colour",
        "weight",
        "made",
        "spare",
        "release",
        "tag",
        "size"
    ]);
    for (query, key) in [
        ("where=depth:1", "valid_where_keys"),
        ("sort=depth", "valid_sort_keys"),
        ("sort=-/tags/0", "valid_sort_keys"),
        ("facets=depth", "valid_facets"),
    ] {
        let answer = ann.get(&format!("/api/v1/gadgets?{query}")).await.expect(400);
        assert_eq!(answer.json()["payload"][key], valid, "{query}");
    }
    insta::assert_snapshot!(ann.get("/api/v1/gadgets?colour=red").await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "unknown parameter \"colour\"",
      "status_code": 400,
      "payload": {
        "valid_parameters": [
          "where",
          "q",
          "sort",
          "limit",
          "offset",
          "after",
          "embed",
          "fields",
          "facets"
        ]
      }
    }
    "#);
    insta::assert_snapshot!(ann.get("/api/v1/gadgets?embed=depth").await.shown(), @r#"
    400
    vary: accept-encoding
    {
      "message": "a gadget has no link \"depth\" to embed",
      "status_code": 400,
      "payload": {
        "valid_embeds": [
          "parts",
          "box"
        ]
      }
    }
    "#);
    app.finish().await;
}

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
        "made",
        "-made",
        "spare,name",
        "-spare,-name",
        "release,name",
        "-release,name",
        "colour",
        "size",
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
    made                 four one two three five six
    -made                five six three two one four
    spare,name           three two four one five six
    -spare,-name         six five one four two three
    release,name         one two three five four six
    -release,name        six five four three two one
    colour               five three four two one six
    size                 four two one three five six
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
        "*",
        "AND",
        "name:one",
        "(",
        "\"",
        "brown\"",
        "a:b AND (c OR",
        "+",
        "/.*/",
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
    *                five [none] four [none] one [none] six [none] three [none] two [none]
    AND              
    name:one         
    (                five [none] four [none] one [none] six [none] three [none] two [none]
    '                five [none] four [none] one [none] six [none] three [none] two [none]
    brown'           five [five
    &gt;=x
    0
    2.0.0
    The quick <b>brown</b> fox; über alles] six [six
    A slow <b>brown</b> dog]
    a:b AND (c OR    
    +                five [none] four [none] one [none] six [none] three [none] two [none]
    /.*/             five [none] four [none] one [none] six [none] three [none] two [none]
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
        (format!("facets={}", vec!["name"; 5_000].join(",")), 400),
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
    // A percent sign that encodes no UTF-8 is text like any other.
    ann.get("/api/v1/gadgets?where=name:%ff").await.expect(200);
    ann.get("/api/v1/gadgets?where=name:%00").await.expect(200);
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
