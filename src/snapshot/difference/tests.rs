use proptest::prelude::*;

use super::{ContainerKind, Difference, Unit, Verdict, Work};
use crate::snapshot::{
    EdgeType, Heap, NodeType,
    testing::{TestNode, graph, graphs, node},
};

fn heap(nodes: &[TestNode]) -> Heap {
    Heap::new(graph(nodes), &()).expect("nobody cancels")
}

fn difference(snapshots: &[Vec<TestNode>]) -> Difference {
    let heaps: Vec<Heap> = snapshots.iter().map(|nodes| heap(nodes)).collect();
    let done = (0..heaps.len()).map(|number| number as f64).collect();
    Difference::new(&heaps, &Work { unit: Unit::Snapshots, done })
}

/// A program: the global object has `handler`, in whose scope the variable `name` is `what`, the node 4.
fn program(name: &str, what: TestNode) -> Vec<TestNode> {
    vec![
        node(NodeType::Synthetic, "", 0, &[(EdgeType::Shortcut, "1", 1)]),
        node(NodeType::Object, "global", 100, &[(EdgeType::Property, "handler", 2)]),
        node(NodeType::Closure, "handler", 64, &[(EdgeType::Internal, "context", 3)]),
        node(NodeType::Object, "system / Context", 64, &[(EdgeType::Context, name, 4)]),
        what,
    ]
}

/// One that has a Map with these keys, each of which leads to a kilobyte.
fn program_with_map(keys: impl Iterator<Item = u32>) -> Vec<TestNode> {
    let mut nodes = program("maps", node(NodeType::Object, "Map", 32, &[(EdgeType::Internal, "table", 5)]));
    let keys: Vec<u32> = keys.collect();
    let buckets = (keys.len() / 2 + 1).next_power_of_two();
    let mut table = node(NodeType::Array, "", (8 * (2 + 3 + 7 * buckets)) as u64, &[]);
    for (index, key) in keys.iter().enumerate() {
        let (slot, place) = (3 + buckets + 3 * index, 6 + 2 * index);
        table.edges.push((EdgeType::Internal, slot.to_string(), place));
        table.edges.push((EdgeType::Internal, (slot + 1).to_string(), place + 1));
        nodes.push(node(NodeType::String, &format!("req-{key}"), 32, &[]));
        nodes.push(node(NodeType::Object, "Session", 1024, &[]));
    }
    nodes.insert(5, table);
    nodes
}

#[test]
fn a_map_that_keeps_its_entries_is_confirmed_and_named() {
    let difference = difference(&[100, 200, 300].map(|count| program_with_map(0..count)));
    assert_eq!(difference.suspects.len(), 1, "{difference:#?}");
    let suspect = &difference.suspects[0];
    assert_eq!((suspect.verdict, suspect.kind), (Verdict::Confirmed, ContainerKind::Map));
    assert_eq!((&suspect.populations, suspect.removed), (&vec![100, 200, 300], Some(0)));
    assert_eq!(suspect.path, "a scope › maps :Map");
    assert_eq!(suspect.class_name, "Session");
    assert_eq!(suspect.reason, "100 → 200 → 300 entries, 1.1 KiB each; none of the first 100 was removed");
}

#[test]
fn a_map_that_is_turned_over_is_healthy() {
    let difference = difference(&[0..100, 80..280, 250..550].map(program_with_map));
    assert!(difference.suspects.is_empty(), "{difference:#?}");
    assert_eq!(difference.others.len(), 1);
    assert_eq!(difference.others[0].verdict, Verdict::Healthy);
    assert!(difference.others[0].reason.ends_with("100 of the first 100 were removed: they come and go"));
}

#[test]
fn two_snapshots_show_what_stays_and_nothing_that_shrinks_counts() {
    let found = difference(&[100, 300].map(|count| program_with_map(0..count)));
    assert_eq!(found.suspects.len(), 1);
    let found = difference(&[300, 100].map(|count| program_with_map(0..count)));
    assert!(found.suspects.is_empty() && found.others.is_empty());
}

/// Each thing keeps the one before, and a text.
fn program_with_chain(length: usize) -> Vec<TestNode> {
    let mut nodes = program("theThing", node(NodeType::Object, "Thing", 512, &[]));
    for number in 0..length {
        let at = nodes.len();
        let text = node(NodeType::String, &format!("text {}", length - number), 100, &[]);
        let last = if number == 0 { 4 } else { at - 2 };
        nodes[last].edges.push((EdgeType::Property, "before".into(), at));
        nodes.push(node(NodeType::Object, "Thing", 512, &[(EdgeType::Property, "text", at + 1)]));
        nodes.push(text);
    }
    nodes
}

#[test]
fn a_chain_is_one_thing() {
    let difference = difference(&[100, 200, 300].map(program_with_chain));
    assert_eq!(difference.suspects.len(), 1, "{difference:#?}");
    let suspect = &difference.suspects[0];
    assert_eq!((suspect.verdict, suspect.kind), (Verdict::Confirmed, ContainerKind::Chain));
    assert!(suspect.path.contains("theThing"), "{}", suspect.path);
}

#[test]
fn the_same_program_twice_has_no_difference() {
    let difference = difference(&[program_with_map(0..50), program_with_map(0..50)]);
    assert!(difference.ids_match);
    assert!(difference.suspects.is_empty() && difference.others.is_empty() && difference.classes.is_empty());
}

proptest! {
    /// Whatever the snapshots are, there is an answer.
    #[test]
    fn there_is_an_answer(snapshots in proptest::collection::vec(graphs(), 2..4)) {
        let difference = difference(&snapshots);
        prop_assert_eq!(difference.snapshots.len(), snapshots.len());
    }
}
