use super::{EdgeType, Graph, NodeType, bits::Bits};

const ATTACHED: u8 = 1;
const DETACHED: u8 = 2;

/// The things outside of the heap that their owner has let go of and that something still keeps, such as elements of a document.
/// V8 knows it of some; those that hang on them are in the same state, and attached wins.
pub(super) fn detached_nodes(graph: &Graph) -> Bits {
    let mut detached = Bits::new(graph.node_count());
    let mut seen = Bits::new(graph.node_count());
    let mut open: [Vec<u32>; 2] = [Vec::new(), Vec::new()];
    let mut enter = |node: u32, state: u8, open: &mut [Vec<u32>; 2]| {
        if !seen.add(node) || graph.node_type(node) != NodeType::Native {
            return;
        }
        match state {
            ATTACHED => open[0].push(node),
            DETACHED => {
                detached.insert(node);
                open[1].push(node);
            }
            _ => {}
        }
    };
    for &(node, state) in &graph.detachedness {
        enter(node, state, &mut open);
    }
    for (list, state) in [(0, ATTACHED), (1, DETACHED)] {
        while let Some(node) = open[list].pop() {
            for edge in graph.edges(node) {
                if !matches!(graph.edge_type(edge), EdgeType::Hidden | EdgeType::Weak) {
                    enter(graph.target(edge), state, &mut open);
                }
            }
        }
    }
    detached
}
