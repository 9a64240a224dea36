use super::{Heap, ROOT, dominated::Dominated, spare::Spare};

/// What would be free without each group of nodes, in bytes: the retained sizes of those that no other of the same group dominates.
pub(super) fn retained_by_group(heap: &Heap, of: impl Fn(u32) -> Option<u32>, groups: usize) -> Vec<u64> {
    let dominated = Dominated::new(heap.dominators(), &mut Spare::default());
    let mut retained = vec![0_u64; groups];
    // Of these groups a node was counted further up.
    let mut is_counted = vec![false; groups];
    let mut open = vec![ROOT];
    // Where the open nodes below a counted one begin, and its group.
    let mut below: Vec<(usize, u32)> = Vec::new();
    while let Some(node) = open.pop() {
        let children = dominated.of(node);
        if let Some(group) = of(node).filter(|&group| !is_counted[group as usize]) {
            retained[group as usize] += heap.retained_size(node);
            if !children.is_empty() {
                is_counted[group as usize] = true;
                below.push((open.len(), group));
            }
        }
        open.extend_from_slice(children);
        while let Some((_, group)) = below.pop_if(|(start, _)| *start == open.len()) {
            is_counted[group as usize] = false;
        }
    }
    retained
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::testing::{graph, graphs};

    proptest! {
        #[test]
        fn only_the_topmost_of_a_group_counts(nodes in graphs()) {
            let heap = Heap::new(graph(&nodes), &()).expect("nobody cancels");
            let of = |node: u32| (node % 3).checked_sub(1);
            let mut expected = vec![0; 2];
            for node in heap.graph().nodes() {
                let mut above = std::iter::successors(Some(node), |&node| (node != ROOT).then(|| heap.dominator(node)));
                if let Some(group) = of(node)
                    && above.all(|other| other == node || of(other) != Some(group))
                {
                    expected[group as usize] += heap.retained_size(node);
                }
            }
            prop_assert_eq!(retained_by_group(&heap, of, 2), expected);
        }
    }
}
