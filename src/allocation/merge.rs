use rustc_hash::FxHashMap;

use super::{Frame, Profile, ProfileNode, Sample};

impl Profile {
    /// One profile with the live bytes of both: `self` is the older, `other` the newer. For a profiler
    /// that was restarted with another interval, which begins anew with an empty profile.
    ///
    /// Equal stacks become one. Nodes are numbered anew from 1, and the ordinals of `other` follow those
    /// of `self`. There is one root, that of `self` where both have one. A sample whose node is not in
    /// its profile has no stack and is left out.
    pub fn merge(&self, other: &Self) -> Self {
        let mut merged = Merging::default();
        merged.add(self, 0);
        let next_ordinal = self.samples.iter().map(|sample| sample.ordinal + 1).max().unwrap_or(0);
        merged.add(other, next_ordinal);
        merged.profile
    }
}

/// Where a node is found again: below the same caller with the same frame; the root is always the same.
type Place<'a> = Option<(usize, &'a Frame)>;

#[derive(Default)]
struct Merging<'a> {
    profile: Profile,
    nodes: FxHashMap<Place<'a>, usize>,
}

impl<'a> Merging<'a> {
    fn add(&mut self, profile: &'a Profile, ordinal_shift: u64) {
        let mut merged_indexes: Vec<usize> = Vec::with_capacity(profile.nodes.len());
        let mut merged_ids = FxHashMap::default();
        for node in &profile.nodes {
            let caller = node.caller.map(|caller| merged_indexes[caller]);
            let index = self.node(caller, &node.frame);
            merged_indexes.push(index);
            merged_ids.insert(node.id, self.profile.nodes[index].id);
        }
        self.profile.samples.extend(profile.samples.iter().filter_map(|sample| {
            let node_id = *merged_ids.get(&sample.node_id)?;
            Some(Sample { node_id, ordinal: sample.ordinal + ordinal_shift, ..*sample })
        }));
    }

    fn node(&mut self, caller: Option<usize>, frame: &'a Frame) -> usize {
        let nodes = &mut self.profile.nodes;
        *self.nodes.entry(caller.map(|caller| (caller, frame))).or_insert_with(|| {
            let index = nodes.len();
            nodes.push(ProfileNode { id: index as u32 + 1, caller, frame: frame.clone() });
            index
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use proptest::prelude::*;

    use super::*;
    use crate::allocation::testing::{live_bytes_by_stack, profile, profiles};

    #[test]
    fn equal_stacks_become_one_and_others_stay() {
        let older = profile(&[("a", 0), ("b", 1)], &[(2, 100), (1, 7)]);
        let newer = profile(&[("c", 0), ("a", 0), ("b", 2)], &[(3, 50), (1, 5)]);
        let merged = older.merge(&newer);
        let names: Vec<_> = merged.nodes.iter().map(|node| node.frame.function_name.as_str()).collect();
        assert_eq!(names, ["(root)", "a", "b", "c"]);
        let ordinals: Vec<_> = merged.samples.iter().map(|sample| (sample.node_id, sample.ordinal)).collect();
        assert_eq!(ordinals, [(3, 0), (2, 1), (3, 2), (4, 3)]);
    }

    #[test]
    fn nothing_merged_with_nothing_is_nothing() {
        let (nothing, something) = (Profile::default(), profile(&[("a", 0)], &[(1, 100)]));
        assert_eq!(nothing.merge(&nothing), nothing);
        assert_eq!(something.merge(&nothing), something);
        assert_eq!(nothing.merge(&something), something);
    }

    #[test]
    fn a_sample_without_a_node_is_left_out() {
        let mut torn = profile(&[("a", 0)], &[(1, 100)]);
        torn.samples[0].node_id = 77;
        assert_eq!(torn.merge(&torn).samples, []);
    }

    proptest! {
        #[test]
        fn live_bytes_are_kept_stack_by_stack((older, newer) in (profiles(), profiles())) {
            let mut expected: BTreeMap<_, _> = live_bytes_by_stack(&older);
            for (stack, bytes) in live_bytes_by_stack(&newer) {
                *expected.entry(stack).or_default() += bytes;
            }
            prop_assert_eq!(live_bytes_by_stack(&older.merge(&newer)), expected);
        }

        #[test]
        fn the_tree_is_well_formed((older, newer) in (profiles(), profiles())) {
            let merged = older.merge(&newer);
            let ids: HashSet<_> = merged.nodes.iter().map(|node| node.id).collect();
            prop_assert_eq!(ids.len(), merged.nodes.len());
            for (index, node) in merged.nodes.iter().enumerate() {
                prop_assert_eq!(node.caller.is_none(), index == 0);
                prop_assert!(node.caller.is_none_or(|caller| caller < index));
            }
            let places: HashSet<_> = merged.nodes.iter().map(|node| (node.caller, &node.frame)).collect();
            prop_assert_eq!(places.len(), merged.nodes.len());
        }

        #[test]
        fn samples_of_the_newer_profile_come_after_those_of_the_older((older, newer) in (profiles(), profiles())) {
            let merged = older.merge(&newer);
            let (first, second) = merged.samples.split_at(older.samples.len());
            let newest_old = first.iter().map(|sample| sample.ordinal).max();
            prop_assert!(second.iter().all(|sample| Some(sample.ordinal) > newest_old));
        }
    }
}
