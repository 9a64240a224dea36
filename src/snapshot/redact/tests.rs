use proptest::prelude::*;

use super::*;
use crate::snapshot::{
    EdgeType, Graph, Heap, NodeType,
    testing::{TestNode, graphs, json, node, parse},
};

const SALT: [u8; 32] = [7; 32];

fn redacted(text: &str, keys: bool) -> Vec<u8> {
    let mut into = Vec::new();
    redact(text.as_bytes(), &mut into, &RedactOptions { salt: SALT, keys }, &()).unwrap();
    into
}

fn redacted_graph(nodes: &[TestNode], keys: bool) -> Graph {
    parse(&redacted(&json(nodes), keys)).unwrap()
}

fn name(graph: &Graph, node: u32) -> String {
    graph.strings().get(graph.name(node)).into_owned()
}

fn edge_names(graph: &Graph, node: u32) -> Vec<String> {
    graph.edges(node).map(|edge| graph.strings().get(graph.edge_name(edge)).into_owned()).collect()
}

/// A function of a script, whose constants are these texts.
fn function(script: &str, at: usize, constants: &[&str]) -> Vec<TestNode> {
    let mut nodes = vec![
        node(
            NodeType::Code,
            "handle",
            0,
            &[(EdgeType::Internal, "script", at + 1), (EdgeType::Internal, "function_data", at + 2)],
        ),
        node(NodeType::Code, script, 0, &[(EdgeType::Internal, "source", at + 4)]),
        node(NodeType::Code, "system / BytecodeArray", 0, &[(EdgeType::Hidden, "1", at + 3)]),
    ];
    let names: Vec<String> = (0..constants.len()).map(|index| index.to_string()).collect();
    let edges: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, name)| (EdgeType::Internal, name.as_str(), at + 5 + index))
        .collect();
    nodes.push(node(NodeType::Code, "(constant pool)", 0, &edges));
    nodes.push(node(NodeType::String, "the source text", 0, &[]));
    nodes.extend(constants.iter().map(|text| node(NodeType::String, text, 0, &[])));
    nodes
}

fn heap_of(script: &str, constants: &[&str], thing: &TestNode) -> Vec<TestNode> {
    let mut nodes = vec![
        node(NodeType::Synthetic, "(root)", 0, &[(EdgeType::Element, "1", 1), (EdgeType::Element, "2", 3)]),
        thing.clone(),
        node(NodeType::String, "secret", 24, &[]),
    ];
    nodes.extend(function(script, 3, constants));
    nodes
}

#[test]
fn values_go_and_names_that_code_put_there_stay() {
    let thing = node(
        NodeType::Object,
        "Session",
        40,
        &[
            (EdgeType::Property, "token", 2),
            (EdgeType::Property, "secret", 2),
            (EdgeType::Property, "<symbol token>", 2),
            (EdgeType::Property, "get secret", 2),
            (EdgeType::Property, "__proto__", 2),
            (EdgeType::Internal, "map", 2),
        ],
    );
    let graph = redacted_graph(&heap_of("/app/server.js", &["Session", "token"], &thing), true);
    let secret = name(&graph, 2);
    assert_eq!(secret.len(), "secret".len());
    assert_ne!(secret, "secret");
    assert_eq!(name(&graph, 1), "Session");
    assert_eq!(
        edge_names(&graph, 1),
        ["token", &secret, "<symbol token>", &format!("get {secret}"), "__proto__", "map"]
    );
    assert_eq!(name(&graph, 4), "/app/server.js");
    assert_ne!(name(&graph, 7), "the source text");
    // What is a name there is a value here.
    assert_ne!(name(&graph, 9), "token");
}

#[test]
fn code_made_of_text_vouches_for_nothing() {
    let thing = node(NodeType::Object, "Session", 40, &[(EdgeType::Property, "token", 2)]);
    for script in ["", "evalmachine.<anonymous>", "data:text/javascript,token"] {
        let graph = redacted_graph(&heap_of(script, &["Session", "token"], &thing), true);
        assert_ne!(name(&graph, 1), "Session", "{script}");
        assert_ne!(edge_names(&graph, 1), ["token"], "{script}");
    }
    let graph = redacted_graph(&heap_of("data:text/javascript,token", &[], &thing), true);
    assert!(name(&graph, 4).starts_with("data:") && !name(&graph, 4).contains("token"));
    let graph = redacted_graph(&heap_of("file:///app/a.mjs?token", &[], &thing), true);
    assert!(name(&graph, 4).starts_with("file:///app/a.mjs?") && !name(&graph, 4).contains("token"));
}

#[test]
fn dictionaries_lose_their_keys_where_that_is_wanted() {
    let keys: Vec<String> = (0..30).map(|key| format!("key{key}")).collect();
    let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
    for (class, wanted, goes) in [("Object", true, true), ("Object", false, false), ("Session", true, false)]
    {
        for count in [23, 24, 30] {
            let edges: Vec<_> = texts[..count].iter().map(|key| (EdgeType::Property, *key, 2)).collect();
            let mut constants = texts.clone();
            constants.push("Session");
            let heap = heap_of("/app/server.js", &constants, &node(NodeType::Object, class, 40, &edges));
            let graph = redacted_graph(&heap, wanted);
            let names = edge_names(&graph, 1);
            if goes && count >= 24 {
                assert!(names.iter().all(|name| !keys.contains(name)), "{names:?}");
            } else {
                assert_eq!(names, texts[..count], "{class} {count}");
            }
        }
    }
}

#[test]
fn entries_of_weak_maps_stay_pairs() {
    let pair = " / part of key (secret @3) -> value (secret @5) pair in WeakMap (table @1)";
    let (one, other) = (format!("5{pair}"), format!("12{pair}"));
    let broken = "5 / part of key (secret @3) -> value (sec\nret @5) pair in WeakMap (table @1)";
    let cut = "5 / part of key (secret @3) -> value (secret secret";
    let thing = node(
        NodeType::Object,
        "Object",
        40,
        &[
            (EdgeType::Internal, &one, 2),
            (EdgeType::Internal, &other, 2),
            (EdgeType::Internal, broken, 2),
            (EdgeType::Internal, cut, 2),
        ],
    );
    let graph = redacted_graph(&heap_of("/a.js", &[], &thing), true);
    let names = edge_names(&graph, 1);
    let secret = name(&graph, 2);
    let expected = pair.replace("secret", &secret);
    assert_eq!(names[..2], [format!("5{expected}"), format!("12{expected}")]);
    assert!(names[2].contains('\n') && !names[2].contains("sec\nret"));
    assert!(names[3].starts_with(&format!("5 / part of key ({secret} @3) -> value (")));
    assert_eq!(names[3].len(), cut.len());
    assert!(names.iter().all(|name| !name.contains("secret")));
}

#[test]
fn what_a_damaged_file_says_is_refused() {
    let text = json(&heap_of("/a.js", &["a"], &node(NodeType::Object, "Object", 8, &[])));
    let options = RedactOptions { salt: SALT, keys: true };
    for length in 0..text.len() {
        match redact(&text.as_bytes()[..length], io::sink(), &options, &()) {
            Err(RedactError::Snapshot(SnapshotFileError::Truncated { offset, .. })) => {
                assert_eq!(offset, length as u64);
            }
            other => panic!("cut to {length}: {other:?}"),
        }
    }
    for (from, to) in [
        ("\"nodes\":[9,", "\"nodes\":[99,"),
        ("\"edges\":[1,1,", "\"edges\":[1,1,1"),
        ("\"samples\":[]", "\"samples\":[-1]"),
        ("\"node_count\":", "\"node_count\":1"),
        ("\"strings\":[", "\"strings\":[],\"nodes\":["),
    ] {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(damaged, text, "{from}");
        assert!(redact(damaged.as_bytes(), io::sink(), &options, &()).is_err(), "{to}");
    }
}

#[test]
fn texts_in_unknown_sections_go() {
    let text = json(&heap_of("/a.js", &["a"], &node(NodeType::Object, "Object", 8, &[])))
        .replace("\"samples\":[]", "\"samples\":[1,[2,{\"a\":\"secret\"}]],\"more\":\"secret\"")
        .replace("\"extra_native_bytes\"", "\"title\":\"secret\",\"extra_native_bytes\"");
    let text = String::from_utf8(redacted(&text, true)).unwrap();
    assert!(!text.contains("secret") && text.contains("\"samples\":[1,[2,{\"\":\"\"}]]"), "{text}");
}

#[test]
fn functions_on_stacks_are_renumbered() {
    let text = json(&heap_of("/a.js", &["a"], &node(NodeType::Object, "Object", 8, &[])));
    let table: serde_json::Value = serde_json::from_str(&text).unwrap();
    let number =
        |wanted: &str| table["strings"].as_array().unwrap().iter().position(|text| text == wanted).unwrap();
    let fields = "\"trace_function_info_fields\":[\"function_id\",\"name\",\"script_name\"],";
    let text = text.replace("\"location_fields\"", &format!("{fields}\"location_fields\"")).replace(
        "\"trace_function_infos\":[]",
        &format!("\"trace_function_infos\":[0,{},{}]", number("a"), number("/a.js")),
    );
    let after: serde_json::Value = serde_json::from_slice(&redacted(&text, true)).unwrap();
    let row = &after["trace_function_infos"];
    let text = |field: usize| after["strings"][row[field].as_u64().unwrap() as usize].as_str().unwrap();
    assert_eq!((row[0].as_u64(), text(1), text(2)), (Some(0), "a", "/a.js"));
}

proptest! {
    #[test]
    fn structure_stays_and_values_go(nodes in graphs()) {
        // Each text of a value occurs nowhere else.
        let nodes: Vec<TestNode> = nodes
            .into_iter()
            .map(|node| match node.kind {
                NodeType::String | NodeType::RegExp => {
                    TestNode { name: format!("value of {}, which is secret", node.name), ..node }
                }
                _ => node,
            })
            .collect();
        let before = parse(json(&nodes).as_bytes()).unwrap();
        let text = redacted(&json(&nodes), true);
        prop_assert!(!String::from_utf8_lossy(&text).contains("which is secret"));
        let after = parse(&text).unwrap();
        prop_assert_eq!(&before.node_types, &after.node_types);
        prop_assert_eq!(&before.ids, &after.ids);
        prop_assert_eq!(&before.self_sizes, &after.self_sizes);
        prop_assert_eq!(&before.first_edges, &after.first_edges);
        prop_assert_eq!(&before.edge_ends, &after.edge_ends);
        prop_assert_eq!(&before.locations, &after.locations);
        let [before, after] = [before, after].map(|graph| Heap::new(graph, &()).unwrap());
        for node in before.graph().nodes() {
            prop_assert_eq!(before.retained_size(node), after.retained_size(node));
            prop_assert_eq!(before.shallow_size(node), after.shallow_size(node));
            prop_assert_eq!(before.distance(node), after.distance(node));
            prop_assert_eq!(before.dominator(node), after.dominator(node));
            prop_assert_eq!(before.class(node), after.class(node));
        }
    }
}
