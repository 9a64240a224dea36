use std::ops::Range;

use rustc_hash::FxHashMap;

use super::Strings;

/// The root of every snapshot.
pub const ROOT: u32 = 0;

/// What kind of thing a node is; V8's own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum NodeType {
    /// V8's own, such as maps and scope descriptions.
    Hidden,
    /// Arrays of V8's own, such as the elements of an Array or the table of a Map.
    Array,
    /// A string.
    String,
    /// An object.
    Object,
    /// Machine code, bytecode, and what belongs to them.
    Code,
    /// A function.
    Closure,
    /// A regular expression.
    RegExp,
    /// A number on the heap.
    Number,
    /// Memory outside of the heap.
    Native,
    /// A root, made up for the snapshot.
    Synthetic,
    /// A string of two parts.
    ConcatenatedString,
    /// A part of another string.
    SlicedString,
    /// A symbol.
    Symbol,
    /// A bigint.
    BigInt,
    /// What V8 knows of objects' properties.
    ObjectShape,
    /// An object of WebAssembly.
    WasmObject,
    /// One that only a later V8 knows.
    Unknown,
}

impl NodeType {
    /// Every type with V8's name for it.
    pub const NAMES: [(Self, &'static str); 17] = [
        (Self::Hidden, "hidden"),
        (Self::Array, "array"),
        (Self::String, "string"),
        (Self::Object, "object"),
        (Self::Code, "code"),
        (Self::Closure, "closure"),
        (Self::RegExp, "regexp"),
        (Self::Number, "number"),
        (Self::Native, "native"),
        (Self::Synthetic, "synthetic"),
        (Self::ConcatenatedString, "concatenated string"),
        (Self::SlicedString, "sliced string"),
        (Self::Symbol, "symbol"),
        (Self::BigInt, "bigint"),
        (Self::ObjectShape, "object shape"),
        (Self::WasmObject, "wasm object"),
        (Self::Unknown, "unknown"),
    ];

    /// V8's name for it.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    pub(super) fn by_name(name: &str) -> Self {
        Self::NAMES.iter().find(|(_, known)| *known == name).map_or(Self::Unknown, |(kind, _)| *kind)
    }
}

/// How one node refers to another; V8's own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EdgeType {
    /// A variable of a scope.
    Context,
    /// An array's element; has a number instead of a name.
    Element,
    /// A property.
    Property,
    /// A link of V8's own.
    Internal,
    /// A link of V8's own that has a number instead of a name.
    Hidden,
    /// A shortcut to something that is also reachable otherwise.
    Shortcut,
    /// One that keeps nothing alive.
    Weak,
    /// One that only a later V8 knows.
    Unknown,
}

impl EdgeType {
    /// Every type with V8's name for it.
    pub const NAMES: [(Self, &'static str); 8] = [
        (Self::Context, "context"),
        (Self::Element, "element"),
        (Self::Property, "property"),
        (Self::Internal, "internal"),
        (Self::Hidden, "hidden"),
        (Self::Shortcut, "shortcut"),
        (Self::Weak, "weak"),
        (Self::Unknown, "unknown"),
    ];

    /// V8's name for it.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    pub(super) fn by_name(name: &str) -> Self {
        Self::NAMES.iter().find(|(_, known)| *known == name).map_or(Self::Unknown, |(kind, _)| *kind)
    }

    /// Whether an edge of this type has a number where others have the number of a string.
    pub const fn is_numbered(self) -> bool {
        matches!(self, Self::Element | Self::Hidden)
    }
}

/// An edge's type and its target in one number: most steps go over all edges and want just these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EdgeEnd(u32);

/// The type takes three bits.
const TARGET_BITS: u32 = 29;
/// More nodes than these cannot be told in the other bits; a file of them would have 40 GB.
pub(super) const MAX_NODES: u64 = 1 << TARGET_BITS;

impl EdgeEnd {
    /// `target` is less than `MAX_NODES`.
    pub(super) const fn new(kind: EdgeType, target: u32) -> Self {
        Self((kind as u32) << TARGET_BITS | target)
    }

    const fn kind(self) -> EdgeType {
        EdgeType::NAMES[(self.0 >> TARGET_BITS) as usize].0
    }

    const fn target(self) -> u32 {
        self.0 & ((1 << TARGET_BITS) - 1)
    }
}

/// Where a function or an object's constructor is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The function.
    pub node: u32,
    /// V8's number for the script.
    pub script_id: u32,
    /// From 0.
    pub line: u32,
    /// From 0.
    pub column: u32,
}

/// Sizes in bytes, few of which do not fit in 32 bits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) small: Vec<u32>,
    pub(super) large: FxHashMap<u32, u64>,
}

impl Sizes {
    pub(super) fn with_capacity(capacity: usize) -> Result<Self, std::collections::TryReserveError> {
        let mut small = Vec::new();
        small.try_reserve_exact(capacity)?;
        Ok(Self { small, large: FxHashMap::default() })
    }

    pub(super) fn push(&mut self, size: u64) {
        let small = u32::try_from(size).unwrap_or(u32::MAX);
        if small == u32::MAX {
            self.large.insert(self.small.len() as u32, size);
        }
        self.small.push(small);
    }

    pub(super) fn get(&self, node: u32) -> u64 {
        match self.small[node as usize] {
            u32::MAX => self.large.get(&node).copied().unwrap_or(u64::from(u32::MAX)),
            size => u64::from(size),
        }
    }

    pub(super) fn set(&mut self, node: u32, size: u64) {
        self.small[node as usize] = u32::try_from(size).unwrap_or(u32::MAX);
        if size >= u64::from(u32::MAX) {
            self.large.insert(node, size);
        }
    }
}

/// A snapshot as V8 wrote it: nodes, edges from node to node, and strings. Nodes and edges are numbers from 0; the node 0 is the
/// root. Column by column, as most steps look at few of them.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(super) node_types: Vec<NodeType>,
    pub(super) names: Vec<u32>,
    pub(super) ids: Vec<u32>,
    pub(super) self_sizes: Sizes,
    /// The nodes whose state is known, which is none in most snapshots of Node.
    pub(super) detachedness: Vec<(u32, u8)>,
    /// By node, and one more: where its edges begin.
    pub(super) first_edges: Vec<u32>,
    pub(super) edge_names: Vec<u32>,
    /// By edge, its type and its target.
    pub(super) edge_ends: Vec<EdgeEnd>,
    pub(super) locations: Vec<Location>,
    pub(super) strings: Strings,
    pub(super) extra_native_bytes: u64,
    /// What is missing, if the file was cut off.
    pub(super) cut_off_within: Option<&'static str>,
}

impl Graph {
    /// How many nodes there are.
    pub const fn node_count(&self) -> u32 {
        self.names.len() as u32
    }

    /// How many edges there are.
    pub const fn edge_count(&self) -> u32 {
        self.edge_ends.len() as u32
    }

    /// Every node.
    pub const fn nodes(&self) -> Range<u32> {
        0..self.node_count()
    }

    /// A node's type.
    pub fn node_type(&self, node: u32) -> NodeType {
        self.node_types[node as usize]
    }

    /// The number of a node's name among the strings: the class of an object, the text of a string.
    pub fn name(&self, node: u32) -> u32 {
        self.names[node as usize]
    }

    /// V8's id of a node, the same in every snapshot of one process (but not of its forked children).
    pub fn id(&self, node: u32) -> u32 {
        self.ids[node as usize]
    }

    /// A node's own size in bytes as V8 wrote it.
    pub fn self_size(&self, node: u32) -> u64 {
        self.self_sizes.get(node)
    }

    /// The edges that go out from a node.
    pub fn edges(&self, node: u32) -> Range<u32> {
        self.first_edges[node as usize]..self.first_edges[node as usize + 1]
    }

    /// An edge's type.
    pub fn edge_type(&self, edge: u32) -> EdgeType {
        self.edge_ends[edge as usize].kind()
    }

    /// The number of an edge's name among the strings or, if its type is numbered, its number.
    pub fn edge_name(&self, edge: u32) -> u32 {
        self.edge_names[edge as usize]
    }

    /// The node an edge leads to.
    pub fn target(&self, edge: u32) -> u32 {
        self.edge_ends[edge as usize].target()
    }

    /// The node that an edge of this name leads to.
    pub fn named(&self, node: u32, name: &[u8]) -> Option<u32> {
        let is_it = |&edge: &u32| {
            !self.edge_type(edge).is_numbered() && self.strings.bytes(self.edge_name(edge)) == name
        };
        self.edges(node).find(is_it).map(|edge| self.target(edge))
    }

    /// The node that an internal edge of this name leads to.
    pub(super) fn internal(&self, node: u32, name: Option<u32>) -> Option<u32> {
        let is_it =
            |&edge: &u32| self.edge_type(edge) == EdgeType::Internal && Some(self.edge_name(edge)) == name;
        self.edges(node).find(is_it).map(|edge| self.target(edge))
    }

    /// Whether the node is a scope: the variables of a function that closures share.
    pub(super) fn is_context(&self, node: u32) -> bool {
        self.node_type(node) == NodeType::Object
            && self.strings.bytes(self.name(node)).starts_with(b"system / Context")
    }

    /// The node an edge goes out from.
    pub(super) fn source(&self, edge: u32) -> u32 {
        self.first_edges.partition_point(|&first| first <= edge) as u32 - 1
    }

    /// The name of a named edge as a number, if it is one.
    pub(super) fn edge_number(&self, edge: u32) -> Option<u32> {
        if self.edge_type(edge).is_numbered() {
            return Some(self.edge_name(edge));
        }
        std::str::from_utf8(self.strings.bytes(self.edge_name(edge))).ok()?.parse().ok()
    }

    /// Where the function or the constructor is written, where V8 knows.
    pub fn location(&self, node: u32) -> Option<&Location> {
        let index = self.locations.binary_search_by_key(&node, |location| location.node).ok()?;
        self.locations.get(index)
    }

    /// The strings.
    pub const fn strings(&self) -> &Strings {
        &self.strings
    }

    /// What V8 and Node hold outside of the heap and of every node.
    pub const fn extra_native_bytes(&self) -> u64 {
        self.extra_native_bytes
    }

    /// In the middle of what the file ends; none if it is whole.
    pub const fn cut_off_within(&self) -> Option<&'static str> {
        self.cut_off_within
    }
}
