//! Profiles made by hand and by chance, for the tests of this stage.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Frame, Profile, ProfileNode, Sample};
use crate::measure::Bytes;

/// A profile with a root, then nodes `(function name, index of the caller)`, with samples
/// `(index of the node, live bytes)` of one object each. Ids are indexes + 1, as V8 gives them.
pub(super) fn profile(nodes: &[(&str, usize)], samples: &[(usize, u64)]) -> Profile {
    let root = Frame { function_name: "(root)".into(), ..Frame::default() };
    let frames = nodes.iter().zip(1..).map(|(&(name, caller), line)| {
        let name = name.to_owned();
        // Equal names make equal frames, whatever their place.
        let line = if name.is_empty() { line } else { 10 };
        let frame = Frame {
            function_name: name,
            script_name: "/app/server.js".into(),
            script_id: 81,
            line,
            column: 3,
        };
        (Some(caller), frame)
    });
    let nodes = std::iter::once((None, root))
        .chain(frames)
        .zip(1..)
        .map(|((caller, frame), id)| ProfileNode { id, caller, frame })
        .collect();
    let samples = samples
        .iter()
        .zip(0..)
        .map(|(&(node, bytes), ordinal)| Sample {
            node_id: node as u32 + 1,
            ordinal,
            live_bytes: Bytes::from_bytes(bytes),
            count: 1,
        })
        .collect();
    Profile { nodes, samples }
}

/// Any well-formed profile with a root.
pub(super) fn profiles() -> impl Strategy<Value = Profile> {
    let nodes = prop::collection::vec(("[a-c]?", any::<prop::sample::Index>()), 0..12);
    let samples = prop::collection::vec((any::<prop::sample::Index>(), 1..5000_u64, 1..9_u32), 0..12);
    (nodes, samples).prop_map(|(nodes, samples)| {
        let nodes: Vec<_> = nodes
            .iter()
            .enumerate()
            .map(|(above, (name, caller))| (name.as_str(), caller.index(above + 1)))
            .collect();
        let picks: Vec<_> =
            samples.iter().map(|(node, size, _)| (node.index(nodes.len() + 1), *size)).collect();
        let mut profile = profile(&nodes, &picks);
        for (sample, (_, _, count)) in profile.samples.iter_mut().zip(&samples) {
            sample.count = *count;
        }
        profile
    })
}

/// Live bytes by stack, innermost frame first, the root left away: what every view of a profile must keep.
pub(super) fn live_bytes_by_stack(profile: &Profile) -> BTreeMap<Vec<String>, u64> {
    let mut by_stack = BTreeMap::new();
    for sample in &profile.samples {
        let leaf = profile.nodes.iter().position(|node| node.id == sample.node_id).unwrap();
        let mut stack = Vec::new();
        let mut node = &profile.nodes[leaf];
        while let Some(caller) = node.caller {
            stack.push(format!("{}:{}:{}", node.frame.function_name, node.frame.line, node.frame.column));
            node = &profile.nodes[caller];
        }
        *by_stack.entry(stack).or_default() += sample.live_bytes.get();
    }
    by_stack
}
