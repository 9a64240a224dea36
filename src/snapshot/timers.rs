use rustc_hash::FxHashMap;

use super::{EdgeType, Heap, NodeType, functions::Functions, groups::retained_by_group};

/// Timers with the same callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Timers {
    /// The one that retains most.
    pub(super) largest: u32,
    /// The callback of that.
    pub(super) callback: u32,
    pub(super) count: u32,
    /// What would be free without all of them.
    pub(super) retained_size: u64,
}

/// What Node's timers, intervals and immediates wait to call, function by function.
pub(super) fn timers(heap: &Heap, functions: &Functions) -> Vec<Timers> {
    let graph = heap.graph();
    let kinds = [("Timeout", "_onTimeout"), ("Immediate", "_onImmediate")]
        .map(|(class, callback)| (graph.strings().find(class), graph.strings().find(callback)));
    let callback_of = |node: u32| {
        let (_, name) = kinds.into_iter().find(|&(class, _)| Some(graph.name(node)) == class)?;
        let edge = graph.edges(node).find(|&edge| {
            graph.edge_type(edge) == EdgeType::Property && Some(graph.edge_name(edge)) == name
        })?;
        Some(graph.target(edge)).filter(|&callback| graph.node_type(callback) == NodeType::Closure)
    };
    let mut found: Vec<Timers> = Vec::new();
    let mut numbers: FxHashMap<u32, u32> = FxHashMap::default();
    let mut members: FxHashMap<u32, u32> = FxHashMap::default();
    for node in graph.nodes().filter(|&node| graph.node_type(node) == NodeType::Object) {
        let Some(callback) = callback_of(node) else { continue };
        let function = functions.shared(graph, callback).unwrap_or(callback);
        let number = *numbers.entry(function).or_insert_with(|| {
            found.push(Timers { largest: node, callback, count: 0, retained_size: 0 });
            found.len() as u32 - 1
        });
        let timers = &mut found[number as usize];
        timers.count += 1;
        if heap.retained_size(node) > heap.retained_size(timers.largest) {
            (timers.largest, timers.callback) = (node, callback);
        }
        members.insert(node, number);
    }
    if !found.is_empty() {
        let retained = retained_by_group(heap, |node| members.get(&node).copied(), found.len());
        for (timers, retained) in found.iter_mut().zip(retained) {
            timers.retained_size = retained;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{
        EdgeType::{Element, Internal, Property},
        NodeType::{Closure, Code, Object, Synthetic},
        testing::{graph, node},
    };

    #[test]
    fn timers_are_added_up_by_the_function_they_call() {
        let graph = graph(&[
            node(
                Synthetic,
                "",
                0,
                &[(Element, "1", 1), (Element, "2", 2), (Element, "3", 3), (Element, "4", 7)],
            ),
            node(Object, "Timeout", 100, &[(Property, "_onTimeout", 4)]),
            node(Object, "Timeout", 200, &[(Property, "_onTimeout", 5)]),
            node(Object, "Immediate", 100, &[(Property, "_onTimeout", 5), (Property, "_onImmediate", 4)]),
            node(Closure, "ring", 10, &[(Internal, "shared", 6)]),
            node(Closure, "ring", 10, &[(Internal, "shared", 6)]),
            node(Code, "ring", 0, &[]),
            // Done.
            node(Object, "Timeout", 100, &[]),
        ]);
        let heap = Heap::new(graph, &()).expect("nobody cancels");
        let found = timers(&heap, &Functions::find(heap.graph()));
        // The first callback is kept by two of them, the second by one and by a property that says nothing.
        assert_eq!(found, [Timers { largest: 2, callback: 5, count: 3, retained_size: 400 }]);
    }
}
