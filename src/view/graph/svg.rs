//! A picture: processes on the left, objects on the right, and lines between them.

use std::collections::HashMap;
use std::fmt::Write;

use crate::data::{Graph, Node};
use crate::view::escape::one_line;

/// Between two rows.
const ROW: usize = 44;
/// Of a box.
const HEIGHT: usize = 26;
/// Of a character, about.
const LETTER: usize = 8;
/// Between the two columns, where the lines and their labels are.
const GAP: usize = 360;
const MARGIN: usize = 20;

/// Where a node stands.
struct Place {
    x: usize,
    y: usize,
    width: usize,
}

/// The picture as a document.
pub fn svg(graph: &Graph) -> String {
    let places = places(&graph.nodes);
    let end = |p: &Place| (p.x + p.width, p.y + HEIGHT);
    let width = places.iter().map(|p| end(p).0).max().unwrap_or(0) + MARGIN;
    let height = places.iter().map(|p| end(p).1).max().unwrap_or(0) + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"monospace\" font-size=\"13\">\n\
         <defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto-start-reverse\"><path d=\"M0 0 8 4 0 8z\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    lines(&mut out, graph, &places);
    for (node, Place { x, y, width }) in graph.nodes.iter().zip(&places) {
        let (round, fill) = if node.is_process {
            (2, "#e8f0fe")
        } else {
            (13, "#fef7e0")
        };
        let (text_x, text_y) = (x + width / 2, y + 18);
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"{round}\" \
             fill=\"{fill}\" stroke=\"black\"/>\
             <text x=\"{text_x}\" y=\"{text_y}\" text-anchor=\"middle\">{}</text>",
            escaped(&node.label)
        );
    }
    out.push_str("</svg>\n");
    out
}

fn places(nodes: &[Node]) -> Vec<Place> {
    let width = |node: &Node| node.label.chars().count() * LETTER + 20;
    let left = nodes.iter().filter(|n| n.is_process).map(width).max();
    let right = MARGIN + left.unwrap_or(0) + GAP;
    let mut rows = [0, 0];
    let place = |node: &Node| {
        let row = &mut rows[usize::from(node.is_process)];
        *row += 1;
        Place {
            x: if node.is_process { MARGIN } else { right },
            y: MARGIN + (*row - 1) * ROW,
            width: width(node),
        }
    };
    nodes.iter().map(place).collect()
}

/// Several lines between two nodes are drawn below each other.
fn lines(out: &mut String, graph: &Graph, places: &[Place]) {
    let mut drawn: HashMap<(usize, usize), usize> = HashMap::new();
    for edge in graph.edges() {
        let pair = (edge.from.min(edge.to), edge.from.max(edge.to));
        let before = drawn.entry(pair).or_default();
        let (process, object) = match graph.nodes[edge.from].is_process {
            true => (&places[edge.from], &places[edge.to]),
            false => (&places[edge.to], &places[edge.from]),
        };
        let down = 6 + *before * 14 % HEIGHT;
        *before += 1;
        let (x1, y1) = (process.x + process.width, process.y + down);
        let (x2, y2) = (object.x, object.y + down);
        let end = match graph.nodes[edge.from].is_process {
            true => "marker-end",
            false => "marker-start",
        };
        let style = match edge.waits {
            true => "stroke=\"#c5221f\" stroke-dasharray=\"5 4\"",
            false => "stroke=\"black\"",
        };
        // Near the process, where lines are apart.
        let (x, y) = (
            x1 + (x2 - x1) / 4,
            y1 as isize + (y2 as isize - y1 as isize) / 4 - 4,
        );
        let _ = writeln!(
            out,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" {style} {end}=\"url(#a)\"/>\
             <text x=\"{x}\" y=\"{y}\" font-size=\"11\">{}</text>",
            escaped(&edge.label)
        );
    }
}

fn escaped(text: &str) -> String {
    let text = one_line(text).replace('&', "&amp;");
    text.replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
