use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Reader, Rows, Thing};
use crate::snapshot::collections::collection;

/// So many names of classes are proposed.
const PROPOSALS: usize = 5;

/// A property that objects must have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PropertyFilter {
    /// Its name, or its index.
    pub name: String,
    /// The text that it is, or the class of what it is, or a word such as `null`; none: anything.
    pub value: Option<String>,
}

/// The objects of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Objects {
    /// The class.
    pub class: String,
    /// How many fit.
    pub total: usize,
    /// Their own sizes in bytes.
    pub shallow_size: u64,
    /// What retains most first.
    pub objects: Vec<Thing>,
    /// If there is no such class, the names of some that are alike.
    pub similar: Vec<String>,
}

impl Reader<'_> {
    pub(super) fn objects(
        &self,
        class: &str,
        min_count: u64,
        min_size: u64,
        property: Option<&PropertyFilter>,
        rows: Rows,
    ) -> Objects {
        let is_wanted: Vec<bool> = self.heap.classes().iter().map(|known| known.name == class).collect();
        let mut found: Vec<u32> = self
            .graph
            .nodes()
            .filter(|&node| is_wanted[self.heap.class(node) as usize] && self.heap.shallow_size(node) > 0)
            .filter(|&node| self.heap.retained_size(node) >= min_size)
            .filter(|&node| min_count == 0 || self.entries(node) >= min_count)
            .filter(|&node| property.is_none_or(|property| self.has(node, property)))
            .collect();
        self.by_retained_size(&mut found);
        Objects {
            class: class.into(),
            total: found.len(),
            shallow_size: found.iter().map(|&node| self.heap.shallow_size(node)).sum(),
            objects: rows.of(found).map(|node| self.thing(node)).collect(),
            similar: if is_wanted.contains(&true) { Vec::new() } else { self.similar(class) },
        }
    }

    /// Of a collection, its entries; otherwise, its properties and elements.
    fn entries(&self, node: u32) -> u64 {
        let properties = || self.graph.edges(node).filter(|&edge| self.previews.is_property(edge)).count();
        match collection(self.graph, self.previews.collection_names(), node) {
            Some((_, entries)) => entries.into(),
            None => properties() as u64,
        }
    }

    fn has(&self, node: u32, PropertyFilter { name, value }: &PropertyFilter) -> bool {
        self.graph
            .edges(node)
            .filter(|&edge| self.previews.is_property(edge) && self.edge_name(edge) == *name)
            .any(|edge| value.as_ref().is_none_or(|value| self.is_value(self.graph.target(edge), value)))
    }

    fn is_value(&self, node: u32, value: &str) -> bool {
        self.graph.strings().bytes(self.graph.name(node)) == value.as_bytes()
            || self.class_name(node) == value
            || self.previews.word(node) == value
    }

    fn similar(&self, class: &str) -> Vec<String> {
        let wanted = class.to_lowercase();
        let names: BTreeSet<&str> = self
            .heap
            .classes()
            .iter()
            .filter(|known| known.count > 0)
            .map(|known| known.name.as_str())
            .filter(|name| {
                let name = name.to_lowercase();
                name.contains(&wanted) || (wanted.contains(&name) && name.len() > 2)
            })
            .collect();
        names.into_iter().take(PROPOSALS).map(str::to_owned).collect()
    }
}
