use super::{EdgeType, Graph, NodeType, collections::DICTIONARY};

const WORD: usize = 8;
/// Of a Map's or a Set's hash table: words before the entries, beside one per bucket.
const TABLE_START: usize = 3;
/// Of an array: words before its elements.
const ARRAY_START: usize = 2;

/// An entry of a collection. Small integers leave no trace in a snapshot: an entry of two of them is not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) key: Option<Key>,
    pub(super) value: Option<u32>,
}

/// By what an entry is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A node.
    Node(u32),
    /// The name of an edge.
    Edge(u32),
}

/// A collection's entries, in the order in which they were added as far as V8 keeps it.
pub(super) fn members(graph: &Graph, node: u32) -> Vec<Member> {
    if graph.node_type(node) != NodeType::Object {
        return Vec::new();
    }
    if let Some(table) = graph.named(node, b"table") {
        let is_weak = graph.strings.bytes(graph.name(node)).starts_with(b"Weak");
        return if is_weak { Vec::new() } else { table_members(graph, table) };
    }
    let mut elements: Vec<(u32, u32)> = graph
        .edges(node)
        // Places that are empty hold `undefined`, which is something of V8's own.
        .filter(|&edge| graph.edge_type(edge) == EdgeType::Element)
        .filter(|&edge| graph.node_type(graph.target(edge)) != NodeType::Hidden)
        .map(|edge| (graph.edge_name(edge), graph.target(edge)))
        .collect();
    if !elements.is_empty() {
        elements.sort_unstable();
        return elements.into_iter().map(|(_, value)| Member { key: None, value: Some(value) }).collect();
    }
    let is_entry = |&edge: &u32| {
        graph.edge_type(edge) == EdgeType::Property
            && graph.strings.bytes(graph.edge_name(edge)) != b"__proto__"
    };
    let entries: Vec<u32> = graph.edges(node).filter(is_entry).collect();
    if entries.len() < DICTIONARY as usize {
        return Vec::new();
    }
    let member = |edge| Member { key: Some(Key::Edge(edge)), value: Some(graph.target(edge)) };
    entries.into_iter().map(member).collect()
}

/// V8's ordered hash tables (src/objects/ordered-hash-table.h): three words, a word per bucket, and two entries per bucket of
/// key, value and chain (Map) or key and chain (Set), the number of buckets being a power of two.
fn table_members(graph: &Graph, table: u32) -> Vec<Member> {
    let words = (graph.self_size(table) as usize / WORD).saturating_sub(ARRAY_START + TABLE_START);
    let buckets = |per_bucket: usize| {
        Some(words / per_bucket)
            .filter(|buckets| words.is_multiple_of(per_bucket) && buckets.is_power_of_two())
    };
    let (buckets, width) = match (buckets(7), buckets(5)) {
        (Some(buckets), _) => (buckets, 3),
        (None, Some(buckets)) => (buckets, 2),
        (None, None) => return Vec::new(),
    };
    let start = TABLE_START + buckets;
    let mut slots: Vec<(usize, u32)> = graph
        .edges(table)
        .filter(|&edge| matches!(graph.edge_type(edge), EdgeType::Internal | EdgeType::Hidden))
        // What was deleted leaves a mark of V8's own.
        .filter(|&edge| graph.node_type(graph.target(edge)) != NodeType::Hidden)
        .filter_map(|edge| {
            Some(((graph.edge_number(edge)? as usize).checked_sub(start)?, graph.target(edge)))
        })
        .collect();
    slots.sort_unstable();
    let mut members: Vec<Member> = Vec::new();
    let mut latest = usize::MAX;
    for (slot, target) in slots {
        if slot / width != latest {
            latest = slot / width;
            members.push(Member { key: None, value: None });
        }
        let Some(member) = members.last_mut() else { continue };
        match (slot % width, width) {
            (0, 3) => member.key = Some(Key::Node(target)),
            (1, 3) | (0, 2) => member.value = Some(target),
            _ => {}
        }
    }
    members.retain(|member| member.key.is_some() || member.value.is_some());
    members
}
