use super::{EdgeType, Graph, NodeType, ROOT, bits::Bits, dominators::Dominators, graph::Sizes};

/// No owner is known yet.
const NOBODY: u32 = u32::MAX;
/// There are several.
const MANY: u32 = u32::MAX - 1;

/// The sizes to show: what V8 needs for an object beside the object itself, such as the array behind a Map, counts as the
/// object's, where it is the only one that needs it.
pub(super) fn shallow_sizes(graph: &Graph, detached: &Bits) -> Sizes {
    let mut sizes = graph.self_sizes.clone();
    // Snapshots with V8's internals exposed are left as they are.
    if !graph.edges(ROOT).any(|edge| graph.is_user_root(graph.target(edge))) {
        return sizes;
    }
    let external = graph.strings.find("system / ExternalStringData");
    let is_part = |node: u32| match graph.node_type(node) {
        NodeType::Hidden | NodeType::Array => true,
        // DevTools has renamed it if it is detached.
        NodeType::Native => Some(graph.name(node)) == external && !detached.has(node),
        _ => false,
    };
    let mut owners: Vec<u32> = graph.nodes().map(|node| if is_part(node) { NOBODY } else { node }).collect();
    let mut open: Vec<u32> = graph.nodes().filter(|&node| owners[node as usize] == node).collect();
    while let Some(node) = open.pop() {
        let owner = owners[node as usize];
        for edge in graph.edges(node).filter(|&edge| graph.edge_type(edge) != EdgeType::Weak) {
            let target = graph.target(edge);
            let present = &mut owners[target as usize];
            if *present == NOBODY {
                *present = owner;
                open.push(target);
            } else if *present != target && *present != owner && *present != MANY {
                *present = MANY;
                open.push(target);
            }
        }
    }
    for (part, &owner) in graph.nodes().zip(&owners) {
        let is_owned = owner != part && owner != NOBODY && owner != MANY;
        if is_owned && owner != ROOT && graph.node_type(owner) != NodeType::Synthetic {
            let size = sizes.get(part);
            sizes.set(part, 0);
            sizes.set(owner, sizes.get(owner) + size);
        }
    }
    sizes
}

/// What would be free without a node, the node included.
pub(super) fn retained_sizes(shallow: &Sizes, dominators: &Dominators) -> Vec<u64> {
    let mut retained: Vec<u64> = (0..shallow.len() as u32).map(|node| shallow.get(node)).collect();
    for &node in dominators.order.iter().rev().filter(|&&node| node != ROOT) {
        retained[dominators.parents[node as usize] as usize] += retained[node as usize];
    }
    retained
}
