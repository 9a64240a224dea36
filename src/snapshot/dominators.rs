//! Who keeps whom: the dominator tree, by the semi-NCA algorithm (Georgiadis, 2005: a simplification of Lengauer and Tarjan's that
//! needs no buckets).

use std::ops::Range;

use super::{Graph, ROOT, bits::Bits, spare::Spare};

/// No node, or no number.
const NONE: u32 = u32::MAX;

/// The dominator tree. A node's dominator is the nearest node without which the root would not reach it.
#[derive(Debug)]
pub(super) struct Dominators {
    /// By node; the root's is the root.
    pub(super) parents: Vec<u32>,
    /// The nodes, each behind its dominator.
    pub(super) order: Vec<u32>,
}

/// The nodes in the order of a depth-first search.
struct Search {
    /// By number.
    nodes: Vec<u32>,
    /// By number: the number from which it was reached.
    parents: Vec<u32>,
    seen: Bits,
    keepers: Keepers,
}

/// Nodes that nothing keeps hang off the root, and so do those that only keep each other.
pub(super) fn dominators(graph: &Graph, essential: Bits, spare: &mut Spare) -> Dominators {
    let Search { nodes: mut order, parents, seen, keepers } = search(graph, &essential);
    drop(essential);
    let numbers = immediate_dominators(&order, parents, keepers, spare);
    let mut parents = spare.filled(graph.nodes().len(), ROOT);
    for (&node, &number) in order.iter().zip(&numbers) {
        parents[node as usize] = order[number as usize];
    }
    spare.keep(numbers);
    order.extend(graph.nodes().filter(|&node| !seen.has(node)));
    Dominators { parents, order }
}

fn search(graph: &Graph, essential: &Bits) -> Search {
    let count = graph.nodes().len();
    // By node, the number of edges that keep it.
    let mut kept_by = vec![0_u32; count + 1];
    for edge in (0..graph.edge_count()).filter(|&edge| essential.has(edge)) {
        kept_by[graph.target(edge) as usize] += 1;
    }
    let is_orphan = |node: &u32| *node != ROOT && kept_by[*node as usize] == 0;
    let starts: Vec<u32> = std::iter::once(ROOT).chain(graph.nodes().filter(is_orphan)).collect();
    let mut search = Search {
        nodes: Vec::with_capacity(count),
        parents: Vec::with_capacity(count),
        seen: Bits::new(graph.node_count()),
        keepers: Keepers::with_room_for(kept_by),
    };
    // By number, the next edge to follow.
    let mut next: Vec<u32> = Vec::with_capacity(count);
    for start in starts {
        search.seen.insert(start);
        let mut at = search.enter(graph, start, 0, &mut next);
        while at != NONE {
            let node = search.nodes[at as usize];
            let mut edges = next[at as usize]..graph.edges(node).end;
            let child = search.follow(graph, essential, at, &mut edges);
            next[at as usize] = edges.start;
            at = match child {
                Some(child) => search.enter(graph, child, at, &mut next),
                None if node == start => NONE,
                None => search.parents[at as usize],
            };
        }
    }
    search
}

impl Search {
    fn enter(&mut self, graph: &Graph, node: u32, parent: u32, next: &mut Vec<u32>) -> u32 {
        let number = self.nodes.len() as u32;
        self.nodes.push(node);
        self.parents.push(parent);
        next.push(graph.edges(node).start);
        number
    }

    /// Goes along edges of the number `at` to the first that leads to a new node.
    fn follow(&mut self, graph: &Graph, essential: &Bits, at: u32, edges: &mut Range<u32>) -> Option<u32> {
        for edge in edges.filter(|&edge| essential.has(edge)) {
            let target = graph.target(edge);
            if self.seen.add(target) {
                return Some(target);
            }
            self.keepers.add(target, at);
        }
        None
    }
}

/// By number, the number of the dominator. `parents` and `keepers` are those of the search.
fn immediate_dominators(
    nodes: &[u32],
    parents: Vec<u32>,
    mut keepers: Keepers,
    spare: &mut Spare,
) -> Vec<u32> {
    let mut dominators = parents;
    let links = dominators.iter().map(|&ancestor| Link { ancestor, label: 0 });
    let mut forest = Forest { links: links.collect(), path: Vec::new() };
    for number in (1..nodes.len() as u32).rev() {
        let mut semi = dominators[number as usize];
        for keeper in keepers.of(nodes[number as usize]) {
            semi = semi.min(if keeper > number { forest.lowest(keeper, number) } else { keeper });
        }
        keepers.finish(nodes[number as usize], semi);
        forest.links[number as usize].label = semi;
    }
    drop(forest);
    for (number, &node) in nodes.iter().enumerate().skip(1) {
        // Without other keepers it is the one from which the search came.
        let Some(semi) = keepers.finished(node) else { continue };
        let mut dominator = dominators[number];
        while dominator > semi {
            dominator = dominators[dominator as usize];
        }
        dominators[number] = dominator;
    }
    spare.keep(keepers.starts);
    spare.keep(keepers.numbers);
    dominators
}

/// By node, the numbers of those that keep it, but for the one from which the search reached it.
struct Keepers {
    starts: Vec<u32>,
    numbers: Vec<u32>,
}

impl Keepers {
    /// `kept_by` tells, by node, how many there may be, and is one longer.
    fn with_room_for(kept_by: Vec<u32>) -> Self {
        let mut starts = kept_by;
        let mut end = 0;
        for (node, start) in starts.iter_mut().enumerate() {
            // The search begins at the root and reaches it from nowhere.
            end += if node == ROOT as usize { *start } else { start.saturating_sub(1) };
            *start = end;
        }
        Self { starts, numbers: vec![NONE; end as usize] }
    }

    /// The places are taken from behind.
    #[inline]
    fn add(&mut self, node: u32, keeper: u32) {
        let start = &mut self.starts[node as usize];
        *start -= 1;
        self.numbers[*start as usize] = keeper;
    }

    /// The keepers of a node are not needed any more: its semidominator takes the place of the first.
    fn finish(&mut self, node: u32, semi: u32) {
        let (start, end) = (self.starts[node as usize], self.starts[node as usize + 1]);
        if start < end {
            self.numbers[start as usize] = semi;
        }
    }

    /// A node's semidominator, if it had keepers.
    fn finished(&self, node: u32) -> Option<u32> {
        let (start, end) = (self.starts[node as usize], self.starts[node as usize + 1]);
        (start < end).then(|| self.numbers[start as usize])
    }

    /// Places are left where those that would keep a node were not reached themselves.
    fn of(&self, node: u32) -> impl Iterator<Item = u32> {
        let range = self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize;
        self.numbers[range].iter().copied().filter(|&number| number != NONE)
    }
}

/// The numbers done so far, highest first, as trees; paths in them are shortened whenever they are walked.
struct Forest {
    links: Vec<Link>,
    path: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Link {
    ancestor: u32,
    label: u32,
}

impl Forest {
    /// The lowest label from `number` up to the root of its tree, whose ancestor is not above `last`.
    fn lowest(&mut self, number: u32, last: u32) -> u32 {
        let mut at = number;
        while self.links[at as usize].ancestor > last {
            self.path.push(at);
            at = self.links[at as usize].ancestor;
        }
        let Link { ancestor, label: mut lowest } = self.links[at as usize];
        while let Some(at) = self.path.pop() {
            let link = &mut self.links[at as usize];
            lowest = lowest.min(link.label);
            *link = Link { ancestor, label: lowest };
        }
        lowest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::{
        ephemerons::Ephemerons,
        essential::essential_edges,
        sizes::{retained_sizes, shallow_sizes},
        testing::{graph, graphs},
    };

    /// What can be reached from the root without `without`; nodes that nothing keeps are the root's.
    fn reached(graph: &Graph, essential: &Bits, without: u32) -> Vec<bool> {
        let mut is_kept = vec![false; graph.nodes().len()];
        (0..graph.edge_count())
            .filter(|&edge| essential.has(edge))
            .for_each(|edge| is_kept[graph.target(edge) as usize] = true);
        let mut reached = vec![false; graph.nodes().len()];
        let orphans = graph.nodes().filter(|&node| node != ROOT && !is_kept[node as usize]);
        let mut open: Vec<u32> =
            std::iter::once(ROOT).chain(orphans).filter(|&node| node != without).collect();
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut reached[node as usize], true) {
                let edges = graph.edges(node).filter(|&edge| essential.has(edge));
                open.extend(edges.map(|edge| graph.target(edge)).filter(|&target| target != without));
            }
        }
        reached
    }

    proptest! {
        /// A node retains what cannot be reached without it.
        #[test]
        fn agrees_with_taking_each_node_away(nodes in graphs()) {
            let graph = graph(&nodes);
            let essential = essential_edges(&graph, &Ephemerons::find(graph.strings()));
            let mut spare = Spare::default();
            let tree = dominators(&graph, essential.clone(), &mut spare);
            let shallow = shallow_sizes(&graph, &Bits::new(graph.node_count()), &mut spare);
            let retained = retained_sizes(&shallow, &tree, &mut spare);
            let all = reached(&graph, &essential, NONE);
            prop_assert_eq!(retained.get(ROOT), graph.nodes().map(|node| shallow.get(node)).sum::<u64>());
            for node in graph.nodes().filter(|&node| node != ROOT) {
                if !all[node as usize] {
                    prop_assert_eq!(tree.parents[node as usize], ROOT);
                    continue;
                }
                let rest = reached(&graph, &essential, node);
                let lost = graph.nodes().filter(|&other| all[other as usize] && !rest[other as usize]);
                prop_assert_eq!(retained.get(node), lost.map(|node| shallow.get(node)).sum::<u64>());
                let dominator = tree.parents[node as usize];
                if dominator != ROOT {
                    prop_assert!(!reached(&graph, &essential, dominator)[node as usize]);
                }
            }
        }
    }
}
