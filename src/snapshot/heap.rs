use super::{
    Cancelled, ClassGroup, Graph, Observer, ROOT, Stage,
    bits::Bits,
    classes::{Classes, classes},
    detached::detached_nodes,
    distances::distances,
    dominators::{Dominators, dominators},
    ephemerons::Ephemerons,
    essential::essential_edges,
    graph::Sizes,
    sizes::{retained_sizes, shallow_sizes},
    spare::Spare,
};

/// A snapshot with what follows from it: who keeps whom, and how much. The numbers are those of Chrome DevTools.
#[derive(Debug)]
pub struct Heap {
    graph: Graph,
    detached: Bits,
    shallow: Sizes,
    dominators: Vec<u32>,
    retained: Sizes,
    distances: Vec<u32>,
    classes: Classes,
}

impl Heap {
    /// Works it all out.
    pub fn new(graph: Graph, observer: &dyn Observer) -> Result<Self, Cancelled> {
        let ephemerons = Ephemerons::find(&graph.strings);
        let mut spare = Spare::default();
        observer.progress(Stage::Dominators, 0)?;
        let tree = dominators(&graph, essential_edges(&graph, &ephemerons), &mut spare);
        observer.progress(Stage::Sizes, 0)?;
        let detached = detached_nodes(&graph);
        let shallow = shallow_sizes(&graph, &detached, &mut spare);
        let retained = retained_sizes(&shallow, &tree, &mut spare);
        let Dominators { parents: dominators, order } = tree;
        spare.keep(order);
        observer.progress(Stage::Distances, 0)?;
        let distances = distances(&graph, &ephemerons, &mut spare);
        observer.progress(Stage::Classes, 0)?;
        let classes = classes(&graph, &detached, &shallow, &retained, &distances, &dominators, &mut spare);
        Ok(Self { graph, detached, shallow, dominators, retained, distances, classes })
    }

    /// The snapshot itself.
    pub const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The nearest node without which the root would not reach this one; the root's is the root.
    pub fn dominator(&self, node: u32) -> u32 {
        self.dominators[node as usize]
    }

    /// By node, its dominator.
    pub(super) fn dominators(&self) -> &[u32] {
        &self.dominators
    }

    /// A node's own size in bytes, with that of the parts that only it needs.
    pub fn shallow_size(&self, node: u32) -> u64 {
        self.shallow.get(node)
    }

    /// What would be free without the node, in bytes.
    pub fn retained_size(&self, node: u32) -> u64 {
        self.retained.get(node)
    }

    /// How many steps the node is away from the nearest root that users see.
    pub fn distance(&self, node: u32) -> u32 {
        self.distances[node as usize]
    }

    /// Whether the node is something outside of the heap that its owner has let go of.
    pub fn is_detached(&self, node: u32) -> bool {
        self.detached.has(node)
    }

    /// The classes.
    pub fn classes(&self) -> &[ClassGroup] {
        &self.classes.groups
    }

    /// The number of a node's class.
    pub fn class(&self, node: u32) -> u32 {
        self.classes.of[node as usize]
    }

    /// Everything together, in bytes.
    pub fn total_size(&self) -> u64 {
        self.retained.get(ROOT) + self.graph.extra_native_bytes
    }
}
