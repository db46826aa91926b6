use serde_json::{Value, json};

use super::line::Pt;
use super::scene::{Node, Scene, Shape};
use super::{given, place, svg};
use crate::dialect::editor::topology::Topology;

fn service(functions: usize, points: usize) -> Value {
    let parts: Vec<Value> = (0..functions).map(|at| json!({ "vnf_id": format!("f{at}"), "vnf_name": "n" })).collect();
    let own: Vec<Value> = (0..points).map(|at| json!({ "id": format!("p{at}") })).collect();
    let lines = (1..functions).map(|at| {
        json!({ "id": format!("l{at}"), "connectivity_type": "E-Line",
            "connection_points_reference": [format!("f{}:out", at - 1), format!("f{at}:in")] })
    });
    let all: Vec<String> = (0..functions).map(|at| format!("f{at}:mgmt")).chain(["p0".to_owned()]).collect();
    let lan = json!({ "id": "lan", "connectivity_type": "E-LAN", "connection_points_reference": all });
    let stops: Vec<Value> = (1..functions.min(20))
        .flat_map(|at| [format!("f{}:out", at - 1), format!("f{at}:in")])
        .enumerate()
        .map(|(at, point)| json!({ "connection_point_ref": point, "position": at }))
        .collect();
    json!({
        "network_functions": parts,
        "connection_points": own,
        "virtual_links": lines.chain([lan]).collect::<Vec<_>>(),
        "forwarding_graphs": [{ "fg_id": "g", "network_forwarding_paths": [{ "fp_id": "p", "connection_points": stops }] }],
    })
}

fn picture(descriptor: &Value, meta: &Value) -> String {
    svg("title", &Topology::read(descriptor, |_| None), meta)
}

/// Boxes and pills that share a place. Bars may be crossed by nothing but lines.
fn overlaps(descriptor: &Value, meta: &Value) -> Vec<(String, String)> {
    let topology = Topology::read(descriptor, |_| None);
    let mut scene = Scene::of(&topology, meta);
    if given::is_given(&scene) {
        given::place(&mut scene)
    } else {
        place::place(&mut scene)
    };
    let meets = |a: &Node, b: &Node| {
        let (Pt { x, y }, Pt { x: u, y: v }) = (a.at, b.at);
        x < u + b.size.x && u < x + a.size.x && y < v + b.size.y && v < y + a.size.y
    };
    let nodes = &scene.nodes;
    let pairs = (0..nodes.len()).flat_map(|at| (0..at).map(move |other| (&nodes[other], &nodes[at])));
    pairs.filter(|(a, b)| meets(a, b)).map(|(a, b)| (a.title.clone(), b.title.clone())).collect()
}

#[test]
fn no_boxes_overlap() {
    for (functions, points) in [(1, 1), (3, 2), (9, 4), (60, 30)] {
        let descriptor = service(functions, points);
        assert_eq!(overlaps(&descriptor, &Value::Null), [], "{functions} functions");
        let heap: Value =
            (0..functions).map(|at| (format!("f{at}"), json!([10, 10]))).collect::<serde_json::Map<_, _>>().into();
        assert_eq!(overlaps(&descriptor, &json!({ "positions": heap })), [], "{functions} functions on a heap");
    }
}

#[test]
fn positions_of_the_editor_are_used() {
    let descriptor = service(3, 1);
    let topology = Topology::read(&descriptor, |_| None);
    // Right to left, in each of the forms that it writes.
    let meta =
        json!({ "positions": { "f0": [900, 100], "f1": { "x": 500, "y": 100 }, "f2": [100.5, 100], "p0": ["a", {}] } });
    let mut scene = Scene::of(&topology, &meta);
    given::place(&mut scene);
    let x: Vec<f64> = scene.nodes.iter().filter(|node| node.is_part()).map(|node| node.at.x).collect();
    assert!(x[0] > x[1] && x[1] > x[2], "{x:?}");
    assert!(
        scene
            .nodes
            .iter()
            .filter(|node| node.is_part())
            .all(|node| (node.middle().y - scene.nodes[0].middle().y).abs() < 1.0)
    );
    for nothing in [json!({ "positions": [] }), json!([]), json!({ "positions": { "x": [1, 2] } })] {
        assert_eq!(picture(&descriptor, &nothing), picture(&descriptor, &Value::Null));
    }
}

#[test]
fn strangers_texts_stay_texts() {
    let evil = "</text><script>alert(1)</script>&\"'\u{0}\u{202e}\u{1b}\n";
    let descriptor = json!({
        "network_functions": [{ "vnf_id": evil, "vnf_vendor": evil, "vnf_name": evil, "vnf_version": evil }],
        "connection_points": [{ "id": evil }],
        "virtual_links": [
            { "id": evil, "connectivity_type": "E-Line", "connection_points_reference": [evil, format!("{evil}:{evil}")] },
            { "id": evil, "connectivity_type": evil, "connection_points_reference": [evil] },
        ],
        "forwarding_graphs": [{ "fg_id": evil, "network_forwarding_paths": [
            { "fp_id": evil, "connection_points": [{ "connection_point_ref": evil, "position": 1 }, { "connection_point_ref": format!("{evil}:{evil}") }] }
        ] }],
    });
    let svg = svg(evil, &Topology::read(&descriptor, |_| None), &Value::Null);
    assert!(
        !svg.contains("<script") && !svg.contains('\u{202e}') && !svg.contains('\u{1b}') && !svg.contains('\u{0}'),
        "{svg}"
    );
    assert!(svg.contains("&lt;script&gt;"), "{svg}");
    assert!(
        !svg.replace("&amp;", "")
            .replace("&lt;", "")
            .replace("&gt;", "")
            .replace("&quot;", "")
            .replace("&#39;", "")
            .contains('&')
    );
}

#[test]
fn hostile_sizes_are_bounded() {
    let mut large = service(3_000, 3_000);
    large["network_functions"].as_array_mut().expect("a list").push(json!({ "vnf_id": "z".repeat(100_000) }));
    let paths: Vec<Value> = (0..2_000)
        .map(|at| json!({ "fp_id": format!("q{at}"), "connection_points": large["forwarding_graphs"][0]["network_forwarding_paths"][0]["connection_points"] }))
        .collect();
    large["forwarding_graphs"][0]["network_forwarding_paths"] = paths.into();
    let svg = picture(&large, &Value::Null);
    assert!(svg.len() < 3 << 20, "{} bytes", svg.len());
    assert!(svg.contains("Not drawn: 2751 functions, 2750 connection points"), "{}", &svg[svg.len() - 600..]);
    for odd in
        [json!(null), json!([]), json!("x"), json!({ "virtual_links": {}, "network_functions": [1, "a:b:c", null] })]
    {
        assert!(picture(&odd, &json!({ "positions": { "a:b:c": [1e308, -1e308] } })).ends_with("</svg>\n"));
    }
}

#[test]
fn the_same_gives_the_same() {
    let descriptor = service(12, 3);
    assert_eq!(picture(&descriptor, &Value::Null), picture(&descriptor, &Value::Null));
}

#[test]
fn hubs_lie_below_the_boxes() {
    let topology = Topology::read(&service(4, 2), |_| None);
    let mut scene = Scene::of(&topology, &Value::Null);
    place::place(&mut scene);
    let low = scene.nodes.iter().filter(|node| node.is_part()).map(|node| node.at.y + node.size.y).fold(0.0, f64::max);
    let hubs: Vec<&Node> = scene.nodes.iter().filter(|node| node.shape == Shape::Hub).collect();
    assert!(hubs.len() == 1 && hubs[0].at.y > low);
}

#[test]
fn wires_between_the_same_points_are_told_apart() {
    let link =
        |id: &str| json!({ "id": id, "connectivity_type": "E-Line", "connection_points_reference": ["a", "f0:in"] });
    let mut descriptor = service(1, 1);
    descriptor["connection_points"] = json!([{ "id": "a" }]);
    descriptor["virtual_links"] = json!([link("there"), link("back"), link("again")]);
    let topology = Topology::read(&descriptor, |_| None);
    let mut scene = Scene::of(&topology, &Value::Null);
    let mut placed = place::place(&mut scene);
    placed.separate(&scene);
    let middles: Vec<f64> = placed.wires.iter().map(|line| line.at(0.5).0.y).collect();
    assert!(middles[1] - middles[0] > 15.0 && middles[0] - middles[2] > 15.0, "{middles:?}");
}
