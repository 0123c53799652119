use super::*;

fn edge(from: usize, to: usize, label: &str, waits: bool) -> Edge {
    let label = label.into();
    Edge {
        from,
        to,
        label,
        waits,
    }
}

fn graph() -> Graph {
    let mut graph = Graph::default();
    let writer = graph.node("7 a\"b", true);
    let pipe = graph.node("pipe:[3]", false);
    let reader = graph.node("8 <c>", true);
    graph.edge(edge(writer, pipe, "w fd 1", false));
    graph.edge(edge(pipe, reader, "r fd 0", false));
    graph.edge(edge(reader, pipe, "read pipe:[3]", true));
    graph.edge(edge(writer, pipe, "w fd 1", false));
    graph
}

#[test]
fn edges_are_there_once_and_nodes_as_often_as_they_are_added() {
    let mut graph = graph();
    assert_eq!((graph.nodes.len(), graph.edges().len()), (3, 3));
    assert_eq!(graph.node("pipe:[3]", false), 3);
}

/// Comparing all pairs of these edges, or each node with each edge, would take the better part of an
/// hour.
#[test]
fn a_host_of_a_hundred_thousand_edges_is_drawn() {
    const PROCESSES: usize = 40;
    const PIPES: usize = 3_000;
    let mut graph = Graph::default();
    for pid in 0..PROCESSES {
        graph.node(pid.to_string(), true);
    }
    for ino in 0..PIPES {
        let pipe = graph.node(format!("pipe:[{ino}]"), false);
        for process in 0..PROCESSES {
            graph.edge(edge(process, pipe, "w fd 1", false));
            graph.edge(edge(pipe, process, "r fd 0", false));
        }
    }
    let edges = 2 * PIPES * PROCESSES;
    assert_eq!(graph.edges().len(), edges);
    assert_eq!(text(&graph).lines().count(), PIPES + edges);
    assert_eq!(mermaid(&graph).matches("-->").count(), edges);
    assert_eq!(dot(&graph).matches(" -> ").count(), edges);
    assert_eq!(svg(&graph).matches("<line ").count(), edges);
}

#[test]
fn text_goes_object_by_object() {
    assert_eq!(
        text(&graph()),
        "pipe:[3]\n  <- 7 a\"b  w fd 1\n  -> 8 <c>  r fd 0\n  waits  8 <c>  read pipe:[3]\n"
    );
}

#[test]
fn each_language_quotes_in_its_own_way() {
    let mermaid = mermaid(&graph());
    assert!(mermaid.contains("n0[\"7 a#quot;b\"]"), "{mermaid}");
    assert!(
        mermaid.contains("n2 -.->|\"read pipe:[3]\"| n1"),
        "{mermaid}"
    );
    let dot = dot(&graph());
    assert!(dot.contains("n0 [shape=box label=\"7 a\\\"b\"];"), "{dot}");
    assert!(dot.contains("n1 -> n2 [label=\"r fd 0\"];"), "{dot}");
    let svg = svg(&graph());
    assert!(
        svg.contains("8 &lt;c&gt;") && svg.contains("7 a&quot;b"),
        "{svg}"
    );
    assert_eq!(svg.matches("<line ").count(), 3);
}

#[test]
fn what_a_process_chose_reaches_no_terminal_raw() {
    let mut graph = Graph::default();
    let (process, object) = (graph.node("7 \x1b[2J", true), graph.node("o", false));
    graph.edge(edge(process, object, "\x1b", false));
    for written in [text(&graph), mermaid(&graph), dot(&graph), svg(&graph)] {
        assert!(!written.contains('\x1b'), "{written}");
    }
}
