//! What a node is, in one line, as a console would print it. Small integers leave no trace in a snapshot: nothing is said of lengths and
//! of properties that may be such.

use super::{
    CollectionKind, EdgeType, Graph, NodeType,
    collections::{CollectionNames, collection},
    functions::Functions,
    members::{Key, members},
    naming::label,
};

/// So many properties or entries are shown.
const SHOWN: usize = 5;
/// So deep are strings of parts looked into.
const DEEPEST: usize = 32;
/// More characters of a string among others are not shown.
const LONGEST_PART: usize = 24;
/// More characters of a string by itself are not shown.
const LONGEST: usize = 80;

/// What is needed for previews of the nodes of a graph.
pub(super) struct Previews<'a> {
    graph: &'a Graph,
    names: CollectionNames,
    functions: Functions,
    proto: Option<u32>,
    name: Option<u32>,
    first: Option<u32>,
    parent: Option<u32>,
    accessors: Option<u32>,
    oddball: Option<u32>,
}

impl<'a> Previews<'a> {
    pub(super) fn new(graph: &'a Graph) -> Self {
        let find = |name| graph.strings.find(name);
        Self {
            graph,
            names: CollectionNames::find(graph),
            functions: Functions::find(graph),
            proto: find("__proto__"),
            name: find("name"),
            first: find("first"),
            parent: find("parent"),
            accessors: find("system / AccessorPair"),
            oddball: find("system / Oddball"),
        }
    }

    pub(super) const fn functions(&self) -> &Functions {
        &self.functions
    }

    pub(super) const fn collection_names(&self) -> CollectionNames {
        self.names
    }

    /// Whether it stands where a getter and a setter are.
    pub(super) fn is_accessors(&self, node: u32) -> bool {
        self.graph.node_type(node) == NodeType::Hidden && Some(self.graph.name(node)) == self.accessors
    }

    /// Whether an edge is a property or an element that the program knows, other than the prototype.
    pub(super) fn is_property(&self, edge: u32) -> bool {
        matches!(self.graph.edge_type(edge), EdgeType::Property | EdgeType::Element)
            && Some(self.graph.edge_name(edge)) != self.proto
    }

    /// A line about the node.
    pub(super) fn line(&self, node: u32) -> String {
        let graph = self.graph;
        match graph.node_type(node) {
            NodeType::String | NodeType::ConcatenatedString | NodeType::SlicedString => {
                self.string(node, LONGEST)
            }
            NodeType::Closure => match self.functions.place(graph, node) {
                Some(place) => format!("{} {place}", label(graph, node)),
                None => label(graph, node),
            },
            NodeType::Object => {
                let kind = collection(graph, self.names, node);
                match kind {
                    Some((kind @ (CollectionKind::Map | CollectionKind::Set), entries)) => {
                        self.table(node, kind, entries as usize)
                    }
                    Some((CollectionKind::Array, _)) => self.array(node),
                    _ => self.object(node),
                }
            }
            _ => self.word(node),
        }
    }

    /// A word about the node, as one among others.
    pub(super) fn word(&self, node: u32) -> String {
        let graph = self.graph;
        match graph.node_type(node) {
            NodeType::String | NodeType::ConcatenatedString | NodeType::SlicedString => {
                self.string(node, LONGEST_PART)
            }
            NodeType::RegExp => {
                format!("/{}/", shortened(&graph.strings.get(graph.name(node)), LONGEST_PART))
            }
            NodeType::Number => "number".into(),
            NodeType::BigInt => "bigint".into(),
            NodeType::Symbol => format!("Symbol({})", self.text_of(node, self.name).unwrap_or_default()),
            NodeType::Hidden if self.is_accessors(node) => "(getter or setter)".into(),
            NodeType::Hidden if Some(graph.name(node)) == self.oddball => self.oddball(node),
            NodeType::Object if graph.is_context(node) => "scope".into(),
            _ => label(graph, node),
        }
    }

    /// `undefined` and its like: V8 lets the first of the unnamed edges lead to the word.
    fn oddball(&self, node: u32) -> String {
        let graph = self.graph;
        let word = graph
            .edges(node)
            .filter(|&edge| graph.edge_type(edge) == EdgeType::Hidden && graph.edge_name(edge) == 0)
            .map(|edge| graph.target(edge))
            .find(|&target| graph.node_type(target) == NodeType::String);
        word.map_or_else(|| label(graph, node), |word| graph.strings.get(graph.name(word)).into_owned())
    }

    fn text_of(&self, node: u32, name: Option<u32>) -> Option<String> {
        let target = self.graph.internal(node, name)?;
        (self.graph.node_type(target) == NodeType::String)
            .then(|| self.graph.strings.get(self.graph.name(target)).into_owned())
    }

    /// The text of a string; of one that is made of parts, the beginning of the first, or what it is a part of.
    fn string(&self, node: u32, longest: usize) -> String {
        let graph = self.graph;
        let (mut at, mut is_cut, mut is_part) = (node, false, false);
        for _ in 0..DEEPEST {
            let next = match graph.node_type(at) {
                NodeType::ConcatenatedString => {
                    is_cut = true;
                    graph.internal(at, self.first)
                }
                NodeType::SlicedString => {
                    is_part = true;
                    graph.internal(at, self.parent)
                }
                _ => None,
            };
            let Some(next) = next else { break };
            at = next;
        }
        if graph.node_type(at) != NodeType::String {
            return label(graph, at);
        }
        let text = graph.strings.get(graph.name(at));
        let mut shown: String = text.chars().take(longest).collect();
        if is_cut || shown.len() < text.len() {
            shown.push('…');
        }
        if is_part { format!("part of {shown:?}") } else { format!("{shown:?}") }
    }

    fn object(&self, node: u32) -> String {
        let graph = self.graph;
        let is_scope = graph.is_context(node);
        let properties = graph.edges(node).filter(|&edge| {
            if is_scope {
                graph.edge_type(edge) == EdgeType::Context
            } else {
                self.is_property(edge) && !self.is_of_accessors(edge)
            }
        });
        let parts = properties.clone().map(|edge| {
            let name = match graph.edge_type(edge) {
                EdgeType::Element => graph.edge_name(edge).to_string(),
                _ => graph.strings.get(graph.edge_name(edge)).into_owned(),
            };
            format!("{}: {}", shortened(&name, LONGEST_PART), self.word(graph.target(edge)))
        });
        enclosed(&self.word(node), ['{', '}'], properties.clone().count(), parts)
    }

    /// Whether an edge leads to a getter, a setter, or what stands for both.
    fn is_of_accessors(&self, edge: u32) -> bool {
        let (name, target) = (self.graph.strings.bytes(self.graph.edge_name(edge)), self.graph.target(edge));
        self.is_accessors(target)
            || (self.graph.edge_type(edge) == EdgeType::Property
                && (name.starts_with(b"get ") || name.starts_with(b"set "))
                && self.graph.node_type(target) == NodeType::Closure)
    }

    fn array(&self, node: u32) -> String {
        let graph = self.graph;
        let elements = graph.edges(node).filter(|&edge| graph.edge_type(edge) == EdgeType::Element);
        // A gap is a small integer, or nothing.
        let mut next = 0;
        let parts = elements.clone().map(|edge| {
            let (index, word) = (graph.edge_name(edge), self.word(graph.target(edge)));
            let part = if index == next { word } else { format!("{index}: {word}") };
            next = index.saturating_add(1);
            part
        });
        enclosed(&label(graph, node), ['[', ']'], elements.clone().count(), parts)
    }

    fn table(&self, node: u32, kind: CollectionKind, entries: usize) -> String {
        // A key or a value that leaves no trace is a small integer, or an undefined and its like.
        const UNSEEN: &str = "?";
        let word = |node: Option<u32>| node.map_or_else(|| UNSEEN.into(), |node| self.word(node));
        let parts = members(self.graph, node).into_iter().map(|member| match (kind, member.key) {
            (CollectionKind::Map, Some(Key::Node(key))) => {
                format!("{} => {}", self.word(key), word(member.value))
            }
            (CollectionKind::Map, _) => format!("{UNSEEN} => {}", word(member.value)),
            _ => word(member.value),
        });
        enclosed(&label(self.graph, node), ['{', '}'], entries, parts)
    }
}

/// The first parts behind a word; what has none to be seen need not be empty.
fn enclosed(
    word: &str,
    [open, close]: [char; 2],
    total: usize,
    parts: impl Iterator<Item = String>,
) -> String {
    let mut shown: Vec<String> = parts.take(SHOWN).collect();
    if total > shown.len() {
        shown.push(format!("… {} more", total - shown.len()));
    }
    if shown.is_empty() { word.into() } else { format!("{word} {open}{}{close}", shown.join(", ")) }
}

fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        text.into()
    } else {
        text.chars().take(longest).chain(['…']).collect()
    }
}
