use serde_json::{Value, json};

use super::{Neighbour, Subject, check};
use crate::resource::document::{self, Format};

const FUNCTION: &str = "{connection_points: [{id: 'vnf:mgmt'}, {id: in}, {id: out}]}";

fn neighbour(uid: &str) -> Option<Neighbour> {
    let descriptor = document::parse(Format::Yaml, FUNCTION.as_bytes()).expect("it is a document");
    Some(Neighbour { uid: uid.into(), descriptor, is_local: true, violations: 0, circle: None })
}

fn findings_with(text: &str, neighbours: &[Option<Neighbour>]) -> Value {
    let descriptor = document::parse(Format::Yaml, text.as_bytes()).expect("the descriptor is a document");
    check(&Subject { descriptor: &descriptor, text, format: Format::Yaml, violations: &[], neighbours })
}

/// `severity code line:column message` of a service with two functions `a` and `b`.
fn findings(text: &str) -> Vec<String> {
    let whole = format!("network_functions: [{{vnf_id: a}}, {{vnf_id: b}}]\n{text}");
    let found = findings_with(&whole, &[neighbour("v:a:1"), neighbour("v:b:1")]);
    let shown = |f: &Value| {
        let text = |key: &str| f[key].as_str().expect("a text").to_owned();
        format!("{} {} {}:{} {}", text("severity"), text("code"), f["line"], f["column"], text("message"))
    };
    found["findings"].as_array().expect("a list").iter().map(shown).filter(|f| !f.contains(" unused-point ")).collect()
}

const LINKED: &str = "\
connection_points: [{id: 'ns:in'}, {id: out}]
virtual_links:
  - {id: l1, connectivity_type: E-Line, connection_points_reference: ['ns:in', 'a:in']}
  - {id: l2, connectivity_type: E-Line, connection_points_reference: ['a:out', 'b:in']}
  - {id: l3, connectivity_type: E-Line, connection_points_reference: ['b:out', out]}
  - {id: lan, connectivity_type: E-LAN, connection_points_reference: ['a:mgmt', 'b:mgmt']}
";

fn with_path(stops: &[(&str, i64)]) -> String {
    let mut text = format!(
        "{LINKED}forwarding_graphs:\n  - fg_id: g\n    number_of_endpoints: 2\n    number_of_virtual_links: 3\n    \
         network_forwarding_paths:\n      - fp_id: p\n        connection_points:\n"
    );
    for (reference, position) in stops {
        text += &format!("          - {{connection_point_ref: '{reference}', position: {position}}}\n");
    }
    text
}

const ALONG: [(&str, i64); 6] = [("ns:in", 1), ("a:in", 2), ("a:out", 3), ("b:in", 4), ("b:out", 5), ("out", 6)];

#[test]
fn a_whole_service_has_no_findings() {
    assert_eq!(findings(&with_path(&ALONG)), Vec::<String>::new());
}

#[test]
fn links_join_what_is_there() {
    let text = "\
connection_points: [{id: in}, {id: in}]
virtual_links:
  - {id: l1, connectivity_type: E-Line, connection_points_reference: [inn, 'a:in']}
  - {id: l1, connectivity_type: E-Line, connection_points_reference: ['a:outt', 'bb:in', 'b:in']}
  - {id: l2, connectivity_type: E-LAN, connection_points_reference: ['b:out', 'b:out']}
  - {id: l3, connectivity_type: E-LAN, connection_points_reference: []}
  - {vl_group: g, vl_name: n, vl_version: '1'}
";
    insta::assert_snapshot!(findings(text).join("\n"), @r#"
    error duplicate-id 2:32 the connection point "in" is there already, at /connection_points/0
    warning disconnected 3:1 the network falls into parts that nothing joins: "a | b"
    error unknown-point 4:71 "inn" is no connection point of the service, nor vnf_id:point of one of its functions: did you mean "in"?
    error duplicate-id 5:6 the virtual link "l1" is there already, at /virtual_links/0
    error link-points 5:41 the E-Line "l1" joins 3 points: it takes exactly two
    error unknown-point 5:71 "a" has no connection point as in "a:outt": did you mean "a:out"?
    error unknown-point 5:81 "bb:in" is no connection point of the service, nor vnf_id:point of one of its functions
    warning duplicate-reference 6:79 the link "l2" names "b:out" twice
    note link-points 7:40 the link "l3" joins nothing yet
    "#);
}

#[test]
fn paths_go_over_links() {
    let gap = [("ns:in", 1), ("a:in", 2), ("a:out", 2), ("b:on", 7)];
    let round = [("ns:in", 1), ("a:in", 2), ("a:out", 3), ("b:in", 4), ("b:mgmt", 5), ("a:mgmt", 6), ("a:in", 7)];
    let all = [
        findings(&with_path(&[("ns:in", 1), ("a:in", 2), ("b:in", 3)])),
        findings(&with_path(&gap)),
        findings(&with_path(&round)),
    ];
    insta::assert_snapshot!(all.map(|found| found.join("\n")).join("\n--\n"), @r#"
    warning odd-path 13:9 the path "p" has an odd number of points, 3: the SDK takes them in pairs, each joined by a link
    error broken-path 17:13 the path "p" cannot go from "a:in" to "b:in": no virtual link joins them
    --
    warning position-gap 13:9 the path "p" has no position between 2 and 7
    error duplicate-position 17:45 position 2 is taken already, at /forwarding_graphs/0/network_forwarding_paths/0/connection_points/1: the order is not clear
    error unknown-point 18:14 "b" has no connection point as in "b:on": did you mean "b:in"?
    --
    warning odd-path 13:9 the path "p" has an odd number of points, 7: the SDK takes them in pairs, each joined by a link
    warning round 20:13 the path "p" comes back to "a"
    "#);
}

#[test]
fn what_a_graph_says_of_itself_is_counted() {
    let text = with_path(&ALONG).replace(
        "number_of_virtual_links: 3",
        "number_of_virtual_links: 4\n    constituent_virtual_links: [l1, l2, lx]\n    constituent_vnfs: [a, c]",
    );
    insta::assert_snapshot!(findings(&text).join("\n"), @r#"
    warning count 11:5 number_of_virtual_links is 4, but there are 3 constituent virtual links
    warning unlisted 12:5 a path goes over the link "l3", which is not listed
    error unknown-link 12:41 there is no virtual link "lx"
    warning unlisted 13:5 a path goes through "b", which is not listed
    warning unknown-part 13:27 "c" is the id of no function or service of this one
    "#);
}

#[test]
fn networks_that_fall_apart() {
    let text = "\
connection_points: [{id: in}, {id: out}]
virtual_links:
  - {id: l1, connectivity_type: E-Line, connection_points_reference: [in, 'a:in']}
  - {id: l2, connectivity_type: E-Line, connection_points_reference: [out, 'b:in']}
";
    insta::assert_snapshot!(findings(text).join("\n"), @r#"
    warning disconnected 3:1 the network falls into parts that nothing joins: "in, a | out, b"
    "#);
}

#[test]
fn references_lead_somewhere() {
    let text = "\
network_functions:
  - {vnf_id: a, vnf_vendor: v, vnf_name: n, vnf_version: '>= 2'}
  - {vnf_id: a, vnf_vendor: v, vnf_name: m, vnf_version: '1'}
network_services:
  - {ns_id: s, ns_vendor: v, ns_name: t, ns_version: '1'}
";
    let mut circular = neighbour("v:t:1").expect("a neighbour");
    circular.circle = Some(vec!["v:t:1".into(), "v:u:1".into(), "v:t:1".into()]);
    circular.is_local = false;
    circular.violations = 3;
    let found = findings_with(text, &[None, neighbour("v:m:1"), Some(circular)]);
    insta::assert_json_snapshot!(found, @r#"
    {
      "valid": false,
      "errors": 4,
      "warnings": 0,
      "notes": 3,
      "findings": [
        {
          "severity": "error",
          "code": "unresolved",
          "pointer": "/network_functions/0",
          "line": 2,
          "column": 5,
          "message": "there is no function \"v:n:>= 2\" in the project or in the workspace's private catalogue: create or publish it, or change the entry"
        },
        {
          "severity": "note",
          "code": "isolated",
          "pointer": "/network_functions/1",
          "line": 3,
          "column": 5,
          "message": "no virtual link leads to \"a\""
        },
        {
          "severity": "error",
          "code": "duplicate-id",
          "pointer": "/network_functions/1/vnf_id",
          "line": 3,
          "column": 6,
          "message": "vnf_id \"a\" is also that of /network_functions/0: references to it are ambiguous"
        },
        {
          "severity": "error",
          "code": "circle",
          "pointer": "/network_services/0",
          "line": 5,
          "column": 5,
          "message": "services contain themselves: \"v:t:1 → v:u:1 → v:t:1\""
        },
        {
          "severity": "error",
          "code": "invalid-reference",
          "pointer": "/network_services/0",
          "line": 5,
          "column": 5,
          "message": "the service \"v:t:1\" breaks its schema in 3 places"
        },
        {
          "severity": "note",
          "code": "isolated",
          "pointer": "/network_services/0",
          "line": 5,
          "column": 5,
          "message": "no virtual link leads to \"s\""
        },
        {
          "severity": "note",
          "code": "from-catalogue",
          "pointer": "/network_services/0",
          "line": 5,
          "column": 5,
          "message": "the service \"v:t:1\" is taken from the workspace's private catalogue"
        }
      ]
    }
    "#);
}

#[test]
fn the_worst_is_shown_of_very_many() {
    let links: Vec<String> = (0..500).map(|_| "{id: l, connection_points_reference: [x]}".to_owned()).collect();
    let text = format!("virtual_links: [{}]\nforwarding_graphs: 7\nconnection_points: {{a: b}}", links.join(", "));
    let found = findings_with(&text, &[]);
    assert_eq!(found["findings"].as_array().map(Vec::len), Some(200));
    assert_eq!(found["errors"], 999);
    assert_eq!(found["notes"], 500);
    assert!(found["findings"].as_array().is_some_and(|all| all.iter().all(|f| f["severity"] == "error")));
    assert_eq!(findings_with("[]", &[])["valid"], json!(true));
}
