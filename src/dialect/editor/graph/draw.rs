//! The picture as SVG 1.1, with nothing in it that a browser would run or fetch.

use std::fmt::Write as _;

use super::line::{Line, Pt, n};
use super::place::{Placed, WIRE_TEXT};
use super::scene::{HEAD, Node, PORT_CHARS, PORT_TEXT, Scene, Shape, Side, Step};
use super::text::{escaped, short, width};

/// Most characters of a link's name on its wire.
pub(super) const WIRE_CHARS: usize = 22;

/// Dark enough for white ground (contrast of at least 4.5), told apart by most eyes.
const COLOURS: [&str; 8] = ["#0b63b0", "#b8390e", "#157a3c", "#7a2fb5", "#b01a76", "#0d6f6b", "#8a5a00", "#4a5568"];
const MARGIN: f64 = 28.0;
const TOP: f64 = 62.0;
const LEGEND_ROW: f64 = 22.0;
/// How far apart routes over the same wire are.
const LANE: f64 = 4.5;

/// The whole picture. `title` and `about` are for people and for screen readers.
pub(super) fn svg(scene: &Scene, placed: &Placed, title: &str, about: &str) -> String {
    let (low, high) = bounds(scene, placed);
    let heading = width(&short(title, 90), 17.0);
    let longest = legend(scene).iter().map(|(_, text)| width(text, 12.0) + 60.0).fold(heading, f64::max);
    let wide = (high.x - low.x).max(longest) + 2.0 * MARGIN;
    let rows = legend(scene).len();
    let tall = TOP + (high.y - low.y) + MARGIN + if rows > 0 { 22.0 + rows as f64 * LEGEND_ROW } else { 0.0 };
    let mut out = String::with_capacity(16 << 10);
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" \
         aria-labelledby=\"title about\" font-family=\"system-ui, 'DejaVu Sans', 'Segoe UI', sans-serif\" font-size=\"12\">\n\
         <title id=\"title\">{}</title>\n<desc id=\"about\">{}</desc>\n\
         <rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n\
         <text x=\"{MARGIN}\" y=\"34\" font-size=\"17\" font-weight=\"600\" fill=\"#1a202c\">{}</text>\n",
        escaped(title),
        escaped(about),
        escaped(&short(title, 90)),
        w = n(wide.ceil()),
        h = n(tall.ceil()),
    );
    let _ = writeln!(out, "<g transform=\"translate({} {})\">", n(MARGIN - low.x), n(TOP - low.y));
    for line in &placed.spokes {
        let _ = writeln!(out, "<path d=\"{}\" fill=\"none\" stroke=\"#8795a8\" stroke-width=\"1.6\"/>", line.d());
    }
    for (wire, line) in scene.wires.iter().zip(&placed.wires) {
        let _ = writeln!(
            out,
            "<path d=\"{}\" fill=\"none\" stroke=\"#5c6b7f\" stroke-width=\"1.8\"><title>{}</title></path>",
            line.d(),
            escaped(&wire.id)
        );
    }
    for node in &scene.nodes {
        shape(&mut out, node);
    }
    for (at, route) in scene.routes.iter().enumerate() {
        one_route(&mut out, scene, placed, at, &format!("{}: {}", route.name, route.way));
    }
    for (line, spoke) in placed.spokes.iter().zip(&scene.spokes) {
        if scene.nodes[spoke.hub].shape == Shape::Hub {
            dot(&mut out, line.end(), "#52617a", true);
        }
    }
    for node in &scene.nodes {
        words(&mut out, node);
    }
    for (wire, line) in scene.wires.iter().zip(&placed.wires) {
        let (at, direction) = line.at(0.5);
        let (dx, dy) = if direction.y.abs() > 0.75 { (8.0, 4.0) } else { (0.0, -9.0) };
        let anchor = if dx > 0.0 { "start" } else { "middle" };
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\" font-size=\"{WIRE_TEXT}\" fill=\"#3d4a5c\" stroke=\"#fff\" \
             stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\">{}</text>",
            n(at.x + dx),
            n(at.y + dy),
            escaped(&short(&wire.id, WIRE_CHARS))
        );
    }
    out.push_str("</g>\n");
    let y = TOP + (high.y - low.y) + 36.0;
    write_legend(&mut out, scene, y);
    out.push_str("</svg>\n");
    out
}

fn bounds(scene: &Scene, placed: &Placed) -> (Pt, Pt) {
    let lines = placed.wires.iter().chain(&placed.spokes);
    let points = lines.flat_map(|line| std::iter::once(line.start).chain(line.curves.iter().flatten().copied()));
    let corners = scene.nodes.iter().flat_map(|node| [node.at, node.at.plus(node.size.x, node.size.y)]);
    let none = (Pt::new(f64::INFINITY, f64::INFINITY), Pt::new(f64::NEG_INFINITY, f64::NEG_INFINITY));
    let (low, high) = points.chain(corners).fold(none, |(low, high), at| {
        (Pt::new(low.x.min(at.x), low.y.min(at.y)), Pt::new(high.x.max(at.x), high.y.max(at.y)))
    });
    if low.x > high.x { (Pt::default(), Pt::default()) } else { (low, high) }
}

fn shape(out: &mut String, node: &Node) {
    let (fill, line, round) = match node.shape {
        Shape::Function => ("#f4f7fb", "#34506f", 7.0),
        Shape::Service => ("#f6f3fb", "#5b4280", 7.0),
        Shape::Point => ("#fff8e6", "#8a6100", 14.0),
        Shape::Hub => ("#e8edf3", "#52617a", 6.0),
    };
    let Pt { x, y } = node.at;
    let _ = writeln!(
        out,
        "<g><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{round}\" fill=\"{fill}\" stroke=\"{line}\" stroke-width=\"1.5\"/>",
        escaped(&node.title),
        n(x),
        n(y),
        n(node.size.x),
        n(node.size.y)
    );
    if node.is_part() {
        let head = HEAD - 2.0;
        let _ = writeln!(
            out,
            "<path d=\"M{} {}h{}\" stroke=\"{line}\" stroke-opacity=\"0.35\"/>",
            n(x),
            n(y + head),
            n(node.size.x)
        );
    }
    out.push_str("</g>\n");
}

fn words(out: &mut String, node: &Node) {
    let middle = node.middle();
    let mut text = |x: f64, y: f64, anchor: &str, rest: &str, words: &str| {
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\" {rest}>{}</text>",
            n(x),
            n(y),
            escaped(words)
        );
    };
    match node.shape {
        Shape::Function | Shape::Service => {
            text(
                middle.x,
                node.at.y + 17.0,
                "middle",
                "font-size=\"13\" font-weight=\"600\" fill=\"#14202e\"",
                &node.label,
            );
            text(middle.x, node.at.y + 31.0, "middle", "font-size=\"11\" fill=\"#44546a\"", &node.caption);
            for port in &node.ports {
                let at = node.at.plus(port.at.x, port.at.y);
                let (x, y, anchor) = match port.side {
                    Side::Left => (at.x + 9.0, at.y - 3.5, "start"),
                    Side::Right => (at.x - 9.0, at.y - 3.5, "end"),
                    Side::Bottom => (at.x, at.y - 9.0, "middle"),
                };
                let style = format!("font-size=\"{PORT_TEXT}\" fill=\"#2c3a4d\"");
                text(x, y, anchor, &style, &short(&port.name, PORT_CHARS));
            }
            for port in &node.ports {
                dot(out, node.at.plus(port.at.x, port.at.y), "#34506f", port.is_linked);
            }
        }
        Shape::Point => text(middle.x, middle.y + 4.0, "middle", "font-weight=\"600\" fill=\"#4f3800\"", &node.label),
        Shape::Hub => {
            let x = node.at.x + 12.0;
            text(x, middle.y + 4.0, "start", "font-weight=\"600\" fill=\"#1f2b3d\"", &node.label);
            let x = x + width(&node.label, 12.0) + 10.0;
            text(x, middle.y + 4.0, "start", "font-size=\"11\" fill=\"#44546a\"", &node.caption);
        }
    }
}

fn dot(out: &mut String, at: Pt, colour: &str, is_full: bool) {
    let fill = if is_full { colour } else { "#fff" };
    let _ = writeln!(
        out,
        "<circle cx=\"{}\" cy=\"{}\" r=\"3.6\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.4\"/>",
        n(at.x),
        n(at.y)
    );
}

/// The look of a route: its colour and, from the ninth on, how it is broken.
fn look(route: usize) -> (&'static str, &'static str) {
    let dashes = ["", " stroke-dasharray=\"9 4\"", " stroke-dasharray=\"3 3\"", " stroke-dasharray=\"12 3 3 3\""];
    (COLOURS[route % COLOURS.len()], dashes[(route / COLOURS.len()) % dashes.len()])
}

fn one_route(out: &mut String, scene: &Scene, placed: &Placed, at: usize, about: &str) {
    let (colour, dash) = look(at);
    let count = scene.routes.len().min(COLOURS.len());
    let beside = (at % COLOURS.len()) as f64 - (count as f64 - 1.0) / 2.0;
    let shift = if count == 1 { 0.0 } else { beside * LANE };
    let mut d = String::new();
    let mut arrows = Vec::new();
    for step in &scene.routes[at].steps {
        let line = match *step {
            Step::Wire(wire, forward) => {
                let line = if forward { placed.wires[wire].clone() } else { placed.wires[wire].reversed() };
                arrows.push(line.moved(shift, shift).at(0.72));
                line
            }
            Step::Hub(one, other) => {
                let (from, to) = (&placed.spokes[one], &placed.spokes[other]);
                // Along the bar, half of its height in.
                let deep = |end: Pt| end.plus(0.0, 12.0);
                let (a, b) = (deep(from.end()), deep(to.end()));
                arrows.push(Line::from(a).to(b).moved(shift, shift).at(0.5));
                from.clone().to(a).to(b).to(to.end()).then(to.reversed())
            }
            Step::Inside(one, other) => {
                let (a, b) = (port(scene, one), port(scene, other));
                Line::from(a.0).bend(a.1, b.0, b.1)
            }
            Step::Gap(one, other) => {
                let (a, b) = (scene.nodes[one.0].middle(), scene.nodes[other.0].middle());
                let line = Line::from(a).to(b);
                let _ = writeln!(
                    out,
                    "<path d=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\" stroke-dasharray=\"2 6\"><title>{}: nothing joins these</title></path>",
                    line.d(),
                    escaped(&scene.routes[at].name)
                );
                continue;
            }
        };
        d += &line.moved(shift, shift).d();
    }
    let _ = writeln!(
        out,
        "<g><title>{}</title><path d=\"{d}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.6\" stroke-opacity=\"0.9\" \
         stroke-linecap=\"round\" stroke-linejoin=\"round\"{dash}/>",
        escaped(about)
    );
    for (tip, direction) in arrows {
        let angle = direction.y.atan2(direction.x).to_degrees();
        let _ = writeln!(
            out,
            "<path d=\"M6 0L-5 -5.5L-5 5.5Z\" transform=\"translate({} {}) rotate({})\" fill=\"{colour}\"/>",
            n(tip.x),
            n(tip.y),
            n(angle)
        );
    }
    out.push_str("</g>\n");
}

/// Where a port is, and the direction from it into its box.
fn port(scene: &Scene, plug: super::scene::Plug) -> (Pt, Pt) {
    let (at, out) = super::place::anchor(scene, plug, Side::Left);
    (at, Pt::new(-out.x, -out.y))
}

/// Rows of the legend: which route, and the text; rows without a route say what is left out.
fn legend(scene: &Scene) -> Vec<(Option<usize>, String)> {
    let mut rows: Vec<(Option<usize>, String)> = scene
        .routes
        .iter()
        .enumerate()
        .map(|(at, route)| (Some(at), format!("{}   {}", short(&route.name, 40), short(&route.way, 140))))
        .collect();
    if !scene.left_out.is_empty() {
        let mut list = scene.left_out.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
        if scene.left_out.len() > 4 {
            list += " and more";
        }
        rows.push((None, format!("Not drawn: {list}.")));
    }
    rows
}

fn write_legend(out: &mut String, scene: &Scene, top: f64) {
    for (row, (route, text)) in legend(scene).into_iter().enumerate() {
        let y = top + row as f64 * LEGEND_ROW;
        let Some(route) = route else {
            let _ =
                writeln!(out, "<text x=\"{MARGIN}\" y=\"{}\" fill=\"#44546a\">{}</text>", n(y + 4.0), escaped(&text));
            continue;
        };
        let (colour, dash) = look(route);
        let (name, way) = text.split_once("   ").unwrap_or((&text, ""));
        let _ = writeln!(
            out,
            "<path d=\"M{MARGIN} {y}h30\" stroke=\"{colour}\" stroke-width=\"3\"{dash}/><path d=\"M{x} {y}l-9 -5v10z\" fill=\"{colour}\"/>\
             <text x=\"{t}\" y=\"{b}\"><tspan font-weight=\"600\" fill=\"#14202e\">{}</tspan><tspan dx=\"10\" fill=\"#44546a\">{}</tspan></text>",
            escaped(name),
            escaped(way),
            x = n(MARGIN + 36.0),
            t = n(MARGIN + 46.0),
            b = n(y + 4.0),
            y = n(y),
        );
    }
}
