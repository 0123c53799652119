//! Processes and objects, and what they have to do with each other.

use std::collections::HashSet;

/// Nodes, and edges between their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Processes and objects.
    pub nodes: Vec<Node>,
    /// Each from one node to another.
    edges: Vec<Edge>,
    /// The edges once more: hosts have a hundred thousand, and each is asked for before it is added.
    known: HashSet<Edge>,
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// Adds a node, and gives its place. Two may be called the same: who adds them knows which is which.
    pub fn node(&mut self, label: impl Into<String>, is_process: bool) -> usize {
        self.nodes.push(Node {
            label: label.into(),
            is_process,
        });
        self.nodes.len() - 1
    }

    /// Adds an edge, once.
    pub fn edge(&mut self, edge: Edge) {
        if self.known.insert(edge.clone()) {
            self.edges.push(edge);
        }
    }

    /// The edges, in the order in which they were added.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }
}
