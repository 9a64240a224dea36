//! Snapshots made up for tests.

use proptest::prelude::*;

use super::{EdgeType, Graph, NodeType, ReadOptions, SnapshotFileError, read};

/// A node: type, name, id, self size, edges (type, name or index, target).
#[derive(Clone, Debug)]
pub(super) struct TestNode {
    pub(super) kind: NodeType,
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) edges: Vec<(EdgeType, String, usize)>,
}

pub(super) fn node(kind: NodeType, name: &str, size: u64, edges: &[(EdgeType, &str, usize)]) -> TestNode {
    let edges = edges.iter().map(|&(kind, name, target)| (kind, name.into(), target)).collect();
    TestNode { kind, name: name.into(), size, edges }
}

/// The snapshot as Node 24 writes it.
pub(super) fn json(nodes: &[TestNode]) -> String {
    let mut strings = vec![String::new()];
    let mut number = |text: &str| match strings.iter().position(|known| known == text) {
        Some(number) => number,
        None => {
            strings.push(text.into());
            strings.len() - 1
        }
    };
    let mut node_values: Vec<usize> = Vec::new();
    let mut edge_values: Vec<usize> = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        node_values.extend([
            node.kind as usize,
            number(&node.name),
            2 * index + 1,
            node.size as usize,
            node.edges.len(),
            0,
        ]);
        for (kind, name, target) in &node.edges {
            let name = if kind.is_numbered() { name.parse().unwrap_or(0) } else { number(name) };
            edge_values.extend([*kind as usize, name, target * 6]);
        }
    }
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let header = serde_json::json!({
        "meta": {
            "node_fields": ["type", "name", "id", "self_size", "edge_count", "detachedness"],
            "node_types": [
                names(&NodeType::NAMES[..16].iter().map(|(_, name)| *name).collect::<Vec<_>>()),
                "string", "number", "number", "number", "number"
            ],
            "edge_fields": ["type", "name_or_index", "to_node"],
            "edge_types": [
                names(&EdgeType::NAMES[..7].iter().map(|(_, name)| *name).collect::<Vec<_>>()),
                "string_or_number", "node"
            ],
            "location_fields": ["object_index", "script_id", "line", "column"],
        },
        "node_count": nodes.len(),
        "edge_count": edge_values.len() / 3,
        "extra_native_bytes": 77,
    });
    let list = |values: &[usize]| serde_json::to_string(values).unwrap_or_default();
    format!(
        "{{\"snapshot\":{header},\n\"nodes\":{},\n\"edges\":{},\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n\"locations\":[0,9,4,2],\n\"strings\":{}}}",
        list(&node_values),
        list(&edge_values),
        serde_json::to_string(&strings).unwrap_or_default(),
    )
}

pub(super) fn parse(text: &[u8]) -> Result<Graph, SnapshotFileError> {
    read(text, ReadOptions { size: Some(text.len() as u64), partial: false }, &())
}

pub(super) fn graph(nodes: &[TestNode]) -> Graph {
    parse(json(nodes).as_bytes()).expect("a snapshot of the tests' own")
}

/// Graphs of a few nodes of any type with any edges.
pub(super) fn graphs() -> impl Strategy<Value = Vec<TestNode>> {
    (2..24_usize).prop_flat_map(|count| {
        let edge = (0..7_usize, 0..4_u32, 0..count)
            .prop_map(|(kind, name, target)| (EdgeType::NAMES[kind].0, name.to_string(), target));
        let node = (0..16_usize, 0..3_u32, 0..100_u64, proptest::collection::vec(edge, 0..5)).prop_map(
            |(kind, name, size, edges)| TestNode {
                kind: NodeType::NAMES[kind].0,
                name: format!("Class{name}"),
                size,
                edges,
            },
        );
        proptest::collection::vec(node, count)
    })
}
