//! The profile as DevTools' Memory panel opens it: a `.heapprofile` file.
//!
//! Source: `HeapProfiler.SamplingHeapProfile` of the Chrome DevTools Protocol, as
//! `v8-heap-profiler-agent-impl.cc` fills it.

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{Frame, Profile, Sample};
use crate::measure::Bytes;

/// The contents of a `.heapprofile` file: JSON, `{ head: { callFrame, selfSize, id, children }, samples:
/// [{ size, nodeId, ordinal }] }`, sizes in bytes.
///
/// As in V8's own, lines and columns are from 0 and -1 where there is none, the name of an anonymous
/// function is empty, and `samples[].size` is the live bytes that the sample stands for. `selfSize`
/// is the sum of those; V8's own may differ by rounding, since it scales up all samples of one size
/// at once. A profile without nodes gets a root, for there is no file without a `head`.
pub fn encode(profile: &Profile) -> String {
    let mut json = String::from("{\"head\":");
    write_tree(profile, &mut json);
    json.push_str(",\"samples\":");
    json.push_str(&to_json(&profile.samples.iter().map(HeapSample::from).collect::<Vec<_>>()));
    json.push('}');
    json
}

/// Writes the tree by a stack of its own, for a call tree may be deeper than a thread's stack allows.
fn write_tree(profile: &Profile, json: &mut String) {
    enum Step {
        Open(usize),
        Close,
    }

    if profile.nodes.is_empty() {
        let root = Frame { function_name: "(root)".into(), ..Frame::default() };
        open_node(&root, Bytes::ZERO, 1, json);
        json.push_str("]}");
        return;
    }
    let mut self_sizes: FxHashMap<u32, Bytes> = FxHashMap::default();
    for sample in &profile.samples {
        *self_sizes.entry(sample.node_id).or_default() += sample.live_bytes;
    }
    let mut children = vec![Vec::new(); profile.nodes.len()];
    for (index, node) in profile.nodes.iter().enumerate() {
        if let Some(caller) = node.caller {
            children[caller].push(index);
        }
    }
    let mut steps = vec![Step::Open(0)];
    while let Some(step) = steps.pop() {
        match step {
            Step::Open(index) => {
                if json.ends_with('}') {
                    json.push(','); // a sibling stands before
                }
                let node = &profile.nodes[index];
                let self_size = self_sizes.get(&node.id).copied().unwrap_or_default();
                open_node(&node.frame, self_size, node.id, json);
                steps.push(Step::Close);
                steps.extend(children[index].iter().rev().copied().map(Step::Open));
            }
            Step::Close => json.push_str("]}"),
        }
    }
}

/// Writes a node up to the bracket before its first child.
fn open_node(frame: &Frame, self_size: Bytes, id: u32, json: &mut String) {
    json.push_str("{\"callFrame\":");
    json.push_str(&to_json(&CallFrame::from(frame)));
    json.push_str(&format!(",\"selfSize\":{},\"id\":{id},\"children\":[", self_size.get()));
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain records of strings and numbers have a JSON form")
}

/// `Runtime.CallFrame`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallFrame<'a> {
    function_name: &'a str,
    script_id: String,
    url: &'a str,
    line_number: i64,
    column_number: i64,
}

impl<'a> From<&'a Frame> for CallFrame<'a> {
    fn from(frame: &'a Frame) -> Self {
        Self {
            function_name: &frame.function_name,
            script_id: frame.script_id.to_string(),
            url: &frame.script_name,
            line_number: i64::from(frame.line) - 1,
            column_number: i64::from(frame.column) - 1,
        }
    }
}

/// `HeapProfiler.SamplingHeapProfileSample`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeapSample {
    size: Bytes,
    node_id: u32,
    ordinal: u64,
}

impl From<&Sample> for HeapSample {
    fn from(sample: &Sample) -> Self {
        Self { size: sample.live_bytes, node_id: sample.node_id, ordinal: sample.ordinal }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::allocation::testing::{live_bytes_by_stack, profile, profiles};

    fn decoded(profile: &Profile) -> Value {
        serde_json::from_str(&encode(profile)).unwrap()
    }

    #[test]
    fn has_the_shape_that_the_inspector_gives() {
        let mut profile = profile(&[("serve", 0), ("", 1), ("say \"hi\"\n", 0)], &[(2, 100), (2, 20)]);
        profile.samples[0].count = 3;
        profile.samples[0].live_bytes = Bytes::from_bytes(300);
        let node = |id: u32, name: &str, line: u32, self_size: u64, children: Value| {
            let frame = json!({ "functionName": name, "scriptId": "81", "url": "/app/server.js",
                "lineNumber": line, "columnNumber": 2 });
            json!({ "callFrame": frame, "selfSize": self_size, "id": id, "children": children })
        };
        let anonymous = node(3, "", 1, 320, json!([]));
        let children =
            json!([node(2, "serve", 9, 0, json!([anonymous])), node(4, "say \"hi\"\n", 9, 0, json!([]))]);
        let root = json!({ "functionName": "(root)", "scriptId": "0", "url": "",
            "lineNumber": -1, "columnNumber": -1 });
        let samples = json!([
            { "size": 300, "nodeId": 3, "ordinal": 0 },
            { "size": 20, "nodeId": 3, "ordinal": 1 },
        ]);
        assert_eq!(
            decoded(&profile),
            json!({ "head": { "callFrame": root, "selfSize": 0, "id": 1, "children": children },
                "samples": samples })
        );
    }

    #[test]
    fn a_profile_without_nodes_has_a_root() {
        let empty = decoded(&Profile::default());
        assert_eq!(empty["head"]["callFrame"]["functionName"], "(root)");
        assert_eq!((&empty["head"]["children"], &empty["samples"]), (&json!([]), &json!([])));
    }

    #[test]
    fn a_stack_of_10_000_frames_is_written_on_a_small_stack() {
        let frames: Vec<_> = (0..10_000).map(|caller| ("recurse", caller)).collect();
        let deep = profile(&frames, &[(10_000, 100)]);
        let thread = std::thread::Builder::new().stack_size(64 * 1024);
        let json = thread.spawn(move || encode(&deep)).unwrap().join().unwrap();
        assert_eq!(json.matches("\"recurse\"").count(), 10_000);
        let brackets = |open, close| (json.matches(open).count(), json.matches(close).count());
        assert_eq!(brackets('[', ']'), (10_002, 10_002));
        assert_eq!(brackets('{', '}'), (20_004, 20_004));
    }

    proptest! {
        #[test]
        fn live_bytes_are_kept_stack_by_stack(profile in profiles()) {
            fn collect(node: &Value, stack: &[String], by_stack: &mut BTreeMap<Vec<String>, u64>) {
                let size = node["selfSize"].as_u64().unwrap();
                if size > 0 {
                    *by_stack.entry(stack.to_vec()).or_default() += size;
                }
                for child in node["children"].as_array().unwrap() {
                    let frame = &child["callFrame"];
                    let place = |key: &str| frame[key].as_i64().unwrap() + 1;
                    let name = frame["functionName"].as_str().unwrap();
                    let innermost = format!("{name}:{}:{}", place("lineNumber"), place("columnNumber"));
                    collect(child, &[&[innermost], stack].concat(), by_stack);
                }
            }
            let mut actual = BTreeMap::new();
            collect(&decoded(&profile)["head"], &[], &mut actual);
            prop_assert_eq!(actual, live_bytes_by_stack(&profile));
        }
    }
}
