//! Lists: filters on every type, and what is wrong with a query.

use serde_json::json;

use super::own_kind::{gadget, with_gadgets};
use super::samples::names;
use crate::support::{Client, TestApp};

/// Six gadgets: values of every type, equal ones, missing ones, several in one field.
pub(super) async fn shelf() -> (TestApp, Client) {
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
