//! Words for single nodes.

use crate::snapshot::{EdgeType, Graph, NodeType};

/// The key of an entry of a Map, when the edge leads to its value: V8 writes a table in order, the key right before the value.
pub(super) fn key_of(graph: &Graph, edge: u32) -> Option<u32> {
    let before = edge.checked_sub(1).filter(|&before| graph.edges(graph.source(edge)).contains(&before))?;
    let is_its_key = graph.edge_number(before)?.checked_add(1) == graph.edge_number(edge);
    Some(graph.target(before)).filter(|_| is_its_key)
}

pub(super) fn key_label(graph: &Graph, key: u32) -> Option<String> {
    match graph.node_type(key) {
        NodeType::String => Some(format!("{:?}", shortened(&graph.strings.get(graph.name(key))))),
        NodeType::Object => Some(format!("{} (key)", label(graph, key))),
        _ => None,
    }
}

/// Whether the property is the one by which Node (until 22) hands on what AsyncLocalStorage stores.
pub(in crate::snapshot) fn is_store_edge(graph: &Graph, edge: u32) -> bool {
    graph.edge_type(edge) == EdgeType::Property
        && graph.strings.bytes(graph.edge_name(edge)).starts_with(b"<symbol kResourceStore")
}

/// Whether a key of a Map is an AsyncLocalStorage, as in the frames by which Node (from 24 on) hands on what these store.
pub(super) fn is_storage(graph: &Graph, key: u32) -> bool {
    graph.node_type(key) == NodeType::Object && graph.strings.bytes(graph.name(key)) == b"AsyncLocalStorage"
}

/// A path without what tells entries from each other.
pub(in crate::snapshot) fn place_of(path: &[String]) -> Vec<String> {
    let is_entry = |step: &String| step.starts_with(['"', '[']);
    path.iter().map(|step| if is_entry(step) { "*".into() } else { step.clone() }).collect()
}

pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        text.into()
    } else {
        text.chars().take(LONGEST).chain(['…']).collect()
    }
}

/// What a node is, in a word or two.
pub(in crate::snapshot) fn label(graph: &Graph, node: u32) -> String {
    let name = graph.strings.get(graph.name(node));
    match graph.node_type(node) {
        NodeType::String | NodeType::ConcatenatedString | NodeType::SlicedString => {
            format!("{:?}", shortened(&name))
        }
        NodeType::Closure if name.is_empty() => "anonymous function".into(),
        NodeType::Closure => format!("{name}()"),
        node_type if name.is_empty() => format!("({})", node_type.name()),
        _ => shortened(&name),
    }
}

pub(in crate::snapshot) fn is_global(graph: &Graph, node: u32) -> bool {
    let name = graph.strings.bytes(graph.name(node));
    graph.node_type(node) == NodeType::Object
        && (name == b"global" || name.starts_with(b"global / ") || name.starts_with(b"global (global"))
}

/// One of CommonJS' modules, which knows its file.
pub(super) fn is_module(graph: &Graph, node: u32) -> bool {
    graph.node_type(node) == NodeType::Object
        && graph.strings.bytes(graph.name(node)) == b"Module"
        && graph.named(node, b"filename").is_some_and(|file| graph.node_type(file) == NodeType::String)
}
