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
    Difference::new(&heaps, &Work { unit: Unit::Snapshots, done }, &()).expect("nobody cancels")
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

/// The Map of `program_with_map` beside numbers by these names, in the same scope; and these in each of its values.
fn with_numbers(count: u32, beside: &[(&str, f64)], within: &[(&str, f64)]) -> Vec<TestNode> {
    let mut nodes = program_with_map(0..count);
    let values: Vec<usize> = (0..nodes.len()).filter(|&at| nodes[at].name == "Session").collect();
    let mut add = |owners: &[usize], edge_type: EdgeType, (name, value): (&str, f64)| {
        let number = nodes.len();
        nodes.push(node(NodeType::Number, "heap number", 12, &[(EdgeType::Internal, "value", number + 1)]));
        nodes.push(node(NodeType::String, &value.to_string(), 0, &[]));
        for &owner in owners {
            nodes[owner].edges.push((edge_type, name.to_owned(), number));
        }
    };
    beside.iter().for_each(|&number| add(&[3], EdgeType::Context, number));
    within.iter().for_each(|&number| add(&values, EdgeType::Property, number));
    nodes
}

/// What a Map of 100, 200 and 300 entries is, 20 s apart.
fn bounded(beside: &[(&str, f64)], within: &[(&str, f64)]) -> (Verdict, Option<u64>, Option<f64>) {
    let heaps = [100, 200, 300].map(|count| heap(&with_numbers(count, beside, within)));
    let done = [0.0, 20.0, 40.0].map(|seconds| 1.7e9 + seconds).to_vec();
    let difference =
        Difference::new(&heaps, &Work { unit: Unit::Seconds, done }, &()).expect("nobody cancels");
    let found =
        difference.suspects.iter().chain(&difference.others).find(|found| found.path.contains("maps"));
    let found = found.expect("the Map grows");
    (found.verdict, found.capacity, found.due_in)
}

#[test]
fn what_a_collection_says_of_its_bounds_is_heard() {
    assert_eq!(bounded(&[], &[]), (Verdict::Confirmed, None, None));
    assert_eq!(bounded(&[("maxSize", 500.0)], &[]), (Verdict::Filling, Some(500), None));
    assert_eq!(
        bounded(&[("MAX_ENTRIES", 300.0), ("retries", 900.0)], &[]),
        (Verdict::Filling, Some(300), None)
    );
    // What is exceeded, endless, or called otherwise bounds nothing.
    let unbounded = [("maxSize", 299.0), ("maxItems", f64::INFINITY), ("maxKeys", 9e15), ("count", 1_000.0)];
    assert_eq!(bounded(&unbounded, &[]), (Verdict::Confirmed, None, None));
    // Among the variables of a module that may be about anything.
    assert_eq!(bounded(&[("LIMIT", 1_048_576.0)], &[]), (Verdict::Confirmed, None, None));
}

/// An Array with so many members, whose storage has so many places.
fn program_with_array(members: usize, slots: usize) -> Vec<TestNode> {
    let mut nodes =
        program("list", node(NodeType::Object, "Array", 32, &[(EdgeType::Internal, "elements", 5)]));
    nodes.push(node(NodeType::Array, "", (8 * (2 + slots)) as u64, &[]));
    for member in 0..members {
        let at = nodes.len();
        nodes[4].edges.push((EdgeType::Element, member.to_string(), at));
        nodes.push(node(NodeType::Object, "Row", 1024, &[(EdgeType::Property, "id", at + 1)]));
        nodes.push(node(NodeType::String, &format!("row {member}"), 32, &[]));
    }
    let undefined = nodes.len();
    nodes.push(node(NodeType::Hidden, "system / Oddball", 0, &[]));
    for empty in members..slots {
        nodes[4].edges.push((EdgeType::Element, empty.to_string(), undefined));
    }
    nodes
}

#[test]
fn an_array_that_was_made_with_all_its_places_is_filling() {
    let verdict = |slots: [usize; 3]| {
        let members = [100, 200, 300].into_iter().zip(slots);
        let snapshots: Vec<_> = members.map(|(members, slots)| program_with_array(members, slots)).collect();
        let found = difference(&snapshots);
        let list = found.suspects.iter().chain(&found.others).find(|found| found.path.contains("list"));
        list.map(|list| (list.verdict, list.capacity)).expect("it grows")
    };
    assert_eq!(verdict([1_000; 3]), (Verdict::Filling, Some(1_000)));
    assert_eq!(verdict([112, 274, 442]), (Verdict::Confirmed, None));
}

#[test]
fn what_has_time_to_live_left_is_no_suspect() {
    // Ten minutes, of which forty seconds have been seen; in seconds or milliseconds.
    for ttl in [600.0, 600_000.0] {
        assert_eq!(bounded(&[("ttl", ttl)], &[]), (Verdict::Expiring, None, Some(560.0)));
        assert_eq!(bounded(&[], &[("_maxAge", ttl)]), (Verdict::Expiring, None, Some(560.0)));
    }
    assert_eq!(bounded(&[], &[("expiresAt", 1.7e12 + 100e3)]), (Verdict::Expiring, None, Some(60.0)));
    assert_eq!(bounded(&[], &[("expires", 1.7e9 + 100.0)]), (Verdict::Expiring, None, Some(60.0)));
    // They should be gone by now.
    assert_eq!(bounded(&[("ttl", 30.0)], &[("expiresAt", 1.7e12 + 10e3)]), (Verdict::Confirmed, None, None));
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
    assert!(!difference.ids_match, "each is numbered afresh");
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
