use std::{cmp::Reverse, collections::BinaryHeap};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::{Reader, Rows, Thing, retainers::is_weak};
use crate::snapshot::{Graph, ROOT, ephemerons::Ephemerons, naming::Ways};

/// More ways say nothing new.
const MOST: usize = 100;
/// What an edge costs more on each way after the first that goes along it: the next way shall be another wherever it can.
const REPEATED: usize = 20;

/// The ways from the root that keep an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// The object.
    pub object: Thing,
    /// How many were found.
    pub total: usize,
    /// What a developer would think of first; each has a reference that none before it has.
    pub paths: Vec<Path>,
}

/// A way from the root to an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Path {
    /// The way in words.
    pub words: String,
    /// The references from the root to the object.
    pub steps: Vec<Step>,
}

/// A reference on a way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// V8's name for the type of the edge.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The name of the property or the variable, or the number of the element.
    pub name: String,
    /// What it leads to.
    pub to: Thing,
}

impl Reader<'_> {
    pub(super) fn paths(&self, node: u32, rows: Rows) -> Paths {
        let ways = Ways::new(self.graph);
        let incoming = Incoming::new(self.graph);
        let mut used: FxHashMap<u32, usize> = FxHashMap::default();
        let mut found: Vec<Vec<u32>> = Vec::new();
        while found.len() < rows.skip.saturating_add(rows.rows).min(MOST) {
            let cost = |edge| {
                ways.cost(self.graph, self.graph.source(edge), edge)
                    + used.get(&edge).unwrap_or(&0) * REPEATED
            };
            let Some(way) = incoming.cheapest(self.graph, node, cost) else { break };
            if way.iter().all(|edge| used.contains_key(edge)) {
                break;
            }
            way.iter().for_each(|&edge| *used.entry(edge).or_default() += 1);
            found.push(way);
        }
        Paths {
            object: self.thing(node),
            total: found.len(),
            paths: rows
                .of(found)
                .map(|way| Path {
                    words: ways.words(self.graph, &way, node).join(" › "),
                    steps: way.into_iter().map(|edge| self.step(edge)).collect(),
                })
                .collect(),
        }
    }

    fn step(&self, edge: u32) -> Step {
        Step {
            kind: self.graph.edge_type(edge).name(),
            name: self.edge_name(edge),
            to: self.thing(self.graph.target(edge)),
        }
    }
}

/// By node, the edges that lead to it and keep it.
struct Incoming {
    starts: Vec<u32>,
    edges: Vec<u32>,
}

impl Incoming {
    fn new(graph: &Graph) -> Self {
        let ephemerons = Ephemerons::find(graph.strings());
        let ephemerons = &ephemerons;
        let keeping = |node| {
            graph
                .edges(node)
                .filter(move |&edge| graph.target(edge) != node && !is_weak(graph, ephemerons, node, edge))
        };
        let mut starts = vec![0_u32; graph.nodes().len() + 1];
        for edge in graph.nodes().flat_map(&keeping) {
            starts[graph.target(edge) as usize] += 1;
        }
        // The counts become ends, and the ends beginnings as the places are taken from behind.
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        let mut edges = vec![0; end as usize];
        for edge in graph.nodes().flat_map(&keeping) {
            let start = &mut starts[graph.target(edge) as usize];
            *start -= 1;
            edges[*start as usize] = edge;
        }
        Self { starts, edges }
    }

    fn of(&self, node: u32) -> &[u32] {
        &self.edges[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }

    /// The edges of the cheapest way from the root to a node (Dijkstra's algorithm from the node on; few nodes lie as near as the root).
    fn cheapest(&self, graph: &Graph, to: u32, cost: impl Fn(u32) -> usize) -> Option<Vec<u32>> {
        // By node, the next edge of its cheapest way and what that way costs.
        let mut next: FxHashMap<u32, (usize, u32)> = FxHashMap::default();
        let mut done: FxHashSet<u32> = FxHashSet::default();
        let mut open = BinaryHeap::from([Reverse((0, to))]);
        while let Some(Reverse((so_far, node))) = open.pop() {
            if node == ROOT {
                break;
            }
            if !done.insert(node) {
                continue;
            }
            for &edge in self.of(node) {
                let source = graph.source(edge);
                let costs = so_far + cost(edge);
                if source != to && next.get(&source).is_none_or(|&(known, _)| costs < known) {
                    next.insert(source, (costs, edge));
                    open.push(Reverse((costs, source)));
                }
            }
        }
        let mut way = Vec::new();
        let mut at = ROOT;
        while at != to {
            let (_, edge) = *next.get(&at)?;
            way.push(edge);
            at = graph.target(edge);
        }
        Some(way)
    }
}
