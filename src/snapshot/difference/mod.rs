//! What has grown between two or three snapshots, and who keeps it.
//!
//! Things are found again by where they hang and by what is in them, never by ids alone: snapshots of forked children number afresh.
//! What tells a leak from a cache, a queue or a session store is turnover: whether the members that were there stay.
//!
//! ```text
//! Side (a snapshot) --> census: collections by place -----> candidates: what grows --> turnover --> verdict --> record
//!                  \--> trie: whatever is held alike ----/
//! ```

mod bounds;
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
mod witness;
mod wording;

pub use record::{ClassGrowth, Container, ContainerKind, Difference, Totals, Unit, Verdict, Work};

use super::{Cancelled, Heap, Observer, Stage};
use side::Side;
use witness::Witness;

impl Difference {
    /// Compares snapshots of one process, the oldest first; two or three of them.
    pub fn new(heaps: &[Heap], work: &Work, observer: &dyn Observer) -> Result<Self, Cancelled> {
        let goes_on = || observer.progress(Stage::Comparing, 0);
        let sides: Vec<Side<'_>> =
            heaps.iter().map(|heap| goes_on().map(|()| Side::new(heap))).collect::<Result<_, _>>()?;
        let witness = Witness::of(&sides);
        goes_on()?;
        let containers = candidate::containers(&sides, work, witness, &goes_on)?;
        let (suspects, others) = containers.into_iter().partition(|container| container.verdict.is_suspect());
        let (classes, noise) = classes::growing(heaps);
        let totals = heaps.iter().zip(&work.done).map(|(heap, &work)| Totals {
            nodes: heap.graph().node_count(),
            edges: heap.graph().edge_count(),
            total_size: heap.total_size(),
            work,
        });
        Ok(Self {
            snapshots: totals.collect(),
            ids_match: witness == Witness::Ids,
            suspects,
            others,
            classes,
            noise,
        })
    }
}

#[cfg(test)]
mod tests;
