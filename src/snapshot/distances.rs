use rustc_hash::FxHashSet;

use super::{EdgeType, Graph, NodeType, ROOT, bits::Bits, ephemerons::Ephemerons, spare::Spare};

/// The distance of a node that cannot be reached.
pub const UNREACHABLE: u32 = u32::MAX;
/// From here on a distance is counted from the root, as no global object leads to the node.
pub const SYSTEM_DISTANCE: u32 = 100_000_000;

/// How many steps each node is away from the nearest root that users see.
pub(super) fn distances(graph: &Graph, ephemerons: &Ephemerons, spare: &mut Spare) -> Vec<u32> {
    let names = Names {
        native_context: graph.strings.find("system / NativeContext"),
        sloppy_function_map: graph.strings.find("sloppy_function_map"),
        map_descriptors: graph.strings.find("(map descriptors)"),
    };
    let mut walk = Walk {
        graph,
        ephemerons,
        names,
        half_pairs: FxHashSet::default(),
        seen: Bits::new(graph.node_count()),
        distances: spare.filled(graph.nodes().len(), UNREACHABLE),
        queue: spare.empty(graph.nodes().len()),
    };
    for edge in graph.edges(ROOT).filter(|&edge| graph.is_user_root(graph.target(edge))) {
        walk.seen.insert(graph.target(edge));
        walk.distances[graph.target(edge) as usize] = 1;
        walk.queue.push(graph.target(edge));
    }
    let has_user_roots = !walk.queue.is_empty();
    walk.run();
    walk.seen.insert(ROOT);
    walk.distances[ROOT as usize] = if has_user_roots { SYSTEM_DISTANCE } else { 0 };
    walk.queue.push(ROOT);
    walk.run();
    spare.keep(walk.queue);
    walk.distances
}

/// Strings that matter, where they occur.
struct Names {
    native_context: Option<u32>,
    sloppy_function_map: Option<u32>,
    map_descriptors: Option<u32>,
}

struct Walk<'a> {
    graph: &'a Graph,
    ephemerons: &'a Ephemerons,
    names: Names,
    /// Of these entries of WeakMaps one edge was seen.
    half_pairs: FxHashSet<u32>,
    /// Those that have a distance; there is room for it in the nearest caches.
    seen: Bits,
    distances: Vec<u32>,
    queue: Vec<u32>,
}

impl Walk<'_> {
    /// Breadth first from the queue, which is empty afterwards.
    fn run(&mut self) {
        let mut at = 0;
        while let Some(&node) = self.queue.get(at) {
            at += 1;
            let distance = self.distances[node as usize] + 1;
            for edge in self.graph.edges(node) {
                let target = self.graph.target(edge);
                if self.graph.edge_type(edge) != EdgeType::Weak
                    && !self.seen.has(target)
                    && self.leads_on(node, edge)
                {
                    self.seen.insert(target);
                    self.distances[target as usize] = distance;
                    self.queue.push(target);
                }
            }
        }
        self.queue.clear();
    }

    /// Whether an edge counts: not those through which V8's own tables seem to be near everything.
    fn leads_on(&mut self, node: u32, edge: u32) -> bool {
        let graph = self.graph;
        let (node_type, edge_type) = (graph.node_type(node), graph.edge_type(edge));
        let is_named = |name: Option<u32>| name == Some(graph.name(node));
        if node_type == NodeType::Hidden
            && !edge_type.is_numbered()
            && self.names.sloppy_function_map == Some(graph.edge_name(edge))
            && is_named(self.names.native_context)
        {
            return false;
        }
        if node_type == NodeType::Array && is_named(self.names.map_descriptors) {
            // Rows of three behind two others; several maps share them, and each uses but a part.
            return match self.index_of(edge) {
                Some(index) => index < 2 || index % 3 != 1,
                None => true,
            };
        }
        if edge_type != EdgeType::Internal {
            return true;
        }
        // A value of a WeakMap is as far away as the farther one of its table and its key, and that comes second.
        match self.ephemerons.get(graph.edge_name(edge)) {
            Some(ephemeron) => {
                self.half_pairs.remove(&ephemeron.pair) || !self.half_pairs.insert(ephemeron.pair)
            }
            None => true,
        }
    }

    /// An edge's name as a number.
    fn index_of(&self, edge: u32) -> Option<u64> {
        let name = self.graph.edge_name(edge);
        if self.graph.edge_type(edge).is_numbered() {
            return Some(u64::from(name));
        }
        let name = self.graph.strings.bytes(name);
        let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(&name[..digits]).ok()?.parse().ok()
    }
}
