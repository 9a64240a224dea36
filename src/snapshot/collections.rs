use super::{EdgeType, Graph, NodeType, members::members};

/// So many properties make an object a dictionary.
pub(super) const DICTIONARY: u32 = 24;

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
        return Some((kind, members(graph, node).len() as u32));
    }
    if name == names.array {
        let elements = graph.edges(node).filter(|&edge| graph.edge_type(edge) == EdgeType::Element);
        return Some((CollectionKind::Array, elements.count() as u32));
    }
    if name != names.object || graph.edges(node).len() < DICTIONARY as usize {
        return None;
    }
    let properties = graph.edges(node).filter(|&edge| {
        matches!(graph.edge_type(edge), EdgeType::Property | EdgeType::Element)
            && Some(graph.edge_name(edge)) != names.proto
    });
    let count = properties.count() as u32;
    (count >= DICTIONARY).then_some((CollectionKind::Dictionary, count))
}

/// The numbers of the names that matter, where they occur.
#[derive(Clone, Copy, Debug)]
pub(super) struct CollectionNames {
    map: Option<u32>,
    set: Option<u32>,
    array: Option<u32>,
    object: Option<u32>,
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
            proto: find("__proto__"),
        }
    }
}
