use rustc_hash::{FxHashMap, FxHashSet};

use super::side::{Side, hash};
use crate::snapshot::{EdgeType, NodeType, ROOT};

/// A chain of things that repeats itself is folded if the repetition is at most so long.
pub(super) const LONGEST_REPETITION: usize = 8;

/// The dominator trees of all snapshots laid over each other: what is called alike and held alike is one node of the trie. It shows
/// growth that no collection holds: timers, linked lists, chains of scopes, promises.
pub(super) struct Trie {
    pub(super) nodes: Vec<TrieNode>,
    children: FxHashMap<(u32, u64), u32>,
    /// By snapshot and by node, the node's place in the trie.
    pub(super) places: Vec<Vec<u32>>,
}

pub(super) struct TrieNode {
    pub(super) parent: u32,
    label: u64,
    /// By snapshot.
    pub(super) totals: Vec<Total>,
    /// Whether things below are counted here, as they repeat it.
    pub(super) is_chain: bool,
}

/// What of a snapshot is in one place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Total {
    pub(super) count: u64,
    /// In bytes.
    pub(super) retained: u64,
    /// One of the things.
    pub(super) example: u32,
}

/// Where the trie begins: the root, and the scopes that are the same in all snapshots.
pub(super) const TOP: u32 = 0;

impl Trie {
    pub(super) fn new(sides: &[Side<'_>]) -> Self {
        let top = TrieNode {
            parent: TOP,
            label: 0,
            totals: sides
                .iter()
                .map(|side| Total { count: 1, retained: side.heap.retained_size(ROOT), example: ROOT })
                .collect(),
            is_chain: false,
        };
        let mut trie = Self { nodes: vec![top], children: FxHashMap::default(), places: Vec::new() };
        let anchors = unique_scopes(sides);
        for (number, side) in sides.iter().enumerate() {
            let places = trie.add(side, number, sides.len(), &anchors);
            trie.places.push(places);
        }
        trie
    }

    fn add(&mut self, side: &Side<'_>, number: usize, sides: usize, anchors: &FxHashSet<u64>) -> Vec<u32> {
        let (graph, heap) = (side.graph(), side.heap);
        let mut places = vec![TOP; graph.nodes().len()];
        let holds = holding_edges(side);
        for &node in side.tree.order.iter().filter(|&&node| node != ROOT) {
            let kind = side.kind(node);
            let is_anchor = graph.is_context(node) && anchors.contains(&kind);
            let (parent, label) = if is_anchor {
                (TOP, hash(("scope", kind)))
            } else {
                let role = Some(holds[node as usize]).filter(|&edge| edge != u32::MAX);
                (
                    places[heap.dominator(node) as usize],
                    hash((role.map(|edge| side.role(edge)), kind, graph.node_type(node).name())),
                )
            };
            let may_fold = !matches!(graph.node_type(node), NodeType::Code)
                && (graph.node_type(node) != NodeType::Hidden || side.is_promise_part(node));
            let repeated = if may_fold { self.repeated(parent, label) } else { None };
            let place = repeated.unwrap_or_else(|| self.child(parent, label, sides));
            places[node as usize] = place;
            let is_outermost = !self.is_within(parent, place);
            let trie_node = &mut self.nodes[place as usize];
            trie_node.is_chain |= repeated.is_some();
            let total = &mut trie_node.totals[number];
            total.count += 1;
            total.example = node;
            if is_outermost {
                total.retained += heap.retained_size(node);
            }
        }
        places
    }

    fn child(&mut self, parent: u32, label: u64, sides: usize) -> u32 {
        *self.children.entry((parent, label)).or_insert_with(|| {
            let totals = vec![Total::default(); sides];
            self.nodes.push(TrieNode { parent, label, totals, is_chain: false });
            self.nodes.len() as u32 - 1
        })
    }

    /// The place above that a thing so called under `parent` repeats: one with the same three labels.
    fn repeated(&self, parent: u32, label: u64) -> Option<u32> {
        if parent == TOP {
            return None;
        }
        let at = |place: u32| &self.nodes[place as usize];
        let above = |place: u32| Some(at(place).parent).filter(|&above| above != TOP);
        let wanted = [label, at(parent).label, at(at(parent).parent).label];
        let mut place = parent;
        for _ in 0..LONGEST_REPETITION {
            if place == TOP {
                return None;
            }
            if at(place).label == wanted[0]
                && let Some(second) = above(place)
                && at(second).label == wanted[1]
                && let Some(third) = above(second)
                && at(third).label == wanted[2]
            {
                return Some(place);
            }
            place = at(place).parent;
        }
        None
    }

    /// Whether `place` is above `below`, not too far, or is it.
    fn is_within(&self, below: u32, place: u32) -> bool {
        let mut at = below;
        for _ in 0..=LONGEST_REPETITION {
            if at == place {
                return true;
            }
            if at == TOP {
                return false;
            }
            at = self.nodes[at as usize].parent;
        }
        false
    }
}

/// By node, an edge from its dominator, if there is one.
fn holding_edges(side: &Side<'_>) -> Vec<u32> {
    let graph = side.graph();
    let mut holds = vec![u32::MAX; graph.nodes().len()];
    for node in graph.nodes() {
        for edge in graph.edges(node).filter(|&edge| graph.edge_type(edge) != EdgeType::Weak) {
            let target = graph.target(edge);
            if side.heap.dominator(target) == node && holds[target as usize] == u32::MAX {
                holds[target as usize] = edge;
            }
        }
    }
    holds
}

/// The scopes of which there is one of the name in every snapshot: who dominates a module's scope changes from snapshot to snapshot.
fn unique_scopes(sides: &[Side<'_>]) -> FxHashSet<u64> {
    let mut counts: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
    for (number, side) in sides.iter().enumerate() {
        let graph = side.graph();
        for node in graph.nodes().filter(|&node| graph.is_context(node)) {
            counts.entry(side.kind(node)).or_insert_with(|| vec![0; sides.len()])[number] += 1;
        }
    }
    counts
        .into_iter()
        .filter(|(_, counts)| counts.iter().all(|&count| count == 1))
        .map(|(kind, _)| kind)
        .collect()
}
