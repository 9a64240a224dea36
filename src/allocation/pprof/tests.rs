use std::{
    collections::{BTreeMap, HashSet},
    io::Read,
};

use flate2::read::GzDecoder;
use proptest::prelude::*;

use super::*;
use crate::allocation::testing::{live_bytes_by_stack, profile, profiles};

const META: PprofMeta = PprofMeta {
    time: Millis::from_millis(1_760_000_000_000.0),
    duration: Millis::from_secs(90.0),
    sampling_interval: Bytes::from_kib(512),
};

fn encoded_and_decoded(profile: &Profile) -> proto::Profile {
    let mut message = Vec::new();
    GzDecoder::new(encode(profile, META).as_slice()).read_to_end(&mut message).unwrap();
    proto::Profile::decode(message.as_slice()).unwrap()
}

/// `name file line column` of the frames of each sample, and its two values.
fn readable(profile: &proto::Profile) -> Vec<(Vec<String>, [i64; 2])> {
    let text = |index: i64| &profile.string_table[index as usize];
    let words = |id: &u64| {
        let location = profile.location.iter().find(|location| location.id == *id).unwrap();
        let [line] = location.line.as_slice() else { panic!("one line each") };
        let function = profile.function.iter().find(|function| function.id == line.function_id).unwrap();
        assert_eq!(line.line, function.start_line);
        let (name, file) = (text(function.name), text(function.filename));
        format!("{name} {file} {} {}", line.line, line.column)
    };
    let frames = |sample: &proto::Sample| sample.location_id.iter().map(words).collect();
    profile.sample.iter().map(|sample| (frames(sample), [sample.value[0], sample.value[1]])).collect()
}

#[test]
fn stacks_are_innermost_first_and_without_the_root() {
    let mut profile = profile(&[("serve", 0), ("", 1), ("push", 2)], &[(3, 100), (3, 20), (1, 7)]);
    profile.samples[0].count = 3;
    profile.samples[0].live_bytes = Bytes::from_bytes(300);
    assert_eq!(
        readable(&encoded_and_decoded(&profile)),
        [
            (vec!["serve /app/server.js 10 3".to_owned()], [1, 7]),
            (
                ["push /app/server.js 10 3", "(anonymous) /app/server.js 2 3", "serve /app/server.js 10 3"]
                    .map(str::to_owned)
                    .to_vec(),
                [4, 320]
            ),
        ]
    );
}

#[test]
fn says_what_is_measured_as_go_does() {
    let proto = encoded_and_decoded(&Profile::default());
    let text = |index: i64| proto.string_table[index as usize].as_str();
    let types: Vec<_> = proto.sample_type.iter().map(|kind| (text(kind.kind), text(kind.unit))).collect();
    assert_eq!(types, [("inuse_objects", "count"), ("inuse_space", "bytes")]);
    assert_eq!(text(proto.default_sample_type), "inuse_space");
    let period_type = proto.period_type.clone().unwrap();
    assert_eq!((text(period_type.kind), text(period_type.unit)), ("space", "bytes"));
    assert_eq!(proto.period, 512 * 1024);
    assert_eq!(proto.time_nanos, 1_760_000_000_000_000_000);
    assert_eq!(proto.duration_nanos, 90_000_000_000);
}

#[test]
fn a_sample_without_a_node_is_left_out() {
    let mut torn = profile(&[("a", 0)], &[(1, 100)]);
    torn.samples[0].node_id = 77;
    assert_eq!(encoded_and_decoded(&torn).sample, []);
}

proptest! {
    #[test]
    fn live_bytes_are_kept_stack_by_stack(profile in profiles()) {
        let mut actual = BTreeMap::new();
        for (stack, [_, bytes]) in readable(&encoded_and_decoded(&profile)) {
            *actual.entry(stack).or_default() += bytes as u64;
        }
        let expected: BTreeMap<_, _> = live_bytes_by_stack(&profile)
            .into_iter()
            .map(|(stack, bytes)| {
                let words = |frame: &String| {
                    let mut parts = frame.split(':');
                    let (name, line, column) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
                    let name = if name.is_empty() { "(anonymous)" } else { name };
                    format!("{name} /app/server.js {line} {column}")
                };
                (stack.iter().map(words).collect::<Vec<_>>(), bytes)
            })
            .collect();
        prop_assert_eq!(actual, expected);
    }

    #[test]
    fn nothing_stands_twice_in_a_table(profile in profiles()) {
        let proto = encoded_and_decoded(&profile);
        prop_assert_eq!(&proto.string_table[0], "");
        prop_assert_eq!(proto.string_table.iter().collect::<HashSet<_>>().len(), proto.string_table.len());
        let functions: HashSet<_> =
            proto.function.iter().map(|function| (function.name, function.filename, function.start_line)).collect();
        prop_assert_eq!(functions.len(), proto.function.len());
        let locations: HashSet<_> =
            proto.location.iter().map(|location| (location.line[0].function_id, location.line[0].column)).collect();
        prop_assert_eq!(locations.len(), proto.location.len());
    }
}
