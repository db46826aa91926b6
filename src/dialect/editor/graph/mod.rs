//! A service's picture: what it is made of, what is joined to what, and the ways of its traffic.

mod columns;
mod draw;
mod given;
mod line;
mod place;
mod scene;
mod text;

#[cfg(test)]
mod tests;

use serde_json::Value;

use self::scene::Scene;
use super::topology::Topology;

/// The picture as SVG. `meta` is what the editor keeps beside the descriptor: nodes stand where its
/// `positions` say, in a layout of our own where it has none. The same input gives the same bytes.
pub(super) fn svg(title: &str, topology: &Topology, meta: &Value) -> String {
    let mut scene = Scene::of(topology, meta);
    let mut placed = if given::is_given(&scene) { given::place(&mut scene) } else { place::place(&mut scene) };
    placed.separate(&scene);
    draw::svg(&scene, &placed, title, &about(topology))
}

/// The picture in words.
fn about(topology: &Topology) -> String {
    let list = |names: Vec<&String>, one: &str, many: &str| {
        let count = names.len();
        let mut shown: Vec<String> = names.iter().take(12).map(|name| text::short(name, 60)).collect();
        if count > shown.len() {
            shown.push("and others".to_owned());
        }
        let word = if count == 1 { one } else { many };
        if count == 0 { format!("no {many}") } else { format!("{count} {word} ({})", shown.join(", ")) }
    };
    let paths = topology.graphs.iter().flat_map(|graph| &graph.paths).map(|path| &path.id).collect();
    format!(
        "A network service with {}, {}, {} and {}.",
        list(topology.parts.iter().map(|part| &part.id).collect(), "function", "functions"),
        list(topology.points.iter().map(|point| &point.id).collect(), "connection point", "connection points"),
        list(topology.links.iter().map(|link| &link.id).collect(), "virtual link", "virtual links"),
        list(paths, "forwarding path", "forwarding paths"),
    )
}
