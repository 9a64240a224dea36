use std::io;

use proptest::prelude::*;

use super::*;
use crate::snapshot::{
    NodeType,
    testing::{graph, graphs, json, node, parse},
};

fn small() -> String {
    json(&[
        node(NodeType::Synthetic, "", 0, &[(EdgeType::Element, "1", 1)]),
        node(
            NodeType::Object,
            "Größe \"x\"\n",
            40,
            &[(EdgeType::Property, "größe", 2), (EdgeType::Weak, "w", 0)],
        ),
        node(NodeType::String, "text", 5_000_000_000, &[]),
    ])
}

#[test]
fn reads_what_v8_writes() {
    let graph = parse(small().as_bytes()).unwrap();
    assert_eq!((graph.node_count(), graph.edge_count()), (3, 3));
    assert_eq!(graph.strings().get(graph.name(1)), "Größe \"x\"\n");
    assert_eq!(graph.self_size(2), 5_000_000_000);
    assert_eq!(graph.edges(1), 1..3);
    assert_eq!((graph.edge_type(1), graph.target(1)), (EdgeType::Property, 2));
    assert_eq!(graph.location(0).map(|place| (place.script_id, place.line, place.column)), Some((9, 4, 2)));
    assert_eq!(graph.extra_native_bytes(), 77);
}

#[test]
fn text_is_taken_as_v8_cuts_it() {
    let text = small().replace("\"text\"", r#""a\ud83d\ude00\ud83d\u00e9\ude00b\ud83d""#);
    let graph = parse(text.as_bytes()).unwrap();
    let expected = b"a\xf0\x9f\x98\x80\xed\xa0\xbd\xc3\xa9\xed\xb8\x80b\xed\xa0\xbd";
    assert_eq!(graph.strings().bytes(graph.name(2)), expected);
    assert!(graph.strings().get(graph.name(2)).starts_with("a😀\u{fffd}"));
}

#[test]
fn a_file_cut_off_anywhere_is_refused_with_the_place() {
    let text = small();
    for length in 0..text.len() {
        match parse(&text.as_bytes()[..length]) {
            Err(SnapshotFileError::Truncated { offset, .. }) => assert_eq!(offset, length as u64),
            other => panic!("cut to {length}: {other:?}"),
        }
    }
}

#[test]
fn a_file_cut_off_gives_what_is_there() {
    let text = small();
    let partial = ReadOptions { size: None, partial: true };
    let nodes = text.find("\"nodes\":[").unwrap() + "\"nodes\":[".len();
    let mut known = Vec::new();
    for length in nodes..text.len() {
        if let Ok(graph) = read(&text.as_bytes()[..length], partial, &()) {
            assert!(graph.cut_off_within().is_some());
            for node in graph.nodes() {
                assert!(graph.edges(node).all(|edge| graph.target(edge) < graph.node_count()));
                let _ = graph.strings().get(graph.name(node));
            }
            known.push((graph.node_count(), graph.edge_count()));
        }
    }
    assert!(known.is_sorted());
    assert_eq!((known.first(), known.last()), (Some(&(1, 0)), Some(&(3, 3))));
}

#[test]
fn what_is_no_snapshot_is_refused_with_the_reason() {
    let good = small();
    for (text, expected) in [
        (
            "[1, 2]".into(),
            "at byte 0: expected `{\"snapshot\":`, with which a heap snapshot begins, found `[1, 2]`",
        ),
        ("{}".into(), "at byte 1: expected `\"`, found `}`"),
        (
            "{\"a\":{\"b\":[\"]\"]}}".into(),
            "expected a heap snapshot with `snapshot`, `nodes`, `edges` and `strings`",
        ),
        ("{\"nodes\":[1]}".into(), "expected `snapshot` before all else"),
        ("{\"snapshot\":5}".into(), "expected the description of a heap snapshot, found JSON that is none"),
        (good.replace("\"self_size\"", "\"size\""), "expected `self_size` among the node_fields"),
        (
            good.replace("\"node_count\":3", "\"node_count\":4"),
            "expected 4 nodes, as `node_count` says; there are 3",
        ),
        (
            good.replace("\"edge_count\":3", "\"edge_count\":9"),
            "expected 9 edges, as `edge_count` says, and 3",
        ),
        (good.replace("5000000000", "123456789012345678901"), "expected a number below 10^19"),
        (good.replace("5000000000", "-5"), "expected a whole number from 0, found `-5"),
        (good.replace("\"locations\":[0,", "\"locations\":[60,"), "expected the location of one of 3 nodes"),
        (
            good.replace("\"edges\":[1,1,6", "\"edges\":[1,1,7"),
            "expected an edge to one of 3 nodes in the row that ends here, found 7",
        ),
        (good.replace("\"edges\":[1,1,6", "\"edges\":[9,1,6"), "expected the number of one of 7 edge types"),
        (good.replace("\"nodes\":[9,0", "\"nodes\":[9,900"), "expected the number of one of the"),
    ] {
        let error = parse(text.as_bytes()).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error:?} does not tell: {expected:?}");
    }
}

#[test]
fn counts_that_lie_take_no_memory() {
    let text = small().replace("\"node_count\":3", "\"node_count\":4000000000");
    assert!(parse(text.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn blocks_may_end_anywhere(nodes in graphs(), size in 1..50_usize) {
        /// Gives a few bytes at a time.
        struct Drip<'a>(&'a [u8], usize);
        impl io::Read for Drip<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let length = self.1.min(self.0.len()).min(into.len());
                let (now, later) = self.0.split_at(length);
                into[..length].copy_from_slice(now);
                self.0 = later;
                Ok(length)
            }
        }
        let text = json(&nodes);
        let dripped = read(Drip(text.as_bytes(), size), ReadOptions::default(), &()).unwrap();
        let whole = graph(&nodes);
        prop_assert_eq!(dripped.edge_ends, whole.edge_ends);
        prop_assert_eq!(dripped.strings, whole.strings);
        prop_assert_eq!(dripped.self_sizes, whole.self_sizes);
    }

    #[test]
    fn a_changed_byte_never_panics(nodes in graphs(), at in 0.0..1.0_f64, byte: u8) {
        let mut text = json(&nodes).into_bytes();
        let at = (text.len() as f64 * at) as usize;
        text[at] = byte;
        if let Ok(graph) = parse(&text) {
            let _ = crate::snapshot::Heap::new(graph, &());
        }
    }
}
