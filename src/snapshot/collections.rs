use std::collections::BTreeSet;

use super::{EdgeType, Graph, NodeType};

/// So many properties make an object a dictionary.
pub(super) const DICTIONARY: u32 = 24;
const WORD: u64 = 8;

/// A thing that holds others by key or in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CollectionKind {
    /// A Map.
    Map,
    /// A Set.
    Set,
    /// An Array.
    Array,
    /// An object whose properties are entries.
    Dictionary,
    /// The listeners of an EventEmitter for an event.
    Listeners,
    /// Timers with the same callback.
    Timers,
}

impl CollectionKind {
    /// JavaScript's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Map => "Map",
            Self::Set => "Set",
            Self::Array => "Array",
            Self::Dictionary => "Object",
            Self::Listeners => "Listeners",
            Self::Timers => "Timers",
        }
    }
}

/// What a node is as a collection, and how many entries it has; none if it is none. Entries that are small integers leave no trace in a
/// snapshot and do not count.
pub(super) fn collection(graph: &Graph, names: CollectionNames, node: u32) -> Option<(CollectionKind, u32)> {
    if graph.node_type(node) != NodeType::Object {
        return None;
    }
    let name = Some(graph.name(node));
    if name == names.map || name == names.set {
        let kind = if name == names.map { CollectionKind::Map } else { CollectionKind::Set };
        let entries: BTreeSet<u64> =
            slots(graph, names, node, kind).into_iter().map(|slot| slot.entry).collect();
        return Some((kind, entries.len() as u32));
    }
    if name == names.array {
        let elements = graph.edges(node).filter(|&edge| graph.edge_type(edge) == EdgeType::Element);
        return Some((CollectionKind::Array, elements.count() as u32));
    }
    let properties = graph.edges(node).filter(|&edge| {
        matches!(graph.edge_type(edge), EdgeType::Property | EdgeType::Element)
            && Some(graph.edge_name(edge)) != names.proto
    });
    let count = properties.count() as u32;
    (name == names.object && count >= DICTIONARY).then_some((CollectionKind::Dictionary, count))
}

/// A key or a value in the hash table of a Map or a Set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// In the table, from 0; entries that were deleted leave gaps.
    pub(super) entry: u64,
    /// Whether it is the value of a Map's entry.
    pub(super) is_value: bool,
    pub(super) target: u32,
}

/// What the hash table of a Map or a Set holds: behind three words and a word per bucket, two entries per bucket.
pub(super) fn slots(graph: &Graph, names: CollectionNames, node: u32, kind: CollectionKind) -> Vec<Slot> {
    // Of an entry so many words, and of a bucket with its entries.
    let (width, per_bucket) = if kind == CollectionKind::Map { (3, 7) } else { (2, 5) };
    let table = graph.edges(node).find(|&edge| {
        graph.edge_type(edge) == EdgeType::Internal && Some(graph.edge_name(edge)) == names.table
    });
    let Some(table) = table.map(|edge| graph.target(edge)) else { return Vec::new() };
    let words = (graph.self_size(table) / WORD).saturating_sub(2 + 3);
    let start = 3 + words / per_bucket;
    graph
        .edges(table)
        .filter(|&edge| graph.node_type(graph.target(edge)) != NodeType::Hidden)
        .filter_map(|edge| Some((u64::from(graph.edge_number(edge)?).checked_sub(start)?, edge)))
        .filter(|(index, _)| index % width < 2)
        .map(|(index, edge)| Slot {
            entry: index / width,
            is_value: kind == CollectionKind::Map && index % width == 1,
            target: graph.target(edge),
        })
        .collect()
}

/// The numbers of the names that matter, where they occur.
#[derive(Clone, Copy, Debug)]
pub(super) struct CollectionNames {
    map: Option<u32>,
    set: Option<u32>,
    array: Option<u32>,
    object: Option<u32>,
    table: Option<u32>,
    proto: Option<u32>,
}

impl CollectionNames {
    pub(super) fn find(graph: &Graph) -> Self {
        let find = |name| graph.strings.find(name);
        Self {
            map: find("Map"),
            set: find("Set"),
            array: find("Array"),
            object: find("Object"),
            table: find("table"),
            proto: find("__proto__"),
        }
    }
}
