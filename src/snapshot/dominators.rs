//! Who keeps whom: the dominator tree, by the semi-NCA algorithm (Georgiadis, 2005: a simplification of Lengauer and Tarjan's that
//! needs no buckets).

use super::{Graph, ROOT, bits::Bits};

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
    /// By node.
    numbers: Vec<u32>,
    /// By number: the number from which it was reached.
    parents: Vec<u32>,
}

/// Nodes that nothing keeps hang off the root, and so do those that only keep each other.
pub(super) fn dominators(graph: &Graph, essential: &Bits) -> Dominators {
    // By node, the number of edges that keep it.
    let mut kept_by = vec![0_u32; graph.nodes().len() + 1];
    for edge in (0..graph.edge_count()).filter(|&edge| essential.has(edge)) {
        kept_by[graph.target(edge) as usize] += 1;
    }
    let mut search = search(graph, essential, &kept_by);
    let numbers = immediate_dominators(graph, essential, &mut search, kept_by);
    let Search { nodes: mut order, numbers: mut parents, .. } = search;
    // From numbers to nodes, in place of the numbers.
    for (number, &node) in order.iter().enumerate() {
        parents[node as usize] = order[numbers[number] as usize];
    }
    for (node, parent) in graph.nodes().zip(&mut parents).filter(|(_, parent)| **parent == NONE) {
        *parent = ROOT;
        order.push(node);
    }
    Dominators { parents, order }
}

fn search(graph: &Graph, essential: &Bits, kept_by: &[u32]) -> Search {
    let count = graph.nodes().len();
    let mut search = Search {
        nodes: Vec::with_capacity(count),
        numbers: vec![NONE; count],
        parents: Vec::with_capacity(count),
    };
    // By number, the next edge to follow.
    let mut next: Vec<u32> = Vec::with_capacity(count);
    let orphans = graph.nodes().filter(|&node| node != ROOT && kept_by[node as usize] == 0);
    for start in std::iter::once(ROOT).chain(orphans) {
        let mut at = search.enter(graph, start, 0, &mut next);
        while at != NONE {
            let node = search.nodes[at as usize];
            let end = graph.edges(node).end;
            let edge = (next[at as usize]..end)
                .find(|&edge| essential.has(edge) && search.numbers[graph.target(edge) as usize] == NONE);
            next[at as usize] = edge.map_or(end, |edge| edge + 1);
            at = match edge {
                Some(edge) => search.enter(graph, graph.target(edge), at, &mut next),
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
        self.numbers[node as usize] = number;
        self.parents.push(parent);
        next.push(graph.edges(node).start);
        number
    }
}

/// By number, the number of the dominator.
fn immediate_dominators(graph: &Graph, essential: &Bits, search: &mut Search, kept_by: Vec<u32>) -> Vec<u32> {
    let keepers = Keepers::new(graph, essential, search, kept_by);
    let mut dominators = std::mem::take(&mut search.parents);
    let mut forest =
        Forest { ancestors: dominators.clone(), labels: vec![0; dominators.len()], path: Vec::new() };
    let mut semis = vec![0_u32; dominators.len()];
    for number in (1..search.nodes.len() as u32).rev() {
        let mut semi = dominators[number as usize];
        for &keeper in keepers.of(search.nodes[number as usize]) {
            semi = semi.min(if keeper > number { forest.lowest(keeper, number) } else { keeper });
        }
        semis[number as usize] = semi;
        forest.labels[number as usize] = semi;
    }
    for (number, &semi) in semis.iter().enumerate().skip(1) {
        let mut dominator = dominators[number];
        while dominator > semi {
            dominator = dominators[dominator as usize];
        }
        dominators[number] = dominator;
    }
    dominators
}

/// By node, the numbers of those that keep it.
struct Keepers {
    starts: Vec<u32>,
    numbers: Vec<u32>,
}

impl Keepers {
    /// `kept_by` tells, by node, how many there are.
    fn new(graph: &Graph, essential: &Bits, search: &Search, kept_by: Vec<u32>) -> Self {
        let mut starts = kept_by;
        let targets = |node| {
            graph.edges(node).filter(|&edge| essential.has(edge)).map(|edge| graph.target(edge) as usize)
        };
        for node in graph.nodes().filter(|&node| search.numbers[node as usize] == NONE) {
            targets(node).for_each(|target| starts[target] -= 1);
        }
        // The counts become ends, and the ends beginnings as the places are taken from behind.
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        let mut numbers = vec![0; end as usize];
        for (number, &node) in search.nodes.iter().enumerate() {
            for target in targets(node) {
                starts[target] -= 1;
                numbers[starts[target] as usize] = number as u32;
            }
        }
        Self { starts, numbers }
    }

    fn of(&self, node: u32) -> &[u32] {
        &self.numbers[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }
}

/// The numbers done so far, highest first, as trees; paths in them are shortened whenever they are walked.
struct Forest {
    ancestors: Vec<u32>,
    labels: Vec<u32>,
    path: Vec<u32>,
}

impl Forest {
    /// The lowest label from `number` up to the root of its tree, whose ancestor is not above `last`.
    fn lowest(&mut self, number: u32, last: u32) -> u32 {
        let mut at = number;
        while self.ancestors[at as usize] > last {
            self.path.push(at);
            at = self.ancestors[at as usize];
        }
        let (ancestor, mut lowest) = (self.ancestors[at as usize], self.labels[at as usize]);
        while let Some(at) = self.path.pop() {
            self.ancestors[at as usize] = ancestor;
            lowest = lowest.min(self.labels[at as usize]);
            self.labels[at as usize] = lowest;
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
            let tree = dominators(&graph, &essential);
            let shallow = shallow_sizes(&graph, &Bits::new(graph.node_count()));
            let retained = retained_sizes(&shallow, &tree);
            let all = reached(&graph, &essential, NONE);
            prop_assert_eq!(retained[0], graph.nodes().map(|node| shallow.get(node)).sum::<u64>());
            for node in graph.nodes().filter(|&node| node != ROOT) {
                if !all[node as usize] {
                    prop_assert_eq!(tree.parents[node as usize], ROOT);
                    continue;
                }
                let rest = reached(&graph, &essential, node);
                let lost = graph.nodes().filter(|&other| all[other as usize] && !rest[other as usize]);
                prop_assert_eq!(retained[node as usize], lost.map(|node| shallow.get(node)).sum::<u64>());
                let dominator = tree.parents[node as usize];
                if dominator != ROOT {
                    prop_assert!(!reached(&graph, &essential, dominator)[node as usize]);
                }
            }
        }
    }
}
