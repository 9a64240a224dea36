use serde::Serialize;

use super::Reader;
use crate::snapshot::{EdgeType, SYSTEM_DISTANCE};

/// A node with what is always wanted of it. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Thing {
    /// V8's id of the node.
    pub id: u32,
    /// V8's name of its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its class.
    pub class: String,
    /// A line about it.
    pub preview: String,
    /// Its own size.
    pub shallow_size: u64,
    /// What would be free without it.
    pub retained_size: u64,
    /// Steps from a root that users see; none if such does not lead to it.
    pub distance: Option<u32>,
}

impl Reader<'_> {
    pub(super) fn thing(&self, node: u32) -> Thing {
        Thing {
            id: self.graph.id(node),
            kind: self.graph.node_type(node).name(),
            class: self.class_name(node).to_owned(),
            preview: self.previews.line(node),
            shallow_size: self.heap.shallow_size(node),
            retained_size: self.heap.retained_size(node),
            distance: Some(self.heap.distance(node)).filter(|&distance| distance < SYSTEM_DISTANCE),
        }
    }

    pub(super) fn class_name(&self, node: u32) -> &str {
        &self.heap.classes()[self.heap.class(node) as usize].name
    }

    /// An edge's name, or its number.
    pub(super) fn edge_name(&self, edge: u32) -> String {
        let name = self.graph.edge_name(edge);
        match self.graph.edge_type(edge) {
            EdgeType::Element | EdgeType::Hidden => name.to_string(),
            _ => self.graph.strings().get(name).into_owned(),
        }
    }

    /// The nodes that retain most, first.
    pub(super) fn by_retained_size(&self, nodes: &mut [u32]) {
        nodes.sort_by_key(|&node| std::cmp::Reverse(self.heap.retained_size(node)));
    }
}
