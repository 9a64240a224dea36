//! The profile as pprof's tools read it: Go's `pprof`, Pyroscope, Parca, Grafana.
//!
//! Source: `github.com/google/pprof/proto/profile.proto`, of which only the fields in use are declared;
//! names and order of the sample types are those of Go's own heap profiles.

mod proto;
#[cfg(test)]
mod tests;

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use prost::Message;
use rustc_hash::FxHashMap;

use super::{Frame, Profile};
use crate::measure::{Bytes, Millis};

/// What a pprof file says of its making.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PprofMeta {
    /// Since when is sampled; counts from the Unix epoch.
    pub time: Millis,
    /// For how long, until the profile was read.
    pub duration: Millis,
    /// The mean number of bytes between two samples.
    pub sampling_interval: Bytes,
}

/// The contents of a `.pb.gz` file.
///
/// One pprof sample for each stack with something alive, innermost frame first and without V8's root:
/// `inuse_objects` (count) and `inuse_space` (bytes), both already scaled up from what was sampled.
/// Lines and columns are those of the function's declaration. A function without a name is
/// `(anonymous)`. A sample whose node is not in the profile has no stack and is left out.
pub fn encode(profile: &Profile, taken: PprofMeta) -> Vec<u8> {
    let message = proto_of(profile, taken).encode_to_vec();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&message).and_then(|()| gzip.finish()).expect("writing to memory does not fail")
}

fn proto_of(profile: &Profile, taken: PprofMeta) -> proto::Profile {
    let mut tables = Tables::new();
    let objects = tables.value_type("inuse_objects", "count");
    let space = tables.value_type("inuse_space", "bytes");
    let period_type = tables.value_type("space", "bytes");
    let location_ids: Vec<Option<u64>> =
        profile.nodes.iter().map(|node| node.caller.map(|_| tables.location(&node.frame))).collect();

    let mut live: FxHashMap<u32, [i64; 2]> = FxHashMap::default();
    for sample in &profile.samples {
        let [objects, bytes] = live.entry(sample.node_id).or_default();
        *objects += i64::from(sample.count);
        *bytes += sample.live_bytes.get() as i64;
    }
    let stack_of = |leaf: usize| {
        let stack = std::iter::successors(Some(leaf), |&index| profile.nodes[index].caller);
        stack.filter_map(|index| location_ids[index]).collect()
    };
    let sample = profile.nodes.iter().enumerate().filter_map(|(index, node)| {
        let value = live.get(&node.id)?.to_vec();
        Some(proto::Sample { location_id: stack_of(index), value })
    });

    proto::Profile {
        sample: sample.collect(),
        default_sample_type: space.kind,
        sample_type: vec![objects, space],
        location: tables.locations,
        function: tables.functions,
        string_table: tables.strings,
        time_nanos: nanos(taken.time),
        duration_nanos: nanos(taken.duration),
        period_type: Some(period_type),
        period: taken.sampling_interval.get() as i64,
    }
}

fn nanos(time: Millis) -> i64 {
    (time.get() * 1e6) as i64
}

/// The tables to which a pprof profile refers; each entry stands in them once.
struct Tables<'a> {
    strings: Vec<String>,
    string_indexes: FxHashMap<&'a str, i64>,
    functions: Vec<proto::Function>,
    function_ids: FxHashMap<(i64, i64, u32), u64>,
    locations: Vec<proto::Location>,
    location_ids: FxHashMap<(u64, u32), u64>,
}

impl<'a> Tables<'a> {
    fn new() -> Self {
        let mut tables = Self {
            strings: Vec::new(),
            string_indexes: FxHashMap::default(),
            functions: Vec::new(),
            function_ids: FxHashMap::default(),
            locations: Vec::new(),
            location_ids: FxHashMap::default(),
        };
        tables.string(""); // the format's rule: index 0
        tables
    }

    fn string(&mut self, text: &'a str) -> i64 {
        let strings = &mut self.strings;
        *self.string_indexes.entry(text).or_insert_with(|| {
            strings.push(text.to_owned());
            strings.len() as i64 - 1
        })
    }

    fn value_type(&mut self, kind: &'a str, unit: &'a str) -> proto::ValueType {
        proto::ValueType { kind: self.string(kind), unit: self.string(unit) }
    }

    fn function(&mut self, frame: &'a Frame) -> u64 {
        let name = self.string(match frame.function_name.as_str() {
            "" => "(anonymous)",
            name => name,
        });
        let filename = self.string(&frame.script_name);
        let functions = &mut self.functions;
        *self.function_ids.entry((name, filename, frame.line)).or_insert_with(|| {
            let id = functions.len() as u64 + 1;
            let start_line = frame.line.into();
            functions.push(proto::Function { id, name, system_name: name, filename, start_line });
            id
        })
    }

    fn location(&mut self, frame: &'a Frame) -> u64 {
        let function_id = self.function(frame);
        let locations = &mut self.locations;
        *self.location_ids.entry((function_id, frame.column)).or_insert_with(|| {
            let id = locations.len() as u64 + 1;
            let line = proto::Line { function_id, line: frame.line.into(), column: frame.column.into() };
            locations.push(proto::Location { id, line: vec![line] });
            id
        })
    }
}
