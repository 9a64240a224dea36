use super::{EdgeType, Graph, NodeType, ROOT, bits::Bits, ephemerons::Ephemerons};

/// What V8 calls the roots of detached and attached documents; there are such only in browsers.
const DOCUMENTS: &[u8] = b"(Document DOM trees)";

impl Graph {
    /// Whether users see a node as a root: one that V8 did not make up for the snapshot's sake.
    pub(super) fn is_user_root(&self, node: u32) -> bool {
        self.node_type(node) != NodeType::Synthetic || self.is_documents(node)
    }

    fn is_documents(&self, node: u32) -> bool {
        self.node_type(node) == NodeType::Synthetic && self.strings.bytes(self.name(node)) == DOCUMENTS
    }
}

/// The nodes that belong to the program, as opposed to V8 and a debugger: those that can be reached from the global objects.
fn owned_by_the_program(graph: &Graph) -> Bits {
    let mut owned = Bits::new(graph.node_count());
    for edge in graph.edges(ROOT) {
        let is_global = match graph.edge_type(edge) {
            EdgeType::Element => graph.is_documents(graph.target(edge)),
            kind => kind == EdgeType::Shortcut,
        };
        if is_global {
            owned.insert(graph.target(edge));
        }
    }
    // In the order of the file, as memory is quickest so: what lies behind has its turn anyway, and the rest at once.
    let mut open = Vec::new();
    for turn in graph.nodes() {
        if owned.has(turn) {
            open.push(turn);
        }
        while let Some(node) = open.pop() {
            for edge in graph.edges(node) {
                let target = graph.target(edge);
                if graph.edge_type(edge) != EdgeType::Weak && owned.add(target) && target < turn {
                    open.push(target);
                }
            }
        }
    }
    owned
}

/// The edges that keep their target alive, by number. An entry of a WeakMap is kept by its key, not by the table; what belongs to the
/// program is not kept by what does not.
pub(super) fn essential_edges(graph: &Graph, ephemerons: &Ephemerons) -> Bits {
    let owned = owned_by_the_program(graph);
    // Nearly all are.
    let mut essential = Bits::full(graph.edge_count());
    for node in graph.nodes() {
        let is_owned = owned.has(node);
        for edge in graph.edges(node) {
            let target = graph.target(edge);
            let keeps = match graph.edge_type(edge) {
                EdgeType::Weak => false,
                EdgeType::Shortcut => node == ROOT,
                EdgeType::Internal => ephemerons
                    .get(graph.edge_name(edge))
                    .is_none_or(|ephemeron| ephemeron.table != graph.id(node)),
                _ => true,
            };
            let is_allowed = node == ROOT || is_owned || !owned.has(target);
            if !keeps || target == node || !is_allowed {
                essential.remove(edge);
            }
        }
    }
    essential
}
