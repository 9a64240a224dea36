use std::cmp::Reverse;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{Reader, Rows, Thing};
use crate::snapshot::ROOT;

/// What would be free without an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dominated {
    /// The object.
    pub object: Thing,
    /// How many things it dominates immediately.
    pub total: usize,
    /// These, what retains most first.
    pub immediate: Vec<Thing>,
    /// All that it dominates by class, what is largest first.
    pub classes: Vec<DominatedClass>,
}

/// The dominated objects of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DominatedClass {
    /// Its name.
    pub name: String,
    /// How many.
    pub count: u64,
    /// Their own sizes in bytes.
    pub shallow_size: u64,
}

impl Reader<'_> {
    pub(super) fn dominated(&self, node: u32, rows: Rows) -> Dominated {
        let mut immediate: Vec<u32> =
            self.graph.nodes().filter(|&other| other != ROOT && self.heap.dominator(other) == node).collect();
        self.by_retained_size(&mut immediate);
        let mut totals: FxHashMap<&str, (u64, u64)> = FxHashMap::default();
        for other in self.below(node).into_iter().filter(|&other| self.heap.shallow_size(other) > 0) {
            let (count, size) = totals.entry(self.class_name(other)).or_default();
            *count += 1;
            *size += self.heap.shallow_size(other);
        }
        let mut classes: Vec<DominatedClass> = totals
            .into_iter()
            .map(|(name, (count, shallow_size))| DominatedClass { name: name.into(), count, shallow_size })
            .collect();
        classes.sort_by(|one, other| {
            (Reverse(one.shallow_size), &one.name).cmp(&(Reverse(other.shallow_size), &other.name))
        });
        classes.truncate(rows.rows);
        Dominated {
            object: self.thing(node),
            total: immediate.len(),
            immediate: rows.of(immediate).map(|node| self.thing(node)).collect(),
            classes,
        }
    }

    /// All that a node dominates.
    fn below(&self, top: u32) -> Vec<u32> {
        // By node, whether the way up comes to the top; none: not known yet.
        let mut is_below: Vec<Option<bool>> = vec![None; self.graph.nodes().len()];
        is_below[ROOT as usize] = Some(false);
        is_below[top as usize] = Some(true);
        let mut way = Vec::new();
        for node in self.graph.nodes() {
            let mut at = node;
            let answer = loop {
                match is_below[at as usize] {
                    Some(answer) => break answer,
                    None => way.push(at),
                }
                at = self.heap.dominator(at);
            };
            way.drain(..).for_each(|node| is_below[node as usize] = Some(answer));
        }
        self.graph.nodes().filter(|&node| node != top && is_below[node as usize] == Some(true)).collect()
    }
}
