use serde::Serialize;

use super::{Reader, Rows, Thing};
use crate::snapshot::{EdgeType, Graph, NodeType, ephemerons::Ephemerons};

/// What refers to an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retainers {
    /// The object.
    pub object: Thing,
    /// How many references lead to it.
    pub total: usize,
    /// What is nearest to a root first, and what keeps nothing alive last.
    pub retainers: Vec<Retainer>,
}

/// A reference that leads to an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retainer {
    /// V8's name for the type of the edge.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The name of the property or the variable, or the number of the element.
    pub name: String,
    /// Whether it keeps nothing alive by itself.
    pub is_weak: bool,
    /// What refers to the object.
    pub from: Thing,
    /// What that is a part of: the Map of a table, the Array of elements; none where it is nobody's or not V8's own.
    pub part_of: Option<Thing>,
}

/// Whether a reference keeps nothing alive by itself: one that V8 calls weak, or that of a WeakMap to a value.
pub(super) fn is_weak(graph: &Graph, ephemerons: &Ephemerons, source: u32, edge: u32) -> bool {
    match graph.edge_type(edge) {
        EdgeType::Weak => true,
        EdgeType::Internal => {
            ephemerons.get(graph.edge_name(edge)).is_some_and(|ephemeron| ephemeron.table == graph.id(source))
        }
        _ => false,
    }
}

impl Reader<'_> {
    pub(super) fn retainers(&self, node: u32, rows: Rows) -> Retainers {
        let ephemerons = Ephemerons::find(self.graph.strings());
        let mut found: Vec<(bool, u32, u32)> = (0..self.graph.edge_count())
            .filter(|&edge| self.graph.target(edge) == node)
            .map(|edge| {
                let source = self.graph.source(edge);
                (is_weak(self.graph, &ephemerons, source, edge), edge, source)
            })
            .collect();
        found.sort_by_key(|&(is_weak, _, source)| (is_weak, self.heap.distance(source)));
        Retainers {
            object: self.thing(node),
            total: found.len(),
            retainers: rows
                .of(found)
                .map(|(is_weak, edge, source)| Retainer {
                    kind: self.graph.edge_type(edge).name(),
                    name: self.edge_name(edge),
                    is_weak,
                    from: self.thing(source),
                    part_of: self.whole(source).map(|whole| self.thing(whole)),
                })
                .collect(),
        }
    }

    /// Whose part one of V8's own arrays is: of the object that alone keeps it and refers to it.
    fn whole(&self, part: u32) -> Option<u32> {
        let whole = self.heap.dominator(part);
        let refers = || self.graph.edges(whole).any(|edge| self.graph.target(edge) == part);
        let is_part =
            self.graph.node_type(part) == NodeType::Array && self.graph.node_type(whole) == NodeType::Object;
        (is_part && refers()).then_some(whole)
    }
}
