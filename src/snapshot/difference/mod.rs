//! What has grown between two or three snapshots, and who keeps it.
//!
//! Things are found again by where they hang and by what is in them, never by ids alone: snapshots of forked children number afresh.
//! What tells a leak from a cache, a queue or a session store is turnover: whether the members that were there stay.
//!
//! ```text
//! Side (a snapshot) --> census: collections by place -----> candidates: what grows --> turnover --> verdict --> record
//!                  \--> trie: whatever is held alike ----/
//! ```

mod candidate;
mod census;
mod classes;
mod identity;
mod record;
mod side;
mod tree;
mod trie;
mod turnover;
mod verdict;
mod wording;

pub use record::{ClassGrowth, Container, ContainerKind, Difference, Totals, Unit, Verdict, Work};

use rustc_hash::FxHashMap;

use super::{Heap, NodeType};
use side::Side;

/// So many strings are looked at to find out whether ids match...
const WITNESSES: usize = 1_000;
/// ... and this part of them has to have the same id in both snapshots.
const MATCHING: f64 = 0.9;

impl Difference {
    /// Compares snapshots of one process, the oldest first; two or three of them.
    pub fn new(heaps: &[Heap], work: &Work) -> Self {
        let sides: Vec<Side<'_>> = heaps.iter().map(Side::new).collect();
        let ids_match = sides.windows(2).all(|pair| ids_match(&pair[0], &pair[1]));
        let containers = candidate::containers(&sides, work, ids_match);
        let (suspects, others) = containers.into_iter().partition(|container| container.verdict.is_suspect());
        let (classes, noise) = classes::growing(heaps);
        let totals = heaps.iter().zip(&work.done).map(|(heap, &work)| Totals {
            nodes: heap.graph().node_count(),
            edges: heap.graph().edge_count(),
            total_size: heap.total_size(),
            work,
        });
        Self { snapshots: totals.collect(), ids_match, suspects, others, classes, noise }
    }
}

/// Whether the same things have the same ids, by the strings that both snapshots have once.
fn ids_match(before: &Side<'_>, after: &Side<'_>) -> bool {
    let (before, after) = (unique_strings(before), unique_strings(after));
    let mut common = before.iter().filter_map(|(text, id)| Some((id, after.get(text)?)));
    let (mut seen, mut same) = (0, 0);
    for (id, other) in common.by_ref().take(WITNESSES) {
        seen += 1;
        same += usize::from(id == other);
    }
    seen > 0 && same as f64 >= f64::from(seen) * MATCHING
}

/// The ids of strings that a snapshot has once, by their texts' hashes.
fn unique_strings(side: &Side<'_>) -> FxHashMap<u64, u32> {
    let graph = side.graph();
    // V8 writes equal texts once, so that equal numbers mean equal texts.
    let mut nodes: FxHashMap<u32, Option<u32>> = FxHashMap::default();
    for node in graph.nodes().filter(|&node| graph.node_type(node) == NodeType::String) {
        nodes.entry(graph.name(node)).and_modify(|known| *known = None).or_insert(Some(node));
    }
    let once = nodes.into_values().flatten();
    once.map(|node| (side::hash(side.name(node)), graph.id(node))).collect()
}

#[cfg(test)]
mod tests;
