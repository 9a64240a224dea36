use rustc_hash::FxHashSet;

use super::{EdgeType, Graph, NodeType};

/// The Arrays that hold the listeners of an EventEmitter: Node has one for each event with several.
pub(super) fn listeners(graph: &Graph) -> FxHashSet<u32> {
    let mut found = FxHashSet::default();
    let (events, array) = (graph.strings.find("_events"), graph.strings.find("Array"));
    if events.is_none() || array.is_none() {
        return found;
    }
    let properties = |node| graph.edges(node).filter(|&edge| graph.edge_type(edge) == EdgeType::Property);
    for emitter in graph.nodes().filter(|&node| graph.node_type(node) == NodeType::Object) {
        let Some(edge) = properties(emitter).find(|&edge| Some(graph.edge_name(edge)) == events) else {
            continue;
        };
        for edge in properties(graph.target(edge)) {
            let list = graph.target(edge);
            if graph.node_type(list) == NodeType::Object && Some(graph.name(list)) == array {
                found.insert(list);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{
        EdgeType::{Element, Property},
        NodeType::{Closure, Object, Synthetic},
        testing::{graph, node},
    };

    #[test]
    fn only_lists_below_events_are_listeners() {
        let graph = graph(&[
            node(Synthetic, "", 0, &[(Element, "1", 1)]),
            node(Object, "Feed", 16, &[(Property, "_events", 2), (Property, "rows", 5)]),
            node(Object, "Object", 16, &[(Property, "news", 3), (Property, "end", 4)]),
            node(Object, "Array", 16, &[(Element, "0", 4), (Element, "1", 4)]),
            node(Closure, "deliver", 16, &[]),
            node(Object, "Array", 16, &[]),
        ]);
        assert_eq!(listeners(&graph).into_iter().collect::<Vec<_>>(), [3]);
    }
}
