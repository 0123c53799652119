//! Processes and objects, and what they have to do with each other.

/// Nodes, and edges between their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Processes and objects.
    pub nodes: Vec<Node>,
    /// Each from one node to another.
    pub edges: Vec<Edge>,
}

/// A process or an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is called.
    pub label: String,
    /// Whether it is a process.
    pub is_process: bool,
}

/// What a process has to do with an object, in the direction in which data goes or somebody waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The place of the node where it begins.
    pub from: usize,
    /// That of the node where it ends.
    pub to: usize,
    /// In words: `w fd 1`, `read`.
    pub label: String,
    /// Whether somebody waits: then it goes from who waits to what for, and on to who may have it.
    pub waits: bool,
}

impl Graph {
    /// The place of a node, which is added where it is not there yet.
    pub fn node(&mut self, label: &str, is_process: bool) -> usize {
        let same = |node: &Node| node.is_process == is_process && node.label == label;
        self.nodes.iter().position(same).unwrap_or_else(|| {
            self.nodes.push(Node {
                label: label.into(),
                is_process,
            });
            self.nodes.len() - 1
        })
    }

    /// Adds an edge, once.
    pub fn edge(&mut self, from: usize, to: usize, label: String, waits: bool) {
        let edge = Edge {
            from,
            to,
            label,
            waits,
        };
        if !self.edges.contains(&edge) {
            self.edges.push(edge);
        }
    }
}
