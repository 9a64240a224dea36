//! What a step along an edge costs, and the cheapest way to every node.

use super::{NONE, Names, is_among};
use crate::snapshot::{EdgeType, Graph, NodeType, ROOT};

/// No step costs more.
const DEAREST: usize = 120;

/// What a step along an edge costs: cheap are the ways a developer thinks in, dear are V8's own.
mod cost {
    /// No step costs less.
    pub(super) const NAMED: usize = 1;
    pub(super) const STORAGE: usize = 2;
    pub(super) const OUTER_SCOPE: usize = 3;
    pub(super) const INTERNAL: usize = 6;
    pub(super) const HIDDEN: usize = 8;
    pub(super) const PROTOTYPE: usize = 12;
    pub(super) const CODE: usize = 30;
    pub(super) const TRANSIENT: usize = 40;
    pub(super) const LAST_RESORT: usize = super::DEAREST;
}

/// By node, the last edge of the cheapest way from the root (Dial's algorithm: a ring of lists by cost).
pub(super) fn cheapest(graph: &Graph, names: Names) -> Vec<u32> {
    let mut edges = vec![NONE; graph.nodes().len()];
    let mut costs = vec![u32::MAX; graph.nodes().len()];
    let mut ring: Vec<Vec<u32>> = vec![Vec::new(); DEAREST + 1];
    costs[ROOT as usize] = 0;
    ring[0].push(ROOT);
    let mut waiting = 1_usize;
    let mut now = 0_u32;
    while waiting > 0 {
        let slot = now as usize % ring.len();
        while let Some(node) = ring[slot].pop() {
            waiting -= 1;
            if costs[node as usize] != now {
                continue;
            }
            for edge in graph.edges(node).filter(|&edge| graph.edge_type(edge) != EdgeType::Weak) {
                let target = graph.target(edge) as usize;
                if costs[target] <= now + cost::NAMED as u32 {
                    continue;
                }
                let cost = step_cost(graph, names, node, edge);
                if now + (cost as u32) < costs[target] {
                    costs[target] = now + cost as u32;
                    edges[target] = edge;
                    let slot = (now as usize + cost) % ring.len();
                    ring[slot].push(target as u32);
                    waiting += 1;
                }
            }
        }
        now += 1;
    }
    edges
}

pub(super) fn step_cost(graph: &Graph, names: Names, node: u32, edge: u32) -> usize {
    let target = graph.target(edge);
    let name = Some(graph.edge_name(edge));
    if graph.node_type(target) == NodeType::Synthetic {
        let root = graph.strings.bytes(graph.name(target));
        // Seen on Node 26: what is in it is by chance what V8 compiles in the background.
        if root == b"(Identity map)" {
            return cost::LAST_RESORT;
        }
        let is_transient =
            [b"(Stack roots)".as_slice(), b"(Handle scope)", b"(Compilation cache)"].contains(&root);
        return if is_transient { cost::TRANSIENT } else { cost::NAMED };
    }
    // A map by address that V8 itself has at the moment may hold anything.
    if graph.node_type(node) == NodeType::Synthetic
        && graph.edge_type(edge) == EdgeType::Internal
        && graph.strings.bytes(graph.edge_name(edge)).ends_with(b"IdentityMapBase")
    {
        return cost::LAST_RESORT;
    }
    if graph.edge_type(edge) == EdgeType::Internal {
        if is_among(name, [names.table, names.context]) {
            return cost::NAMED;
        }
        if is_among(name, [names.elements, names.properties]) {
            return cost::STORAGE;
        }
        if name.is_some() && name == names.previous {
            return cost::OUTER_SCOPE;
        }
    }
    // What a module exports.
    if is_among(Some(graph.name(target)), [names.source_text_module, names.cell]) {
        return cost::INTERNAL;
    }
    if matches!(graph.node_type(target), NodeType::Code | NodeType::ObjectShape | NodeType::Hidden) {
        return cost::CODE;
    }
    match graph.edge_type(edge) {
        EdgeType::Property if is_among(name, [names.proto, names.constructor, names.prototype]) => {
            cost::PROTOTYPE
        }
        EdgeType::Property | EdgeType::Context | EdgeType::Element | EdgeType::Shortcut => cost::NAMED,
        EdgeType::Hidden if graph.is_context(node) => cost::NAMED,
        EdgeType::Internal if graph.edge_number(edge).is_some() => cost::NAMED,
        EdgeType::Internal => cost::INTERNAL,
        _ => cost::HIDDEN,
    }
}
