use super::*;

fn graph() -> Graph {
    let mut graph = Graph::default();
    let writer = graph.node("7 a\"b", true);
    let pipe = graph.node("pipe:[3]", false);
    let reader = graph.node("8 <c>", true);
    graph.edge(writer, pipe, "w fd 1".into(), false);
    graph.edge(pipe, reader, "r fd 0".into(), false);
    graph.edge(reader, pipe, "read pipe:[3]".into(), true);
    graph.edge(writer, pipe, "w fd 1".into(), false);
    graph
}

#[test]
fn nodes_and_edges_are_there_once() {
    let mut graph = graph();
    assert_eq!((graph.nodes.len(), graph.edges.len()), (3, 3));
    assert_eq!(graph.node("pipe:[3]", false), 1);
    assert_eq!(graph.node("pipe:[3]", true), 3);
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
    graph.edge(process, object, "\x1b".into(), false);
    for written in [text(&graph), mermaid(&graph), dot(&graph), svg(&graph)] {
        assert!(!written.contains('\x1b'), "{written}");
    }
}
