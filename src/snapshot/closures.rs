use std::cmp::Reverse;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{Heap, NodeType, Place, functions::Functions, groups::retained_by_group, naming::Ways};

/// All closures of one function, or all scopes of one: the variables that closures written in it share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Closures {
    /// V8's id of the one that retains most.
    pub id: u32,
    /// What they are.
    pub kind: ClosureKind,
    /// V8's bare name of the function, or `(anonymous)`.
    pub function_name: String,
    /// Where the function is written, where V8 knows.
    pub location: Option<Place>,
    /// The way to the one that retains most, in words.
    pub path: String,
    /// How many there are.
    pub count: u64,
    /// What would be free without all of them, in bytes.
    pub retained_size: u64,
}

/// A function with what it can see, or only that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClosureKind {
    /// Closures.
    Closure,
    /// Scopes. One that only a single closure keeps is a part of that.
    Scope,
}

struct Group {
    kind: ClosureKind,
    /// The function's SharedFunctionInfo, where V8 still knows it.
    function: Option<u32>,
    count: u64,
    largest: u32,
}

/// The functions of the program whose closures or scopes retain most; those of Node and V8 are left out.
pub(super) fn closures(heap: &Heap, ways: &Ways, functions: &Functions, rows: usize) -> Vec<Closures> {
    let graph = heap.graph();
    let mut groups: Vec<Group> = Vec::new();
    // By what the closures of a function share, or else by scope.
    let mut numbers: FxHashMap<(ClosureKind, u32), u32> = FxHashMap::default();
    let mut members: FxHashMap<u32, u32> = FxHashMap::default();
    for node in graph.nodes() {
        let Some((kind, function)) = member(heap, ways, functions, node) else { continue };
        let number = *numbers.entry((kind, function.unwrap_or(node))).or_insert_with(|| {
            groups.push(Group { kind, function, count: 0, largest: node });
            groups.len() as u32 - 1
        });
        let group = &mut groups[number as usize];
        group.count += 1;
        if heap.retained_size(node) > heap.retained_size(group.largest) {
            group.largest = node;
        }
        members.insert(node, number);
    }
    let retained = retained_by_group(heap, |node| members.get(&node).copied(), groups.len());
    let mut found: Vec<(Group, u64)> = groups.into_iter().zip(retained).collect();
    found.sort_by_key(|&(_, retained)| Reverse(retained));
    found.truncate(rows);
    found
        .into_iter()
        .map(|(Group { kind, function, count, largest }, retained_size)| Closures {
            id: graph.id(largest),
            kind,
            function_name: functions.name(graph, function),
            location: function
                .and_then(|function| ways.closure(function))
                .and_then(|closure| functions.place(graph, closure)),
            path: ways.path(graph, largest).join(" › "),
            count,
            retained_size,
        })
        .collect()
}

/// What the node is, and of which function of the program.
fn member(heap: &Heap, ways: &Ways, functions: &Functions, node: u32) -> Option<(ClosureKind, Option<u32>)> {
    let graph = heap.graph();
    if let Some(shared) = functions.shared(graph, node) {
        return functions.is_of_the_program(graph, shared).then_some((ClosureKind::Closure, Some(shared)));
    }
    let is_a_closures = || graph.node_type(heap.dominator(node)) == NodeType::Closure;
    let witness = ways.witness(graph, node).filter(|_| graph.is_context(node) && !is_a_closures())?;
    functions.is_of_the_program(graph, witness).then(|| (ClosureKind::Scope, ways.owner(graph, node)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{
        EdgeType::{Context, Element, Internal, Property},
        Location,
        NodeType::{Closure, Code, Object, Synthetic},
        testing::{TestNode, graph, node},
    };

    const SCOPE: &str = "system / Context";

    fn rows(nodes: &[TestNode]) -> Vec<(ClosureKind, std::string::String, u64, u64, Option<u32>)> {
        let mut graph = graph(nodes);
        graph.locations = vec![Location { node: 3, script_id: 9, line: 5, column: 2 }];
        let heap = Heap::new(graph, &()).expect("nobody cancels");
        let ways = Ways::new(heap.graph());
        closures(&heap, &ways, &Functions::find(heap.graph()), 10)
            .into_iter()
            .map(|row| {
                let line = row.location.map(|place| place.line_number);
                (row.kind, row.function_name, row.count, row.retained_size, line)
            })
            .collect()
    }

    #[test]
    fn closures_are_added_up_by_function_and_what_is_nested_counts_once() {
        let found = rows(&[
            node(Synthetic, "", 0, &[(Element, "1", 1)]),
            node(Object, "global", 10, &[(Property, "a", 3), (Property, "b", 4), (Property, "c", 8)]),
            node(Code, "/app/server.js", 0, &[]),
            // Three closures of `inner`, each with a scope of its own; the first keeps the last.
            node(Closure, "inner", 64, &[(Internal, "shared", 5), (Internal, "context", 6)]),
            node(Closure, "inner", 64, &[(Internal, "shared", 5), (Internal, "context", 7)]),
            node(Code, "inner", 0, &[(Internal, "script", 2)]),
            node(Object, SCOPE, 500, &[(Context, "next", 10)]),
            node(Object, SCOPE, 32, &[]),
            node(Closure, "of node", 64, &[(Internal, "shared", 9)]),
            node(Code, "of node", 0, &[(Internal, "script", 12)]),
            node(Closure, "inner", 64, &[(Internal, "shared", 5), (Internal, "context", 11)]),
            node(Object, SCOPE, 32, &[]),
            node(Code, "node:events", 0, &[]),
        ]);
        let expected = (64 + 500) + (64 + 32) + (64 + 32);
        assert_eq!(found, [(ClosureKind::Closure, "inner".to_owned(), 3, expected, Some(6))]);
    }

    #[test]
    fn a_scope_that_several_closures_share_has_a_row_of_its_own() {
        let found = rows(&[
            node(Synthetic, "", 0, &[(Element, "1", 1)]),
            node(Object, "global", 10, &[(Property, "a", 4), (Property, "b", 5), (Property, "c", 3)]),
            node(Code, "/app/server.js", 0, &[]),
            node(Closure, "keeper", 64, &[(Internal, "shared", 8)]),
            node(Closure, "", 64, &[(Internal, "shared", 9), (Internal, "context", 6)]),
            node(Closure, "", 64, &[(Internal, "shared", 9), (Internal, "context", 6)]),
            node(Object, SCOPE, 500, &[(Internal, "scope_info", 7)]),
            node(Code, "system / ScopeInfo", 0, &[]),
            node(Code, "keeper", 0, &[(Internal, "name_or_scope_info", 7), (Internal, "script", 2)]),
            node(Code, "", 0, &[(Internal, "script", 2)]),
        ]);
        assert_eq!(
            found,
            [
                (ClosureKind::Scope, "keeper".to_owned(), 1, 500, Some(6)),
                (ClosureKind::Closure, "(anonymous)".to_owned(), 2, 128, None),
                (ClosureKind::Closure, "keeper".to_owned(), 1, 64, Some(6)),
            ]
        );
    }
}
