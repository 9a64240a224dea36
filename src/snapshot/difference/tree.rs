use crate::snapshot::{Heap, ROOT};

/// The dominator tree, walked once: who dominates whom is then a comparison of numbers.
#[derive(Debug)]
pub(super) struct Tree {
    /// The nodes, each behind its dominator.
    pub(super) order: Vec<u32>,
    /// By node, its place in the order...
    places: Vec<u32>,
    /// ... and the place behind the last node below it.
    ends: Vec<u32>,
}

impl Tree {
    pub(super) fn new(heap: &Heap) -> Self {
        let nodes = heap.graph().nodes();
        let count = nodes.len();
        // By node, its first child; and by child, the next.
        let mut first = vec![ROOT; count];
        let mut next = vec![ROOT; count];
        for node in nodes.rev().filter(|&node| node != ROOT) {
            let dominator = heap.dominator(node) as usize;
            next[node as usize] = std::mem::replace(&mut first[dominator], node);
        }
        let (mut order, mut places, mut ends) = (Vec::with_capacity(count), vec![0; count], vec![0; count]);
        let mut at = ROOT;
        loop {
            places[at as usize] = order.len() as u32;
            order.push(at);
            if first[at as usize] != ROOT {
                at = first[at as usize];
                continue;
            }
            loop {
                ends[at as usize] = order.len() as u32;
                if at == ROOT {
                    return Self { order, places, ends };
                }
                if next[at as usize] != ROOT {
                    at = next[at as usize];
                    break;
                }
                at = heap.dominator(at);
            }
        }
    }

    /// Whether every way to `below` leads through `above`; a node dominates itself.
    pub(super) fn dominates(&self, above: u32, below: u32) -> bool {
        let place = self.places[below as usize];
        self.places[above as usize] <= place && place < self.ends[above as usize]
    }
}
