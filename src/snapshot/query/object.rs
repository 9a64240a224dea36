use serde::Serialize;

use super::{Reader, Rows, Thing};
use crate::snapshot::{EdgeType, Place, ROOT, naming::Ways};

/// An object and what it refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectDetails {
    /// The object.
    pub object: Thing,
    /// V8's size of it alone in bytes, without the parts that only it needs.
    pub self_size: u64,
    /// Whether it is something outside of the heap that its owner has let go of.
    pub is_detached: bool,
    /// Where the function, or the object's constructor, is written, where V8 knows.
    pub location: Option<Place>,
    /// The way to it, in words.
    pub path: String,
    /// The nearest thing without which it would be free; none if that is the root.
    pub dominator: Option<Thing>,
    /// How many references it has.
    pub total: usize,
    /// What the program knows first: properties and variables, elements; then V8's own.
    pub references: Vec<Reference>,
}

/// A reference from one thing to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// V8's name for the type of the edge.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The name of the property or the variable, or the number of the element.
    pub name: String,
    /// What it leads to.
    pub to: Thing,
}

impl Reader<'_> {
    pub(super) fn object(&self, node: u32, rows: Rows) -> ObjectDetails {
        let mut edges: Vec<u32> = self.graph.edges(node).collect();
        edges.sort_by_key(|&edge| match self.graph.edge_type(edge) {
            EdgeType::Property | EdgeType::Context => 0,
            EdgeType::Element => 1,
            EdgeType::Weak => 3,
            _ => 2,
        });
        let dominator = Some(self.heap.dominator(node)).filter(|&dominator| dominator != ROOT);
        ObjectDetails {
            object: self.thing(node),
            self_size: self.graph.self_size(node),
            is_detached: self.heap.is_detached(node),
            location: self.previews.functions().place(self.graph, node),
            path: Ways::new(self.graph).path(self.graph, node).join(" › "),
            dominator: dominator.map(|dominator| self.thing(dominator)),
            total: edges.len(),
            references: rows
                .of(edges)
                .map(|edge| Reference {
                    kind: self.graph.edge_type(edge).name(),
                    name: self.edge_name(edge),
                    to: self.thing(self.graph.target(edge)),
                })
                .collect(),
        }
    }
}
