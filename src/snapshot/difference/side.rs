use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::tree::Tree;
use crate::snapshot::{
    EdgeType, Graph, Heap, NodeType, Place,
    functions::Functions,
    naming::{Ways, is_global},
};

/// So many edges make the names of an object's properties data.
const MANY_EDGES: u32 = 64;
/// What a developer writes as a name is no longer, and has fewer digits.
const LONGEST_NAME: usize = 60;
const MANY_DIGITS: usize = 3;

/// One of the snapshots, with what it takes to find its things again in another one. Numbers of nodes and strings differ from
/// snapshot to snapshot, and so do ids if forked children wrote them: things are found by hashes of what they are called.
pub(super) struct Side<'a> {
    pub(super) heap: &'a Heap,
    pub(super) ways: Ways,
    functions: Functions,
    pub(super) tree: Tree,
}

/// A hash of what is the same in all snapshots.
pub(super) fn hash(what: impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    what.hash(&mut hasher);
    hasher.finish()
}

impl<'a> Side<'a> {
    pub(super) fn new(heap: &'a Heap) -> Self {
        let graph = heap.graph();
        Self { heap, ways: Ways::new(graph), functions: Functions::find(graph), tree: Tree::new(heap) }
    }

    pub(super) fn graph(&self) -> &'a Graph {
        self.heap.graph()
    }

    /// The text of a node's name.
    pub(super) fn name(&self, node: u32) -> &'a [u8] {
        let graph = self.graph();
        graph.strings().bytes(graph.name(node))
    }

    /// An edge's name if it says which edge it is, not which entry: none for elements and the keys of dictionaries.
    pub(super) fn role(&self, edge: u32) -> Option<&'a [u8]> {
        let graph = self.graph();
        let edge_type = graph.edge_type(edge);
        let name = match edge_type {
            EdgeType::Hidden => self.ways.variable(graph, edge)?,
            EdgeType::Element => return None,
            _ => graph.edge_name(edge),
        };
        let text = graph.strings().bytes(name);
        // Which cell of a module's exports it is does not change.
        if edge_type == EdgeType::Internal && self.name(graph.target(edge)) == b"system / Cell" {
            return Some(text);
        }
        (is_written(text) && !(edge_type == EdgeType::Property && self.has_many(graph.source(edge))))
            .then_some(text)
    }

    fn has_many(&self, node: u32) -> bool {
        let graph = self.graph();
        graph.edges(node).len() > MANY_EDGES as usize
            && graph.node_type(node) != NodeType::Closure
            && !is_global(graph, node)
    }

    /// What a node is: a class, a function with its place, a scope with its function.
    pub(super) fn kind(&self, node: u32) -> u64 {
        let graph = self.graph();
        let node_type = graph.node_type(node);
        match node_type {
            NodeType::Closure => hash((self.name(node), self.place(node))),
            NodeType::Object if graph.is_context(node) => hash(self.ways.anchor(graph, node)),
            NodeType::Object | NodeType::Native | NodeType::Synthetic => hash(self.name(node)),
            NodeType::Hidden if self.is_promise_part(node) => hash(self.name(node)),
            _ => hash(node_type.name()),
        }
    }

    /// Whether the node is what V8 makes for a promise that somebody waits for.
    pub(super) fn is_promise_part(&self, node: u32) -> bool {
        self.name(node).starts_with(b"system / Promise")
    }

    /// Whether the node says what V8 knows of the program, not what the program holds.
    pub(super) fn is_noise(&self, node: u32) -> bool {
        match self.graph().node_type(node) {
            NodeType::Code | NodeType::ObjectShape | NodeType::Synthetic | NodeType::Number => true,
            NodeType::Hidden => !self.is_promise_part(node),
            _ => false,
        }
    }

    /// Whether a function is the application's or a package's, not Node's own.
    pub(super) fn is_users(&self, closure: u32) -> bool {
        let shared = self.functions.shared(self.graph(), closure);
        shared.is_some_and(|shared| self.functions.is_of_the_program(self.graph(), shared))
    }

    /// A function and where it is written: `onReload (/app/server.js:6)`.
    pub(super) fn function(&self, closure: u32) -> String {
        let name = match self.name(closure) {
            [] => "anonymous function".into(),
            name => String::from_utf8_lossy(name),
        };
        match self.place(closure) {
            Some(place) => format!("{name} ({place})"),
            None => name.into_owned(),
        }
    }

    fn place(&self, closure: u32) -> Option<Place> {
        self.functions.place(self.graph(), closure)
    }
}

/// Whether a name looks like one that stands in the program's text.
fn is_written(name: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$#-.".contains(byte);
    let digits = name.iter().filter(|byte| byte.is_ascii_digit()).count();
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && digits < MANY_DIGITS
        && !name[0].is_ascii_digit()
        && (name.starts_with(b"<symbol") || name.iter().all(is_part))
}

#[cfg(test)]
mod tests {
    use super::is_written;

    #[test]
    fn names_are_told_from_data() {
        for name in ["maps", "_events", "x1", "content-type", "<symbol kResourceStore>"] {
            assert!(is_written(name.as_bytes()), "{name}");
        }
        for name in ["", "req-1234", "7", "two words", "a".repeat(61).as_str()] {
            assert!(!is_written(name.as_bytes()), "{name}");
        }
    }
}
