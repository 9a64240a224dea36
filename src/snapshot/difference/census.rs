use rustc_hash::FxHashMap;

use super::side::{Side, hash};
use crate::snapshot::{
    EdgeType, NodeType,
    members::{Key, Member, members},
};

/// Of so many collections in one place the members are compared.
const MOST_COLLECTIONS: usize = 5_000;

/// The collections of a snapshot by place.
pub(super) type Census = FxHashMap<u64, Group>;

/// All collections in one place: in most cases one.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) instances: u64,
    /// Their entries together.
    pub(super) population: u64,
    /// What the entries retain, in bytes, or the collections if that is more.
    pub(super) bytes: u64,
    /// The one with the most entries.
    pub(super) largest: u32,
    largest_population: u64,
    pub(super) nodes: Vec<u32>,
}

/// Counts a snapshot's collections.
pub(super) fn census(side: &Side<'_>) -> Census {
    let graph = side.graph();
    let mut places = Places(vec![0; graph.nodes().len()]);
    let mut census = Census::default();
    let mut retained: FxHashMap<u64, u64> = FxHashMap::default();
    for node in graph.nodes() {
        let is_candidate = graph.node_type(node) == NodeType::Object
            && !graph.is_context(node)
            && side.ways.last_edge(node).is_some();
        let members = if is_candidate { members(graph, node) } else { Vec::new() };
        if members.is_empty() {
            continue;
        }
        let place = places.of(side, node);
        let group = census.entry(place).or_default();
        let population = members.len() as u64;
        group.instances += 1;
        group.population += population;
        group.bytes += members.iter().map(|member| retained_by(side, member)).sum::<u64>();
        *retained.entry(place).or_default() += side.heap.retained_size(node);
        if population > group.largest_population {
            (group.largest, group.largest_population) = (node, population);
        }
        if group.nodes.len() < MOST_COLLECTIONS {
            group.nodes.push(node);
        }
    }
    for (place, group) in &mut census {
        group.bytes = group.bytes.max(retained.get(place).copied().unwrap_or(0));
    }
    census
}

fn retained_by(side: &Side<'_>, member: &Member) -> u64 {
    let key = match member.key {
        Some(Key::Node(key)) => Some(key),
        _ => None,
    };
    [key, member.value].into_iter().flatten().map(|node| side.heap.retained_size(node)).sum()
}

/// By node, a hash of the way to it from the nearest module, function or root, without what tells entries from each other; 0 where
/// nobody has asked.
struct Places(Vec<u64>);

impl Places {
    fn of(&mut self, side: &Side<'_>, node: u32) -> u64 {
        let graph = side.graph();
        let mut way = Vec::new();
        let mut at = node;
        let mut place = loop {
            if self.0[at as usize] != 0 {
                break self.0[at as usize];
            }
            if at != node && side.ways.is_anchor(graph, at) {
                break self.keep(at, hash(side.ways.anchor(graph, at)));
            }
            let Some(edge) = side.ways.last_edge(at) else { break self.keep(at, hash("nowhere")) };
            way.push((at, edge));
            at = graph.source(edge);
        };
        for (node, edge) in way.into_iter().rev() {
            if !is_storage(side, edge) {
                place = hash((place, side.role(edge), side.kind(node)));
            }
            self.keep(node, place);
        }
        place
    }

    fn keep(&mut self, node: u32, place: u64) -> u64 {
        self.0[node as usize] = place.max(1);
        place.max(1)
    }
}

/// Whether an edge leads to where an object keeps its parts.
fn is_storage(side: &Side<'_>, edge: u32) -> bool {
    let graph = side.graph();
    graph.edge_type(edge) == EdgeType::Internal
        && [b"table".as_slice(), b"elements", b"properties"]
            .contains(&graph.strings().bytes(graph.edge_name(edge)))
}
