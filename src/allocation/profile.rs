use serde::Deserialize;

use crate::measure::Bytes;

/// A function as V8's profiler knows it: where it is declared, not where the allocation stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// V8's bare name; empty for anonymous functions.
    pub function_name: String,
    /// File path, `file://` URL or `node:` name; empty for V8's own entries such as `(root)`.
    pub script_name: String,
    /// V8's number for the script; 0 where there is none.
    pub script_id: i32,
    /// Line from 1; 0 where there is none.
    pub line: u32,
    /// Column from 1; 0 where there is none.
    pub column: u32,
}

/// One node of the call tree.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ProfileNode {
    /// Unique in its profile.
    pub id: u32,
    /// Index (not id) of the caller in `Profile::nodes`; none for the root.
    pub caller: Option<usize>,
    /// The function of this node.
    pub frame: Frame,
}

/// Sampled objects that were alive when the profile was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// `ProfileNode::id` of the allocating stack's innermost frame.
    pub node_id: u32,
    /// Rises with the time of allocation.
    pub ordinal: u64,
    /// The live bytes that the sample stands for.
    pub live_bytes: Bytes,
    /// How many objects it stands for.
    pub count: u32,
}

/// One reading of V8's sampling heap profiler: a call tree and the samples alive in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Profile {
    /// Callers stand before their callees; the root, if any, is first.
    pub nodes: Vec<ProfileNode>,
    /// In no particular order.
    pub samples: Vec<Sample>,
}
