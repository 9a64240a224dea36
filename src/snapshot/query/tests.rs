use proptest::prelude::*;

use super::*;
use crate::snapshot::{
    EdgeType::{self, Context, Element, Hidden, Internal, Property, Shortcut, Weak},
    Location,
    NodeType::{self, Array, Closure, Code, Number, Object, String, Synthetic},
    testing::{TestNode, graph, graphs, node},
};

const ALL: Rows = Rows { rows: 100, skip: 0 };

/// A global Map `cache` of sessions: one under "one", one under a small integer; a listener whose scope has the first, too.
fn nodes() -> Vec<TestNode> {
    let scope = "system / Context";
    vec![
        node(Synthetic, "", 0, &[(Element, "1", 1), (Shortcut, "2", 2)]),
        node(Synthetic, "(GC roots)", 0, &[(Element, "0", 8)]),
        node(
            Object,
            "global",
            16,
            &[
                (Property, "cache", 3),
                (Property, "JSON", 7),
                (Property, "fetch", 8),
                (Property, "url", 12),
                (Property, "get url", 13),
            ],
        ),
        node(Object, "Map", 16, &[(Internal, "table", 4)]),
        // Two buckets: 2 + 3 + 2 + 4 * 3 words.
        node(
            Array,
            "",
            19 * 8,
            &[(Internal, "5", 5), (Internal, "6", 6), (Internal, "9", 14), (Internal, "x", 5)],
        ),
        node(String, "one", 20, &[]),
        node(
            Object,
            "Session",
            40,
            &[(Property, "__proto__", 7), (Property, "user", 11), (Property, "age", 15), (Weak, "w", 8)],
        ),
        node(Object, "JSON", 16, &[]),
        node(Closure, "onData", 64, &[(Internal, "context", 9), (Internal, "shared", 10)]),
        node(Object, scope, 32, &[(Context, "session", 6), (Context, "nothing", 16)]),
        node(Code, "onData", 8, &[(Internal, "script", 17)]),
        node(String, "alice", 20, &[]),
        node(NodeType::Hidden, "system / AccessorPair", 16, &[]),
        node(Closure, "get", 64, &[]),
        node(Object, "Session", 24, &[(Property, "user", 5)]),
        node(Number, "heap number", 16, &[]),
        node(NodeType::Hidden, "system / Oddball", 48, &[(Hidden, "0", 18)]),
        node(Code, "/app/server.js", 144, &[]),
        node(String, "undefined", 24, &[]),
    ]
}

fn heap(nodes: &[TestNode]) -> Heap {
    let mut graph = graph(nodes);
    graph.locations = vec![Location { node: 8, script_id: 9, line: 5, column: 2 }];
    Heap::new(graph, &()).expect("nobody cancels")
}

fn ask(query: serde_json::Value) -> Answer {
    let query: Query = serde_json::from_value(query).expect("a query");
    query.answer(&heap(&nodes()), ALL).expect("an answer")
}

const fn id(index: u32) -> u32 {
    2 * index + 1
}

fn previews(indices: &[u32]) -> Vec<std::string::String> {
    let heap = heap(&nodes());
    let previews = Previews::new(heap.graph());
    indices.iter().map(|&node| previews.line(node)).collect()
}

#[test]
fn a_line_says_what_a_thing_is() {
    assert_eq!(
        previews(&[3, 5, 6, 7, 8, 9, 12, 15, 16]),
        [
            "Map {\"one\" => Session, ? => Session}",
            "\"one\"",
            "Session {user: \"alice\", age: number}",
            "JSON",
            "onData() /app/server.js:6",
            "scope {session: Session, nothing: undefined}",
            "(getter or setter)",
            "number",
            "undefined",
        ]
    );
}

#[test]
fn a_line_tells_how_much_it_leaves_out() {
    let edges: Vec<(EdgeType, std::string::String)> =
        (0..8).map(|index| (Element, (2 * index).to_string())).collect();
    let edges: Vec<(EdgeType, &str, usize)> =
        edges.iter().map(|(kind, name)| (*kind, name.as_str(), 2)).collect();
    let graph = graph(&[
        node(Synthetic, "", 0, &[(Element, "1", 1)]),
        node(Object, "Array", 16, &edges),
        node(String, &"long ".repeat(100), 16, &[]),
        node(NodeType::ConcatenatedString, "(concatenated string)", 16, &[(Internal, "first", 4)]),
        node(NodeType::SlicedString, "(sliced string)", 16, &[(Internal, "parent", 5)]),
        node(String, "whole", 16, &[]),
    ]);
    let previews = Previews::new(&graph);
    let array = previews.line(1);
    assert!(array.starts_with("Array [\"long long long long long…\""), "{array}");
    assert!(array.contains(", 2: \"long") && array.ends_with(", … 3 more]"), "{array}");
    assert_eq!([previews.line(3), previews.line(4)], ["part of \"whole…\"", "part of \"whole\""]);
}

#[test]
fn classes_are_found_by_a_part_of_their_name() {
    let Answer::Classes(found) = ask(serde_json::json!({ "what": "classes", "name": "ess" })) else {
        panic!()
    };
    assert_eq!((found.total, found.classes[0].name.as_str(), found.classes[0].count), (1, "Session", 2));
    let Answer::Classes(found) = ask(serde_json::json!({ "what": "classes", "minCount": 3, "name": "ess" }))
    else {
        panic!()
    };
    assert_eq!(found, Classes { total: 0, classes: Vec::new() });
}

#[test]
fn objects_are_found_by_what_they_have() {
    let found = |filter: serde_json::Value| {
        let mut query = serde_json::json!({ "what": "objects", "class": "Session" });
        for (key, value) in filter.as_object().into_iter().flatten() {
            query[key] = value.clone();
        }
        let Answer::Objects(objects) = ask(query) else { panic!() };
        objects.objects.into_iter().map(|object| object.id).collect::<Vec<_>>()
    };
    assert_eq!(found(serde_json::json!({})), [id(6), id(14)]);
    assert_eq!(found(serde_json::json!({ "minCount": 2 })), [id(6)]);
    assert_eq!(found(serde_json::json!({ "minSize": 41 })), [id(6)]);
    assert_eq!(found(serde_json::json!({ "property": { "name": "user" } })), [id(6), id(14)]);
    assert_eq!(found(serde_json::json!({ "property": { "name": "user", "value": "one" } })), [id(14)]);
    assert_eq!(found(serde_json::json!({ "property": { "name": "age", "value": "number" } })), [id(6)]);
    assert!(found(serde_json::json!({ "property": { "name": "__proto__" } })).is_empty());
}

#[test]
fn an_unknown_class_is_answered_with_those_alike() {
    let Answer::Objects(none) = ask(serde_json::json!({ "what": "objects", "class": "session" })) else {
        panic!()
    };
    assert_eq!((none.total, none.similar), (0, vec!["Session".to_owned()]));
}

#[test]
fn an_object_shows_what_the_program_knows_first() {
    let Answer::Object(details) = ask(serde_json::json!({ "what": "object", "id": id(6) })) else { panic!() };
    let names: Vec<&str> = details.references.iter().map(|reference| reference.name.as_str()).collect();
    assert_eq!(names, ["__proto__", "user", "age", "w"]);
    assert_eq!(details.path, "globalThis › cache :Map › \"one\" › Session");
    assert_eq!(details.dominator.map(|object| object.id), Some(id(2)));
    let Answer::Object(closure) = ask(serde_json::json!({ "what": "object", "id": id(8) })) else { panic!() };
    assert_eq!(closure.location.map(|place| (place.line_number, place.column_number)), Some((6, 3)));
}

#[test]
fn an_id_that_is_not_there_is_an_error() {
    let error = Query::Object { id: 2 }.answer(&heap(&nodes()), ALL).expect_err("no node has an even id");
    assert!(error.to_string().starts_with("there is no object @2 in this snapshot"));
}

#[test]
fn retainers_tell_what_is_weak() {
    let Answer::Retainers(found) = ask(serde_json::json!({ "what": "retainers", "id": id(8) })) else {
        panic!()
    };
    let rows: Vec<_> =
        found.retainers.iter().map(|row| (row.name.as_str(), row.is_weak, row.from.id)).collect();
    assert_eq!(rows, [("fetch", false, id(2)), ("0", false, id(1)), ("w", true, id(6))]);
}

#[test]
fn each_path_has_a_reference_of_its_own() {
    let Answer::Paths(found) = ask(serde_json::json!({ "what": "paths", "id": id(6) })) else { panic!() };
    let words: Vec<&str> = found.paths.iter().map(|path| path.words.as_str()).collect();
    assert_eq!(words.len(), found.total);
    assert_eq!(
        words,
        [
            "module /app/server.js › session :Session",
            "globalThis › cache :Map › \"one\" › Session",
            "module /app/server.js › session :Session",
        ]
    );
    assert!(found.paths.iter().all(|path| path.steps.last().is_some_and(|step| step.to.id == id(6))));
}

#[test]
fn what_nothing_keeps_has_no_path() {
    let Answer::Paths(found) = ask(serde_json::json!({ "what": "paths", "id": id(17) })) else { panic!() };
    assert!(found.total > 0);
    let graph = graph(&[
        node(Synthetic, "", 0, &[(Weak, "1", 1)]),
        node(Object, "Lost", 8, &[(Property, "self", 1)]),
    ]);
    let heap = Heap::new(graph, &()).expect("nobody cancels");
    let Ok(Answer::Paths(none)) = (Query::Paths { id: id(1) }).answer(&heap, ALL) else { panic!() };
    assert_eq!((none.total, none.paths), (0, Vec::new()));
}

#[test]
fn what_an_object_dominates_is_added_up_by_class() {
    let Answer::Dominates(found) = ask(serde_json::json!({ "what": "dominates", "id": id(3) })) else {
        panic!()
    };
    assert_eq!(found.immediate.iter().map(|row| row.id).collect::<Vec<_>>(), [id(4)]);
    let session = found.classes.iter().find(|class| class.name == "Session");
    assert_eq!(session.map(|class| (class.count, class.shallow_size)), Some((1, 24)));
}

#[test]
fn globals_are_those_of_the_program() {
    let names = |all: bool| {
        let Answer::Globals(globals) = ask(serde_json::json!({ "what": "globals", "all": all })) else {
            panic!()
        };
        globals.globals.into_iter().map(|global| (global.name, global.is_standard)).collect::<Vec<_>>()
    };
    // `fetch` is a function of the program, whatever its name.
    assert_eq!(names(false), [("fetch".to_owned(), false), ("cache".to_owned(), false)]);
    assert_eq!(names(true)[2..], [("JSON".to_owned(), true), ("url".to_owned(), true)]);
}

#[test]
fn rows_can_be_paged() {
    let page = |rows, skip| {
        let query = Query::Retainers { id: id(8) };
        let Ok(Answer::Retainers(found)) = query.answer(&heap(&nodes()), Rows { rows, skip }) else {
            panic!()
        };
        (found.total, found.retainers.into_iter().map(|row| row.name).collect::<Vec<_>>())
    };
    assert_eq!(page(1, 0), (3, vec!["fetch".to_owned()]));
    assert_eq!(page(5, 2), (3, vec!["w".to_owned()]));
    assert_eq!(page(5, 9), (3, Vec::new()));
}

proptest! {
    #[test]
    fn every_question_has_an_answer_in_any_graph(nodes in graphs(), index in 0..24_u32) {
        let heap = Heap::new(graph(&nodes), &()).expect("nobody cancels");
        let id = id(index);
        for query in [
            Query::Classes { name: None, min_count: 0, min_size: 0 },
            Query::Objects { class: "Class1".into(), min_count: 1, min_size: 0, property: None },
            Query::Object { id },
            Query::Retainers { id },
            Query::Paths { id },
            Query::Dominates { id },
            Query::Globals { all: true },
        ] {
            let is_there = (index as usize) < nodes.len();
            match query.answer(&heap, ALL) {
                Ok(Answer::Paths(paths)) => {
                    for path in paths.paths {
                        prop_assert!(path.steps.last().is_none_or(|step| step.to.id == id));
                    }
                }
                Ok(Answer::Dominates(found)) => {
                    let kept: u64 = found.immediate.iter().map(|object| object.retained_size).sum();
                    prop_assert_eq!(kept + found.object.shallow_size, found.object.retained_size);
                    let by_class: u64 = found.classes.iter().map(|class| class.shallow_size).sum();
                    prop_assert_eq!(kept, by_class);
                }
                Ok(_) => {}
                Err(_) => prop_assert!(!is_there),
            }
        }
    }
}
