//! A graph as text, for Mermaid, for Graphviz, and as a picture.

mod svg;

pub use svg::svg;

use std::fmt::Write;

use super::escape::one_line;
use crate::data::{Edge, Graph};

/// Object by object, who has it, and who waits.
pub fn text(graph: &Graph) -> String {
    let mut at: Vec<Vec<&Edge>> = vec![Vec::new(); graph.nodes.len()];
    for edge in graph.edges() {
        at[edge.from].push(edge);
        at[edge.to].push(edge);
    }
    let mut out = String::new();
    let nodes = graph.nodes.iter().enumerate().zip(at);
    for ((place, object), edges) in nodes.filter(|((_, node), _)| !node.is_process) {
        let _ = writeln!(out, "{}", one_line(&object.label));
        for edge in edges {
            let other = if edge.from == place {
                edge.to
            } else {
                edge.from
            };
            let process = one_line(&graph.nodes[other].label).into_owned();
            let arrow = match (edge.waits, edge.to == place) {
                (true, true) => "waits ",
                (true, false) => "may be with",
                (false, true) => "<-",
                (false, false) => "->",
            };
            let _ = writeln!(out, "  {arrow} {process}  {}", one_line(&edge.label));
        }
    }
    out
}

/// A flowchart of <https://mermaid.js.org>.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    for (place, node) in graph.nodes.iter().enumerate() {
        let label = quoted(&node.label, "#quot;");
        let _ = match node.is_process {
            true => writeln!(out, "  n{place}[{label}]"),
            false => writeln!(out, "  n{place}([{label}])"),
        };
    }
    for edge in graph.edges() {
        let Edge { from, to, .. } = edge;
        let label = quoted(&edge.label, "#quot;");
        let arrow = if edge.waits { "-.->" } else { "-->" };
        let _ = writeln!(out, "  n{from} {arrow}|{label}| n{to}");
    }
    out
}

/// The language of Graphviz: `dot -Tsvg`.
pub fn dot(graph: &Graph) -> String {
    let mut out = String::from("digraph ipc {\n  rankdir=LR;\n");
    for (place, node) in graph.nodes.iter().enumerate() {
        let shape = if node.is_process { "box" } else { "ellipse" };
        let label = quoted(&node.label.replace('\\', "\\\\"), "\\\"");
        let _ = writeln!(out, "  n{place} [shape={shape} label={label}];");
    }
    for edge in graph.edges() {
        let Edge { from, to, .. } = edge;
        let label = quoted(&edge.label.replace('\\', "\\\\"), "\\\"");
        let style = if edge.waits {
            " style=dashed color=red"
        } else {
            ""
        };
        let _ = writeln!(out, "  n{from} -> n{to} [label={label}{style}];");
    }
    out.push_str("}\n");
    out
}

/// In quotes; those within as they are written there.
fn quoted(text: &str, quote: &str) -> String {
    format!("\"{}\"", one_line(text).replace('"', quote))
}

#[cfg(test)]
mod tests;
