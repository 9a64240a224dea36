use super::{
    EdgeType, Graph, NodeType, ROOT, bits::Bits, dominators::Dominators, graph::Sizes, spare::Spare,
};

/// No owner is known yet.
const NOBODY: u32 = u32::MAX;
/// There are several.
const MANY: u32 = u32::MAX - 1;

/// The sizes to show: what V8 needs for an object beside the object itself, such as the array behind a Map, counts as the
/// object's, where it is the only one that needs it.
pub(super) fn shallow_sizes(graph: &Graph, detached: &Bits, spare: &mut Spare) -> Sizes {
    let mut sizes = spare.copy(&graph.self_sizes);
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
    let mut parts = Bits::new(graph.node_count());
    graph.nodes().filter(|&node| is_part(node)).for_each(|part| parts.insert(part));
    // By part.
    let mut owners = spare.filled(graph.nodes().len(), NOBODY);
    let mut open = Vec::new();
    let give = |node: u32, owner: u32, owners: &mut [u32], open: &mut Vec<u32>| {
        for edge in graph.edges(node).filter(|&edge| graph.edge_type(edge) != EdgeType::Weak) {
            let target = graph.target(edge);
            if parts.has(target) {
                let present = &mut owners[target as usize];
                if *present == NOBODY {
                    *present = owner;
                    open.push(target);
                } else if *present != owner && *present != MANY {
                    *present = MANY;
                    open.push(target);
                }
            }
        }
    };
    for node in graph.nodes().filter(|&node| !parts.has(node)) {
        give(node, node, &mut owners, &mut open);
    }
    while let Some(part) = open.pop() {
        give(part, owners[part as usize], &mut owners, &mut open);
    }
    for (part, &owner) in graph.nodes().zip(&owners) {
        let is_owned = ![NOBODY, MANY, ROOT].contains(&owner);
        if is_owned && graph.node_type(owner) != NodeType::Synthetic {
            let size = sizes.get(part);
            sizes.set(part, 0);
            sizes.set(owner, sizes.get(owner) + size);
        }
    }
    spare.keep(owners);
    sizes
}

/// What would be free without a node, the node included.
pub(super) fn retained_sizes(shallow: &Sizes, dominators: &Dominators, spare: &mut Spare) -> Sizes {
    let mut retained = spare.copy(shallow);
    for &node in dominators.order.iter().rev().filter(|&&node| node != ROOT) {
        let dominator = dominators.parents[node as usize];
        retained.set(dominator, retained.get(dominator) + retained.get(node));
    }
    retained
}
